//! Sessions of this process.

use super::live::{Feed, LiveSession, Sessions, takes_no};
use super::several::Several;
use serde_json::{Value, json};
use skills::core::{Completeness, Completions, Inspection, Variable};
use skills::{Engine, Error, EvalOptions, Language, Outcome, PolyglotImage, RunOptions, Session, Skill};
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

    fn keep(&self, session: impl LiveSession + 'static) -> Result<Arc<dyn LiveSession>, Error> {
        let session: Arc<dyn LiveSession> = Arc::new(session);
        self.opened.borrow_mut().insert(session.name(), Arc::clone(&session));
        Ok(session)
    }
}

impl Sessions for Local {
    fn open(&self, language: Language, name: Option<&str>) -> Result<Arc<dyn LiveSession>, Error> {
        if let Some(name) = name
            && let Some(session) = self.find(name)?
        {
            return Ok(session);
        }
        let options = self.options.clone();
        let sessions = match self.skill.clone() {
            Some(skill) if language == Language::Program => {
                // A program has no variables that could be shared.
                let builder = self.engine.skill_session(&skill).options(options);
                let session = name.into_iter().fold(builder, |builder, name| builder.name(name)).open()?;
                return self.keep(Own(session));
            }
            Some(skill) => {
                let (engine, own) = (self.engine.clone(), session_name(&skill.name));
                // The skill's own permissions are for its own language; what is typed in others has those of typed code.
                self.engine.polyglot(name.unwrap_or(&own), move |builder| {
                    let of_skill = builder.language().is_ok_and(|asked| asked == language);
                    let builder = if of_skill { engine.skill_session(&skill) } else { builder };
                    builder.options(options.clone())
                })
            }
            None => {
                let name = name.unwrap_or(language.as_str());
                self.engine.polyglot(name, move |builder| builder.options(options.clone()))
            }
        };
        self.keep(Several::new(sessions, language)?)
    }

    fn restore(&self, language: Language, image: &[u8], name: &str) -> Result<Arc<dyn LiveSession>, Error> {
        let image = PolyglotImage::from_bytes(image)?;
        let options = self.options.clone();
        let sessions = self.engine.restore_polyglot(&image, name, move |builder| builder.options(options.clone()))?;
        let language = image.languages().first().copied().unwrap_or(language);
        self.keep(Several::new(sessions, language)?)
    }

    fn met(&self, copy: &Arc<dyn LiveSession>) {
        self.opened.borrow_mut().insert(copy.name(), Arc::clone(copy));
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

/// The name of a skill as that of a session, whose parts still have room for their languages.
fn session_name(skill: &str) -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String =
        skill.trim_start_matches(|c: char| !c.is_ascii_alphanumeric()).chars().map(fits).take(40).collect();
    if name.is_empty() { "skill".to_owned() } else { name }
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

    fn is_new(&self, _language: Language) -> bool {
        self.0.info().evaluations == 0
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
        Err(takes_no(self, language))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_skill_has_a_session_name() {
        assert_eq!(session_name("data_analyzer"), "data_analyzer");
        assert_eq!(session_name("-a skill of größe"), "a-skill-of-gr--e");
        assert_eq!(session_name("技能"), "skill");
        assert_eq!(session_name(&"x".repeat(64)).len(), 40);
    }
}
