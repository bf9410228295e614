//! Scripts that are not named by a definition's `code`: those beside a `SKILL.md`, and files and text given directly.

use crate::{Body, Dialect, Error, LimitRequest, Permissions, PromptGuides, ReadError, Resilience, Scope, Skill};
use crate::{SkillFiles, SkillKind};
use sha2::{Digest as _, Sha256};
use skills_core::{ErrorKind, Language, Script};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The largest script that is read, in bytes.
pub(crate) const MAX_SCRIPT: u64 = 4 << 20;

/// A script beside a `SKILL.md`, by its path below the folder or by its file name.
pub(crate) fn beside(skill: &Skill, scripts: &[String], name: &str) -> Result<Arc<Script>, Error> {
    let found =
        scripts.iter().find(|script| *script == name || Path::new(script).file_name().is_some_and(|f| f == name));
    let Some(path) = found else {
        let help = if scripts.is_empty() { "it has none".to_owned() } else { format!("it has {}", scripts.join(", ")) };
        return Err(Error::new(ErrorKind::NotFound, format!("`{}` has no script `{name}`", skill.name)).with_help(help));
    };
    let bytes = skill.files.read(Path::new(path), MAX_SCRIPT).map_err(|error| unreadable(path, error))?;
    let file = skill.folder.as_ref().map_or_else(|| path.clone(), |folder| folder.join(path).display().to_string());
    script(&file, bytes, None).map(Arc::new)
}

/// A script file that has no definition, as a skill of its own. Its folder is what it can import from.
pub(crate) fn from_file(path: &Path) -> Result<Skill, Error> {
    // Absolute, so that the script can import what stands beside it wherever the process goes.
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let shown = path.display().to_string();
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let name = path.file_name().ok_or_else(|| Error::new(ErrorKind::NotFound, format!("{shown} is not a file")))?;
    let files = SkillFiles::folder(folder).map_err(|error| unreadable(&shown, ReadError::Io(error)))?;
    let bytes = files.read(Path::new(name), MAX_SCRIPT).map_err(|error| unreadable(&shown, error))?;
    let stem = path.file_stem().unwrap_or(name).to_string_lossy().into_owned();
    let mut skill = direct(stem, script(&shown, bytes, None)?);
    skill.files = files;
    skill.folder = Some(folder.to_owned());
    Ok(skill)
}

/// Code given directly, as a skill of its own.
pub(crate) fn from_text(language: Language, source: &str) -> Skill {
    let file = format!("<{language}>");
    direct("inline".to_owned(), Script { language, file, source: source.to_owned() })
}

fn script(file: &str, bytes: Vec<u8>, language: Option<Language>) -> Result<Script, Error> {
    let extension = Path::new(file).extension().and_then(|e| e.to_str()).unwrap_or_default();
    let language = language.or_else(|| Language::from_extension(extension)).ok_or_else(|| {
        Error::new(ErrorKind::InvalidArguments, format!("{file}: no language has the extension `{extension}`"))
            .with_help("use .rhai, .py, .js, .mjs, .ts or .sh")
    })?;
    let source = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Error::new(ErrorKind::InvalidDefinition, format!("{file} is not UTF-8: the byte at {at} is not text"))
            .with_source(error)
    })?;
    Ok(Script { language, file: file.to_owned(), source })
}

fn unreadable(file: &str, error: ReadError) -> Error {
    let missing = match &error {
        ReadError::Missing => true,
        // No folder, no file.
        ReadError::Io(error) => matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
        _ => false,
    };
    match missing {
        true => Error::new(ErrorKind::NotFound, format!("cannot read {file}: {}", ReadError::Missing)),
        false => Error::new(ErrorKind::InvalidDefinition, format!("cannot read {file}: {error}")),
    }
    .with_source(error)
}

fn direct(name: String, script: Script) -> Skill {
    let mut digest = Sha256::new();
    digest.update(script.language.as_str());
    digest.update([0]);
    digest.update(&script.source);
    Skill {
        name,
        description: String::new(),
        version: None,
        aliases: Vec::new(),
        author: None,
        license: None,
        homepage: None,
        kind: SkillKind::CodeInline,
        dialect: Dialect::V2,
        scope: Scope::Direct,
        file: script.file.clone(),
        folder: None,
        body: Body::Inline { script: Arc::new(script) },
        embedded: None,
        output: crate::OutputForm::Text,
        parameters: Vec::new(),
        parameters_declared: false,
        limits: LimitRequest::default(),
        permissions: Permissions::default(),
        prompt: PromptGuides::default(),
        session: None,
        output_format: None,
        resilience: Resilience::default(),
        dependencies: BTreeMap::new(),
        provides: BTreeMap::new(),
        metadata: serde_json::Map::new(),
        digest: digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect(),
        files: SkillFiles::empty(),
        remarks: Vec::new(),
        typed: true,
    }
}
