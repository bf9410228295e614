//! The session host: a process of this user that keeps sessions alive between commands.
//!
//! A command that is given `--session NAME` is a client of it, and starts it where it does not run. They meet at a Unix socket in
//! a folder that nobody else may enter, each makes sure that the other is the same user, and then they exchange messages. The host makes
//! engines as the command makes them, from the working folder and the environment that each client sends.

mod build;
mod client;
mod connection;
mod contexts;
mod folder;
mod frame;
mod message;
mod openings;
mod outbox;
mod process;
mod reports;
mod serve;
mod server;
mod start;

pub(crate) use client::{Client, Failed, Front, Sender};
pub(crate) use message::{Evaluated, Exported, Front as Seat, Opened, Opening, Refusal, Request};
pub(crate) use process::entry;
pub(crate) use start::idle;

use serde_json::json;
use skills::{Error, ErrorKind};

/// An error as it goes to a client.
fn refusal(error: &Error) -> Refusal {
    let diagnostics = error.diagnostics().iter().map(|found| json!(found)).collect();
    Refusal { failure: error.failure().clone(), diagnostics, shown: error.render(true) }
}

/// That there is no session of a name.
pub(crate) fn no_session(name: &str, names: &[&str], gone: Option<&str>) -> Error {
    let message = match gone {
        Some(why) => format!("the session `{name}` has ended: {why}"),
        None => format!("there is no session `{name}`"),
    };
    let near = names.iter().map(|known| (strsim::jaro_winkler(name, known), known));
    let nearest = near.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0));
    Error::new(ErrorKind::NotFound, message).with_help(match nearest {
        Some((_, near)) => format!("did you mean `{near}`?"),
        None => "`skills sessions list` shows those that there are".to_owned(),
    })
}
