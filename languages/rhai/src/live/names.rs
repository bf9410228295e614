//! The names of a namespace.

use super::cells::{Machine, type_name};
use super::{Live, library, walk};
use crate::convert::ToJson;
use crate::text;
use rhai::{FnPtr, ScriptFuncDef};
use serde_json::Value;
use skills_core::value::describe;
use skills_core::{ErrorKind, Failure, NameKind, Variable, taken};
use std::collections::{BTreeMap, HashSet};

/// The longest text of a variable, in characters.
const LINE: usize = 80;

/// Fails where a name is none, or not one to be set from outside.
pub(super) fn check(name: &str, machine: &Machine<'_>) -> Result<(), Failure> {
    // Functions have names of their own in Rhai: a variable hides none.
    if name == "skill" {
        return Err(taken(name, "Rhai"));
    }
    let word = rhai::is_valid_identifier(name);
    if word && machine.engine.compile(format!("let {name} = 0;")).is_ok() {
        return Ok(());
    }
    Err(Failure::new(ErrorKind::InvalidArguments, format!("`{name}` cannot be the name of a variable in Rhai"))
        .with_help("use letters, digits and `_`, and no word of the language"))
}

/// The failure for a name that nothing has.
pub(super) fn unknown(name: &str) -> Failure {
    Failure::new(ErrorKind::NotFound, format!("there is no `{name}` in this session"))
}

/// How a function is called: `area(width, height)`.
pub(super) fn signature(function: &ScriptFuncDef) -> String {
    let parameters: Vec<&str> = function.params.iter().map(|name| name.as_str()).collect();
    let this = function.this_type.as_ref().map(|this| format!("{this}.")).unwrap_or_default();
    format!("{this}{}({})", function.name, parameters.join(", "))
}

impl Live {
    /// The functions of cells by name, with how they are called; closures have no names.
    pub(super) fn functions(&self) -> BTreeMap<String, Vec<String>> {
        let mut functions: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (_, function) in self.library.definitions() {
            if !library::is_closure(&function.name) {
                functions.entry(function.name.to_string()).or_default().push(signature(function));
            }
        }
        functions
    }

    /// The variables and functions, sorted by name.
    pub(crate) fn list(&self, machine: &Machine<'_>) -> Vec<Variable> {
        let mut listed = BTreeMap::new();
        for (name, signatures) in self.functions() {
            let shown = one_line(&signatures.join(", "));
            let kind = NameKind::Function;
            listed.insert(name.clone(), Variable { name, kind, type_name: "Fn".into(), shown, size: None });
        }
        for (name, _, value) in self.variables() {
            let kind = if value.read_lock::<FnPtr>().is_some() { NameKind::Function } else { NameKind::Value };
            let variable = Variable {
                name: name.into(),
                kind,
                type_name: type_name(value, machine.engine),
                shown: one_line(&text::cut(value, 4 * LINE).0),
                size: Some(walk::size(value, &mut HashSet::new())),
            };
            listed.insert(name.to_owned(), variable);
        }
        listed.into_values().collect()
    }

    /// The value of a variable; the memory cap has begun.
    pub(crate) fn get(&self, name: &str, machine: &Machine<'_>) -> Result<Value, Failure> {
        if let Some(value) = self.value(name) {
            let limit = machine.host.budget().limits().result;
            return ToJson::new("result", limit, &machine.control.memory).value(value);
        }
        match self.functions().contains_key(name) {
            true => Ok(describe("function", &format!("Fn(\"{name}\")"))),
            false => Err(unknown(name)),
        }
    }
}

/// A text in one line of bounded length.
fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(LINE) {
        None => line,
        Some(_) => line.chars().take(LINE - 1).chain(['…']).collect(),
    }
}
