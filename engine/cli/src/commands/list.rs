use crate::args::List;
use crate::context::Context;
use crate::exit::Stop;
use crate::render;
use serde_json::{Value, json};
use skills::Entry;

/// Lists all skills, by name.
pub(crate) fn list(args: &List) -> Result<(), Stop> {
    let engine = Context::new().quiet_engine()?;
    let wanted = |entry: &&Entry| args.filter.as_deref().is_none_or(|filter| matches(entry, filter));
    let catalog = engine.catalog();
    let mut entries: Vec<&Entry> = catalog.entries().iter().filter(wanted).collect();
    entries.sort_by(|a, b| a.name().cmp(b.name()).then(b.scope.cmp(&a.scope)));
    if args.json.json {
        render::json(&Value::Array(entries.iter().map(|entry| as_json(entry, &catalog)).collect()))?;
    } else if let (Some(filter), true) = (&args.filter, entries.is_empty()) {
        render::note(&format!("no skill has `{filter}` in its name, aliases, tags or description"));
    } else {
        let mut table = render::table(&["NAME", "ALIASES", "TYPE", "SCOPE", "DESCRIPTION"]);
        for entry in &entries {
            let name = if catalog.is_shadowed(entry) {
                format!("{}:{}", entry.scope, entry.name())
            } else {
                entry.name().to_owned()
            };
            let aliases = catalog.aliases(entry).join(", ");
            let description = match catalog.errors(entry) {
                0 => &entry.summary.description,
                _ => "(has errors: see `skills validate`)",
            };
            table.add_row([&name, &aliases, &kind(entry), entry.scope.as_str(), description]);
        }
        render::print_table(&table)?;
    }
    let broken = catalog.entries().iter().filter(|entry| catalog.errors(entry) > 0).count();
    if broken > 0 {
        render::note(&format!("{broken} of the definitions found have errors: `skills validate` shows them"));
    }
    Ok(())
}

fn kind(entry: &Entry) -> String {
    json!(entry.summary.kind).as_str().unwrap_or_default().to_owned()
}

fn matches(entry: &Entry, filter: &str) -> bool {
    let filter = filter.to_lowercase();
    let summary = &entry.summary;
    let words = summary.aliases.iter().chain(&summary.tags).map(String::as_str);
    let mut texts = [entry.name(), &summary.description].into_iter().chain(words);
    texts.any(|text| text.to_lowercase().contains(&filter))
}

fn as_json(entry: &Entry, catalog: &skills::Catalog) -> Value {
    json!({
        "name": entry.name(),
        "aliases": catalog.aliases(entry),
        "tags": entry.summary.tags,
        "type": entry.summary.kind,
        "version": entry.summary.version,
        "scope": entry.scope,
        "description": entry.summary.description,
        "file": entry.file(),
        "dialect": entry.summary.dialect,
        "shadowed": catalog.is_shadowed(entry),
        "valid": catalog.errors(entry) == 0,
    })
}
