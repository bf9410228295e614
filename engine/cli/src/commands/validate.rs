use crate::args::Validate;
use crate::context::Context;
use crate::exit::{INVALID, Stop};
use crate::render;
use serde_json::{Value, json};
use skills::{Diagnostic, Engine, Error, ErrorKind, definition};
use std::path::Path;

/// Checks definitions, and reports every problem at once.
pub(crate) fn validate(args: &Validate) -> Result<(), Stop> {
    if args.codes {
        return Ok(list_codes(args.json.json)?);
    }
    let context = Context::new();
    let engine = context.quiet_engine()?;
    let mut report = Report::default();
    if args.targets.is_empty() {
        report.diagnostics.extend(context.config_diagnostics.iter().cloned());
        report.diagnostics.extend(engine.catalog().conflicts());
    }
    let targets = if args.targets.is_empty() { everything(&engine) } else { args.targets.clone() };
    for target in &targets {
        // One that cannot be found does not hide what is wrong with the others.
        if let Err(error) = check(&engine, target, &mut report) {
            report.failures.push(error);
        }
    }
    report.print(args.json.json)?;
    match report.failures.first() {
        _ if report.errors() > 0 => Err(Stop::Code(INVALID)),
        Some(error) => Err(Stop::Code(crate::exit::code(error.failure()))),
        None => Ok(()),
    }
}

/// What came of checking.
#[derive(Default)]
struct Report {
    /// How many definitions were read.
    checked: usize,
    diagnostics: Vec<Diagnostic>,
    /// Why some could not be.
    failures: Vec<Error>,
}

impl Report {
    fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count()
    }

    fn print(&self, as_json: bool) -> std::io::Result<()> {
        let errors = self.errors();
        if as_json {
            let valid = errors == 0 && self.failures.is_empty();
            let mut object = json!({"valid": valid, "diagnostics": self.diagnostics});
            if let Some(error) = self.failures.first() {
                object["error"] = error.to_json();
            }
            return render::json(&object);
        }
        for diagnostic in &self.diagnostics {
            render::found(diagnostic)?;
        }
        for error in &self.failures {
            render::error(error);
        }
        if self.checked == 0 && !self.failures.is_empty() {
            return Ok(());
        }
        let (checked, warnings) =
            (count(self.checked, "definition"), count(self.diagnostics.len() - errors, "warning"));
        render::text(&format!("{checked} checked: {}, {warnings}", count(errors, "error")))
    }
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn everything(engine: &Engine) -> Vec<String> {
    engine.catalog().entries().iter().map(|entry| entry.file().to_owned()).collect()
}

/// Finds what is wrong with one definition, or with all in a folder.
fn check(engine: &Engine, target: &str, report: &mut Report) -> Result<(), Error> {
    let path = Path::new(target);
    let is_collection = path.is_dir() && !path.join("SKILL.md").is_file() && !own_definition(path).is_file();
    let files = if is_collection { engine.catalog().in_folder(path) } else { vec![target.to_owned()] };
    let others = if is_collection { engine.catalog().unrecognised(path) } else { None };
    if files.is_empty() && others.is_none() {
        return Err(Error::new(ErrorKind::NotFound, format!("no definition in {target}"))
            .with_help("give a definition file, a skill's folder, or a folder of skills"));
    }
    report.diagnostics.extend(others);
    for file in files {
        report.diagnostics.extend(engine.check(&file).map_err(|error| super::here(target, error))?);
        report.checked += 1;
    }
    Ok(())
}

fn own_definition(folder: &Path) -> std::path::PathBuf {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    folder.join(format!("{name}.json"))
}

fn list_codes(as_json: bool) -> std::io::Result<()> {
    let codes = definition::codes();
    if as_json {
        let list: Vec<Value> = codes.iter().map(|(code, about)| json!({"code": code, "about": about})).collect();
        return render::json(&Value::Array(list));
    }
    let mut table = render::table(&["CODE", "ABOUT"]);
    for (code, about) in codes {
        table.add_row([code, about]);
    }
    render::print_table(&table)
}
