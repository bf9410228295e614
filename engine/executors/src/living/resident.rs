//! A session of a program that is no interpreter of the engine's: it stays, and is asked by the [`Protocol`] of its definition.
//!
//! What it writes to its standard output until its answer ends is the value; what it writes to its standard error is printed as it
//! comes. What it wrote between two requests is no part of the next answer.

use super::answers;
use super::protocol::{INPUT, INPUT_JSON, INPUT_SHELL, MARKER, Protocol};
use super::reader::{Answer, Reader, Until};
use crate::command::run::{Apart, Machine, judge, program, with_last_line};
use crate::{Invocation, OutputForm};
use serde_json::Value;
use skills_core::template::{self, Piece};
use skills_core::{
    Cell, Completions, End, ErrorKind, Evaluated, Evaluation, Failure, Forked, Heard, Held, Host, Inspection, Lost,
    Script, Session, Snapshot, Staying, Stream, Variable,
};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::PathBuf;
use std::sync::Arc;

/// A program that stays.
pub struct Resident {
    program: Box<dyn Staying>,
    /// What it was started as.
    invocation: Invocation,
    protocol: Protocol,
    search: Vec<PathBuf>,
}

/// What a request is, in the name of an exchange.
struct Exchange<'a> {
    input: &'a str,
    until: Until<'a>,
    /// Whether what comes after the answer is something that the program says, and no prompt of its own.
    says_more: bool,
}

impl Resident {
    /// Starts a program, and waits until it is ready where its protocol tells.
    ///
    /// # Errors
    /// As [`Launcher::start`](skills_core::Launcher::start); `not_found` where there is no such program; its own where it ends at once.
    pub fn open(
        invocation: &Invocation,
        protocol: &Protocol,
        machine: Machine<'_>,
        host: &Arc<dyn Host>,
    ) -> Result<Resident, Failure> {
        let mut program = program(invocation, machine, host)?;
        program.stdin = Vec::new();
        let mut resident = Resident {
            program: machine.launcher.start(&program, host)?,
            invocation: invocation.clone(),
            protocol: protocol.clone(),
            search: machine.search.to_vec(),
        };
        resident.greet(&Apart::silent(host))?;
        Ok(resident)
    }

    /// Waits for the end of what it says at its start.
    fn greet(&mut self, apart: &Arc<Apart>) -> Result<(), Failure> {
        let protocol = self.protocol.clone();
        let until = match &protocol {
            Protocol::Marker { send } => return self.marked(send, "", apart).map(drop),
            Protocol::Prompt { prompt, .. } => Until::Prompt(prompt),
            Protocol::Lines { ready: Some(ready) } | Protocol::JsonLines { ready: Some(ready) } => Until::Ready(ready),
            Protocol::Lines { ready: None } | Protocol::JsonLines { ready: None } => return Ok(()),
        };
        self.exchange(Exchange { input: "", until, says_more: false }, apart).map(drop)
    }

    /// Sends a request, and gives what the program answers.
    fn ask(&mut self, request: &str, apart: &Arc<Apart>) -> Result<Answer, Failure> {
        self.hear_what_is_left(apart)?;
        match self.protocol.clone() {
            Protocol::Lines { .. } => {
                if request.contains(['\n', '\r']) {
                    let message =
                        format!("the request has several lines, and each would be one of `{}`'s", self.name());
                    return Err(Failure::new(ErrorKind::InvalidArguments, message)
                        .with_help("give one line; the protocols `prompt`, `marker` and `json-lines` take several"));
                }
                let input = format!("{request}\n");
                self.exchange(Exchange { input: &input, until: Until::Line, says_more: true }, apart)
            }
            Protocol::JsonLines { .. } => {
                let value: Value = serde_json::from_str(request).map_err(|error| {
                    Failure::new(ErrorKind::InvalidArguments, format!("the request is not JSON: {error}"))
                        .with_help(format!("`{}` takes one JSON value a line", self.name()))
                })?;
                let input = format!("{value}\n");
                self.exchange(Exchange { input: &input, until: Until::Line, says_more: true }, apart)
            }
            Protocol::Prompt { prompt, echo } => {
                let mut answer = Answer::default();
                for line in request.strip_suffix('\n').unwrap_or(request).split('\n') {
                    let line = line.strip_suffix('\r').unwrap_or(line);
                    let input = format!("{line}\n");
                    let until = Until::Prompt(&prompt);
                    let said = self.exchange(Exchange { input: &input, until, says_more: false }, apart)?.bytes;
                    let echoed = echo.then(|| without_echo(&said, line)).flatten();
                    answer.bytes.extend_from_slice(echoed.unwrap_or(&said));
                }
                Ok(answer)
            }
            Protocol::Marker { send } => self.marked(&send, request, apart),
        }
    }

