use crate::args::Doctor;
use crate::context::{Context, shown};
use crate::exit::Stop;
use crate::render;
use crate::surroundings::Surroundings;
use serde_json::{Map, json};
use skills::{Enforcement, Engine, Language, TierReport};
use std::time::Duration;

/// Tries every limit in every language and every tier, and shows what this machine has.
pub(crate) fn doctor(args: &Doctor) -> Result<(), Stop> {
    let context = Context::new();
    let engine = context.quiet_engine()?;
    let host_idle = crate::host::idle(&context, &Surroundings::own())?;
    let tested: Vec<_> =
        languages(&engine).into_iter().map(|language| (language, engine.self_test(language))).collect();
    let (worker, container, layers) = (engine.workers_available(), engine.containers_available(), engine.layers());
    let tiers = engine.tiers();
    let catalog = engine.catalog();
    let entries = catalog.entries();
    let broken = entries.iter().filter(|entry| catalog.errors(entry) > 0).count();
    if args.json.json {
        let mut by_language = Map::new();
        for (language, caps) in &tested {
            let value = match caps {
                Ok(caps) => json!({"available": true, "limits": caps}),
                Err(error) => json!({"available": false, "error": error.to_json()}),
            };
            by_language.insert(language.to_string(), value);
        }
        let config: Vec<_> = context.config_files.iter().map(|(_, path)| path.display().to_string()).collect();
        render::json(&json!({
            "languages": by_language,
            "isolation": {"in_process": true, "worker": worker.is_ok(), "container": container.is_ok()},
            "tiers": tiers,
            "layers": layers,
            "sessions": {"max_sessions": engine.max_sessions(), "host_idle_ms": millis(host_idle)},
            "workers": {"error": worker.err().map(|error| error.to_json()), "pool": engine.pool()},
            "configuration": config,
            "skills": {"found": entries.len(), "broken": broken},
        }))?;
    } else {
        for (language, caps) in &tested {
            if let Err(error) = caps {
                render::text(&format!("{language} is not available: {error}"))?;
            }
        }
        show_tiers(&tiers)?;
        let mut table = render::table(&["CONFINEMENT", "HOLDS", "TRIED"]);
        for layer in &layers {
            table.add_row([layer.name, status(layer.status), &layer.detail]);
        }
        render::print_table(&table)?;
        render::text("")?;
        render::text("isolation    in-process: yes")?;
        for (tier, there) in [("worker", worker), ("container", container)] {
            let says = there.map_or_else(|error| format!("no: {error}"), |()| "yes".to_owned());
            render::text(&format!("isolation    {tier}: {says}"))?;
        }
        let pool = engine.pool();
        render::text(&format!("workers      {} ready, {} busy, {} waited for", pool.ready, pool.busy, pool.waiting))?;
        let (most, idle) = (engine.max_sessions(), host_idle.as_secs_f64());
        render::text(&format!("sessions     {most} at once; their host ends after {idle} s of nothing"))?;
        for (_, path) in &context.config_files {
            render::text(&format!("configured   by {}", shown(path, &context.cwd)))?;
        }
        render::text(&format!("skills       {} found, {broken} with errors", entries.len()))?;
    }
    let failed = tested.iter().any(|(_, caps)| caps.is_err());
    if failed { Err(Stop::Code(crate::exit::UNAVAILABLE)) } else { Ok(()) }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// TypeScript runs in JavaScript's interpreter: once is enough.
fn languages(engine: &Engine) -> Vec<Language> {
    engine.languages().into_iter().filter(|language| *language != Language::TypeScript).collect()
}

/// What each limit is worth and what code is kept from, tier by tier. What is the same for several that run in one stands once.
fn show_tiers(tiers: &[TierReport]) -> std::io::Result<()> {
    let limits = |report: &TierReport| -> Vec<Row> {
        report.limits.iter().map(|cap| (cap.name.as_str(), cap.status, cap.detail.clone())).collect()
    };
    let reach = |report: &TierReport| -> Vec<Row> {
        report.reach.iter().map(|kept| (kept.name, kept.status, kept.detail.clone())).collect()
    };
    show_rows("LIMIT", tiers, limits)?;
    show_rows("KEPT FROM", tiers, reach)
}

/// A name, how far it holds, and how.
type Row = (&'static str, Enforcement, String);

fn show_rows(title: &str, tiers: &[TierReport], rows: impl Fn(&TierReport) -> Vec<Row>) -> std::io::Result<()> {
    let mut merged: Vec<(&str, Row, Vec<&str>)> = Vec::new();
    for report in tiers {
        for row in rows(report) {
            match merged.iter_mut().find(|(tier, other, _)| *tier == report.tier.as_str() && *other == row) {
                Some((_, _, runs)) => runs.push(&report.runs),
                None => merged.push((report.tier.as_str(), row, vec![&report.runs])),
            }
        }
    }
    let mut table = render::table(&["TIER", title, "HOLDS", "RUNS", "TRIED"]);
    for (tier, (name, holds, how), runs) in &merged {
        table.add_row([tier, name, status(*holds), &runs.join(", "), how]);
    }
    render::print_table(&table)?;
    render::text("")
}

fn status(status: Enforcement) -> &'static str {
    match status {
        Enforcement::Enforced => "enforced",
        Enforcement::BestEffort => "best effort",
        _ => "unavailable",
    }
}
