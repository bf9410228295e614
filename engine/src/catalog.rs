use crate::config::Config;
use crate::definition::{self, LoadOptions};
use crate::diagnostic::clipped;
use crate::discovery::{Entry, Layout, Registry};
use crate::{Diagnostic, Dialect, Error, Scope, Skill, SkillFiles, scripts};
use include_dir::{Dir, include_dir};
use skills_core::{ErrorKind, Language};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

/// The bundled skills: definitions, scripts and cases.
static BUNDLED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../skills");

/// The skills that were found, and those of them that were loaded. The search is made when something first asks for it.
pub struct Catalog {
    bundled: bool,
    layout: Layout,
    config: Config,
    registry: OnceLock<Registry>,
    /// By the name they were asked for.
    loaded: RwLock<HashMap<String, Arc<Skill>>>,
}

/// A definition in the v2 form: see [`Catalog::upgrade`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Upgraded {
    /// The form it was written in.
    pub dialect: Dialect,
    /// The v2 form, as indented JSON.
    pub text: String,
    /// What is wrong with it or was noticed on the way.
    pub diagnostics: Vec<Diagnostic>,
}

impl Catalog {
    pub(crate) fn new(bundled: bool, layout: Option<Layout>, config: &Config) -> Catalog {
        let mut layout = layout.unwrap_or_default();
        layout.extra.extend(config.skill_paths.iter().cloned());
        Catalog { bundled, layout, config: config.clone(), registry: OnceLock::new(), loaded: RwLock::default() }
    }

    fn registry(&self) -> &Registry {
        self.registry.get_or_init(|| {
            let caching = &self.config.performance.caching;
            Registry::discover(&self.layout, self.bundled.then_some(&BUNDLED), caching)
        })
    }

    fn options(&self, schema_check: bool) -> LoadOptions {
        LoadOptions { absolute_folders: self.config.absolute_folders.clone(), schema_check, ..LoadOptions::default() }
    }

    fn find(&self, name: &str) -> Result<Entry, Error> {
        let found = self.registry().find(name).map_err(|error| {
            let failure = Error::new(ErrorKind::NotFound, clipped(error.to_string()));
            match error.help() {
                Some(help) => failure.with_help(help),
                None => failure.with_help("`skills list` shows all that there are"),
            }
        })?;
        Ok(found.into_owned())
    }

    /// The skill of a name, alias or `scope:name`, as scripts call it: never of a path.
    pub(crate) fn load_named(&self, name: &str) -> Result<Arc<Skill>, Error> {
        if Registry::is_path(name) {
            return Err(Error::new(ErrorKind::NotFound, format!("there is no skill `{name}`"))
                .with_help("scripts call skills by name, alias or scope:name, not by path"));
        }
        self.load_definition(name)
    }

    /// The skill of a name, alias, `scope:name` or path, that of a script file included, which is read anew each time.
    pub(crate) fn load(&self, name: &str) -> Result<Arc<Skill>, Error> {
        let path = Path::new(name);
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if Language::from_extension(extension).is_some() && (name.contains('/') || path.is_file()) {
            return scripts::from_file(path).map(Arc::new);
        }
        self.load_definition(name)
    }

    /// The skill of a definition, read the first time and kept from then on.
    fn load_definition(&self, name: &str) -> Result<Arc<Skill>, Error> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if let Some(skill) = loaded {
            return Ok(skill);
        }
        let entry = self.find(name)?;
        let loaded = self.registry().load(&entry, &self.options(false));
        let Some(skill) = loaded.skill else {
            let errors: Vec<Diagnostic> = loaded.diagnostics.into_iter().filter(Diagnostic::is_error).collect();
            let message = format!("the definition of `{}` has errors", entry.name());
            return Err(Error::new(ErrorKind::InvalidDefinition, message).with_diagnostics(errors));
        };
        let mut all = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(name.to_owned(), Arc::clone(&skill));
        Ok(skill)
    }

    /// Every definition that was found, shadowed and broken ones included: by name, and of one name the highest
    /// precedence first.
    pub fn entries(&self) -> &[Entry] {
        self.registry().entries()
    }

    /// Whether the name of an entry means another one.
    pub fn is_shadowed(&self, entry: &Entry) -> bool {
        self.registry().is_shadowed(entry)
    }

    /// Names and aliases that several skills have, and what went wrong with the search.
    pub fn conflicts(&self) -> Vec<Diagnostic> {
        let mut all = self.registry().diagnostics().to_vec();
        all.extend(self.registry().conflicts());
        all
    }

    /// What a person should know of a skill before running it: what it hides, and what becomes of its aliases.
    pub fn warnings(&self, name: &str) -> Vec<Diagnostic> {
        self.registry().find(name).map(|entry| self.registry().warnings(&entry)).unwrap_or_default()
    }

    /// The definition files below a folder, as a search finds them.
    pub fn in_folder(&self, folder: &Path) -> Vec<String> {
        self.registry().in_folder(folder).iter().map(|entry| entry.file().to_owned()).collect()
    }

    /// Everything that is wrong with a definition, named as in [`crate::Engine::skill`], the published schema included.
    ///
    /// # Errors
    /// `not_found`. A broken definition is no error here: that is what the diagnostics tell.
    pub fn check(&self, name: &str) -> Result<Vec<Diagnostic>, Error> {
        let entry = self.find(name)?;
        Ok(self.registry().load(&entry, &self.options(true)).diagnostics)
    }

    /// A definition file in the v2 form.
    ///
    /// # Errors
    /// `not_found`, or `invalid_definition` with every diagnostic.
    pub fn upgrade(&self, file: &str) -> Result<Upgraded, Error> {
        let path = Path::new(file);
        let invalid = |diagnostics: Vec<Diagnostic>| {
            let message = format!("{file} has errors, and cannot be upgraded");
            Error::new(ErrorKind::InvalidDefinition, message).with_diagnostics(diagnostics)
        };
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        let unreadable = |reason: String| Error::new(ErrorKind::NotFound, format!("cannot read {file}: {reason}"));
        let files = SkillFiles::folder(folder).map_err(|error| unreadable(error.to_string()))?;
        let name = path.file_name().ok_or_else(|| unreadable("it is a folder".to_owned()))?;
        let bytes = files.read(Path::new(name), MOST_BYTES).map_err(|error| unreadable(error.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8".to_owned()))?;
        let raw = definition::read(file, &text, files, Scope::Direct).map_err(invalid)?;
        let diagnostics = definition::validate(&raw, &self.options(true)).diagnostics;
        let text = definition::upgrade(&raw).map_err(invalid)?;
        Ok(Upgraded { dialect: raw.dialect(), text, diagnostics })
    }
}

/// The largest definition that is upgraded, in bytes.
const MOST_BYTES: u64 = 1 << 20;
