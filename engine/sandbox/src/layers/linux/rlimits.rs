//! Limits of the kernel on one process.

use super::fault::{Attempt, Fault};
use crate::LayerName::Rlimits;
use crate::{Cage, Kind};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files at once. What pipes and sockets hold is the kernel's memory, which no limit of a process counts.
const FILES: u64 = 512;
/// What an interpreter may reserve beside its memory until it is ready: stacks, arenas of the C library.
const RESERVED: u64 = 512 << 20;

/// Holds the process, and what it starts, to the limits of the cage.
pub(super) fn hold(cage: &Cage) -> Result<(), Fault> {
    let set = |resource, amount| lower(resource, amount);
    set(Resource::Core, 0)?;
    set(Resource::Nofile, FILES)?;
    set(Resource::Memlock, 1 << 20)?;
    set(Resource::Msgqueue, 0)?;
    set(Resource::Nice, 0)?;
    set(Resource::Rtprio, 0)?;
    if let Some(bytes) = cage.file_size {
        set(Resource::Fsize, bytes)?;
        if cage.kind == Kind::Interpreter {
            // The signal would end the interpreter; ignored, the write fails with an error that a script can name.
            // SAFETY: to ignore a signal installs no handler, and the process has one thread.
            unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
        }
    }
    if let Some(seconds) = cage.cpu_seconds {
        set(Resource::Cpu, seconds)?;
    }
    if let Some(count) = cage.processes {
        set(Resource::Nproc, count)?;
    }
    if let Some(memory) = cage.memory {
        // A tenth and 8 MiB above the limit: the interpreter's own cap, and the watch on the tree, come first and say more.
        let memory = memory.saturating_add(memory / 10).saturating_add(8 << 20);
        match cage.kind {
            Kind::Program => set(Resource::Data, memory)?,
            Kind::Interpreter => {
                let (space, data) = held();
                set(Resource::Data, memory.saturating_add(data).saturating_add(RESERVED))?;
                set(Resource::As, memory.saturating_add(space).saturating_add(RESERVED))?;
            }
        }
    }
    Ok(())
}

/// Holds an interpreter that is ready to so much memory above what it has by now.
pub fn settle(memory: u64) {
    // Above the limit, as before; threads that are still to come have their stacks in there as well.
    let memory = memory.saturating_add(memory / 10).saturating_add(12 << 20);
    let (space, data) = held();
    if data == 0 {
        return;
    }
    // What cannot be lowered is held to what it was.
    let _ = lower(Resource::Data, memory.saturating_add(data));
    let _ = lower(Resource::As, memory.saturating_add(space).saturating_add(64 << 20));
}

/// Address space and data that the process has by now, in bytes.
fn held() -> (u64, u64) {
    let mut buffer = [0u8; 256];
    let read = rustix::fs::open("/proc/self/statm", rustix::fs::OFlags::RDONLY, rustix::fs::Mode::empty())
        .and_then(|file| rustix::io::read(&file, &mut buffer))
        .unwrap_or(0);
    let text = String::from_utf8_lossy(&buffer[..read]);
    let page = rustix::param::page_size() as u64;
    let mut fields = text.split_ascii_whitespace().map(|field| field.parse::<u64>().unwrap_or(0).saturating_mul(page));
    let (space, data) = (fields.next().unwrap_or(0), fields.nth(4).unwrap_or(0));
    (space, data)
}

/// Sets both limits, or leaves what is stricter already.
fn lower(resource: Resource, amount: u64) -> Result<(), Fault> {
    let held = getrlimit(resource);
    let hard = held.maximum.map_or(amount, |most| most.min(amount));
    let soft = held.current.map_or(hard, |now| now.min(hard));
    setrlimit(resource, Rlimit { current: Some(soft), maximum: Some(hard) })
        .attempt(Rlimits, format_args!("holding {resource:?} to {amount}"))
}
