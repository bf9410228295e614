//! Which files a confined process may execute.

#![expect(clippy::disallowed_methods, reason = "looks around in the tree of the confined process, from inside")]

use crate::{Cage, Programs};
use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Where a program is looked for by its name.
pub(super) const PATH: [&str; 6] = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"];
/// What the kernel runs a program through.
const LOADERS: [&str; 5] = [
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-musl-x86_64.so.1",
    "/lib/ld-musl-aarch64.so.1",
    "/lib64/ld-linux-aarch64.so.1",
];
/// Where programs keep what they run themselves, in a folder of their name.
const HELPERS: [&str; 4] = ["/usr/lib", "/usr/libexec", "/usr/local/lib", "/usr/local/libexec"];

/// What may be executed.
#[derive(Debug, Default)]
pub(super) struct Executables {
    /// Everything that is seen.
    pub all: bool,
    /// Files, and folders of them.
    real: BTreeSet<(PathBuf, bool)>,
    /// The paths that lead to them.
    paths: BTreeSet<PathBuf>,
}

impl Executables {
    /// What a cage grants, found in the tree of the process.
    pub(super) fn of(cage: &Cage) -> Executables {
        let mut found = Executables { all: cage.programs == Programs::All, ..Executables::default() };
        if let Programs::Only(names) = &cage.programs {
            names.iter().for_each(|name| found.add(name, 0));
        }
        if let Some(executable) = cage.executable.as_ref().filter(|_| !found.all) {
            found.add(&executable.to_string_lossy(), 0);
        }
        if !found.real.is_empty() {
            let loaders = LOADERS.iter().filter_map(|loader| Path::new(loader).canonicalize().ok());
            found.real.extend(loaders.map(|path| (path, false)));
        }
        found
    }

    /// Those that are named, and whether each is a folder.
    pub(super) fn real(&self) -> impl Iterator<Item = (&Path, bool)> {
        self.real.iter().map(|(path, folder)| (path.as_path(), *folder))
    }

    /// The paths by which those that are named are started.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.paths.iter().map(PathBuf::as_path)
    }

    /// Adds a program, and where it is a script what runs that.
    fn add(&mut self, name: &str, depth: u8) {
        let Some(path) = look_up(name) else { return };
        let Ok(real) = path.canonicalize() else { return };
        if depth > 4 || !self.paths.insert(path.clone()) {
            return;
        }
        self.real.insert((real.clone(), false));
        if let Some(line) = shebang(&real) {
            let mut words = line.split_ascii_whitespace();
            let interpreter = words.next().unwrap_or_default();
            self.add(interpreter, depth + 1);
            if interpreter.ends_with("/env")
                && let Some(program) = words.find(|word| !word.starts_with('-') && !word.contains('='))
            {
                self.add(program, depth + 1);
            }
        }
        let Some(own) = path.file_name().and_then(|name| name.to_str()) else { return };
        for helpers in HELPERS {
            for folder in [own.to_owned(), format!("{own}-core")] {
                let folder = Path::new(helpers).join(folder);
                if folder.is_dir() {
                    self.real.insert((folder, true));
                }
            }
        }
    }
}

fn look_up(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name));
    }
    PATH.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.is_file())
}

/// The line that says what runs a script, without its mark.
fn shebang(path: &Path) -> Option<String> {
    let mut start = [0u8; 256];
    let read = std::fs::File::open(path).ok()?.read(&mut start).ok()?;
    let text = start[..read].strip_prefix(b"#!")?;
    let line = text.split(|byte| *byte == b'\n').next()?;
    Some(String::from_utf8_lossy(line).into_owned())
}
