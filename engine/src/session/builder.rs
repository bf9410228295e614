use super::answers::Answers;
use super::budget::{SessionBudget, Spent};
use super::handle::Session;
use super::hub::{Most, Reserved, Wanted};
use super::image::{About, SessionImage};
use super::info::SessionChange;
use super::kept::Kept;
use super::living::{self, After};
use super::shared::{Keeper, Shared, Terms, Ways, Work};
use super::store::{Record, Saved};
use super::stored::{Resting, Stored};
use super::waits::{self, Waiting};
use crate::authorize::{self, AuthorizedPlan};
use crate::host::{Chain, FunctionTable, RunHost};
use crate::plan::Step;
use crate::run::defect;
use crate::secrets::{Seen, Vault};
use crate::{Body, Cancel, Engine, Error, Isolation, Persistence, RunOptions, Skill, SkillKind, scripts};
use skills_core::{ErrorKind, Forked, Host, Language, Lost, OpenSession, Spin};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel, sync_channel};
use std::time::Duration;

/// The stack of a session's thread: room for the deepest nesting that the languages allow.
const STACK: usize = 16 << 20;

/// Opens a [`Session`]. See [`Engine::session`].
#[must_use]
pub struct SessionBuilder {
    engine: Engine,
    skill: Arc<Skill>,
    name: Option<String>,
    owner: String,
    options: RunOptions,
    budget: SessionBudget,
    idle_timeout: Option<Duration>,
    max_duration: Option<Duration>,
    persistence: Option<Persistence>,
    cleanup_on_exit: Option<bool>,
    origin: Origin,
    /// The decision about the session that this is a copy of, which is the copy's too.
    decided: Option<(AuthorizedPlan, Answers)>,
    /// Why it cannot be opened, found before it was asked to.
    problem: Option<Error>,
}

/// What a session begins as.
pub(crate) enum Origin {
    /// An empty namespace.
    Fresh,
    /// What an image holds.
    Image(Box<SessionImage>),
    /// The copy of a session, which has this of secrets and of its budget.
    Copy(Copied),
    /// What is on disk.
    Saved(Box<Saved>),
}

impl Origin {
    /// What begins where something is on disk already.
    fn or_saved(self, saved: Option<Saved>, name: &str) -> Result<Origin, Error> {
        match (self, saved) {
            (Origin::Fresh, Some(saved)) => Ok(Origin::Saved(Box::new(saved))),
            (origin, None) => Ok(origin),
            (_, Some(_)) => {
                Err(Error::new(ErrorKind::InvalidArguments, format!("there is a session `{name}` on disk already"))
                    .with_help("remove it first, or choose another name"))
            }
        }
    }
}

/// What was opened, as its thread has it, and the first handle.
struct Opened {
    resting: Resting,
    work: Receiver<Work>,
    session: Session,
}

/// The copy of a session that is on its way to a thread of its own.
pub(crate) struct Copied {
    pub(crate) open: Forked,
    pub(crate) seen: Seen,
    pub(crate) carried: Carried,
    pub(crate) table: Arc<FunctionTable>,
}

/// What a session has behind it, for its copy.
#[derive(Default)]
pub(crate) struct Carried {
    pub(crate) evaluations: u64,
    pub(crate) spent: Spent,
    pub(crate) lost: Vec<Lost>,
    /// How long ago it was opened first, where it was closed in between.
    pub(crate) age: Duration,
}

impl Engine {
    /// A session of a language: what is evaluated in it stays for the next evaluation.
    ///
    /// ```
    /// # fn main() -> Result<(), skills::Error> {
    /// let engine = skills::Engine::new()?;
    /// let session = engine.session(skills::Language::Rhai).name("notes").open()?;
    /// session.eval("let x = 41;")?;
    /// assert_eq!(session.eval("x + 1")?, 42);
    /// # Ok(())
    /// # }
    /// ```
    pub fn session(&self, language: Language) -> SessionBuilder {
        SessionBuilder::new(self, Arc::new(scripts::from_text(language, "")))
    }

