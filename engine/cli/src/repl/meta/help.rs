//! `%help`.

use super::{COMMANDS, find, unknown};
use crate::exit::Stop;
use crate::repl::{Flow, Repl, pager};
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
        let head = format!("%{} {usage}", command.name);
        text.push_str(&format!("{} {}\n", repl.screen.styled(strong, &format!("{head:<24}")), command.about));
    }
    let more = [
        ("%py %js %ts %rhai", "begin a cell in that language"),
        ("?NAME  NAME?", "what a name is; ?? with the source"),
        ("_", "the last value"),
        ("Tab", "complete; Ctrl-R search the history; Alt-Enter a new line; Ctrl-C interrupt; Ctrl-D leave"),
    ];
    for (head, about) in more {
        text.push_str(&format!("{} {about}\n", repl.screen.styled(strong, &format!("{head:<24}"))));
    }
    pager::show(repl, text.trim_end())?;
    Ok(Flow::On)
}
