//! The commands of the REPL, which begin with `%`.

mod cells;
mod draw;
mod help;
mod measure;
mod names;
mod sessions;
mod skill;

pub(crate) use names::about;

use super::{Flow, Repl};
use crate::exit::Stop;
use skills::{Error, ErrorKind};

/// What a command's argument is, for completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Argument {
    /// It has none that could be completed.
    Nothing,
    /// Code of the session's language.
    Code,
    /// A file.
    File,
    /// A name of the session.
    Name,
    /// A command of the REPL.
    Command,
    /// A language.
    Language,
    /// A skill.
    Skill,
    /// A limit.
    Limit,
    /// Which keys the editor has.
    Keys,
}

/// A command.
pub(crate) struct Command {
    /// Its name, without `%`.
    pub(crate) name: &'static str,
    /// How it is used, behind its name.
    usage: &'static str,
    /// What it does, in one line.
    about: &'static str,
    /// More about it, with examples.
    more: &'static str,
    /// What its argument is.
    pub(crate) argument: Argument,
    /// Its options.
    pub(crate) options: &'static [&'static str],
    /// Whether its argument is code, which may have several lines.
    pub(crate) takes_code: bool,
    run: fn(&mut Repl, &str) -> Result<Flow, Stop>,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Command").field(&self.name).finish()
    }
}

const fn command(
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    run: fn(&mut Repl, &str) -> Result<Flow, Stop>,
) -> Command {
    let (argument, options) = (Argument::Nothing, &[]);
    Command { name, usage, about, more: "", argument, options, takes_code: false, run }
}

/// Every command, as `%help` lists them.
pub(crate) static COMMANDS: &[Command] = &[
    Command {
        argument: Argument::Command,
        more: "%help          what there is\n%help plot     about one of them",
        ..command("help", "[COMMAND]", "list the commands, or explain one", help::help)
    },
    Command {
        argument: Argument::Name,
        more: "%doc json.dumps     what it is, and how it is called\n?json.dumps         the same, and so does `json.dumps?`\njson.dumps??        with the source, as `??json.dumps` does",
        ..command("doc", "NAME", "show what a name is: value, signature, documentation", names::doc)
    },
    Command {
        argument: Argument::Name,
        more: "%vars df      only names that hold `df`",
        ..command("vars", "[TEXT]", "list the variables with their types, values and sizes", names::vars)
    },
    Command {
        argument: Argument::Name,
        more: "%who         every name that does not begin with `_`\n%who df      only names that hold `df`",
        ..command("who", "[TEXT]", "list the names of the variables only", names::who)
    },
    Command {
        argument: Argument::Code,
        takes_code: true,
        more: "%time                 show time and memory after every cell, or not any more\n%time sum(range(10))  evaluate once, and say how long it took",
        ..command("time", "[CODE]", "measure a cell; alone, measure every cell from now on or not", measure::time)
    },
    Command {
        argument: Argument::Code,
        takes_code: true,
        options: &["-n"],
        more: "%timeit sorted(data)\n%timeit -n 100 sorted(data)   this many times",
        ..command("timeit", "[-n TIMES] CODE", "evaluate many times, and say how long one takes", measure::timeit)
    },
    Command {
        argument: Argument::Code,
        takes_code: true,
        options: &["--hist", "--bar", "--points"],
        more: "%plot [1, 4, 9]             numbers, a list of pairs, {label: number}, {name: [numbers]}\n%plot rows                  a list of objects: its columns of numbers; what is missing is a gap\n%plot --hist ages           how many fall into which range; --hist=20 for twenty ranges\n%plot --bar counts          a bar for each\n%plot --points pairs        points without lines",
        ..command("plot", "[--hist[=N] | --bar | --points] CODE", "draw a value in the terminal", draw::plot)
    },
    Command {
        more: "list(range(5000))   is cut\n%all                shows the rest, in $PAGER; of a table, the value as its language writes it",
        ..command("all", "", "show all of the last value, where it was cut", names::all)
    },
    Command {
        argument: Argument::Limit,
        more: "%limits                          what a cell may use, what the last one and all of them used, what is left\n%limits time=10s memory=64MB     for the cells that follow\n%limits time=default             as it was\nLimits: time, wall, memory, operations, output, result, recursion, host_calls.",
        ..command("limits", "[NAME=AMOUNT]...", "show the limits, or set them", measure::limits)
    },
    Command {
        argument: Argument::Language,
        more: "%lang js                     cells are JavaScript from now on\n%js [1, 2].map(x => x * 2)   one cell only; %py, %ts, %rhai and %bash too\nA variable that is assigned in one language is there in the others.",
        ..command("lang", "[LANGUAGE]", "show the language of cells, or change it", sessions::lang)
    },
    Command {
        argument: Argument::Skill,
        more: "%skill calculator operation=add operand1=5 operand2=3",
        ..command("skill", "NAME [PARAMETER]...", "run a skill", skill::skill)
    },
    Command {
        argument: Argument::File,
        more: "%run setup.py     what it defines is there then\n%run chart.js     in the language of its name",
        ..command("run", "FILE", "evaluate a file in this session", cells::run)
    },
    Command {
        argument: Argument::Name,
        more: "%edit        the last cell\n%edit 3      cell 3 of %history\n%edit area   the function or class of that name\nThe editor is $VISUAL or $EDITOR. What is saved is evaluated; an empty file changes nothing.",
        ..command("edit", "[CELL | NAME]", "change a cell or a function in your editor", cells::edit)
    },
    Command {
        more: "%history        the cells of this session, numbered\n%history sum    earlier lines that hold `sum`, of other sessions too\nCtrl-R searches while you type.",
        ..command("history", "[TEXT]", "list the cells of this session, or search earlier ones", cells::history)
    },
    Command {
        argument: Argument::File,
        options: &["--state", "--image"],
        more: "%save work.py             the cells, as a script\n%save --state work.state  everything that is alive, to go on with another day\n%save --image plot.png    the last value that was an image",
        ..command("save", "[--state | --image] FILE", "write the cells, the state or an image to a file", cells::save)
    },
    Command {
        argument: Argument::File,
        more: "%load work.py      as if its cells were typed\n%load work.state   a state of `%save --state`, in a session of its own",
        ..command("load", "FILE", "evaluate the cells of a file, or go on from a saved state", cells::load)
    },
    Command {
        more: "%session           about this one\n%session list      all that there are\n%session NAME      go on in another, which is opened where there is none",
        ..command("session", "[list | NAME]", "show this session, list them, or go to another", sessions::session)
    },
    Command {
        more: "%fork try     The copy has everything that is alive here, in all languages; this session stays as it is.",
        ..command("fork", "NAME", "go on in a copy of this session", sessions::fork)
    },
    Command {
        argument: Argument::Keys,
        more: "%keys         which they are\n%keys vi      until you leave\nFor good: `set editing-mode vi` in ~/.inputrc, or in the file that $INPUTRC names; `--vi` and `--emacs` for once.",
        ..command("keys", "[vi | emacs]", "show the keys of the editor, or change them", sessions::keys)
    },
    Command {
        more: "%reset     The session is a new one, with what its skill defines.",
        ..command("reset", "", "forget everything, and begin again", sessions::reset)
    },
    Command {
        more: "%quit      A session of `--session NAME` goes on without you.",
        ..command("quit", "", "leave (Ctrl-D does too)", sessions::quit)
    },
];

