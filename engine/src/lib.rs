//! An embeddable engine for small programs in Rhai, Python and JavaScript.

pub mod definition;
mod diagnostic;
mod files;
mod skill;

pub use diagnostic::{Diagnostic, Severity};
pub use files::{ReadError, SkillFiles};
pub use skill::*;
pub use skills_core as core;
