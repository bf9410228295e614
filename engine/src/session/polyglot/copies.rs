//! Copies of what speaks several languages, and its form as data.

use super::names::Names;
use super::{Inner, Polyglot, Session, SessionBuilder};
use crate::session::SessionImage;
use crate::{Engine, Error};
use serde::{Deserialize, Serialize};
use skills_core::{ErrorKind, Language, Lost};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What a [`Polyglot`] held at one moment: the image of the session of each language, and what was known of their names.
#[derive(Debug, Clone, PartialEq)]
pub struct PolyglotImage {
    name: String,
    parts: Vec<SessionImage>,
    names: Names,
}

/// What stands before the parts.
#[derive(Serialize, Deserialize)]
struct Head {
    name: String,
    /// The length of each part.
    parts: Vec<u64>,
    names: Names,
}

/// How the bytes begin.
const MAGIC: &[u8] = b"skills sessions 1\n";

/// The most bytes of what stands before the parts: what is known of some ten thousand names.
const MOST_HEAD: usize = 64 << 20;

impl Polyglot {
    /// An independent copy of it, in all its languages.
    ///
    /// # Errors
    /// As [`Session::fork`]: the message names the language that cannot be copied. Then there is no copy of any.
    pub fn fork(&self, name: &str) -> Result<Polyglot, Error> {
        let names = self.turn();
        let mut copies = BTreeMap::new();
        for (language, session) in self.open_ones() {
            let copy = session.fork(&part_name(name, language));
            copies.insert(language, copy.map_err(|error| undone(&copies, language, error))?);
        }
        Ok(Polyglot(Arc::new(Inner {
            engine: self.0.engine.clone(),
            name: name.to_owned(),
            opening: Arc::clone(&self.0.opening),
            sessions: Mutex::new(copies),
            names: Mutex::new(names.clone()),
        })))
    }

    /// What it holds now in all its languages, as data. What cannot be kept is named in it: [`PolyglotImage::lost`].
    ///
    /// # Errors
    /// As [`Session::snapshot`]: the message names the language that cannot be kept.
    pub fn snapshot(&self) -> Result<PolyglotImage, Error> {
        let names = self.turn();
        let image = |(language, session): (Language, Session)| session.snapshot().map_err(|error| of(language, error));
        let parts = self.open_ones().into_iter().map(image).collect::<Result<_, _>>()?;
        Ok(PolyglotImage { name: self.0.name.clone(), parts, names: names.clone() })
    }
}

impl Engine {
    /// What another session in several languages held, under a name. `opening` says how the session of each language is opened,
    /// those of languages that are needed later too.
    ///
    /// # Errors
    /// As [`SessionBuilder::open`]: the message names the language whose session cannot be restored. Then there is none of any.
    pub fn restore_polyglot(
        &self,
        image: &PolyglotImage,
        name: impl Into<String>,
        opening: impl Fn(SessionBuilder) -> SessionBuilder + Send + Sync + 'static,
    ) -> Result<Polyglot, Error> {
        let name = name.into();
        let mut sessions = BTreeMap::new();
        for part in &image.parts {
            let language = part.language();
            let session = opening(self.restore_session(part)).name(part_name(&name, language)).open();
            sessions.insert(language, session.map_err(|error| undone(&sessions, language, error))?);
        }
        let restored = Polyglot(Arc::new(Inner {
            engine: self.clone(),
            name,
            opening: Arc::new(opening),
            sessions: Mutex::new(sessions),
            names: Mutex::new(image.names.clone()),
        }));
        // What was not kept is gone for the others too.
        let mut names = restored.turn();
        for (_, session) in restored.open_ones() {
            restored.look(&session, None, &mut names)?;
        }
        drop(names);
        Ok(restored)
    }
}

impl PolyglotImage {
    /// The name of the session.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its languages, that of the first part first.
    pub fn languages(&self) -> Vec<Language> {
        self.parts.iter().map(SessionImage::language).collect()
    }

    /// What could not be kept, in each language.
    pub fn lost(&self) -> impl Iterator<Item = (Language, &Lost)> {
        self.parts.iter().flat_map(|part| part.lost().iter().map(|lost| (part.language(), lost)))
    }

    /// As bytes that hold no secret, for a file. They are not signed: whoever can write the file says what is restored.
    ///
    /// # Errors
    /// `permission_denied` where a variable holds a secret.
    pub fn for_file(&self) -> Result<Vec<u8>, Error> {
        let parts = self.parts.iter().map(SessionImage::for_file).collect::<Result<Vec<_>, _>>()?;
        let lengths = parts.iter().map(|part| part.len() as u64).collect();
        let head = Head { name: self.name.clone(), parts: lengths, names: self.names.clone() };
        // Plain data has a JSON form.
        let head = serde_json::to_vec(&head).unwrap_or_default();
        let length = u32::try_from(head.len()).unwrap_or(u32::MAX).to_le_bytes();
        Ok([MAGIC, &length, &head, &parts.concat()].concat())
    }

    /// The image of such bytes, or of those of a [`SessionImage`], which is one of a single language.
    ///
    /// # Errors
    /// `invalid_arguments` where they are neither.
    pub fn from_bytes(bytes: &[u8]) -> Result<PolyglotImage, Error> {
        let Some(rest) = bytes.strip_prefix(MAGIC) else {
            return SessionImage::from_bytes(bytes).map(PolyglotImage::from);
        };
        let wrong = |why: String| {
            Error::new(ErrorKind::InvalidArguments, format!("this is no saved session: {why}"))
                .with_help("give a file that a session was saved to, by this version")
        };
        let short = || wrong("it ends too soon".to_owned());
        let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        let length = u32::from_le_bytes(*length) as usize;
        if length > MOST_HEAD {
            return Err(wrong(format!("its head is larger than {MOST_HEAD} bytes")));
        }
        let (head, mut rest) = rest.split_at_checked(length).ok_or_else(short)?;
        let head: Head = serde_json::from_slice(head).map_err(|error| wrong(error.to_string()))?;
        let mut parts: Vec<SessionImage> = Vec::new();
        for length in head.parts {
            let (part, after) =
                usize::try_from(length).ok().and_then(|n| rest.split_at_checked(n)).ok_or_else(short)?;
            let part = SessionImage::from_bytes(part)?;
            if parts.iter().any(|other| other.language() == part.language()) {
                return Err(wrong(format!("it holds {} twice", part.language())));
            }
            parts.push(part);
            rest = after;
        }
        Ok(PolyglotImage { name: head.name, parts, names: head.names })
    }
}

impl From<SessionImage> for PolyglotImage {
    fn from(image: SessionImage) -> PolyglotImage {
        PolyglotImage { name: image.name().to_owned(), parts: vec![image], names: Names::default() }
    }
}

/// The name of the session of one language.
pub(super) fn part_name(name: &str, language: Language) -> String {
    format!("{name}.{language}")
}

/// Closes what was opened before one could not be, whose error says of which language it is.
fn undone(opened: &BTreeMap<Language, Session>, language: Language, error: Error) -> Error {
    opened.values().for_each(Session::close);
    of(language, error)
}

fn of(language: Language, error: Error) -> Error {
    let told = Error::new(error.kind(), format!("{language}: {}", error.message()));
    match error.help() {
        Some(help) => told.with_help(help.to_owned()),
        None => told,
    }
}
