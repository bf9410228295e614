//! Conversations: v2's flat keys, and v1's `conversation` and `completion`.

use crate::definition::body::report_at_type;
use crate::definition::build::Context;
use crate::definition::fields::{Fields, Text};
use crate::definition::sink::Sink;
use crate::definition::{codes, limits};
use crate::{Body, ContextFiles, Conversation, Dialect};

/// The conversation of a definition.
pub(crate) fn build(fields: &mut Fields<'_>, context: &mut Context<'_>) -> Option<Body> {
    let mut conversation = Conversation::default();
    let mut initial = None;
    if let Some(template) = fields.member("prompt_template") {
        initial = fields.filled("prompt_template", &mut context.sink);
        if let Some(other) = fields.node("conversation").and_then(|node| node.member("initial_prompt")) {
            let message = format!("`{}` and `conversation.{}` both give the prompt", template.key, other.key);
            context.sink.error(codes::SEVERAL_BODIES, &template.key_span, message, "remove one of the two");
        }
    }
    let nested = fields.node("conversation").is_some();
    if let Some(mut inner) = fields.object("conversation", &mut context.sink) {
        if fields.node("prompt_template").is_none() && inner.node("initial_prompt").is_none() {
            let help = "write `\"initial_prompt\": \"…\"`, or refer to a file: `\"file://./prompts/initial.md\"`";
            inner.missing(codes::MISSING_CONVERSATION, "initial_prompt", help, &mut context.sink);
        }
        if let Some(text) = inner.filled("initial_prompt", &mut context.sink) {
            initial = Some(text);
        }
        conversation.max_turns = inner.count("max_turns", &limits::COUNT, &mut context.sink).map(small);
        let summary = inner.text("context_summary_prompt", &mut context.sink);
        conversation.context_summary_prompt = summary.and_then(|text| resolve(text, context));
        let questions = inner.texts("guided_questions", &mut context.sink).unwrap_or_default();
        conversation.guided_questions = questions.into_iter().map(|text| text.text.to_owned()).collect();
        inner.finish(&mut context.sink);
    }
    if let Some(mut completion) = fields.object("completion", &mut context.sink) {
        let format = completion.text("summary_format", &mut context.sink);
        conversation.summary_format = format.and_then(|text| resolve(text, context));
        conversation.return_to_context = completion.bool("return_to_context", &mut context.sink).unwrap_or(false);
        completion.finish(&mut context.sink);
    }
    conversation.context_files = context_files(fields, context);
    conversation.model = fields.filled("model", &mut context.sink).map(|text| text.text.to_owned());
    conversation.context_window = fields.count("context_window", &limits::TOKENS, &mut context.sink);
    if !nested && fields.node("prompt_template").is_none() {
        let or = if context.dialect == Dialect::V1 { "" } else { " or a `prompt_template`" };
        let message = format!("a `conversation` skill has to have a `conversation`{or}");
        let help = "add `\"conversation\": {\"initial_prompt\": \"…\"}`";
        report_at_type(fields, codes::MISSING_CONVERSATION, message, help, context);
    }
    conversation.initial_prompt = resolve(initial?, context)?;
    Some(Body::Conversation(conversation))
}

fn resolve(text: Text<'_>, context: &mut Context<'_>) -> Option<String> {
    context.references.resolve(text, &mut context.sink).map(|resolved| resolved.text)
}

fn context_files(fields: &mut Fields<'_>, context: &mut Context<'_>) -> Option<ContextFiles> {
    let sink = &mut context.sink;
    let mut inner = fields.object("context_files", sink)?;
    let mut texts = |key: &'static str, sink: &mut Sink| {
        let texts = inner.texts(key, sink).unwrap_or_default();
        for text in &texts {
            check_glob(*text, sink);
        }
        texts.into_iter().map(|text| text.text.to_owned()).collect::<Vec<_>>()
    };
    let patterns = texts("patterns", sink);
    let exclude_patterns = texts("exclude_patterns", sink);
    let files = ContextFiles {
        patterns,
        exclude_patterns,
        max_files: inner.count("max_files", &limits::FILES, sink),
        max_file_size_kb: inner.count("max_file_size_kb", &limits::KIBIBYTES, sink),
    };
    inner.finish(sink);
    Some(files)
}

/// Reports a pattern that could never match a file.
fn check_glob(text: Text<'_>, sink: &mut Sink) {
    let mut rest = text.text.chars();
    while let Some(c) = rest.next() {
        let (open, close) = match c {
            '\\' => {
                rest.next();
                continue;
            }
            '[' => ('[', ']'),
            '{' => ('{', '}'),
            _ => continue,
        };
        if !rest.by_ref().any(|c| c == close) {
            let message = format!("the pattern `{}` has a `{open}` that is never closed", text.text.escape_debug());
            sink.error(codes::BAD_GLOB, text.span, message, format!("close it with `{close}`, or write `\\{open}`"));
            return;
        }
    }
}

/// A count whose bound is far below 2^32.
fn small(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
