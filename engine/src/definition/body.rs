//! What a skill runs, by its type; and the combinations that the schemas rule out, with their reasons.

use crate::definition::build::Context;
use crate::definition::fields::{Fields, Text};
use crate::definition::node::{Member, Node};
use crate::definition::{codes, command, conversation, executor};
use crate::{Body, Dialect, LimitRequest, PromptGuides, SkillKind};

/// Keys of a program or script that stand at the top level.
const FLAT: &[&str] = &[
    "command",
    "args",
    "shell",
    "environment",
    "working_directory",
    "stdin",
    "exit_codes",
    "output",
    "code",
    "language",
];

/// Those that only a program has.
const OF_PROGRAMS: &[&str] = &["args", "shell", "environment", "working_directory", "stdin", "exit_codes"];

/// Keys of a conversation.
const CONVERSATION: &[&str] =
    &["conversation", "completion", "prompt_template", "context_files", "model", "context_window"];

/// The body of a definition, whose type is known.
pub(crate) fn build(fields: &mut Fields<'_>, limits: &mut LimitRequest, context: &mut Context<'_>) -> Option<Body> {
    match context.kind {
        SkillKind::CodeInline | SkillKind::CodeSession => {
            refuse_conversation(fields, context);
            code(fields, limits, context)
        }
        SkillKind::Conversation => {
            refuse_executor(fields, "conversations don't execute code", context);
            unused(fields, &["scripts", "instructions"], context);
            conversation::build(fields, context)
        }
        SkillKind::PromptInline => {
            refuse_executor(fields, "prompts don't execute code", context);
            unused(fields, &["conversation", "completion", "context_files", "model", "context_window"], context);
            prompt(fields, context)
        }
    }
}

/// Marks every key of a body as known, where the type that says which are is missing.
pub(crate) fn skip(fields: &mut Fields<'_>) -> Option<Body> {
    for key in FLAT.iter().chain(CONVERSATION).chain(&["executor", "prompt", "scripts", "instructions", "timeout"]) {
        fields.node(key);
    }
    None
}

/// Prompts that guide a model around a skill that runs code.
pub(crate) fn guides(fields: &mut Fields<'_>, context: &mut Context<'_>) -> PromptGuides {
    if context.kind == SkillKind::PromptInline || fields.node("prompt").is_none() {
        return PromptGuides::default();
    }
    if let Some(node) = fields.node("prompt").filter(|node| !node.is_object()) {
        let help = match context.kind {
            SkillKind::Conversation => "write `\"prompt_template\"` for how the conversation begins",
            _ => "write `{\"output_formatting\": \"…\"}`, or make the skill a `prompt_inline` one",
        };
        let expected = "an object with `input_validation`, `argument_mapping` or `output_formatting`";
        fields.wrong_type("prompt", node, expected, help, &mut context.sink);
        return PromptGuides::default();
    }
    let Some(mut prompt) = fields.object("prompt", &mut context.sink) else { return PromptGuides::default() };
    let mut guide = |key: &'static str| {
        let text = prompt.text(key, &mut context.sink)?;
        context.references.resolve(text, &mut context.sink).map(|resolved| resolved.text)
    };
    let guides = PromptGuides {
        input_validation: guide("input_validation"),
        argument_mapping: guide("argument_mapping"),
        output_formatting: guide("output_formatting"),
    };
    prompt.finish(&mut context.sink);
    guides
}

fn code(fields: &mut Fields<'_>, limits: &mut LimitRequest, context: &mut Context<'_>) -> Option<Body> {
    unused(fields, &["scripts", "instructions"], context);
    let sources: Vec<&Member> =
        ["executor", "command", "code"].into_iter().filter_map(|key| fields.member(key)).collect();
    if let [first, second, ..] = sources.as_slice() {
        let message = format!("`{}` and `{}` both say what to run", first.key, second.key);
        context.sink.error(codes::SEVERAL_BODIES, &second.key_span, message, "remove one of the two");
        skip(fields);
        return None;
    }
    match sources.first().map(|member| member.key.as_str()) {
        Some("executor") => {
            unused(fields, FLAT, context);
            let mut inner = fields.object("executor", &mut context.sink)?;
            let body = executor::nested(&mut inner, limits, context);
            inner.finish(&mut context.sink);
            body
        }
        Some("command") => {
            unused_beside("command", fields, &["code", "language"], context);
            command::build(fields, context).map(Body::Command)
        }
        Some(_) => {
            unused_beside("code", fields, OF_PROGRAMS, context);
            executor::inline(fields, context)
        }
        None => {
            skip(fields);
            let help = match context.dialect {
                Dialect::V1 => r#"add `"executor": {"type": "inline", "code": "file://./scripts/NAME.py"}`"#,
                _ => "add a `command`, a `code` or an `executor`",
            };
            let named = kind_name(context.kind);
            let message = format!("a `{named}` skill has to have an `executor`: there is nothing to run");
            report_at_type(fields, codes::MISSING_EXECUTOR, message, help, context);
            None
        }
    }
}

