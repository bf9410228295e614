//! The files of a skill that its script imports: `import "helper" as h;`.
//!
//! A module is evaluated once for a run, by the engine and on the account of whoever imports it first. Like the cells of a
//! session, each file is compiled below so many lines that no other one has its line numbers; files count from the end.

use crate::control::{Control, Rhaied, lock, no_run};
use crate::failures::{OWN_LINE, Placed};
use crate::program::Program;
use rhai::{
    AST, Engine, EvalAltResult, GlobalRuntimeState, ImmutableString, Module, ModuleResolver, Position, Scope, Shared,
};
use skills_core::{ErrorKind, Failure, Language, Script, beside};
use std::sync::Arc;

/// How many lines the files that are kept may have together: scripts have those above.
const MOST_LINES: usize = 40_000;

/// What scripts have imported.
#[derive(Default)]
pub(crate) struct Modules {
    /// The files, compiled, for as long as the session lives.
    known: Vec<Known>,
    /// The lines that they take.
    lines: usize,
    /// What the run at hand has, by the names of the files.
    loaded: Vec<(String, Shared<Module>)>,
    /// The files whose evaluation has begun.
    loading: Vec<String>,
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
        if self.lines > MOST_LINES / 2 {
            self.known.clear();
            self.lines = 0;
        }
    }

    /// Where functions are from that a run may have called.
    pub(crate) fn places(&self) -> Vec<Placed> {
        self.known.iter().map(|known| known.placed.clone()).collect()
    }

    fn known(&self, script: &Script) -> Option<AST> {
        self.known.iter().find(|known| *known.placed.script == *script).map(|known| known.ast.clone())
    }

    /// The lines above a file that comes next.
    fn above(&mut self, lines: usize) -> Option<usize> {
        self.lines += lines;
        (self.lines <= MOST_LINES).then(|| OWN_LINE - 1 - self.lines)
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
        let path = path(global.source().unwrap_or_default(), name);
        let script = self.file(name, &path).map_err(|failure| self.refused(at, failure))?;
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
        // What is compiled stays, and is nobody's.
        let compiled = self.0.memory.outside(|| self.compiled(engine, script, &path));
        let ast = compiled.map_err(|failure| self.refused(at, failure))?;
        lock(&self.0.modules).loading.push(file.clone());
        let made = Module::eval_ast_as_new_raw(engine, &mut Scope::new(), global, &ast);
        lock(&self.0.modules).loading.pop();
        let module: Shared<Module> = match made {
            Ok(module) => module.into(),
            Err(error) => return Err(EvalAltResult::ErrorInModule(path, error, at).into()),
        };
        lock(&self.0.modules).loaded.push((file, module.clone()));
        Ok(module)
    }
}

impl Siblings {
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
        let lines = script.source.lines().count() + 1;
        let above = lock(&self.0.modules).above(lines).ok_or_else(|| {
            let message = format!("the files that the run imports have more than {MOST_LINES} lines together");
            Failure::new(ErrorKind::ScriptError, message)
        })?;
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
