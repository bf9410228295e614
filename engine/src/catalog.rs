use crate::config::Config;
use crate::definition::{self, LoadOptions, Loaded, codes};
use crate::diagnostic::clipped;
use crate::discovery::{Entry, Layout, Registry};
use crate::{Body, Diagnostic, Dialect, Error, ReadError, Scope, Severity, Skill, SkillFiles, scripts};
use include_dir::{Dir, include_dir};
use skills_core::{ErrorKind, Failure, Language, Script, SkillSource};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

/// The bundled skills: definitions, scripts and cases.
static BUNDLED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../skills");

/// Where skills come from.
pub(crate) struct Places {
    pub(crate) bundled: bool,
    pub(crate) layout: Layout,
    pub(crate) sources: Vec<Arc<dyn SkillSource>>,
    pub(crate) config: Config,
}

/// The skills that were found, and those of them that were loaded. The search is made when something first asks for it, and
/// what it found stays: [`Engine::reload`](crate::Engine::reload) makes a new one.
pub struct Catalog {
    places: Arc<Places>,
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
    /// Whether the file has comments, which the v2 form has not.
    pub comments: bool,
    /// What is wrong with it or was noticed on the way.
    pub diagnostics: Vec<Diagnostic>,
}

impl Catalog {
    pub(crate) fn new(mut places: Places) -> Catalog {
        places.layout.extra.extend(places.config.skill_paths.iter().cloned());
        Catalog { places: Arc::new(places), registry: OnceLock::new(), loaded: RwLock::default() }
    }

    /// A catalog of the same places that has not looked at them yet.
    pub(crate) fn anew(&self) -> Catalog {
        Catalog { places: Arc::clone(&self.places), registry: OnceLock::new(), loaded: RwLock::default() }
    }

    fn registry(&self) -> &Registry {
        self.registry.get_or_init(|| {
            let Places { bundled, layout, sources, config } = &*self.places;
            Registry::discover(layout, bundled.then_some(&BUNDLED), sources, &config.performance.caching)
        })
    }

    fn options(&self, schema_check: bool) -> LoadOptions {
        let absolute_folders = self.places.config.absolute_folders.clone();
        LoadOptions { absolute_folders, schema_check, ..LoadOptions::default() }
    }

    fn find(&self, name: &str) -> Result<Entry, Error> {
        let found = self.registry().find(name).map_err(|error| {
            let failure = Error::new(ErrorKind::NotFound, clipped(error.to_string()));
            let help = error.help().unwrap_or_else(|| "`skills list` shows all that there are".to_owned());
            failure.with_help(help)
        })?;
        Ok(found.into_owned())
    }

    /// The skill of a name, alias or `scope:name`, as a script calls it: never of a path.
    ///
    /// What a project calls the same must not get between others: a bundled skill means those of the host program and bundled ones before
    /// all others, and a user's or the host program's means the user's as well.
    pub(crate) fn load_named(&self, name: &str, caller: Scope) -> Result<Arc<Skill>, Error> {
        if Registry::is_path(name) {
            return Err(Error::new(ErrorKind::NotFound, format!("there is no skill `{name}`"))
                .with_help("scripts call skills by name, alias or scope:name, not by path"));
        }
        let nearest = match caller {
            Scope::Bundled => &[Scope::Host, Scope::Bundled][..],
            Scope::User | Scope::Host => &[Scope::Host, Scope::User, Scope::Bundled],
            Scope::Project | Scope::Direct => &[],
        };
        let near = nearest.iter().find_map(|scope| Some((scope, self.registry().find_in(name, *scope)?)));
        match near {
            Some((scope, entry)) => self.load_entry(&format!("{scope}:{name}"), || Ok(entry.clone())),
            None => self.load_definition(name),
        }
    }

    /// The skill of a name, alias, `scope:name` or path, that of a script file included, which is read anew each time.
    pub(crate) fn load(&self, name: &str) -> Result<Arc<Skill>, Error> {
        let path = Path::new(name);
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let is_script = Language::from_extension(extension).is_some() && (name.contains('/') || path.is_file());
        // A file of another kind: what it is not is said there.
        let is_other = !extension.is_empty() && !DEFINITIONS.contains(&extension) && path.is_file();
        if is_script || (is_other && self.registry().find(name).map_or(true, |entry| entry.scope == Scope::Direct)) {
            return scripts::from_file(path).map(Arc::new);
        }
        self.load_definition(name)
    }

