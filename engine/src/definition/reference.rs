//! `file://` references: what they may name, and the reading of it.
//!
//! A reference is checked as text first (encoding, host, `..`), so that nothing strange reaches the file system, and
//! read through [`SkillFiles`] then, which holds against links. What was read goes into the skill's digest.

use crate::definition::codes::{self, Code};
use crate::definition::fields::Text;
use crate::definition::node::Node;
use crate::definition::sink::Sink;
use crate::definition::{LoadOptions, suggest};
use crate::{ReadError, SkillFiles};
use percent_encoding::percent_decode_str;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// The file types of the seeds, and those of the languages that were added to theirs.
const EXTENSIONS: &[&str] = &["md", "txt", "py", "js", "mjs", "ts", "mts", "rhai", "sh", "bash", "json"];

/// How many names of a folder are looked at for the nearest one.
const MOST_NAMES: usize = 200;

/// Reads what a definition refers to, and remembers it.
pub(crate) struct References<'a> {
    files: &'a SkillFiles,
    options: &'a LoadOptions,
    /// The folder of the definition, as errors name it; empty for the current one.
    shown_folder: &'a str,
    read: BTreeMap<String, Vec<u8>>,
}

/// A text of a definition, or of the file that it refers to.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// The text.
    pub(crate) text: String,
    /// The file, where it is of one.
    pub(crate) file: Option<Referenced>,
}

/// A file that a definition refers to.
#[derive(Debug, Clone)]
pub(crate) struct Referenced {
    /// As errors name it.
    pub(crate) shown: String,
    /// Absolute, where the skill's folder is in the file system; relative to it elsewhere.
    pub(crate) path: PathBuf,
    /// The extension in lower case, without the dot.
    pub(crate) extension: String,
}

/// Where a reference leads.
enum Target {
    Relative(PathBuf),
    Absolute(PathBuf),
}

/// Why a reference leads nowhere: a code, what is wrong, and what to write.
struct Refusal(Code, String, String);

impl<'a> References<'a> {
    /// References of the definition `file`, as errors name it.
    pub(crate) fn new(file: &'a str, files: &'a SkillFiles, options: &'a LoadOptions) -> References<'a> {
        let shown_folder = file.rfind('/').map_or("", |slash| &file[..=slash]);
        References { files, options, shown_folder, read: BTreeMap::new() }
    }

    /// The skill's own folder, where it is in the file system.
    pub(crate) fn folder(&self) -> Option<&'a Path> {
        self.files.path()
    }

    /// Whether a text refers to a file.
    pub(crate) fn is_reference(text: &str) -> bool {
        text.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file:"))
    }

    /// The text itself, or that of the file it refers to; `None` after a problem, which has been reported.
    pub(crate) fn resolve(&mut self, text: Text<'_>, sink: &mut Sink) -> Option<Resolved> {
        if !Self::is_reference(text.text) {
            return Some(Resolved { text: text.text.to_owned(), file: None });
        }
        match self.follow(text.text) {
            Ok((content, file)) => Some(Resolved { text: content, file: Some(file) }),
            Err(Refusal(code, message, help)) => {
                sink.error(code, text.span, message, help);
                None
            }
        }
    }

    /// A script beside the definition that can be run by name, as its path relative to the folder. It counts for the
    /// digest. One that cannot be read is left out, with a warning: the rest of the skill is of use without it.
    pub(crate) fn script(&mut self, path: Text<'_>, sink: &mut Sink) -> Option<String> {
        let read = normalise(path.text, Path::new(path.text)).and_then(|relative| {
            let bytes = self.files.read(&relative, self.options.max_reference_bytes);
            let bytes = bytes.map_err(|error| self.refuse(path.text, self.files, &relative, error))?;
            Ok((relative.display().to_string(), bytes))
        });
        match read {
            Ok((relative, bytes)) => {
                self.read.insert(relative.clone(), bytes);
                Some(relative)
            }
            Err(Refusal(code, message, help)) => {
                sink.warning(code, path.span, format!("the script {message}, and cannot be run"), help);
                None
            }
        }
    }

