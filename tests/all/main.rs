//! Black-box tests of the whole: the library as a host uses it, and the command as a person uses it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod boundaries;
mod bundled;
mod calls;
mod cases;
mod command;
mod commands;
mod conformance;
#[cfg(target_os = "linux")]
mod containers;
mod decisions;
mod definitions;
mod edges;
mod failures;
mod functions;
#[cfg(target_os = "linux")]
mod hostile;
mod imports;
mod imports_javascript;
mod imports_refused;
mod imports_rhai;
mod library;
mod limit_status;
mod policy;
mod repl_commands;
mod repl_piped;
mod repl_sessions;
mod repl_typing;
mod secrets;
mod seeds;
mod session_workers;
mod sessions_bash;
#[cfg(target_os = "linux")]
mod sessions_clients;
#[cfg(target_os = "linux")]
mod sessions_disk;
#[cfg(target_os = "linux")]
mod sessions_host;
#[cfg(target_os = "linux")]
mod sessions_kills;
mod sessions_library;
mod sessions_programs;
mod sessions_reach;
#[cfg(target_os = "linux")]
mod sessions_waiting;
mod sources;
mod support;
mod terminal;
mod trust;
mod workers;

/// As in the command: Rhai's memory limit needs it.
#[global_allocator]
static ALLOCATOR: skills::CountingAllocator = skills::CountingAllocator;
