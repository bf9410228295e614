//! What a confined process can do and cannot, and that each layer is needed for it. Everything is tried by the caller's user and,
//! where that is root, by an ordinary one too.

#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "tests set up what is to be kept from a confined process, and say why they are skipped"
)]

mod calls;
mod files;
mod limits;
mod network;
mod off;
mod probes;
mod processes;
mod programs;
mod support;