    /// SHA-256 over the definition and everything that was read for it.
    pub(crate) fn digest(&self, definition: &str) -> String {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            // Lengths keep apart what would otherwise run together.
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        part(definition.as_bytes());
        for (path, content) in &self.read {
            part(path.as_bytes());
            part(content);
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn follow(&mut self, reference: &str) -> Result<(String, Referenced), Refusal> {
        let target = parse(reference)?;
        let extension = check_extension(reference, &target)?;
        let (bytes, shown, path) = match &target {
            Target::Relative(relative) => {
                let bytes = self.files.read(relative, self.options.max_reference_bytes);
                let bytes = bytes.map_err(|error| self.refuse(reference, self.files, relative, error))?;
                let shown = format!("{}{}", self.shown_folder, relative.display());
                (bytes, shown, self.files.path().map_or_else(|| relative.clone(), |folder| folder.join(relative)))
            }
            Target::Absolute(absolute) => {
                (self.read_absolute(reference, absolute)?, absolute.display().to_string(), absolute.clone())
            }
        };
        let content = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let message = format!("`{reference}` is not UTF-8 text: byte {at} is not");
            Refusal(codes::REFERENCE_NOT_TEXT, message, "save the file as UTF-8".to_owned())
        })?;
        // Relative to the folder, so that the digest of a skill does not depend on where it is installed.
        let key = match &target {
            Target::Relative(path) | Target::Absolute(path) => path.display().to_string(),
        };
        self.read.insert(key, content.clone().into_bytes());
        Ok((content, Referenced { shown, path, extension }))
    }

    fn read_absolute(&self, reference: &str, absolute: &Path) -> Result<Vec<u8>, Refusal> {
        let allowed = &self.options.absolute_folders;
        let Some((folder, below)) =
            allowed.iter().find_map(|folder| Some((folder, absolute.strip_prefix(folder).ok()?)))
        else {
            let message = format!("`{reference}` is absolute, and its folder is not one of those allowed");
            let help = match allowed.as_slice() {
                [] => "copy the file beside the definition, or allow its folder in the configuration".to_owned(),
                folders => {
                    let folders: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
                    format!("allowed are files below {}", suggest::list(folders.iter().map(String::as_str)))
                }
            };
            return Err(Refusal(codes::REFERENCE_ABSOLUTE, message, help));
        };
        let files = SkillFiles::folder(folder).map_err(|error| {
            let message = format!("`{reference}` cannot be read: {}: {error}", folder.display());
            Refusal(codes::REFERENCE_UNREADABLE, message, "check that the allowed folder exists".to_owned())
        })?;
        files
            .read(below, self.options.max_reference_bytes)
            .map_err(|error| self.refuse(reference, &files, below, error))
    }

    fn refuse(&self, reference: &str, files: &SkillFiles, relative: &Path, error: ReadError) -> Refusal {
        match error {
            ReadError::Missing => {
                let help = match nearest_name(files, relative) {
                    Some(name) => format!("did you mean `file://./{name}`?"),
                    None => "create the file, or write its path relative to the definition".to_owned(),
                };
                Refusal(codes::REFERENCE_MISSING, format!("`{reference}` does not exist"), help)
            }
            ReadError::NotAFile => {
                let help = "name a file, not a folder, pipe or device".to_owned();
                Refusal(codes::REFERENCE_NOT_A_FILE, format!("`{reference}` is not a regular file"), help)
            }
            ReadError::Outside => {
                let message = format!("`{reference}` leads out of the skill's folder through a link");
                Refusal(codes::REFERENCE_LINK, message, "copy the file into the skill's folder".to_owned())
            }
            ReadError::TooLarge { size, most } => {
                let message = format!("`{reference}` has {size} bytes, more than the {most} allowed");
                Refusal(codes::REFERENCE_TOO_LARGE, message, "make it smaller, or read it from the script".to_owned())
            }
            ReadError::Io(error) => {
                let message = format!("`{reference}` cannot be read: {error}");
                Refusal(codes::REFERENCE_UNREADABLE, message, "check the file's permissions and its path".to_owned())
            }
            ReadError::Source(failure) => {
                let message = format!("`{reference}` cannot be read: {failure}");
                let help = failure.help.unwrap_or_else(|| "try again, or ask who gives the skill".to_owned());
                Refusal(codes::REFERENCE_UNREADABLE, message, help)
            }
        }
    }
}

