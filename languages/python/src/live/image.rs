//! Snapshots of a namespace.

use crate::session::PythonSession;
use pyo3::prelude::*;
use skills_core::{ErrorKind, Failure, Host, Lost, Snapshot};
use std::sync::Arc;

impl PythonSession {
    pub(crate) fn image(&mut self, _py: Python<'_>, _host: &Arc<dyn Host>) -> Result<Snapshot, Failure> {
        Err(Failure::new(ErrorKind::Unavailable, "Python sessions cannot be saved"))
    }

    pub(crate) fn refill(
        &mut self,
        _py: Python<'_>,
        _snapshot: &Snapshot,
        _host: &Arc<dyn Host>,
    ) -> Result<Vec<Lost>, Failure> {
        Err(Failure::new(ErrorKind::Unavailable, "Python sessions cannot be restored"))
    }
}
