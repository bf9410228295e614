//! What scripts change of the process: the working directory and the environment variables.
//!
//! CPython's audit events say so before it happens. What was there is noted then, with the run that is about to change
//! it, and comes back when the last run that changed it ends.
//!
//! A thread that does one session's work only has a working directory of its own ([`settle`]): nobody else sees what becomes of it.

use crate::run::Run;
use std::cell::Cell;
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

static TOUCHED: Mutex<Touched> = Mutex::new(Touched { folder: None, variables: Vec::new() });

thread_local! {
    /// Whether the working directory of this thread is its own.
    static SETTLED: Cell<bool> = const { Cell::new(false) };
}

/// Gives this thread a working directory of its own, and the threads that it starts, where it is not in that one anyway.
#[cfg(target_os = "linux")]
pub(crate) fn settle(folder: &Path) -> io::Result<()> {
    let path = CString::new(folder.as_os_str().as_bytes())?;
    if file_id(c".").is_some_and(|here| file_id(&path) == Some(here)) {
        return Ok(());
    }
    // SAFETY: the thread stops sharing its working directory, root and umask, and nothing else; the path ends in NUL.
    let moved = unsafe { libc::unshare(libc::CLONE_FS) == 0 && libc::chdir(path.as_ptr()) == 0 };
    if !moved {
        return Err(io::Error::last_os_error());
    }
    SETTLED.set(true);
    Ok(())
}

/// Which file a path leads to.
#[cfg(target_os = "linux")]
fn file_id(path: &CStr) -> Option<(u64, u64)> {
    let mut found = std::mem::MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: the path ends in NUL; what is written fits, and zeros are a `stat` too.
    let found = unsafe { (libc::stat(path.as_ptr(), found.as_mut_ptr()) == 0).then(|| found.assume_init()) };
    found.map(|found| (found.st_dev, found.st_ino))
}

/// No other system has that.
#[cfg(not(target_os = "linux"))]
pub(crate) fn settle(_folder: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

struct Touched {
    folder: Option<(OwnedFd, Vec<usize>)>,
    variables: Vec<Variable>,
}

struct Variable {
    name: CString,
    before: Option<CString>,
    runs: Vec<usize>,
}

fn touched() -> MutexGuard<'static, Touched> {
    TOUCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn id(run: &Arc<Run>) -> usize {
    Arc::as_ptr(run) as usize
}

fn join(runs: &mut Vec<usize>, run: usize) {
    if !runs.contains(&run) {
        runs.push(run);
    }
}

/// Takes a run off those that changed something; whether it was the last of them.
fn leave(runs: &mut Vec<usize>, run: usize) -> bool {
    runs.retain(|other| *other != run);
    runs.is_empty()
}

/// Notes that a run is about to change the working directory. False where the present one cannot be remembered.
pub(crate) fn before_chdir(run: &Arc<Run>) -> bool {
    if SETTLED.get() {
        return true;
    }
    let mut touched = touched();
    if touched.folder.is_none() {
        let Some(folder) = here() else { return false };
        touched.folder = Some((folder, Vec::new()));
    }
    if let Some((_, runs)) = &mut touched.folder {
        join(runs, id(run));
    }
    run.touched.store(true, Ordering::Relaxed);
    true
}

/// Notes that a run is about to change an environment variable.
pub(crate) fn before_putenv(run: &Arc<Run>, name: &CStr) {
    let mut touched = touched();
    if let Some(variable) = touched.variables.iter_mut().find(|variable| *variable.name == *name) {
        join(&mut variable.runs, id(run));
    } else {
        let variable = Variable { name: name.to_owned(), before: value(name), runs: vec![id(run)] };
        touched.variables.push(variable);
    }
    run.touched.store(true, Ordering::Relaxed);
}

/// Puts back what a run, and none that still goes on, has changed. Whether the time zone was among it.
pub(crate) fn restore(run: &Arc<Run>) -> bool {
    if !run.touched.swap(false, Ordering::Relaxed) {
        return false;
    }
    let mut touched = touched();
    if let Some((folder, _)) = touched.folder.take_if(|(_, runs)| leave(runs, id(run))) {
        // SAFETY: the folder is open. Where it is gone since then, there is nothing to return to.
        unsafe { libc::fchdir(folder.as_raw_fd()) };
    }
    let mut zone = false;
    for variable in touched.variables.extract_if(.., |variable| leave(&mut variable.runs, id(run))) {
        zone |= *variable.name == *c"TZ";
        set(&variable.name, variable.before.as_deref());
    }
    zone
}

/// Where a session's cells are, and the variables that they set, while none of them runs.
#[derive(Default)]
pub(crate) struct Place {
    folder: Option<OwnedFd>,
    variables: Vec<(CString, Option<CString>)>,
}

/// What a run has changed, as it is now.
pub(crate) fn place(run: &Arc<Run>) -> Place {
    if !run.touched.load(Ordering::Relaxed) {
        return Place::default();
    }
    let touched = touched();
    let moved = touched.folder.as_ref().is_some_and(|(_, runs)| runs.contains(&id(run)));
    let own = touched.variables.iter().filter(|variable| variable.runs.contains(&id(run)));
    Place {
        folder: moved.then(here).flatten(),
        variables: own.map(|variable| (variable.name.clone(), value(&variable.name))).collect(),
    }
}

impl Place {
    /// Makes it so again, on account of a run. Whether the time zone is among it.
    pub(crate) fn resume(&self, run: &Arc<Run>) -> bool {
        if let Some(folder) = &self.folder
            && before_chdir(run)
        {
            // SAFETY: the folder is open. Where it is gone since then, the session stays where the process is.
            unsafe { libc::fchdir(folder.as_raw_fd()) };
        }
        for (name, value) in &self.variables {
            before_putenv(run, name);
            set(name, value.as_deref());
        }
        self.variables.iter().any(|(name, _)| **name == *c"TZ")
    }
}

/// The working directory, to return to.
fn here() -> Option<OwnedFd> {
    let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;
    // SAFETY: the path ends in NUL.
    let folder = unsafe { libc::open(c".".as_ptr(), flags) };
    // SAFETY: opened just now, and nobody else's.
    (folder >= 0).then(|| unsafe { OwnedFd::from_raw_fd(folder) })
}

fn value(name: &CStr) -> Option<CString> {
    // SAFETY: the name ends in NUL; the value is copied at once. A thread that changes the environment at this moment
    // would race with the script's own change as well.
    unsafe {
        let value = libc::getenv(name.as_ptr());
        (!value.is_null()).then(|| CStr::from_ptr(value).to_owned())
    }
}

fn set(name: &CStr, value: Option<&CStr>) {
    // SAFETY: the texts end in NUL, and are copied.
    unsafe {
        match value {
            Some(value) => libc::setenv(name.as_ptr(), value.as_ptr(), 1),
            None => libc::unsetenv(name.as_ptr()),
        }
    };
}
