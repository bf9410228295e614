//! What a process was started with: its working folder and its environment. The command has its own; the session host has
//! those of its clients.

#![expect(clippy::disallowed_methods, reason = "the one place of the command that reads the environment")]

use serde::{Deserialize, Serialize};
use skills::LogLevel;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// A working folder and an environment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Surroundings {
    /// Kept as the machine has it: a path need not be text.
    cwd: OsString,
    /// By name, sorted.
    variables: Vec<(OsString, OsString)>,
}

impl Surroundings {
    /// Those of this process.
    pub(crate) fn own() -> Surroundings {
        let cwd = std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")).into_os_string();
        let mut variables: Vec<_> = std::env::vars_os().collect();
        variables.sort();
        Surroundings { cwd, variables }
    }

    /// The working folder.
    pub(crate) fn cwd(&self) -> &Path {
        Path::new(&self.cwd)
    }

    /// Every environment variable.
    pub(crate) fn variables(&self) -> &[(OsString, OsString)] {
        &self.variables
    }

    /// An environment variable.
    pub(crate) fn var_os(&self, name: &str) -> Option<&OsStr> {
        self.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_os_str())
    }

    /// An environment variable, where it is text.
    pub(crate) fn var(&self, name: &str) -> Option<String> {
        self.var_os(name)?.to_str().map(str::to_owned)
    }

    /// A folder from an environment variable, which counts only where it is absolute.
    pub(crate) fn folder(&self, variable: &str) -> Option<PathBuf> {
        self.var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
    }

    /// The folder of this command below one that a variable names, else below one of the home.
    pub(crate) fn own_folder(&self, variable: &str, default: &str) -> Option<PathBuf> {
        let base = self.folder(variable).or_else(|| self.folder("HOME").map(|home| home.join(default)));
        base.map(|base| base.join("skills"))
    }

    /// The folders that programs are looked for in.
    pub(crate) fn program_folders(&self) -> Vec<PathBuf> {
        self.var_os("PATH").map(|path| std::env::split_paths(path).collect()).unwrap_or_default()
    }

    /// The socket of the container engine that `DOCKER_HOST` names; only a socket of this machine counts.
    pub(crate) fn container_socket(&self) -> Option<PathBuf> {
        self.var("DOCKER_HOST")?.strip_prefix("unix://").map(PathBuf::from)
    }

    /// The least important log lines that are shown: `SKILLS_LOG=debug` shows all.
    pub(crate) fn log_level(&self) -> LogLevel {
        match self.var_os("SKILLS_LOG") {
            Some(level) if level == "debug" => LogLevel::Debug,
            _ => LogLevel::Info,
        }
    }
}
