//! The files of a skill that its script imports: had from the host, prepared, compiled, and tied together.

use crate::engine::{Compiled, Engine};
use crate::error::{self, Places};
use crate::live::Sources;
use crate::session::fault_resource;
use crate::source::{self, Counting, Export, Far, Links, Prepared};
use serde_json::{Value, json};
use skills_core::{ErrorKind, Failure, Host, Language, Script, beside};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many files one script may import, those that they import included.
const MOST: usize = 200;

/// How many files a session keeps that its last cell does not import. Of more, the oldest are evaluated again.
const MOST_IDLE: usize = 1000;

/// What scripts are together with what they import.
#[derive(Default)]
pub(crate) struct Graph {
    /// What the script imports that was linked last.
    files: Vec<File>,
    /// In a session that lives, what only earlier cells have imported.
    idle: Vec<File>,
    /// What is run instead of the script's own function: nothing where linking has failed.
    compiled: Option<Compiled>,
    /// Where the places are that stacks name.
    pub(crate) sources: Sources,
}

/// A file that is imported.
struct File {
    /// Its path from the script's folder, as it was asked for first.
    path: String,
    script: Arc<Script>,
    links: Links,
    asynchronous: bool,
    compiled: Compiled,
    /// The files that it asks for, by their numbers: the script's own is 0, that of the first file 1.
    asks: Vec<usize>,
}

/// What an exported name leads to: a file by its number, and a name that it hands to the bridge, or all that it exports.
type Found = (usize, Option<String>);

impl Graph {
    /// Has a script be together with what it imports now, and gives what is run instead of its own function. The graph
    /// is what the script was together with the last time, or in a session that lives, what other cells were; a
    /// failure takes no file from it.
    ///
    /// # Errors
    /// What cannot be imported, at the place that asks for it.
    pub(crate) fn link(
        &mut self,
        engine: &mut Engine,
        host: &dyn Host,
        (script, links, compiled): (&Arc<Script>, &Links, &Compiled),
        (counting, lives): (Counting, bool),
    ) -> Result<&Compiled, Failure> {
        let was = self.compiled.take();
        let count = self.files.len();
        // What was imported last is the last to be forgotten.
        self.idle.append(&mut self.files);
        let mut loader = Loader { engine: &mut *engine, host, counting, graph: self, fresh: false };
        let loaded = loader.load(script, links);
        let fresh = loader.fresh;
        self.forget(lives);
        let asks = loaded?;
        let same = !lives && !fresh && self.files.len() == count;
        let linked = match was.filter(|_| same) {
            Some(linked) => linked,
            None => {
                let (text, asynchronous) = tied(script, (links, asks), &self.files, (counting, lives))?;
                let linked = engine.link(compiled, self.files.iter().map(|file| &file.compiled), (&text, asynchronous));
                linked.map_err(|fault| error::internal(script, format!("{fault:?}")))?
            }
        };
        Ok(self.compiled.insert(linked))
    }

    /// Lets go of what no later cell can have as it is, or no later run.
    fn forget(&mut self, lives: bool) {
        let Graph { files, idle, .. } = self;
        idle.retain(|old| lives && files.iter().all(|file| file.script.file != old.script.file));
        idle.drain(..idle.len().saturating_sub(MOST_IDLE));
    }
}

struct Loader<'a> {
    engine: &'a mut Engine,
    host: &'a dyn Host,
    counting: Counting,
    graph: &'a mut Graph,
    /// Whether any file is another one than before.
    fresh: bool,
}

impl Loader<'_> {
    /// Loads what a script asks for, and what that asks for. Gives the numbers of the script's own.
    fn load(&mut self, script: &Arc<Script>, links: &Links) -> Result<Vec<usize>, Failure> {
        let mut own = Vec::new();
        for ask in &links.asks {
            own.push(self.one("", script, ask)?);
        }
        let mut next = 0;
        while let Some(file) = self.graph.files.get(next) {
            let (path, script, all) = (file.path.clone(), Arc::clone(&file.script), file.links.asks.clone());
            let mut asks = Vec::new();
            for ask in &all {
                asks.push(self.one(&path, &script, ask)?);
            }
            self.graph.files[next].asks = asks;
            next += 1;
        }
        Ok(own)
    }

    /// The number of a file that another one asks for.
    fn one(&mut self, from: &str, asking: &Script, (specifier, at): &(String, usize)) -> Result<usize, Failure> {
        // Nothing interrupts what is prepared and compiled here.
        self.host.budget().check_time()?;
        let refused = |failure: Failure| {
            let failure = match failure.kind {
                ErrorKind::NotFound | ErrorKind::Unavailable => Failure {
                    kind: ErrorKind::ScriptError,
                    message: format!("cannot import {specifier:?}: {}", failure.message),
                    ..failure
                },
                _ => failure,
            };
            failure.in_script(asking.language, vec![source::frame(asking, *at)])
        };
        let path = beside(from, specifier);
        if let Some(found) = self.graph.files.iter().position(|file| file.path == path) {
            return Ok(found + 1);
        }
        let module = self.host.module(&path).map_err(refused)?;
        if !matches!(module.language, Language::JavaScript | Language::TypeScript) {
            let message = format!("cannot import {specifier:?}: it is {}", module.language);
            return Err(refused(Failure::new(ErrorKind::ScriptError, message)));
        }
        if let Some(found) = self.graph.files.iter().position(|file| file.script.file == module.file) {
            return Ok(found + 1);
        }
        if self.graph.files.len() == MOST {
            let message = format!("cannot import {specifier:?}: a script can import {MOST} files at most");
            return Err(refused(Failure::new(ErrorKind::ScriptError, message)));
        }
        let known = |file: &File| file.path == path && *file.script == module;
        let file = match self.graph.idle.iter().position(known) {
            Some(found) => self.graph.idle.remove(found),
            None => self.compile(path, Arc::new(module))?,
        };
        self.graph.files.push(file);
        Ok(self.graph.files.len())
    }

    fn compile(&mut self, path: String, script: Arc<Script>) -> Result<File, Failure> {
        self.fresh = true;
        let Prepared { links, asynchronous, columns, body, names, calls, pure } =
            source::prepare_module(&script, self.counting)?;
        let nothing = Links::default();
        let prepared = Prepared { links: nothing, asynchronous, columns, body, names, calls, pure };
        let compiled = self.engine.compile(&prepared, !self.counting.is_off()).map_err(|fault| {
            let resource = fault_resource(&fault);
            let places = Places { script: &script, resource: &resource, columns: &prepared.columns, earlier: None };
            error::fault(&fault, &places, || self.engine.depth())
        })?;
        self.graph.sources.add(&compiled.resource, Arc::clone(&script), prepared.columns);
        Ok(File { path, script, links, asynchronous, compiled, asks: Vec::new() })
    }
}