    /// The skill of a definition, read the first time and kept from then on.
    fn load_definition(&self, name: &str) -> Result<Arc<Skill>, Error> {
        self.load_entry(name, || self.find(name))
    }

    fn load_entry(&self, name: &str, find: impl FnOnce() -> Result<Entry, Error>) -> Result<Arc<Skill>, Error> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if let Some(skill) = loaded {
            return Ok(skill);
        }
        let entry = find()?;
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

    /// Those of an entry's aliases that mean it.
    pub fn aliases<'a>(&self, entry: &'a Entry) -> Vec<&'a str> {
        self.registry().meaning(entry)
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

    /// How many errors a definition has.
    pub fn errors(&self, entry: &Entry) -> usize {
        self.registry().errors(entry, &self.options(false))
    }

    /// What is in a folder and looks like a definition by its name only: one diagnostic that names all.
    pub fn unrecognised(&self, folder: &Path) -> Option<Diagnostic> {
        const MOST: usize = 10;
        let mut found = self.registry().others_in_folder(folder);
        found.sort_unstable();
        let base = self.registry().layout().absolute(folder);
        let shown = |path: &PathBuf| path.strip_prefix(&base).unwrap_or(path).display().to_string();
        let mut names: Vec<String> = found.iter().take(MOST).map(shown).collect();
        if found.len() > MOST {
            names.push(format!("{} more", found.len() - MOST));
        }
        let message = match found.len() {
            0 => return None,
            1 => format!("1 JSON file is no definition: {}", names.join(", ")),
            all => format!("{all} JSON files are no definitions: {}", names.join(", ")),
        };
        let folder = folder.display().to_string();
        let diagnostic = Diagnostic::of_file(codes::UNRECOGNISED.id, Severity::Warning, &folder, message);
        Some(diagnostic.with_help(
            "a definition has a `name`, a `type` and something to run: `skills validate FILE` says what is missing",
        ))
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
        self.check_with(name, &|_| Ok(()))
    }

    /// The same, with what a language's own parser says of the skill's scripts.
    pub(crate) fn check_with(
        &self,
        name: &str,
        parse: &dyn Fn(&Script) -> Result<(), Failure>,
    ) -> Result<Vec<Diagnostic>, Error> {
        let raw = match self.find(name)?.read() {
            Ok(raw) => raw,
            Err(diagnostics) => return Ok(diagnostics),
        };
        let Loaded { skill, mut diagnostics } = definition::validate(&raw, &self.options(true));
        if let Some(skill) = skill {
            let beside: &[String] = match &skill.body {
                Body::Prompt { scripts, .. } => scripts,
                _ => &[],
            };
            let beside = beside.iter().filter_map(|name| scripts::beside(&skill, beside, name).ok());
            for script in skill.script().cloned().into_iter().chain(beside) {
                if let Err(failure) = parse(&script) {
                    diagnostics.push(raw.syntax_error(&script, &failure));
                }
            }
        }
        Ok(diagnostics)
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
        let refused = |error: ReadError| unreadable(error.to_string()).with_source(error);
        let files = SkillFiles::folder(folder).map_err(|error| refused(ReadError::Io(error)))?;
        let name = path.file_name().ok_or_else(|| unreadable("it is a folder".to_owned()))?;
        let bytes = files.read(Path::new(name), MOST_BYTES).map_err(refused)?;
        let text = String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8".to_owned()))?;
        let raw = definition::read(file, &text, files, Scope::Direct).map_err(invalid)?;
        let diagnostics = definition::validate(&raw, &self.options(true)).diagnostics;
        let comments = raw.has_comments();
        let text = definition::upgrade(&raw).map_err(invalid)?;
        Ok(Upgraded { dialect: raw.dialect(), text, comments, diagnostics })
    }
}

/// The endings of files that hold definitions.
const DEFINITIONS: [&str; 4] = ["json", "jsonc", "json5", "md"];

/// The largest definition that is upgraded, in bytes.
const MOST_BYTES: u64 = 1 << 20;
