//! The commands of `skills repl`.

use crate::support::{Sandbox, tiers};
use crate::terminal::Terminal;
use skills::Isolation;

fn python(sandbox: &Sandbox) -> Terminal {
    Terminal::open(sandbox, &["repl", "--isolation", "in-process"], &[])
}

#[test]
fn every_command_has_help_and_a_typo_a_suggestion() {
    let sandbox = Sandbox::new();
    let mut terminal = python(&sandbox);
    let help = terminal.says("%help", "Ctrl-D leave\r\n");
    let names = [
        "help", "vars", "who", "time", "timeit", "limits", "lang", "reset", "save", "load", "session", "fork",
        "history", "edit", "run", "skill", "plot", "doc", "all", "keys", "quit",
    ];
    for name in names {
        assert!(help.contains(&format!("%{name} ")), "{name}: {help}");
    }
    terminal.says("%help timeit", "this many times");
    terminal.says("%hlep", "did you mean `%help`?");
    terminal.says("%fork", "use it as `%fork NAME`");
    terminal.line("%quit");
    terminal.ends();
}

#[test]
fn names_are_listed_and_explained() {
    let sandbox = Sandbox::new();
    let mut terminal = python(&sandbox);
    terminal.says("%vars", "no variables yet");
    terminal.line("prices = [1.5, 1 + 1.5]");
    terminal.line("def area(w, h=2):\r'The area of a ' 'rectangle.'\rreturn w * h\r");
    let table = terminal.says("%vars", "[1.5, 2.5]");
    assert!(table.contains("area") && table.contains("list"), "{table}");
    terminal.says("%who", "area  prices\r\n");
    terminal.line("_own = 'not listed'");
    let names = terminal.says("%who", "area  prices\r\n");
    assert!(!names.contains("_own  "), "{names}");
    terminal.says("%who _own", "_own\r\n");
    terminal.says("%vars nothing", "no name holds `nothing`");
    terminal.says("?area", "area(w, h=2)");
    terminal.says("area??", "return w * h");
    terminal.says("%doc prices", "list = [1.5, 2.5]");
    terminal.says("?missing", "error: ");
}

#[test]
fn long_values_are_cut_and_tables_drawn() {
    let sandbox = Sandbox::new();
    let mut terminal = python(&sandbox);
    terminal.says("list(range(3000))", "(%all to see everything)");
    terminal.says("%all", "2999\r\n]");
    terminal.line("rows = [{'name': 'ann', 'age': 30}, {'name': 'bob', 'age': 41}]");
    terminal.says("rows", "name   age\r\n");
    terminal.sees("bob     41\r\n");
    terminal.says("%all", "was shown as a whole");
}

#[test]
fn time_and_limits_are_shown_and_set() {
    let sandbox = Sandbox::new();
    let mut terminal = python(&sandbox);
    terminal.says("%time sum(range(1000))", "499500");
    terminal.sees("cpu");
    terminal.says("%timeit -n 3 sum(range(1000))", "(3 runs, best");
    terminal.says("%time", "are shown after each cell");
    terminal.says("%time", "are not shown after each cell");
    terminal.line("%limits time=200ms");
    terminal.says("exec('while True: pass')", "error: ");
    terminal.says("%limits", "set here: time=200ms");
    terminal.says("%limits", "all cells");
    terminal.says("%limits speed=3", "`speed` is no limit");
    terminal.says("'still ' + 'alive'", "'still alive'");
}

#[test]
fn cells_are_saved_loaded_run_and_edited() {
    let sandbox = Sandbox::new();
    sandbox.write("script.py", "def helper():\n    return 1200\n\nprint('from ' + 'file')\n");
    let editor = sandbox.write("editor.sh", "#!/bin/sh\nsed -i 's/1200/1300/' \"$1\"\n");
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).unwrap();
    let editor = editor.display().to_string();
    let mut terminal = Terminal::open(&sandbox, &["repl", "--isolation", "in-process"], &[("EDITOR", &editor)]);
    terminal.says("%run script.py", "from file\r\n");
    terminal.says("helper() + 34", "1234\r\n");
    terminal.line("base = 1200");
    terminal.says("1 / 0", "ZeroDivisionError");
    terminal.says("%save cells.py", "2 cells written to cells.py");
    terminal.says("%run missing.py", "there is no such file");
    terminal.says("%edit 2", "base = 1300");
    terminal.says("base + 21", "1321\r\n");
    terminal.says("%edit 99", "there is no cell 99");
    terminal.says("%reset", "everything is forgotten");
    terminal.says("base", "NameError");
    terminal.line("def helper(): return 5000\r");
    terminal.says("%load cells.py", "5034\r\n");
    terminal.says("base + 5", "1205\r\n");
    assert_eq!(std::fs::read_to_string(sandbox.path().join("cells.py")).unwrap(), "helper() + 34\n\nbase = 1200\n");
}

