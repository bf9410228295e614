//! A flat definition with an `implementation`, as the first command-line tools wrote them.
//!
//! ```json
//! {"name": "count", "parameters": [{"name": "file", "type": "string"}],
//!  "implementation": {"type": "command", "command": "wc -l {{file}}"}}
//! ```

use super::draft::Draft;
use crate::definition::node::Node;

/// Translates it. Times are in milliseconds, as in the files of that age.
pub(super) fn translate(draft: &mut Draft<'_>) {
    let Some(implementation) = draft.take("implementation") else { return };
    match draft.take("skill_type") {
        Some(kind) => draft.set("type", kind.clone()),
        None => draft.text_unless("type", "code_inline", &implementation.span),
    }
    draft.declare("parameters");
    match implementation.get("type").and_then(Node::as_str).unwrap_or_else(|| guess(implementation)) {
        "command" | "shell" => command(draft, implementation),
        "script" | "inline" | "code" => inline(draft, implementation, &["code", "script"]),
        "prompt" => prompt(draft, implementation),
        other => {
            let span = implementation.get("type").map_or(&implementation.span, |kind| &kind.span);
            draft.untranslatable(
                span,
                format!("an implementation of the type `{other}` has no counterpart"),
                "use `command`, `script` or `prompt`",
            );
        }
    }
}

/// The type of an implementation that does not say it.
fn guess(implementation: &Node) -> &'static str {
    if implementation.has("code") || implementation.has("script") {
        "script"
    } else if implementation.has("prompt") || implementation.has("template") {
        "prompt"
    } else {
        "command"
    }
}

fn command(draft: &mut Draft<'_>, implementation: &Node) {
    match (implementation.get("command"), implementation.get("args")) {
        (Some(program), arguments) => draft.program(program, arguments),
        (None, _) => draft.untranslatable(
            &implementation.span,
            "the implementation has no `command`",
            "add \"command\": \"PROGRAM ARGUMENTS\"",
        ),
    }
    draft.surroundings(implementation);
    draft.parameters.check_use(draft.sink);
}

/// Code for an interpreter, which gets every parameter: no placeholders in it.
pub(super) fn inline(draft: &mut Draft<'_>, from: &Node, keys: &[&str]) {
    let Some(code) = keys.iter().find_map(|key| from.get(key)) else {
        let key = keys.first().copied().unwrap_or("script");
        let help = format!("add \"{key}\": \"file://./scripts/NAME.py\" and \"language\": \"python\"");
        draft.untranslatable(&from.span, format!("there is no `{key}` to run"), help);
        return;
    };
    let mut executor = Node::object(&from.span).with("type", Node::string("inline", &code.span));
    if let Some(language) = from.get("language") {
        executor = executor.with("language", language.clone());
    }
    draft.set("executor", executor.with("code", code.clone()));
    draft.surroundings(from);
}

fn prompt(draft: &mut Draft<'_>, implementation: &Node) {
    let Some(template) = implementation.get("prompt").or_else(|| implementation.get("template")) else {
        draft.untranslatable(&implementation.span, "the implementation has no `prompt`", "add \"prompt\": \"TEXT\"");
        return;
    };
    let text = draft.rewrite_all(template);
    draft.text("type", "prompt_inline", &implementation.span);
    draft.set("prompt", text);
    draft.parameters.check_use(draft.sink);
}
