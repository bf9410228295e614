//! From a path in a script to a granted folder and a path inside it.

use crate::define::invalid;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, File, Metadata, OpenOptions};
use skills_core::{CallContext, ErrorKind, Failure, Grants};
use std::fmt;
use std::io;
use std::path::{Component, Path, PathBuf};

/// What a path is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Read,
    Write,
}

/// Something inside a granted folder: nothing outside of `dir` can be reached with it.
pub(super) struct Place {
    /// The granted folder; for the grant of a single file the folder that holds it.
    pub(super) dir: Dir,
    /// The path from there; `.` for the granted folder itself.
    pub(super) path: PathBuf,
    /// The whole path, for messages.
    shown: PathBuf,
    /// Whether the grant is this one file (or something that does not exist yet), so that no link may be followed.
    single: bool,
}

/// Finds the grant that covers a path and opens its folder.
///
/// # Errors
/// `invalid_arguments` for what cannot be a path, `permission_denied` where no grant covers it, `not_found` where the
/// granted folder itself is missing.
pub(super) fn reach(context: &CallContext<'_>, path: &str, need: Need) -> Result<Place, Failure> {
    let shown = absolute(context.grants, path)?;
    let covering = |grant: &&PathBuf| shown.starts_with(grant);
    let granted = granted(context.grants, need);
    // The widest: what is inside a narrower one is inside it too, links between the two included.
    let Some(grant) = granted.iter().copied().filter(covering).min_by_key(|grant| grant.as_os_str().len()) else {
        return Err(denied(&shown, need, &granted));
    };
    let below = shown.strip_prefix(grant).unwrap_or(&shown).to_owned();
    match (Dir::open_ambient_dir(grant, ambient_authority()), grant.parent(), grant.file_name()) {
        (Ok(dir), ..) if below.as_os_str().is_empty() => Ok(Place { dir, path: ".".into(), shown, single: false }),
        (Ok(dir), ..) => Ok(Place { dir, path: below, shown, single: false }),
        (Err(_), Some(parent), Some(name)) if below.as_os_str().is_empty() => {
            match Dir::open_ambient_dir(parent, ambient_authority()) {
                Ok(dir) => Ok(Place { dir, path: name.into(), shown, single: true }),
                Err(error) => Err(describe(&shown, "reach", &error)),
            }
        }
        (Err(error), ..) => Err(describe(&shown, "reach", &error)),
    }
}

/// The absolute path without `.` and `..`.
fn absolute(grants: &Grants, path: &str) -> Result<PathBuf, Failure> {
    if path.is_empty() {
        return Err(invalid("a path is empty").with_help("the working directory is \".\""));
    }
    if path.contains('\0') {
        return Err(invalid(format!("a path cannot hold a NUL character: {:?}", clip(path))));
    }
    let path = match (Path::new(path).is_absolute(), &grants.working_directory) {
        (true, _) => PathBuf::from(path),
        (false, Some(folder)) => folder.join(path),
        (false, None) => {
            return Err(invalid(format!("{:?} is relative, and this run has no working directory", clip(path)))
                .with_help("give an absolute path"));
        }
    };
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            // At the root it stays there, as the system has it.
            Component::ParentDir => drop(out.pop()),
            other => out.push(other),
        }
    }
    Ok(out)
}

fn granted(grants: &Grants, need: Need) -> Vec<&PathBuf> {
    match need {
        Need::Read => grants.read.iter().chain(&grants.write).collect(),
        Need::Write => grants.write.iter().collect(),
    }
}

fn denied(shown: &Path, need: Need, granted: &[&PathBuf]) -> Failure {
    let (doing, key) = match need {
        Need::Read => ("reading", "file_read"),
        Need::Write => ("writing", "file_write"),
    };
    let mut list: Vec<String> = granted.iter().take(5).map(|path| path.display().to_string()).collect();
    if granted.len() > 5 {
        list.push(format!("{} more", granted.len() - 5));
    }
    let what = match list.is_empty() {
        true => "no files are granted for it".to_owned(),
        false => format!("granted for it: {}", list.join(", ")),
    };
    let path = clip(&shown.to_string_lossy());
    Failure::new(ErrorKind::PermissionDenied, format!("{doing} {path:?} is not allowed; {what}"))
        // Which of the two is missing is not known here: a run's grants are what is left of both.
        .with_help(format!(
            r#"the skill has to ask for it with "security": {{"permissions": {{"{key}": [{path:?}]}}}}, and the host program has to allow it too"#
        ))
}

