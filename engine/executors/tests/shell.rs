//! What becomes of shell source, compared with what real bash makes of it.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test compares with real bash, in folders of its own"
)]

use proptest::prelude::*;
use skills_core::template::{Piece, pieces};
use skills_executors::shell::{Source, rewrite};
use std::process::{Command, Stdio};

fn variable(name: &str) -> Option<String> {
    matches!(name, "x" | "y" | "name").then(|| format!("SKILL_PARAM_{name}"))
}

fn rewritten(text: &str) -> Source {
    rewrite(text, &variable).unwrap_or_else(|refusals| panic!("{text}: {refusals:?}"))
}

/// What bash prints for some source.
fn bash(source: &str, values: &[(&str, &str)], folder: &std::path::Path) -> String {
    let output = Command::new("bash")
        .args(["--norc", "-c", source, "test"])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .envs(values.iter().map(|(name, value)| (format!("SKILL_PARAM_{name}"), value)))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn each_quote_has_its_own_form_of_reference() {
    for (text, expected) in [
        ("echo {x}", "echo \"${SKILL_PARAM_x}\""),
        ("echo \"a {x}\"", "echo \"a ${SKILL_PARAM_x}\""),
        ("echo 'Hello, {name}!'", "echo 'Hello, '\"${SKILL_PARAM_name}\"'!'"),
        ("wc -l {x} | awk '{print $1}'", "wc -l \"${SKILL_PARAM_x}\" | awk '{print $1}'"),
        ("cd {x} && ls", "cd \"${SKILL_PARAM_x}\" && ls"),
        ("echo {{x}} {other}", "echo {x} {other}"),
        ("A={x} ls > out-{x} 2>&1", "A=\"${SKILL_PARAM_x}\" ls > out-\"${SKILL_PARAM_x}\" 2>&1"),
        ("for i in {x} b; do echo \"$i\"; done", "for i in \"${SKILL_PARAM_x}\" b; do echo \"$i\"; done"),
        ("case {x} in a) echo 1;; esac", "case \"${SKILL_PARAM_x}\" in a) echo 1;; esac"),
        ("if [ -f {x} ]; then cat {x}; fi", "if [ -f \"${SKILL_PARAM_x}\" ]; then cat \"${SKILL_PARAM_x}\"; fi"),
        ("cat <<< {x}", "cat <<< \"${SKILL_PARAM_x}\""),
        ("(cat {x})", "(cat \"${SKILL_PARAM_x}\")"),
        ("echo 'costs ${x}'", "echo 'costs $'\"${SKILL_PARAM_x}\"''"),
        ("echo $(date) {x}", "echo $(date) \"${SKILL_PARAM_x}\""),
        ("f() { echo {x}; }; f", "f() { echo \"${SKILL_PARAM_x}\"; }; f"),
        ("declare -a l; local n=$1 m={x}", "declare -a l; local n=$1 m=\"${SKILL_PARAM_x}\""),
        ("echo a#{x} # {z}", "echo a#\"${SKILL_PARAM_x}\" # {z}"),
    ] {
        assert_eq!(rewritten(text).text, expected, "{text}");
    }
}

#[test]
fn a_value_never_becomes_source() {
    let folder = tempfile::tempdir().unwrap();
    for text in ["echo 'Hello, {name}!'", "echo \"Hello, {name}!\"", "echo Hello, {name}!"] {
        for value in ["; rm -rf ~ #", "$(touch PWNED)", "`touch PWNED`", "'\"; touch PWNED; \"'", "a  b\n* $HOME ~ {x}"]
        {
            let printed = bash(&rewritten(text).text, &[("name", value)], folder.path());
            assert_eq!(printed, format!("Hello, {value}!\n"), "{text}");
        }
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_cannot_be_safe_is_refused_with_its_place_and_reason() {
    for (text, reason) in [
        ("sh -c 'echo {x}'", "the program that `sh` runs"),
        ("bash -c \"echo {x}\"", "the program that `bash` runs"),
        ("eval echo {x}", "the code that `eval` runs"),
        ("true | awk '$1 == \"{x}\"'", "the code that `awk` runs"),
        ("python3 -c 'print(\"{x}\")'", "the program that `python3` runs"),
        ("ssh host 'ls {x}'", "the code that `ssh` runs"),
        ("ls | xargs sh -c 'echo {x}'", "the program that `sh` runs"),
        ("sed 's/a/{x}/' f", "the code that `sed` runs"),
        ("echo {x} | sh", "through the input of `sh`"),
        ("echo {x} | cat | bash -s", "through the input of `bash`"),
        ("echo {x} | xargs -I% sh -c 'echo %'", "through the input of `xargs`"),
        ("bash <<< {x}", "through the input of `bash`"),
        ("cat <<EOF\n{x}\nEOF", "here-document"),
        ("echo $(ls {x})", "command substitution"),
        ("echo \"$(ls {x})\"", "command substitution"),
        ("echo `ls {x}`", "command substitution"),
        ("cat <(ls {x})", "process substitution"),
        ("echo $(({x} + 1))", "arithmetic"),
        ("echo $[{x}]", "arithmetic"),
        ("(({x} > 1)) && ls", "arithmetic"),
        ("for ((i = 0; i < {x}; i++)); do ls; done", "arithmetic"),
        ("[[ a -eq {x} ]]", "[[ … ]]"),
        ("[[ a && {x} -eq 1 ]]", "[[ … ]]"),
        ("echo ${HOME:-{x}}", "parameter expansion"),
        ("echo ${x}", "stands behind a `$`"),
        ("echo \"${x}\"", "stands behind a `$`"),
        ("echo a # {x}", "comment"),
        ("echo \\{x}", "backslash"),
        ("echo \"\\{x}\"", "backslash"),
        ("echo $'{x}'", "stands in `$'…'`"),
        ("echo $'\\{x}'", "stands in `$'…'`"),
        ("echo $(echo \\{x})", "command substitution"),
        ("echo `echo \\{x}`", "command substitution"),
        ("echo ${A:-\\{x}}", "parameter expansion"),
        ("{x} a", "the name of a program"),
        ("true && A=1 {x}", "the name of a program"),
        ("if {x}; then ls; fi", "the name of a program"),
        ("ls; (pre-{x})", "the name of a program"),
        ("case a in {x}) ls;; esac", "the name of a program"),
        ("for {x} in a; do ls; done", "the name of a variable"),
        ("LD_PRELOAD={x} ls", "`LD_PRELOAD`"),
        ("PAGER={x} git log", "`PAGER`"),
        ("GIT_CONFIG_VALUE_0={x} git log", "`GIT_CONFIG_VALUE_0`"),
        ("export EDITOR=\"a {x}\"; git commit", "what `export` declares"),
        ("env LESS={x} less file", "the program that `env` starts"),
        ("PATH={x}:$PATH; ls", "`PATH`"),
        ("PYTHONPATH={x} python3 a.py", "`PYTHONPATH`"),
        ("RANDOM={x}; echo a", "`RANDOM`"),
        ("for OPTIND in {x}; do ls; done", "reads values as code"),
        ("declare -i n={x}", "reads values as code"),
        ("declare -i n; n={x}; echo $n", "reads values as code"),
        ("typeset -xi n; echo {x} | while read n; do ls; done", "reads values as code"),
        ("f() { local -i n=$1; }; f {x}", "reads values as code"),
        ("command declare -n r; r={x}; echo $r", "reads values as code"),
        ("declare \"$o\" n; n={x}", "reads values as code"),
        ("echo {x} | m4", "through the input of `m4`"),
        ("echo {x} | ssh host", "through the input of `ssh`"),
        ("echo {x} | psql -h db", "through the input of `psql`"),
        ("a[{x}]=1", "the name of a program"),
        ("read {x}", "the name of a variable"),
        ("ls 2>&{x}", "the number of a redirection"),
        ("export {x}", "declares"),
        ("$(case a in a) echo;; esac) {x}", "behind a substitution"),
        ("echo $(echo \"$(ls)\") {x}", "within quotes within a substitution"),
        ("echo $\"a\" {x}", "which is translated"),
    ] {
        let refusals = rewrite(text, &variable).expect_err(text);
        assert!(refusals.iter().any(|refusal| refusal.message.contains(reason)), "{text}: {refusals:?}");
        for refusal in &refusals {
            assert_eq!(refusal.parameter.as_deref(), Some("x"), "{text}");
            assert!(text[refusal.at..].starts_with("{x}"), "{text}: {refusal:?}");
            assert!(!refusal.help.is_empty());
        }
    }
    for text in ["echo '", "echo \"a", "echo $(ls", "echo `ls", "echo ${a", "echo $'a"] {
        let refusals = rewrite(text, &variable).expect_err(text);
        assert!(refusals.iter().all(|refusal| refusal.parameter.is_none()), "{text}: {refusals:?}");
    }
}

#[test]
fn parameters_that_begin_an_argument_are_guarded() {
    for (text, guarded) in [
        ("ls {x}", &["x"] as &[_]),
        ("ls '{x}'", &["x"]),
        ("ls \"{x}/a\"", &["x"]),
        ("ls -- {x}", &[]),
        ("ls ./{x} a{y}", &[]),
        ("ls -- a; ls {y}", &["y"]),
        ("echo 'Hello, {x}!'", &[]),
        ("printf '%s' {x}", &[]),
        ("printf {x}", &["x"]),
        ("for i in {x}; do ls; done", &[]),
        ("ls > {x}", &[]),
    ] {
        assert_eq!(rewritten(text).guarded, guarded, "{text}");
    }
}

#[test]
fn braces_that_are_never_closed_are_read_once() {
    for unit in ["{x", "{", "\"{x", "'{x} ", "$(", "`{", "a {x} "] {
        let text = unit.repeat(300_000 / unit.len());
        let _ = rewrite(&text, &variable);
    }
}

const PIECES: &[&str] = &[
    "{x}",
    "{y}",
    "{x}",
    "'",
    "\"",
    "\\",
    "$",
    " ",
    " ",
    "a",
    "b",
    "{",
    "}",
    "{{x}}",
    "`",
    "$(echo b)",
    "${Z}",
    "#",
    ";",
    "|",
    "&&",
    "(",
    ")",
    "$'",
    "\n",
    "=",
    "~",
    "<<<",
    "[[",
    "]]",
    ",",
    "'{x}'",
    "\"{y}\"",
    "echo ",
    "cat",
    "$((1+2))",
    "if ",
    "A=",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// With values that end the name of a variable and mean nothing, bash shows where they go; with any others, they go to the same places.
    #[test]
    fn bash_prints_the_values_and_nothing_else(
        parts in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..14),
        x in "[ -~\n\t'\"$`\\\\;|&#*é]{0,8}",
        y in prop::sample::select(vec!["$(touch PWNED)", "`touch PWNED`", "'; touch PWNED; '", "\"; touch PWNED; \"", "a b", ""]),
    ) {
        let text = format!("printf '<%s>' {}", parts.concat());
        // The number of the process is another each time, and what runs in the background prints when it gets to it.
        prop_assume!(!text.contains("$$") && !text.contains("\\&&"));
        let Ok(source) = rewrite(&text, &variable) else { return Ok(()) };
        let folder = tempfile::tempdir().unwrap();
        let marked = bash(&source.text, &[("x", "%x%"), ("y", "%y%")], folder.path());
        let plain: String = pieces(&text, |name| variable(name).is_some()).map(|piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Value(name) => format!("%{name}%"),
        }).collect();
        prop_assert_eq!(&bash(&plain, &[], folder.path()), &marked, "{}", &source.text);
        let printed = bash(&source.text, &[("x", &x), ("y", y)], folder.path());
        prop_assert_eq!(printed, marked.replace("%x%", &x).replace("%y%", y), "{}", &source.text);
        let pwned = folder.path().join("PWNED").exists();
        prop_assert!(!pwned, "{}", &source.text);
    }

    #[test]
    fn no_text_is_too_much(text in r#"[ax{}'"\\$()`| é#<>&;\[\]\n-]{0,32}"#) {
        let _ = rewrite(&text, &variable);
    }
}
