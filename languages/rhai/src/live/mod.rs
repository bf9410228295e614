//! A namespace that lives: its variables and its functions.

mod cells;
mod complete;
mod inspect;
mod library;
mod names;
mod snapshot;
mod walk;
mod words;

pub(crate) use cells::Machine;

use crate::control::{Control, Rhaied, lock};
use crate::last_value;
use crate::memory::Mark;
use crate::modules::Imports;
use crate::stack::Stack;
use library::Library;
use rhai::{Dynamic, Engine, ImmutableString, NativeCallContext, Scope};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What cells have made. Values may be nested as deep as a session's own stack allows: walk them there only.
pub(crate) struct Live {
    scope: Scope<'static>,
    library: Library,
    /// The imports of all cells, which are not evaluated again.
    imports: Imports,
    /// What the namespace held when the last cell had ended.
    mark: Mark,
}

/// The constant that makes Rhai keep a table of them.
const TABLE: &str = "__skill_constants";

/// What fills that table.
const FILL: &str = "__skill_fill_constants";

/// What says that the body of a skill has been evaluated.
const REACH: &str = "__skill_reach";

/// Registers what cells are compiled to call.
pub(crate) fn register(engine: &mut Engine, control: &Arc<Control>) {
    let here = Arc::clone(control);
    engine.register_raw_fn(FILL, [], move |context: NativeCallContext<'_>, _| -> Rhaied<Dynamic> {
        let constants = here.take_constants();
        if let Some(table) = &context.global_runtime_state().constants
            && let Some(mut table) = rhai::locked_write(table)
        {
            table.extend(constants);
        }
        Ok(Dynamic::UNIT)
    });
    let here = Arc::clone(control);
    engine.register_fn(REACH, move || here.reach());
}

impl Live {
    pub(crate) fn new() -> Live {
        Live { scope: Scope::new(), library: Library::new(), imports: Imports::new(), mark: Mark::default() }
    }

    /// What the namespace holds.
    pub(crate) fn mark(&self) -> Mark {
        self.mark
    }

    fn value(&self, name: &str) -> Option<&Dynamic> {
        self.scope.get(name)
    }

    /// The variables, newest first, with whether they are constants.
    fn variables(&self) -> impl Iterator<Item = (&str, bool, &Dynamic)> {
        self.scope.iter_raw().filter(|(name, ..)| *name != last_value::NAME)
    }

    /// The constants, as `global::NAME` finds them.
    fn constants(&self) -> Vec<(ImmutableString, Dynamic)> {
        let constants = self.variables().filter(|(_, constant, _)| *constant);
        constants.map(|(name, _, value)| (name.into(), value.clone())).collect()
    }

    /// Gives a name a new value, as a declaration does.
    fn declare(&mut self, name: &str, value: Dynamic) {
        match self.scope.get_mut(name) {
            Some(slot) => *slot = value,
            None => {
                self.scope.push_dynamic(name, value);
            }
        }
    }

    /// Takes a name away.
    fn remove(&mut self, names: &[&str]) {
        let scope = std::mem::take(&mut self.scope);
        for (name, value, _) in scope {
            if !names.contains(&name.as_str()) {
                push(&mut self.scope, &name, value);
            }
        }
    }

    /// Lets go of variables that others with the same name hide.
    fn tidy(&mut self) {
        let mut names = HashSet::new();
        let hides = |(name, ..): (&str, bool, &Dynamic)| name == TABLE || !names.insert(name.to_owned());
        if !self.scope.iter_raw().any(hides) {
            return;
        }
        let entries: Vec<_> = std::mem::take(&mut self.scope).into_iter().collect();
        let mut names = HashSet::new();
        let mut kept: Vec<_> = entries.into_iter().rev().filter(|(name, ..)| names.insert(name.clone())).collect();
        kept.retain(|(name, ..)| name != TABLE);
        for (name, value, _) in kept.into_iter().rev() {
            push(&mut self.scope, &name, value);
        }
    }

    /// Lets go of the variable that holds the most.
    fn drop_largest(&mut self) -> Option<String> {
        let size = |value: &Dynamic| walk::size(value, &mut HashSet::new());
        let largest = self.scope.iter_raw().max_by_key(|(_, _, value)| size(value));
        let name = largest.map(|(name, ..)| name.to_owned())?;
        self.remove(&[&name]);
        Some(name)
    }

    /// Lets go of closures that nothing refers to.
    fn sweep(&mut self) {
        let scope = &self.scope;
        self.library.sweep(|used| {
            let mut seen = HashSet::new();
            scope.iter_raw().for_each(|(_, _, value)| walk::closures_in(value, &mut seen, used));
        });
    }

    /// An independent copy.
    pub(crate) fn copy(&self) -> Live {
        let mut made = HashMap::new();
        let mut scope = Scope::new();
        let mut entries: Vec<_> = self.scope.iter_raw().collect();
        entries.reverse();
        for (name, constant, value) in entries {
            let value = walk::copy(value, &mut made);
            if constant {
                scope.push_constant_dynamic(name, value);
            } else {
                scope.push_dynamic(name, value);
            }
        }
        Live { scope, library: self.library.clone(), imports: self.imports.clone(), mark: self.mark }
    }
}

fn push(scope: &mut Scope<'static>, name: &str, value: Dynamic) {
    if value.is_read_only() {
        scope.push_constant_dynamic(name, value);
    } else {
        scope.push_dynamic(name, value);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let (scope, imports) = (std::mem::take(&mut self.scope), std::mem::take(&mut self.imports));
        if scope.is_empty() && imports.is_empty() {
            return;
        }
        // Where there is no room for such a stack, a small one has to do.
        if let Ok(mut stack) = Stack::new() {
            let _ = stack.run(|| drop((scope, imports)));
        }
    }
}

/// Has `_` read as a name while something is compiled.
fn with_last_value<T>(control: &Control, compile: impl FnOnce() -> T) -> T {
    *lock(&control.last_value) = Some(last_value::LastValue::default());
    let compiled = compile();
    *lock(&control.last_value) = None;
    compiled
}
