use skills_core::{Grants, Limits};
use skills_sandbox::{Cage, Kind, LayerName, Programs};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// Somebody who is not root, where the caller is.
const ORDINARY: u32 = 12345;

/// Who confines a process: the caller, or an ordinary user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct User(Option<u32>);

impl User {
    /// Whether this is user 0.
    pub(crate) fn is_root(self) -> bool {
        // SAFETY: only reads.
        self.0.is_none() && unsafe { libc::getuid() } == 0
    }
}

/// Does a test as each user that can confine a process here; says why where none can.
pub(crate) fn each_user(test: impl Fn(User)) {
    if let Some(reason) = unavailable() {
        eprintln!("skipped: {reason}");
        return;
    }
    let users: &[User] = if User(None).is_root() { &[User(None), User(Some(ORDINARY))] } else { &[User(None)] };
    for user in users {
        eprintln!("as {user:?}");
        test(*user);
    }
}

/// Why no process can be confined on this machine, if so: a container without user namespaces, an old kernel.
fn unavailable() -> Option<&'static str> {
    static REASON: OnceLock<Option<String>> = OnceLock::new();
    let reason = REASON.get_or_init(|| {
        let said = Caged::new(User(None)).go();
        said.fault
            .filter(|fault| fault["layer"] == "user_namespace" || fault["layer"] == "landlock")
            .map(|f| f.to_string())
    });
    reason.as_deref()
}

/// A process to confine, and what it is to try.
#[derive(Debug, Clone)]
pub(crate) struct Caged {
    pub(crate) cage: Cage,
    user: User,
    actions: Vec<Vec<String>>,
    run: Vec<String>,
    inherited: Option<PathBuf>,
    variable: Option<(String, String)>,
}

/// What it said.
#[derive(Debug)]
pub(crate) struct Said {
    /// The answer to each action.
    pub(crate) answers: Vec<Result<String, String>>,
    /// What could not be put on.
    pub(crate) fault: Option<serde_json::Value>,
    pub(crate) output: Output,
}

impl Caged {
    /// Nothing granted, no limits.
    pub(crate) fn new(user: User) -> Caged {
        let cage = Cage::new(Grants::NONE, &Limits::none());
        Caged { cage, user, actions: Vec::new(), run: Vec::new(), inherited: None, variable: None }
    }

    pub(crate) fn reading(mut self, path: &Path) -> Caged {
        self.cage.read.push(path.to_owned());
        self
    }

    pub(crate) fn writing(mut self, path: &Path) -> Caged {
        self.cage.write.push(path.to_owned());
        self
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Cage)) -> Caged {
        change(&mut self.cage);
        self
    }

    pub(crate) fn without(mut self, layer: LayerName) -> Caged {
        self.cage.without.push(layer);
        self
    }

    pub(crate) fn programs(mut self, programs: Programs) -> Caged {
        self.cage.programs = programs;
        self
    }

    /// Open as descriptor 50 when the process is confined.
    pub(crate) fn inheriting(mut self, path: &Path) -> Caged {
        self.inherited = Some(path.to_owned());
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Caged {
        self.variable = Some((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn act(mut self, words: &[&str]) -> Caged {
        self.actions.push(words.iter().map(|word| String::from(*word)).collect());
        self
    }

    /// Becomes a shell.
    pub(crate) fn shell(mut self, source: &str) -> Said {
        let shell = Path::new("/bin/sh").canonicalize().unwrap();
        self.run = vec![shell.display().to_string(), String::from("-c"), source.to_owned()];
        self.cage.kind = Kind::Program;
        self.cage.executable = Some(shell);
        self.go()
    }

    /// The answer to one action.
    pub(crate) fn tries(self, words: &[&str]) -> Result<String, String> {
        let said = self.act(words).go();
        said.answers
            .into_iter()
            .next_back()
            .unwrap_or_else(|| Err(format!("no answer: {:?} {:?}", said.fault, said.output)))
    }

    pub(crate) fn go(&self) -> Said {
        let request = serde_json::json!({
            "cage": self.cage, "actions": self.actions, "run": self.run, "inherited": self.inherited,
            "user": self.user.0,
        });
        let mut command = Command::new(executable());
        command.arg(request.to_string());
        if let Some((name, value)) = &self.variable {
            command.env(name, value);
        }
        let output = command.output().unwrap();
        let mut said = Said { answers: Vec::new(), fault: None, output };
        for line in String::from_utf8_lossy(&said.output.stdout).lines() {
            let Ok(mut line) = serde_json::from_str::<serde_json::Value>(line) else { continue };
            if line["fault"].is_object() {
                said.fault = Some(line["fault"].take());
            } else if let Some(error) = line["error"].as_str() {
                said.answers.push(Err(error.to_owned()));
            } else if let Some(got) = line["got"].as_str() {
                said.answers.push(Ok(got.to_owned()));
            }
        }
        said
    }
}

impl Said {
    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }
}

/// The example `caged`, which Cargo builds with the tests.
pub(crate) fn executable() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let built = test.parent().unwrap().parent().unwrap().join("examples/caged");
    assert!(built.exists(), "{} is built by a test of the whole crate, not of one target", built.display());
    built
}

/// A folder that every user can enter. Not below `/tmp`, which is private in confinement.
pub(crate) fn open_folder() -> tempfile::TempDir {
    let root = Path::new("/var/tmp").canonicalize().unwrap();
    let folder = tempfile::Builder::new().prefix("caged-").tempdir_in(root).unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// A folder of a user's own, with a file `a.txt` that says `inside`.
pub(crate) fn folder_of(user: User) -> tempfile::TempDir {
    let folder = open_folder();
    let file = folder.path().join("a.txt");
    std::fs::write(&file, "inside").unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    for path in [folder.path(), &file] {
        own(path, user);
    }
    folder
}

/// Gives a file to a user.
pub(crate) fn own(path: &Path, user: User) {
    if let Some(uid) = user.0 {
        std::os::unix::fs::chown(path, Some(uid), Some(uid)).unwrap();
    }
}

/// Asserts that something was refused, with the system's word for it.
#[track_caller]
pub(crate) fn refused(answer: Result<String, String>, word: &str) {
    match answer {
        Ok(got) => panic!("it was allowed: {got}"),
        Err(error) => assert!(error.contains(word), "{error}"),
    }
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
