use super::eval::Sight;
use super::names::missing;
use super::{asking, unanswered, under};
use crate::engine::Argument;
use crate::error;
use crate::session::JavaScriptSession;
use crate::source;
use serde::Deserialize;
use skills_core::{Completion, Completions, Failure, FunctionSpec, Host, Inspection, Language, NameKind, Script};
use std::sync::Arc;

/// Words of the language that a line may begin with or hold.
const KEYWORDS: [&str; 37] = [
    "async",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "import",
    "in",
    "instanceof",
    "let",
    "new",
    "null",
    "of",
    "return",
    "static",
    "super",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "yield",
];

/// A path of names, as far as it stands before the cursor.
struct Path {
    names: Vec<String>,
    prefix: String,
    from: usize,
}

/// How the word before the cursor could go on.
pub(crate) fn complete(
    session: &mut JavaScriptSession,
    text: &str,
    cursor: usize,
    host: &Arc<dyn Host>,
) -> Result<Completions, Failure> {
    let cursor = (0..=cursor.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let Some(path) = path_before(&text[..cursor]) else {
        return Ok(Completions { from: cursor, items: Vec::new() });
    };
    under(session, host, Language::JavaScript, |session| {
        let names = serde_json::json!(path.names).to_string();
        let listed = session.engine.ask("members", &[Argument::Text(&names), Argument::Text(&path.prefix)]);
        let listed = listed.map_err(|fault| unanswered(session, &fault))?;
        let mut items: Vec<Completion> = serde_json::from_str(&listed)
            .map_err(|error| error::internal(&asking(), format!("the completions cannot be read: {error}")))?;
        if path.names.is_empty() {
            let words = KEYWORDS.iter().filter(|word| word.starts_with(&path.prefix));
            items.extend(words.map(|word| Completion { text: (*word).to_owned(), kind: NameKind::Keyword }));
        }
        items.sort_by(|a, b| a.text.cmp(&b.text));
        items.dedup_by(|a, b| a.text == b.text);
        Ok(Completions { from: path.from, items })
    })
    .0
}

fn in_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// The path that ends a text: `a.b?.c`. `None` where the text ends in something else, or in a string or a comment.
fn path_before(text: &str) -> Option<Path> {
    if !in_code(text) {
        return None;
    }
    let word =
        |text: &str| text.char_indices().rev().take_while(|(_, c)| in_name(*c)).last().map_or(text.len(), |(at, _)| at);
    let from = word(text);
    let prefix = text[from..].to_owned();
    if prefix.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let mut names = Vec::new();
    let mut rest = text[..from].trim_end();
    while let Some(before) = rest.strip_suffix('.') {
        if before.ends_with("..") {
            break;
        }
        let before = before.strip_suffix('?').unwrap_or(before).trim_end();
        let start = word(before);
        let name = &before[start..];
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        names.insert(0, name.to_owned());
        rest = before[..start].trim_end();
    }
    Some(Path { names, prefix, from })
}

/// Whether a text ends in code, and not in a string, a template's text or a comment. Regular expressions are not told
/// apart from divisions: one that holds a quote is taken for a string.
fn in_code(text: &str) -> bool {
    let mut open: Vec<char> = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (open.last().copied(), c) {
            (Some('\'' | '"' | '`'), '\\') => {
                chars.next();
            }
            (Some('`'), '$') if chars.peek() == Some(&'{') => {
                chars.next();
                open.push('{');
            }
            (Some('\'' | '"'), '\n') => {
                open.pop();
            }
            (Some(quote @ ('\'' | '"' | '`')), c) if c == quote => {
                open.pop();
            }
            (Some('\'' | '"' | '`'), _) => {}
            (_, '/') if chars.peek() == Some(&'/') => {
                let ends = chars.by_ref().any(|c| c == '\n');
                if !ends {
                    return false;
                }
            }
            (_, '/') if chars.peek() == Some(&'*') => {
                chars.next();
                let mut star = false;
                if !chars.by_ref().any(|c| std::mem::replace(&mut star, c == '*') && c == '/') {
                    return false;
                }
            }
            (_, c @ ('\'' | '"' | '`' | '{')) => open.push(c),
            (Some('{'), '}') => {
                open.pop();
            }
            _ => {}
        }
    }
    !matches!(open.last(), Some('\'' | '"' | '`'))
}

