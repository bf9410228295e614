//! What several tests use.

use std::path::{Path, PathBuf};

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// The tiers that there are on this machine. Says why where workers are not among them.
#[allow(clippy::print_stdout, reason = "a test that is skipped says why")]
pub(crate) fn tiers() -> Vec<skills::Isolation> {
    let engine = skills::Engine::builder().worker(env!("CARGO_BIN_EXE_skills")).build().unwrap();
    match engine.workers_available() {
        Ok(()) => vec![skills::Isolation::InProcess, skills::Isolation::Worker],
        Err(error) => {
            println!("skipped in workers: {error}");
            vec![skills::Isolation::InProcess]
        }
    }
}

/// The folders directly below a folder, sorted.
pub(crate) fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut all: Vec<_> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    all.sort();
    all
}

/// A JSON file.
pub(crate) fn read_json(path: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The `skills` command in a folder of its own, with a home that is empty.
pub(crate) struct Sandbox {
    pub(crate) folder: tempfile::TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Sandbox {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("work")).unwrap();
        for name in ["run", "tmp"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        Sandbox { folder }
    }

    /// The working folder.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Writes a file below the working folder.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The command, ready to get arguments.
    pub(crate) fn skills(&self) -> assert_cmd::Command {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_skills"));
        command.current_dir(self.path()).env_clear().env("HOME", self.folder.path()).env("PATH", "/usr/bin:/bin");
        // The machine's own container engine is not asked.
        command.env("DOCKER_HOST", "unix:///nowhere/docker.sock");
        // Nor is the session host of whoever runs the tests.
        command.env("XDG_RUNTIME_DIR", self.folder.path().join("run"));
        command
    }

    /// The folder of the session host.
    pub(crate) fn meeting_place(&self) -> PathBuf {
        self.folder.path().join("run/skills")
    }

    /// Runs it with arguments, and gives its exit code, stdout and stderr.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let output = self.skills().args(arguments).output().unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if self.meeting_place().join("host.sock").exists() {
            drop(self.skills().args(["sessions", "stop", "--force"]).output());
        }
    }
}

/// What came of running the command.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Stdout as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Fails unless the exit code is this.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "{self:?}");
        self
    }
}