/// Other names of commands.
const ALIASES: [(&str, &str); 4] = [("exit", "quit"), ("q", "quit"), ("whos", "vars"), ("pdoc", "doc")];

/// The command of a name.
pub(crate) fn find(name: &str) -> Option<&'static Command> {
    let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, name)| name);
    COMMANDS.iter().find(|command| command.name == name)
}

/// The code behind the options of a command.
pub(crate) fn code_of(rest: &str) -> &str {
    let mut rest = rest.trim_start();
    while rest.starts_with('-') {
        let (option, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let known = COMMANDS.iter().flat_map(|command| command.options);
        if !known.into_iter().any(|name| option.split('=').next() == Some(*name)) {
            return rest;
        }
        let after = after.trim_start();
        // The one option whose value stands apart.
        rest = if option == "-n" { after.split_once(char::is_whitespace).map_or("", |(_, rest)| rest) } else { after };
    }
    rest
}

/// Does what a command says.
pub(crate) fn run(repl: &mut Repl, name: &str, rest: &str) -> Result<Flow, Stop> {
    match find(name) {
        Some(command) => (command.run)(repl, rest),
        None => Err(unknown(name).into()),
    }
}

/// No such command; the one that was probably meant.
fn unknown(name: &str) -> Error {
    let error = Error::new(ErrorKind::InvalidArguments, format!("there is no command `%{name}`"));
    let near = |known: &&str| strsim::jaro_winkler(known, name);
    let names = COMMANDS.iter().map(|command| command.name).chain(["py", "js", "ts", "rhai", "bash"]);
    let best = names.map(|known| (near(&known), known)).max_by(|a, b| a.0.total_cmp(&b.0));
    match best {
        Some((likeness, known)) if likeness > 0.75 => error.with_help(format!("did you mean `%{known}`?")),
        _ => error.with_help("`%help` lists them"),
    }
}

/// Wrong use of a command.
fn usage(name: &str) -> Error {
    let usage = find(name).map_or("", |command| command.usage);
    Error::new(ErrorKind::InvalidArguments, format!("use it as `{}`", format!("%{name} {usage}").trim_end()))
        .with_help(format!("`%help {name}` says more"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_command_suggests_the_nearest() {
        assert_eq!(unknown("hlep").help(), Some("did you mean `%help`?"));
        assert_eq!(unknown("timit").help(), Some("did you mean `%timeit`?"));
        assert_eq!(unknown("xyz").help(), Some("`%help` lists them"));
        assert!(find("exit").is_some_and(|command| command.name == "quit"));
    }

    #[test]
    fn every_command_shows_how_it_is_used() {
        for command in COMMANDS {
            assert!(command.more.contains(&format!("%{}", command.name)), "{command:?}");
        }
    }

    #[test]
    fn options_stand_before_code() {
        assert_eq!(code_of("--hist=20 [-1, 2]"), "[-1, 2]");
        assert_eq!(code_of("-n 100 f()"), "f()");
        assert_eq!(code_of("-x + 1"), "-x + 1");
        assert_eq!(code_of("--bar"), "");
    }
}
