#![expect(clippy::disallowed_methods, reason = "the host program's own executable is where its worker's is looked for")]

use skills_core::{ErrorKind, Failure};
use std::path::{Path, PathBuf};

/// The executable that workers are started from: a program that calls the worker's entry first thing in its `main`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Executable {
    path: PathBuf,
}

/// Names that a worker executable has beside the host program's.
const SIBLINGS: [&str; 2] = ["skills-worker", "skills"];

impl Executable {
    /// The executable of a path.
    pub fn at(path: impl Into<PathBuf>) -> Executable {
        Executable { path: path.into() }
    }

    /// The one to use: `given` where the host program names one, else `skills-worker` or `skills` in the folder of the host
    /// program's own executable, else, where the host program says that its `main` calls the worker's entry, that executable
    /// itself.
    ///
    /// # Errors
    /// `unavailable`, naming these three ways.
    pub fn find(given: Option<&Path>, reexec: bool) -> Result<Executable, Failure> {
        if let Some(path) = given {
            return match path.is_file() {
                true => Ok(Executable::at(path)),
                false => Err(missing(format!("there is no worker executable at {}", path.display()))),
            };
        }
        let current = std::env::current_exe().ok();
        let sibling = current
            .as_deref()
            .and_then(Path::parent)
            .and_then(|folder| SIBLINGS.iter().map(|name| folder.join(name)).find(|path| path.is_file()));
        match sibling {
            Some(path) => Ok(Executable::at(path)),
            // The link stays good when the file is replaced while the program runs.
            None if reexec && cfg!(target_os = "linux") => Ok(Executable::at("/proc/self/exe")),
            None => Err(missing("no worker executable was found".into())),
        }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn missing(message: String) -> Failure {
    Failure::new(ErrorKind::Unavailable, message).with_help(
        "name one with `EngineBuilder::worker(path)`, put `skills-worker` or `skills` beside the program's executable, or call \
         `skills::worker_main()` first thing in `main` and build the engine with `EngineBuilder::reexec()`",
    )
}
