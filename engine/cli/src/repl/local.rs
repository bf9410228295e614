//! Sessions of this process.

use super::live::{Feed, LiveSession, Sessions};
use super::several::Several;
use serde_json::{Value, json};
use skills::core::{Completeness, Completions, Inspection, Variable};
use skills::{Engine, Error, ErrorKind, EvalOptions, Language, Outcome, RunOptions, Session, SessionImage, Skill};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Opens sessions in an engine of this process.
pub(crate) struct Local {
    engine: Engine,
    /// The skill whose session it is; `None` for code that is typed only.
    skill: Option<Arc<Skill>>,
    /// Tier, permissions and limits.
    options: RunOptions,
    /// Those that were opened here, by name.
    opened: RefCell<BTreeMap<String, Arc<dyn LiveSession>>>,
}

impl Local {
    pub(crate) fn new(engine: Engine, skill: Option<Arc<Skill>>, options: RunOptions) -> Local {
        Local { engine, skill, options, opened: RefCell::default() }
    }

    /// The session of a name, where it is alive.
    fn find(&self, name: &str) -> Result<Option<Arc<dyn LiveSession>>, Error> {
        let opened = self.opened.borrow().get(name).filter(|session| session.ended().is_none()).cloned();
        Ok(match opened {
            Some(session) => Some(session),
            None => self.engine.find_session(name)?.map(|session| Arc::new(Own(session)) as Arc<dyn LiveSession>),
        })
    }
}

impl Sessions for Local {
    fn open(&self, language: Language, name: Option<&str>) -> Result<Arc<dyn LiveSession>, Error> {
        if let Some(name) = name
            && let Some(session) = self.find(name)?
        {
            return Ok(session);
        }
        let session: Arc<dyn LiveSession> = match &self.skill {
            Some(skill) => {
                let builder = self.engine.skill_session(skill).options(self.options.clone());
                Arc::new(Own(name.into_iter().fold(builder, |builder, name| builder.name(name)).open()?))
            }
            None => {
                let options = self.options.clone();
                let name = name.unwrap_or(language.as_str());
                let sessions = self.engine.polyglot(name, move |builder| builder.options(options.clone()));
                Arc::new(Several::new(sessions, language)?)
            }
        };
        self.opened.borrow_mut().insert(session.name(), Arc::clone(&session));
        Ok(session)
    }

    fn restore(&self, image: &[u8], name: &str) -> Result<Arc<dyn LiveSession>, Error> {
        let image = SessionImage::from_bytes(image)?;
        let session = self.engine.restore_session(&image).name(name).options(self.options.clone()).open()?;
        Ok(Arc::new(Own(session)))
    }

    fn reset(&self, session: &dyn LiveSession) -> Result<Arc<dyn LiveSession>, Error> {
        let name = session.name();
        session.leave();
        self.opened.borrow_mut().remove(&name);
        self.open(session.language(), Some(&name))
    }

    fn list(&self) -> Result<Vec<Value>, Error> {
        let opened = self.opened.borrow();
        let mut all: Vec<Value> = opened.values().filter_map(|session| session.info().ok()).collect();
        // Those of one language belong to one of several.
        let part = |name: &str| name.rsplit_once('.').is_some_and(|(whole, _)| opened.contains_key(whole));
        let others = self.engine.sessions();
        let others = others.iter().filter(|info| !opened.contains_key(&info.name) && !part(&info.name));
        all.extend(others.map(|info| json!(info)));
        Ok(all)
    }
}

/// A session of one language.
pub(super) struct Own(pub(super) Session);

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
        self.0.snapshot()?.for_file()
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