    /// A session of a skill of the type `code_session`: its language, limits, permissions and settings are those of its
    /// definition.
    pub fn skill_session(&self, skill: &Arc<Skill>) -> SessionBuilder {
        let settings = skill.session.clone().unwrap_or_default();
        SessionBuilder {
            idle_timeout: settings.idle_timeout,
            max_duration: settings.max_duration,
            ..SessionBuilder::new(self, Arc::clone(skill))
        }
    }

    /// A session of what another one held, by its name, with what is left of its budget.
    pub fn restore_session(&self, image: &SessionImage) -> SessionBuilder {
        let about = &image.about;
        let (skill, problem) = match about.skill.as_ref().map(|name| self.inner.catalog().load(name)) {
            Some(Ok(skill)) if image.foreign || skill.owner() == about.owner => (Some(skill), None),
            Some(Ok(skill)) => {
                let message = format!("session `{}` is of another `{}`", about.name, skill.qualified_name());
                let error = Error::new(ErrorKind::InvalidArguments, message);
                (None, Some(error.with_help("restore it in the project that it is from")))
            }
            Some(Err(error)) => (None, Some(error)),
            None => (None, None),
        };
        let fresh = skill.map_or_else(|| self.session(about.language), |skill| self.skill_session(&skill));
        SessionBuilder {
            name: Some(about.name.clone()),
            // What was bytes may say that it is anybody's, and would then reach what is theirs.
            owner: if image.foreign { fresh.owner.clone() } else { about.owner.clone() },
            budget: about.budget.clone(),
            origin: Origin::Image(Box::new(image.clone())),
            problem,
            ..fresh
        }
    }
}

impl SessionBuilder {
    fn new(engine: &Engine, skill: Arc<Skill>) -> SessionBuilder {
        SessionBuilder {
            engine: engine.clone(),
            skill,
            name: None,
            owner: "user".to_owned(),
            options: RunOptions::default(),
            budget: SessionBudget::default(),
            idle_timeout: None,
            max_duration: None,
            persistence: None,
            cleanup_on_exit: None,
            origin: Origin::Fresh,
            decided: None,
            problem: None,
        }
    }

    /// What opens a copy of a session, with all that it was opened with.
    pub(crate) fn copy(engine: &Engine, terms: &Terms, origin: Origin) -> SessionBuilder {
        let plan = terms.authorized.plan();
        // What could stop the opening of the original has nothing to do with the copy.
        let authorized = terms.authorized.again(None, plan.limits().clone(), (plan.correlation_id().to_owned(), None));
        SessionBuilder {
            owner: terms.owner.clone(),
            options: terms.options.clone(),
            budget: terms.budget.clone(),
            idle_timeout: terms.idle_timeout,
            max_duration: terms.max_duration,
            persistence: Some(terms.persistence),
            cleanup_on_exit: Some(terms.cleanup),
            origin,
            decided: Some((authorized, terms.answers.copy())),
            ..SessionBuilder::new(engine, Arc::clone(terms.authorized.plan().skill()))
        }
    }

    /// Its name: letters, digits, `-`, `_` and `.`. One is made up where none is given: `python-1`.
    pub fn name(mut self, name: impl Into<String>) -> SessionBuilder {
        self.name = Some(name.into());
        self
    }

    /// Whom it belongs to: `user` by default; `skill:` and the name of a skill with its scope where one opens it.
    pub fn owner(mut self, owner: impl Into<String>) -> SessionBuilder {
        self.owner = owner.into();
        self
    }

    /// The tier, what is allowed, the limits of each evaluation. What stops the opening stops nothing later.
    pub fn options(mut self, options: RunOptions) -> SessionBuilder {
        self.options = options;
        self
    }

    /// What all evaluations together may use.
    pub fn budget(mut self, budget: SessionBudget) -> SessionBuilder {
        self.budget = budget;
        self
    }

    /// How long nothing may be asked of it before it ends; for ever by default.
    pub fn idle_timeout(mut self, timeout: Duration) -> SessionBuilder {
        self.idle_timeout = Some(timeout);
        self
    }

