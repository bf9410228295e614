//! A session that is a worker becomes two.

use super::control::Control;
use super::line::Line;
use super::process::Process;
use super::session::{RemoteSession, no_room};
use crate::Cage;
use crate::frame::{Ask, Open, Told};
use crate::zygote::family::Family;
use crate::zygote::wire;
use crate::zygote::{Payload, Zygotes};
use skills_core::{ErrorKind, Failure, Host};
use std::sync::Arc;

impl RemoteSession {
    /// Forks a worker for a session that is going to live, and has it open that.
    pub(crate) fn start_living(
        zygotes: &Zygotes,
        cage: &Cage,
        kind: &str,
        open: Open,
        host: &Arc<dyn Host>,
    ) -> Result<RemoteSession, Failure> {
        let (line, mut fds) = Line::make().map_err(|error| no_room(&error))?;
        let (control, far) = Control::make().map_err(|error| no_room(&error))?;
        fds.push(far);
        let (child, network) = if Family::suits(cage) {
            let family = Family::start(zygotes, kind, cage, fds)?;
            let id = control.greeted().ok_or_else(|| silent("it did not start"))?;
            (family.member(id)?, None)
        } else {
            let mut child = zygotes.fork(kind, cage, Payload::Serve, fds)?;
            let network = child.take_proxy();
            (child, network)
        };
        let mut session = RemoteSession::open(line, Process::Child(child), network, open, host)?;
        session.control = Some(control);
        Ok(session)
    }

    /// Makes a copy of the worker, with all that it holds. `None` where it is none that can be copied.
    pub(crate) fn fork_worker(&mut self, host: &Arc<dyn Host>) -> Result<Option<RemoteSession>, Failure> {
        let member = match &self.child {
            Process::Child(child) => child.family().map(|family| (Arc::clone(family), child)),
            #[cfg(feature = "container")]
            Process::Contained(_) => None,
        };
        let Some(((family, child), control)) = member.zip(self.control.as_ref()).filter(|_| self.poisoned.is_none())
        else {
            return match &self.poisoned {
                Some(_) => self.ask_fork(host).map(|_| None),
                None => Ok(None),
            };
        };
        let (line, mut fds) = Line::make().map_err(|error| no_room(&error))?;
        let (copy_control, far) = Control::make().map_err(|error| no_room(&error))?;
        fds.push(far);
        family.copy(child)?;
        let copying = child.copying();
        let handed = control.hand(&wire::borrow(&fds));
        drop(fds);
        let forked = match handed {
            Ok(()) => self.ask_fork(host),
            Err(_) => Err(silent("it does not listen")),
        };
        let child = match &forked {
            Ok(true) => {
                copy_control.greeted().ok_or_else(|| silent("the copy did not start")).and_then(|id| family.member(id))
            }
            Ok(false) => return family.copied().map(|()| None),
            Err(failure) => Err(failure.clone()),
        };
        family.copied()?;
        drop(copying);
        let mut copy = RemoteSession {
            line,
            child: Process::Child(child?),
            control: Some(copy_control),
            network: None,
            language: self.language,
            runs: self.runs,
            reusable: true,
            base: self.base,
            base_peak: self.base_peak,
            poisoned: None,
            used: None,
            watched: false,
            statm: None,
            living: true,
        };
        copy.look_at_memory();
        copy.child.rest();
        Ok(Some(copy))
    }

    /// Whether the worker made a copy of itself.
    fn ask_fork(&mut self, host: &Arc<dyn Host>) -> Result<bool, Failure> {
        match self.ask_for(Ask::Fork, host) {
            Ok(answer) if answer.told == Told::Done => Ok(true),
            Ok(_) => Err(self.wrong(host)),
            Err(failure) if failure.kind == ErrorKind::Unavailable && self.poisoned.is_none() => Ok(false),
            Err(failure) => Err(failure),
        }
    }
}

fn silent(what: &str) -> Failure {
    Failure::new(ErrorKind::Crashed, format!("a worker for a session could not be had: {what}"))
}
