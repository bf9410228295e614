use crate::args::Validate;
use crate::context::Context;
use crate::exit::{INVALID, Stop};
use crate::render;
use serde_json::{Value, json};
use skills::{Diagnostic, Engine, Error, definition};
use std::path::Path;

/// Checks definitions, and reports every problem at once.
pub(crate) fn validate(args: &Validate) -> Result<(), Stop> {
    if args.codes {
        return Ok(list_codes(args.json.json)?);
    }
    let context = Context::new();
    let engine = context.quiet_engine()?;
    let mut diagnostics = Vec::new();
    let mut checked = 0;
    let targets = if args.targets.is_empty() { everything(&engine) } else { args.targets.clone() };
    if args.targets.is_empty() {
        diagnostics.extend(context.config_diagnostics.iter().cloned());
        diagnostics.extend(engine.catalog().conflicts());
    }
    for target in &targets {
        match check(&engine, target) {
            Ok(found) => diagnostics.extend(found),
            Err(error) if args.json.json => {
                render::json(&json!({"valid": false, "diagnostics": [], "error": error.to_json()}))?;
                return Err(Stop::Code(crate::exit::code(error.kind())));
            }
            Err(error) => return Err(error.into()),
        }
        checked += 1;
    }
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    if args.json.json {
        render::json(&json!({"valid": errors == 0, "diagnostics": diagnostics}))?;
    } else {
        for diagnostic in &diagnostics {
            render::diagnostic(diagnostic);
            render::note("");
        }
        let warnings = diagnostics.len() - errors;
        render::text(&format!(
            "{} checked: {}, {}",
            count(checked, "definition"),
            count(errors, "error"),
            count(warnings, "warning")
        ))?;
    }
    if errors == 0 { Ok(()) } else { Err(Stop::Code(INVALID)) }
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn everything(engine: &Engine) -> Vec<String> {
    let entries = engine.catalog().entries().iter();
    entries.map(|entry| entry.file().to_owned()).collect()
}

/// What is wrong with one definition, or with all in a folder.
fn check(engine: &Engine, target: &str) -> Result<Vec<Diagnostic>, Error> {
    let path = Path::new(target);
    if path.is_dir() && !path.join("SKILL.md").is_file() && !own_definition(path).is_file() {
        let found = engine.catalog().in_folder(path);
        if found.is_empty() {
            let message = format!("no definition in {target}");
            return Err(Error::new(skills::ErrorKind::NotFound, message)
                .with_help("give a definition file, a skill's folder, or a folder of skills"));
        }
        let mut all = Vec::new();
        for file in found {
            all.extend(engine.catalog().check(&file)?);
        }
        return Ok(all);
    }
    engine.catalog().check(target)
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
