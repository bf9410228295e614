//! `skills repl` with code on standard input.

use crate::support::{Ran, Sandbox, tiers};
use serde_json::{Value, json};
use skills::Isolation;

fn piped(sandbox: &Sandbox, arguments: &[&str], input: &str) -> Ran {
    let mut all = vec!["repl"];
    all.extend(arguments);
    let output = sandbox.skills().args(all).write_stdin(input).output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_script_goes_in_and_results_come_out() {
    let sandbox = Sandbox::new();
    let python =
        "x = 1\nif x:\n    y = 2\n\n    z = 3\nelse:\n    y = 4\nprint('printed')\n(x, y,\n z)\n%who\n'text'\n";
    let ran = piped(&sandbox, &["--isolation", "in-process"], python).exits(0);
    assert_eq!(ran.stdout, "printed\n(1, 2, 3)\nx  y  z\n'text'\n");
    assert_eq!(ran.stderr, "");
    let script = "const a = [1, 2]\n  .map(n => n * 2)\nfunction f() {\n  return a[1]\n}\nf()\n";
    let ran = piped(&sandbox, &["--lang", "js", "--isolation", "in-process"], script).exits(0);
    assert_eq!(ran.stdout, "4\n");
    let ran =
        piped(&sandbox, &["--lang", "rhai", "--isolation", "in-process"], "let x = 20;\nfn f(n) {\n  n + 1\n}\nf(x)")
            .exits(0);
    assert_eq!(ran.stdout, "21\n");
}

#[test]
fn bash_says_where_its_cells_end() {
    if !tiers().contains(&Isolation::Worker) {
        return;
    }
    let sandbox = Sandbox::new();
    let script = "x=1\nif true; then\n  echo \"a $x\"\nfi\nread -r y <<END\nb\nEND\necho \"$y\"\necho c \\\n  d\n";
    for session in [&[][..], &["--session", "s"]] {
        let ran = piped(&sandbox, &[&["--lang", "bash"], session].concat(), script).exits(0);
        assert_eq!(ran.stdout, "a 1\nb\nc d\n", "{session:?}");
    }
}

#[test]
fn typed_code_runs_in_a_worker_unless_somebody_says_otherwise() {
    if !tiers().contains(&Isolation::Worker) {
        return;
    }
    let sandbox = Sandbox::new();
    for (language, code, value) in
        [("python", "x = 2\nx + 1", 3), ("js", "let x = 2\nx + 1", 3), ("rhai", "let x = 2;\nx + 1", 3)]
    {
        let ran = piped(&sandbox, &["--lang", language, "--json"], code).exits(0);
        let outcomes: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((outcomes.len(), &outcomes[1]["value"]), (2, &json!(value)), "{ran:?}");
        assert_eq!(outcomes[1]["isolation"], "worker");
    }
}

#[test]
fn the_first_error_ends_it_with_its_exit_code() {
    let sandbox = Sandbox::new();
    let in_process = ["--isolation", "in-process"];
    let ran = piped(&sandbox, &in_process, "1\n1 / 0\n2\n").exits(1);
    assert_eq!(ran.stdout, "1\n");
    assert!(ran.stderr.contains("ZeroDivisionError") && ran.stderr.contains("<cell 2>:1"), "{ran:?}");
    piped(&sandbox, &["--isolation", "in-process", "--max-time", "100ms"], "while True: pass\n").exits(124);
    let ran = piped(&sandbox, &["--isolation", "in-process", "--json"], "1\n1 / 0\n2\n").exits(1);
    let last: Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    assert_eq!((ran.stdout.lines().count(), &last["error"]["kind"]), (2, &json!("script_error")));
    assert!(piped(&sandbox, &in_process, "%nonsense\n").exits(5).stderr.contains("there is no command"));
    assert!(piped(&sandbox, &["--lang", "cobol"], "").exits(2).stderr.contains("is not a language"));
    piped(&sandbox, &in_process, "").exits(0);
}

#[test]
fn the_functions_of_a_bundled_skill_are_at_hand_in_a_worker() {
    if !tiers().contains(&Isolation::Worker) {
        eprintln!("skipped: no workers here");
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("sales.csv", "region,amount\nN,10\nS,20\nN,5\n");
    let code = "t = load('sales.csv')\nlen(t)\nt.group('region', 'sum(amount)').rows\ncorr()[0]['amount'] > 0.99\n";
    let ran = piped(&sandbox, &["data_analyzer", "--allow-read", "./"], code).exits(0);
    let group = "[{'region': 'N', 'sum amount': 15}, {'region': 'S', 'sum amount': 20}]";
    assert_eq!(ran.stdout, format!("3\n{group}\nTrue\n"), "{ran:?}");
    for skill in ["data_analyzer", "todo", "tally"] {
        let ran = piped(&sandbox, &[skill, "--json"], "1").exits(0);
        let last: Value = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
        assert_eq!((&last["value"], &last["isolation"]), (&json!(1), &json!("worker")), "{skill}: {ran:?}");
    }
}
