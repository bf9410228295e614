//! `skills repl` as a person types in it.

use crate::support::{Sandbox, tiers};
use crate::terminal::Terminal;
use skills::Isolation;

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

/// What a line is only where the keys are those of vi: Escape, to the beginning, insert.
#[track_caller]
fn has_vi_keys(terminal: &mut Terminal) {
    terminal.keys("00 + 1\x1b");
    terminal.keys("0i90\r");
    terminal.sees("\r\n9001\r\n");
}

/// What a line is only where they are those of Emacs: Ctrl-A goes to the beginning.
#[track_caller]
fn has_emacs_keys(terminal: &mut Terminal) {
    terminal.keys("00 + 2\x01");
    terminal.keys("80\r");
    terminal.sees("\r\n8002\r\n");
}

#[test]
fn keys_may_be_those_of_vi() {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::open(&sandbox, &["repl", "--isolation", "in-process", "--vi"], &[]);
    has_vi_keys(&mut terminal);
    terminal.says("%keys", "vi\r\n");
    terminal.line("%keys emacs");
    has_emacs_keys(&mut terminal);
    terminal.says("%keys", "emacs\r\n");
    terminal.says("%keys nano", "use it as `%keys [vi | emacs]`");
}

#[test]
fn keys_are_those_of_other_programs() {
    let sandbox = Sandbox::new();
    has_emacs_keys(&mut python(&sandbox));
    std::fs::write(sandbox.folder.path().join(".inputrc"), "set editing-mode vi\n").unwrap();
    has_vi_keys(&mut python(&sandbox));
    let other = sandbox.write("other.rc", "$if skills\nset editing-mode emacs\n$endif\n").display().to_string();
    has_emacs_keys(&mut Terminal::open(&sandbox, &PYTHON, &[("INPUTRC", &other)]));
    has_emacs_keys(&mut Terminal::open(&sandbox, &["repl", "--isolation", "in-process", "--emacs"], &[]));
}

#[test]
fn what_was_typed_before_is_hinted() {
    let sandbox = Sandbox::new();
    let mut terminal = python(&sandbox);
    terminal.says("marker = 4000 + 3; marker", "\r\n4003\r\n");
    // The rest appears before it is typed, and the right arrow takes it.
    terminal.keys("mark");
    terminal.sees("er = 4000 + 3; marker");
    terminal.keys("\x1b[C\r");
    terminal.sees("\r\n4003\r\n");
    // What is not taken is not evaluated.
    terminal.keys("marker");
    terminal.sees(" = 4000 + 3; marker");
    terminal.line(" + 1");
    terminal.sees("\r\n4004\r\n");
}

#[test]
fn a_second_ctrl_c_says_what_else_there_is() {
    let sandbox = Sandbox::new();
    let mut terminal = python(&sandbox);
    // Native code, which looks at nothing while it works.
    terminal.line("import re; print('go' + 'ing'); re.match('(a+)+$', 'a' * 60 + 'b')");
    terminal.sees("going");
    let mut shown = String::new();
    // Two presses at once may come as one.
    for _ in 0..50 {
        terminal.keys(CTRL_C);
        shown += &terminal.sees("s   ");
        if shown.contains("Ctrl-\\ ends the session and all that is in it") {
            return;
        }
    }
    panic!("{shown}");
}

#[test]
fn what_does_not_stop_is_ended_and_begins_anew() {
    if !tiers().contains(&Isolation::Worker) {
        return;
    }
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::open(&sandbox, &["repl"], &[]);
    terminal.line("kept = 70");
    terminal.line("import re; print('go' + 'ing'); re.match('(a+)+$', 'a' * 60 + 'b')");
    terminal.sees("going");
    terminal.keys(CTRL_C);
    terminal.sees("interrupted in native code");
    let shown = terminal.sees("what was alive in python is lost, and begins anew");
    assert!(!shown.contains("the session goes on") && !shown.contains("error:"), "{shown}");
    terminal.says("kept", "NameError");
    terminal.says("7000 + 7", "7007");
}

#[test]
fn a_shell_is_typed_line_by_line() {
    if !tiers().contains(&Isolation::Worker) {
        return;
    }
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::open(&sandbox, &["repl", "--lang", "bash"], &[]);
    terminal.line("for i in 1 2; do");
    terminal.line("echo \"no $((i + 7000))\"");
    terminal.says("done", "no 7001\r\nno 7002\r\n");
    terminal.line("name=wor");
    terminal.says("%py name + 'ld'", "'world'");
    terminal.line("exit 3");
    terminal.sees("the shell has ended with exit code 3");
    let shown = terminal.sees("what was alive in bash is lost, and begins anew");
    assert!(!shown.contains("the shell has ended"), "said once: {shown}");
    terminal.says("%py name * 2", "'worwor'");
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
