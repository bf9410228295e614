//! System calls: a list of those that are allowed, compiled once and put on last.

pub(super) mod asked;
mod calls;
mod program;

use super::fault::{Attempt, Fault};
use crate::LayerName::Seccomp;
use crate::{Cage, Kind, Programs};
use seccompiler::BpfProgram;

/// The filters, compiled: one for each way of starting programs.
#[derive(Debug)]
pub(super) struct Filters {
    threads: Filter,
    itself: Filter,
    processes: Filter,
    copies: Filter,
}

/// One compiled filter.
#[derive(Debug, Clone)]
pub(in super::super) struct Filter(BpfProgram);

/// What a process may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Starts {
    /// Threads.
    Threads,
    /// Threads, and it may become another program.
    Itself,
    /// Threads and processes.
    Processes,
    /// Threads, and copies of itself where another filter lets it.
    Copies,
}

impl Filters {
    pub(super) fn compile() -> Result<Filters, Fault> {
        let compile = |starts| program::compile(calls::allowed(starts), calls::conditional(starts)?).map(Filter);
        Ok(Filters {
            threads: compile(Starts::Threads)?,
            itself: compile(Starts::Itself)?,
            processes: compile(Starts::Processes)?,
            copies: compile(Starts::Copies)?,
        })
    }

    /// Puts the one of a cage on.
    pub(super) fn apply(&self, cage: &Cage) -> Result<(), Fault> {
        match (&cage.programs, cage.kind) {
            (Programs::None, Kind::Interpreter) => self.threads.apply(),
            _ => self.processes.apply(),
        }
    }

    /// Those of a family: for who may start threads only, and for who may be copied.
    pub(super) fn of_family(&self) -> (Filter, Filter) {
        (self.threads.clone(), self.copies.clone())
    }

    /// What comes on top of it just before a program is executed that may start no other.
    pub(super) fn alone(&self, cage: &Cage) -> Option<Filter> {
        (cage.programs == Programs::None && cage.kind == Kind::Program).then(|| self.itself.clone())
    }
}

impl Filter {
    pub(in super::super) fn apply(&self) -> Result<(), Fault> {
        seccompiler::apply_filter(&self.0).attempt(Seccomp, "putting the filter on")
    }
}
