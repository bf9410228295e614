//! Sessions on disk: one file each, signed with a key of the user.

#![expect(clippy::disallowed_methods, reason = "the owner of the files of sessions; the host program names the folder")]

use crate::Isolation;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use skills_core::{ErrorKind, Failure, Language, Lost};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

mod claim;
mod file;
mod key;
mod record;
#[cfg(test)]
mod tests;

pub use key::StoreKey;

pub(crate) use file::{Saved, SessionFile, unsaved};
pub(crate) use record::Record;

/// A folder in which sessions outlive their process: what a session with
/// [`Persistence::Disk`](crate::Persistence::Disk) holds is there before an evaluation is answered.
///
/// Each session is a file of its own, which only its owner can read, signed with the user's key: one that was changed,
/// replaced by that of another session or by an older copy of itself, or signed with another key is refused and named. An
/// older copy of the whole folder cannot be told from the folder as it was: whoever brings a backup back does just that.
#[derive(Debug, Clone)]
pub struct SessionStore(Arc<Place>);

/// Where sessions are to lie.
#[derive(Debug)]
struct Place {
    folder: PathBuf,
    key: Key,
    limits: StoreLimits,
    inner: OnceLock<Arc<Inner>>,
}

#[derive(Debug)]
enum Key {
    Given(StoreKey),
    /// In a file, which is made when the first session is kept.
    In(PathBuf),
}

/// A folder that is there.
#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    key: StoreKey,
    limits: StoreLimits,
}

/// How much room sessions on disk may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreLimits {
    /// The namespace of one session, in bytes.
    pub session: u64,
    /// All that is in the folder, in bytes.
    pub total: u64,
}

impl Default for StoreLimits {
    /// 256 MiB a session, 2 GiB in all.
    fn default() -> StoreLimits {
        StoreLimits { session: 256 << 20, total: 2 << 30 }
    }
}

/// A session as it lies on disk.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StoredSession {
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub owner: String,
    /// The skill that it is one of.
    pub skill: Option<String>,
    /// Its language.
    pub language: Language,
    /// Where it ran, and has to run at least.
    pub isolation: Isolation,
    /// How many evaluations it has seen.
    pub evaluations: u64,
    /// How large its namespace is, in bytes.
    pub bytes: u64,
    /// When it was saved, in milliseconds since 1970.
    pub saved: u64,
    /// What could not be saved.
    pub lost: Vec<Lost>,
    /// Where it is.
    pub file: PathBuf,
}

impl SessionStore {
    /// The sessions in a folder, which is made where it is not there.
    ///
    /// # Errors
    /// `unavailable` where it cannot be used, `permission_denied` where others may enter it.
    pub fn open(folder: impl AsRef<Path>, key: StoreKey, limits: StoreLimits) -> Result<SessionStore, crate::Error> {
        let store = SessionStore::of(folder.as_ref(), Key::Given(key), limits);
        store.inner()?;
        Ok(store)
    }

    /// The sessions in a folder, with the key in a file, which are made when the first session is kept there.
    pub fn lazy(folder: impl AsRef<Path>, key_file: impl AsRef<Path>, limits: StoreLimits) -> SessionStore {
        SessionStore::of(folder.as_ref(), Key::In(key_file.as_ref().to_owned()), limits)
    }

    fn of(folder: &Path, key: Key, limits: StoreLimits) -> SessionStore {
        SessionStore(Arc::new(Place { folder: folder.to_owned(), key, limits, inner: OnceLock::new() }))
    }

    /// The folder, made and looked at.
    fn inner(&self) -> Result<&Arc<Inner>, Failure> {
        let Place { folder, key, limits, inner } = &*self.0;
        if let Some(inner) = inner.get() {
            return Ok(inner);
        }
        let failed = |error: std::io::Error| {
            Failure::new(ErrorKind::Unavailable, format!("cannot keep sessions in {}: {error}", folder.display()))
                .with_help("name a folder that can be written")
        };
        make_folder(folder).map_err(failed)?;
        let folder = folder.canonicalize().map_err(failed)?;
        check_mode(&folder)?;
        let key = match key {
            Key::Given(key) => key.clone(),
            Key::In(file) => StoreKey::in_file(file).map_err(|error| error.failure().clone())?,
        };
        Ok(inner.get_or_init(|| Arc::new(Inner { folder, key, limits: *limits })))
    }

