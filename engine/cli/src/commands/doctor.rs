use crate::args::Doctor;
use crate::context::{Context, shown};
use crate::exit::Stop;
use crate::render;
use crate::surroundings::Surroundings;
use serde_json::{Map, json};
use skills::{CapStatus, Enforcement, Engine, Error, Language};
use std::time::Duration;

/// Tries every limit in every language, and shows what this machine has.
pub(crate) fn doctor(args: &Doctor) -> Result<(), Stop> {
    let context = Context::new();
    let engine = context.quiet_engine()?;
    let host_idle = crate::host::idle(&context, &Surroundings::own())?;
    let tested: Vec<_> =
        languages(&engine).into_iter().map(|language| (language, engine.self_test(language))).collect();
    let (worker, container, layers) = (engine.workers_available(), engine.containers_available(), engine.layers());
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
            "layers": layers,
            "sessions": {"max_sessions": engine.max_sessions(), "host_idle_ms": millis(host_idle)},
            "workers": {"error": worker.err().map(|error| error.to_json()), "pool": engine.pool()},
            "configuration": config,
            "skills": {"found": entries.len(), "broken": broken},
        }))?;
    } else {
        for (language, caps) in &tested {
            show(*language, caps)?;
        }
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

fn show(language: Language, caps: &Result<Vec<CapStatus>, Error>) -> std::io::Result<()> {
    match caps {
        Ok(caps) => {
            let mut table = render::table(&[&language.to_string().to_uppercase(), "HOLDS", "TRIED"]);
            for cap in caps {
                table.add_row([cap.name.as_str(), status(cap.status), &cap.detail]);
            }
            render::print_table(&table)?;
            render::text("")
        }
        Err(error) => render::text(&format!("{}\n  not available: {error}\n", language.to_string().to_uppercase())),
    }
}

fn status(status: Enforcement) -> &'static str {
    match status {
        Enforcement::Enforced => "enforced",
        Enforcement::BestEffort => "best effort",
        _ => "unavailable",
    }
}
