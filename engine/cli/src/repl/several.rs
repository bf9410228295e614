//! A session of this process in several languages.

use super::live::{Feed, LiveSession};
use super::local::Own;
use serde_json::{Value, json};
use skills::core::{Completeness, Completions, Inspection, Variable};
use skills::{Error, ErrorKind, EvalOptions, Language, Outcome, Polyglot, Session};
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

    /// The only session that there is by now.
    fn only(&self, what: &str) -> Result<Session, Error> {
        match self.sessions.languages().as_slice() {
            [language] => self.sessions.session(*language),
            _ => {
                let error =
                    Error::new(ErrorKind::Unavailable, format!("what speaks several languages cannot be {what}"));
                Err(error.with_help("`%save FILE` writes its cells, which `%load FILE` evaluates again"))
            }
        }
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
        Ok(Arc::new(Own(self.only("copied")?.fork(name)?)))
    }

    fn image(&self) -> Result<Vec<u8>, Error> {
        self.only("saved")?.snapshot()?.for_file()
    }

    fn info(&self) -> Result<Value, Error> {
        let all = self.sessions.info();
        let mut info = all.iter().find(|info| info.language == self.language).map_or(Value::Null, |info| json!(info));
        info["name"] = json!(self.name());
        let languages: Vec<&str> = all.iter().map(|info| info.language.as_str()).collect();
        info["language"] = json!(languages.join(", "));
        info["evaluations"] = json!(all.iter().map(|info| info.evaluations).sum::<u64>());
        info["memory_bytes"] = json!(all.iter().filter_map(|info| info.memory_bytes).sum::<u64>());
        Ok(info)
    }

    fn ended(&self) -> Option<Error> {
        self.sessions.ended()
    }

    fn leave(&self) {
        self.sessions.close();
    }
}
