//! What it means that a worker ended before its answer.

use crate::zygote::{Ended, Reason, Status};
use skills_core::{Breach, Budget, ErrorKind, Failure, LimitName, signal_name};

/// The failure of a run whose worker ended. What the budget had said before outranks how it ended.
pub(crate) fn failure(ended: &Ended, budget: &Budget) -> Failure {
    if let Some(verdict) = budget.verdict() {
        return verdict.clone();
    }
    let limits = budget.limits();
    let breach = |name: LimitName, limit: Option<u64>, reading: u64| {
        let limit = limit.unwrap_or(reading);
        budget.breach(Breach { name, limit, reading: reading.max(limit) })
    };
    match ended.reason {
        Some(Reason::Memory) => {
            return breach(LimitName::Memory, limits.memory, ended.reading.unwrap_or(ended.peak_memory));
        }
        Some(Reason::Processes) => return breach(LimitName::Processes, limits.processes, ended.reading.unwrap_or(0)),
        _ => {}
    }
    if ended.reason == Some(Reason::Finished) && ended.status == Status::Signalled(libc::SIGKILL) {
        return crashed("the worker closed its connection without an answer".to_owned())
            .with_help("the script, or a library that it uses, closed files that are not its own");
    }
    // What a library does that gets no memory is to abort, and the kernel ends what takes too much of the machine's.
    let near = limits.memory.is_some_and(|limit| ended.peak_memory >= limit / 10 * 9);
    match ended.status {
        Status::Signalled(libc::SIGKILL | libc::SIGABRT | libc::SIGSEGV | libc::SIGBUS) if near => {
            breach(LimitName::Memory, limits.memory, ended.peak_memory)
        }
        // Processor time stands behind the deadline by the clock.
        Status::Signalled(libc::SIGXCPU) => breach(LimitName::Wall, limits.get(LimitName::Wall), 0),
        Status::Signalled(libc::SIGXFSZ) => breach(LimitName::FileSize, limits.file_size, 0),
        Status::Signalled(signal) => {
            let failure = crashed(format!("the worker was ended by {}", signal_name(signal)));
            match signal {
                libc::SIGKILL => failure.with_help("something outside ended it; the machine may be out of memory"),
                libc::SIGSYS => {
                    failure.with_help("the script, or a library that it uses, made a system call that is never allowed")
                }
                _ => failure.with_help("the script, or a library that it uses, broke the interpreter"),
            }
        }
        Status::Exited(code) => crashed(format!("the worker ended without an answer, with exit code {code}"))
            .with_help("the script, or a library that it uses, ended the process instead of returning"),
        Status::Lost => {
            crashed("the worker was lost, and the process that it came from with it".to_owned()).with_help("try again")
        }
    }
}

fn crashed(message: String) -> Failure {
    Failure::new(ErrorKind::Crashed, message)
}
