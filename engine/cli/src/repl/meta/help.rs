//! `%help`.

use super::{COMMANDS, find, unknown};
use crate::exit::Stop;
use crate::repl::{Flow, Repl, Screen, pager, reflow};
use clap::builder::styling::AnsiColor;

pub(super) fn help(repl: &mut Repl, rest: &str) -> Result<Flow, Stop> {
    let strong = AnsiColor::Cyan.on_default();
    if !rest.is_empty() {
        let name = rest.trim_start_matches('%');
        let command = find(name).ok_or_else(|| unknown(name))?;
        let head = repl.screen.styled(strong, &format!("%{} {}", command.name, command.usage));
        let mut text = format!("{}\n  {}", head.trim_end(), command.about);
        for line in command.more.lines() {
            text.push_str(&format!("\n  {line}"));
        }
        crate::render::text(&text)?;
        return Ok(Flow::On);
    }
    let mut text = String::new();
    for command in COMMANDS {
        let usage = match command.usage.split_once(" CODE") {
            // The options are for `%help NAME`.
            Some(_) => "CODE",
            None => command.usage,
        };
        text.push_str(&entry(repl.screen, &format!("%{} {usage}", command.name), command.about));
    }
    let more = [
        ("%py %js %ts %rhai %bash", "begin a cell in that language"),
        ("?NAME  NAME?", "what a name is; ?? with the source"),
        ("_", "the last value"),
        ("Tab", "complete; Ctrl-R search the history; Alt-Enter a new line; Ctrl-C interrupt; Ctrl-D leave"),
    ];
    for (head, about) in more {
        text.push_str(&entry(repl.screen, head, about));
    }
    pager::show(repl, text.trim_end())?;
    Ok(Flow::On)
}

/// The width of the column that says how a command is used.
const HEAD: usize = 24;

/// A terminal that is narrower has no room for two columns.
const NARROW: usize = 60;

/// How something is used, and what it does: beside that, else below.
fn entry(screen: Screen, head: &str, about: &str) -> String {
    let (columns, _) = screen.size();
    let indent = " ".repeat(if columns < NARROW { 4 } else { HEAD + 1 });
    let about =
        reflow::words(about, columns.saturating_sub(indent.len()).max(20)).replace('\n', &format!("\n{indent}"));
    let styled = screen.styled(AnsiColor::Cyan.on_default(), &format!("{head:<HEAD$}"));
    match columns < NARROW || head.len() > HEAD {
        true => format!("{}\n{indent}{about}\n", styled.trim_end()),
        false => format!("{styled} {about}\n"),
    }
}
