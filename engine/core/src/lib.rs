//! Contracts and plain data of the `skills` engine: what a language, a host function, a state store or a host program
//! implements, and the values that pass between them.
//!
//! Nothing here does I/O or knows a particular interpreter. The one thread this crate may start is the [`watchdog`],
//! because execution time is only a limit when something outside the interpreter's thread checks it.
//!
//! - [`Interpreter`] opens a [`Session`]; a session runs a [`Script`] and answers with an [`Evaluation`], or evaluates [`Cell`]s in a
//!   namespace that stays.
//! - [`Host`] is what a running script can reach: host functions, output streams, and its [`Budget`].
//! - [`Budget`] is the live side of [`Limits`]; a breach of one is a [`Breach`], carried by a [`Failure`].

mod approve;
mod budget;
mod events;
mod failure;
mod function;
mod grants;
mod hosts;
mod interpreter;
pub mod json;
mod language;
mod launch;
mod limits;
mod live;
mod module;
mod pace;
mod probe;
mod secret;
mod signature;
mod source;
mod spin;
mod state;
pub mod template;
pub mod value;
pub mod watchdog;

pub use approve::{Answer, Approver, Decision, DecisionScope, DecisionStore, Operation, Question, Reply};
pub use budget::{Budget, Interrupt, PauseGuard};
pub use events::{Event, EventSink, LogLevel, NoEvents, Stream};
pub use failure::{Breach, ErrorKind, Failure, Frame, LimitName};
pub use function::{Arguments, CallContext, Capability, FunctionSpec, Host, HostFunction, SessionReach, SkillCaller};
pub use grants::{Access, Grants, is_shared_folder};
pub use hosts::{HostPattern, NetworkHost};
pub use interpreter::{Evaluation, Fork, Forked, Held, Interpreter, OpenSession, Script, Session, Usage};
pub use language::Language;
pub use launch::{End, Heard, Launcher, Layer, Listener, Program, Ran, Staying, signal_name};
pub use limits::{CapStatus, Enforcement, Limits};
pub use live::{
    Cell, Completeness, Completion, Completions, Entry, Evaluated, Inspection, Lost, NameKind, Shown, Snapshot,
    Variable, taken,
};
pub use module::beside;
pub use pace::Pace;
pub use probe::ProbeHost;
pub use secret::{ExposeSecret, SecretCommand, SecretSource, SecretString, Variables};
pub use signature::{ParameterSpec, Signature};
pub use source::{MemorySkills, SkillSource};
pub use spin::{Spin, Wait};
pub use state::{StateError, StateStore};
