use crate::caps::{cap, of_session};
use skills_core::Enforcement::{Enforced, Unavailable};
use skills_core::{CapStatus, LimitName};

/// What a container engine says that its kernel holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Holds {
    pub(super) memory: bool,
    pub(super) cpu: bool,
    pub(super) processes: bool,
}

impl Holds {
    /// What each limit is worth for an interpreter in a container, of which `local` is what it holds by itself.
    pub(super) fn caps(self, local: Vec<CapStatus>) -> Vec<CapStatus> {
        let ended = "the container engine ends the container, if the script does not stop by itself";
        let grouped = |name, held| match held {
            true => cap(name, Enforced, "by the container's control group"),
            false => cap(name, Unavailable, "the container engine says that its kernel does not hold it"),
        };
        let mut caps = vec![
            cap(LimitName::Time, Enforced, ended),
            cap(LimitName::Wall, Enforced, ended),
            grouped(LimitName::Memory, self.memory),
            grouped(LimitName::Processes, self.processes),
            grouped(LimitName::CpuPercent, self.cpu),
            cap(LimitName::Disk, Enforced, "its temporary folder holds no more, and nothing else is writable"),
            cap(LimitName::FileSize, Enforced, "the kernel bounds each file"),
        ];
        caps.extend(of_session(local));
        caps.sort_by_key(|cap| cap.name);
        caps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_engine_does_not_hold_is_unavailable() {
        let caps = Holds { memory: true, cpu: false, processes: true }.caps(Vec::new());
        let status = |name| caps.iter().find(|cap| cap.name == name).unwrap().status;
        assert_eq!(status(LimitName::Memory), Enforced);
        assert_eq!(status(LimitName::CpuPercent), Unavailable);
    }
}