    /// Sends a request with a marker behind it.
    fn marked(&mut self, send: &str, request: &str, apart: &Arc<Apart>) -> Result<Answer, Failure> {
        let word = format!("{:016x}", RandomState::new().build_hasher().finish());
        let known = |name: &str| [INPUT, INPUT_JSON, INPUT_SHELL, MARKER].contains(&name);
        let fill = |template: &str| -> String {
            let piece = |piece: Piece<'_>| match piece {
                Piece::Text(text) => text.to_owned(),
                Piece::Value(INPUT_JSON) => Value::from(request).to_string(),
                Piece::Value(INPUT_SHELL) => answers::quoted(request),
                Piece::Value(MARKER) => word.clone(),
                Piece::Value(_) => request.to_owned(),
            };
            template::pieces(template, known).map(piece).collect()
        };
        let input = fill(send);
        let input = if input.ends_with('\n') { input } else { format!("{input}\n") };
        let sent = input.lines().find(|line| line.contains(&word)).unwrap_or(&word).trim().to_owned();
        let until = Until::Marker { word: &word, sent: &sent };
        self.exchange(Exchange { input: &input, until, says_more: false }, apart)
    }

    /// What was written since the last answer is printed: it is none of the next one.
    fn hear_what_is_left(&mut self, apart: &Arc<Apart>) -> Result<(), Failure> {
        let prints = !matches!(self.protocol, Protocol::Marker { .. });
        self.program.catch_up(&mut |heard| {
            match heard {
                Heard::Stdout(_, text) if prints => apart.inner.print(Stream::Stdout, text)?,
                Heard::Stderr(text) => apart.inner.print(Stream::Stderr, text)?,
                _ => {}
            }
            Ok(false)
        })
    }

    /// Writes to the program, and reads until its answer is there.
    fn exchange(&mut self, exchange: Exchange<'_>, apart: &Arc<Apart>) -> Result<Answer, Failure> {
        let host = Arc::clone(apart) as Arc<dyn Host>;
        let mut reader = Reader::new(exchange.until);
        let before = apart.kept().stdout.len();
        let mut forgot = false;
        let mut hear = |heard: Heard<'_>| {
            // A limit on output stops the program by the budget, and is the error then. How it goes on shows whether it can stay.
            let fits = match heard {
                Heard::Stdout(_, text) => host.print(Stream::Stdout, text).is_ok(),
                Heard::Stderr(text) => host.print(Stream::Stderr, text).is_ok(),
                _ => true,
            };
            let done = match heard {
                Heard::Stdout(bytes, _) => reader.take(bytes),
                Heard::Quiet => reader.quiet(),
                _ => false,
            };
            if !fits {
                reader.forget();
                forgot = true;
            }
            Ok(done)
        };
        let end = self.program.talk(exchange.input.as_bytes(), &mut hear, &host);
        let answer = reader.into_answer();
        if !forgot {
            // Neither prompts nor markers are shown where there is no value.
            let mut kept = apart.kept();
            kept.stdout.truncate(before);
            kept.stdout.push_str(&String::from_utf8_lossy(&answer.bytes));
        }
        if let Some(end) = end? {
            return Err(self.over(end, &apart.kept().stderr));
        }
        if exchange.says_more && !answer.rest.is_empty() {
            apart.inner.print(Stream::Stdout, &String::from_utf8_lossy(&answer.rest))?;
        }
        Ok(answer)
    }

    fn over(&self, end: End, stderr: &str) -> Failure {
        let name = self.name();
        let judged = judge(&self.invocation, &self.search, end, stderr);
        let failure = judged.err().unwrap_or_else(|| {
            Failure::new(ErrorKind::ScriptError, format!("`{name}` has ended before it answered, with exit code 0"))
        });
        match failure.help {
            Some(_) => failure,
            None => failure.with_help(format!("the session is over; the next one starts `{name}` again")),
        }
    }

    /// What a status behind the marker means.
    fn failed(&self, status: i32, stderr: &str) -> Failure {
        let message = format!("`{}` answers that the request failed, with status {status}", self.name());
        Failure::new(ErrorKind::ScriptError, with_last_line(message, stderr))
    }

    fn name(&self) -> &str {
        &self.invocation.name
    }

    fn evaluate(&mut self, request: &str, host: &Arc<dyn Host>) -> Result<Value, Failure> {
        let apart = Apart::new(host);
        let form = match (&self.protocol, self.invocation.output) {
            (Protocol::JsonLines { .. }, OutputForm::Text) => OutputForm::Json,
            (_, form) => form,
        };
        let limit = host.budget().limits().result;
        let answer = self.ask(request, &apart);
        let value = answer.and_then(|answer| match answer.status {
            None | Some(0) => form.value(self.name(), &answer.bytes, limit),
            Some(status) => Err(self.failed(status, &apart.kept().stderr)),
        });
        if value.is_err() {
            apart.give_stdout();
        }
        value
    }

    /// What only an interpreter of the engine's own can do.
    fn cannot(&self, what: &str) -> Failure {
        let message = format!("{what}: `{}` is a program, and the engine does not see into it", self.name());
        Failure::new(ErrorKind::Unavailable, message).with_help(
            "ask the program itself; sessions of Rhai, Python, JavaScript and bash can be looked into and copied",
        )
    }
}

