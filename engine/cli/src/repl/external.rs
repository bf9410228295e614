//! Programs of the person: the editor and the pager.

#![expect(clippy::disallowed_methods, reason = "a person's own editor and pager, which the environment names")]

use crate::surroundings::Surroundings;
use skills::{Error, ErrorKind};
use std::io::Write as _;
use std::process::{Command, Stdio};

/// Lets the person change a text in an editor, and gives what was saved.
pub(crate) fn edit(surroundings: &Surroundings, text: &str, extension: &str) -> Result<String, Error> {
    let named =
        ["VISUAL", "EDITOR"].into_iter().find_map(|name| surroundings.var(name).filter(|value| !value.is_empty()));
    let editor = named.unwrap_or_else(|| "vi".to_owned());
    let failed = |why: String| Error::new(ErrorKind::Unavailable, format!("cannot edit with `{editor}`: {why}"));
    let mut file = tempfile::Builder::new()
        .prefix("cell-")
        .suffix(&format!(".{extension}"))
        .tempfile()
        .map_err(|error| failed(error.to_string()))?;
    let text = if text.is_empty() { String::new() } else { format!("{}\n", text.trim_end()) };
    file.write_all(text.as_bytes()).and_then(|()| file.flush()).map_err(|error| failed(error.to_string()))?;
    let mut command = words(&editor).ok_or_else(|| failed("it is no command".to_owned()))?;
    let status = command
        .arg(file.path())
        .status()
        .map_err(|error| failed(error.to_string()).with_help("set $EDITOR to the editor that you like"))?;
    if !status.success() {
        return Err(failed(format!("it ended with {status}")));
    }
    std::fs::read_to_string(file.path()).map_err(|error| failed(error.to_string()))
}

/// Shows a text in the person's pager, else in `less`; `false` where there is none.
pub(crate) fn page(surroundings: &Surroundings, text: &str) -> bool {
    let named = surroundings.var("PAGER").filter(|pager| !pager.is_empty());
    let Some(mut command) = words(named.as_deref().unwrap_or("less")) else { return false };
    if surroundings.var("LESS").is_none() {
        // Colours as they are, nothing for what fits on the screen, and what was read stays there.
        command.env("LESS", "-RFX");
    }
    let Ok(mut child) = command.stdin(Stdio::piped()).spawn() else { return false };
    if let Some(mut input) = child.stdin.take() {
        // Who has read enough closes it.
        drop(input.write_all(text.as_bytes()).and_then(|()| input.write_all(b"\n")));
    }
    child.wait().is_ok_and(|status| status.code() != Some(127))
}

fn words(line: &str) -> Option<Command> {
    let words = shell_words::split(line).ok()?;
    let (program, arguments) = words.split_first()?;
    let mut command = Command::new(program);
    command.args(arguments);
    Some(command)
}