/// What the bridge tells of a value.
#[derive(Deserialize)]
struct Told {
    shown: Sight,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    length: f64,
    #[serde(default)]
    source: Option<String>,
}

/// What there is to know about a name or a path of names.
pub(crate) fn inspect(
    session: &mut JavaScriptSession,
    path: &str,
    host: &Arc<dyn Host>,
) -> Result<Inspection, Failure> {
    let names: Vec<String> = path.split('.').map(|name| name.trim_end_matches('?').trim().to_owned()).collect();
    under(session, host, Language::JavaScript, |session| {
        let wanted = serde_json::json!(names).to_string();
        let answer = session.engine.ask("inspected", &[Argument::Text(&wanted)]);
        let answer = answer.map_err(|fault| unanswered(session, &fault))?;
        if answer == "?" {
            return Err(missing(path));
        }
        let told: Told = serde_json::from_str(&answer)
            .map_err(|error| error::internal(&asking(), format!("the value cannot be read: {error}")))?;
        let natives = std::rc::Rc::clone(session.engine.natives());
        let Some(living) = session.living.as_ref() else { return Err(missing(path)) };
        let mut found = Inspection { shown: told.shown.shown(living), ..Inspection::default() };
        found.doc = names.first().filter(|_| names.len() == 1).and_then(|name| living.docs.get(name)).cloned();
        let name = told.name.unwrap_or_default();
        if let Some(text) = told.source {
            let definitions = natives.definitions.borrow();
            match definitions.look(&text) {
                Some(known) => {
                    let script = Script { source: known.source().to_owned(), ..Script::clone(&known.script) };
                    found.signature = source::parameters(&script, known.definition.kind)
                        .map(|parameters| format!("{name}{parameters}"));
                    found.source = Some(script.source);
                }
                None if text.contains("[native code]") => {
                    let count = told.length.clamp(0.0, 20.0) as usize;
                    let unnamed: Vec<String> = (1..=count).map(|number| format!("arg{number}")).collect();
                    found.signature = Some(format!("{name}({})", unnamed.join(", ")));
                }
                // A function of the bridge's own, or a method that comes with its class.
                None => found.signature = Some(format!("{name}(…)")),
            }
        }
        if let Some(spec) = of_host(&names, host) {
            let parameters: Vec<String> = spec
                .parameters
                .iter()
                .map(|one| if one.required { one.name.clone() } else { format!("{}?", one.name) })
                .collect();
            found.signature = Some(format!("skill.{}({})", spec.name, parameters.join(", ")));
            found.doc = Some(spec.description.clone()).filter(|text| !text.is_empty());
        }
        Ok(found)
    })
    .0
}

/// The function of the host that a path leads to.
fn of_host<'h>(names: &[String], host: &'h Arc<dyn Host>) -> Option<&'h FunctionSpec> {
    let (first, rest) = names.split_first()?;
    let name = if first == "skill" { rest.join(".") } else { return None };
    host.functions().iter().find(|spec| spec.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_before_the_cursor_is_found() {
        let path = |text: &str| path_before(text).map(|path| (path.names.join("."), path.prefix, path.from));
        assert_eq!(path("a.b?.cd"), Some(("a.b".into(), "cd".into(), 5)));
        assert_eq!(path("f(x) + obj."), Some(("obj".into(), String::new(), 11)));
        assert_eq!(path("`${na"), Some((String::new(), "na".into(), 3)));
        assert_eq!(path("[...it"), Some((String::new(), "it".into(), 4)));
        assert_eq!(path("é = ñ"), Some((String::new(), "ñ".into(), 5)));
        for nothing in ["'obj.na", "// obj.na", "/* a", "`text na", "f().x", "12.5", "3", "a[0].b"] {
            assert_eq!(path(nothing), None, "{nothing}");
        }
    }
}
