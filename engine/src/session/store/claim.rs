//! One process has a session: who opens it locks a file beside it, and the system unlocks that however the process ends.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// How often a lock is tried that whoever held it takes away at that moment.
const TRIES: u32 = 16;

/// A session's lock, with what was written of it last.
#[derive(Debug)]
pub(super) struct Claim {
    path: PathBuf,
    file: File,
}

/// Why there is no claim.
pub(super) enum Refused {
    /// The process that has it, where it says.
    Taken(Option<u32>),
    Failed(std::io::Error),
}

impl From<std::io::Error> for Refused {
    fn from(error: std::io::Error) -> Refused {
        Refused::Failed(error)
    }
}

impl Claim {
    pub(super) fn new(path: &Path) -> Result<Claim, Refused> {
        for _ in 0..TRIES {
            let mut file = open(path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(Refused::Taken(read(&mut file).1)),
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
            // Another process may have removed the session between the two.
            if is_at(&file, path) {
                let mut claim = Claim { path: path.to_owned(), file };
                let generation = claim.generation();
                claim.write(generation)?;
                return Ok(claim);
            }
        }
        Err(Refused::Taken(None))
    }

    /// Whether a namespace was ever written, as the lock at a path says; without taking it.
    pub(super) fn written(path: &Path) -> bool {
        path.is_file() && open(path).is_ok_and(|mut file| read(&mut file).0 > 0)
    }

    /// The number of the namespace that was written last, as far as is known.
    pub(super) fn generation(&mut self) -> u64 {
        read(&mut self.file).0
    }

    /// Notes the number of a namespace that is written. It need not be durable: it is only ever too low.
    pub(super) fn write(&mut self, generation: u64) -> std::io::Result<()> {
        // One line of one length, so that each writing replaces the one before.
        let line = format!("{generation:020} {:010}\n", std::process::id());
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(line.as_bytes())
    }

    /// Takes the file away, where the session is no more.
    pub(super) fn remove(self) -> std::io::Result<()> {
        super::remove_if_there(&self.path)
    }
}

#[expect(clippy::disallowed_methods, reason = "a file of the store's own")]
fn open(path: &Path) -> std::io::Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    super::own_file(&mut options);
    options.open(path)
}

/// The generation and the process, of a file that may be new or anything else.
fn read(file: &mut File) -> (u64, Option<u32>) {
    let mut text = String::new();
    if file.seek(SeekFrom::Start(0)).and_then(|_| file.take(64).read_to_string(&mut text)).is_err() {
        return (0, None);
    }
    let mut words = text.split_whitespace();
    let generation = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
    (generation, words.next().and_then(|word| word.parse().ok()))
}

#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "a file of the store's own")]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(own), Ok(there)) => own.ino() == there.ino() && own.dev() == there.dev(),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}