fn prompt(fields: &mut Fields<'_>, context: &mut Context<'_>) -> Option<Body> {
    let given: Vec<&Member> =
        ["prompt", "prompt_template", "instructions"].into_iter().filter_map(|key| fields.member(key)).collect();
    let scripts = fields.texts("scripts", &mut context.sink).unwrap_or_default();
    let scripts = scripts.into_iter().filter_map(|text| context.references.script(text, &mut context.sink)).collect();
    match given.as_slice() {
        [] => {
            let message = "a `prompt_inline` skill has to have a `prompt`".to_owned();
            let help = "add `\"prompt\": \"…\"`, or `\"prompt\": \"file://./prompt.md\"`";
            report_at_type(fields, codes::MISSING_CONVERSATION, message, help, context);
            None
        }
        [one] => match one.value.as_str() {
            // The body of a `SKILL.md` is the text itself, whatever it begins with and whatever braces are in it.
            Some(text) if context.dialect == Dialect::SkillMd => {
                Some(Body::Prompt { template: text.to_owned(), scripts })
            }
            Some(text) => {
                let text = Text { text, span: &one.value.span };
                let template = context.references.resolve(text, &mut context.sink)?.text;
                context.check_placeholders(&template, &one.value.span);
                Some(Body::Prompt { template, scripts })
            }
            None => {
                let help = "write the template as a text in double quotes";
                fields.wrong_type(&one.key, &one.value, "a string in a `prompt_inline` skill", help, &mut context.sink);
                None
            }
        },
        [first, second, ..] => {
            let message = format!("`{}` and `{}` both give the prompt", first.key, second.key);
            context.sink.error(codes::SEVERAL_BODIES, &second.key_span, message, "remove one of the two");
            None
        }
    }
}

fn refuse_conversation(fields: &mut Fields<'_>, context: &mut Context<'_>) {
    for key in CONVERSATION {
        let Some(member) = fields.member(key) else { continue };
        if *key == "model" || *key == "context_window" {
            unused(fields, &[key], context);
            continue;
        }
        let message = format!("code skills don't use conversation flow: `{key}` cannot be here");
        let help = "remove it, or make the skill a `conversation` without anything to run";
        context.sink.error(codes::CODE_WITH_CONVERSATION, &member.key_span, message, help);
    }
}

fn refuse_executor(fields: &mut Fields<'_>, reason: &str, context: &mut Context<'_>) {
    for key in ["executor", "command", "code"] {
        let Some(member) = fields.member(key) else { continue };
        let message = format!("{reason}: `{key}` cannot be here");
        let help = "remove it, or make the skill a `code_inline` one";
        context.sink.error(codes::CONVERSATION_WITH_EXECUTOR, &member.key_span, message, help);
    }
    unused(fields, OF_PROGRAMS, context);
    unused(fields, &["output", "language"], context);
}

/// Warns about keys that have a meaning elsewhere, but do nothing in this type of skill or beside what it has.
fn unused(fields: &mut Fields<'_>, keys: &[&'static str], context: &mut Context<'_>) {
    for key in keys {
        if let Some(member) = fields.member(key) {
            let message = format!("`{key}` does nothing here");
            let help = match fields_has_executor(fields) && FLAT.contains(key) {
                true => format!("move it into `executor`, where `{key}` belongs"),
                false => format!("remove it: a `{}` skill does not use it", kind_name(context.kind)),
            };
            context.sink.warning(codes::NOT_HERE, &member.key_span, message, help);
        }
    }
}

/// The same for keys that belong to the other way to say what runs.
fn unused_beside(what: &str, fields: &mut Fields<'_>, keys: &[&'static str], context: &mut Context<'_>) {
    let other = if what == "code" { "command" } else { "code" };
    for key in keys {
        if let Some(member) = fields.member(key) {
            let message = format!("`{key}` does nothing beside `{what}`");
            let help = format!("remove it: it belongs to a `{other}`");
            context.sink.warning(codes::NOT_HERE, &member.key_span, message, help);
        }
    }
}

fn fields_has_executor(fields: &mut Fields<'_>) -> bool {
    fields.node("executor").is_some_and(Node::is_object)
}

/// Reports what the type of skill asks for, at the place that says the type.
pub(crate) fn report_at_type(
    fields: &mut Fields<'_>,
    code: codes::Code,
    message: String,
    help: &str,
    context: &mut Context<'_>,
) {
    let start = fields.span().start;
    let span = fields.node("type").map_or(start..start + 1, |node| node.span.clone());
    context.sink.error(code, &span, message, help);
}

/// The name of a type, as definitions write it.
pub(crate) fn kind_name(kind: SkillKind) -> &'static str {
    crate::definition::reader::KINDS.iter().find(|(_, k)| *k == kind).map_or("code_inline", |(name, _)| name)
}
