//! One namespace in several languages.

use super::{EvalOptions, Session, SessionBuilder, SessionInfo};
use crate::{Engine, Error, Outcome, RunOptions};
use names::Names;
use serde::Serialize;
use serde_json::Value;
use skills_core::{Completeness, Completions, ErrorKind, Inspection, Language, Script, Variable};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

mod copies;
mod names;
mod reach;
#[cfg(test)]
mod tests;
mod words;

pub use copies::PolyglotImage;

/// How a session of a language is opened: given the builder of a session that has its name already.
type Opening = dyn Fn(SessionBuilder) -> SessionBuilder + Send + Sync;

/// A session in several languages, which share variables by name: what is assigned in one is readable in the others.
///
/// Each language has a session of its own, which is opened when it is first needed, and is called `NAME.LANGUAGE`. Before a cell,
/// the variables that its language's code names and that other languages have changed since are given to it, as JSON. What JSON
/// has no form for (functions, classes, modules) stays in its language. Where two languages assign the same name, the last
/// assignment holds; a name that is deleted is deleted everywhere. A budget is one for all languages.
///
/// ```
/// # fn main() -> Result<(), skills::Error> {
/// use skills::{Engine, Language};
/// let engine = Engine::new()?;
/// let both = engine.polyglot("both", |session| session);
/// both.eval(Language::Rhai, "let x = 20;")?;
/// both.eval(Language::JavaScript, "const y = x + 1; y")?;
/// assert_eq!(both.eval(Language::Rhai, "x + y")?, 41);
/// # Ok(())
/// # }
/// ```
///
/// Clones are the same session. One cell is evaluated at a time.
#[derive(Clone)]
pub struct Polyglot(Arc<Inner>);

struct Inner {
    engine: Engine,
    name: String,
    opening: Arc<Opening>,
    /// Never held while a session does something, so that what is under way can be interrupted.
    sessions: Mutex<BTreeMap<Language, Session>>,
    /// What is known of the names; whoever has it has the turn.
    names: Mutex<Names>,
}

/// A variable of a [`Polyglot`], and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PolyglotVariable {
    /// The language that it was assigned in last.
    pub language: Language,
    /// The variable, as it is there.
    #[serde(flatten)]
    pub variable: Variable,
    /// Why other languages do not have it, where they were to have it.
    pub stays: Option<String>,
}

impl Engine {
    /// A session in several languages under one name. `opening` says how the session of each language is opened: its options,
    /// its budget, its owner.
    pub fn polyglot(
        &self,
        name: impl Into<String>,
        opening: impl Fn(SessionBuilder) -> SessionBuilder + Send + Sync + 'static,
    ) -> Polyglot {
        Polyglot(Arc::new(Inner {
            engine: self.clone(),
            name: name.into(),
            opening: Arc::new(opening),
            sessions: Mutex::default(),
            names: Mutex::default(),
        }))
    }
}

impl std::fmt::Debug for Polyglot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Polyglot").field("name", &self.0.name).field("languages", &self.languages()).finish()
    }
}

impl Polyglot {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The languages that have a session by now.
    pub fn languages(&self) -> Vec<Language> {
        self.sessions().keys().copied().collect()
    }

    /// The session of a language, opened where it is not there yet. What is evaluated in it directly is found by the next cell.
    ///
    /// # Errors
    /// As [`SessionBuilder::open`].
    pub fn session(&self, language: Language) -> Result<Session, Error> {
        let mut names = self.turn();
        self.open(language, &mut names)
    }

    /// Evaluates code of a language, and gives the value of its last expression.
    ///
    /// # Errors
    /// As [`Session::eval`], and [`SessionBuilder::open`].
    pub fn eval(&self, language: Language, code: &str) -> Result<Value, Error> {
        self.evaluate(language, code, &EvalOptions::default()).into_value()
    }

    /// Evaluates code of a language, and gives everything there is to know about the evaluation.
    pub fn evaluate(&self, language: Language, code: &str, options: &EvalOptions) -> Outcome {
        let mut names = self.turn();
        let ready = self.open(language, &mut names).and_then(|session| {
            self.give(&session, code, &mut names)?;
            Ok(session)
        });
        let session = match ready {
            Ok(session) => session,
            Err(error) => {
                let run = RunOptions { correlation_id: options.correlation_id.clone(), ..RunOptions::default() };
                return Outcome::failed(&self.0.name, &run, error);
            }
        };
        let outcome = session.evaluate(code, options);
        match session.ended() {
            // Its budget is that of all.
            Some(why) if why.limit().is_some() => self.close(),
            Some(_) => names.forget(language),
            // What the cell did is done, whatever came of it. That its names cannot be listed is told by the next cell.
            None => drop(self.look(&session, Some(code), &mut names)),
        }
        outcome
    }

