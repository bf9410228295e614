//! The folder that the host and its clients meet in.

#![cfg_attr(test, expect(clippy::disallowed_methods, reason = "tests make the folders that it is to refuse"))]

use crate::surroundings::Surroundings;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use skills::{Error, ErrorKind};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// The name of the socket in it.
const SOCKET: &str = "host.sock";

/// What whoever starts a host holds while starting it.
const STARTING: &str = "starting.lock";

/// What the host holds as long as it lives.
const RUNNING: &str = "host.lock";

/// Names of sessions that are gone if the host is killed.
const NAMES: &str = "sessions.json";

/// The same while it is being written.
const NEW_NAMES: &str = "sessions.json.new";

/// The most that is read of it, in bytes.
const MOST_NAMES: u64 = 1 << 20;

/// A folder that is this user's own and that nobody else may enter, held open: what its path leads to later does not matter.
pub(super) struct Folder {
    path: PathBuf,
    handle: OwnedFd,
}

impl Folder {
    /// Where it is: `$XDG_RUNTIME_DIR/skills`, else `/tmp/skills-UID`.
    pub(super) fn place(surroundings: &Surroundings) -> PathBuf {
        match surroundings.folder("XDG_RUNTIME_DIR").filter(|folder| folder.is_dir()) {
            Some(folder) => folder.join("skills"),
            None => PathBuf::from(format!("/tmp/skills-{}", rustix::process::geteuid().as_raw())),
        }
    }

    /// Opens it, where it is there.
    pub(super) fn existing(path: &Path) -> Result<Option<Folder>, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let refused = |why: &str| {
            Error::new(ErrorKind::PermissionDenied, format!("cannot use {} for sessions: {why}", path.display()))
                .with_help(format!("see who made it; where nobody needs it, remove it: `rm -r {}`", path.display()))
        };
        let handle = match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(handle) => handle,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::NOTDIR) => return Err(refused("it is a link or a file, and no folder")),
            Err(error) => return Err(refused(&error.to_string())),
        };
        let stat = rustix::fs::fstat(&handle).map_err(|error| refused(&error.to_string()))?;
        if stat.st_uid != rustix::process::geteuid().as_raw() {
            return Err(refused("it belongs to another user"));
        }
        if stat.st_mode & 0o077 != 0 {
            return Err(refused("others may enter it")
                .with_help(format!("where nobody has put anything into it: `chmod 700 {}`", path.display())));
        }
        Ok(Some(Folder { path: path.to_owned(), handle }))
    }

    /// Opens it, and makes it first where it is not there.
    pub(super) fn made(path: &Path) -> Result<Folder, Error> {
        match rustix::fs::mkdir(path, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => {
                let message = format!("cannot make {} for sessions: {error}", path.display());
                let help = "let XDG_RUNTIME_DIR name a folder of yours that can be written to";
                return Err(Error::new(ErrorKind::Unavailable, message).with_help(help));
            }
        }
        Folder::existing(path)?.ok_or_else(|| {
            Error::new(ErrorKind::Unavailable, format!("{} was removed as soon as it was made", path.display()))
        })
    }

    /// Its path, for a person.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A path of something in it that leads there whatever became of its own path, and that is short enough for a socket.
    fn inside(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}/{name}", self.handle.as_raw_fd()))
    }

    /// A connection to whoever listens.
    pub(super) fn connect(&self) -> io::Result<UnixStream> {
        UnixStream::connect(self.inside(SOCKET))
    }

    /// Listens, for this user only. What is left of an earlier socket goes: call it with the [lock](Folder::running) of the host.
    pub(super) fn listen(&self) -> io::Result<UnixListener> {
        self.unlisten();
        let listener = UnixListener::bind(self.inside(SOCKET))?;
        // The folder lets nobody else in; this is for who opens it up later.
        rustix::fs::chmodat(&self.handle, SOCKET, Mode::RUSR | Mode::WUSR, AtFlags::empty())?;
        Ok(listener)
    }

    /// Takes the socket away, so that nobody comes any more.
    pub(super) fn unlisten(&self) {
        // Where there is none, there is nothing to take away.
        let _ = rustix::fs::unlinkat(&self.handle, SOCKET, AtFlags::empty());
    }

    /// Which file the socket is; `None` where nobody can find it any more.
    pub(super) fn socket_id(&self) -> Option<(u64, u64)> {
        // By the path that clients come by, and not by what is held open.
        let stat = rustix::fs::stat(self.path.join(SOCKET)).ok()?;
        (FileType::from_raw_mode(stat.st_mode) == FileType::Socket).then_some((stat.st_dev, stat.st_ino))
    }

    /// Waits until nobody else is starting a host. It counts as long as the file is open.
    pub(super) fn starting(&self) -> io::Result<File> {
        let file = self.lock_file(STARTING)?;
        file.lock()?;
        Ok(file)
    }

    /// What says that a host runs; `None` where another one has it.
    pub(super) fn running(&self) -> io::Result<Option<File>> {
        let file = self.lock_file(RUNNING)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(error),
        }
    }

    /// Notes names for the next host.
    pub(super) fn note(&self, names: &[&str]) {
        use std::io::Write as _;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let write = || -> io::Result<()> {
            let file = rustix::fs::openat(&self.handle, NEW_NAMES, flags, Mode::RUSR | Mode::WUSR)?;
            File::from(file).write_all(&serde_json::to_vec(names)?)?;
            rustix::fs::renameat(&self.handle, NEW_NAMES, &self.handle, NAMES)?;
            Ok(())
        };
        // They make a message better; nothing depends on them.
        drop(write());
    }

    /// The names that an earlier host noted last.
    pub(super) fn noted(&self) -> Vec<String> {
        use std::io::Read as _;
        let read = || -> io::Result<Vec<String>> {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let file = File::from(rustix::fs::openat(&self.handle, NAMES, flags, Mode::empty())?);
            let mut bytes = Vec::new();
            file.take(MOST_NAMES).read_to_end(&mut bytes)?;
            Ok(serde_json::from_slice(&bytes)?)
        };
        read().unwrap_or_default()
    }

    fn lock_file(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.handle, name, flags, Mode::RUSR | Mode::WUSR)?;
        Ok(File::from(file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn problem(path: &Path) -> String {
        Folder::made(path).err().unwrap().message().to_owned()
    }

    #[test]
    fn a_folder_that_others_enter_or_a_link_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("skills");
        let made = Folder::made(&folder).unwrap();
        assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        drop(made.listen().unwrap());
        assert_eq!(std::fs::metadata(folder.join(SOCKET)).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o750)).unwrap();
        assert!(problem(&folder).ends_with("others may enter it"), "{}", problem(&folder));
        let link = base.path().join("link");
        symlink(base.path(), &link).unwrap();
        assert!(problem(&link).ends_with("it is a link or a file, and no folder"), "{}", problem(&link));
        if rustix::process::geteuid().is_root() {
            std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).unwrap();
            std::os::unix::fs::chown(&folder, Some(12345), None).unwrap();
            assert!(problem(&folder).ends_with("it belongs to another user"), "{}", problem(&folder));
        }
    }

    #[test]
    fn one_host_runs_at_a_time() {
        let base = tempfile::tempdir().unwrap();
        let folder = Folder::made(&base.path().join("skills")).unwrap();
        let first = folder.running().unwrap();
        assert!(first.is_some());
        assert!(folder.running().unwrap().is_none());
        drop(first);
        assert!(folder.running().unwrap().is_some());
    }
}
