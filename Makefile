# Two commands: `make demo` builds and runs the main job, `make test` passes the tests. Both install what is missing.

CARGO ?= cargo

.PHONY: demo test soak lint check-v8 doc examples bench prerequisites

# Runs bundled skills in all three languages.
demo: prerequisites
	$(CARGO) build -q -p skills-cli
	tools/demo

# Every test that there is but the long ones.
test: prerequisites
	tools/test

# Many runs in confinement, and a look at what is left of them: 10,000 unless SKILLS_SOAK_RUNS says otherwise.
# And 200 times the session host is killed, unless SKILLS_SOAK_KILLS says otherwise.
soak: prerequisites
	tools/soak

# Formatting, lints, documentation: what CI checks besides the tests.
lint: prerequisites
	$(CARGO) fmt --all -- --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

# JavaScript on V8, as far as it goes without V8's library: types and lints.
check-v8:
	DOCS_RS=1 $(CARGO) clippy -p skills-javascript --no-default-features --features v8 --tests -- -D warnings

doc: prerequisites
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps
	$(CARGO) test --doc -p skills -p skills-core

examples: prerequisites
	tools/examples

# Measures; see benches/README.md.
bench: prerequisites
	$(CARGO) bench -p skills-benches

prerequisites:
	@tools/prerequisites
