use crate::authorize::policy::{HostRules, Policy};
use crate::authorize::trust::Trust;
use crate::catalog::{Catalog, Places};
use crate::config::Config;
use crate::discovery::Layout;
use crate::engine::{Parts, People};
use crate::languages::Languages;
use crate::plan::LimitSources;
use crate::programs::Programs;
use crate::secrets::{Configured, NoVariables};
use crate::worker::{LazyWorkers, WorkerSettings};
use crate::{Engine, Error, MemoryDecisions, MemoryState, Permissions, SessionHub, SessionStore};
use skills_core::{
    Approver, DecisionStore, ErrorKind, EventSink, Interpreter, Launcher, Limits, NoEvents, SecretCommand,
    SecretSource, SkillSource, StateStore, Variables,
};
use std::path::PathBuf;
use std::sync::Arc;

/// Makes an [`Engine`]. Everything that the engine knows of the machine is said here: it reads no environment variable
/// and no home folder by itself.
///
/// ```
/// # fn main() -> Result<(), skills::Error> {
/// use skills::{Engine, Limits};
/// let engine = Engine::builder()
///     .limits(Limits { memory: Some(64 << 20), ..Limits::default() })
///     .allow_read("/srv/data")
///     .build()?;
/// # drop(engine);
/// # Ok(())
/// # }
/// ```
pub struct EngineBuilder {
    languages: Languages,
    bundled: bool,
    layout: Layout,
    sources: Vec<Arc<dyn SkillSource>>,
    config: Config,
    host: HostRules,
    people: People,
    ceiling: Limits,
    state: Arc<dyn StateStore>,
    events: Arc<dyn EventSink>,
    programs: Programs,
    secrets: Option<Arc<dyn SecretSource>>,
    secret_command: Option<Arc<dyn SecretCommand>>,
    variables: Arc<dyn Variables>,
    workers: WorkerSettings,
    sessions: Option<SessionHub>,
    session_store: Option<SessionStore>,
    max_sessions: Option<usize>,
}

/// How many sessions there may be where nobody says.
pub(crate) const MOST_SESSIONS: usize = 100;

impl EngineBuilder {
    pub(crate) fn new() -> EngineBuilder {
        EngineBuilder {
            languages: Languages::built_in(),
            bundled: true,
            layout: Layout::default(),
            sources: Vec::new(),
            config: Config::default(),
            host: HostRules::default(),
            people: People { trust: Trust::default(), approver: None, decisions: Arc::new(MemoryDecisions::default()) },
            ceiling: Limits::none(),
            state: Arc::new(MemoryState::default()),
            events: Arc::new(NoEvents),
            programs: Programs::default(),
            secrets: None,
            secret_command: None,
            variables: Arc::new(NoVariables),
            workers: WorkerSettings::default(),
            sessions: None,
            session_store: None,
            max_sessions: None,
        }
    }

    /// Whether the bundled skills are there; they are by default.
    #[must_use]
    pub fn bundled(mut self, bundled: bool) -> EngineBuilder {
        self.bundled = bundled;
        self
    }

    /// Where to look for skills beside the bundled ones.
    #[must_use]
    pub fn layout(mut self, layout: Layout) -> EngineBuilder {
        self.layout = layout;
        self
    }

