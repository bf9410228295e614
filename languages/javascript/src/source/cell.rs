//! From a cell of a living session to the text that the engine compiles. See `declare.rs` for what stays of it.

use super::declare::{self, Declared};
use super::definitions::{self, Definition, Kind};
use super::edits::{Columns, Edits};
use super::shadow::{self, LOCAL, Shadows};
use super::{Counting, Links, Names, count, form, links, types, unsupported, with_program, with_semantic};
use oxc::ast::ast::Program;
use oxc::semantic::Semantic;
use skills_core::{Failure, Script};
use std::ops::Range;

/// What a cell is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Its value is that of its last expression.
    Value,
    /// Its value is the function to call, where it has one.
    Call,
}

/// A cell made ready to compile.
#[derive(Debug)]
pub(crate) struct PreparedCell {
    /// The body of a function of `names.skill`, `names.depth` and `names.tools`. Its first line is ours.
    pub(crate) body: String,
    pub(crate) names: Names,
    /// Whether the body gives a promise of its value because it awaits.
    pub(crate) asynchronous: bool,
    /// Whether the value is the function to call with the parameters.
    pub(crate) calls: bool,
    pub(crate) columns: Columns,
    /// The source that was parsed, where it is not the script's own.
    pub(crate) source: Option<String>,
    /// Each function and class, with the stretches of the body that its text may be.
    pub(crate) definitions: Vec<(Definition, Vec<Range<usize>>)>,
    /// The names that are declared, each with the documentation that stands before it.
    pub(crate) docs: Vec<(String, Option<String>)>,
    pub(crate) shadows: Shadows,
    /// What it imports of the files of its skill.
    pub(crate) links: Links,
}

/// Parses, rewrites and wraps a cell.
///
/// # Errors
/// `script_error` with a frame at the place for what does not parse or is not supported.
pub(crate) fn prepare_cell(
    script: &Script,
    purpose: Purpose,
    counting: Counting,
    shadows: &Shadows,
) -> Result<PreparedCell, Failure> {
    // What begins with a brace and can be an object is one, as whoever types it means it.
    let trimmed = script.source.trim();
    if purpose == Purpose::Value && trimmed.starts_with('{') && !trimmed.ends_with(';') {
        // On the same line, unless that ends in a comment: places are told by where a line ends, too.
        for close in [")", "\n)"] {
            let source = format!("({}{close}", script.source);
            let wrapped = Script { source: source.clone(), ..script.clone() };
            if let Ok(mut prepared) = prepare(&wrapped, purpose, counting, shadows) {
                prepared.columns = prepared.columns.behind(1);
                prepared.source = Some(source);
                return Ok(prepared);
            }
        }
    }
    prepare(script, purpose, counting, shadows)
}

fn prepare(script: &Script, purpose: Purpose, counting: Counting, shadows: &Shadows) -> Result<PreparedCell, Failure> {
    with_semantic(script, |program, semantic| {
        let mut declared = declare::find(program).map_err(|(span, what)| unsupported(script, span, &what))?;
        let mut links = Links::of(program).map_err(|(span, what)| unsupported(script, span, &what))?;
        if !links.is_empty() {
            links::uses(program, semantic.scoping(), &mut links, script.language == skills_core::Language::TypeScript);
            declared.variables.extend(links.imports.iter().map(|import| import.local.clone()));
        }
        let mut shadows = shadows.clone();
        declared.names().for_each(|name| shadows.declare(name));
        let names = Names::new();
        let style = Style { counting, shadows: &shadows };
        let mut edits = rewrite(script, program, semantic, &names, style)?;
        declare::rewrite(program, &names, &shadows, &mut edits, &mut declared);
        let function = match purpose {
            Purpose::Value => None,
            Purpose::Call => declared.default.clone().or_else(|| declared.run.then(|| shadows.name("run"))),
        };
        let calls = function.is_some();
        let mut epilogue = String::new();
        if let Some(name) = function.as_ref().or(declared.default.as_ref()) {
            epilogue = format!(";return {name};");
        } else if let Some(last) = program.body.last() {
            form::return_value(last, &mut edits);
        } else if let Some(last) = program.directives.last() {
            form::wrap(last.expression.span, &mut edits);
        }
        let (text, columns, trace) = edits.apply_and_trace(&script.source);
        let asynchronous = form::awaits(program);
        let keyword = if asynchronous { "async function" } else { "function" };
        let before = format!("\"use strict\";return ({keyword}(){{{}\n", prologue(&declared, &links, &names, &shadows));
        let definitions = definitions::find(program, semantic.scoping())
            .into_iter()
            .map(|definition| {
                let places = trace.stretches(definition.span);
                let places = places.map(|at| at.start + before.len()..at.end + before.len()).collect();
                (definition, places)
            })
            .collect();
        let docs = declared.places.iter().map(|(name, at)| (name.clone(), doc_before(program, *at))).collect();
        let body = format!("{before}{text}\n{epilogue}}})();");
        Ok(PreparedCell { body, names, asynchronous, calls, columns, source: None, definitions, docs, shadows, links })
    })
}

