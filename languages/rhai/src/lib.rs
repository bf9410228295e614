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
//! - `import "helper" as h;` gives the functions of a file of the skill, beside the script ([`Host::module`](skills_core::Host::module)),
//!   and the variables and constants that it exports. A file is evaluated once in a run, and counts as the run's own code.
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
//!
//! # A session that lives
//!
//! - Variables stay, and so do functions: one with the name and the number of parameters of an earlier one replaces it,
//!   also for those that call it. A function sees the constants of all cells as `global::NAME`.
//! - A name that is declared again is a new variable. Closures keep the one that they captured.
//! - The value of the last expression is `_`, unless it is `()`.
//! - Rhai counts the lines of all cells with functions on: the `line` of an error that a script catches is one of that count. The
//!   frames of a failure have the cell's own.
//! - Where a cell ends at the memory limit, the largest variables are let go of until there is room to go on; the failure
//!   names them.

mod allocator;
mod caps;
mod completeness;
mod control;
mod convert;
mod engine;
mod failures;
mod guards;
mod host;
mod interpolation;
mod interpreter;
mod last_value;
mod live;
mod memory;
mod modules;
mod program;
mod session;
mod signature;
mod stack;
mod text;

#[cfg(test)]
mod tests;

pub use allocator::CountingAllocator;
pub use interpreter::Rhai;
