use super::sources::Known;
use super::{asking, begin, unanswered, under_memory};
use crate::engine::{Argument, Compiled};
use crate::error::{self, Places};
use crate::session::{JavaScriptSession, fault_resource};
use crate::source::{self, Counting, Kind, locate};
use serde::{Deserialize, Serialize};
use skills_core::{ErrorKind, Failure, Host, Language, Lost, Script, Snapshot};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The form of a snapshot's bytes: a line of JSON, which is [`Head`], and what the bridge made (`bridge/live/keep.js`).
const FORMAT: &str = "javascript-1";

/// How much memory a snapshot may take beside what the session holds, as a multiple of what that may.
const TEXT: u64 = 4;

/// How much is put before the definitions of a snapshot in all, so that each stands where it stood, in bytes. Nobody knows who wrote
/// where that was.
const PADDING: usize = 8 << 20;

/// What of a snapshot the bridge knows nothing about.
#[derive(Serialize, Deserialize)]
struct Head {
    definitions: Vec<Source>,
    /// Names that were declared in front of the engine's own.
    shadows: Vec<String>,
    docs: BTreeMap<String, String>,
    /// Skills whose bodies were evaluated.
    skills: Vec<Skill>,
}

/// A function or a class, and where its author wrote it.
#[derive(Serialize, Deserialize)]
struct Source {
    kind: Kind,
    language: Language,
    file: String,
    line: u32,
    column: u32,
    source: String,
}

#[derive(Serialize, Deserialize)]
struct Skill {
    language: Language,
    file: String,
    source: String,
}

impl Source {
    fn of(known: &Known) -> Source {
        let script = &known.script;
        let (line, column) = locate(&script.source, known.definition.span.start as usize);
        Source {
            kind: known.definition.kind,
            language: script.language,
            file: script.file.clone(),
            line,
            column,
            source: known.source().to_owned(),
        }
    }

    /// A script that has the source at the lines where it stood, so that its errors point there, as long as there is room for
    /// that.
    fn script(&self, room: &mut usize) -> Script {
        let (mut lines, mut columns) =
            ((self.line as usize).saturating_sub(1), (self.column as usize).saturating_sub(1));
        match lines.checked_add(columns).and_then(|padding| room.checked_sub(padding)) {
            Some(left) => *room = left,
            None => (lines, columns) = (0, 0),
        }
        let source = format!("{}{}{}", "\n".repeat(lines), " ".repeat(columns), self.source);
        Script { language: self.language, file: self.file.clone(), source }
    }
}

/// The namespace as bytes.
pub(crate) fn snapshot(session: &mut JavaScriptSession, host: &Arc<dyn Host>) -> Result<Snapshot, Failure> {
    under_memory(session, host, Language::JavaScript, TEXT, |session| {
        let natives = std::rc::Rc::clone(session.engine.natives());
        natives.definitions.borrow_mut().begin();
        let answer = session.engine.ask("snapshot", &[]).map_err(|fault| unanswered(session, &fault))?;
        let (lost, text) = answer.split_once('\n').unwrap_or_default();
        let lost: Vec<Lost> = serde_json::from_str(lost)
            .map_err(|error| error::internal(&asking(), format!("the snapshot cannot be read: {error}")))?;
        let mut definitions = natives.definitions.borrow_mut();
        let Some(living) = session.living.as_ref() else { return Err(unreadable("there is no namespace")) };
        let head = Head {
            definitions: definitions.asked().iter().map(Source::of).collect(),
            shadows: living.shadows.declared().map(str::to_owned).collect(),
            docs: living.docs.iter().map(|(name, doc)| (name.clone(), doc.clone())).collect(),
            skills: living
                .skills
                .iter()
                .map(|script| Skill {
                    language: script.language,
                    file: script.file.clone(),
                    source: script.source.clone(),
                })
                .collect(),
        };
        definitions.begin();
        let mut bytes = serde_json::to_vec(&head)
            .map_err(|error| error::internal(&asking(), format!("the snapshot cannot be written: {error}")))?;
        bytes.push(b'\n');
        bytes.extend_from_slice(text.as_bytes());
        Ok(Snapshot { language: living.language, format: FORMAT.into(), bytes, lost })
    })
    .0
}