/// What a program said without the line that it wrote back first.
fn without_echo<'a>(said: &'a [u8], line: &str) -> Option<&'a [u8]> {
    let rest = said.strip_prefix(line.as_bytes())?;
    let rest = rest.strip_prefix(b"\r").unwrap_or(rest);
    match rest {
        [] => Some(rest),
        rest => rest.strip_prefix(b"\n"),
    }
}

impl Session for Resident {
    fn run(&mut self, script: &Arc<Script>, _params: &Value, host: &Arc<dyn Host>) -> Evaluation {
        let entry = skills_core::Entry::Cell;
        self.eval(&Cell { script: Arc::clone(script), entry }, host).evaluation
    }

    fn reusable(&self) -> bool {
        self.program.is_alive()
    }

    /// A cell is a request.
    fn eval(&mut self, cell: &Cell, host: &Arc<dyn Host>) -> Evaluated {
        let before = self.held();
        let result = self.evaluate(&cell.script.source, host);
        let usage = answers::usage(before, self.held());
        let shown = match &result {
            Ok(Value::String(text)) if !text.is_empty() => Some(answers::shown("string", text)),
            Ok(Value::String(_)) | Err(_) => None,
            Ok(value) => Some(answers::shown(answers::type_name(value), &value.to_string())),
        };
        Evaluated { evaluation: Evaluation { result, usage }, shown }
    }

    fn variables(&mut self, _host: &Arc<dyn Host>) -> Result<Vec<Variable>, Failure> {
        Err(self.cannot("there are no variables to see"))
    }

    fn get(&mut self, name: &str, _host: &Arc<dyn Host>) -> Result<Value, Failure> {
        Err(self.cannot(&format!("the variable `{name}` cannot be read")))
    }

    fn set(&mut self, name: &str, _value: &Value, _host: &Arc<dyn Host>) -> Result<(), Failure> {
        Err(self.cannot(&format!("the variable `{name}` cannot be given a value")))
    }

    fn complete(&mut self, _text: &str, _cursor: usize, _host: &Arc<dyn Host>) -> Result<Completions, Failure> {
        Err(self.cannot("names cannot be completed"))
    }

    fn inspect(&mut self, path: &str, _host: &Arc<dyn Host>) -> Result<Inspection, Failure> {
        Err(self.cannot(&format!("nothing is known of `{path}`")))
    }

    fn snapshot(&mut self, _host: &Arc<dyn Host>) -> Result<Snapshot, Failure> {
        Err(self.cannot("this session cannot be saved"))
    }

    fn restore(&mut self, _snapshot: &Snapshot, _host: &Arc<dyn Host>) -> Result<Vec<Lost>, Failure> {
        Err(self.cannot("this session cannot be restored"))
    }

    fn fork(&mut self, _host: &Arc<dyn Host>) -> Result<Option<Forked>, Failure> {
        Err(self.cannot("this session cannot be copied"))
    }

    fn held(&self) -> Held {
        self.program.held()
    }
}
