use crate::args::Version;
use crate::context::Context;
use crate::exit::Stop;
use crate::render;
use serde_json::json;
use skills::Language;

/// Prints the version, and the languages that skills can be written in.
pub(crate) fn version(args: &Version) -> Result<(), Stop> {
    let engine = Context::new().quiet_engine()?;
    let languages: Vec<&str> = super::languages(&engine).into_iter().map(Language::as_str).collect();
    let version = env!("CARGO_PKG_VERSION");
    if args.json.json {
        render::json(&json!({"version": version, "languages": languages}))?;
    } else {
        render::text(&format!("skills {version}\nlanguages: {}", languages.join(", ")))?;
    }
    Ok(())
}
