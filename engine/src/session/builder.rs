use super::answers::Answers;
use super::budget::{SessionBudget, Spent};
use super::handle::Session;
use super::hub::{Most, Reserved};
use super::info::SessionChange;
use super::living::{Living, Substance};
use super::shared::{Keeper, Shared, Terms, Work};
use crate::authorize;
use crate::host::{Chain, RunHost};
use crate::plan::Step;
use crate::run::defect;
use crate::secrets::Vault;
use crate::{Engine, Error, Persistence, RunOptions, Skill, scripts};
use serde_json::Map;
use skills_core::{ErrorKind, Failure, Language};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{channel, sync_channel};
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
}

impl Engine {
    /// A session of a language: what is evaluated in it stays for the next evaluation.
    ///
    /// ```no_run
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

    /// The session of a name, where there is one.
    pub fn find_session(&self, name: &str) -> Option<Session> {
        self.inner.sessions.find(name)
    }

    /// The sessions that there are, by name.
    pub fn sessions(&self) -> Vec<super::SessionInfo> {
        self.inner.sessions.sessions()
    }

    /// Where the sessions of this engine are found.
    pub fn session_hub(&self) -> &super::SessionHub {
        &self.inner.sessions
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

    /// Where its state is kept; in memory by default.
    pub fn persistence(mut self, persistence: Persistence) -> SessionBuilder {
        self.persistence = Some(persistence);
        self
    }

    /// Opens it, on a thread of its own.
    ///
    /// # Errors
    /// `invalid_arguments` for a name that is taken or none; `queue_full` where there are as many sessions as there may be;
    /// as [`Engine::authorize`]; `unavailable` where the language keeps no state, or its interpreter cannot start.
    pub fn open(self) -> Result<Session, Error> {
        let (sender, receiver) = sync_channel(1);
        self.start(move |opened| drop(sender.send(opened)))?;
        receiver.recv().unwrap_or_else(|_| Err(no_thread()))
    }

    /// The same for a future, which any executor can poll. What is opened for a future that was dropped is closed again.
    ///
    /// # Errors
    /// As [`SessionBuilder::open`].
    pub async fn open_async(self) -> Result<Session, Error> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.start(move |opened| {
            if let Err(Ok(session)) = sender.send(opened) {
                session.close();
            }
        })?;
        receiver.await.unwrap_or_else(|_| Err(no_thread()))
    }

    /// Takes the name, and starts the thread.
    fn start(self, reply: impl FnOnce(Result<Session, Error>) + Send + 'static) -> Result<(), Error> {
        if self.persistence == Some(Persistence::Disk) {
            return Err(Error::new(ErrorKind::Unavailable, "this engine keeps no sessions on disk")
                .with_help("open it with `Persistence::Memory`"));
        }
        let language = self.language()?;
        let inner = &self.engine.inner;
        let skill = (!self.skill.typed).then_some(&*self.skill);
        let most_of_skill = self.skill.session.as_ref().and_then(|settings| settings.max_sessions);
        let most = Most {
            all: inner.max_sessions,
            of_skill: skill.zip(most_of_skill.map(|most| usize::try_from(most).unwrap_or(usize::MAX))),
        };
        let reserved = inner.sessions.0.reserve(self.name.as_deref(), language, skill, &most)?;
        let thread = std::thread::Builder::new().name(format!("session {}", reserved.name())).stack_size(STACK);
        let life = move || {
            let opened = catch_unwind(AssertUnwindSafe(|| self.open_here(language, reserved)))
                .unwrap_or_else(|panic| Err(defect(&*panic).into()));
            let (mut living, work) = match opened {
                Ok((living, work, session)) => {
                    reply(Ok(session));
                    (living, work)
                }
                Err(error) => return reply(Err(error)),
            };
            for work in work {
                work(&mut living);
            }
        };
        thread.spawn(life).map(drop).map_err(|_| no_thread())
    }

    fn language(&self) -> Result<Language, Error> {
        match self.skill.script().map(|script| script.language) {
            Some(Language::Bash) | None => {
                let what = if self.skill.typed { "bash".to_owned() } else { format!("`{}`", self.skill.name) };
                Err(Error::new(ErrorKind::Unavailable, format!("this version keeps no session of {what} alive"))
                    .with_help("sessions are of code in Rhai, Python, JavaScript and TypeScript"))
            }
            Some(language) => Ok(language),
        }
    }

    /// Everything about opening that is done on the session's own thread.
    fn open_here(
        self,
        language: Language,
        reserved: Reserved,
    ) -> Result<(Living, std::sync::mpsc::Receiver<Work>, Session), Error> {
        let engine = self.engine.clone();
        let inner = &engine.inner;
        let answers = Answers::new(inner.people.approver.clone());
        let plan = inner.lay_out(&self.skill, Map::new(), &self.options)?;
        let authorized = {
            let chain = Chain::default();
            let mut circumstances = inner.circumstances(&self.options, &chain, true);
            circumstances.deciding.approver = Some(&answers);
            authorize::authorize(plan, &circumstances)?
        };
        for warning in authorized.warnings() {
            tracing::warn!(skill = %self.skill.name, session = %reserved.name(), "{warning}");
        }
        if !matches!(authorized.plan().step, Step::Script(_)) {
            return Err(Failure::new(ErrorKind::Unavailable, "only code in an interpreter keeps a session").into());
        }
        let (table, vault) = (inner.functions(), Arc::<Vault>::default());
        let chain = Chain { vault: Arc::clone(&vault), confined_to: authorized.confines(), ..Chain::default() };
        let host =
            RunHost { table: Arc::clone(&table), ..inner.host(authorized.plan(), authorized.grants().clone(), chain) };
        let interpreter = inner.interpreter(language)?;
        let session = inner.open_interpreter(interpreter, authorized.plan().isolation, &Arc::new(host))?;
        let living = Living { substance: Substance::Interpreter(session), table, vault };
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let hub = reserved.hub();
        // In a hub that others share, it stays for as long as it is asked to; in the engine's own, it goes with that.
        let keeper = match inner.sessions_shared {
            true => Keeper::Strong(engine.clone()),
            false => Keeper::Weak(engine.downgrade()),
        };
        let settings = self.skill.session.clone().unwrap_or_default();
        let persistence = self.persistence.unwrap_or(match settings.persistence {
            Persistence::None => Persistence::None,
            _ => Persistence::Memory,
        });
        let terms = Terms {
            name: reserved.name().to_owned(),
            language,
            skill: (!self.skill.typed).then(|| Arc::clone(&self.skill)),
            owner: self.owner,
            authorized,
            answers,
            options: RunOptions { cancel: None, correlation_id: None, ..self.options },
            budget: self.budget,
            idle_timeout: self.idle_timeout,
            max_duration: self.max_duration,
            persistence,
        };
        let (queue, work) = channel();
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let shared = Shared::new(id, terms, keeper, Arc::downgrade(hub), (queue, Spent::default()));
        reserved.fill(&shared);
        shared.report(SessionChange::Opened);
        Ok((living, work, Session::new(shared, engine)))
    }
}

fn no_thread() -> Error {
    Error::new(ErrorKind::Unavailable, "the session's thread could not start")
        .with_help("the process has too many threads, or too little memory: close other sessions")
}
