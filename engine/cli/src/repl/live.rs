//! The session that a person talks to: one of this process, or one that the session host keeps.

use serde_json::Value;
use skills::core::{Completeness, Completions, Inspection, Variable};
use skills::{Error, ErrorKind, Language, LimitOverrides, Outcome};
use std::sync::Arc;

/// Code to evaluate in a living session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Feed<'a> {
    /// What it is written in; a session need not know more than one language.
    pub(crate) language: Language,
    /// The code.
    pub(crate) code: &'a str,
    /// How errors name it; made up where it is not given.
    pub(crate) file: Option<&'a str>,
    /// Limits of this evaluation, instead of the session's.
    pub(crate) limits: &'a LimitOverrides,
}

/// A session that is alive. Output of its evaluations goes to whoever opened it, as it comes.
pub(crate) trait LiveSession: Send + Sync {
    /// Its name.
    fn name(&self) -> String;

    /// The language that it began with.
    fn language(&self) -> Language;

    /// Whether it evaluates code of other languages too.
    fn is_polyglot(&self) -> bool {
        false
    }

    /// Whether nothing was evaluated in it yet, in a language that it speaks.
    fn is_new(&self, language: Language) -> bool;

    /// Evaluates code, and waits for what becomes of it.
    fn evaluate(&self, feed: &Feed<'_>) -> Outcome;

    /// Whether code can be evaluated as it stands, or goes on in the next line. Parses only.
    fn completeness(&self, language: Language, code: &str) -> Completeness;

    /// The variables, each with the language that it was made in.
    fn variables(&self) -> Result<Vec<(Language, Variable)>, Error>;

    /// The value of a variable.
    fn get(&self, name: &str) -> Result<Value, Error>;

    /// How the word before the cursor could go on.
    fn complete(&self, language: Language, text: &str, cursor: usize) -> Result<Completions, Error>;

    /// What there is to know about a name or a path of names.
    fn inspect(&self, language: Language, path: &str) -> Result<Inspection, Error>;

    /// Stops the evaluation that is under way, from any thread. The session stays.
    fn interrupt(&self);

    /// An independent copy under another name.
    fn fork(&self, name: &str) -> Result<Arc<dyn LiveSession>, Error>;

    /// The session as bytes, for a file: those of [`skills::SessionImage`].
    fn image(&self) -> Result<Vec<u8>, Error>;

    /// What there is to know about the session: the object of `skills sessions show --json`.
    fn info(&self) -> Result<Value, Error>;

    /// Why it ended, where it ended by itself.
    fn ended(&self) -> Option<Error>;

    /// Begins anew what ended by itself and may begin again, and gives its languages. What has spent its budget stays ended.
    fn revive(&self) -> Vec<Language> {
        Vec::new()
    }

    /// Leaves it: a session of this process ends, one of the session host stays.
    fn leave(&self);
}

/// Where sessions come from.
pub(crate) trait Sessions {
    /// Opens a session, or meets the one that is there under that name; `None` makes a name up.
    fn open(&self, language: Language, name: Option<&str>) -> Result<Arc<dyn LiveSession>, Error>;

    /// Opens a session as it was when its image was taken, under another name.
    /// It begins in this language, unless the image says which.
    fn restore(&self, language: Language, image: &[u8], name: &str) -> Result<Arc<dyn LiveSession>, Error>;

    /// Remembers a copy of a session under its name.
    fn met(&self, _copy: &Arc<dyn LiveSession>) {}

    /// Ends a session, and opens one of the same name with nothing in it.
    fn reset(&self, session: &dyn LiveSession) -> Result<Arc<dyn LiveSession>, Error>;

    /// The sessions that there are: the objects of `skills sessions list --json`.
    fn list(&self) -> Result<Vec<Value>, Error>;
}

/// That a session does not evaluate code of a language.
pub(crate) fn takes_no(session: &dyn LiveSession, language: Language) -> Error {
    let message = format!("session `{}` is of {}, and takes no {language}", session.name(), session.language());
    if session.language() == Language::Program {
        return Error::new(ErrorKind::InvalidArguments, message)
            .with_help(format!("`skills repl --lang {language}` opens one that does"));
    }
    Error::new(ErrorKind::InvalidArguments, message).with_help(format!(
        "sessions of the session host have one language each: `skills repl`, without `--session`, speaks all of them, \
         and `skills repl --session NAME --lang {language}` opens one of {language}"
    ))
}