#[test]
fn a_state_is_saved_and_gone_on_with() {
    let sandbox = Sandbox::new();
    let arguments = ["repl", "--isolation", "in-process", "--lang", "rhai"];
    let mut terminal = Terminal::open(&sandbox, &arguments, &[]);
    terminal.line("let kept = 4321;");
    terminal.says("%save --state work.state", "the state written to work.state");
    terminal.line("%quit");
    terminal.ends();
    let mut terminal = Terminal::open(&sandbox, &arguments, &[]);
    terminal.says("%load work.state", "as it was saved");
    terminal.says("kept + 1", "4322\r\n");
}

#[test]
fn sessions_are_copied_left_and_met_again() {
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::open(&sandbox, &["repl", "--isolation", "in-process", "--lang", "rhai"], &[]);
    terminal.line("let x = 10;");
    terminal.says("%fork other", "this is other, a copy of rhai");
    terminal.line("x += 1;");
    terminal.says("%session rhai", "this is session rhai");
    terminal.says("x + 900", "910\r\n");
    terminal.says("%session other", "this is session other");
    terminal.says("x + 900", "911\r\n");
    let list = terminal.says("%session list", "other");
    assert!(list.contains("rhai"), "{list}");
    terminal.says("%session", "isolation    in-process");
}

#[test]
fn values_are_drawn_and_skills_run() {
    let sandbox = Sandbox::new();
    let mut terminal = python(&sandbox);
    terminal.says("%plot {'figs': 10, 'plums': 20}", "figs 10 ");
    terminal.sees("plums 20 ██");
    terminal.line("ages = [20, 21, 22, 40]");
    terminal.says("%plot --hist=2 ages", "20 – 30 3 ██");
    terminal.says("%plot 'words'", "this cannot be drawn: it is a text");
    terminal.says("%plot [1, None, 3]", "2\r\n");
    terminal.says("%plot [{'who': 'ann', 'age': 30}, {'who': 'bob', 'age': None}]", "bob  –");
    terminal.says("%skill calculator operation=add operand1=1000 operand2=11", "1011");
    terminal.says("%skill no-such-skill", "error: ");
}

/// A picture of one pixel.
const PICTURE: &str = "import base64; base64.b64decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==')";

#[test]
fn an_image_is_written_where_the_terminal_shows_none() {
    let sandbox = Sandbox::new();
    let folder = || std::fs::read_dir(sandbox.folder.path().join("tmp")).unwrap().flatten().map(|entry| entry.path());
    let mut terminal = python(&sandbox);
    // Asked what it is, this terminal says nothing.
    terminal.says(PICTURE, "image of 70 B in ");
    let file = terminal.sees("image-1.png");
    assert!(file.contains(&*sandbox.folder.path().to_string_lossy()), "{file}");
    terminal.sees("`%save --image FILE` keeps it");
    let written: Vec<_> = folder().map(|path| path.join("image-1.png")).filter(|path| path.is_file()).collect();
    assert_eq!(written.len(), 1);
    let bytes = std::fs::read(&written[0]).unwrap();
    terminal.says("%save --image kept.png", "the image written to kept.png");
    terminal.line("%quit");
    terminal.ends();
    assert_eq!(folder().count(), 0, "nothing is left of it");
    assert_eq!(std::fs::read(sandbox.path().join("kept.png")).unwrap(), bytes);
}

#[test]
fn an_image_is_shown_as_the_terminal_takes_it() {
    let sandbox = Sandbox::new();
    let arguments = ["repl", "--isolation", "in-process"];
    let mut terminal = Terminal::open(&sandbox, &arguments, &[("TERM", "xterm-kitty"), ("KITTY_WINDOW_ID", "1")]);
    terminal.says(PICTURE, "\x1b_Gf=100,a=T,q=2,m=0;iVBOR");
    let mut terminal = Terminal::open(&sandbox, &arguments, &[("TERM_PROGRAM", "iTerm.app")]);
    terminal.says(PICTURE, "\x1b]1337;File=inline=1;size=70;preserveAspectRatio=1:iVBOR");
    terminal.sees("\x07");
    // One that says that it has sixels, when it is asked what it is.
    let mut terminal = python(&sandbox);
    terminal.says(PICTURE, "\x1b[c");
    terminal.keys("\x1b[?62;4;22c");
    terminal.sees("\x1bP");
    let sixels = terminal.sees("\x1b\\");
    assert!(sixels.contains('q'), "{sixels:?}");
    terminal.says("'still ' + 'there'", "'still there'");
}