/// What is put into a program wherever it is, and how names are written in it.
#[derive(Clone, Copy)]
struct Style<'s> {
    counting: Counting,
    shadows: &'s Shadows,
}

/// All that is changed inside of a program, whatever becomes of its top level.
fn rewrite(
    script: &Script,
    program: &Program<'_>,
    semantic: &Semantic<'_>,
    names: &Names,
    Style { counting, shadows }: Style<'_>,
) -> Result<Edits, Failure> {
    let mut edits = Edits::default();
    if script.language == skills_core::Language::TypeScript {
        types::strip(program, &mut edits, Some(shadows)).map_err(|(span, what)| unsupported(script, span, what))?;
    }
    count::instrument_cell(program, counting, names, &mut edits);
    shadow::mark(program, semantic.scoping(), shadows, &mut edits);
    Ok(edits)
}

/// Declares what the cell assigns, and puts its functions in place.
fn prologue(declared: &Declared, links: &Links, names: &Names, shadows: &Shadows) -> String {
    let Names { tools, skill, .. } = names;
    let mut out = String::new();
    let imports = declared.imports.iter().map(|(name, _)| name);
    let assigned: Vec<String> =
        declared.variables.iter().chain(imports).map(|name| format!("\"{}\"", shadows.name(name))).collect();
    if !assigned.is_empty() {
        out.push_str(&format!("{tools}.declare([{}]);", assigned.join(",")));
    }
    for name in &declared.functions {
        out.push_str(&format!("{tools}.put(\"{}\",\"{name}\",{name}{LOCAL});", shadows.name(name)));
    }
    for (name, member) in &declared.imports {
        out.push_str(&format!("{}={skill}{member};", shadows.name(name)));
    }
    for import in &links.imports {
        out.push_str(&format!("{}={}.{};", shadows.name(&import.local), names.unit, import.local));
    }
    out
}

/// Makes the source of a function or a class ready to be made into a value again, at the lines where it stood.
///
/// # Errors
/// As [`prepare_cell`].
pub(crate) fn prepare_definition(
    script: &Script,
    kind: Kind,
    counting: Counting,
    shadows: &Shadows,
) -> Result<PreparedCell, Failure> {
    let own = script.source.trim_start();
    let at = script.source.len() - own.len();
    let (open, close) = match kind {
        Kind::Declaration => ("", ""),
        Kind::Expression | Kind::Class => ("(", ")"),
        Kind::Method => ("({", "})"),
    };
    let source = format!("{}{open}{own}\n{close}", &script.source[..at]);
    let script = &Script { source, ..script.clone() };
    with_semantic(script, |program, semantic| {
        let names = Names::new();
        let mut edits = rewrite(script, program, semantic, &names, Style { counting, shadows })?;
        let mut epilogue = String::new();
        if kind == Kind::Declaration {
            let mut declared = declare::find(program).map_err(|(span, what)| unsupported(script, span, &what))?;
            declare::rewrite(program, &names, shadows, &mut edits, &mut declared);
            let Some(name) = declared.functions.first() else {
                return Err(unsupported(script, program.span, "this is no function"));
            };
            epilogue = format!(";return {}.named({name}{LOCAL},\"{name}\");", names.tools);
        } else if let Some(last) = program.body.last() {
            form::return_value(last, &mut edits);
        }
        let (text, columns, trace) = edits.apply_and_trace(&script.source);
        let before = "\"use strict\";return (function(){\n";
        let found = definitions::find(program, semantic.scoping());
        let places = |definition: Definition| {
            let at = trace.stretches(definition.span);
            let at = at.map(|at| at.start + before.len()..at.end + before.len()).collect();
            (definition, at)
        };
        Ok(PreparedCell {
            body: format!("{before}{text}\n{epilogue}}})();"),
            names,
            asynchronous: false,
            calls: false,
            columns: columns.behind(u32::try_from(open.len()).unwrap_or_default()),
            definitions: found.into_iter().map(places).collect(),
            source: Some(script.source.clone()),
            docs: Vec::new(),
            shadows: shadows.clone(),
            links: Links::default(),
        })
    })
}

/// The parameters of a function or a class, as its source has them.
pub(crate) fn parameters(script: &Script, kind: Kind) -> Option<String> {
    let source = match kind {
        Kind::Method => format!("({{{}\n}})", script.source),
        _ => format!("({}\n)", script.source),
    };
    with_program(&Script { source, ..script.clone() }, |program| Ok(definitions::parameters(program))).ok()?
}

/// The words of the documentation comment before a place.
fn doc_before(program: &Program<'_>, start: u32) -> Option<String> {
    let comment = program.comments.iter().rfind(|comment| comment.attached_to == start)?;
    let text = &program.source_text[comment.span.start as usize..comment.span.end as usize];
    let inner = text.strip_prefix("/**")?.strip_suffix("*/")?;
    let lines = inner.lines().map(|line| {
        let line = line.trim();
        line.strip_prefix('*').unwrap_or(line).trim()
    });
    let text = lines.collect::<Vec<_>>().join("\n").trim().to_owned();
    (!text.is_empty()).then_some(text)
}
