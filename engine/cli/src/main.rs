//! The `skills` command.

mod args;
mod commands;
mod context;
mod exit;
mod host;
mod permissions;
mod prompt;
mod render;
mod repl;
mod secrets;
mod surroundings;
mod words;

use std::process::ExitCode;

/// Counts what Rhai scripts hold, so that their memory limit is exact.
#[global_allocator]
static ALLOCATOR: skills::CountingAllocator = skills::CountingAllocator;

fn main() -> ExitCode {
    skills::worker_main();
    if let Some(code) = host::entry() {
        return code;
    }
    exit::report(args::parse(std::env::args_os()).and_then(commands::dispatch))
}
