use crate::args::Upgrade;
use crate::context::Context;
use crate::exit::Stop;
use crate::render;
use serde_json::json;
use skills::{Error, ErrorKind};

/// Prints a definition in the v2 form, or writes it in place.
pub(crate) fn upgrade(args: &Upgrade) -> Result<(), Stop> {
    let engine = Context::new().quiet_engine()?;
    let file = args.file.display().to_string();
    let upgraded = engine.catalog().upgrade(&file)?;
    for diagnostic in &upgraded.diagnostics {
        render::diagnostic(diagnostic);
    }
    if args.json.json {
        render::json(&json!({"file": file, "from": upgraded.dialect, "definition": upgraded.text}));
    }
    if !args.write {
        if !args.json.json {
            render::text(upgraded.text.trim_end());
        }
        return Ok(());
    }
    let backup = format!("{file}.bak");
    let written = std::fs::copy(&args.file, &backup).and_then(|_| std::fs::write(&args.file, &upgraded.text));
    written.map_err(|error| Error::new(ErrorKind::InvalidArguments, format!("cannot write {file}: {error}")))?;
    render::note(&format!("wrote {file}; the old one is {backup}"));
    Ok(())
}