    /// The same without making it.
    fn existing(&self) -> Result<Option<&Arc<Inner>>, Failure> {
        match self.0.folder.try_exists() {
            Ok(false) => Ok(None),
            _ => self.inner().map(Some),
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// The sessions that are there, by name, and what is wrong with the files that hold none that can be used.
    ///
    /// # Errors
    /// `unavailable` where the folder cannot be read.
    pub fn list(&self) -> Result<(Vec<StoredSession>, Vec<crate::Error>), crate::Error> {
        let (mut found, mut wrong) = (Vec::new(), Vec::new());
        let Some(inner) = self.existing()? else { return Ok((found, wrong)) };
        for file in inner.files().map_err(|error| inner.unreadable(&error))? {
            match file::look(inner, &file) {
                Ok(Some(manifest)) => found.push(stored(manifest, file)),
                Ok(None) => {}
                Err(failure) => wrong.push(failure.into()),
            }
        }
        found.sort_by(|a: &StoredSession, b| (&a.name, &a.owner).cmp(&(&b.name, &b.owner)));
        Ok((found, wrong))
    }

    /// The sessions of a name, each of another owner.
    ///
    /// # Errors
    /// As [`SessionStore::list`], and what is wrong with a file of this name: whoever asks for the session would otherwise
    /// get an empty one without a word.
    pub fn named(&self, name: &str) -> Result<Vec<StoredSession>, crate::Error> {
        let mut found = Vec::new();
        let Some(inner) = self.existing()? else { return Ok(found) };
        for file in inner.files().map_err(|error| inner.unreadable(&error))? {
            if is_of(&file, name)
                && let Some(manifest) = file::look(inner, &file)?
            {
                found.push(stored(manifest, file));
            }
        }
        found.retain(|session| session.name == name);
        found.sort_by(|a, b| a.owner.cmp(&b.owner));
        Ok(found)
    }

    /// Forgets a session that nobody has open; says whether it was there.
    ///
    /// # Errors
    /// `unavailable` where another process has it, or it cannot be removed.
    pub fn remove(&self, owner: &str, name: &str) -> Result<bool, crate::Error> {
        let Some(inner) = self.existing()? else { return Ok(false) };
        let there = inner.path(owner, name).try_exists().unwrap_or(true);
        if there {
            super::kept::claim(self, owner, name)?.remove()?;
        }
        Ok(there)
    }

    /// Takes a session for this process.
    pub(crate) fn claim(&self, owner: &str, name: &str) -> Result<SessionFile, Failure> {
        let inner = self.inner()?;
        SessionFile::claim(inner, inner.path(owner, name), name)
    }
}

/// What stands before the digest in the name of a file.
fn shown(name: &str) -> String {
    const MOST_OF_NAME: usize = 64;
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let shown: String = name.chars().take(MOST_OF_NAME).map(plain).collect();
    shown.trim_start_matches('.').to_owned()
}

/// Whether a file is that of a session of a name, by its own.
fn is_of(file: &Path, name: &str) -> bool {
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    stem.rsplit_once('-').is_some_and(|(before, _)| before == shown(name))
}

fn stored(manifest: record::Manifest, file: PathBuf) -> StoredSession {
    let Record { name, owner, skill, language, isolation, evaluations, saved, .. } = manifest.record;
    let (bytes, lost) = (manifest.size, manifest.lost);
    StoredSession { name, owner, skill, language, isolation, evaluations, bytes, saved, lost, file }
}

impl Inner {
    /// Where a session is: its name, for people, and what tells it from that of another owner.
    fn path(&self, owner: &str, name: &str) -> PathBuf {
        let digest = Sha256::new().chain_update(owner).chain_update([0]).chain_update(name).finalize();
        let tail: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(format!("{}-{tail}.db", shown(name)))
    }

    /// The files of sessions.
    fn files(&self) -> std::io::Result<Vec<PathBuf>> {
        let files = self.all_files()?.into_iter().map(|(path, _)| path);
        Ok(files.filter(|path| path.extension().is_some_and(|extension| extension == "db")).collect())
    }

    /// All that is in the folder, with the sizes: also the logs that SQLite writes beside a file, which may be as large.
    fn all_files(&self) -> std::io::Result<Vec<(PathBuf, u64)>> {
        let entries = std::fs::read_dir(&self.folder)?;
        // One that is removed meanwhile takes no room.
        let sized = |entry: std::fs::DirEntry| (entry.path(), entry.metadata().map_or(0, |found| found.len()));
        entries.map(|entry| entry.map(sized)).collect()
    }

    /// Refuses what would take more room than all sessions may have.
    fn check_total(&self, own: &Path, size: u64) -> Result<(), Failure> {
        let files = self.all_files().map_err(|error| self.unreadable(&error))?;
        let others: u64 = files.iter().filter(|(path, _)| path != own).map(|(_, size)| size).sum();
        let total = others.saturating_add(size);
        if total <= self.limits.total {
            return Ok(());
        }
        Err(file::too_large(&self.folder, total, self.limits.total, "all sessions together"))
    }

    fn unreadable(&self, error: &std::io::Error) -> Failure {
        let message = format!("cannot read the sessions in {}: {error}", self.folder.display());
        Failure::new(ErrorKind::Unavailable, message)
    }
}

/// Makes a folder that only its owner may enter.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Makes a file that only its owner may read, where there is none.
fn make_file(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    own_file(&mut options);
    options.open(path).map(drop)
}

/// Says that a file is for its owner alone, and that a link in its place is none: it may lead anywhere. A pipe is not
/// waited for.
fn own_file(options: &mut std::fs::OpenOptions) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.mode(0o600).custom_flags(flags.bits().cast_signed());
    }
}

fn remove_if_there(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn check_mode(folder: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(folder).map(|found| found.permissions().mode()).unwrap_or(0);
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let shown = folder.display();
    Err(Failure::new(ErrorKind::PermissionDenied, format!("others may enter {shown}, where sessions are kept"))
        .with_help(format!("what sessions hold is yours alone: `chmod 700 {shown}`")))
}

#[cfg(not(unix))]
fn check_mode(_folder: &Path) -> Result<(), Failure> {
    Ok(())
}
