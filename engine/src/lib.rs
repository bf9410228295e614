#![doc = include_str!("../../README.md")]
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests make their own files"))]

pub mod arguments;
mod authorize;
mod builder;
mod catalog;
pub mod config;
mod decisions;
pub mod definition;
mod dependencies;
mod diagnostic;
pub mod discovery;
mod engine;
mod error;
mod files;
mod function;
mod handle;
mod host;
mod languages;
mod modules;
mod options;
mod outcome;
mod outcome_json;
mod plan;
mod prepared;
mod programs;
mod run;
mod runtime;
mod scripts;
mod secrets;
mod session;
mod skill;
mod source;
mod state;
mod tiers;
mod warm;
mod worker;

pub use authorize::{AuthorizedPlan, Evidence, Judgement, RuleSource, Trust, TrustReport};
pub use builder::EngineBuilder;
pub use catalog::{Catalog, Upgraded};
pub use config::{Config, ConfigScope};
pub use decisions::{MemoryDecisions, SqliteDecisions};
pub use diagnostic::{Diagnostic, Severity};
pub use discovery::{Entry, Layout};
pub use engine::Engine;
pub use error::Error;
pub use files::{ReadError, SkillFiles};
pub use function::{TypedAsyncFunction, TypedFunction};
pub use handle::WeakEngine;
pub use options::{Cancel, RunOptions};
pub use outcome::{LimitReport, Outcome, RunUsage};
pub use plan::{CapabilityRequest, Isolation, LimitOverrides, Plan, Step};
pub use session::{
    EvalOptions, Polyglot, PolyglotImage, PolyglotVariable, Session, SessionBudget, SessionBuilder, SessionChange,
    SessionEvent, SessionHub, SessionImage, SessionInfo, SessionState, SessionStore, StoreKey, StoreLimits,
    StoredSession,
};
pub use skill::*;
pub use skills_core as core;
pub use skills_core::{
    Answer, Approver, Breach, CallContext, CapStatus, Capability, Completeness, Completion, Completions, Decision,
    DecisionScope, DecisionStore, Enforcement, ErrorKind, Event, EventSink, Failure, Frame, FunctionSpec, HostFunction,
    Inspection, Interpreter, Language, Launcher, Layer, LimitName, Limits, LogLevel, Lost, MemorySkills, NameKind,
    NoEvents, Operation, ParameterSpec, Question, Reply, Script, SecretCommand, SecretSource, SecretString, Shown,
    SkillSource, StateStore, Stream, Variable, Variables,
};
pub use skills_executors::Invocation;
#[cfg(feature = "rhai")]
pub use skills_rhai::CountingAllocator;
pub use skills_sandbox::PoolFigures;
#[cfg(all(target_os = "linux", feature = "container"))]
pub use skills_sandbox::container::ContainerOptions;
pub use state::MemoryState;
pub use tiers::TierReport;
pub use worker::worker_main;

/// A list of parameters as one JSON Schema of an object.
pub fn parameter_schema(parameters: &[ParameterSpec]) -> serde_json::Value {
    skills_core::Signature { description: None, parameters: parameters.to_vec() }.schema()
}
