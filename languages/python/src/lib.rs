//! Python for the skills engine: CPython, embedded.
//!
//! [`CPython`] implements [`Interpreter`]. Making one starts nothing; the process's one CPython starts when the first
//! session opens, isolated: it reads no environment variable, no user folder, and installs no signal handler. Its
//! standard library is found beside the libpython that is loaded, or where it was at build time.
//!
//! # What a script sees
//! - `params`, the parameters as a dict; `skill`, the host's functions (`import skill` works too); those that the host
//!   made global.
//! - `__name__` is `"__main__"`, so that a plain program works as it is. Only where the script defines `run` at its top
//!   level it is `"__skill__"`: then `run` is called with the parameters by keyword, and a block under
//!   `if __name__ == "__main__":` for trying the file out by hand stays out of the way.
//! - Without `run` the value is that of the last expression. A coroutine is awaited, on a loop of its own.
//! - `sys.exit()` without an error ends the run with the value null, any other code is a `script_error`.
//! - Modules and packages beside the script, which the host gives ([`Host::module`]), can be imported, unless the standard
//!   library has the name; where the script's file is an absolute path, so can what else its folder has: compiled modules, and
//!   packages without `__init__.py`. They are loaded afresh for each run; two scripts of different folders that run at the same
//!   time must not use the same name for different modules.
//! - `sys.stdout` and `sys.stderr` reach the run of the thread that prints. Standard input is at its end.
//! - Failures of host functions are `skill.Error` with `kind`, `message` and `help`; `permission_denied` is a
//!   `PermissionError` as well, and a file's `not_found` a `FileNotFoundError`.
//!
//! # Limits
//! [`Interpreter::caps`] says what each is worth. Scripts share one CPython and the process, so this is for code that
//! is trusted; a time limit can't interrupt C code such as `10**10**8`. Operations are loop jumps and calls of the script's own
//! functions, counted only where they are limited. Memory is what CPython's allocators hand out during the run.
//! Threads that a script starts belong to its run and are stopped at its end, unless they wait in C code for ever.
//!
//! # What a run leaves to the next
//! After each run these are put back: the working directory, the environment variables and `os.environ`, `builtins`,
//! the attributes of `sys` and of all imported library modules (`json.dumps = ...`), `sys.modules`, `sys.path`,
//! `sys.meta_path`, the recursion limit, the garbage collector's being on, the warning filters, the root logger's level,
//! handlers and filters, `logging.disable`. `random` is seeded anew where a script seeded it. Context variables are a
//! run's own, and so is the context of `decimal`.
//!
//! Runs that overlap see each other's changes. A change is put back when all runs have ended that went on when it was
//! made, one of lists or of `random` when no run goes on.
//!
//! Not put back are
//! - changes inside the objects that a library module holds: methods of its classes, entries of its lists and dicts
//!   (registries of `codecs`, `copyreg`, `csv`, `atexit`; caches), `decimal.DefaultContext`, loggers other than the root;
//! - state that only C code holds: `locale.setlocale`, `socket.setdefaulttimeout`, `csv.field_size_limit`,
//!   `sys.set_int_max_str_digits`, thresholds and callbacks of `gc`, the generators of installed packages (`numpy.random`);
//! - what else belongs to the process: `os.umask`, `os.nice`, limits of `resource`, open files, child processes, and all
//!   that `ctypes` does;
//! - what finalizers of garbage that is collected later do, and threads that could not be stopped;
//! - where the host program had started CPython itself: library modules, the working directory, the environment.
//!
//! Where that matters, run scripts in workers.
//!
//! # What a session keeps
//! Cells ([`Session::eval`]) share one namespace, that of a module which is `__main__` meanwhile. All that is listed above as put back is
//! a session's own: it is there for the next cell and for nobody else (two sessions that evaluate at the same time see each other's).
//! So are modules of the user, the context of `contextvars`, what `random` was seeded with, the loop of `asyncio` with its tasks, and the features of
//! `__future__`. Threads end with their cell. A cell that raises, is stopped or meets a limit keeps what it had done. Tracebacks and
//! `inspect.getsource` know the source of earlier cells.
//!
//! A snapshot holds the variables, functions and classes as they are, modules by name, `sys.path`, and the features of `__future__`. It
//! does not hold the rest of what a session changed of the process, its event loop, or the state of `random`. It is for the same version of
//! CPython, because it holds byte code.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests make their own files"))]

mod aside;
mod bridge;
mod call;
mod caps;
mod compile;
mod context;
mod errors;
mod fork;
mod from_python;
mod guard;
mod library;
mod live;
mod memory;
mod modules;
mod natives;
mod paths;
mod process;
mod run;
mod runtime;
mod session;
mod signature;
mod stopper;
mod streams;
mod tidy;
mod to_python;
mod trace;
mod watch;

#[cfg(test)]
mod tests;

use crate::runtime::Runtime;
use crate::session::PythonSession;
use skills_core::{CapStatus, Completeness, Failure, Fork, Host, Interpreter, Language, Script, Session, Signature};
use std::path::PathBuf;
use std::sync::Arc;

/// Embedded CPython.
///
/// All values of this type share the process's one CPython.
#[derive(Debug, Clone, Default)]
pub struct CPython;

impl CPython {
    /// An interpreter; nothing starts before its first session.
    pub fn new() -> CPython {
        CPython
    }
}

impl Interpreter for CPython {
    fn languages(&self) -> &[Language] {
        &[Language::Python]
    }

    fn open(&self, _host: &Arc<dyn Host>) -> Result<Box<dyn Session>, Failure> {
        Ok(Box::new(PythonSession::open(Runtime::start()?)))
    }

    fn signature(&self, script: &Script) -> Option<Signature> {
        signature::signature(script)
    }

    fn check(&self, script: &Script) -> Result<(), Failure> {
        compile::check(script)
    }

    fn completeness(&self, script: &Script) -> Completeness {
        live::completeness(script)
    }

    fn self_test(&self) -> Result<Vec<CapStatus>, Failure> {
        caps::self_test(self)
    }

    fn recursion(&self) -> Option<u64> {
        // CPython's own, which it always starts with.
        Some(1000)
    }

    fn caps(&self) -> Vec<CapStatus> {
        caps::known()
    }

    fn prepare_fork(&self) -> Result<(), Failure> {
        fork::prepare()
    }

    fn forking(&self, moment: Fork) {
        fork::moment(moment);
    }

    fn forks_sessions(&self) -> bool {
        true
    }

    fn in_fork(&self, work: Box<dyn FnOnce() + Send>) {
        // Without its thread there is no session, and the process ends.
        drop(fork::serve(work));
    }

    fn needs(&self) -> Vec<PathBuf> {
        paths::needs()
    }
}
