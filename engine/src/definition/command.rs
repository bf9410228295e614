//! A program with its arguments: what a definition says of it, and what of that would run a value as code.

use crate::definition::build::Context;
use crate::definition::codes;
use crate::definition::fields::{Fields, Text};
use crate::definition::node::Span;
use crate::definition::reference::{References, Resolved};
use crate::{CommandSpec, ExitMeaning, OutputForm, Stdin};
use skills_core::{Language, Script, template};
use skills_executors::environment;
use skills_executors::shell::{self, Refusal};
use std::collections::BTreeMap;

/// The word that says of an exit code that it is no failure.
const SUCCESS: &str = "ok";

/// A program with its arguments.
pub(crate) fn build(fields: &mut Fields<'_>, context: &mut Context<'_>) -> Option<CommandSpec> {
    let shell = fields.bool("shell", &mut context.sink).unwrap_or(false);
    if fields.node("command").is_none() {
        fields.missing(codes::MISSING_KEY, "command", "write `\"command\": \"PROGRAM\"`", &mut context.sink);
    }
    let written = fields.filled("command", &mut context.sink);
    let command = written.and_then(|text| argument(text, context));
    let given = fields.texts("args", &mut context.sink).unwrap_or_default();
    // That of the first argument, if any.
    context.script = None;
    let mut args: Vec<String> = given.iter().take(1).filter_map(|text| argument(*text, context)).collect();
    let script = context.script.take();
    args.extend(given.iter().skip(1).filter_map(|text| argument(*text, context)));
    context.script = script;
    if let (Some(text), Some(command)) = (written, &command)
        && args.len() == given.len()
    {
        check(text, command, &given, &args, shell, context);
    }
    let env = variables(fields, context);
    let working_directory = fields.filled("working_directory", &mut context.sink);
    if let Some(text) = working_directory {
        context.check_placeholders(text.text, text.span);
    }
    let stdin = fields.choice("stdin", &[("json", Stdin::Json), ("none", Stdin::None)], &mut context.sink);
    let exit_codes = exit_codes(fields, context);
    context.output = output(fields, context);
    Some(CommandSpec {
        command: command?,
        args,
        shell,
        env,
        working_directory: working_directory.map(|text| text.text.to_owned()),
        stdin: stdin.unwrap_or_default(),
        exit_codes,
    })
}

/// What becomes of the output.
pub(crate) fn output(fields: &mut Fields<'_>, context: &mut Context<'_>) -> OutputForm {
    let forms = [("text", OutputForm::Text), ("json", OutputForm::Json), ("lines", OutputForm::Lines)];
    fields.choice("output", &forms, &mut context.sink).unwrap_or_default()
}

/// An argument as it is; a reference becomes the path of its file, which has to be there.
fn argument(text: Text<'_>, context: &mut Context<'_>) -> Option<String> {
    if text.text.contains('\0') {
        let help = "remove the character: no program can be given it";
        context.sink.error(codes::BAD_ARGUMENT, text.span, "an argument has a NUL character", help);
        return None;
    }
    if !References::is_reference(text.text) {
        context.check_placeholders(text.text, text.span);
        return Some(text.text.to_owned());
    }
    let Resolved { text: source, file } = context.references.resolve(text, &mut context.sink)?;
    let file = file?;
    context.script =
        Language::from_extension(&file.extension).map(|language| Script { language, file: file.shown, source });
    Some(file.path.display().to_string())
}

/// Reports every placeholder whose value could run as code. What is no declared parameter is text here; where nothing is
/// declared, the run looks again, when it knows what it is given.
fn check(
    command: Text<'_>,
    resolved: &str,
    given: &[Text<'_>],
    args: &[String],
    shell: bool,
    context: &mut Context<'_>,
) {
    if shell {
        let variables = environment::variables(context.declared.iter().map(String::as_str));
        let variable = |name: &str| variables.iter().find(|(own, _)| own == name).map(|(_, variable)| variable.clone());
        for refusal in shell::rewrite(resolved, &variable).err().unwrap_or_default() {
            let place = place(command, &refusal, context);
            report(refusal, &place, context);
        }
        return;
    }
    let declared = std::mem::take(&mut context.declared);
    for refusal in shell::check_arguments(resolved, args, &|name| declared.iter().any(|own| own == name)) {
        let span = refusal.at.checked_sub(1).and_then(|index| given.get(index)).map_or(command.span, |text| text.span);
        report(refusal, &span.clone(), context);
    }
    if declared.is_empty() && template::names(resolved).next().is_some() {
        let name = template::names(resolved).next().unwrap_or_default();
        let message = format!("`{{{name}}}` is the name of the program");
        context.sink.error(codes::UNSAFE_PLACEHOLDER, command.span, message, "name the program itself");
    }
    context.declared = declared;
}

fn report(refusal: Refusal, span: &Span, context: &mut Context<'_>) {
    let code = if refusal.parameter.is_some() { codes::UNSAFE_PLACEHOLDER } else { codes::BROKEN_COMMAND };
    context.sink.error(code, span, refusal.message, refusal.help);
}

/// Where in the file a place of a text is; the whole text where escapes hide it.
fn place(text: Text<'_>, refusal: &Refusal, context: &Context<'_>) -> Span {
    let start = text.span.start + 1;
    let plain = context.sink.text().get(start..start + text.text.len()) == Some(text.text);
    let length = refusal.parameter.as_ref().map_or(1, |name| name.len() + 2);
    match plain {
        true => start + refusal.at..(start + refusal.at + length).min(text.span.end),
        false => text.span.clone(),
    }
}

fn variables(fields: &mut Fields<'_>, context: &mut Context<'_>) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    for key in ["env", "environment"] {
        for (member, text) in fields.text_map(key, &mut context.sink).unwrap_or_default() {
            let name = &member.key;
            if name.is_empty() || name.contains(['=', '\0']) || text.text.contains('\0') {
                let message = format!("`{}` cannot be an environment variable", name.escape_debug());
                context.sink.error(codes::BAD_NAME, &member.key_span, message, "write letters, digits and `_`");
            }
            let folder = context.references.folder();
            if let Some((message, help)) = environment::problem(name, text.text, folder, &context.read) {
                context.sink.error(codes::ENVIRONMENT, &member.key_span, message, help);
            }
            if environment::is_started(name)
                && template::names(text.text).any(|own| context.declared.iter().any(|d| d == own))
            {
                let message =
                    format!("a parameter is in the value of `{name}`, which names a program that others start");
                let help = "set it to a value of the definition's own";
                context.sink.error(codes::UNSAFE_PLACEHOLDER, text.span, message, help);
            }
            context.check_placeholders(text.text, text.span);
            env.insert(name.clone(), text.text.to_owned());
        }
    }
    env
}

/// What exit codes mean: `{"1": "no match", "3": "ok"}`.
fn exit_codes(fields: &mut Fields<'_>, context: &mut Context<'_>) -> BTreeMap<i32, ExitMeaning> {
    let mut meanings = BTreeMap::new();
    for (member, text) in fields.text_map("exit_codes", &mut context.sink).unwrap_or_default() {
        let Some(code) = member.key.parse().ok().filter(|code| (0..=255).contains(code)) else {
            let message = format!("`{}` is no exit code", member.key.escape_debug());
            context.sink.error(codes::EXIT_CODE, &member.key_span, message, "write a number from 0 to 255");
            continue;
        };
        let meaning = match text.text {
            SUCCESS => ExitMeaning::Success,
            why => ExitMeaning::Failure(why.to_owned()),
        };
        meanings.insert(code, meaning);
    }
    meanings
}
