//! `skills repl` as a person types in it.

use crate::support::Sandbox;
use crate::terminal::Terminal;

const PYTHON: [&str; 3] = ["repl", "--isolation", "in-process"];
const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";
const CTRL_R: &str = "\x12";
const UP: &str = "\x1b[A";

fn python(sandbox: &Sandbox) -> Terminal {
    Terminal::open(sandbox, &PYTHON, &[])
}

#[test]
fn what_is_typed_is_evaluated_and_stays() {
    let sandbox = Sandbox::new();
    let mut terminal = python(&sandbox);
    terminal.line("x = 41");
    terminal.says("x + 1", "\r\n42\r\n");
    terminal.says("_ + 1000", "\r\n1042\r\n");
    terminal.says("print('out' + 'put'); 'val' + 'ue'", "output\r\n'value'\r\n");
    terminal.line("def fail(): return 1 / 0\r");
    terminal.says("fail()", "error: ZeroDivisionError");
    let trace = terminal.says("x", "\r\n41\r\n");
    assert!(trace.contains("<cell 5>:1") && trace.contains("def fail(): return 1 / 0"), "{trace}");
    terminal.keys(CTRL_D);
    terminal.ends();
}

#[test]
fn what_leaves_other_prompts_leaves_this_one() {
    let sandbox = Sandbox::new();
    for typed in ["exit()", "quit()"] {
        let mut terminal = python(&sandbox);
        terminal.says("x = 40 + 2; x", "\r\n42\r\n");
        terminal.line(typed);
        terminal.ends();
    }
}

#[test]
fn a_block_goes_on_until_it_ends() {
    let sandbox = Sandbox::new();
    let mut terminal = python(&sandbox);
    // The second line is indented by the editor; an empty one ends the block.
    terminal.line("def square(n):");
    terminal.line("return n * n");
    terminal.line("");
    terminal.says("square(111)", "\r\n12321\r\n");
    terminal.line("total = (1 +");
    terminal.line("1000)");
    terminal.says("total", "\r\n1001\r\n");
    let mut terminal = Terminal::open(&sandbox, &["repl", "--lang", "js", "--isolation", "in-process"], &[]);
    terminal.line("function twice(n) {");
    terminal.line("return n * 2;");
    terminal.line("}");
    terminal.says("twice(617)", "\r\n1234\r\n");
}

#[test]
fn tab_completes_from_what_is_alive() {
    let sandbox = Sandbox::new();
    sandbox.write("orders_of_may.csv", "a\n1\n");
    let mut terminal = python(&sandbox);
    terminal.line("apple_count = 1233");
    terminal.says("apple_c\t + 1", "\r\n1234\r\n");
    terminal.line("class Box: first_thing = 5678\r");
    terminal.says("Box.first_t\t", "\r\n5678\r\n");
    terminal.says("len('orders_of_m\t') + 2000", "\r\n2017\r\n");
    terminal.says("%hist\t", "apple_count = 1233");
    terminal.keys("%sa\t");
    terminal.says(" cells.py", "cells written to cells.py");
    terminal.keys("Box.__");
    terminal.keys("\t\t");
    terminal.sees("__getstate__()");
}

#[test]
fn ctrl_c_interrupts_and_clears() {
    let sandbox = Sandbox::new();
    let mut terminal = python(&sandbox);
    terminal.line("kept = 7000");
    terminal.says("exec(\"print('go' + 'ing')\\nwhile True: pass\")", "going\r\n");
    terminal.keys(CTRL_C);
    terminal.sees("interrupted; the session goes on");
    terminal.says("kept + 7", "\r\n7007\r\n");
    terminal.keys("what nobody wants(");
    terminal.keys(CTRL_C);
    terminal.sees("\r\n");
    terminal.sees("py> ");
    terminal.says("kept + 8", "\r\n7008\r\n");
}

#[test]
fn the_history_outlives_the_session() {
    let sandbox = Sandbox::new();
    let mut terminal = python(&sandbox);
    terminal.says("marker = 4000 + 1", "py> ");
    terminal.says("other = 4000 + 2; other", "\r\n4002\r\n");
    terminal.keys(CTRL_D);
    terminal.ends();
    let mut terminal = python(&sandbox);
    terminal.keys(&format!("{UP}\r"));
    terminal.sees("\r\n4002\r\n");
    terminal.keys(&format!("{CTRL_R}marker ="));
    terminal.line("");
    terminal.says("marker + 1000", "\r\n5001\r\n");
    terminal.says("%history marker", "marker = 4000 + 1\r\n");
    terminal.keys(CTRL_D);
    terminal.ends();
    // Each language has its own, and nobody else reads it.
    let folder = sandbox.folder.path().join(".local/state/skills");
    let text = std::fs::read_to_string(folder.join("history-python")).unwrap();
    assert!(text.contains("other = 4000 + 2"), "{text}");
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.join("history-python")), 0o600);
    assert!(!folder.join("history-javascript").exists());
}

#[test]
fn what_is_pasted_is_one_cell() {
    let sandbox = Sandbox::new();
    let mut terminal = python(&sandbox);
    terminal.keys("\x1b[200~def pasted(n):\n    if n:\n        return 8000\n    return 1\n\x1b[201~\r");
    terminal.says("pasted(1) + 1", "\r\n8001\r\n");
    let listed = terminal.says("%history", "  2  pasted(1) + 1");
    assert!(listed.contains("  1  def pasted(n):\r\n"), "{listed}");
}

#[test]
fn a_window_may_change_its_size() {
    let sandbox = Sandbox::new();
    let mut terminal = python(&sandbox);
    terminal.resize(30, 24);
    // A line that is wider than the window.
    terminal.line("'a very long line that does not fit the window ' and 6000 + 6");
    terminal.sees("\r\n6006\r\n");
    terminal.line("%plot list(range(30))");
    let chart = terminal.says("'after' + 'wards'", "'afterwards'");
    let drawn = chart.lines().filter(|line| line.chars().any(|c| ('\u{2801}'..='\u{28ff}').contains(&c)));
    let widest = drawn.map(|line| line.chars().count()).max().unwrap();
    assert!((20..=30).contains(&widest), "{widest}: {chart}");
}

#[test]
fn keys_may_be_those_of_vi() {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::open(&sandbox, &["repl", "--isolation", "in-process", "--vi"], &[]);
    terminal.keys("00 + 1\x1b");
    terminal.keys("0i90\r");
    terminal.sees("\r\n9001\r\n");
}

#[test]
fn colours_are_for_those_who_want_them() {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::open(&sandbox, &PYTHON, &[("NO_COLOR", "")]);
    terminal.says("'gr' + 'een'", "\x1b[32m'green'");
    let mut terminal = python(&sandbox);
    let shown = terminal.says("'pl' + 'ain'", "'plain'");
    assert!(!shown.contains("\x1b[3"), "{shown:?}");
    let mut terminal = Terminal::open(&sandbox, &PYTHON, &[("NO_COLOR", ""), ("TERM", "dumb")]);
    terminal.line("if True:");
    terminal.line("    'du' + 'mb'");
    terminal.line("");
    let shown = terminal.says("3000 + 3", "3003");
    assert!(!shown.contains('\x1b'), "{shown:?}");
}
