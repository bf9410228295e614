use crate::zygote::{Child, Ended, Reason, Watch};
#[cfg(feature = "container")]
use crate::{
    container::{Container, ContainerEnd},
    zygote::Status,
};
#[cfg(feature = "container")]
use std::sync::OnceLock;
use std::time::Duration;

/// The process at the other end of a line.
#[derive(Debug)]
pub(crate) enum Process {
    /// A fork of a zygote.
    Child(Child),
    /// The first process of a container.
    #[cfg(feature = "container")]
    Contained(Contained),
}

/// A container, and why it was ended.
#[cfg(feature = "container")]
#[derive(Debug)]
pub(crate) struct Contained {
    container: Container,
    reason: OnceLock<Reason>,
    ended: OnceLock<Ended>,
}

#[cfg(feature = "container")]
impl Contained {
    pub(crate) fn new(container: Container) -> Contained {
        Contained { container, reason: OnceLock::new(), ended: OnceLock::new() }
    }

    fn wait(&self) -> Ended {
        *self.ended.get_or_init(|| {
            let ContainerEnd { code, out_of_memory } =
                self.container.wait().unwrap_or(ContainerEnd { code: None, out_of_memory: false });
            let status = match code {
                None => Status::Lost,
                Some(code @ 129..=192) => Status::Signalled(code as i32 - 128),
                Some(code) => Status::Exited(i32::try_from(code).unwrap_or(i32::MAX)),
            };
            let reason = if out_of_memory { Some(Reason::Memory) } else { self.reason.get().copied() };
            // The engine tells neither once the container has ended.
            Ended { status, reason, reading: None, cpu: Duration::ZERO, peak_memory: 0 }
        })
    }
}

impl Process {
    /// Its number on this machine, where it has one.
    pub(crate) fn id(&self) -> Option<u32> {
        match self {
            Process::Child(child) => Some(child.id()),
            #[cfg(feature = "container")]
            Process::Contained(_) => None,
        }
    }

    /// Ends it and all that it started; the first reason stays.
    pub(crate) fn kill(&self, reason: Reason) {
        match self {
            Process::Child(child) => child.kill(reason),
            #[cfg(feature = "container")]
            Process::Contained(contained) => {
                contained.reason.get_or_init(|| reason);
                contained.container.kill();
            }
        }
    }

    /// Waits until it has ended.
    pub(crate) fn wait(&self) -> Ended {
        match self {
            Process::Child(child) => child.wait(),
            #[cfg(feature = "container")]
            Process::Contained(contained) => contained.wait(),
        }
    }

    /// Whether it is there.
    pub(crate) fn is_alive(&self) -> bool {
        match self {
            Process::Child(child) => child.wait_for(Duration::ZERO).is_none(),
            #[cfg(feature = "container")]
            Process::Contained(contained) => contained.ended.get().is_none(),
        }
    }

    /// Holds it to this from now on. A container's limits are its engine's.
    pub(crate) fn watch(&self, watch: Watch) {
        match self {
            Process::Child(child) => child.watch(watch),
            #[cfg(feature = "container")]
            Process::Contained(_) => {}
        }
    }

    /// Lets it be.
    pub(crate) fn unwatch(&self) {
        match self {
            Process::Child(child) => child.unwatch(),
            #[cfg(feature = "container")]
            Process::Contained(_) => {}
        }
    }

    /// Nothing runs in it until it [stirs](Process::stir). A container lives for one run.
    pub(crate) fn rest(&self) {
        match self {
            Process::Child(child) => child.rest(),
            #[cfg(feature = "container")]
            Process::Contained(_) => {}
        }
    }

    /// Something is going to run in it.
    pub(crate) fn stir(&self) {
        match self {
            Process::Child(child) => child.stir(),
            #[cfg(feature = "container")]
            Process::Contained(_) => {}
        }
    }

    /// The memory that it holds now, in bytes, without what files back; 0 where that is not known.
    pub(crate) fn memory(&self) -> u64 {
        match self {
            Process::Child(child) => child.memory(),
            #[cfg(feature = "container")]
            Process::Contained(_) => 0,
        }
    }

    /// The most that it held at once, with what files back; 0 where that is not known.
    pub(crate) fn peak(&self) -> u64 {
        match self {
            Process::Child(child) => child.peak(),
            #[cfg(feature = "container")]
            Process::Contained(contained) => contained.container.used().map_or(0, |(_, memory)| memory),
        }
    }

    /// The processor time that it has used; `None` where that is not known.
    pub(crate) fn cpu(&self) -> Option<Duration> {
        match self {
            Process::Child(child) => super::session::cpu(child.id()),
            #[cfg(feature = "container")]
            Process::Contained(contained) => Some(contained.container.used()?.0),
        }
    }

    /// The most memory that a watch has seen since it was asked last; 0 where none has looked.
    pub(crate) fn take_peak(&self) -> u64 {
        match self {
            Process::Child(child) => child.take_peak(),
            #[cfg(feature = "container")]
            Process::Contained(_) => 0,
        }
    }
}
