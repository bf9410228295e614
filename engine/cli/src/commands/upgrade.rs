use crate::args::Upgrade;
use crate::context::Context;
use crate::exit::Stop;
use crate::render;
use serde_json::json;
use skills::{Error, ErrorKind};
use std::io::{self, Write as _};

/// Prints a definition in the v2 form, or writes it in place.
pub(crate) fn upgrade(args: &Upgrade) -> Result<(), Stop> {
    let engine = Context::new().quiet_engine()?;
    let file = args.file.display().to_string();
    let upgraded = engine.catalog().upgrade(&file)?;
    for diagnostic in &upgraded.diagnostics {
        render::diagnostic(diagnostic);
    }
    if args.json.json {
        render::json(&json!({"file": file, "from": upgraded.dialect, "definition": upgraded.text}))?;
    }
    if args.write {
        return Ok(write(args, &file, &upgraded.text)?);
    }
    if !args.json.json {
        render::text(upgraded.text.trim_end())?;
    }
    if upgraded.comments {
        render::note(&format!("the comments of {file} are not in it: `--write` keeps the old file as {file}.bak"));
    }
    Ok(())
}

/// Replaces the file, and keeps the old one beside it. A backup that is there already may be the only copy of what a
/// person wrote, so it is left alone.
#[expect(clippy::disallowed_methods, reason = "a person names the file")]
fn write(args: &Upgrade, file: &str, text: &str) -> Result<(), Error> {
    let failed = |what: &str, error: io::Error| {
        let kind = match error.kind() {
            io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
            _ => ErrorKind::InvalidArguments,
        };
        Error::new(kind, format!("cannot write {what}: {error}"))
    };
    let old = std::fs::read(&args.file).map_err(|error| failed(file, error))?;
    if old == text.as_bytes() {
        render::note(&format!("{file} has the current form already"));
        return Ok(());
    }
    let backup = format!("{file}.bak");
    let kept = std::fs::File::create_new(&backup).and_then(|mut copy| copy.write_all(&old));
    kept.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::new(
            ErrorKind::InvalidArguments,
            format!("the old definition would be kept as {backup}, which is there already"),
        )
        .with_help("move it away, or upgrade without --write"),
        _ => failed(&backup, error),
    })?;
    std::fs::write(&args.file, text).map_err(|error| failed(file, error))?;
    render::note(&format!("wrote {file}; the old one is {backup}"));
    Ok(())
}