/// Where a reference leads, from its text alone.
fn parse(reference: &str) -> Result<Target, Refusal> {
    let malformed = |message: String| {
        let help = "write `file://./NAME` for a file beside the definition".to_owned();
        Err(Refusal(codes::REFERENCE_MALFORMED, message, help))
    };
    let Some(path) = reference.get(5..).and_then(|rest| rest.strip_prefix("//")) else {
        return malformed(format!("`{reference}` is not a reference: two slashes are missing after `file:`"));
    };
    let path = decode(reference, path)?;
    if path.contains('\0') {
        let message = format!("`{}` has a NUL character in its path", reference.escape_debug());
        return Err(Refusal(codes::REFERENCE_NUL, message, "remove the character".to_owned()));
    }
    if path.is_empty() || path == "." || path == "./" || path == "/" {
        return malformed(format!("`{reference}` names no file"));
    }
    if let Some(absolute) = path.strip_prefix('/') {
        if absolute.starts_with('/') {
            return Err(host(reference, absolute.trim_start_matches('/')));
        }
        let inner = normalise(reference, Path::new(absolute))?;
        return Ok(Target::Absolute(Path::new("/").join(inner)));
    }
    if !path.starts_with("./") && !path.starts_with("../") && path != ".." {
        return Err(host(reference, &path));
    }
    normalise(reference, Path::new(&path)).map(Target::Relative)
}

/// The files that the texts of a tree refer to; `None` where one of them is not below the folder.
pub(crate) fn below(root: &Node) -> Option<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut left = vec![root];
    while let Some(node) = left.pop() {
        left.extend(node.items());
        left.extend(node.members().iter().map(|member| &member.value));
        match node.as_str().filter(|text| References::is_reference(text)).map(parse) {
            Some(Ok(Target::Relative(path))) => found.push(path),
            Some(Ok(Target::Absolute(_))) => return None,
            // What is no reference stays none.
            Some(Err(_)) | None => {}
        }
    }
    Some(found)
}

/// Decodes percent-encoding, once: what decodes to an encoding again is a name with a percent sign.
fn decode(reference: &str, path: &str) -> Result<String, Refusal> {
    let refusal = |message: String| {
        let help = "write `%25` for a percent sign, and UTF-8 bytes for other characters".to_owned();
        Refusal(codes::REFERENCE_ENCODING, message, help)
    };
    let bytes = path.as_bytes();
    for (at, _) in path.match_indices('%') {
        let digits = bytes.get(at + 1..at + 3).unwrap_or_default();
        if digits.len() < 2 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(refusal(format!("`{reference}` has a `%` that two hexadecimal digits do not follow")));
        }
    }
    let decoded = percent_decode_str(path).decode_utf8();
    decoded.map(|path| path.into_owned()).map_err(|_| refusal(format!("`{reference}` does not decode to UTF-8")))
}

/// The path without `.` and `..`; one that climbs above its start is refused.
fn normalise(reference: &str, path: &Path) -> Result<PathBuf, Refusal> {
    let mut plain = PathBuf::new();
    for component in path.components() {
        let inside = match component {
            Component::Normal(name) => {
                plain.push(name);
                true
            }
            Component::CurDir => true,
            Component::ParentDir => plain.pop(),
            Component::RootDir | Component::Prefix(_) => false,
        };
        if !inside {
            let message = format!("`{reference}` leads out of the skill's folder");
            let help = "copy the file into the skill's folder and write `file://./NAME`".to_owned();
            return Err(Refusal(codes::REFERENCE_OUTSIDE, message, help));
        }
    }
    Ok(plain)
}

fn host(reference: &str, rest: &str) -> Refusal {
    let name = rest.split('/').next().unwrap_or_default();
    let message = format!("`{reference}` names a host, `{name}`: only files of this machine can be read");
    let help = match rest.strip_prefix("localhost/") {
        Some(path) => format!("write `file:///{path}`"),
        None => format!("write `file://./{rest}` for a path beside the definition"),
    };
    Refusal(codes::REFERENCE_HOST, message, help)
}

fn check_extension(reference: &str, target: &Target) -> Result<String, Refusal> {
    let (Target::Relative(path) | Target::Absolute(path)) = target;
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_lowercase();
    if EXTENSIONS.contains(&extension.as_str()) {
        return Ok(extension);
    }
    let message = match extension.as_str() {
        "" => format!("`{reference}` has no file extension, so its type is not known"),
        extension => format!("`{reference}` is of type `.{extension}`, which cannot be referenced"),
    };
    Err(Refusal(codes::REFERENCE_TYPE, message, format!("types are {}", suggest::list(EXTENSIONS.iter().copied()))))
}

/// The file in the same folder whose name is nearest.
fn nearest_name(files: &SkillFiles, relative: &Path) -> Option<String> {
    let folder = relative.parent().unwrap_or(Path::new(""));
    let names = files.names(folder, MOST_NAMES);
    let near = suggest::nearest(relative.file_name()?.to_str()?, names.iter().map(String::as_str))?;
    Some(folder.join(near).display().to_string())
}