#[test]
fn languages_share_their_variables() {
    let sandbox = Sandbox::new();
    let mut terminal = python(&sandbox);
    terminal.line("prices = [1.5, 2.5]");
    terminal.line("%js let doubled = prices.map(price => price * 2000)");
    terminal.says("sum(doubled)", "8000");
    terminal.line("%rhai\rlet more = 34;");
    terminal.line("");
    terminal.says("more + 4300", "4334\r\n");
    let table = terminal.says("%vars", "prices");
    assert!(table.contains("language") && table.contains("javascript") && table.contains("rhai"), "{table}");
    terminal.says("%lang js", "js> ");
    terminal.says("`${doubled.length} doubled`", "2 doubled");
    terminal.says("%save all.py", "6 cells written");
    let saved = std::fs::read_to_string(sandbox.path().join("all.py")).unwrap();
    assert!(saved.contains("%javascript\nlet doubled"), "{saved}");
    terminal.says("%lang cobol", "`cobol` is not a language");
    // All of them are copied, and kept, as one.
    terminal.says("%fork both", "this is both, a copy of python");
    terminal.says("`${doubled.length + 70} in the copy`", "72 in the copy");
    terminal.line("%py doubled.append(1)");
    terminal.says("%session python", "this is session python");
    terminal.says("len(doubled) + 1100", "1102");
    terminal.says("%session both", "this is session both");
    terminal.says("len(doubled) + 1200", "1203");
}

#[test]
fn a_state_in_several_languages_is_gone_on_with() {
    if !tiers().contains(&Isolation::Worker) {
        return;
    }
    let sandbox = Sandbox::new();
    let mut terminal = Terminal::open(&sandbox, &["repl"], &[]);
    terminal.line("prices = [1.5, 2.5]");
    terminal.line("%js let doubled = prices.map(price => price * 2000); function more(n) { return n + 7 }");
    terminal.says("%save --state work.state", "the state written to work.state");
    terminal.line("%quit");
    terminal.ends();
    let mut terminal = Terminal::open(&sandbox, &["repl"], &[]);
    terminal.says("%load work.state", "as it was saved");
    terminal.says("sum(doubled) + sum(prices)", "8004");
    terminal.says("%js more(doubled[0])", "3007");
    // What is no state is refused.
    let bytes = std::fs::read(sandbox.path().join("work.state")).unwrap();
    std::fs::write(sandbox.path().join("short.state"), &bytes[..bytes.len() / 2]).unwrap();
    terminal.says("%load short.state", "this is no saved session");
}

#[test]
fn files_that_are_wrong_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("folder/x", "");
    std::fs::write(sandbox.path().join("bytes.py"), [0xff, 0xfe, 0]).unwrap();
    let mut terminal = python(&sandbox);
    for command in ["%run", "%load"] {
        terminal.says(command, &format!("use it as `{command} FILE`"));
        terminal.says(&format!("{command} a b"), &format!("use it as `{command} FILE`"));
        terminal.says(&format!("{command} nowhere.py"), "cannot read nowhere.py: there is no such file");
        terminal.says(&format!("{command} folder"), "cannot read folder: it is a folder");
        terminal.says(&format!("{command} /dev/zero"), "is no regular file");
    }
    terminal.says("%run bytes.py", "is not UTF-8 text");
    terminal.says("%load bytes.py", "this is no exported session");
    terminal.says("1 + 1000", "1001");
    terminal.says("%save nowhere/x.py", "cannot write nowhere/x.py: there is no such file or folder");
    terminal.says("%save --no x", "use it as `%save [--state | --image] FILE`");
    terminal.says("%save --image x", "no value has been an image yet");
}

#[test]
fn what_is_long_goes_to_the_pager() {
    let sandbox = Sandbox::new();
    let pager = sandbox.write("pager.sh", "#!/bin/sh\necho \"paged: $(wc -l) lines\"\n");
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(&pager, std::fs::Permissions::from_mode(0o755)).unwrap();
    let arguments = ["repl", "--isolation", "in-process"];
    let named = pager.display().to_string();
    let mut terminal = Terminal::open(&sandbox, &arguments, &[("PAGER", &named)]);
    terminal.says("list(range(3000))", "(%all to see everything)");
    terminal.says("%all", "paged: ");
    terminal.says("%who", "no variables yet");
    // One that is not there is no reason to show nothing.
    let mut terminal = Terminal::open(&sandbox, &arguments, &[("PAGER", "no-such-pager --at-all")]);
    terminal.says("list(range(3000))", "(%all to see everything)");
    terminal.says("%all", "2999\r\n]");
}
