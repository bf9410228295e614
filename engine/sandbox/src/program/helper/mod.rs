//! The program `skill`, by which a confined program reaches the functions of the host.
//!
//! It is the worker executable under another name. It says what it was asked over a socket of its own, which it passes to the
//! host through the one that the program was given: so several may ask at once.

pub(crate) mod client;
mod desk;
mod words;

pub(super) use desk::Desk;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use skills_core::Failure;

/// The name that it has.
pub(crate) const NAME: &str = "skill";

/// The folder in which it lies, inside.
pub(crate) const FOLDER: &str = "/run/skills";

/// The variable that holds the number of the descriptor to the host.
pub(crate) const VARIABLE: &str = "SKILLS_FD";

/// The longest that may be asked, in bytes.
const MOST_ASKED: usize = 4 << 20;

/// What is asked: the words of its command line.
#[derive(Debug, Serialize, Deserialize)]
struct Ask {
    words: Vec<String>,
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    /// The value of the function.
    Value(Value),
    /// Text for a person.
    Text(String),
    /// Why there is none.
    Failure(Failure),
}
