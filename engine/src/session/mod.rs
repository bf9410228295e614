//! Sessions: namespaces that live from one evaluation to the next.
//!
//! - [`SessionBuilder`] opens a [`Session`]: its name is taken in the [`SessionHub`], and everything else is done on a thread of
//!   its own, which alone has the interpreter's session (`living`).
//! - A [`Session`] is a handle. What is asked of it goes through a queue (`shared`), so it is done in order.
//! - The decision that opened it holds for the code that is typed into it; runs of its skill are decided each time, and must
//!   come to the same (`decision`).
//! - [`SessionBudget`] adds up over evaluations. A thread of the hub ends what is due (`alarm`).

mod alarm;
mod answers;
mod budget;
mod builder;
mod decision;
mod handle;
mod hub;
mod image;
mod info;
mod kept;
mod living;
pub(crate) mod opening;
mod polyglot;
mod reach;
mod shared;
mod store;
mod stored;
mod waits;

#[cfg(test)]
mod tests;

pub use budget::SessionBudget;
pub use builder::SessionBuilder;
pub use handle::{EvalOptions, Session};
pub use hub::SessionHub;
pub use image::SessionImage;
pub use info::{SessionChange, SessionEvent, SessionInfo, SessionState};
pub use polyglot::{Polyglot, PolyglotImage, PolyglotVariable};
pub use store::{SessionStore, StoreKey, StoreLimits, StoredSession};
