//! What the command knows of the machine, and passes to the library: folders, configuration, environment.

#![expect(
    clippy::disallowed_methods,
    reason = "the one place of the command that ends the process, and that knows its executable"
)]

use crate::prompt::Prompt;
use crate::render;
use crate::surroundings::Surroundings;
use skills::{
    Config, ConfigScope, ContainerOptions, Diagnostic, Engine, EngineBuilder, EventSink, Layout, SessionStore,
    SqliteDecisions, StoreLimits, Trust,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Folders and files of this user and this project.
pub(crate) struct Context {
    /// Where the command was started.
    pub(crate) cwd: PathBuf,
    /// Where skills are looked for.
    pub(crate) layout: Layout,
    /// Configuration files that exist, the user's before the project's.
    pub(crate) config_files: Vec<(ConfigScope, PathBuf)>,
    config: Config,
    surroundings: Arc<Surroundings>,
    /// What is wrong with the configuration.
    pub(crate) config_diagnostics: Vec<Diagnostic>,
}

impl Context {
    /// That of this process.
    pub(crate) fn new() -> Context {
        Context::of(Surroundings::own())
    }

    /// Reads the configuration of whoever has these surroundings.
    pub(crate) fn of(surroundings: Surroundings) -> Context {
        let cwd = surroundings.cwd().to_owned();
        let user_config = surroundings.own_folder("XDG_CONFIG_HOME", ".config").map(|dir| dir.join("config.json"));
        let project_root = Layout::project_root(&cwd);
        let project_config = project_root.as_deref().unwrap_or(&cwd).join(".skills/config.json");
        let config_files: Vec<_> = (user_config.map(|path| (ConfigScope::User, path)).into_iter())
            .chain([(ConfigScope::Project, project_config)])
            .filter(|(_, path)| path.is_file())
            .collect();
        let (config, config_diagnostics) = Config::load(&config_files);
        let layout = Layout {
            cwd: cwd.clone(),
            user_data: surroundings.own_folder("XDG_DATA_HOME", ".local/share"),
            home: surroundings.folder("HOME"),
            extra: Vec::new(),
            cache_folder: surroundings.own_folder("XDG_CACHE_HOME", ".cache").map(|dir| dir.join("definitions")),
        };
        Context { cwd, layout, config_files, config, config_diagnostics, surroundings: Arc::new(surroundings) }
    }

    /// An engine for this user and this project, which reports to `events` and asks in the terminal.
    pub(crate) fn engine(&self, events: Arc<dyn EventSink>) -> Result<Engine, skills::Error> {
        for diagnostic in &self.config_diagnostics {
            render::diagnostic(diagnostic);
        }
        let mut builder = self.builder().approver(Arc::new(Prompt)).events(events);
        if let Ok(path) = std::env::current_exe() {
            // A command runs once: what would be kept ready would end with it.
            builder = builder.worker(path).ready_workers(0);
        }
        builder.build()
    }

    /// What every engine for this user and this project is made of, but for where it reports, whom it asks and where its
    /// workers come from.
    pub(crate) fn builder(&self) -> EngineBuilder {
        let variables = Arc::clone(&self.surroundings);
        let mut builder = Engine::builder()
            .layout(self.layout.clone())
            .config(self.config.clone())
            .working_directory(&self.cwd)
            .variables(move |name: &str| variables.var(name))
            .secret_command(Arc::new(crate::secrets::Commands::new(Arc::clone(&self.surroundings))))
            .program_folders(self.surroundings.program_folders())
            .trust(Trust::Decided);
        if let Some(socket) = self.surroundings.container_socket() {
            builder = builder.containers(ContainerOptions { socket, ..ContainerOptions::default() });
        }
        if let Some(file) = self.decisions_file() {
            builder = builder.decisions(Arc::new(SqliteDecisions::new(file)));
        }
        if let Some(store) = self.session_store() {
            builder = builder.session_store(store);
        }
        // The working folder, unless the user's own configuration says which folders.
        let stated = || self.config.security.stated.iter().filter(|(scope, _)| *scope == ConfigScope::User);
        if !stated().any(|(_, stated)| stated.file_read.is_some()) {
            builder = builder.allow_read(&self.cwd);
        }
        if !stated().any(|(_, stated)| stated.file_write.is_some()) {
            builder = builder.allow_write(&self.cwd);
        }
        builder
    }

    /// Where decisions are kept, where there is a home at all.
    pub(crate) fn decisions_file(&self) -> Option<PathBuf> {
        self.layout.user_data.as_ref().map(|data| data.join("decisions.db"))
    }

    /// Where sessions on disk lie, where there is a home at all. The key that signs them lies beside it.
    pub(crate) fn session_store(&self) -> Option<SessionStore> {
        let data = self.layout.user_data.as_ref()?;
        Some(SessionStore::lazy(data.join("sessions"), data.join("sessions.key"), StoreLimits::default()))
    }

    /// After how long of nothing the session host ends, where the configuration says it.
    pub(crate) fn host_idle(&self) -> Option<Duration> {
        self.config.sessions.host_idle
    }

    /// An engine that reports nothing.
    pub(crate) fn quiet_engine(&self) -> Result<Engine, skills::Error> {
        self.engine(Arc::new(skills::NoEvents))
    }
}

/// A path as a person wrote it, from the working folder where that is shorter.
pub(crate) fn shown(path: &Path, cwd: &Path) -> String {
    path.strip_prefix(cwd).unwrap_or(path).display().to_string()
}

/// Does something when the user presses Ctrl-C, instead of ending the process at once. The second time it ends.
pub(crate) fn on_interrupt(stop: impl Fn() + Send + 'static) {
    let pressed = std::sync::atomic::AtomicBool::new(false);
    let handler = move || {
        if pressed.swap(true, std::sync::atomic::Ordering::SeqCst) {
            // The script did not stop when asked: an in-process C call may not.
            #[allow(clippy::exit)]
            std::process::exit(i32::from(crate::exit::INTERRUPTED));
        }
        stop();
    };
    // Without a handler, Ctrl-C ends the process: fine too.
    drop(ctrlc::set_handler(handler));
}
