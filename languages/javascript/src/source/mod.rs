//! From a script's source to the text that the engine compiles: parsed by oxc, its form found, types blanked out, and
//! where operations or recursion are limited, counters put in. Lines never move, and columns can be found again, so that
//! errors point into the skill's own file.

mod cell;
mod count;
mod declare;
mod definitions;
mod edits;
mod ends;
mod form;
mod links;
mod loops;
mod numbers;
mod purity;
mod shadow;
mod types;

pub(crate) use cell::{PreparedCell, Purpose, parameters, prepare_cell, prepare_definition};
pub(crate) use count::Counting;
pub(crate) use definitions::{Definition, Kind};
pub(crate) use edits::{Columns, locate};
pub(crate) use ends::completeness;
pub(crate) use links::{Export, Far, Links};
pub(crate) use loops::only as only_loop;
pub(crate) use shadow::{HIDDEN, Shadows, written};

use oxc::allocator::Allocator;
use oxc::ast::ast::Program;
use oxc::diagnostics::OxcDiagnostic;
use oxc::parser::Parser;
use oxc::semantic::{Semantic, SemanticBuilder};
use oxc::span::{SourceType, Span};
use skills_core::{ErrorKind, Failure, Frame, Language, Script};
use std::hash::{BuildHasher, RandomState};

/// Names that the compiled text uses for what the bridge hands it. They hold a random number, so that a script cannot
/// name them.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) skill: String,
    pub(crate) tools: String,
    pub(crate) count: String,
    pub(crate) depth: String,
    pub(crate) unit: String,
}

impl Names {
    fn new() -> Names {
        let random = RandomState::new().hash_one(());
        let name = |what| format!("__{what}_{random:x}");
        Names {
            skill: name("skill"),
            tools: name("tools"),
            count: name("count"),
            depth: name("depth"),
            unit: name("unit"),
        }
    }
}

/// A script made ready to compile.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// The body of a function of `names.skill`, `params` and `names.tools`. Its first line is ours, so that line 2 is
    /// the script's first.
    pub(crate) body: String,
    pub(crate) names: Names,
    /// Whether the body awaits, and so gives a promise.
    pub(crate) asynchronous: bool,
    /// Whether the body's value is the function to call with the parameters.
    pub(crate) calls: bool,
    /// Whether it is plain from the text that the script cannot change a built-in.
    pub(crate) pure: bool,
    pub(crate) columns: Columns,
    /// What it imports of other files of its skill.
    pub(crate) links: Links,
}

/// The most source that is parsed, in bytes.
const LONGEST: usize = 1 << 20;

/// Parses, rewrites and wraps a script.
///
/// # Errors
/// `script_error` with a frame at the place for what does not parse or is not supported.
pub(crate) fn prepare(script: &Script, counting: Counting) -> Result<Prepared, Failure> {
    with_semantic(script, |program, semantic| {
        let refuse = |(span, what): (Span, String)| unsupported(script, span, &what);
        let Draft { names, mut edits, mut links, uses } = Draft::new(script, program, semantic)?;
        let alone = links.is_empty();
        match alone {
            true => count::instrument(program, counting, &names, &mut edits),
            false => count::instrument_cell(program, counting, &names, &mut edits),
        }
        uses.part(&mut edits);
        let mut form = form::find(program, &names, &mut edits).map_err(refuse)?;
        uses.rewrite(&script.source, &names, &mut edits);
        if let Some(name) = links.entry() {
            form.epilogue = format!(";return {}[{name:?}];", names.unit);
            form.calls = true;
        }
        let pure = alone && counting.is_off() && purity::is_pure(program);
        let header = if alone { count::header(counting, &names) } else { String::new() };
        let (text, columns) = edits.apply(&script.source);
        let function = if form.asynchronous { "async function" } else { "function" };
        // The script is the body of an inner function, so that it can declare a `params` or `skill` of its own.
        let body =
            format!("\"use strict\";{header}return ({function}(){{{}\n{text}\n{}}})();", form.imports, form.epilogue);
        Ok(Prepared { body, names, asynchronous: form.asynchronous, calls: form.calls, pure, columns, links })
    })
}

/// The same for a file that a script imports: its value is nothing, and what it exports is handed to the bridge.
///
/// # Errors
/// As [`prepare`].
pub(crate) fn prepare_module(script: &Script, counting: Counting) -> Result<Prepared, Failure> {
    with_semantic(script, |program, semantic| {
        let refuse = |(span, what): (Span, String)| unsupported(script, span, &what);
        let Draft { names, mut edits, mut links, uses } = Draft::new(script, program, semantic)?;
        count::instrument_cell(program, counting, &names, &mut edits);
        uses.part(&mut edits);
        let before = links::open(program, &mut links, &names, &mut edits).map_err(refuse)?;
        uses.rewrite(&script.source, &names, &mut edits);
        let (text, columns) = edits.apply(&script.source);
        let asynchronous = form::awaits(program);
        let function = if asynchronous { "async function" } else { "function" };
        let body = format!("\"use strict\";return ({function}(){{{before}\n{text}\n}})();");
        Ok(Prepared { body, names, asynchronous, calls: false, pure: false, columns, links })
    })
}

