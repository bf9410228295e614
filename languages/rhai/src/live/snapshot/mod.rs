//! A namespace as bytes: the sources that functions are from, then the variables.
//!
//! Numbers are LEB128, integers of scripts zigzag. A value is a tag and what the tag asks for. What is shared gets a
//! number where it first appears, and is that number from then on; so do long strings. A closure is named by its source
//! and its place among the closures of that: its name in Rhai differs from process to process.

mod read;
mod write;

use super::cells::Machine;
use super::{Live, library};
use crate::failures::Placed;
use crate::last_value;
use crate::program::{self, Program};
use rhai::Dynamic;
use skills_core::{ErrorKind, Failure, Language, Lost, Script, Snapshot};
use std::sync::Arc;

/// The form of the bytes.
const FORMAT: &str = "rhai-1";

/// How many bytes of stack a level of nested values may take.
const LEVEL: usize = 4 << 10;

/// A string of at least this many bytes is written once.
const LONG_TEXT: usize = 32;

/// What a value is.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Tag {
    Unit = 0,
    False = 1,
    True = 2,
    Int = 3,
    Float = 4,
    Char = 5,
    Text = 6,
    LongText = 7,
    SameText = 8,
    Array = 9,
    Map = 10,
    Blob = 11,
    Pointer = 12,
    Closure = 13,
    Range = 14,
    RangeInclusive = 15,
    Shared = 16,
    Same = 17,
}

impl Live {
    /// The namespace as bytes. `stack` is how many bytes of it there are.
    pub(crate) fn snapshot(&self, stack: usize) -> Snapshot {
        let mut out = write::Writer::new(stack / LEVEL);
        let mut lost = Vec::new();
        out.number(self.library.sources().count());
        for (placed, source) in self.library.sources() {
            out.text(&placed.script.file);
            out.text(&placed.script.source);
            out.number(usize::from(source.call.is_some()));
            out.closures(library::closures(source.own()));
        }
        let mut entries: Vec<_> = self.scope.iter_raw().collect();
        entries.reverse();
        for (name, constant, value) in entries {
            out.number(1 + usize::from(constant));
            out.text(name);
            if let Some(why) = out.value_of(value) {
                lost.push(Lost { name: name.into(), why });
            }
        }
        out.number(0);
        Snapshot { language: Language::Rhai, format: FORMAT.into(), bytes: out.bytes, lost }
    }

    /// Fills a fresh namespace; the memory cap has begun.
    pub(crate) fn restore(
        &mut self,
        snapshot: &Snapshot,
        machine: &Machine<'_>,
        stack: usize,
    ) -> Result<Vec<Lost>, Failure> {
        if snapshot.language != Language::Rhai || snapshot.format != FORMAT {
            let found = format!("{} of {}", snapshot.format, snapshot.language.as_str());
            let message = format!("this snapshot is {found}, which a Rhai session of this version cannot restore");
            return Err(Failure::new(ErrorKind::InvalidArguments, message)
                .with_help("restore it with the version that made it, or start a new session"));
        }
        let memory = &machine.control.memory;
        let filled = self.fill(&mut read::Reader::new(&snapshot.bytes, stack / LEVEL, memory), machine);
        if let Err(failure) = filled.and_then(|()| memory.check().map_err(Failure::breach)) {
            *self = Live::new();
            return Err(match failure.limit {
                Some(breach) => machine.control.breach(breach),
                None => failure,
            });
        }
        self.mark = machine.control.memory.mark();
        Ok(snapshot.lost.clone())
    }

    fn fill(&mut self, input: &mut read::Reader<'_>, machine: &Machine<'_>) -> Result<(), Failure> {
        for _ in 0..input.number()? {
            let (file, source) = (input.text()?.to_owned(), input.text()?.to_owned());
            let skill = input.number()? != 0;
            let script = Arc::new(Script { language: Language::Rhai, file, source });
            let own = self.define(&script, skill, machine)?;
            input.closures(&own);
        }
        input.functions(self.library.functions());
        loop {
            let constant = match input.number()? {
                0 => return Ok(()),
                kind => kind == 2,
            };
            let name = input.text()?.to_owned();
            if name != last_value::NAME && !rhai::is_valid_identifier(&name) {
                return Err(damaged());
            }
            let value = input.value(0)?;
            if constant {
                self.scope.push_constant_dynamic(name, value);
            } else {
                self.scope.push_dynamic(name, value);
            }
        }
    }

    /// Takes up the functions of a source, without running it.
    fn define(&mut self, script: &Arc<Script>, skill: bool, machine: &Machine<'_>) -> Result<rhai::AST, Failure> {
        let lines = script.source.lines().count() + 1;
        let above = self.library.above(lines);
        let Program { ast, written } =
            super::with_last_value(machine.control, || Program::body(machine.engine, script, above))?;
        let own = ast.clone_functions_only();
        let call = skill.then(|| program::call_of_run(machine.engine, &own)).flatten();
        let placed = Placed { script: Arc::clone(script), written, above, lines };
        self.library.add(placed, own.clone(), call);
        Ok(own)
    }
}

fn damaged() -> Failure {
    Failure::new(ErrorKind::InvalidArguments, "this snapshot of a Rhai session is damaged")
}

/// What a value is replaced by that cannot be kept.
fn nothing() -> Dynamic {
    Dynamic::UNIT
}
