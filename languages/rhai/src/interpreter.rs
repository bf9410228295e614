use crate::engine::DEFAULT_RECURSION;
use crate::program::Program;
use crate::session::RhaiSession;
use crate::{caps, completeness, engine, signature};
use skills_core::{CapStatus, Completeness, Failure, Host, Interpreter, Language, Script, Session, Signature};
use std::sync::Arc;

/// The Rhai language. Making one costs nothing; an engine is built when a session opens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rhai {
    _private: (),
}

impl Rhai {
    /// The language, with nothing started.
    pub fn new() -> Rhai {
        Rhai::default()
    }
}

impl Interpreter for Rhai {
    fn languages(&self) -> &[Language] {
        &[Language::Rhai]
    }

    fn open(&self, host: &Arc<dyn Host>) -> Result<Box<dyn Session>, Failure> {
        caps::require_hooks()?;
        Ok(Box::new(RhaiSession::open(host)?))
    }

    fn signature(&self, script: &Script) -> Option<Signature> {
        signature::infer(script)
    }

    fn check(&self, script: &Script) -> Result<(), Failure> {
        Program::body(&engine::parser(), script, 0).map(drop)
    }

    fn completeness(&self, script: &Script) -> Completeness {
        completeness::of(script)
    }

    fn self_test(&self) -> Result<Vec<CapStatus>, Failure> {
        caps::self_test()
    }

    fn forks_sessions(&self) -> bool {
        true
    }

    fn recursion(&self) -> Option<u64> {
        u64::try_from(DEFAULT_RECURSION).ok()
    }

    fn caps(&self) -> Vec<CapStatus> {
        caps::known()
    }
}
