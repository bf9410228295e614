//! The files of a skill that its script imports: `import "helper" as h;`.
//!
//! A module is evaluated once for a run, by the engine and on the account of whoever imports it first; what a cell imports
//! stays for later ones as it is. Like the cells of a session, each file is compiled below so many lines that no other one
//! has its line numbers; files count from the end.

use crate::control::{Control, Rhaied, lock, no_run};
use crate::failures::{OWN_LINE, Placed};
use crate::program::Program;
use rhai::{
    AST, Engine, EvalAltResult, GlobalRuntimeState, ImmutableString, Module, ModuleResolver, Position, Scope, Shared,
};
use skills_core::{ErrorKind, Failure, Language, Script, beside};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many lines the files that are kept may have together: scripts have those above.
const MOST_LINES: usize = 40_000;

/// How many bytes they may have together: no limit of the script's own counts them.
const MOST_BYTES: usize = 2 << 20;

/// How deep imports may be nested: each is evaluated on the stack of the one that asks for it.
const DEEPEST: usize = 64;

/// What stands before the name of an import that is kept, where a file has its path: no path has it.
const KEPT: char = '\0';

/// What cells have imported, by the names that they gave to it.
pub(crate) type Imports = BTreeMap<String, Import>;

/// A module that a cell has imported: Rhai forgets it with the evaluation.
#[derive(Clone)]
pub(crate) struct Import {
    module: Shared<Module>,
    /// Where functions are from that it may call.
    places: Arc<[Placed]>,
}

/// What scripts have imported.
#[derive(Default)]
pub(crate) struct Modules {
    /// The files, compiled, for as long as the session lives and there is room.
    known: Vec<Known>,
    /// What the run at hand has, by the names of the files.
    loaded: Vec<(String, Shared<Module>)>,
    /// The files whose evaluation has begun.
    loading: Vec<String>,
    /// What the script itself has imported, by what it has asked for.
    asked: Vec<(String, Shared<Module>)>,
    /// What earlier cells have imported.
    kept: Imports,
}

struct Known {
    placed: Placed,
    ast: AST,
}

impl Modules {
    /// Lets go of what a run has imported.
    pub(crate) fn forget(&mut self) {
        self.loaded.clear();
        self.loading.clear();
        self.asked.clear();
        self.kept.clear();
    }

    /// Makes ready for a cell what earlier ones have imported. Gives the statements that import it.
    pub(crate) fn offer(&mut self, kept: &Imports) -> String {
        self.kept = kept.clone();
        kept.keys().map(|name| format!("import \"\\x{:02x}{name}\" as {name};", u32::from(KEPT))).collect()
    }

    /// What the cell at hand has imported from a path.
    pub(crate) fn import(&self, path: &str) -> Option<Import> {
        let (_, module) = self.asked.iter().find(|(asked, _)| asked == path)?;
        let used = self.known.iter().filter(|known| self.in_use(known));
        Some(Import { module: module.clone(), places: used.map(|known| known.placed.clone()).collect() })
    }

    /// Where functions are from that a run may have called.
    pub(crate) fn places(&self) -> Vec<Placed> {
        self.all().cloned().collect()
    }

    fn all(&self) -> impl Iterator<Item = &Placed> {
        let known = self.known.iter().map(|known| &known.placed);
        known.chain(self.kept.values().flat_map(|kept| &*kept.places))
    }

    /// Whether the run at hand has asked for a file.
    fn in_use(&self, known: &Known) -> bool {
        let file = &known.placed.script.file;
        self.loading.contains(file) || self.loaded.iter().any(|(loaded, _)| loaded == file)
    }

    fn known(&self, script: &Script) -> Option<AST> {
        self.known.iter().find(|known| *known.placed.script == *script).map(|known| known.ast.clone())
    }

    /// The lines above a file that comes next, in place of what was known of it.
    fn above(&mut self, script: &Script, lines: usize) -> Result<usize, Failure> {
        self.known.retain(|known| known.placed.script.file != script.file);
        if let Some(above) = self.room(script, lines) {
            return Ok(above);
        }
        let known = std::mem::take(&mut self.known);
        self.known = known.into_iter().filter(|known| self.in_use(known)).collect();
        self.room(script, lines).ok_or_else(|| {
            let most = format!("more than {MOST_LINES} lines or {} MB", MOST_BYTES >> 20);
            Failure::new(ErrorKind::ScriptError, format!("the files that the run imports have {most} together"))
        })
    }

    fn room(&self, script: &Script, lines: usize) -> Option<usize> {
        let mut taken: Vec<_> = self.all().collect();
        taken.sort_by_key(|placed| std::cmp::Reverse(placed.above));
        taken.dedup_by_key(|placed| placed.above);
        let bytes: usize = taken.iter().map(|placed| placed.script.source.len()).sum();
        let mut end = OWN_LINE - 1;
        for placed in taken {
            if end >= placed.above + placed.lines + lines {
                break;
            }
            end = placed.above;
        }
        let above = end.checked_sub(lines).filter(|above| *above >= OWN_LINE - 1 - MOST_LINES);
        above.filter(|_| bytes + script.source.len() <= MOST_BYTES)
    }
}

