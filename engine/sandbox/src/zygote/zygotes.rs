use super::{Child, Payload, Zygote};
use crate::entry::COMMAND;
use crate::{Cage, Executable};
use skills_core::{Failure, Grants, Limits};
use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// The zygotes of one worker executable: one a kind, started when it is first wanted, and again when it has ended.
#[derive(Debug)]
pub struct Zygotes {
    executable: Executable,
    needs: Vec<PathBuf>,
    /// A kind's own lock is held while its zygote starts, so that others need not wait for it.
    kinds: Mutex<HashMap<String, Slot>>,
}

type Slot = Arc<Mutex<Option<Arc<Zygote>>>>;

impl Zygotes {
    /// Those of an executable; `needs` are files and folders that all their children read. Nothing is started.
    pub fn new(executable: Executable, needs: Vec<PathBuf>) -> Zygotes {
        Zygotes { executable, needs, kinds: Mutex::default() }
    }

    /// The executable.
    pub fn executable(&self) -> &Executable {
        &self.executable
    }

    /// The zygote of a kind.
    ///
    /// # Errors
    /// Those of [`Zygote::start`].
    pub fn get(&self, kind: &str) -> Result<Arc<Zygote>, Failure> {
        let slot = {
            let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(kinds.entry(kind.to_owned()).or_default())
        };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(zygote) = slot.as_ref().filter(|zygote| zygote.alive()) {
            return Ok(Arc::clone(zygote));
        }
        let zygote = Arc::new(Zygote::start(&self.executable, kind, &self.needs)?);
        *slot = Some(Arc::clone(&zygote));
        Ok(zygote)
    }

    /// Forks a child of a kind; see [`Zygote::fork`].
    ///
    /// # Errors
    /// Those of [`Zygote::start`] and [`Zygote::fork`].
    pub fn fork(&self, kind: &str, cage: &Cage, payload: Payload, fds: Vec<OwnedFd>) -> Result<Child, Failure> {
        self.get(kind)?.fork(cage, payload, fds)
    }

    /// Forks a child that is confined and does nothing, and ends it.
    ///
    /// # Errors
    /// Those of [`Zygotes::fork`].
    pub fn try_one(&self) -> Result<(), Failure> {
        self.fork(COMMAND, &Cage::new(Grants::NONE, &Limits::none()), Payload::Serve, Vec::new()).map(drop)
    }
}
