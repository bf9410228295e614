//! Sessions of this process.

use super::live::{Feed, LiveSession, Sessions};
use serde_json::{Value, json};
use skills::core::{Completeness, Completions, Inspection, Variable};
use skills::{Engine, Error, ErrorKind, EvalOptions, Language, Outcome, RunOptions, Session, SessionImage, Skill};
use std::sync::Arc;

/// Opens sessions in an engine of this process.
pub(crate) struct Local {
    pub(crate) engine: Engine,
    /// The skill whose session it is; `None` for code that is typed only.
    pub(crate) skill: Option<Arc<Skill>>,
    /// Tier, permissions and limits.
    pub(crate) options: RunOptions,
}

impl Sessions for Local {
    fn open(&self, language: Language, name: Option<&str>) -> Result<Arc<dyn LiveSession>, Error> {
        if let Some(session) = name.and_then(|name| self.engine.find_session(name)) {
            return Ok(Arc::new(Own(session)));
        }
        let builder = match &self.skill {
            Some(skill) => self.engine.skill_session(skill),
            None => self.engine.session(language),
        };
        let builder = match name {
            Some(name) => builder.name(name),
            None => builder,
        };
        Ok(Arc::new(Own(builder.options(self.options.clone()).open()?)))
    }

    fn restore(&self, image: &[u8], name: &str) -> Result<Arc<dyn LiveSession>, Error> {
        let image = SessionImage::from_bytes(image)?;
        let session = self.engine.restore_session(&image).name(name).options(self.options.clone()).open()?;
        Ok(Arc::new(Own(session)))
    }

    fn reset(&self, session: &dyn LiveSession) -> Result<Arc<dyn LiveSession>, Error> {
        let name = session.name();
        if let Some(old) = self.engine.find_session(&name) {
            old.close();
        }
        self.open(session.language(), Some(&name))
    }

    fn list(&self) -> Result<Vec<Value>, Error> {
        Ok(self.engine.sessions().iter().map(|info| json!(info)).collect())
    }
}

/// A session of one language.
struct Own(Session);

impl LiveSession for Own {
    fn name(&self) -> String {
        self.0.name().to_owned()
    }

    fn language(&self) -> Language {
        self.0.language()
    }

    fn evaluate(&self, feed: &Feed<'_>) -> Outcome {
        if let Err(error) = self.speaks(feed.language) {
            return Outcome::failed(&self.name(), &RunOptions::default(), error);
        }
        let mut options = EvalOptions::default();
        options.limits = feed.limits.clone();
        options.file = feed.file.map(str::to_owned);
        self.0.evaluate(feed.code, &options)
    }

    fn completeness(&self, _language: Language, code: &str) -> Completeness {
        self.0.completeness(code)
    }

    fn variables(&self) -> Result<Vec<(Language, Variable)>, Error> {
        let language = self.language();
        Ok(self.0.variables()?.into_iter().map(|variable| (language, variable)).collect())
    }

    fn get(&self, name: &str) -> Result<Value, Error> {
        self.0.get(name)
    }

    fn complete(&self, _language: Language, text: &str, cursor: usize) -> Result<Completions, Error> {
        self.0.complete(text, cursor)
    }

    fn inspect(&self, _language: Language, path: &str) -> Result<Inspection, Error> {
        self.0.inspect(path)
    }

    fn fork(&self, name: &str) -> Result<Arc<dyn LiveSession>, Error> {
        Ok(Arc::new(Own(self.0.fork(name)?)))
    }

    fn image(&self) -> Result<Vec<u8>, Error> {
        Ok(self.0.snapshot()?.to_bytes())
    }

    fn interrupt(&self) {
        self.0.interrupt();
    }

    fn info(&self) -> Result<Value, Error> {
        Ok(json!(self.0.info()))
    }

    fn ended(&self) -> Option<Error> {
        self.0.ended()
    }

    fn leave(&self) {
        self.0.close();
    }
}

impl Own {
    /// Whether it evaluates code of a language: its own, and JavaScript where that is TypeScript.
    fn speaks(&self, language: Language) -> Result<(), Error> {
        let own = self.language();
        if own == language || (own == Language::TypeScript && language == Language::JavaScript) {
            return Ok(());
        }
        let message = format!("session `{}` is of {own}, and takes no {language}", self.name());
        Err(Error::new(ErrorKind::InvalidArguments, message)
            .with_help(format!("`skills repl --lang {language}` opens one that does")))
    }
}