    /// The variables of all languages, by name, each as it is where it was assigned last.
    ///
    /// # Errors
    /// As [`Session::variables`].
    pub fn variables(&self) -> Result<Vec<PolyglotVariable>, Error> {
        let mut names = self.turn();
        let mut all = Vec::new();
        for (language, session) in self.open_ones() {
            for variable in self.look(&session, None, &mut names)? {
                if let Some(stays) = names.shows(&variable.name, language) {
                    all.push(PolyglotVariable { language, variable, stays });
                }
            }
        }
        all.sort_by(|a, b| (&a.variable.name, a.language).cmp(&(&b.variable.name, b.language)));
        Ok(all)
    }

    /// The value of a variable, from the language that it was assigned in last.
    ///
    /// # Errors
    /// `not_found`; else as [`Session::get`].
    pub fn get(&self, name: &str) -> Result<Value, Error> {
        let names = self.turn();
        match names.home(name).and_then(|home| self.sessions().get(&home).cloned()) {
            Some(session) => session.get(name),
            None => Err(Error::new(ErrorKind::NotFound, format!("there is no variable `{name}`"))),
        }
    }

    /// Gives a variable a value, in a language; the others get it when they name it.
    ///
    /// # Errors
    /// As [`Session::set`].
    pub fn set(&self, language: Language, name: &str, value: Value) -> Result<(), Error> {
        let mut names = self.turn();
        let session = self.open(language, &mut names)?;
        session.set(name, value)?;
        names.assigned(name, language);
        self.look(&session, None, &mut names).map(drop)
    }

    /// How the word before the cursor could go on in a language, by the names of all.
    ///
    /// # Errors
    /// As [`Session::complete`].
    pub fn complete(&self, language: Language, text: &str, cursor: usize) -> Result<Completions, Error> {
        let mut names = self.turn();
        let session = self.open(language, &mut names)?;
        self.give(&session, text, &mut names)?;
        let mut found = session.complete(text, cursor)?;
        reach::add_names(&mut found, text, cursor, &names);
        Ok(found)
    }

    /// What there is to know about a name or a path of names, in a language where it is known there, else where it is.
    ///
    /// # Errors
    /// As [`Session::inspect`].
    pub fn inspect(&self, language: Language, path: &str) -> Result<Inspection, Error> {
        let mut names = self.turn();
        let session = self.open(language, &mut names)?;
        self.give(&session, path, &mut names)?;
        let own = session.inspect(path);
        let home = path.split(['.', '[', '(']).next().and_then(|name| names.home(name.trim()));
        match (home.filter(|home| *home != language), own) {
            (Some(home), Err(error)) if error.kind() == ErrorKind::NotFound => {
                let there = self.sessions().get(&home).cloned();
                there.map_or(Err(error), |there| there.inspect(path))
            }
            (_, own) => own,
        }
    }

    /// Whether code of a language can be evaluated as it stands, for whoever types it line by line.
    pub fn completeness(&self, language: Language, code: &str) -> Completeness {
        if let Some((_, session)) = self.open_ones().into_iter().find(|(own, _)| *own == language) {
            return session.completeness(code);
        }
        let script = Script { language, file: "<cell>".to_owned(), source: code.to_owned() };
        let interpreter = self.0.engine.inner.interpreter(language);
        interpreter.map_or(Completeness::Complete, |interpreter| interpreter.completeness(&script))
    }

    /// Stops the evaluation that is under way, from any thread; the session stays. Gives whether there was one.
    pub fn interrupt(&self) -> bool {
        // Each of them: what is given from one language to another is under way too.
        self.open_ones().iter().filter(|(_, session)| session.interrupt()).count() > 0
    }

    /// What there is to know about the session of each language that has one.
    pub fn info(&self) -> Vec<SessionInfo> {
        self.open_ones().iter().map(|(_, session)| session.info()).collect()
    }

    /// Closes the sessions of all languages.
    pub fn close(&self) {
        self.open_ones().iter().for_each(|(_, session)| session.close());
    }

    /// Why it ended, where it ended by itself.
    pub fn ended(&self) -> Option<Error> {
        self.open_ones().iter().find_map(|(_, session)| session.ended())
    }

    fn sessions(&self) -> MutexGuard<'_, BTreeMap<Language, Session>> {
        self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_ones(&self) -> Vec<(Language, Session)> {
        self.sessions().iter().map(|(language, session)| (*language, session.clone())).collect()
    }

    fn turn(&self) -> MutexGuard<'_, Names> {
        self.0.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
