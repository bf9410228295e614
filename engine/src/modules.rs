//! The files of a skill that its script imports: those of the skill's own folder, or of what is compiled in, and nothing else.

use crate::authorize::Reading;
use crate::authorize::digest::{self, Files, Pin};
use crate::plan::Step;
use crate::scripts::MAX_SCRIPT;
use crate::{Plan, ReadError, Skill};
use sha2::{Digest as _, Sha256};
use skills_core::{ErrorKind, Failure, Language, Script, is_shared_folder};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// How often one run may ask for a file.
const MOST_ASKED: u64 = 1_000;

/// How much source one run may be given, in bytes.
const MOST_BYTES: u64 = 16 << 20;

/// How many files of a folder are named to whoever asks for one that is not there.
const MOST_NAMED: usize = 12;

/// How many names of a folder are looked at for that.
const MOST_NAMES: usize = 200;

/// What one run may import.
#[derive(Debug)]
pub(crate) struct Modules {
    skill: Arc<Skill>,
    /// The script as errors name it: what it imports is told from its own folder.
    script: Option<String>,
    pin: Option<Pin>,
    reading: Reading,
    /// What the decision was about, once something is imported.
    pinned: OnceLock<Result<Files, Failure>>,
    used: Mutex<Used>,
}

/// What a run had by now.
#[derive(Debug, Default)]
struct Used {
    asked: u64,
    bytes: u64,
}

/// Where a script's file is.
struct Place<'a> {
    /// What stands before the path of a file of the skill's folder, where errors name it.
    shown: &'a str,
    /// The folder of the script in that of the skill.
    folder: PathBuf,
}

impl Modules {
    /// What the script of a plan may import, as it was when that was decided on.
    pub(crate) fn new(plan: &Plan, pin: Option<Pin>, reading: Reading) -> Modules {
        let script = match (plan.skill.script(), &plan.step) {
            (Some(script), _) | (None, Step::Script(script)) => Some(script.file.clone()),
            _ => None,
        };
        Modules {
            skill: Arc::clone(&plan.skill),
            script,
            pin,
            reading,
            pinned: OnceLock::new(),
            used: Mutex::default(),
        }
    }

