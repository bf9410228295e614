//! `skills repl` with sessions that outlive it, and with skills.

use crate::support::{Sandbox, tiers};
use crate::terminal::Terminal;
use skills::Isolation;

#[test]
fn a_session_of_the_host_is_met_again() {
    let sandbox = Sandbox::new();
    let arguments = ["repl", "--session", "work", "--isolation", "in-process"];
    let mut terminal = Terminal::open(&sandbox, &arguments, &[]);
    terminal.line("kept_here = 6000");
    terminal.says("print('out' + 'put'); kept_he\t + 1", "output\r\n6001\r\n");
    terminal.line("def later(n):\rreturn n * 2\r");
    terminal.says("%vars", "later");
    terminal.says("later??", "return n * 2");
    terminal.says("exec(\"print('go' + 'ing')\\nwhile True: pass\")", "going\r\n");
    terminal.keys("\x03");
    terminal.sees("interrupted; the session goes on");
    terminal.says("1 / 0", "ZeroDivisionError");
    terminal.line("%quit");
    terminal.ends();
    // Another command meets it, and so does the next person, without saying its language.
    let evaluated = sandbox.run(&["eval", "--session", "work", "kept_here + 2"]).exits(0);
    assert_eq!(evaluated.stdout, "6002\n");
    let mut terminal = Terminal::open(&sandbox, &["repl", "--session", "work"], &[]);
    terminal.says("later(kept_here)", "12000\r\n");
    terminal.says("%session", "evaluations");
    terminal.says("%fork copy", "this is copy, a copy of work");
    terminal.says("later(kept_here) + 1", "12001\r\n");
    terminal.says("%reset", "everything is forgotten");
    terminal.says("kept_here", "NameError");
    terminal.says("%session work", "this is session work");
    terminal.says("kept_here + 3", "6003\r\n");
    // One of the host has one language.
    terminal.says("%js 1 + 1", "takes no javascript");
    terminal.sees("without `--session`, speaks all of them");
}

#[test]
fn what_a_skill_defines_is_there() {
    if !tiers().contains(&Isolation::Worker) {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("sales.csv", "region,amount\nnorth,10\nsouth,32\n");
    let mut terminal = Terminal::open(&sandbox, &["repl", "data_analyzer"], &[]);
    terminal.line("load('sales.csv')");
    let table = terminal.says("describe()", "distinct");
    assert!(table.contains("column") && !table.contains('{'), "{table}");
    terminal.says("?load", "(");
    // Other languages have its data, and it theirs.
    terminal.line("amounts = df['amount']");
    terminal.says("%js let most = Math.max(...amounts) * 100; most", "3200\r\n");
    terminal.says("most + 1", "3201\r\n");
    terminal.says("%limits", "session: ends in");
    terminal.says("%plot df.group('region', 'sum(amount)').rows", "north 10 ");
    terminal.says("%fork other", "this is other, a copy of data_analyzer");
    terminal.says("len(df) + 6000", "6002\r\n");
    terminal.says("%reset", "everything is forgotten");
    terminal.says("load('sales.csv') and describe()[0]['column'] * 2", "'regionregion'");
    let mut terminal = Terminal::open(&sandbox, &["repl", "calculator-rhai"], &[]);
    terminal.says("21 * 200", "4200");
    let ran = sandbox.run(&["repl", "no-such-skill"]).exits(4);
    assert!(ran.stderr.contains("no-such-skill"), "{ran:?}");
}

#[test]
fn permissions_and_limits_hold_for_what_is_typed() {
    if !tiers().contains(&Isolation::Worker) {
        return;
    }
    let sandbox = Sandbox::new();
    let outside = sandbox.folder.path().join("outside.txt");
    std::fs::write(&outside, "secret words").unwrap();
    let read = format!("open({:?}).read()", outside.display().to_string());
    let mut terminal = Terminal::open(&sandbox, &["repl"], &[]);
    terminal.says(&read, "FileNotFoundError");
    let folder = sandbox.folder.path().display().to_string();
    let mut terminal = Terminal::open(&sandbox, &["repl", "--allow-read", &folder, "--max-time", "300ms"], &[]);
    terminal.says(&read, "'secret words'");
    terminal.says("exec('while True: pass')", "error: ");
    terminal.says("'still ' + 'there'", "'still there'");
}