/// Fills a fresh namespace from a snapshot.
pub(crate) fn restore(
    session: &mut JavaScriptSession,
    snapshot: &Snapshot,
    host: &Arc<dyn Host>,
) -> Result<Vec<Lost>, Failure> {
    if !matches!(snapshot.language, Language::JavaScript | Language::TypeScript) || snapshot.format != FORMAT {
        let message = format!("a snapshot of {} in the form {:?}", snapshot.language, snapshot.format);
        return Err(Failure::new(ErrorKind::InvalidArguments, format!("{message} is not for this session"))
            .with_help(format!("this session restores snapshots in the form {FORMAT:?}")));
    }
    begin(session)?;
    let text = std::str::from_utf8(&snapshot.bytes).map_err(|_| unreadable("it is not text"))?;
    let (head, body) = text.split_once('\n').ok_or_else(|| unreadable("it has no head"))?;
    let head: Head = serde_json::from_str(head).map_err(|error| unreadable(&error.to_string()))?;
    under_memory(session, host, snapshot.language, TEXT, |session| {
        let limits = host.budget().limits();
        let counting = Counting { operations: limits.operations, recursion: limits.recursion };
        if let Some(living) = session.living.as_mut() {
            living.language = snapshot.language;
            head.shadows.iter().for_each(|name| living.shadows.declare(name));
            living.docs = head.docs.into_iter().collect();
            living.skills = head
                .skills
                .into_iter()
                .map(|Skill { language, file, source }| Arc::new(Script { language, file, source }))
                .collect();
        }
        let mut room = PADDING;
        for (number, definition) in head.definitions.iter().enumerate() {
            host.budget().check_time()?;
            let compiled = compile(session, &definition.script(&mut room), definition.kind, counting)?;
            let method = f64::from(u8::from(definition.kind == Kind::Method));
            let arguments =
                [Argument::Main(Some(&compiled)), Argument::Number(number as f64), Argument::Number(method)];
            session.engine.ask("made", &arguments).map_err(|fault| unanswered(session, &fault))?;
        }
        let answer = session.engine.ask("restore", &[Argument::Text(body)]);
        let answer = answer.map_err(|fault| match unanswered(session, &fault) {
            failure if failure.kind == ErrorKind::Internal => unreadable(&failure.message),
            failure => failure,
        })?;
        session.engine.run_microtasks();
        serde_json::from_str(&answer).map_err(|error| unreadable(&error.to_string()))
    })
    .0
}

fn compile(
    session: &mut JavaScriptSession,
    script: &Script,
    kind: Kind,
    counting: Counting,
) -> Result<Compiled, Failure> {
    let shadows = session.living.as_ref().map(|living| living.shadows.clone()).unwrap_or_default();
    let prepared = source::prepare_definition(script, kind, counting, &shadows)?;
    let compiled = session.engine.compile_cell(&prepared, !counting.is_off()).map_err(|fault| {
        let resource = fault_resource(&fault);
        let places = Places { script, resource: &resource, columns: &prepared.columns, earlier: None };
        error::fault(&fault, &places, || session.engine.depth())
    })?;
    let source = prepared.source.unwrap_or_default();
    let written = Arc::new(Script { source, ..script.clone() });
    session.engine.natives().definitions.borrow_mut().add(&written, &prepared.body, prepared.definitions);
    if let Some(living) = session.living.as_mut() {
        living.sources.add(&compiled.resource, Arc::new(script.clone()), prepared.columns);
    }
    Ok(compiled)
}

fn unreadable(why: &str) -> Failure {
    Failure::new(ErrorKind::InvalidArguments, format!("the snapshot cannot be read: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_definition_stood_takes_no_more_than_there_is_room_for() {
        let stood = |line, column| Source {
            kind: Kind::Declaration,
            language: Language::JavaScript,
            file: "<cell 1>".into(),
            line,
            column,
            source: "f".into(),
        };
        let mut room = 10;
        assert_eq!(stood(3, 5).script(&mut room).source, "\n\n    f");
        assert_eq!(room, 4);
        for (line, column) in [(6, 1), (1, 6), (u32::MAX, u32::MAX)] {
            assert_eq!(stood(line, column).script(&mut room).source, "f");
        }
        assert_eq!(stood(5, 1).script(&mut room).source, "\n\n\n\nf");
        assert_eq!(room, 0);
    }
}
