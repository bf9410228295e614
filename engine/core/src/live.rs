//! What a living namespace is asked, and what it tells: the plain data of [`Session`](crate::Session)'s second half.

use crate::{ErrorKind, Evaluation, Failure, Language, Script};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Code to evaluate in a session's own namespace.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The code. Its file names it in errors: `<cell 3>`, or a skill's own.
    pub script: Arc<Script>,
    /// What it is evaluated as.
    pub entry: Entry,
}

/// What a cell is evaluated as.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// As a notebook does: the value is that of the last expression, nothing is called, and the value stays as `_`.
    Cell,
    /// As a skill's script, with its parameters: the body is evaluated where the namespace has not seen this source yet,
    /// then `run` is called. Without `run`, the body is evaluated each time, and `params` is a variable.
    Skill {
        /// The parameters.
        params: Map<String, Value>,
    },
}

/// What became of a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// The value or the failure, and what was used. The value of a cell is JSON where it can be within the limit on a
    /// result, else a description of it.
    pub evaluation: Evaluation,
    /// The value as the language shows it; `None` where there is nothing to show: a failure, `None`, `undefined`, `()`.
    pub shown: Option<Shown>,
}

impl Evaluated {
    /// What could not be evaluated at all.
    pub fn failed(failure: Failure) -> Evaluated {
        Evaluated { evaluation: Evaluation { result: Err(failure), usage: crate::Usage::default() }, shown: None }
    }
}

/// That a name is not given a value from outside, because it means something to every script of a language: whoever gave it another
/// meaning there would change what all later code of the session does.
pub fn taken(name: &str, language: &str) -> Failure {
    Failure::new(
        ErrorKind::InvalidArguments,
        format!("`{name}` means something in {language} already, and is not given a value from outside"),
    )
    .with_help("choose another name; code in the session itself may still assign it")
}

/// A value as its language shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The name of its type, as the language says it.
    pub type_name: String,
    /// Its `repr`, cut to [`Shown::MOST`] bytes.
    pub text: String,
    /// Whether `text` was cut.
    pub cut: bool,
    /// An image that the value is, or gives of itself: the bytes of a PNG file.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "as_base64")]
    pub png: Option<Vec<u8>>,
}

impl Shown {
    /// The most of a `repr` that is kept, in bytes.
    pub const MOST: usize = 256 << 10;
    /// The largest image that is passed on, in bytes.
    pub const MOST_IMAGE: usize = 4 << 20;
    /// How a PNG file begins.
    pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
}

/// What kind of thing a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NameKind {
    /// A value.
    Value,
    /// A function.
    Function,
    /// A class.
    Class,
    /// A module.
    Module,
    /// A word of the language.
    Keyword,
    /// An attribute or a member of something.
    Member,
}

/// A variable of a session's namespace. What was there before the first cell is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: NameKind,
    /// The name of its type, as the language says it.
    pub type_name: String,
    /// Its `repr` in one line, cut to 80 characters.
    pub shown: String,
    /// About how many bytes it holds by itself, where the language tells.
    pub size: Option<u64>,
}

/// How the word before the cursor could go on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completions {
    /// Where the word begins that a completion stands for, as a byte of the text.
    pub from: usize,
    /// What it could be, sorted.
    pub items: Vec<Completion>,
}

/// One way for a word to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// The whole word.
    pub text: String,
    /// What it stands for.
    pub kind: NameKind,
}

/// What there is to know about a value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// The value.
    pub shown: Shown,
    /// How it is called, where it can be.
    pub signature: Option<String>,
    /// Its documentation.
    pub doc: Option<String>,
    /// Its source, where that is known.
    pub source: Option<String>,
}

/// A namespace as bytes, for a session of the same language.
///
/// It may hold code that runs when it is restored: restore it only where the session that it is from could have run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The language.
    pub language: Language,
    /// The form of the bytes: a name and a version, compared as a whole.
    pub format: String,
    /// The namespace.
    pub bytes: Vec<u8>,
    /// What is not in it.
    pub lost: Vec<Lost>,
}

/// Something that a snapshot could not keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// The variable.
    pub name: String,
    /// Why, for a person.
    pub why: String,
}

/// Whether code can be evaluated as it stands, by the language's own parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Completeness {
    /// It can, or is wrong in a way that more text does not mend.
    Complete,
    /// It goes on in the next line.
    Incomplete,
}

mod as_base64 {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &Option<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => serializer.serialize_str(&STANDARD.encode(bytes)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| STANDARD.decode(text).map_err(D::Error::custom)).transpose()
    }
}