    /// Adds skills that are in no folder, with the scope `host`: they have the host program's own trust, and shadow all others
    /// of their names. Of two sources the one that was added later does.
    ///
    /// ```
    /// # fn main() -> Result<(), skills::Error> {
    /// use skills::{Engine, MemorySkills};
    /// let greet = r#"{"name": "greet", "description": "Greets", "type": "code_inline", "language": "rhai",
    ///     "code": "file://./greet.rhai", "parameters": [{"name": "who", "type": "string", "required": true}]}"#;
    /// let skills = MemorySkills::new("shop").with("greet.json", greet).with("greet.rhai", "`Hello, ${params.who}!`");
    /// let engine = Engine::builder().source(skills).build()?;
    /// assert_eq!(engine.run("greet", serde_json::json!({"who": "Ada"}))?, "Hello, Ada!");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn source(mut self, source: impl SkillSource + 'static) -> EngineBuilder {
        self.sources.push(Arc::new(source));
        self
    }

    /// The configuration.
    #[must_use]
    pub fn config(mut self, config: Config) -> EngineBuilder {
        self.config = config;
        self
    }

    /// The host's ceiling: no run gets more, whatever its definition or caller asks for.
    #[must_use]
    pub fn limits(mut self, ceiling: Limits) -> EngineBuilder {
        self.ceiling = ceiling;
        self
    }

    /// Lets skills that ask for it read below a folder.
    #[must_use]
    pub fn allow_read(mut self, folder: impl Into<PathBuf>) -> EngineBuilder {
        self.host.read.push(folder.into());
        self
    }

    /// Lets skills that ask for it write below a folder, and read there.
    #[must_use]
    pub fn allow_write(mut self, folder: impl Into<PathBuf>) -> EngineBuilder {
        self.host.write.push(folder.into());
        self
    }

    /// Lets skills that ask for them have these, beside folders: hosts, programs, environment variables, secrets.
    #[must_use]
    pub fn allow(mut self, permissions: Permissions) -> EngineBuilder {
        crate::definition::permissions::join(&mut self.host.allowed, permissions);
        self
    }

    /// Denies these to every skill, whoever allows them. A wider thing that holds a denied one is denied too.
    #[must_use]
    pub fn deny(mut self, permissions: Permissions) -> EngineBuilder {
        crate::definition::permissions::join(&mut self.host.denied, permissions);
        self
    }

    /// The host's ceiling on permissions: nobody gets more, whatever the configuration or a person says. What it leaves out
    /// is not bounded.
    #[must_use]
    pub fn permissions(mut self, ceiling: Permissions) -> EngineBuilder {
        self.host.ceiling = ceiling;
        self
    }

    /// Which skills are trusted without a decision; by default those that the host program itself names.
    #[must_use]
    pub fn trust(mut self, trust: Trust) -> EngineBuilder {
        self.people.trust = trust;
        self
    }

    /// Who answers what policy leaves open. Without anybody the answer is no.
    #[must_use]
    pub fn approver(mut self, approver: Arc<dyn Approver>) -> EngineBuilder {
        self.people.approver = Some(approver);
        self
    }

    /// Where decisions are kept; in memory by default. [`SqliteDecisions`](crate::SqliteDecisions) keeps them in a file.
    #[must_use]
    pub fn decisions(mut self, decisions: Arc<dyn DecisionStore>) -> EngineBuilder {
        self.people.decisions = decisions;
        self
    }

    /// Where relative paths start, in definitions' permissions and in `skill.fs`.
    #[must_use]
    pub fn working_directory(mut self, folder: impl Into<PathBuf>) -> EngineBuilder {
        self.host.working_directory = Some(folder.into());
        self
    }

    /// Where skills keep state; in memory by default.
    #[must_use]
    pub fn state(mut self, state: Arc<dyn StateStore>) -> EngineBuilder {
        self.state = state;
        self
    }

    /// Where output, log lines and progress are reported; nowhere by default.
    #[must_use]
    pub fn events(mut self, events: Arc<dyn EventSink>) -> EngineBuilder {
        self.events = events;
        self
    }

    /// Lets skills that ask for it have a secret, by its name.
    #[must_use]
    pub fn allow_secret(mut self, name: impl Into<String>) -> EngineBuilder {
        self.host.allowed.secrets.get_or_insert_default().push(name.into());
        self
    }

    /// Lets skills that ask for it have an environment variable, by its name.
    #[must_use]
    pub fn allow_environment(mut self, name: impl Into<String>) -> EngineBuilder {
        self.host.allowed.environment.get_or_insert_default().push(name.into());
        self
    }

    /// Where the values of secrets come from, instead of the places that the configuration names.
    #[must_use]
    pub fn secrets(mut self, source: Arc<dyn SecretSource>) -> EngineBuilder {
        self.secrets = Some(source);
        self
    }

    /// What runs the programs that the configuration names for secrets; without it, such a secret cannot be had.
    #[must_use]
    pub fn secret_command(mut self, command: Arc<dyn SecretCommand>) -> EngineBuilder {
        self.secret_command = Some(command);
        self
    }

    /// Where the values of environment variables come from, for secrets and for skills that were granted some; without
    /// it, none is set. It is asked for one name at a time, when the value is needed.
    ///
    /// ```
    /// # fn main() -> Result<(), skills::Error> {
    /// let engine = skills::Engine::builder()
    ///     .variables(|name: &str| (name == "CITY").then(|| "Oslo".to_owned()))
    ///     .build()?;
    /// # drop(engine);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn variables(mut self, source: impl Variables + 'static) -> EngineBuilder {
        self.variables = Arc::new(source);
        self
    }

    /// Adds an interpreter, instead of a built-in one for the languages it takes.
    #[must_use]
    pub fn interpreter(mut self, interpreter: Arc<dyn Interpreter>) -> EngineBuilder {
        self.languages.add(interpreter);
        self
    }

    /// The executable that workers are started from: a program that calls [`worker_main`](crate::worker_main) first thing in its
    /// `main`, such as the `skills` command.
    #[must_use]
    pub fn worker(mut self, executable: impl Into<PathBuf>) -> EngineBuilder {
        self.workers.executable = Some(executable.into());
        self
    }

    /// Says that the host program's own `main` calls [`worker_main`](crate::worker_main) first thing, so that workers can be
    /// started from it where there is no other executable.
    #[must_use]
    pub fn reexec(mut self) -> EngineBuilder {
        self.workers.reexec = true;
        self
    }

    /// Where containers come from, for the tier `container`: by default Docker's own socket.
    #[cfg(all(target_os = "linux", feature = "container"))]
    #[must_use]
    pub fn containers(mut self, options: skills_sandbox::container::ContainerOptions) -> EngineBuilder {
        self.workers.containers = options;
        self
    }

    /// How many workers are kept ready for each language that is used, beside those that serve; 2 by default, 0 for none.
    #[must_use]
    pub fn ready_workers(mut self, count: usize) -> EngineBuilder {
        self.workers.pool.ready = count;
        self
    }

    /// What starts programs and bash, instead of workers of this engine.
    #[must_use]
    pub fn launcher(mut self, launcher: Arc<dyn Launcher>) -> EngineBuilder {
        self.programs.launcher = Some(launcher);
        self
    }

    /// The folders that programs are looked for in, instead of those of the system. Relative ones do not count.
    #[must_use]
    pub fn program_folders(mut self, folders: impl IntoIterator<Item = PathBuf>) -> EngineBuilder {
        self.programs.search = folders.into_iter().filter(|folder| folder.is_absolute()).collect();
        self
    }

    /// Where sessions are found, for several engines that share them; by default each engine has a hub of its own.
    #[must_use]
    pub fn sessions(mut self, hub: SessionHub) -> EngineBuilder {
        self.sessions = Some(hub);
        self
    }

    /// Where sessions with [`Persistence::Disk`](crate::Persistence::Disk) lie; without it, they are refused.
    #[must_use]
    pub fn session_store(mut self, store: SessionStore) -> EngineBuilder {
        self.session_store = Some(store);
        self
    }

    /// How many sessions there may be at once for this engine to open another one; by default what `session_config.max_sessions` of
    /// the configuration says, else 100.
    #[must_use]
    pub fn max_sessions(mut self, most: usize) -> EngineBuilder {
        self.max_sessions = Some(most);
        self
    }

    /// Makes the engine, and finds the skills. No interpreter starts. A definition that is broken hides nothing but
    /// itself: [`Engine::catalog`] tells what is wrong with it.
    ///
    /// # Errors
    /// `invalid_arguments` where a rule of what is denied cannot be read, and for a source whose name is none.
    pub fn build(self) -> Result<Engine, Error> {
        let EngineBuilder {
            languages,
            bundled,
            layout,
            sources,
            config,
            host,
            people,
            ceiling,
            state,
            events,
            mut programs,
            mut workers,
            sessions,
            session_store,
            max_sessions,
            ..
        } = self;
        let policy = Policy::new(&host, &config)?;
        if let Some(source) = sources.iter().find(|source| !is_name(source.name())) {
            let message = format!("a source cannot be called `{}`", source.name().escape_debug());
            return Err(Error::new(ErrorKind::InvalidArguments, message).with_help("use letters, digits, `-` and `_`"));
        }
        let limits =
            LimitSources { defaults: config.default_limits(), definitions: config.most_of_definitions(), ceiling };
        let execution = &config.performance.execution;
        workers.pool.most = usize::try_from(execution.max_concurrent_skills).unwrap_or(usize::MAX);
        workers.pool.queue = usize::try_from(execution.execution_queue_size).unwrap_or(usize::MAX);
        let configured = config.sessions.max_sessions.map(|most| usize::try_from(most).unwrap_or(usize::MAX));
        let workers = Arc::new(LazyWorkers::new(workers));
        programs.workers = Arc::clone(&workers);
        let catalog = Catalog::new(Places { bundled, layout, sources, config: config.clone() });
        let variables = self.variables;
        let secrets = self.secrets.unwrap_or_else(|| {
            let (places, variables) = (config.secrets.clone(), Arc::clone(&variables));
            Arc::new(Configured { places, variables, command: self.secret_command })
        });
        Ok(Engine::from_parts(Parts {
            languages,
            catalog,
            policy,
            people,
            limits,
            state,
            events,
            programs,
            workers,
            secrets,
            variables,
            sessions,
            session_store,
            max_sessions: max_sessions.or(configured).unwrap_or(MOST_SESSIONS),
        }))
    }
}

/// Whether a source can be called that: its name stands before the colon in the names of its files.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}
