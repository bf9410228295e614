//! What there is in the session: `%vars`, `%who`, `%doc`, `%all`.

use super::usage;
use crate::exit::Stop;
use crate::render;
use crate::repl::{Flow, Repl, highlight, pager, reflow, show};
use skills::Language;
use skills::core::{NameKind, Variable};

pub(super) fn vars(repl: &mut Repl, rest: &str) -> Result<Flow, Stop> {
    let variables = holding(repl, rest)?;
    if variables.is_empty() {
        return nothing(rest);
    }
    let several = variables.iter().any(|(language, _)| *language != variables[0].0);
    let mut header = vec!["name", "type", "value", "size"];
    if several {
        header.insert(1, "language");
    }
    let mut table = render::table(&header);
    for (language, variable) in variables {
        let kind = match variable.kind {
            NameKind::Function if variable.type_name != "function" => format!("{} (function)", variable.type_name),
            _ => variable.type_name,
        };
        let size = variable.size.map(show::bytes).unwrap_or_default();
        let mut row = vec![variable.name, kind, render::one_line(&variable.shown), size];
        if several {
            row.insert(1, language.to_string());
        }
        table.add_row(row);
    }
    pager::show(repl, &render::harmless(&table.trim_fmt()))?;
    Ok(Flow::On)
}

pub(super) fn who(repl: &mut Repl, rest: &str) -> Result<Flow, Stop> {
    let names: Vec<String> = holding(repl, rest)?.into_iter().map(|(_, variable)| variable.name).collect();
    if names.is_empty() {
        return nothing(rest);
    }
    let names = render::harmless(&names.join("  "));
    render::text(&if repl.screen.terminal { reflow::words(&names, repl.screen.size().0) } else { names })?;
    Ok(Flow::On)
}

fn holding(repl: &Repl, text: &str) -> Result<Vec<(Language, Variable)>, Stop> {
    let mut variables = repl.shared.session().variables()?;
    // What begins with `_` is nobody's business, unless it is asked for.
    variables.retain(|(_, variable)| match text.is_empty() {
        true => !variable.name.starts_with('_'),
        false => variable.name.contains(text),
    });
    Ok(variables)
}

fn nothing(text: &str) -> Result<Flow, Stop> {
    render::note(&if text.is_empty() { "no variables yet".to_owned() } else { format!("no name holds `{text}`") });
    Ok(Flow::On)
}

pub(super) fn doc(repl: &mut Repl, rest: &str) -> Result<Flow, Stop> {
    if rest.is_empty() || rest.contains(char::is_whitespace) {
        return Err(usage("doc").into());
    }
    about(repl, rest, false)
}

/// Shows what a name is.
pub(crate) fn about(repl: &mut Repl, path: &str, source: bool) -> Result<Flow, Stop> {
    let language = repl.shared.language();
    let inspection = repl.shared.session().inspect(language, path)?;
    let screen = repl.screen;
    let code = |text: &str| match screen.color {
        true => highlight::paint(language, &render::harmless(text)),
        false => render::harmless(text),
    };
    let mut parts = Vec::new();
    match &inspection.signature {
        Some(signature) if signature.starts_with('(') => parts.push(code(&format!("{path}{signature}"))),
        Some(signature) => parts.push(code(signature)),
        None => {
            let value = show::value(language, &inspection.shown, &serde_json::Value::Null, &screen);
            parts.push(format!("{} = {}", screen.styled(show::dim(), &inspection.shown.type_name), value.text));
        }
    }
    if let Some(doc) = inspection.doc.as_deref().filter(|doc| !doc.trim().is_empty()) {
        parts.push(render::harmless(doc.trim_end()));
    }
    match &inspection.source {
        Some(text) if source => parts.push(code(text.trim_end())),
        None if source => parts.push(screen.styled(show::dim(), "its source is not known")),
        _ => {}
    }
    pager::show(repl, &parts.join("\n\n"))?;
    Ok(Flow::On)
}

pub(super) fn all(repl: &mut Repl, _: &str) -> Result<Flow, Stop> {
    match repl.all.clone() {
        Some(text) => pager::show(repl, &text)?,
        None => render::note("the last value was shown as a whole"),
    }
    Ok(Flow::On)
}
