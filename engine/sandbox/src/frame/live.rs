//! What a session with a living namespace is asked and tells, as parts of a frame.

use super::parts::{read_language, read_limits, read_passed, read_script, write_limits, write_passed, write_script};
use super::{MOST_PART, MOST_SNAPSHOT, MOST_TOLD, Malformed, Reader, Writer};
use serde_json::Value;
use skills_core::value::ELEMENT_COST;
use skills_core::{
    Cell, Completion, Completions, Entry, Inspection, Language, Limits, Lost, NameKind, Shown, Variable,
};
use std::sync::Arc;
use std::time::Duration;

/// One request to a living session.
#[derive(Debug, Clone, PartialEq)]
pub struct Live {
    /// The request's number in its session: runs and requests are counted together.
    pub run: u64,
    /// What it is asked.
    pub ask: Ask,
    /// What it is held to.
    pub limits: Limits,
    /// How much execution time and wall time have passed.
    pub passed: (Duration, Duration),
}

/// What a living session is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// To evaluate a cell.
    Cell(Cell),
    /// For its variables.
    Variables,
    /// For the value of a variable.
    Get(String),
    /// To give a variable a value.
    Set(String, Value),
    /// How a word could go on.
    Complete {
        /// The text.
        text: String,
        /// Where in it, in bytes.
        cursor: usize,
    },
    /// About a value.
    Inspect(String),
    /// For its namespace as bytes.
    Snapshot,
    /// To fill its namespace. The bytes follow in parts.
    Restore(Packed),
    /// To become two. What the copy is to talk over comes beside.
    Fork,
}

/// A snapshot whose bytes travel in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// The language.
    pub language: Language,
    /// The form of the bytes.
    pub format: String,
    /// What is not in it.
    pub lost: Vec<Lost>,
    /// How many bytes there are.
    pub length: u64,
}

/// What a living session tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// The value of a cell, and how the language shows it.
    Evaluated(Value, Option<Shown>),
    /// The variables.
    Variables(Vec<Variable>),
    /// The value of a variable.
    Value(Value),
    /// That it is done.
    Done,
    /// How the word could go on.
    Completions(Completions),
    /// About a value.
    Inspection(Inspection),
    /// The namespace, whose bytes came before this.
    Snapshot(Packed),
    /// What is missing of what the snapshot held.
    Restored(Vec<Lost>),
}

impl Live {
    pub(super) fn write(&self, out: &mut Writer) {
        out.number(self.run);
        write_limits(out, &self.limits);
        write_passed(out, self.passed);
        match &self.ask {
            Ask::Cell(cell) => {
                out.byte(0);
                write_script(out, &cell.script);
                match &cell.entry {
                    Entry::Cell => out.flag(false),
                    Entry::Skill { params } => {
                        out.flag(true);
                        out.map(params);
                    }
                }
            }
            Ask::Variables => out.byte(1),
            Ask::Get(name) => {
                out.byte(2);
                out.text(name);
            }
            Ask::Set(name, value) => {
                out.byte(3);
                out.text(name);
                out.value(value);
            }
            Ask::Complete { text, cursor } => {
                out.byte(4);
                out.text(text);
                out.number(*cursor as u64);
            }
            Ask::Inspect(path) => {
                out.byte(5);
                out.text(path);
            }
            Ask::Snapshot => out.byte(6),
            Ask::Restore(packed) => {
                out.byte(7);
                write_packed(out, packed);
            }
            Ask::Fork => out.byte(8),
        }
    }

    /// Reads what a host asks, which a worker believes.
    pub(super) fn read(input: &mut Reader<'_>) -> Result<Live, Malformed> {
        let run = input.number()?;
        let limits = read_limits(input)?;
        let passed = read_passed(input)?;
        let ask = match input.byte()? {
            0 => {
                let script = Arc::new(read_script(input)?);
                let entry = if input.flag()? { Entry::Skill { params: input.map()? } } else { Entry::Cell };
                Ask::Cell(Cell { script, entry })
            }
            1 => Ask::Variables,
            2 => Ask::Get(input.text()?.to_owned()),
            3 => Ask::Set(input.text()?.to_owned(), input.value()?),
            4 => Ask::Complete { text: input.text()?.to_owned(), cursor: read_index(input)? },
            5 => Ask::Inspect(input.text()?.to_owned()),
            6 => Ask::Snapshot,
            7 => Ask::Restore(read_packed(input)?),
            8 => Ask::Fork,
            _ => return Err(Malformed("a request is of no known kind")),
        };
        Ok(Live { run, ask, limits, passed })
    }
}

impl Told {
    pub(super) fn write(&self, out: &mut Writer) {
        match self {
            Told::Evaluated(value, shown) => {
                out.byte(0);
                out.value(value);
                out.flag(shown.is_some());
                if let Some(shown) = shown {
                    write_shown(out, shown);
                }
            }
            Told::Variables(variables) => {
                out.byte(1);
                out.number(variables.len() as u64);
                for variable in variables {
                    out.text(&variable.name);
                    out.byte(number(variable.kind));
                    out.text(&variable.type_name);
                    out.text(&variable.shown);
                    out.perhaps(variable.size);
                }
            }
            Told::Value(value) => {
                out.byte(2);
                out.value(value);
            }
            Told::Done => out.byte(3),
            Told::Completions(completions) => {
                out.byte(4);
                out.number(completions.from as u64);
                out.number(completions.items.len() as u64);
                for item in &completions.items {
                    out.text(&item.text);
                    out.byte(number(item.kind));
                }
            }
            Told::Inspection(inspection) => {
                out.byte(5);
                write_shown(out, &inspection.shown);
                for text in [&inspection.signature, &inspection.doc, &inspection.source] {
                    out.flag(text.is_some());
                    if let Some(text) = text {
                        out.text(text);
                    }
                }
            }
            Told::Snapshot(packed) => {
                out.byte(6);
                write_packed(out, packed);
            }
            Told::Restored(lost) => {
                out.byte(7);
                write_lost(out, lost);
            }
        }
    }

