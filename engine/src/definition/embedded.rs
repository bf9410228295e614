//! Programs that are interpreters which are embedded anyway: `"command": "python3"` of a `code_session` skill.

use crate::definition::build::Context;
use crate::{Body, CommandSpec, SessionSettings, SkillKind, Stdin};
use skills_core::{Language, Script};
use std::sync::Arc;

/// The script that runs in the embedded interpreter instead of the program of a definition. `None` where that is to be a
/// process of its own: the definition says so, or it names a particular interpreter, gives that options, or says of it
/// what only a process has.
pub(crate) fn script(
    body: Option<&Body>,
    session: Option<&SessionSettings>,
    context: &mut Context<'_>,
) -> Option<Arc<Script>> {
    let Some(Body::Command(spec)) = body else { return None };
    // Whoever says how it is asked means a process.
    let external = session.is_some_and(|session| session.external || session.protocol.is_some());
    if context.kind != SkillKind::CodeSession || external || needs_process(spec) {
        return None;
    }
    let language = language(&spec.command)?;
    if spec.args.is_empty() {
        return Some(Arc::new(Script { language, file: context.file.to_owned(), source: String::new() }));
    }
    let script = context.script.take()?;
    let fits = match language {
        Language::JavaScript => matches!(script.language, Language::JavaScript | Language::TypeScript),
        language => script.language == language,
    };
    fits.then(|| Arc::new(script))
}

fn needs_process(spec: &CommandSpec) -> bool {
    spec.shell || spec.stdin != Stdin::None || !spec.exit_codes.is_empty()
}

/// The language of a program that is any interpreter of it.
fn language(program: &str) -> Option<Language> {
    let version = |text: &str| text.chars().all(|c| c.is_ascii_digit() || c == '.');
    match program {
        "node" | "nodejs" => Some(Language::JavaScript),
        _ => program.strip_prefix("python").filter(|rest| version(rest)).map(|_| Language::Python),
    }
}
