use crate::args::PolicyCheck;
use crate::context::Context;
use crate::exit::{self, Stop};
use crate::render;
use serde_json::{Map, Value};
use skills::{Engine, Error, RunOptions, Skill};

/// Prints what would be decided about a skill, and every rule that matched.
pub(crate) fn check(args: &PolicyCheck) -> Result<(), Stop> {
    let engine = Context::new().quiet_engine()?;
    let skill = super::skill(&engine, &args.skill)?;
    let mut options = RunOptions::default();
    args.allow.add_to(&mut options);
    let judgement = match args.words.is_empty() {
        // Nothing is said of the parameters, so nothing is asked of them.
        true => engine.judge_skill(&skill, &options)?,
        false => engine.judge(engine.plan(&skill, Value::Object(params(&engine, &skill, args)?), &options)?)?,
    };
    render::policy(&judgement, args.json.json)?;
    match judgement.refusal() {
        Some(error) => Err(Stop::Code(exit::code(error.failure()))),
        None => Ok(()),
    }
}

fn params(engine: &Engine, skill: &Skill, args: &PolicyCheck) -> Result<Map<String, Value>, Error> {
    Ok(skills::arguments::from_words(&engine.parameters(skill), &args.words)?.into_iter().collect())
}
