//! Programs that a reader can run: `cargo run -p skills-examples --example hello`.
