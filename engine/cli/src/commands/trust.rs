use crate::args::{Trust, TrustGrant, TrustList, TrustRevoke};
use crate::context::{Context, shown};
use crate::exit::Stop;
use crate::{prompt, render};
use serde_json::json;
use skills::{Body, Decision, Engine, Error, ErrorKind, Operation, Skill};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Lists, makes and forgets decisions.
pub(crate) fn trust(args: &Trust) -> Result<(), Stop> {
    match args {
        Trust::List(args) => list(args),
        Trust::Grant(args) => grant(args),
        Trust::Revoke(args) => revoke(args),
    }
}

fn list(args: &TrustList) -> Result<(), Stop> {
    let context = Context::new();
    let engine = context.quiet_engine()?;
    let all = engine.decisions().all().map_err(Error::from)?;
    if args.json.json {
        return Ok(render::json(&json!(all))?);
    }
    if all.is_empty() {
        render::note("nothing has been decided yet");
        return Ok(());
    }
    let mut table = render::table(&["DECISION", "ABOUT", "SCOPE", "PLACE", "DIGEST", "REASON"]);
    for decision in &all {
        let decided = if decision.allowed { "always" } else { "never" };
        let about = format!("{} {}", decision.operation.as_str(), decision.name);
        let place = shown(&decision.place, &context.cwd);
        let digest: String = decision.digest.chars().take(12).collect();
        let reason = decision.reason.as_deref().unwrap_or_default();
        table.add_row(
            [decided, about.trim_end(), decision.scope.as_str(), &place, &digest, reason].map(render::harmless),
        );
    }
    Ok(render::print_table(&table)?)
}

fn grant(args: &TrustGrant) -> Result<(), Stop> {
    let context = Context::new();
    let engine = context.quiet_engine()?;
    let skills = named(&engine, &args.path)?;
    let digests = || skills.iter().map(|skill| engine.trust_digest(skill)).collect::<Result<Vec<_>, _>>();
    if !args.yes {
        let shown = digests()?;
        for skill in &skills {
            render::note(&describe(&engine, skill));
        }
        let what = if skills.len() == 1 {
            "this skill as it is now".to_owned()
        } else {
            format!("these {} skills as they are now", skills.len())
        };
        match prompt::confirm(&format!("Trust {what}?")) {
            // Between the question and the answer the files may have become others: what was shown is what is decided on.
            Some(true) if digests()? != shown => {
                let error = Error::new(
                    ErrorKind::PermissionDenied,
                    "the files changed while you were asked: nothing was trusted",
                );
                return Err(error.with_help("read them again, and say it again").into());
            }
            Some(true) => {}
            Some(false) => return Err(Error::new(ErrorKind::PermissionDenied, "nothing was trusted").into()),
            None => {
                let error = Error::new(ErrorKind::PermissionDenied, "nobody can be asked here whether to trust it");
                return Err(error.with_help("read it, then say it with `--yes`").into());
            }
        }
    }
    let mut made: Vec<(Arc<Skill>, Decision)> = Vec::new();
    for skill in skills {
        let decision = engine.trust(&skill, args.reason.clone())?;
        made.push((skill, decision));
    }
    if args.json.json {
        return Ok(render::json(&json!(made.iter().map(|(_, decision)| decision).collect::<Vec<_>>()))?);
    }
    for (skill, decision) in &made {
        let line = format!(
            "trusted {} ({}) as it is now, digest {}",
            skill.name,
            shown(&decision.place, &context.cwd),
            decision.digest
        );
        render::text(&render::harmless(&line))?;
    }
    Ok(())
}

