//! What there is to know about a name.

use super::Live;
use super::cells::{Machine, shown};
use super::names::{signature, unknown};
use crate::failures::Placed;
use crate::host::SKILL;
use crate::text;
use rhai::{FnPtr, ScriptFuncDef};
use skills_core::{Failure, FunctionSpec, Inspection, Shown};

impl Live {
    /// What there is to know about a name, or a path of names.
    pub(crate) fn inspect(&self, path: &str, machine: &Machine<'_>) -> Result<Inspection, Failure> {
        let found = self.at(path, |value| {
            let pointed = value.read_lock::<FnPtr>().map(|pointer| pointer.fn_name().to_owned());
            let (text, cut) = text::cut(value, Shown::MOST);
            let whole = Shown { type_name: "()".into(), text, cut, png: None };
            (shown(value, machine.engine).unwrap_or(whole), pointed)
        });
        if let Some((shown, pointed)) = found {
            let function = pointed.and_then(|name| self.describe(&name));
            return Ok(Inspection { shown, ..function.unwrap_or_default() });
        }
        if let Some(function) = self.describe(path) {
            return Ok(function);
        }
        let functions = machine.host.functions();
        if path == SKILL {
            return Ok(of_module(functions));
        }
        let member = path.strip_prefix(SKILL).and_then(|rest| rest.strip_prefix('.'));
        let spec = functions.iter().enumerate().find(|(index, spec)| match member {
            Some(member) => spec.name == member,
            None => spec.name == path && machine.host.is_global(*index),
        });
        spec.map(|(_, spec)| of_host(path, spec)).ok_or_else(|| unknown(path))
    }

    /// The functions of cells that are for a value to call on itself: their source has `this` in it.
    pub(super) fn methods(&self) -> Vec<String> {
        let definitions = self.library.definitions();
        let own = definitions.into_iter().filter(|(placed, function)| {
            let named = !super::library::is_closure(&function.name);
            named && find(placed, function).is_some_and(|written| written.source.contains("this"))
        });
        own.map(|(_, function)| function.name.to_string()).collect()
    }

    /// The functions with a name.
    fn describe(&self, name: &str) -> Option<Inspection> {
        let definitions = self.library.definitions();
        let own: Vec<_> = definitions.into_iter().filter(|(_, function)| function.name.as_str() == name).collect();
        let signatures: Vec<String> = own.iter().map(|(_, function)| signature(function)).collect();
        let (placed, function) = own.first()?;
        let written: Vec<Written> = own.iter().filter_map(|(placed, function)| find(placed, function)).collect();
        let sources: Vec<&str> = written.iter().map(|written| written.source.as_str()).collect();
        let doc = written.iter().find_map(|written| written.doc.clone());
        let at = function.body.start_position().line().unwrap_or(0).saturating_sub(placed.above);
        let text = format!("Fn({name}), {} line {at}", placed.script.file);
        let closure = super::library::is_closure(name);
        Some(Inspection {
            shown: Shown { type_name: "Fn".into(), text, cut: false, png: None },
            signature: (!closure).then(|| signatures.join("\n")),
            doc,
            source: Some(sources.join("\n\n")).filter(|source| !source.is_empty()),
        })
    }
}

/// A function as it stands in its source.
struct Written {
    source: String,
    doc: Option<String>,
}

/// Finds a function in the source that it is from, by where its body is.
fn find(placed: &Placed, function: &ScriptFuncDef) -> Option<Written> {
    let offset = |at: rhai::Position| {
        let line = at.line()?.checked_sub(placed.above)?;
        let column =
            placed.written.as_ref().map_or(at.position(), |written| Some(written.column(line, at.position()?)));
        let source = &placed.script.source;
        let start: usize = source.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
        let text = source.get(start..)?;
        let inside = text.char_indices().nth(column?.saturating_sub(1)).map_or(text.len(), |(at, _)| at);
        Some(start + inside)
    };
    let source = &placed.script.source;
    let body = offset(function.body.start_position())?;
    let end = offset(function.body.end_position()).filter(|end| *end > body).unwrap_or(body);
    let last = source.get(end..)?.chars().next().map_or(0, char::len_utf8);
    let start = match super::library::is_closure(&function.name) {
        true => source[..body].rfind('|').and_then(|close| source[..close].rfind('|')).unwrap_or(body),
        false => header(&source[..body])?,
    };
    let doc = comment_above(&source[..start]);
    Some(Written { source: source.get(start..end + last)?.trim_end().to_owned(), doc })
}

/// Where the definition begins whose body comes next: at its `fn`, or at `private` before that.
fn header(before: &str) -> Option<usize> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let found = before.rmatch_indices("fn").find(|(at, _)| {
        let alone = !before[..*at].ends_with(is_word);
        alone && before[at + 2..].starts_with(char::is_whitespace)
    })?;
    let earlier = before[..found.0].trim_end();
    Some(if earlier.ends_with("private") { earlier.len() - "private".len() } else { found.0 })
}

/// The documentation comment that a text ends with, without its marks.
fn comment_above(before: &str) -> Option<String> {
    let before = before.trim_end();
    let lines: Vec<&str> = if before.ends_with("*/") {
        before.get(before.rfind("/**")?..)?.lines().collect()
    } else {
        let all: Vec<&str> = before.lines().collect();
        let count = all.iter().rev().take_while(|line| line.trim_start().starts_with("///")).count();
        all[all.len() - count..].to_vec()
    };
    let text: Vec<&str> = lines.into_iter().map(crate::signature::unmark).collect();
    Some(text.join("\n").trim().to_owned()).filter(|text| !text.is_empty())
}

/// What the host offers.
fn of_module(functions: &[FunctionSpec]) -> Inspection {
    let lines = functions.iter().map(|spec| format!("{}: {}", spec.name, spec.description));
    Inspection {
        shown: Shown { type_name: "module".into(), text: SKILL.into(), cut: false, png: None },
        signature: None,
        doc: Some(lines.collect::<Vec<_>>().join("\n")),
        source: None,
    }
}

/// What the host says of a function of its own.
fn of_host(path: &str, spec: &FunctionSpec) -> Inspection {
    let parameters = spec.parameters.iter().map(|parameter| match &parameter.default {
        Some(default) => format!("{} = {default}", parameter.name),
        None => parameter.name.clone(),
    });
    let signature = format!("{path}({})", parameters.collect::<Vec<_>>().join(", "));
    Inspection {
        shown: Shown { type_name: "Fn".into(), text: format!("Fn({path}), of the host"), cut: false, png: None },
        signature: Some(signature),
        doc: Some(spec.description.clone()).filter(|text| !text.is_empty()),
        source: None,
    }
}
