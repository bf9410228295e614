//! One run of one script: what its threads, its output, its host calls and its interruptions have in common.

use crate::live::Texts;
use crate::memory::{self, MemoryMeter, Metered};
use crate::modules::{Misses, Modules};
use crate::runtime::Runtime;
use crate::{stopper, trace};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict};
use skills_core::{Breach, Budget, Host, Interrupt, LimitName, Stream};
use std::cell::RefCell;
use std::ffi::c_ulong;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Output is handed on when a line ends, or when this many bytes wait.
const PENDING_OUTPUT: usize = 8 << 10;

/// How long threads that a run left behind are told to stop.
const PURSUIT: Duration = Duration::from_secs(5);

/// What the threads of one run share.
pub(crate) struct Run {
    pub(crate) host: Arc<dyn Host>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) memory: Arc<MemoryMeter>,
    /// Operations so far, where they are counted.
    pub(crate) operations: AtomicU64,
    /// Set when the script itself begins, so that nothing before it is counted.
    pub(crate) counting: AtomicBool,
    /// The script's file, as frames name it.
    pub(crate) file: Arc<str>,
    /// The folder whose modules the script may import, where its file is one.
    pub(crate) folder: Option<Arc<str>>,
    /// Whether the host said that the script may import nothing: not from that folder either.
    pub(crate) alone: AtomicBool,
    /// What the session evaluated so far, where it is one that lives.
    pub(crate) texts: Option<Arc<Texts>>,
    /// The modules that only the session knows, as it was when the run began.
    pub(crate) kept: Option<Py<PyDict>>,
    /// What the session's scripts have imported of their skill.
    pub(crate) modules: Arc<Modules>,
    /// What the run tried to import and is not there.
    pub(crate) misses: Misses,
    /// `skill.params`.
    pub(crate) params: Py<PyAny>,
    /// The members of `skill` that are the host's functions.
    pub(crate) members: Py<PyDict>,
    /// The thread that runs the script, as CPython numbers threads.
    thread: c_ulong,
    /// Set when the run is to be stopped; stays set.
    stop: AtomicBool,
    /// Whether a stop exception was raised in the run's thread, which may still be under way.
    raised: AtomicBool,
    /// Whether the script runs. Only changed with the GIL, so that no stop exception is raised after the run.
    active: AtomicBool,
    /// Whether the script changed the working directory or the environment.
    pub(crate) touched: AtomicBool,
    /// When the stop exception was first raised.
    stopped: Mutex<Option<Instant>>,
    ended: Mutex<Option<Instant>>,
    /// The threads that the script started and that are alive.
    threads: Mutex<Vec<c_ulong>>,
    pending: Mutex<Pending>,
    /// Wakes the asyncio loop that the run waits in.
    waker: Mutex<Option<Py<PyAny>>>,
    sleepers: Condvar,
}

/// What a run is given.
pub(crate) struct Scene {
    pub(crate) file: Arc<str>,
    pub(crate) folder: Option<Arc<str>>,
    pub(crate) params: Py<PyAny>,
    pub(crate) members: Py<PyDict>,
    /// What the run's memory is charged to: its own, or that of a session that lives.
    pub(crate) memory: Arc<MemoryMeter>,
    /// What a session that lives has evaluated.
    pub(crate) texts: Option<Arc<Texts>>,
    /// The modules that only the session knows, as it was when the run began.
    pub(crate) kept: Option<Py<PyDict>>,
    /// What the session's scripts have imported of their skill.
    pub(crate) modules: Arc<Modules>,
}

#[derive(Default)]
struct Pending {
    stream: Option<Stream>,
    text: String,
}

impl Run {
    pub(crate) fn new(host: &Arc<dyn Host>, scene: Scene) -> Arc<Run> {
        let Scene { file, folder, params, members, memory, texts, kept, modules } = scene;
        let budget = Arc::clone(host.budget());
        // SAFETY: asks for the number of the calling thread.
        let thread = unsafe { pyo3::ffi::PyThread_get_thread_ident() };
        Arc::new(Run {
            host: Arc::clone(host),
            memory,
            budget,
            operations: AtomicU64::new(0),
            counting: AtomicBool::new(false),
            file,
            folder,
            alone: AtomicBool::new(false),
            texts,
            kept,
            modules,
            misses: Misses::default(),
            params,
            members,
            thread,
            stop: AtomicBool::new(false),
            raised: AtomicBool::new(false),
            active: AtomicBool::new(true),
            touched: AtomicBool::new(false),
            stopped: Mutex::new(None),
            ended: Mutex::new(None),
            threads: Mutex::default(),
            pending: Mutex::default(),
            waker: Mutex::new(None),
            sleepers: Condvar::new(),
        })
    }