    /// A file, by its path from the script's folder.
    ///
    /// # Errors
    /// See [`skills_core::Host::module`].
    pub(crate) fn read(&self, path: &str) -> Result<Script, Failure> {
        self.ask()?;
        let place = self.place().map_err(|why| nothing(path, why))?;
        let relative = below(&place.folder, path).ok_or_else(|| outside(path))?;
        let extension = relative.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let language = Language::from_extension(extension).filter(|language| *language != Language::Bash);
        let Some(language) = language else {
            return Err(missing(path, "what can be imported ends with .py, .js, .mjs, .ts, .mts or .rhai"));
        };
        self.may_read(path, &relative, &place)?;
        let bytes =
            self.skill.files.read(&relative, MAX_SCRIPT).map_err(|error| self.unread(path, &relative, error))?;
        self.is_pinned(path, &relative, &bytes)?;
        self.used.lock().unwrap_or_else(PoisonError::into_inner).bytes += bytes.len() as u64;
        let source = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            Failure::new(ErrorKind::ScriptError, format!("cannot import `{path}`: it is not UTF-8, the byte at {at}"))
        })?;
        Ok(Script { language, file: format!("{}{}", place.shown, relative.display()), source })
    }

    fn ask(&self) -> Result<(), Failure> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.asked += 1;
        if used.asked > MOST_ASKED || used.bytes > MOST_BYTES {
            let message = format!(
                "the run imports more than {} MB of source, or asks more than {MOST_ASKED} times",
                MOST_BYTES >> 20
            );
            return Err(Failure::new(ErrorKind::ScriptError, message));
        }
        Ok(())
    }

    /// Where the script is, or why it can import nothing.
    fn place(&self) -> Result<Place<'_>, &'static str> {
        let skill = &*self.skill;
        // Such a folder holds files of whoever may put some there.
        if skill.folder.as_ref().is_some_and(|folder| is_shared_folder(&digest::resolved(folder))) {
            return Err("its folder is for all sorts of files: give the skill a folder of its own");
        }
        self.place_below().ok_or("only what is in the folder of a skill can be imported, and the script is in none")
    }

    fn place_below(&self) -> Option<Place<'_>> {
        let (script, skill) = (self.script.as_deref()?, &*self.skill);
        let folder = |inner: &str| Path::new(inner).parent().map(Path::to_owned).unwrap_or_default();
        let of_definition = &skill.file[..skill.file.rfind('/').map_or(0, |at| at + 1)];
        if let Some(inner) = script.strip_prefix(of_definition).filter(|_| !of_definition.is_empty()) {
            return Some(Place { shown: of_definition, folder: folder(inner) });
        }
        if let Some(own) = skill.folder.as_ref().and_then(|folder| folder.to_str()) {
            let inner = script.strip_prefix(own)?.strip_prefix('/')?;
            return Some(Place { shown: &script[..=own.len()], folder: folder(inner) });
        }
        (!script.starts_with(['/', '<'])).then(|| Place { shown: "", folder: folder(script) })
    }

    /// Fails where the host reads nothing of the file for anybody.
    fn may_read(&self, path: &str, relative: &Path, place: &Place<'_>) -> Result<(), Failure> {
        let Some(folder) = &self.skill.folder else { return Ok(()) };
        let Some(rule) = self.reading.refuses(&folder.join(relative)) else { return Ok(()) };
        // Libraries try names that are nowhere: where none could be read, that stays an import that finds nothing.
        let is_there = || !matches!(self.skill.files.read(relative, MAX_SCRIPT), Err(ReadError::Missing));
        if self.reading.refuses(&folder.join(&place.folder)).is_some() && !is_there() {
            return Err(nothing(path, &rule));
        }
        let message = format!("cannot import `{path}`: {rule}");
        Err(Failure::new(ErrorKind::PermissionDenied, message)
            .with_help("give the skill a folder of its own that no rule denies, or any part of"))
    }

    /// Fails where a file is not what was decided on.
    fn is_pinned(&self, path: &str, relative: &Path, bytes: &[u8]) -> Result<(), Failure> {
        let (Some(pin), Some(folder)) = (&self.pin, &self.skill.folder) else { return Ok(()) };
        let files = self.pinned.get_or_init(|| pin.files(&self.skill)).as_ref();
        // Where nobody can tell, too.
        let files = files.map_err(|failure| Failure { kind: ErrorKind::PermissionDenied, ..failure.clone() })?;
        let known = files.get(&digest::resolved(folder).join(relative));
        if known.is_some_and(|known| known[..] == Sha256::digest(bytes)[..]) {
            return Ok(());
        }
        if let (None, Some(inner)) = (known, pin.passed_over(&self.skill, relative)) {
            let message =
                format!("cannot import `{path}`: beside other skills, what is in `{inner}` is no part of a skill");
            return Err(Failure::new(ErrorKind::PermissionDenied, message).with_help(
                "copy the file beside the script, or give the skill a folder that has its name: all that is in there belongs to it",
            ));
        }
        let message = format!("cannot import `{path}`: it has changed since the skill was allowed to run");
        Err(Failure::new(ErrorKind::PermissionDenied, message)
            .with_help("run it again, to have it decided on as it is now"))
    }

    fn unread(&self, path: &str, relative: &Path, error: ReadError) -> Failure {
        match error {
            ReadError::Missing => missing(path, &self.others(relative)),
            ReadError::Outside => outside(path),
            error => Failure::new(ErrorKind::ScriptError, format!("cannot import `{path}`: {error}")),
        }
    }

    /// What there is instead, for a person.
    fn others(&self, relative: &Path) -> String {
        let folder = relative.parent().unwrap_or(Path::new(""));
        let wanted = relative.extension();
        let mut names = self.skill.files.names(folder, MOST_NAMES);
        names.retain(|name| Path::new(name).extension() == wanted);
        let more = names.len().saturating_sub(MOST_NAMED);
        names.truncate(MOST_NAMED);
        match (names.is_empty(), more) {
            (true, _) => "there is no file of that kind in its folder".to_owned(),
            (_, 0) => format!("there are {}", names.join(", ")),
            _ => format!("there are {}, and {more} more", names.join(", ")),
        }
    }
}

/// What is said of every path where nothing can be imported at all.
fn nothing(path: &str, help: &str) -> Failure {
    Failure { kind: ErrorKind::Unavailable, ..missing(path, help) }
}

fn missing(path: &str, help: &str) -> Failure {
    Failure::new(ErrorKind::NotFound, format!("there is no `{path}` beside the script")).with_help(help)
}

fn outside(path: &str) -> Failure {
    let message = format!("cannot import `{path}`: it is not in the skill's own folder");
    Failure::new(ErrorKind::ScriptError, message).with_help("copy the file into the folder of the skill")
}

/// A path from a folder, without `.` and `..`; `None` where that leads out of what the folder is in.
fn below(folder: &Path, path: &str) -> Option<PathBuf> {
    let mut whole = folder.to_owned();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => whole.push(name),
            Component::CurDir => {}
            Component::ParentDir if whole.pop() => {}
            _ => return None,
        }
    }
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_what_the_folder_is_in() {
        let path = |path| below(Path::new("scripts"), path).map(|path| path.display().to_string());
        assert_eq!(path("a.py").as_deref(), Some("scripts/a.py"));
        assert_eq!(path("./b/../a.py").as_deref(), Some("scripts/a.py"));
        assert_eq!(path("../lib/a.py").as_deref(), Some("lib/a.py"));
        assert_eq!(path("../../a.py"), None);
        assert_eq!(path("/etc/a.py"), None);
    }
}