/// The skills of a path or a name.
fn named(engine: &Engine, path: &str) -> Result<Vec<Arc<Skill>>, Error> {
    let one = super::skill(engine, path);
    let folder = Path::new(path);
    let all = match one {
        Err(error) if error.kind() == ErrorKind::NotFound && folder.is_dir() => {
            let mut files = engine.catalog().in_folder(folder);
            if files.is_empty() {
                files = in_project(engine, folder);
            }
            if files.is_empty() {
                return Err(error);
            }
            files.iter().map(|file| engine.skill(file)).collect::<Result<Vec<_>, _>>()?
        }
        one => vec![one?],
    };
    match all.iter().find(|skill| skill.typed || skill.scope == skills::Scope::Bundled) {
        Some(skill) if skill.typed => {
            Err(Error::new(ErrorKind::InvalidArguments, format!("{path} is a script file, and no skill"))
                .with_help("whoever runs a script file decides for that run: `--isolation`, `--allow-read`, …"))
        }
        Some(skill) => {
            Err(Error::new(ErrorKind::InvalidArguments, format!("`{}` is bundled, and trusted as it is", skill.name)))
        }
        None => Ok(all),
    }
}

/// The skills of this project whose files are below a folder, which may be the project's own.
#[expect(clippy::disallowed_methods, reason = "a person names the folder; nothing is opened")]
fn in_project(engine: &Engine, folder: &Path) -> Vec<String> {
    let Ok(folder) = folder.canonicalize() else { return Vec::new() };
    let catalog = engine.catalog();
    let below = catalog
        .entries()
        .iter()
        .filter(|entry| Path::new(entry.file()).canonicalize().is_ok_and(|f| f.starts_with(&folder)));
    below.map(|entry| entry.file().to_owned()).collect()
}

fn describe(engine: &Engine, skill: &Skill) -> String {
    let mut text = format!("{} ({})\n", skill.qualified_name(), render::one_line(&skill.file));
    let runs = match &skill.body {
        Body::Inline { script } => Some(format!("{}: {}", script.language, script.file)),
        Body::Command(spec) if spec.shell => Some(format!("bash: {}", spec.command)),
        Body::Command(spec) => Some(format!("{} {}", spec.command, json!(spec.args))),
        _ => None,
    };
    if let Some(runs) = runs {
        text.push_str(&format!("  runs   {}\n", render::one_line(&runs)));
    }
    let means = engine.trust_means(skill);
    if !means.is_empty() {
        text.push_str(&format!("  means  {means}\n"));
    }
    let permissions = json!(skill.permissions);
    let asked = permissions.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    for (name, value) in asked {
        text.push_str(&format!("  asks   {name}: {}\n", render::one_line(&value.to_string())));
    }
    text.trim_end().to_owned()
}

fn revoke(args: &TrustRevoke) -> Result<(), Stop> {
    let context = Context::new();
    let engine = context.quiet_engine()?;
    let place = place(&context, &engine, &args.path)?;
    let gone = engine.decisions().revoke(&place).map_err(Error::from)?;
    if args.json.json {
        return Ok(render::json(&json!({"place": place, "revoked": gone}))?);
    }
    match gone {
        0 => Err(Error::new(ErrorKind::NotFound, format!("nothing was decided about {}", shown(&place, &context.cwd)))
            .with_help("`skills trust list` shows what was")
            .into()),
        _ => Ok(render::text(&format!(
            "forgot {gone} decision{} about {}",
            if gone == 1 { "" } else { "s" },
            shown(&place, &context.cwd)
        ))?),
    }
}

/// The place that a person names: a path, which need not exist any more, or a skill's.
#[expect(clippy::disallowed_methods, reason = "a person names the path; nothing is opened")]
fn place(context: &Context, engine: &Engine, path: &str) -> Result<PathBuf, Error> {
    let whole = context.cwd.join(path);
    if let Ok(real) = whole.canonicalize() {
        return Ok(real);
    }
    match super::skill(engine, path) {
        Ok(skill) => Ok(engine.place(&skill)),
        // What was decided about a file that is gone.
        Err(_) if path.contains('/') => Ok(whole.components().collect()),
        Err(error) => Err(error),
    }
}

/// Trusts what a person has just had written.
pub(crate) fn trust_new(definition: &Path) -> Result<bool, Error> {
    let context = Context::new();
    if context.decisions_file().is_none() {
        return Ok(false);
    }
    let engine = context.quiet_engine()?;
    let skill = engine.skill(&format!("./{}", definition.display()))?;
    let decision = engine.trust(&skill, Some("made with `skills create`".to_owned()))?;
    Ok(decision.operation == Operation::Run)
}
