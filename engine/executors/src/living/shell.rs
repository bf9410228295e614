//! A session of bash: one shell that lives. It reads its script from a pipe, one request after the other.
//!
//! A cell is data of that script, ended by a NUL character, and is evaluated with an empty standard input: here-documents, open
//! quotes and what reads hurt nothing that comes after it. That it is over, and with which status, is said on a descriptor that
//! cells have no other use for, with a word that they do not know.

use super::answers::{self, quoted};
use crate::command::run::{Apart, Machine, judge, program};
use crate::{Invocation, OutputForm, environment};
use serde_json::{Map, Value};
use skills_core::{
    Cell, Completion, Completions, End, Entry, ErrorKind, Evaluated, Evaluation, Failure, Heard, Held, Host,
    Inspection, Language, Lost, NameKind, Script, Session, Shown, Snapshot, Staying, Stream, Variable, template,
};
use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::PathBuf;
use std::sync::Arc;

/// The form of a snapshot: source for bash.
const FORMAT: &str = "bash source 1";

/// What the shell reads first. An interruption ends loops; what they run is interrupted by itself.
const OPENING: &str = "exec {SKILLS_OUT}>&\"$SKILLS_SAYS\" {SKILLS_SAYS}>&-; unset SKILLS_SAYS; \
                       trap 'break 999 2>/dev/null' INT\n";

/// The function that gives the next cell the status of the last one, and is gone then.
const STATUS: &str = "skills_status";

/// Variables of the session's own, and those that the shell sets by itself.
const OWN: [&str; 7] = ["SKILLS_OUT", "SKILLS_CELL", "_", "REPLY", "PIPESTATUS", "BASH_REMATCH", "COLUMNS"];

/// What the system sets that a snapshot keeps all the same.
const KEPT: [&str; 5] = ["PATH", "HOME", "IFS", "LANG", "PS4"];

/// A living shell.
pub struct Shell {
    program: Box<dyn Staying>,
    /// What its cells are run as, but for their script.
    invocation: Invocation,
    search: Vec<PathBuf>,
    /// How many lines of its script it has read.
    lines: usize,
    /// The variables that it had before the first cell.
    known: BTreeSet<String>,
    /// How the last cell ended, which is `$?` for the next one.
    status: i32,
}

/// What surrounds a source in the shell's own script.
#[derive(Clone, Copy, Default)]
struct Around<'a> {
    /// Lines before it.
    before: &'a str,
    /// What places in it are called by.
    file: &'a str,
    /// What `$?` is where it begins.
    status: i32,
}

/// What came of a request.
#[derive(Default)]
struct Heeded {
    end: Option<End>,
    status: i32,
    stdout: Vec<u8>,
}

impl Shell {
    /// Starts a shell with what a run of bash finds: its environment, its folder, its grants.
    ///
    /// # Errors
    /// As [`Launcher::start`](skills_core::Launcher::start); `not_found` where there is no bash.
    pub fn open(invocation: &Invocation, machine: Machine<'_>, host: &Arc<dyn Host>) -> Result<Shell, Failure> {
        let mut program = program(invocation, machine, host)?;
        program.arguments = vec!["--norc".into(), "--noprofile".into()];
        program.stdin = Vec::new();
        program.helper = true;
        program.says = true;
        let mut shell = Shell {
            program: machine.launcher.start(&program, host)?,
            invocation: invocation.clone(),
            search: machine.search.to_vec(),
            lines: 0,
            known: BTreeSet::new(),
            status: 0,
        };
        let around = Around { before: OPENING, file: "bash", ..Around::default() };
        shell.request("", around, host, &mut |_| Ok(()))?;
        shell.known = answers::lines(&shell.ask("compgen -v", host)?).map(str::to_owned).collect();
        Ok(shell)
    }