    /// How long it may live; for ever by default.
    pub fn max_duration(mut self, most: Duration) -> SessionBuilder {
        self.max_duration = Some(most);
        self
    }

    /// Where its state is kept; where its skill says, else in memory. On disk, what it holds is written before an evaluation is
    /// answered: see [`EngineBuilder::session_store`](crate::EngineBuilder::session_store).
    pub fn persistence(mut self, persistence: Persistence) -> SessionBuilder {
        self.persistence = Some(persistence);
        self
    }

    /// Whether nothing is left on disk once it is closed, or has spent its budget; by default what its skill says, else no.
    /// What ends for another reason is there again under its name.
    pub fn cleanup_on_exit(mut self, cleanup: bool) -> SessionBuilder {
        self.cleanup_on_exit = Some(cleanup);
        self
    }

    /// Opens it, on a thread of its own. One that is on disk under this name goes on where it was.
    ///
    /// # Errors
    /// `invalid_arguments` for a name that is taken or none; `queue_full` where there are as many sessions as there may be;
    /// as [`Engine::authorize`]; `unavailable` where the language keeps no state, or its interpreter cannot start.
    pub fn open(self) -> Result<Session, Error> {
        let (sender, receiver) = sync_channel(1);
        let _waits = self.start(move |opened| drop(sender.send(opened)))?;
        receiver.recv().unwrap_or_else(|_| Err(no_thread()))
    }

