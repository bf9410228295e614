//! What a script finds that the definition writes as a program: its arguments, and variables of the environment.

use crate::plan::CommandLine;
use serde_json::{Value, json};
use skills_core::{Cell, Entry, Evaluated, Evaluation, Host, Language, Script, Session};
use std::sync::Arc;

/// Evaluates a cell with what it is given of a command line, if anything.
pub(crate) fn evaluate(
    session: &mut dyn Session,
    cell: &Cell,
    line: Option<&CommandLine>,
    host: &Arc<dyn Host>,
) -> Evaluated {
    if let Some(line) = line {
        let before = session.eval(&opening(cell.script.language, line), host);
        if before.evaluation.result.is_err() {
            return before;
        }
    }
    session.eval(cell, host)
}

/// Runs the script of a skill that is written as a program, in a session of one call.
pub(crate) fn run(
    session: &mut dyn Session,
    script: &Arc<Script>,
    (params, line): (&Value, &CommandLine),
    host: &Arc<dyn Host>,
) -> Evaluation {
    let params = params.as_object().cloned().unwrap_or_default();
    let cell = Cell { script: Arc::clone(script), entry: Entry::Skill { params } };
    evaluate(session, &cell, Some(line), host).evaluation
}

/// What is evaluated before the script: it sets `sys.argv` and the environment, or `process`.
fn opening(language: Language, line: &CommandLine) -> Cell {
    let CommandLine { arguments, environment } = line;
    let source = match language {
        Language::Python => {
            // Strings, lists and objects of strings are written in Python as in JSON.
            let folders =
                environment.get("PYTHONPATH").map(|path| path.split(':').collect::<Vec<_>>()).unwrap_or_default();
            format!(
                "(lambda sys, os, folders: (setattr(sys, 'argv', {} or ['']), \
                 sys.path.__setitem__(slice(0, 0), [folder for folder in folders if folder not in sys.path]), \
                 os.environ.update({})) and None)(__import__('sys'), __import__('os'), {})",
                json!(arguments),
                json!(environment),
                json!(folders)
            )
        }
        _ => {
            // As in Node, where the program itself comes first.
            let arguments: Vec<Value> =
                std::iter::once("node").chain(arguments.iter().map(String::as_str)).map(Value::from).collect();
            format!(
                "void (globalThis.process = {{ ...globalThis.process, argv: {}, env: {{ ...globalThis.process?.env, ...{} }} }})",
                json!(arguments),
                json!(environment)
            )
        }
    };
    let script = Script { language, file: "<command line>".to_owned(), source };
    Cell { script: Arc::new(script), entry: Entry::Cell }
}