    /// Has a source evaluated, behind lines of the shell's own script. Gives its status and what it wrote.
    fn request(
        &mut self,
        source: &str,
        around: Around<'_>,
        host: &Arc<dyn Host>,
        listen: &mut dyn FnMut(Heard<'_>) -> Result<(), Failure>,
    ) -> Result<Heeded, Failure> {
        let Around { before, file, status: last } = around;
        if source.contains('\0') {
            return Err(Failure::new(
                ErrorKind::InvalidArguments,
                format!("{file} has a NUL character, which bash cannot hold"),
            ));
        }
        let word = format!("{:016x}", RandomState::new().build_hasher().finish());
        // Before a `||`, so that neither `set -e` nor a trap makes something of it.
        let restored = match last {
            0 => String::new(),
            last => format!("{STATUS}() {{ builtin unset -f {STATUS}; builtin return {last}; }}; {STATUS} || "),
        };
        let input = format!(
            "{before}IFS= builtin read -r -d '' SKILLS_CELL; {restored}builtin eval \"$SKILLS_CELL\" </dev/null\n\
             {source}\0\nbuiltin printf '%s %s\\n' \"$?\" {word} >&$SKILLS_OUT\n"
        );
        let base = self.lines + before.matches('\n').count();
        self.lines = base + 3;
        let mut heeded = Heeded::default();
        let mut said = Vec::new();
        let mut hear = |heard: Heard<'_>| {
            match heard {
                Heard::Stdout(bytes, _) => heeded.stdout.extend_from_slice(bytes),
                Heard::Said(bytes) => said.extend_from_slice(bytes),
                Heard::Stderr(text) => {
                    let text = answers::placed(text, file, base);
                    return listen(Heard::Stderr(&text)).map(|()| false);
                }
                _ => {}
            }
            if matches!(heard, Heard::Stdout(..)) {
                listen(heard)?;
            }
            Ok(status(&said, &word).is_some())
        };
        heeded.end = self.program.talk(input.as_bytes(), &mut hear, host)?;
        heeded.status = status(&said, &word).unwrap_or_default();
        Ok(heeded)
    }

    /// Has the shell tell something of itself. What it writes is neither printed nor a value.
    fn ask(&mut self, source: &str, host: &Arc<dyn Host>) -> Result<Vec<u8>, Failure> {
        let mut errors = String::new();
        let around = Around { file: "bash", ..Around::default() };
        let heeded = self.request(source, around, host, &mut |heard| {
            if let Heard::Stderr(text) = heard {
                errors.push_str(text);
            }
            Ok(())
        })?;
        match heeded {
            Heeded { end: None, status: 0, stdout } => Ok(stdout),
            Heeded { end: Some(end), .. } => Err(over(end)),
            _ => {
                let why = errors.lines().last().unwrap_or("it says nothing of why").to_owned();
                Err(Failure::new(ErrorKind::ScriptError, format!("the shell does not tell of itself: {why}")))
            }
        }
    }

    fn evaluate(&mut self, cell: &Cell, host: &Arc<dyn Host>) -> Result<Value, Failure> {
        let script = &cell.script;
        let before = match &cell.entry {
            Entry::Cell => String::new(),
            Entry::Skill { params } => given(params),
        };
        let apart = Apart::new(host);
        let seen = Arc::clone(&apart) as Arc<dyn Host>;
        let around = Around { before: &before, file: &script.file, status: self.status };
        let heeded = self.request(&script.source, around, &seen, &mut |heard| match heard {
            Heard::Stdout(_, text) => seen.print(Stream::Stdout, text),
            Heard::Stderr(text) => seen.print(Stream::Stderr, text),
            _ => Ok(()),
        });
        if let Ok(heeded) = &heeded {
            self.status = heeded.status;
        }
        let invocation =
            Invocation { name: script.file.clone(), script: Some(Arc::clone(script)), ..self.invocation.clone() };
        let value = heeded.and_then(|heeded| {
            if let Some(end) = heeded.end {
                return Err(over(end));
            }
            judge(&invocation, &self.search, End::Exited(heeded.status), &apart.kept().stderr)?;
            OutputForm::Text.value(&invocation.name, &heeded.stdout, host.budget().limits().result)
        });
        if value.is_err() {
            apart.give_stdout();
        }
        value
    }

