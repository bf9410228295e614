use crate::args::Create;
use crate::exit::Stop;
use crate::render;
use serde_json::json;
use skills::{Error, ErrorKind, Language};
use std::path::{Path, PathBuf};

/// What new code can be written in.
const LANGUAGES: &str = "rhai, python, javascript, typescript or bash";

/// One file of a new skill: its path below the skill's folder, and its text.
type NewFile = (String, String);

/// Writes `./NAME/NAME.json` with its files.
pub(crate) fn create(args: &Create) -> Result<(), Stop> {
    check_name(&args.name)?;
    let folder = PathBuf::from(&args.name);
    if folder.exists() {
        let message = format!("{} is there already", folder.display());
        return Err(Error::new(ErrorKind::InvalidArguments, message)
            .with_help("choose another name, or remove it")
            .into());
    }
    let files = files(args)?;
    let mut written = Vec::new();
    for (path, text) in &files {
        let path = folder.join(path);
        write(&path, text)?;
        written.push(path.display().to_string());
    }
    let definition = &written[0];
    // Whoever had it written knows what is in it.
    let trusted = super::trust::trust_new(Path::new(definition))?;
    if args.json.json {
        return Ok(render::json(&json!({"name": args.name, "files": written, "trusted": trusted}))?);
    }
    for path in &written {
        render::text(&format!("created {path}"))?;
    }
    if trusted {
        render::text("trusted it as it is now; `skills trust grant` does so again when you have changed it")?;
    }
    match args.kind.as_str() {
        "conversation" => render::note(&format!("see it: skills info ./{}", args.name)),
        _ => render::note(&format!("try: skills run {definition}{}", hint(args))),
    }
    Ok(())
}

fn hint(args: &Create) -> &'static str {
    match args.kind.as_str() {
        "prompt_inline" => " topic=tea",
        _ => " name=World",
    }
}

fn check_name(name: &str) -> Result<(), Error> {
    let fine = name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if fine {
        return Ok(());
    }
    Err(Error::new(ErrorKind::InvalidArguments, format!("`{name}` is not a skill's name"))
        .with_help("use up to 64 letters, digits, - and _, beginning with a letter or a digit"))
}

#[expect(clippy::disallowed_methods, reason = "a person asked for these files, in the working folder")]
fn write(path: &Path, text: &str) -> Result<(), Error> {
    let parent = path.parent().unwrap_or_else(|| Path::new("."));
    std::fs::create_dir_all(parent).and_then(|()| std::fs::write(path, text)).map_err(|error| {
        let kind = match error.kind() {
            std::io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
            _ => ErrorKind::InvalidArguments,
        };
        Error::new(kind, format!("cannot write {}: {error}", path.display()))
    })
}

/// The definition first, then what it refers to.
fn files(args: &Create) -> Result<Vec<NewFile>, Error> {
    let named = args.lang.as_deref().unwrap_or("python");
    let language = Language::from_name(named);
    match (args.kind.as_str(), language) {
        ("code_inline" | "code_session", Some(language)) => script(args, language),
        ("code_inline" | "code_session", None) => {
            Err(Error::new(ErrorKind::InvalidArguments, format!("`{named}` is not a language"))
                .with_help(format!("use {LANGUAGES}")))
        }
        ("prompt_inline" | "conversation", _) if args.lang.is_some() => {
            let message = format!("a `{}` skill runs no code, so `--lang` means nothing", args.kind);
            Err(Error::new(ErrorKind::InvalidArguments, message)
                .with_help("leave `--lang` out, or say `--type code_inline`"))
        }
        ("prompt_inline", _) => Ok(prompt(args)),
        ("conversation", _) => Ok(conversation(args)),
        (other, _) => Err(Error::new(ErrorKind::InvalidArguments, format!("`{other}` is not a type of skill"))
            .with_help("use code_inline, code_session, conversation or prompt_inline")),
    }
}