/// Imports what the host gives.
pub(crate) struct Siblings(pub(crate) Arc<Control>);

impl ModuleResolver for Siblings {
    fn resolve(&self, _: &Engine, _: Option<&str>, path: &str, at: Position) -> Rhaied<Shared<Module>> {
        Err(self.refused(at, Failure::new(ErrorKind::ScriptError, format!("cannot import {path:?} here"))))
    }

    fn resolve_raw(
        &self,
        engine: &Engine,
        global: &mut GlobalRuntimeState,
        _: &mut Scope<'_>,
        name: &str,
        at: Position,
    ) -> Rhaied<Shared<Module>> {
        if let Some(name) = name.strip_prefix(KEPT)
            && let Some(kept) = lock(&self.0.modules).kept.get(name)
        {
            return Ok(kept.module.clone());
        }
        let from = global.source().unwrap_or_default().to_owned();
        let module = self.module(engine, global, (&path(&from, name), name), at)?;
        let mut modules = lock(&self.0.modules);
        if from.is_empty() && modules.asked.iter().all(|(asked, _)| asked != name) {
            modules.asked.push((name.to_owned(), module.clone()));
        }
        Ok(module)
    }
}

impl Siblings {
    fn module(
        &self,
        engine: &Engine,
        global: &mut GlobalRuntimeState,
        (path, name): (&str, &str),
        at: Position,
    ) -> Rhaied<Shared<Module>> {
        let script = self.file(name, path).map_err(|failure| self.refused(at, failure))?;
        let file = script.file.clone();
        let loaded =
            |modules: &Modules| modules.loaded.iter().find(|(known, _)| *known == file).map(|(_, m)| m.clone());
        if let Some(module) = loaded(&lock(&self.0.modules)) {
            return Ok(module);
        }
        let ring = lock(&self.0.modules).loading.contains(&file);
        if ring {
            let message = format!("cannot import {name:?}: it is what imports this, so neither is there yet");
            let failure = Failure::new(ErrorKind::ScriptError, message);
            let help = "move what both need into a file of its own";
            return Err(self.refused(at, failure.with_help(help)));
        }
        if lock(&self.0.modules).loading.len() >= DEEPEST {
            let message = format!("cannot import {name:?}: imports are nested more than {DEEPEST} deep");
            let failure = Failure::new(ErrorKind::ScriptError, message);
            return Err(self.refused(at, failure.with_help("import what is needed more directly")));
        }
        // What is compiled stays, and is nobody's.
        let compiled = self.0.memory.outside(|| self.compiled(engine, script, path));
        let ast = compiled.map_err(|failure| self.refused(at, failure))?;
        lock(&self.0.modules).loading.push(file.clone());
        let made = Module::eval_ast_as_new_raw(engine, &mut Scope::new(), global, &ast);
        lock(&self.0.modules).loading.pop();
        let module: Shared<Module> = match made {
            Ok(module) => module.into(),
            Err(error) => return Err(EvalAltResult::ErrorInModule(path.to_owned(), error, at).into()),
        };
        lock(&self.0.modules).loaded.push((file, module.clone()));
        Ok(module)
    }

    fn file(&self, name: &str, path: &str) -> Result<Script, Failure> {
        let host = self.0.host().ok_or_else(no_run)?;
        let found = self.0.memory.outside(|| host.module(path));
        let script = found.map_err(|failure| match failure.kind {
            ErrorKind::NotFound | ErrorKind::Unavailable => Failure {
                kind: ErrorKind::ScriptError,
                message: format!("cannot import {name:?}: {}", failure.message),
                ..failure
            },
            _ => failure,
        })?;
        if script.language == Language::Rhai {
            return Ok(script);
        }
        Err(Failure::new(ErrorKind::ScriptError, format!("cannot import {name:?}: it is {}", script.language)))
    }

    fn compiled(&self, engine: &Engine, script: Script, path: &str) -> Result<AST, Failure> {
        if let Some(ast) = lock(&self.0.modules).known(&script) {
            return Ok(ast);
        }
        // Nothing interrupts what is compiled here.
        self.0.host().ok_or_else(no_run)?.budget().check_time()?;
        let lines = script.source.lines().count() + 1;
        let above = lock(&self.0.modules).above(&script, lines)?;
        let Program { mut ast, written } = Program::body(engine, &script, above)?;
        ast.set_source(ImmutableString::from(path));
        let placed = Placed { script: Arc::new(script), written, above, lines };
        lock(&self.0.modules).known.push(Known { placed, ast: ast.clone() });
        Ok(ast)
    }

    fn refused(&self, at: Position, failure: Failure) -> Box<EvalAltResult> {
        let mut error = self.0.throw(failure);
        error.set_position(at);
        error
    }
}

/// The path of what a file imports. One that is absolute stays what it is, and the host refuses it.
fn path(from: &str, name: &str) -> String {
    let whole = if name.ends_with(".rhai") { name.to_owned() } else { format!("{name}.rhai") };
    if whole.starts_with('/') { whole } else { beside(from, &whole) }
}
