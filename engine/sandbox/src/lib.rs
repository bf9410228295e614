//! Confinement for the `skills` engine: what the operating system holds code to that is not trusted.
//!
//! - A [`Cage`] says what one confined process may reach and is held to. It is plain data, made from [`Grants`] and [`Limits`].
//! - [`layers`] is the code that runs in the process that is to be confined: it builds the root, drops what it has, and
//!   closes the door behind itself.
//!
//! Confinement exists on Linux (x86_64 and aarch64). Elsewhere everything here answers that it is not available.
//!
//! [`Grants`]: skills_core::Grants
//! [`Limits`]: skills_core::Limits

mod cage;
pub mod layers;

pub use cage::{Cage, Kind, LayerName, Programs};
