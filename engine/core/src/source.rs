use crate::{ErrorKind, Failure};
use std::collections::BTreeMap;

/// A tree of files with definitions in it that is no folder of this machine: memory, an archive, a database.
///
/// Which of the files are definitions is found out as it is in a folder: `NAME.json`, `NAME/NAME.json`, `NAME/SKILL.md`, and
/// any other `.json` whose content is one. What a definition refers to is read from beside it.
///
/// What a source gives has the trust of the host program, which chose it. So it must not give what strangers wrote.
pub trait SkillSource: Send + Sync {
    /// What diagnostics and errors call it: `shop` for a file `shop:greet.json`.
    fn name(&self) -> &str;

    /// The path of every file, with `/` between its parts. Asked when skills are searched.
    ///
    /// # Errors
    /// `unavailable`; the source then has no skills, and the reason is shown with what else is wrong with a search.
    fn list(&self) -> Result<Vec<String>, Failure>;

    /// The bytes of a file. Asked when a skill is loaded; one of more than `most` bytes is refused then, so no more than one
    /// byte beyond that need be given.
    ///
    /// # Errors
    /// `not_found` where there is none; `unavailable` where it cannot be had now.
    fn read(&self, path: &str, most: u64) -> Result<Vec<u8>, Failure>;
}

/// Definitions and what they refer to, in memory.
///
/// ```
/// use skills_core::{MemorySkills, SkillSource as _};
/// let skills = MemorySkills::new("shop").with("greet.rhai", r#"`Hello, ${params.name}!`"#);
/// assert_eq!(skills.list().unwrap(), ["greet.rhai"]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct MemorySkills {
    name: String,
    files: BTreeMap<String, Vec<u8>>,
}

impl MemorySkills {
    /// A source without any file.
    pub fn new(name: impl Into<String>) -> MemorySkills {
        MemorySkills { name: name.into(), files: BTreeMap::new() }
    }

    /// The source with one more file, instead of one that had its path.
    #[must_use]
    pub fn with(mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) -> MemorySkills {
        self.files.insert(path.into(), content.into());
        self
    }
}

impl SkillSource for MemorySkills {
    fn name(&self) -> &str {
        &self.name
    }

    fn list(&self) -> Result<Vec<String>, Failure> {
        Ok(self.files.keys().cloned().collect())
    }

    fn read(&self, path: &str, _most: u64) -> Result<Vec<u8>, Failure> {
        let missing = || Failure::new(ErrorKind::NotFound, format!("{} has no file `{path}`", self.name));
        self.files.get(path).cloned().ok_or_else(missing)
    }
}