    /// The names of variables that were not there before the first cell.
    fn names(&mut self, host: &Arc<dyn Host>) -> Result<Vec<String>, Failure> {
        let all = self.ask("compgen -v", host)?;
        let is_own = |name: &str| OWN.contains(&name) || self.known.contains(name);
        Ok(answers::lines(&all).filter(|name| !is_own(name)).map(str::to_owned).collect())
    }

    fn functions(&mut self, host: &Arc<dyn Host>) -> Result<Vec<String>, Failure> {
        let all = self.ask("compgen -A function || :", host)?;
        Ok(answers::lines(&all).map(str::to_owned).collect())
    }
}

/// The status that was said with a word, if it was.
fn status(said: &[u8], word: &str) -> Option<i32> {
    let text = std::str::from_utf8(said).ok()?;
    text.lines().find_map(|line| line.strip_suffix(word)?.trim_end().parse().ok())
}

fn over(end: End) -> Failure {
    let how = match end {
        End::Exited(code) => format!("with exit code {code}"),
        End::Signalled(signal) => format!("by signal {signal}"),
        _ => "in an unknown way".to_owned(),
    };
    Failure::new(ErrorKind::ScriptError, format!("the shell has ended {how}"))
        .with_help("`exit`, and an error under `set -e`, end the session: `return` from a function, or use `( … )`")
}

/// What gives a skill's script its parameters, as a run of bash does.
fn given(params: &Map<String, Value>) -> String {
    let mut text =
        format!("export {}={}\n", environment::PARAMETERS, quoted(&Value::Object(params.clone()).to_string()));
    for (name, variable) in environment::variables(params.keys().map(String::as_str)) {
        let Some(value) = params.get(&name).filter(|value| !value.is_null()) else { continue };
        let value = quoted(&template::shown(Some(value)));
        if environment::is_plain(&name) {
            text.push_str(&format!("export {name}={value}\n"));
        }
        text.push_str(&format!("export {variable}={value}\n"));
    }
    text
}

impl Session for Shell {
    /// A shell of its own is a run of bash, which needs no session.
    fn run(&mut self, script: &Arc<Script>, params: &Value, host: &Arc<dyn Host>) -> Evaluation {
        let params = params.as_object().cloned().unwrap_or_default();
        self.eval(&Cell { script: Arc::clone(script), entry: Entry::Skill { params } }, host).evaluation
    }

    fn reusable(&self) -> bool {
        self.program.is_alive()
    }

    fn eval(&mut self, cell: &Cell, host: &Arc<dyn Host>) -> Evaluated {
        let before = self.held();
        let result = self.evaluate(cell, host);
        let usage = answers::usage(before, self.held());
        let shown = match &result {
            Ok(Value::String(text)) if !text.is_empty() => Some(answers::shown("string", text)),
            Ok(Value::String(_)) | Err(_) => None,
            Ok(value) => Some(answers::shown("bytes", &value.to_string())),
        };
        Evaluated { evaluation: Evaluation { result, usage }, shown }
    }

