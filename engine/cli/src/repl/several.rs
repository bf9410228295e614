//! A session of this process in several languages.

use super::live::{Feed, LiveSession};
use serde_json::{Value, json};
use skills::core::{Completeness, Completions, Inspection, Variable};
use skills::{Error, EvalOptions, Language, Outcome, Polyglot, SessionInfo, SessionState};
use std::sync::Arc;

/// A session in several languages, which share their variables.
pub(super) struct Several {
    sessions: Polyglot,
    /// The language that it began with.
    language: Language,
}

impl Several {
    /// One whose first language is open.
    pub(super) fn new(sessions: Polyglot, language: Language) -> Result<Several, Error> {
        sessions.session(language)?;
        Ok(Several { sessions, language })
    }
}

impl LiveSession for Several {
    fn name(&self) -> String {
        self.sessions.name().to_owned()
    }

    fn language(&self) -> Language {
        self.language
    }

    fn is_polyglot(&self) -> bool {
        true
    }

    fn is_new(&self, language: Language) -> bool {
        !self.sessions.info().iter().any(|info| info.language == language && info.evaluations > 0)
    }

    fn evaluate(&self, feed: &Feed<'_>) -> Outcome {
        let mut options = EvalOptions::default();
        options.limits = feed.limits.clone();
        options.file = feed.file.map(str::to_owned);
        self.sessions.evaluate(feed.language, feed.code, &options)
    }

    fn completeness(&self, language: Language, code: &str) -> Completeness {
        self.sessions.completeness(language, code)
    }

    fn variables(&self) -> Result<Vec<(Language, Variable)>, Error> {
        let all = self.sessions.variables()?;
        Ok(all.into_iter().map(|variable| (variable.language, variable.variable)).collect())
    }

    fn get(&self, name: &str) -> Result<Value, Error> {
        self.sessions.get(name)
    }

    fn complete(&self, language: Language, text: &str, cursor: usize) -> Result<Completions, Error> {
        self.sessions.complete(language, text, cursor)
    }

    fn inspect(&self, language: Language, path: &str) -> Result<Inspection, Error> {
        self.sessions.inspect(language, path)
    }

    fn interrupt(&self) {
        self.sessions.interrupt();
    }

    fn fork(&self, name: &str) -> Result<Arc<dyn LiveSession>, Error> {
        Ok(Arc::new(Several { sessions: self.sessions.fork(name)?, language: self.language }))
    }

    fn image(&self) -> Result<Vec<u8>, Error> {
        match self.sessions.languages().as_slice() {
            // The session host can be given it too.
            [only] => self.sessions.session(*only)?.snapshot()?.for_file(),
            _ => self.sessions.snapshot()?.for_file(),
        }
    }

    fn info(&self) -> Result<Value, Error> {
        let all = self.sessions.info();
        let mut info = all.iter().find(|info| info.language == self.language).map_or(Value::Null, |info| json!(info));
        info["name"] = json!(self.name());
        let languages: Vec<&str> = all.iter().map(|info| info.language.as_str()).collect();
        info["language"] = json!(languages.join(", "));
        info["evaluations"] = json!(all.iter().map(|info| info.evaluations).sum::<u64>());
        info["memory_bytes"] = json!(all.iter().filter_map(|info| info.memory_bytes).sum::<u64>());
        info["budget"] = budget(&all);
        info["lost"] = json!(all.iter().flat_map(|info| &info.lost).collect::<Vec<_>>());
        Ok(info)
    }

    fn ended(&self) -> Option<Error> {
        self.sessions.ended()
    }

    fn revive(&self) -> Vec<Language> {
        let gone = self.sessions.info().into_iter().filter(|info| info.state == SessionState::Ended);
        gone.map(|info| info.language).filter(|language| self.sessions.session(*language).is_ok()).collect()
    }

    fn leave(&self) {
        self.sessions.close();
    }
}

/// What is bounded over all evaluations: one budget for all languages, but for memory, which each has for itself.
fn budget(all: &[SessionInfo]) -> Value {
    let mut budget = all.first().map(|info| info.budget.clone()).unwrap_or_default();
    for (name, part) in &mut budget {
        let used = all.iter().filter_map(|info| info.budget.get(name)?["used"].as_u64());
        part["used"] = json!(if name == "memory" { used.max() } else { Some(used.sum::<u64>()) });
    }
    Value::Object(budget)
}
