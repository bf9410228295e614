//! The one place that names the concrete interpreters.

use skills_core::{Interpreter, Language};
use skills_sandbox::MakeKernel;
use skills_sandbox::worker::Interpreting;
use std::sync::Arc;

/// What the workers of this build serve, each by the first language that its interpreter takes.
pub(crate) const KERNELS: &[(&str, MakeKernel)] = &[
    #[cfg(feature = "rhai")]
    ("rhai", || Box::new(Interpreting::new(Arc::new(skills_rhai::Rhai::new())))),
    #[cfg(feature = "python")]
    ("python", || Box::new(Interpreting::new(Arc::new(skills_python::CPython::new())))),
    #[cfg(feature = "javascript")]
    ("javascript", || Box::new(Interpreting::new(Arc::new(skills_javascript::JavaScript::new())))),
];

/// The interpreters of this build.
#[derive(Clone, Default)]
pub(crate) struct Languages(Vec<Arc<dyn Interpreter>>);

impl Languages {
    /// Those that the crate's features name. Nothing starts.
    #[allow(clippy::vec_init_then_push, reason = "which of them there are depends on the features")]
    pub(crate) fn built_in() -> Languages {
        #[allow(unused_mut)]
        let mut all: Vec<Arc<dyn Interpreter>> = Vec::new();
        #[cfg(feature = "rhai")]
        all.push(Arc::new(skills_rhai::Rhai::new()));
        #[cfg(feature = "python")]
        all.push(Arc::new(skills_python::CPython::new()));
        #[cfg(feature = "javascript")]
        all.push(Arc::new(skills_javascript::JavaScript::new()));
        Languages(all)
    }

    /// Adds an interpreter, before the others for the languages it takes.
    pub(crate) fn add(&mut self, interpreter: Arc<dyn Interpreter>) {
        self.0.insert(0, interpreter);
    }

    /// The interpreter of a language.
    pub(crate) fn get(&self, language: Language) -> Option<&Arc<dyn Interpreter>> {
        self.0.iter().find(|interpreter| interpreter.languages().contains(&language))
    }

    /// The languages of this build.
    pub(crate) fn list(&self) -> Vec<Language> {
        Language::ALL.into_iter().filter(|language| self.get(*language).is_some()).collect()
    }
}