    fn variables(&mut self, host: &Arc<dyn Host>) -> Result<Vec<Variable>, Failure> {
        let mut all = Vec::new();
        for name in self.names(host)? {
            let value = self.get(&name, host)?;
            let size = template::shown(Some(&value)).len() as u64;
            all.push(answers::variable(name, NameKind::Value, &value, Some(size)));
        }
        for name in self.functions(host)? {
            all.push(answers::variable(name, NameKind::Function, &Value::Null, None));
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    fn get(&mut self, name: &str, host: &Arc<dyn Host>) -> Result<Value, Failure> {
        answers::check_name(name)?;
        let source = format!(
            "if [[ ${{{name}@a}} == *[aA]* ]]; then builtin printf '%s\\0' \"${{{name}@a}}\" \"${{!{name}[@]}}\" \"${{{name}[@]}}\"; \
             elif [[ -v {name} ]]; then builtin printf '%s\\0' \"\" \"${name}\"; fi"
        );
        let told = self.ask(&source, host)?;
        answers::value(&told).ok_or_else(|| Failure::new(ErrorKind::NotFound, format!("there is no variable `{name}`")))
    }

    fn set(&mut self, name: &str, value: &Value, host: &Arc<dyn Host>) -> Result<(), Failure> {
        answers::check_settable(name)?;
        self.ask(&answers::assignment(name, value)?, host).map(drop)
    }

    fn complete(&mut self, text: &str, cursor: usize, host: &Arc<dyn Host>) -> Result<Completions, Failure> {
        let text = text.get(..cursor).unwrap_or(text);
        let begins = text.rfind(|c: char| c.is_whitespace() || "$`;|&<>()'\"={}".contains(c));
        let from = begins.map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
        let word = quoted(&text[from..]);
        let is_variable = begins.is_some_and(|at| text[at..].starts_with('$') || text[..from].ends_with("${"));
        let kinds: &[(&str, NameKind)] = match is_variable {
            true => &[("-v", NameKind::Value)],
            false => &[
                ("-A function", NameKind::Function),
                ("-b", NameKind::Function),
                ("-k", NameKind::Keyword),
                ("-f", NameKind::Value),
            ],
        };
        let mut items = Vec::new();
        for (flag, kind) in kinds {
            let found = self.ask(&format!("compgen {flag} -- {word} || :"), host)?;
            let found = answers::lines(&found).filter(|name| !OWN.contains(name));
            items.extend(found.map(|text| Completion { text: text.to_owned(), kind: *kind }));
        }
        items.sort_by(|a, b| a.text.cmp(&b.text));
        items.dedup_by(|a, b| a.text == b.text);
        Ok(Completions { from, items })
    }

    fn inspect(&mut self, path: &str, host: &Arc<dyn Host>) -> Result<Inspection, Failure> {
        answers::check_name(path)?;
        let source = self.ask(&format!("declare -f {path} || :"), host)?;
        if !source.is_empty() {
            let source = String::from_utf8_lossy(&source).into_owned();
            let shown = Shown { type_name: "function".to_owned(), text: path.to_owned(), ..Shown::default() };
            return Ok(Inspection { shown, source: Some(source), ..Inspection::default() });
        }
        let value = self.get(path, host)?;
        let shown = answers::shown(answers::type_name(&value), &template::shown(Some(&value)));
        Ok(Inspection { shown, ..Inspection::default() })
    }

    fn snapshot(&mut self, host: &Arc<dyn Host>) -> Result<Snapshot, Failure> {
        let mut names = self.names(host)?;
        names.extend(KEPT.map(str::to_owned));
        let source = format!(
            "for SKILLS_CELL in {}; do [[ -v $SKILLS_CELL || ${{!SKILLS_CELL@a}} ]] && declare -p \"$SKILLS_CELL\"; done 2>/dev/null; \
             declare -f; alias -p; shopt -p; trap -p; set +o; builtin printf 'cd -- %q\\n' \"$PWD\"",
            names.join(" ")
        );
        let bytes = self.ask(&source, host)?;
        let jobs = self.ask("jobs -r -p", host)?;
        let lost = answers::lines(&jobs).map(|id| Lost {
            name: format!("job {id}"),
            why: "a process in the background stays with its shell".to_owned(),
        });
        Ok(Snapshot { language: Language::Bash, format: FORMAT.to_owned(), lost: lost.collect(), bytes })
    }

    fn restore(&mut self, snapshot: &Snapshot, host: &Arc<dyn Host>) -> Result<Vec<Lost>, Failure> {
        if snapshot.language != Language::Bash || snapshot.format != FORMAT {
            let message = format!("a snapshot of the form `{}` is none of this version's bash", snapshot.format);
            return Err(Failure::new(ErrorKind::InvalidArguments, message));
        }
        let source = String::from_utf8(snapshot.bytes.clone())
            .map_err(|_| Failure::new(ErrorKind::InvalidArguments, "the snapshot holds text that is not UTF-8"))?;
        // The folder comes last: where it is gone, all else is there.
        match self.ask(&source, host) {
            Err(failure) if failure.kind == ErrorKind::ScriptError && self.reusable() => {
                Ok(vec![Lost { name: "PWD".to_owned(), why: failure.message }])
            }
            other => other.map(|_| Vec::new()),
        }
    }

    fn held(&self) -> Held {
        self.program.held()
    }
}
