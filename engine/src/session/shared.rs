//! What the handles of a session, its hub and its thread share, and the queue of what is asked of it.

use super::answers::Answers;
use super::budget::{SessionBudget, Spent};
use super::builder::Carried;
use super::hub::HubInner;
use super::info::{SessionChange, SessionEvent, SessionInfo, SessionState};
use super::living::Living;
use super::stored::{Seat, TakenUp};
use super::waits;
use crate::authorize::AuthorizedPlan;
use crate::engine::Inner;
use crate::{Cancel, Engine, Error, Outcome, Persistence, RunOptions, Skill, WeakEngine};
use skills_core::{ErrorKind, Held, Language, Lost, Spin, Usage};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

/// The most requests that wait for a session.
const MOST_WAITING: u64 = 10_000;

/// How often a run that waits for a session looks whether it was stopped.
const LOOK: Duration = Duration::from_millis(10);

/// Something to do with a session.
pub(crate) type Work = Box<dyn FnOnce(&mut Living<'_>) + Send>;

/// How a session keeps its engine.
pub(crate) enum Keeper {
    /// In a hub of the engine's own: the hub goes with the engine, and its sessions with the hub.
    Weak(WeakEngine),
    /// In a hub that the host program made: the engine stays for as long as the session does.
    Strong(Engine),
}

/// The ways to what a session is made of.
pub(crate) struct Ways {
    /// To its thread.
    pub(crate) queue: Sender<Work>,
    /// To where any thread can take it up, where it may be used by any.
    pub(crate) seat: Option<Seat>,
}

/// What never changes while a session lives.
pub(crate) struct Terms {
    pub(crate) name: String,
    pub(crate) language: Language,
    pub(crate) skill: Option<Arc<Skill>>,
    pub(crate) owner: String,
    /// The decision that it was opened with: its tier, its grants, its limits.
    pub(crate) authorized: AuthorizedPlan,
    /// What a person said then.
    pub(crate) answers: Answers,
    pub(crate) options: RunOptions,
    pub(crate) budget: SessionBudget,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) max_duration: Option<Duration>,
    pub(crate) persistence: Persistence,
    /// Whether nothing is to be left on disk when it is closed.
    pub(crate) cleanup: bool,
    /// Says to its thread that nothing is to be left on disk.
    pub(crate) forget: Option<Arc<AtomicBool>>,
}

/// A session, whoever looks at it.
pub(crate) struct Shared {
    /// Tells it from every other of the process.
    pub(crate) id: u64,
    pub(crate) terms: Terms,
    keeper: Keeper,
    hub: Weak<HubInner>,
    opened: Instant,
    /// The way to its thread.
    queue: Mutex<Option<Sender<Work>>>,
    seat: Option<Seat>,
    /// Looks for what the thread answers.
    soon: Spin,
    status: Mutex<Status>,
    /// Why it ended; `None` in it where somebody closed it.
    ended: OnceLock<Option<Error>>,
    /// Whether code that somebody types may be evaluated here.
    pub(super) typed: OnceLock<Result<(), Error>>,
}

/// What changes.
pub(crate) struct Status {
    /// How much is under way or waits.
    pub(crate) waiting: u64,
    pub(crate) last: Instant,
    pub(crate) evaluations: u64,
    pub(crate) spent: Spent,
    /// What others used of the same budget.
    pub(crate) elsewhere: Spent,
    pub(crate) cpu: Option<Duration>,
    pub(crate) memory: Option<u64>,
    pub(crate) lost: Vec<Lost>,
    /// What stops the evaluation under way.
    current: Option<Cancel>,
    /// What stops the saving of what it did.
    saving: Option<Cancel>,
}

impl Status {
    /// What is spent of the budget.
    pub(crate) fn spent_in_all(&self) -> Spent {
        self.spent.plus(&self.elsewhere)
    }
}

