//! The functions of a session, with the sources that they are from.

use crate::failures::{OWN_LINE, Placed};
use rhai::{AST, ASTNode, Dynamic, Expr, FnPtr, ScriptFuncDef, Shared};
use skills_core::Script;
use std::collections::HashSet;
use std::sync::Arc;

/// How many sources are kept before those are looked for that nothing refers to any more.
const FIRST_SWEEP: usize = 32;

/// What tells functions apart: name, number of parameters, the type of `this`.
pub(super) type Key = (String, usize, Option<String>);

/// The functions of all cells, later ones in place of earlier ones.
#[derive(Debug, Clone)]
pub(crate) struct Library {
    functions: AST,
    /// For each of `sources`, where errors in it are.
    places: Vec<Placed>,
    sources: Vec<Source>,
    sweep_at: usize,
}

/// A source that functions are from.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// What it defines.
    own: AST,
    /// What of that still counts.
    keys: Vec<Key>,
    /// The source is a skill's, and this is the call of its `run`.
    pub(super) call: Option<AST>,
}

pub(super) fn key(function: &ScriptFuncDef) -> Key {
    (function.name.to_string(), function.params.len(), function.this_type.as_ref().map(ToString::to_string))
}

impl Library {
    pub(super) fn new() -> Library {
        Library { functions: AST::empty(), places: Vec::new(), sources: Vec::new(), sweep_at: FIRST_SWEEP }
    }

    /// All functions, and no statements.
    pub(super) fn functions(&self) -> &AST {
        &self.functions
    }

    /// Where the functions are from.
    pub(super) fn places(&self) -> &[Placed] {
        &self.places
    }

    pub(super) fn sources(&self) -> impl Iterator<Item = (&Placed, &Source)> {
        self.places.iter().zip(&self.sources)
    }

    /// The definitions that count, each with its source, sorted by name and number of parameters.
    pub(super) fn definitions(&self) -> Vec<(&Placed, &Shared<ScriptFuncDef>)> {
        let mut found: Vec<_> = self
            .sources()
            .flat_map(|(placed, source)| {
                let counts = |function: &&Shared<ScriptFuncDef>| source.keys.contains(&key(function));
                source.own.iter_fn_def().filter(counts).map(move |function| (placed, function))
            })
            .collect();
        found.sort_by_key(|(_, function)| key(function));
        found
    }

    /// How many lines to put above a source of that many lines, so that no line has the number of another one's. Where
    /// there is no room, places in errors may name the wrong one of two sources.
    pub(super) fn above(&self, lines: usize) -> usize {
        let mut taken: Vec<(usize, usize)> = self.places.iter().map(|p| (p.above, p.above + p.lines)).collect();
        taken.sort_unstable();
        let mut above = 0;
        for (from, to) in taken {
            if from >= above + lines {
                break;
            }
            above = above.max(to);
        }
        if above + lines < OWN_LINE { above } else { 0 }
    }

    /// Takes up the functions of a source.
    pub(super) fn add(&mut self, placed: Placed, own: AST, call: Option<AST>) {
        let keys: Vec<Key> = own.iter_fn_def().map(|function| key(function)).collect();
        for source in &mut self.sources {
            source.keys.retain(|key| !keys.contains(key));
        }
        self.functions.combine(own.clone());
        self.places.push(placed);
        self.sources.push(Source { own, keys, call });
        self.drop_empty();
    }

    /// Where the source of a skill is, whose body has been evaluated.
    pub(super) fn skill(&self, script: &Arc<Script>) -> Option<usize> {
        let same = |placed: &Placed| Arc::ptr_eq(&placed.script, script) || placed.script == *script;
        self.sources().position(|(placed, source)| source.call.is_some() && same(placed))
    }

    /// Makes sure that the functions of a source are those that count. Gives the call of its `run`.
    pub(super) fn again(&mut self, index: usize) -> Option<AST> {
        let last_skill = self.sources.iter().rposition(|source| source.call.is_some());
        let call = self.sources.get(index)?.call.clone();
        if last_skill != Some(index) {
            let (placed, source) = (self.places.remove(index), self.sources.remove(index));
            self.add(placed, source.own, source.call);
        }
        call
    }

    /// Makes the source that was added last that of a skill.
    pub(super) fn pin(&mut self, call: AST) {
        if let Some(source) = self.sources.last_mut() {
            source.call = Some(call);
        }
    }

    fn drop_empty(&mut self) {
        let mut stays = self.sources.iter().map(|source| source.call.is_some() || !source.keys.is_empty());
        self.places.retain(|_| stays.next().unwrap_or(true));
        self.sources.retain(|source| source.call.is_some() || !source.keys.is_empty());
    }

    /// Lets go of closures that nothing refers to, where many sources have come together. `held` adds the names of the
    /// functions that values refer to.
    pub(super) fn sweep(&mut self, held: impl FnOnce(&mut HashSet<String>)) {
        if self.sources.len() < self.sweep_at {
            return;
        }
        let mut used = HashSet::new();
        held(&mut used);
        self.functions.walk(&mut |path| {
            if let Some(ASTNode::Expr(Expr::DynamicConstant(value, _))) = path.last() {
                used.extend(pointed(value));
            }
            true
        });
        let stays = |name: &str| !is_closure(name) || used.contains(name);
        self.functions.retain_functions(|_, _, name, _| stays(name));
        for source in &mut self.sources {
            source.keys.retain(|(name, ..)| stays(name));
        }
        self.drop_empty();
        self.sweep_at = (self.sources.len() * 2).max(FIRST_SWEEP);
    }
}

/// The function that a value points to.
fn pointed(value: &Dynamic) -> Option<String> {
    value.read_lock::<FnPtr>().map(|pointer| pointer.fn_name().to_owned())
}

/// Whether a name is one that Rhai gives to closures.
pub(super) fn is_closure(name: &str) -> bool {
    name.starts_with("anon$")
}

/// The closures of a source, in the order in which they are written: how a snapshot names them.
pub(super) fn closures(own: &AST) -> Vec<&Shared<ScriptFuncDef>> {
    let mut closures: Vec<_> = own.iter_fn_def().filter(|function| is_closure(&function.name)).collect();
    closures.sort_by_key(|function| {
        let at = function.body.start_position();
        (at.line(), at.position(), function.params.len(), function.name.to_string())
    });
    closures
}

impl Source {
    pub(super) fn own(&self) -> &AST {
        &self.own
    }
}