impl Place {
    /// Opens the file. Never waits for the other end of a pipe, and for the grant of a single file follows no link.
    pub(super) fn open(&self, options: &mut OpenOptions) -> io::Result<File> {
        self.refuse_link()?;
        #[cfg(unix)]
        {
            use cap_std::fs::OpenOptionsExt as _;
            use rustix::fs::OFlags;
            let link = if self.single { OFlags::NOFOLLOW } else { OFlags::empty() };
            options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY | link).bits().cast_signed());
        }
        self.dir.open_with(&self.path, options)
    }

    /// What is there, behind links that stay inside.
    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        self.refuse_link()?;
        self.dir.metadata(&self.path)
    }

    /// A file that was granted by name and became a link names another file now.
    fn refuse_link(&self) -> io::Result<()> {
        let link = self.single && self.dir.symlink_metadata(&self.path).is_ok_and(|metadata| metadata.is_symlink());
        if link { Err(io::ErrorKind::PermissionDenied.into()) } else { Ok(()) }
    }

    /// Fails for the granted folder itself, which `done` ("removed") names what cannot be done to.
    pub(super) fn not_the_grant(&self, done: &str) -> Result<(), Failure> {
        if self.path != Path::new(".") {
            return Ok(());
        }
        Err(Failure::new(
            ErrorKind::PermissionDenied,
            format!("{self} is the granted folder itself and cannot be {done}"),
        ))
    }

    /// The failure of an operation: `verb` as in "cannot read …".
    pub(super) fn failure(&self, verb: &str, error: &io::Error) -> Failure {
        describe(&self.shown, verb, error)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", clip(&self.shown.to_string_lossy()))
    }
}

fn describe(shown: &Path, verb: &str, error: &io::Error) -> Failure {
    use io::ErrorKind as Io;
    let path = format!("{:?}", clip(&shown.to_string_lossy()));
    match error.kind() {
        Io::NotFound if verb == "write" => {
            Failure::new(ErrorKind::NotFound, format!("cannot write {path}: its folder does not exist"))
                .with_help("make it first with skill.fs.mkdir")
        }
        Io::NotFound => Failure::new(ErrorKind::NotFound, format!("{path} does not exist")),
        // cap-std refuses by itself, without an error of the system.
        Io::PermissionDenied if error.raw_os_error().is_none() => Failure::new(
            ErrorKind::PermissionDenied,
            format!("{path} is a symbolic link that leads out of what is granted"),
        )
        .with_help("grant the folder that it leads to, and use the path there"),
        Io::PermissionDenied => {
            Failure::new(ErrorKind::PermissionDenied, format!("cannot {verb} {path}: the system does not allow it"))
        }
        Io::IsADirectory | Io::NotADirectory | Io::AlreadyExists | Io::DirectoryNotEmpty | Io::InvalidFilename => {
            invalid(format!("cannot {verb} {path}: {}", reason(error)))
        }
        _ => Failure::new(ErrorKind::Unavailable, format!("cannot {verb} {path}: {}", reason(error))),
    }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::IsADirectory => "it is a folder".into(),
        io::ErrorKind::NotADirectory => "it is not a folder, or something above it is not".into(),
        io::ErrorKind::AlreadyExists => "something else is there".into(),
        io::ErrorKind::DirectoryNotEmpty => "the folder is not empty".into(),
        io::ErrorKind::InvalidFilename => "the name is too long".into(),
        _ => error.to_string(),
    }
}

fn clip(path: &str) -> String {
    match path.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &path[..end]),
        None => path.to_owned(),
    }
}
