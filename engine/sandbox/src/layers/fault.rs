use crate::LayerName;
use serde::{Deserialize, Serialize};
use skills_core::{ErrorKind, Failure};

/// A layer that could not be put on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Which.
    pub layer: LayerName,
    /// What was tried, and what the system answered.
    pub detail: String,
}

impl Fault {
    /// The fault of a layer.
    pub fn new(layer: LayerName, detail: impl Into<String>) -> Fault {
        Fault { layer, detail: detail.into() }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.layer, self.detail)
    }
}

impl std::error::Error for Fault {}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        let help = match fault.layer {
            LayerName::UserNamespace | LayerName::MountNamespace | LayerName::PidNamespace => {
                "let this user make user namespaces (the sysctl kernel.unprivileged_userns_clone or \
                 kernel.apparmor_restrict_unprivileged_userns), or run code that you trust with `--isolation in-process`"
            }
            LayerName::Landlock => {
                "confinement needs a Linux kernel with Landlock switched on (5.13 or later, `lsm=` lists landlock), or run code \
                 that you trust with `--isolation in-process`"
            }
            _ => {
                "`skills doctor` shows what this machine can confine; code that you trust runs with `--isolation in-process`"
            }
        };
        Failure::new(ErrorKind::Unavailable, format!("this machine cannot confine a process: {fault}")).with_help(help)
    }
}

/// Names the layer and the attempt where something failed.
pub(super) trait Attempt<T> {
    /// The value, or the fault of `layer` in doing `what`.
    fn attempt(self, layer: LayerName, what: impl std::fmt::Display) -> Result<T, Fault>;
}

impl<T, E: std::fmt::Display> Attempt<T> for Result<T, E> {
    fn attempt(self, layer: LayerName, what: impl std::fmt::Display) -> Result<T, Fault> {
        self.map_err(|error| Fault::new(layer, format!("{what}: {error}")))
    }
}