impl Shared {
    pub(crate) fn new(
        id: u64,
        (terms, carried): (Terms, Carried),
        keeper: Keeper,
        hub: Weak<HubInner>,
        Ways { queue, seat }: Ways,
    ) -> Arc<Shared> {
        let now = Instant::now();
        let opened = now.checked_sub(carried.age).unwrap_or(now);
        let status = Status {
            waiting: 0,
            last: now,
            evaluations: carried.evaluations,
            spent: carried.spent,
            elsewhere: Spent::default(),
            cpu: None,
            memory: None,
            lost: carried.lost,
            current: None,
            saving: None,
        };
        let (queue, status) = (Mutex::new(Some(queue)), Mutex::new(status));
        Arc::new(Shared {
            id,
            terms,
            keeper,
            hub,
            opened,
            queue,
            seat,
            soon: Spin::new(),
            status,
            ended: OnceLock::new(),
            typed: OnceLock::new(),
        })
    }

    /// Its engine, as long as there is one.
    pub(crate) fn engine(&self) -> Option<Engine> {
        match &self.keeper {
            Keeper::Weak(engine) => engine.upgrade(),
            Keeper::Strong(engine) => Some(engine.clone()),
        }
    }

    pub(crate) fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands work to the thread, behind what waits there already, and gives `reply` what comes of it. Both are dropped where
    /// the session ends before its turn.
    ///
    /// # Errors
    /// That the session has ended, or that too much waits.
    pub(crate) fn submit<T>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Living<'_>) -> T + Send + 'static,
        reply: impl FnOnce(T) + Send + 'static,
    ) -> Result<(), Error> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = &*queue else { return Err(self.gone()) };
        {
            let mut status = self.status();
            if status.waiting >= MOST_WAITING {
                let message = format!("{MOST_WAITING} requests wait for session `{}`", self.terms.name);
                return Err(Error::new(ErrorKind::QueueFull, message).with_help("wait for some of them"));
            }
            status.waiting += 1;
        }
        let turn = Turn(Arc::clone(self));
        let sent = sender.send(Box::new(move |living| {
            if let Some(value) = turn.take(|| work(living)) {
                reply(value);
            }
        }));
        // What was not sent is dropped with its turn, which needs the queue no more.
        drop(queue);
        sent.map_err(|_| self.gone())
    }

    /// Does work, on the session's thread or here, and waits for what comes of it.
    ///
    /// # Errors
    /// As [`Shared::submit`], and `invalid_arguments` where waiting would never end.
    pub(crate) fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Living<'_>) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let _waits = self.wait()?;
        if let Some((turn, mut stored)) = self.free() {
            let Some(stored) = &mut *stored else { return Err(self.gone()) };
            return turn.take(|| work(&mut stored.living())).ok_or_else(|| self.gone());
        }
        let (sender, receiver) = sync_channel(1);
        self.submit(work, move |value| drop(sender.send(value)))?;
        self.soon.receive(&receiver).map_err(|_| self.gone())
    }

    /// The next turn, where nothing is under way or waits and any thread may do the work: handing it to another thread and back may
    /// take longer than the work. A thread of an async runtime hands it over: what the work calls may block on that runtime.
    fn free(self: &Arc<Self>) -> Option<(Turn, TakenUp<'_>)> {
        let seat = self.seat.as_ref().filter(|_| tokio::runtime::Handle::try_current().is_err())?;
        // Nothing is put into the queue meanwhile.
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let mut status = self.status();
        if queue.is_none() || status.waiting > 0 {
            return None;
        }
        let stored = seat.try_take_up()?;
        status.waiting += 1;
        Some((Turn(Arc::clone(self)), stored))
    }

    /// The same for a run that may be stopped meanwhile, and then waits no longer.
    ///
    /// # Errors
    /// As [`Shared::ask`], and `cancelled` where the run was stopped.
    pub(crate) fn ask_for<T: Send + 'static>(
        self: &Arc<Self>,
        run: &skills_core::Budget,
        work: impl FnOnce(&mut Living<'_>) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let _waits = self.wait()?;
        let (sender, receiver) = sync_channel(1);
        self.submit(work, move |value| drop(sender.send(value)))?;
        loop {
            match receiver.recv_timeout(LOOK) {
                Ok(value) => return Ok(value),
                Err(RecvTimeoutError::Disconnected) => return Err(self.gone()),
                Err(RecvTimeoutError::Timeout) if run.stopping() => {
                    return Err(Error::new(ErrorKind::Cancelled, "the run that asked was stopped"));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn wait(&self) -> Result<waits::Waiting, Error> {
        waits::wait(self.id).ok_or_else(|| {
            let name = &self.terms.name;
            Error::new(ErrorKind::InvalidArguments, format!("session `{name}` would wait for itself for ever"))
                .with_help("let a session reach others only, and none that waits for it")
        })
    }

    /// The same for a future, which any executor can poll.
    ///
    /// # Errors
    /// As [`Shared::submit`].
    pub(crate) async fn ask_async<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Living<'_>) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.submit(work, move |value| drop(sender.send(value)))?;
        receiver.await.map_err(|_| self.gone())
    }

    /// That it is over, for whoever asks something of it.
    pub(crate) fn gone(&self) -> Error {
        let name = &self.terms.name;
        match self.ended.get() {
            Some(Some(why)) => Error::from(skills_core::Failure {
                message: format!("session `{name}` has ended: {}", why.message()),
                frames: Vec::new(),
                ..why.failure().clone()
            })
            .with_help("open another session"),
            _ => Error::new(ErrorKind::NotFound, format!("session `{name}` has been closed"))
                .with_help("open another session"),
        }
    }

    /// The outcome of an evaluation that did not begin.
    pub(crate) fn failed(&self, engine: &Inner, correlation_id: Option<&str>, error: Error) -> Outcome {
        engine.not_begun(self.terms.authorized.plan(), correlation_id, error)
    }

    /// Why it ended by itself.
    pub(crate) fn reason(&self) -> Option<Error> {
        self.ended.get().cloned().flatten()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.get().is_some()
    }

    /// Ends it: what is under way is stopped, what waits is not done. The first reason stays. Gives whether this ended it.
    pub(crate) fn end(self: &Arc<Self>, reason: Option<Error>) -> bool {
        let message = reason.as_ref().map(|error| error.message().to_owned());
        // What idled or crashed may go on one day.
        let over = reason.as_ref().is_none_or(|why| why.limit().is_some());
        if self.ended.set(reason).is_err() {
            return false;
        }
        if over && self.terms.cleanup {
            self.forget();
        }
        let (current, saving) = {
            let mut status = self.status();
            (status.current.take(), status.saving.clone())
        };
        // What was evaluated is saved although it is over, unless nothing of it is to stay.
        let saving = saving.filter(|_| self.is_forgotten());
        [current, saving].into_iter().flatten().for_each(|cancel| cancel.cancel());
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(hub) = self.hub.upgrade() {
            hub.forget(self);
            hub.report(|| self.event(SessionChange::Ended { reason: message }));
        }
        true
    }

    /// Has nothing left of it on disk once it is over.
    pub(crate) fn forget(&self) {
        if let Some(forget) = &self.terms.forget {
            forget.store(true, Ordering::SeqCst);
        }
    }

    fn is_forgotten(&self) -> bool {
        self.terms.forget.as_ref().is_some_and(|forget| forget.load(Ordering::SeqCst))
    }

    /// Stops the evaluation under way, or the saving of what it did. Gives whether there was one.
    pub(crate) fn interrupt(&self) -> bool {
        let under_way = {
            let status = self.status();
            status.current.clone().or_else(|| status.saving.clone())
        };
        under_way.inspect(Cancel::cancel).is_some()
    }

    /// Says what stops what is under way now, and gives what goes on meanwhile its end.
    pub(crate) fn begin(&self, cancel: Cancel) {
        self.status().current = Some(cancel.clone());
        // Ended between its turn and now.
        if self.has_ended() {
            cancel.cancel();
        }
    }

    /// Says what stops the saving of what was evaluated.
    pub(crate) fn begin_saving(&self, cancel: Cancel) {
        self.status().saving = Some(cancel);
    }

    /// Says that nothing is under way that could be stopped.
    pub(crate) fn rest(&self) {
        self.status().current = None;
    }

    /// Counts what was used by what is over now.
    pub(crate) fn finish(&self, budget: &skills_core::Budget, usage: &Usage, held: Held, evaluation: bool) {
        let mut status = self.status();
        (status.current, status.saving) = (None, None);
        status.evaluations += u64::from(evaluation);
        status.spent.add(budget, usage);
        if let Some(cpu) = usage.cpu {
            *status.cpu.get_or_insert_default() += cpu;
        }
        status.cpu = held.cpu.or(status.cpu);
        status.memory = held.memory.or(usage.peak_memory).or(status.memory);
    }

    /// Says what happened to whoever watches.
    pub(crate) fn report(&self, what: SessionChange) {
        if let Some(hub) = self.hub.upgrade() {
            hub.report(|| self.event(what));
        }
    }

    fn event(&self, what: SessionChange) -> SessionEvent {
        SessionEvent { what, session: self.info() }
    }

    /// When it is over if nothing happens: it idles too long, or has lived too long. `None` where never.
    pub(crate) fn due(&self) -> Option<Instant> {
        let status = self.status();
        let idle = (self.terms.idle_timeout).filter(|_| status.waiting == 0).map(|timeout| status.last + timeout);
        let old = self.terms.max_duration.map(|most| self.opened + most);
        [idle, old].into_iter().flatten().min()
    }

    /// Ends it where it is due.
    pub(crate) fn end_if_due(self: &Arc<Self>) {
        let seconds = |d: Duration| format!("{} s", (d.as_secs_f64() * 10.0).round() / 10.0);
        let timeout = |message: String| Some(Error::new(ErrorKind::Timeout, message));
        if let Some(most) = self.terms.max_duration.filter(|most| self.opened.elapsed() >= *most) {
            if self.terms.cleanup {
                self.forget();
            }
            self.end(timeout(format!("it has lived for {}, which is the longest that it may", seconds(most))));
            return;
        }
        let idle = {
            let status = self.status();
            self.terms.idle_timeout.filter(|most| status.waiting == 0 && status.last.elapsed() >= *most)
        };
        if let Some(most) = idle {
            self.end(timeout(format!("nothing was asked of it for {}", seconds(most))));
        }
    }

    pub(crate) fn info(&self) -> SessionInfo {
        let millis = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        let terms = &self.terms;
        let status = self.status();
        let state = match (self.has_ended(), status.waiting) {
            (true, _) => SessionState::Ended,
            (false, 0) => SessionState::Idle,
            _ => SessionState::Busy,
        };
        SessionInfo {
            id: self.id,
            name: terms.name.clone(),
            language: terms.language,
            skill: terms.skill.as_ref().map(|skill| skill.qualified_name()),
            owner: terms.owner.clone(),
            state,
            age_ms: millis(self.opened.elapsed()),
            idle_ms: if status.waiting == 0 { millis(status.last.elapsed()) } else { 0 },
            idle_timeout_ms: terms.idle_timeout.map(millis),
            max_duration_ms: terms.max_duration.map(millis),
            evaluations: status.evaluations,
            memory_bytes: status.memory,
            cpu_ms: status.cpu.map(millis),
            isolation: terms.authorized.plan().isolation(),
            persistence: terms.persistence,
            budget: terms.budget.report(&status.spent),
            lost: status.lost.clone(),
        }
    }
}

/// One request's place in the queue, until it is done or dropped.
struct Turn(Arc<Shared>);

impl Turn {
    /// Does the work whose turn it is. Gives nothing where the session has ended, or ends by a defect.
    fn take<T>(self, work: impl FnOnce() -> T) -> Option<T> {
        let shared = &self.0;
        if shared.has_ended() {
            return None;
        }
        let done = {
            let _thread = waits::On::thread_of(shared.id);
            catch_unwind(AssertUnwindSafe(work))
        };
        // Its turn is over before anybody has the answer, who then finds the session idle.
        let end = |panic: Box<dyn Any + Send>| shared.end(Some(Error::from(crate::run::defect(&*panic))));
        done.map_err(end).ok()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        {
            let mut status = self.0.status();
            status.waiting -= 1;
            status.last = Instant::now();
        }
        if let Some(hub) = self.0.hub.upgrade() {
            hub.look_again(&self.0);
        }
    }
}