/// What each of the files has of the others, for the bridge; and whether any of them awaits. The script itself comes first.
///
/// # Errors
/// What is imported and not exported, at the place that imports it.
fn tied(
    script: &Script,
    (links, asks): (&Links, Vec<usize>),
    files: &[File],
    (counting, lives): (Counting, bool),
) -> Result<(String, bool), Failure> {
    let mut units = vec![unit(script, links, &asks, files)?];
    for (at, file) in files.iter().enumerate() {
        let mut unit = unit(&file.script, &file.links, &file.asks, files)?;
        let mut names = BTreeSet::new();
        exported(files, at + 1, &mut names, &mut BTreeSet::new());
        let exports = names.iter().filter_map(|name| {
            let (at, own) = find(files, at + 1, name, &mut BTreeSet::new())?;
            Some(json!([name, at, own]))
        });
        unit["exports"] = exports.collect();
        if lives {
            unit["key"] = file.compiled.resource.as_str().into();
        }
        units.push(unit);
    }
    let asynchronous = files.iter().any(|file| file.asynchronous);
    let text = json!({
        "units": units,
        // A session has counters of its own.
        "counts": !lives && !counting.is_off(),
        "most": counting.operations,
        "deepest": counting.recursion,
        "asynchronous": asynchronous,
    });
    Ok((text.to_string(), asynchronous))
}

/// What one file has of the others.
fn unit(script: &Script, links: &Links, asks: &[usize], files: &[File]) -> Result<Value, Failure> {
    let missing = |far: &Far| {
        let (name, specifier) = (far.name.as_deref().unwrap_or_default(), &links.asks[far.ask].0);
        let mut names = BTreeSet::new();
        exported(files, asks[far.ask], &mut names, &mut BTreeSet::new());
        let names: Vec<String> = names.into_iter().collect();
        let help =
            if names.is_empty() { "it exports nothing".to_owned() } else { format!("it exports {}", names.join(", ")) };
        Failure::new(ErrorKind::ScriptError, format!("SyntaxError: {specifier:?} does not export {name:?}"))
            .with_help(help)
            .in_script(script.language, vec![source::frame(script, far.at)])
    };
    let mut imports = Vec::new();
    for import in &links.imports {
        match follow(files, asks, &import.from, &mut BTreeSet::new()) {
            Some((at, name)) => imports.push(json!([import.local, at, name])),
            None if import.needed => return Err(missing(&import.from)),
            None => {}
        }
    }
    for export in links.exports.values() {
        if let Export::Far(far) = export
            && follow(files, asks, far, &mut BTreeSet::new()).is_none()
            && script.language != Language::TypeScript
        {
            return Err(missing(far));
        }
    }
    Ok(json!({"before": asks, "imports": imports, "exports": []}))
}

/// What something of another file leads to.
fn follow(files: &[File], asks: &[usize], far: &Far, seen: &mut BTreeSet<(usize, String)>) -> Option<Found> {
    let at = *asks.get(far.ask)?;
    match &far.name {
        Some(name) => find(files, at, name, seen),
        None => Some((at, None)),
    }
}

/// What a name leads to that a file exports.
fn find(files: &[File], at: usize, name: &str, seen: &mut BTreeSet<(usize, String)>) -> Option<Found> {
    let file = files.get(at.checked_sub(1)?)?;
    if !seen.insert((at, name.to_owned())) {
        return None;
    }
    match file.links.exports.get(name) {
        Some(Export::Own(_)) => Some((at, Some(name.to_owned()))),
        Some(Export::Far(far)) => follow(files, &file.asks, far, seen),
        None if name == "default" => None,
        None => file.links.stars.iter().find_map(|ask| find(files, file.asks.get(*ask).copied()?, name, seen)),
    }
}

/// All names that a file exports.
fn exported(files: &[File], at: usize, names: &mut BTreeSet<String>, seen: &mut BTreeSet<usize>) {
    let Some(file) = at.checked_sub(1).and_then(|at| files.get(at)).filter(|_| seen.insert(at)) else { return };
    names.extend(file.links.exports.keys().cloned());
    for ask in &file.links.stars {
        let mut inner = BTreeSet::new();
        exported(files, file.asks.get(*ask).copied().unwrap_or_default(), &mut inner, seen);
        inner.remove("default");
        names.extend(inner);
    }
}
