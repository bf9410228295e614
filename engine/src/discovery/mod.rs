//! Where skills are found, and which one a name means.
//!
//! Folders, from the lowest precedence to the highest:
//!
//! | scope | folders |
//! |---|---|
//! | `bundled` | compiled in |
//! | `user` | `installed` in the user's data folder, `~/.agents/skills`, `~/.claude/skills`, extra folders |
//! | `project` | from the git root down to the working folder, at each level: `.skills`, `skills`, `.q-skills`, `.agents/skills`, `.claude/skills` |
//! | `host` | the [sources](crate::SkillSource) of the host program, in the order they were given |
//!
//! A later one shadows an earlier one of the same name, with a warning; the earlier one is still reached as
//! `bundled:NAME` or `user:NAME`. A folder that is a bundled skill's, byte for byte, is that skill and shadows nothing.
//!
//! In such a folder, a definition is a `NAME.json`, a `NAME/NAME.json`, a `NAME/SKILL.md`, or any other `.json` file
//! whose content is a definition, down to four folders deep. Whether a file is a definition or the companion of one is
//! decided by its content. A file that is broken is listed with what is wrong with it, and hides no other.
//!
//! Hidden folders, `node_modules` and `__pycache__` are not entered, nor are `scripts`, `prompts`, `references` and
//! `assets` of a folder that has a definition of its own. Links are not followed: what they lead to in the same folder
//! is found anyway, and what lies outside of it is none of its skills. Only the folders of the table may be links
//! themselves, and those of a project only within the project.

mod cache;
mod conflicts;
mod copies;
mod entry;
mod layout;
mod lookup;
mod registry;
mod verdict;
mod walk;

#[cfg(test)]
mod tests;

pub use entry::{Entry, Status};
pub use layout::Layout;
pub use lookup::LookupError;
pub use registry::Registry;