/// A script with its types blanked out, and what it imports found.
struct Draft {
    names: Names,
    edits: edits::Edits,
    links: Links,
    uses: links::Uses,
}

impl Draft {
    fn new(script: &Script, program: &Program<'_>, semantic: &Semantic<'_>) -> Result<Draft, Failure> {
        let mut links = Links::of(program).map_err(|(span, what)| unsupported(script, span, &what))?;
        let mut edits = edits::Edits::default();
        let typed = script.language == Language::TypeScript;
        if typed {
            types::strip(program, &mut edits, None).map_err(|(span, what)| unsupported(script, span, what))?;
        }
        let uses = match links.is_empty() {
            true => links::Uses::default(),
            false => links::uses(program, semantic.scoping(), &mut links, typed),
        };
        Ok(Draft { names: Names::new(), edits, links, uses })
    }
}

/// Parses a script and does something with its tree, on a stack that is large enough for it.
pub(crate) fn with_program<R>(
    script: &Script,
    work: impl FnOnce(&Program<'_>) -> Result<R, Failure>,
) -> Result<R, Failure> {
    with_semantic(script, |program, _| work(program))
}

/// As [`with_program`], with what the names in it stand for.
pub(crate) fn with_semantic<R>(
    script: &Script,
    work: impl FnOnce(&Program<'_>, &Semantic<'_>) -> Result<R, Failure>,
) -> Result<R, Failure> {
    if script.source.len() > LONGEST {
        let message = format!("the script has {} bytes; at most {LONGEST} can be run", script.source.len());
        return Err(Failure::new(ErrorKind::ScriptError, message).in_script(script.language, Vec::new()));
    }
    on_large_stack(&script.source, || {
        let allocator = Allocator::default();
        let source_type = match script.language {
            Language::TypeScript => SourceType::ts(),
            _ => SourceType::mjs(),
        };
        let parsed = Parser::new(&allocator, &script.source, source_type).parse();
        if let Some(error) = parsed.diagnostics.errors().next() {
            return Err(refused(script, error));
        }
        let checked = SemanticBuilder::new().with_check_syntax_error(true).build(&parsed.program);
        if let Some(error) = checked.diagnostics.errors().next() {
            return Err(refused(script, error));
        }
        work(&parsed.program, &checked.semantic)
    })
}

/// The failure of a script that breaks a rule of the language, where it does: with two labels, at the later one, which is
/// the one that is wrong.
fn refused(script: &Script, error: &OxcDiagnostic) -> Failure {
    let at = error.labels.iter().map(|label| label.offset() as usize).max();
    let mut failure = Failure::new(ErrorKind::ScriptError, format!("SyntaxError: {}", trimmed(&error.message)));
    failure.help = error.help.as_ref().map(|help| trimmed(help).to_owned());
    failure.in_script(script.language, at.map(|at| frame(script, at)).into_iter().collect())
}

fn trimmed(text: &str) -> &str {
    text.trim_end_matches('.')
}

/// Parser and visitors recurse as deep as a script nests, which a hostile script chooses. No script nests deeper than it
/// has places where nesting can begin, so that number bounds the stack that is needed; what is reserved but not used
/// costs address space only.
fn on_large_stack<R>(source: &str, work: impl FnOnce() -> R) -> R {
    /// More than the parser and the visitors take for one level, measured on unoptimised code, with a reserve.
    const LEVEL: usize = 3 << 10;
    let mut word = false;
    let places = source.bytes().filter(|&byte| {
        let in_word = byte.is_ascii_alphanumeric() || byte >= 128 || byte == b'_' || byte == b'$';
        let begins = in_word && !word;
        word = in_word;
        begins
            || (byte.is_ascii_punctuation() && !matches!(byte, b')' | b']' | b'}' | b';' | b',' | b'"' | b'\'' | b'_'))
    });
    let needed = (64 << 10) + places.count() * LEVEL;
    if stacker::remaining_stack().is_some_and(|left| left > needed + (64 << 10)) {
        return work();
    }
    stacker::grow(needed, work)
}

fn unsupported(script: &Script, span: Span, what: &str) -> Failure {
    Failure::new(ErrorKind::ScriptError, what).in_script(script.language, vec![frame(script, span.start as usize)])
}

/// A frame at a byte offset of the source.
pub(crate) fn frame(script: &Script, offset: usize) -> Frame {
    let (line, column) = locate(&script.source, offset);
    Frame { file: script.file.clone(), line, column, function: None, source: script.line(line).map(str::to_owned) }
}