    /// Reads what a worker tells, of whom nothing is believed. A value may hold `most_result`.
    pub(super) fn read(input: &mut Reader<'_>, most_result: u64) -> Result<Told, Malformed> {
        let kind = input.byte()?;
        input.room(MOST_TOLD, size_of::<Variable>());
        Ok(match kind {
            0 => {
                input.room(most_result, ELEMENT_COST);
                let value = input.value()?;
                input.room(MOST_TOLD, size_of::<Variable>());
                Told::Evaluated(value, if input.flag()? { Some(read_shown(input)?) } else { None })
            }
            1 => Told::Variables(input.several(|input| {
                Ok(Variable {
                    name: input.text()?.to_owned(),
                    kind: kind_of(input.byte()?)?,
                    type_name: input.text()?.to_owned(),
                    shown: input.text()?.to_owned(),
                    size: input.perhaps()?,
                })
            })?),
            2 => {
                input.room(most_result, ELEMENT_COST);
                Told::Value(input.value()?)
            }
            3 => Told::Done,
            4 => {
                let from = read_index(input)?;
                let items = input.several(|input| {
                    Ok(Completion { text: input.text()?.to_owned(), kind: kind_of(input.byte()?)? })
                })?;
                Told::Completions(Completions { from, items })
            }
            5 => {
                let shown = read_shown(input)?;
                let mut text = || Ok(if input.flag()? { Some(input.text()?.to_owned()) } else { None });
                Told::Inspection(Inspection { shown, signature: text()?, doc: text()?, source: text()? })
            }
            6 => Told::Snapshot(read_packed(input)?),
            7 => Told::Restored(read_lost(input)?),
            _ => return Err(Malformed("an answer is of no known kind")),
        })
    }
}

/// Bytes of a snapshot, in pieces that fit a frame.
pub(super) fn read_part(input: &mut Reader<'_>) -> Result<Vec<u8>, Malformed> {
    input.room(MOST_PART as u64, ELEMENT_COST);
    Ok(input.bytes()?.to_vec())
}

fn write_packed(out: &mut Writer, packed: &Packed) {
    out.text(packed.language.as_str());
    out.text(&packed.format);
    out.number(packed.length);
    write_lost(out, &packed.lost);
}

fn read_packed(input: &mut Reader<'_>) -> Result<Packed, Malformed> {
    let language = read_language(input)?;
    let format = input.text()?.to_owned();
    let length = input.number()?;
    if length > MOST_SNAPSHOT {
        return Err(Malformed("a snapshot is larger than it may be"));
    }
    Ok(Packed { language, format, length, lost: read_lost(input)? })
}

fn write_lost(out: &mut Writer, lost: &[Lost]) {
    out.number(lost.len() as u64);
    for lost in lost {
        out.text(&lost.name);
        out.text(&lost.why);
    }
}

fn read_lost(input: &mut Reader<'_>) -> Result<Vec<Lost>, Malformed> {
    input.several(|input| Ok(Lost { name: input.text()?.to_owned(), why: input.text()?.to_owned() }))
}

fn write_shown(out: &mut Writer, shown: &Shown) {
    out.text(&shown.type_name);
    out.text(&shown.text);
    out.flag(shown.cut);
    out.flag(shown.png.is_some());
    if let Some(png) = &shown.png {
        out.bytes(png);
    }
}

fn read_shown(input: &mut Reader<'_>) -> Result<Shown, Malformed> {
    let type_name = input.text()?.to_owned();
    let text = input.text()?;
    // What stands for the rest of a text that was cut has some bytes as well.
    if text.len() > Shown::MOST + 64 {
        return Err(Malformed("a value is shown at greater length than it may be"));
    }
    let (text, cut) = (text.to_owned(), input.flag()?);
    let png = if input.flag()? { Some(input.bytes()?) } else { None };
    if png.is_some_and(|png| png.len() > Shown::MOST_IMAGE || !png.starts_with(Shown::PNG)) {
        return Err(Malformed("an image is none, or too large"));
    }
    Ok(Shown { type_name, text, cut, png: png.map(<[u8]>::to_vec) })
}

fn read_index(input: &mut Reader<'_>) -> Result<usize, Malformed> {
    usize::try_from(input.number()?).map_err(|_| Malformed("a place lies outside of any text"))
}

fn number(kind: NameKind) -> u8 {
    match kind {
        NameKind::Function => 1,
        NameKind::Class => 2,
        NameKind::Module => 3,
        NameKind::Keyword => 4,
        NameKind::Member => 5,
        _ => 0,
    }
}

fn kind_of(number: u8) -> Result<NameKind, Malformed> {
    Ok(match number {
        0 => NameKind::Value,
        1 => NameKind::Function,
        2 => NameKind::Class,
        3 => NameKind::Module,
        4 => NameKind::Keyword,
        5 => NameKind::Member,
        _ => return Err(Malformed("a name is of no known kind")),
    })
}