    /// Whether the run has been told to stop, by its budget or by the memory hook.
    pub(crate) fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.budget.stopping() || self.memory.refused().is_some()
    }

    /// Fails with the stop exception where the run has been told to stop.
    pub(crate) fn check(&self, py: Python<'_>) -> PyResult<()> {
        if self.stopping() || !self.active.load(Ordering::Relaxed) { Err(self.stopped(py)) } else { Ok(()) }
    }

    /// Makes sure that the run ends, and gives the exception that ends it.
    pub(crate) fn stopped(&self, py: Python<'_>) -> PyErr {
        self.settle_memory();
        self.stop.store(true, Ordering::Release);
        stopper::wake();
        Runtime::get().map_or_else(
            |failure| PyRuntimeError::new_err(failure.message),
            |runtime| PyErr::from_type(runtime.stop.bind(py).clone(), ()),
        )
    }

    /// Records a breach and gives the exception that ends the run.
    pub(crate) fn breach(&self, py: Python<'_>, breach: Breach) -> PyErr {
        self.budget.breach(breach);
        self.stopped(py)
    }

    /// Turns what the memory hook refused into the budget's breach.
    pub(crate) fn settle_memory(&self) {
        if let (Some(reading), Some(limit)) = (self.memory.refused(), self.budget.limits().memory) {
            self.budget.breach(Breach { name: LimitName::Memory, limit, reading });
        }
    }

    /// Whether the stopper has something to do for this run.
    pub(crate) fn wants_stop(&self) -> bool {
        (self.stopping() && self.active.load(Ordering::Relaxed)) || self.in_pursuit()
    }

    /// Whether threads outlived the script, and are still told to stop.
    fn in_pursuit(&self) -> bool {
        lock(&self.ended).is_some_and(|at| at.elapsed() < PURSUIT) && self.has_threads()
    }

    /// Whether threads that the script started are alive.
    fn has_threads(&self) -> bool {
        !lock(&self.threads).is_empty()
    }

    /// Whether the stopper can forget the run.
    pub(crate) fn given_up(&self) -> bool {
        !self.active.load(Ordering::Relaxed) && !self.in_pursuit()
    }

    /// Raises the stop exception in every thread of the run.
    pub(crate) fn raise_stop(&self, py: Python<'_>) {
        self.settle_memory();
        lock(&self.stopped).get_or_insert_with(Instant::now);
        let Ok(runtime) = Runtime::get() else { return };
        let stop = runtime.stop.as_ptr();
        let mut threads = lock(&self.threads).clone();
        if !threads.is_empty() {
            // A lock of the standard library that an exception leaves locked would stop threads for ever after, so
            // the threads of a script are only stopped while they are in its own code.
            let frames = py.import("sys").and_then(|sys| sys.call_method0("_current_frames"));
            threads.retain(|thread| frames.as_ref().is_ok_and(|frames| in_own_code(frames, *thread)));
        }
        if self.active.load(Ordering::Relaxed) && self.stopping() {
            threads.push(self.thread);
            self.raised.store(true, Ordering::Relaxed);
        }
        for thread in threads {
            // SAFETY: the GIL is held; a thread that is gone is not found and nothing happens.
            unsafe { pyo3::ffi::PyThreadState_SetAsyncExc(thread as _, stop) };
        }
        self.sleepers.notify_all();
        let waker = lock(&self.waker).as_ref().map(|waker| waker.clone_ref(py));
        if let Some(waker) = waker {
            // A loop that is already closed refuses, and needs no waking.
            let _ = waker.call0(py);
        }
    }

    /// Whether the script has caught the stop exception for a while now.
    pub(crate) fn defies(&self) -> bool {
        const PATIENCE: Duration = Duration::from_millis(50);
        let over = self.stopping() || lock(&self.ended).is_some();
        over && lock(&self.stopped).is_some_and(|at| at.elapsed() > PATIENCE)
    }

    /// What wakes the loop that the run waits in, while it does.
    pub(crate) fn set_waker(&self, waker: Option<Py<PyAny>>) {
        let previous = std::mem::replace(&mut *lock(&self.waker), waker);
        drop(previous);
    }

    /// Sleeps without the GIL, until the time is over or the run is told to stop.
    pub(crate) fn sleep(&self, py: Python<'_>, time: Duration) -> PyResult<()> {
        let until = Instant::now().checked_add(time);
        loop {
            self.check(py)?;
            let left = until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Ok(());
            }
            // Cut into slices, because a stop may come between the check and the wait.
            let slice = left.min(Duration::from_millis(50));
            py.detach(|| {
                let guard = lock(&self.pending);
                drop(self.sleepers.wait_timeout(guard, slice));
            });
        }
    }

    /// Takes what the script printed; hands it on when a line is complete.
    pub(crate) fn print(&self, py: Python<'_>, stream: Stream, text: &str) -> PyResult<()> {
        if !self.active.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut ready: Vec<(Stream, String)> = Vec::new();
        {
            let mut pending = lock(&self.pending);
            if pending.stream != Some(stream) {
                ready.extend(pending.take());
                pending.stream = Some(stream);
            }
            pending.text.push_str(text);
            if pending.text.len() > PENDING_OUTPUT || text.contains('\n') {
                ready.extend(pending.take());
            }
        }
        self.hand_on(py, ready)
    }

    /// Hands on what waits for the end of its line.
    pub(crate) fn flush(&self, py: Python<'_>) -> PyResult<()> {
        let ready = lock(&self.pending).take();
        match ready {
            Some(ready) => self.hand_on(py, vec![ready]),
            None => Ok(()),
        }
    }

    fn hand_on(&self, py: Python<'_>, ready: Vec<(Stream, String)>) -> PyResult<()> {
        if ready.is_empty() {
            return Ok(());
        }
        // The GIL is released: the host may wait for a lock that is held by a thread which waits for the GIL.
        let printed = py.detach(|| ready.iter().try_for_each(|(stream, text)| self.host.print(*stream, text)));
        printed.map_err(|_| self.stopped(py))
    }

    /// Ends the run: no stop exception is raised in its thread any more, and none that is under way is left.
    pub(crate) fn deactivate(&self, py: Python<'_>) {
        self.active.store(false, Ordering::Release);
        if self.raised.load(Ordering::Relaxed) {
            drain(py);
        }
    }

    /// Stops the threads that the script left behind, and waits for them a little.
    pub(crate) fn end_threads(&self, py: Python<'_>) {
        const PATIENCE: Duration = Duration::from_millis(200);
        if !self.has_threads() {
            return;
        }
        *lock(&self.ended) = Some(Instant::now());
        let until = Instant::now() + PATIENCE;
        while self.has_threads() && Instant::now() < until {
            stopper::wake();
            py.detach(|| std::thread::sleep(Duration::from_millis(1)));
        }
    }
}