    /// The same for a future, which any executor can poll. What is opened for a future that was dropped is closed again.
    ///
    /// # Errors
    /// As [`SessionBuilder::open`].
    pub async fn open_async(self) -> Result<Session, Error> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        // Whoever polls this is no session's thread that stands still.
        let _ = self.start(move |opened| {
            if let Err(Ok(session)) = sender.send(opened) {
                session.close();
            }
        })?;
        receiver.await.unwrap_or_else(|_| Err(no_thread()))
    }

    /// Takes the name, and starts the thread. Gives what says that this one waits for it.
    fn start(mut self, reply: impl FnOnce(Result<Session, Error>) + Send + 'static) -> Result<Option<Waiting>, Error> {
        if let Some(problem) = self.problem.take() {
            return Err(problem);
        }
        self.persistence = Some(self.place()?);
        let language = self.language()?;
        let inner = &self.engine.inner;
        let skill = (!self.skill.typed).then_some(&*self.skill);
        let most_of_skill = self.skill.session.as_ref().and_then(|settings| settings.max_sessions);
        let most = Most {
            all: inner.max_sessions,
            of_skill: skill.zip(most_of_skill.map(|most| usize::try_from(most).unwrap_or(usize::MAX))),
        };
        let cancel = self.options.cancel.as_ref().map_or_else(Cancel::new, Cancel::child);
        let wanted = Wanted { name: self.name.as_deref(), language, skill, cancel: cancel.clone() };
        let reserved = inner.sessions.0.reserve(wanted, &most)?;
        self.options.cancel = Some(cancel);
        let waits = reserved.wait();
        let thread = std::thread::Builder::new().name(format!("session {}", reserved.name())).stack_size(STACK);
        let life = move || {
            let opening = waits::On::thread_of(reserved.id());
            let opened = catch_unwind(AssertUnwindSafe(|| self.open_here(language, reserved)))
                .unwrap_or_else(|panic| Err(defect(&*panic).into()));
            drop(opening);
            let Opened { mut resting, work, session } = match opened {
                Ok(opened) => opened,
                Err(error) => return reply(Err(error)),
            };
            reply(Ok(session));
            let soon = Spin::new();
            while let Ok(next) = soon.receive(&work) {
                resting.with(next);
            }
            resting.over();
        };
        thread.spawn(life).map(|_| waits).map_err(|_| no_thread())
    }

    /// Where its state is kept.
    ///
    /// # Errors
    /// `unavailable` where that is the disk and nobody said where; `invalid_arguments` where it has no name to be found by.
    fn place(&self) -> Result<Persistence, Error> {
        let settings = self.skill.session.as_ref().map(|settings| settings.persistence).unwrap_or_default();
        let asked = self.persistence.unwrap_or(settings);
        // A skill's that nobody named is over with its call.
        if asked != Persistence::Disk || (self.persistence.is_none() && self.name.is_none()) {
            return Ok(if asked == Persistence::Disk { Persistence::Memory } else { asked });
        }
        if self.language()? == Language::Program {
            let message = format!(
                "a session of `{}` cannot be kept on disk: what a program holds cannot be saved",
                self.skill.name
            );
            return Err(Error::new(ErrorKind::Unavailable, message).with_help("open it in memory"));
        }
        if self.engine.inner.session_store.is_none() {
            return Err(Error::new(ErrorKind::Unavailable, "this engine keeps no sessions on disk")
                .with_help("open it with `Persistence::Memory`"));
        }
        match self.name {
            Some(_) => Ok(Persistence::Disk),
            None => Err(Error::new(ErrorKind::InvalidArguments, "a session on disk needs a name, to be found by")),
        }
    }

    /// The language of its code.
    ///
    /// # Errors
    /// `unavailable` for a skill that no session can be of.
    pub fn language(&self) -> Result<Language, Error> {
        self.skill.session_language().ok_or_else(|| {
            let name = &self.skill.name;
            let (message, help) = match &self.skill.body {
                Body::Command(spec) if self.skill.kind == SkillKind::CodeSession => (
                    format!("nothing says how `{}` is asked in a session of `{name}`", spec.command),
                    "write `\"session_config\": {\"protocol\": \"lines\"}` into its definition, or one of the other protocols",
                ),
                _ => (
                    format!("there are no sessions of `{name}`"),
                    "sessions are of code, and of programs in a skill of the type `code_session`",
                ),
            };
            Error::new(ErrorKind::Unavailable, message).with_help(help)
        })
    }

    /// Everything about opening that is done on the session's own thread.
    fn open_here(mut self, language: Language, reserved: Reserved) -> Result<Opened, Error> {
        let engine = self.engine.clone();
        let origin = std::mem::replace(&mut self.origin, Origin::Fresh);
        if let Origin::Image(image) = &origin {
            image.check_skill(&self.options)?;
            if image.foreign && engine.inner.worker_available(Some(language)).is_ok() {
                self.options.isolation.get_or_insert(Isolation::Worker);
            }
        }
        self.options.session = Some(reserved.name().to_owned());
        let (authorized, answers) = match self.decided.take() {
            Some(decided) => decided,
            None => {
                let answers = Answers::new(engine.inner.people.approver.clone());
                (self.authorize(&answers, reserved.name())?, answers)
            }
        };
        if let Origin::Image(image) = &origin {
            image.check_tier(authorized.plan().isolation)?;
        }
        let skill = (!self.skill.typed).then(|| Arc::clone(&self.skill));
        let owner = skill.as_ref().map_or_else(|| self.owner.clone(), |skill| skill.owner());
        let mut kept = None;
        let origin = match (&engine.inner.session_store, self.persistence) {
            (Some(store), Some(Persistence::Disk)) => {
                let what = (language, skill.as_ref().map(|skill| skill.qualified_name()));
                let (file, saved) = Kept::open(store, (&owner, reserved.name()), what, &authorized)?;
                kept = Some(file);
                origin.or_saved(saved, reserved.name())?
            }
            _ => origin,
        };
        let is_new = matches!(origin, Origin::Fresh | Origin::Saved(_));
        let begun = self.begin(&authorized, language, origin);
        let (mut stored, carried) = begun.map_err(|error| match &kept {
            Some(kept) => kept.not_restored(&error),
            None => error,
        })?;
        // In a hub that others share, it stays for as long as it is asked to; in the engine's own, it goes with that.
        let keeper = match engine.inner.sessions_shared {
            true => Keeper::Strong(engine.clone()),
            false => Keeper::Weak(engine.downgrade()),
        };
        let settings = self.skill.session.clone().unwrap_or_default();
        let terms = Terms {
            name: reserved.name().to_owned(),
            language,
            skill,
            owner,
            authorized,
            answers,
            options: RunOptions { cancel: None, correlation_id: None, ..self.options },
            budget: self.budget,
            idle_timeout: self.idle_timeout,
            max_duration: self.max_duration,
            persistence: self.persistence.unwrap_or_default(),
            cleanup: self.cleanup_on_exit.or(settings.cleanup_on_exit).unwrap_or(false),
            forget: kept.as_ref().map(|kept| Arc::clone(kept.forget())),
        };
        let (queue, work) = channel();
        stored.kept = kept;
        let mut resting = Resting::from(stored);
        let ways = Ways { queue, seat: resting.seat() };
        let shared = Shared::new(reserved.id(), (terms, carried), keeper, Arc::downgrade(reserved.hub()), ways);
        if !is_new {
            resting.with(|living| drop(living.keep(&shared, &engine.inner, After::default())));
        }
        reserved.fill(&shared);
        shared.report(SessionChange::Opened);
        Ok(Opened { resting, work, session: Session::new(shared, engine) })
    }

    /// Decides about the session: its tier, and what it may use.
    fn authorize(&self, answers: &Answers, name: &str) -> Result<AuthorizedPlan, Error> {
        let inner = &self.engine.inner;
        let plan = inner.lay_out(&self.skill, &self.options)?;
        let chain = Chain::default();
        let mut circumstances = inner.circumstances(&self.options, &chain, true);
        circumstances.deciding.approver = Some(answers);
        let authorized = authorize::authorize(plan, &circumstances)?;
        for warning in authorized.warnings() {
            tracing::warn!(skill = %self.skill.name, session = %name, "{warning}");
        }
        match &authorized.plan().step {
            Step::Script(_) => Ok(authorized),
            Step::Program(invocation) if invocation.is_shell() || invocation.protocol.is_some() => Ok(authorized),
            _ => Err(Error::new(ErrorKind::Unavailable, "only code in an interpreter keeps a session")),
        }
    }

    /// Starts what the session is made of.
    fn begin(
        &self,
        authorized: &AuthorizedPlan,
        language: Language,
        origin: Origin,
    ) -> Result<(Stored<OpenSession>, Carried), Error> {
        let inner = &self.engine.inner;
        authorized.verify()?;
        let vault = Arc::<Vault>::default();
        let image = match origin {
            Origin::Copy(copied) => {
                vault.remember(&copied.seen);
                let session = (copied.open)()?;
                return Ok((Stored { session, table: copied.table, vault, kept: None }, copied.carried));
            }
            Origin::Image(image) => {
                vault.remember(&image.seen.0);
                let snapshot = image.snapshot();
                let About { evaluations, spent, .. } = image.about;
                Some((snapshot, Carried { evaluations, spent, ..Carried::default() }))
            }
            Origin::Saved(saved) => {
                let Saved { record, snapshot } = *saved;
                let (age, Record { evaluations, spent, .. }) = (record.age(), record);
                Some((snapshot, Carried { evaluations, spent, age, ..Carried::default() }))
            }
            Origin::Fresh => None,
        };
        let table = inner.functions();
        let chain = Chain { vault: Arc::clone(&vault), confined_to: authorized.confines(), ..Chain::default() };
        let host = inner.host(authorized.plan(), (authorized.grants().clone(), authorized.modules()), chain);
        let host = Arc::new(RunHost { table: Arc::clone(&table), restores: image.is_some(), ..host });
        let mut session = inner.open_session(authorized.plan(), language, &host)?;
        living::settle(authorized, &mut *session);
        let carried = match image {
            Some((snapshot, carried)) => {
                let mut lost = session.restore(&snapshot, &(host as Arc<dyn Host>))?;
                for before in snapshot.lost {
                    if !lost.contains(&before) {
                        lost.push(before);
                    }
                }
                Carried { lost, ..carried }
            }
            None => Carried::default(),
        };
        Ok((Stored { session, table, vault, kept: None }, carried))
    }
}

fn no_thread() -> Error {
    Error::new(ErrorKind::Unavailable, "the session's thread could not start")
        .with_help("the process has too many threads, or too little memory: close other sessions")
}