fn script(args: &Create, language: Language) -> Result<Vec<NewFile>, Error> {
    let template = match language {
        Language::Rhai => include_str!("../../templates/script.rhai"),
        Language::Python => include_str!("../../templates/script.py"),
        Language::JavaScript => include_str!("../../templates/script.js"),
        Language::TypeScript => include_str!("../../templates/script.ts"),
        Language::Bash => include_str!("../../templates/script.sh"),
        _ => {
            return Err(Error::new(ErrorKind::Unavailable, format!("this version does not run {language}"))
                .with_help(format!("use {LANGUAGES}")));
        }
    };
    let file = format!("scripts/{}.{}", args.name, language.extension());
    let mut definition = json!({
        "name": args.name,
        "description": "Greets somebody, as often as asked",
        "version": "0.1.0",
        "type": args.kind,
        "executor": {"type": "inline", "language": language, "code": format!("file://./{file}"), "timeout": 5},
        "parameters": [
            {"name": "name", "type": "string", "required": true, "description": "Who to greet"},
            {"name": "times", "type": "integer", "default": 1, "minimum": 1, "maximum": 10, "description": "How often"}
        ]
    });
    if args.kind == "code_session" {
        definition["session_config"] = json!({"session_timeout": 3600, "max_sessions": 5, "cleanup_on_exit": true});
    }
    let cases = json!([
        {"name": "greets once by default", "params": {"name": "World"}, "value": "Hello, World!"},
        {"name": "greets as often as asked", "params": {"name": "you", "times": 2}, "value": "Hello, you! Hello, you!"},
        {"name": "needs a name", "params": {}, "error": {"kind": "invalid_arguments", "message_contains": "name"}}
    ]);
    Ok(vec![
        (format!("{}.json", args.name), pretty(&definition)),
        (file, template.to_owned()),
        ("cases.json".to_owned(), pretty(&cases)),
    ])
}

fn prompt(args: &Create) -> Vec<NewFile> {
    let definition = json!({
        "name": args.name,
        "description": "Asks for an explanation of a topic",
        "version": "0.1.0",
        "type": "prompt_inline",
        "prompt": "Explain {topic} to {audience}, in at most five sentences.",
        "parameters": [
            {"name": "topic", "type": "string", "required": true, "description": "What to explain"},
            {"name": "audience", "type": "enum", "values": ["a child", "a beginner", "an expert"], "default": "a beginner",
             "description": "Whom to explain it to"}
        ],
        "output_format": "markdown"
    });
    let cases = json!([{
        "name": "fills the template in",
        "params": {"topic": "tides"},
        "value": "Explain tides to a beginner, in at most five sentences."
    }]);
    vec![(format!("{}.json", args.name), pretty(&definition)), ("cases.json".to_owned(), pretty(&cases))]
}

fn conversation(args: &Create) -> Vec<NewFile> {
    let definition = json!({
        "name": args.name,
        "description": "Helps to plan something, question by question",
        "version": "0.1.0",
        "type": "conversation",
        "conversation": {
            "initial_prompt": "file://./prompts/initial.md",
            "max_turns": 10,
            "guided_questions": ["What do you want to reach?", "What is in the way?", "What have you tried?"]
        },
        "session": {"max_duration": 1800, "cleanup_on_exit": true, "state_persistence": "memory"},
        "completion": {"summary_format": "**Goal**: {goal}\n**Plan**: {plan}", "return_to_context": true}
    });
    let cases = json!([{
        "name": "is a conversation, which needs a program that holds it",
        "params": {},
        "error": {"kind": "unavailable", "message_contains": "is a conversation"}
    }]);
    let initial = "You help somebody to plan. Ask one question at a time, and end with a short plan.\n";
    vec![
        (format!("{}.json", args.name), pretty(&definition)),
        ("prompts/initial.md".to_owned(), initial.to_owned()),
        ("cases.json".to_owned(), pretty(&cases)),
    ]
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}