/// Whether a thread executes code that is not the standard library's.
fn in_own_code(frames: &Bound<'_, PyAny>, thread: c_ulong) -> bool {
    let file = || frames.get_item(thread)?.getattr("f_code")?.getattr("co_filename")?.extract::<String>();
    file().is_ok_and(|file| !trace::is_library(&file))
}

/// Takes the stop exception that may be under way in this thread, and with it CPython's note that there is one.
///
/// That note is one for all threads. It slows each of them down, and keeps a traced one from entering a function at all;
/// only an exception that is delivered takes it back, so one is raised here for that purpose.
pub(crate) fn drain(py: Python<'_>) {
    let Ok(runtime) = Runtime::get() else { return };
    // SAFETY: the GIL is held; the thread is the calling one; `nothing` is a code object that does nothing, in which
    // CPython delivers what is under way.
    unsafe {
        pyo3::ffi::PyThreadState_SetAsyncExc(pyo3::ffi::PyThread_get_thread_ident() as _, runtime.stop.as_ptr());
        let namespace = runtime.nothing.1.as_ptr();
        let value = pyo3::ffi::PyEval_EvalCode(runtime.nothing.0.as_ptr(), namespace, namespace);
        drop(Bound::from_owned_ptr_or_err(py, value));
    }
}

impl Pending {
    fn take(&mut self) -> Option<(Stream, String)> {
        let text = std::mem::take(&mut self.text);
        self.stream.filter(|_| !text.is_empty()).map(|stream| (stream, text))
    }
}

/// The budget's way to stop a run: it only sets a flag, the stopper does the rest.
pub(crate) struct Stop(pub(crate) Arc<Run>);

impl Interrupt for Stop {
    fn interrupt(&self) {
        self.0.stop.store(true, Ordering::Release);
        stopper::wake();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<Run>>> = const { RefCell::new(None) };
}

/// The run that this thread executes.
pub(crate) fn current() -> Option<Arc<Run>> {
    CURRENT.with(|current| current.borrow().clone())
}

/// The run that this thread executes, or an exception that says there is none.
pub(crate) fn required() -> PyResult<Arc<Run>> {
    current().ok_or_else(|| PyRuntimeError::new_err("no script runs on this thread"))
}

/// While it lives, this thread executes a run: its memory, its trace functions and its output are the run's.
pub(crate) struct Entered {
    previous: Option<Arc<Run>>,
    tracing: Option<trace::Tracing>,
    meter: Option<Metered>,
    /// Set where the thread is one that the script started.
    registered: Option<c_ulong>,
    run: Arc<Run>,
}

impl Run {
    /// Makes this thread the run's.
    pub(crate) fn enter(self: &Arc<Self>, py: Python<'_>) -> Entered {
        // SAFETY: asks for the number of the calling thread.
        let thread = unsafe { pyo3::ffi::PyThread_get_thread_ident() };
        let registered = (thread != self.thread).then_some(thread);
        if let Some(thread) = registered {
            lock(&self.threads).push(thread);
        }
        let previous = CURRENT.with(|current| current.replace(Some(Arc::clone(self))));
        // SAFETY: the guard holds the run, which owns the meter, and stays on this thread.
        let meter = unsafe { memory::meter(Arc::as_ptr(&self.memory)) };
        let tracing = trace::Tracing::switch(py, Some(self));
        Entered { previous, tracing: Some(tracing), meter: Some(meter), registered, run: Arc::clone(self) }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        drop(self.tracing.take());
        drop(self.meter.take());
        CURRENT.with(|current| current.replace(self.previous.take()));
        if let Some(thread) = self.registered {
            let mut threads = lock(&self.run.threads);
            if let Some(at) = threads.iter().position(|other| *other == thread) {
                threads.swap_remove(at);
            }
        }
    }
}
