//! Rhai for the skills engine: [`Rhai`] is the [`Interpreter`](skills_core::Interpreter), and a program that wants the
//! memory limit to hold installs [`CountingAllocator`].
//!
//! ```
//! use skills_rhai::CountingAllocator;
//!
//! #[global_allocator]
//! static ALLOCATOR: CountingAllocator = CountingAllocator;
//!
//! assert!(CountingAllocator::installed());
//! ```
//!
//! # What a Rhai script sees
//!
//! - `params`, the parameters as one object map, and `skill`, whose members are the host's functions
//!   (`skill.state.get("k")`). Both can be used inside functions too, which in Rhai see no other outer variable.
//! - `fn run(params)` is called where the script defines it. `fn run()` is called without arguments, and with two
//!   or more parameters each gets the member of its name. A `return` at the top level ends the script before that.
//! - Object maps are sorted by key: that is how Rhai keeps them, so a result's members are in that order.
//! - A failure of a host function is thrown as a map: `catch (e) { e.kind; e.message; e.help }`.
//!
//! # Limits
//!
//! One operation is what Rhai itself counts: a statement, an expression or a call that it evaluates. The count of a
//! script is the same every time.
//!
//! Memory is counted by the allocator and looked at before each operation. Most operations of Rhai at most double what
//! a script already holds (copying an array, adding a string to itself), so a script is stopped as soon as the *next*
//! operation could take it past the limit by more than a tenth and 8 MiB; those that make much out of little (`blob`,
//! `pad`, `split`, `replace`, text of a container, JSON) are checked before they start. It follows that under a large
//! limit a script can fill a little more than half of it with arrays and maps, or a third with one single string.

mod allocator;
mod caps;
mod control;
mod convert;
mod engine;
mod failures;
mod guards;
mod host;
mod interpolation;
mod interpreter;
mod memory;
mod program;
mod session;
mod signature;
mod stack;
mod text;

#[cfg(test)]
mod tests;

pub use allocator::CountingAllocator;
pub use interpreter::Rhai;
