use crate::args::{Cli, Completions};
use crate::exit::Stop;
use crate::render;
use clap::CommandFactory as _;
use serde_json::json;

/// Prints the completion script of a shell.
pub(crate) fn completions(args: &Completions) -> Result<(), Stop> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "skills", &mut script);
    let script = String::from_utf8_lossy(&script);
    if args.json.json {
        render::json(&json!({"shell": args.shell.to_string(), "script": script}))?;
    } else {
        render::text(script.trim_end())?;
    }
    Ok(())
}
