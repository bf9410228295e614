use super::helper::Desk;
use super::init::Word;
use super::staying::Alive;
use super::streams::Streams;
use super::{refusals, streams};
use crate::entry::COMMAND;
use crate::zygote::{Ended, Exec, Killer, Payload, Reason, Status, Watch, Zygote, Zygotes};
use crate::{Cage, Kind, caps, layers, proxy};
use rustix::io::Errno;
use skills_core::{
    Breach, CapStatus, End, ErrorKind, Failure, Host, Interrupt, Launcher, Layer, LimitName, Program, Ran, Staying,
};
use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// Processes and threads at once where no limit says so: a program that only starts more of itself must come to an end.
const PROCESSES: u64 = 256;

/// Runs programs in confinement: each is a child of the zygote of programs.
#[derive(Debug)]
pub struct ProgramLauncher {
    zygotes: Arc<Zygotes>,
    layers: OnceLock<Vec<Layer>>,
}

impl ProgramLauncher {
    /// A launcher that starts programs from these zygotes. Starts nothing.
    pub fn new(zygotes: Arc<Zygotes>) -> ProgramLauncher {
        ProgramLauncher { zygotes, layers: OnceLock::new() }
    }
}

impl Launcher for ProgramLauncher {
    fn run(&self, program: &Program, host: &Arc<dyn Host>) -> Result<Ran, Failure> {
        host.budget().check_time()?;
        refusals::check(&program.executable)?;
        let cage = cage(program, host);
        let (mut streams, mut fds) = Streams::open(program.stdin.clone()).map_err(|error| streams::no_pipe(&error))?;
        let exec = exec(program, &cage);
        let mut desk = None;
        if program.helper {
            let (own, door) = Desk::open().map_err(|error| streams::no_pipe(&error))?;
            desk = Some(own);
            fds.push(door);
        }
        let mut child = self.zygotes.fork(COMMAND, &cage, Payload::Exec(exec), fds)?;
        let _proxy = match child.take_proxy() {
            Some(listener) => {
                let asker = Arc::clone(host);
                Some(proxy::serve(listener, &host.grants().network, move |what| asker.refused(what))?)
            }
            None => None,
        };
        let pumped = {
            let _running = host.budget().running(Arc::new(Stop(child.killer())));
            child.watch(Watch {
                memory: cage.memory,
                processes: cage.processes,
                cpu_percent: cage.cpu_percent,
                ..Watch::default()
            });
            let pumped = streams.pump(&**host, desk.as_mut());
            if pumped.is_err() {
                child.kill(Reason::Output);
            }
            pumped
        };
        let ended = child.wait();
        if let Some(verdict) = host.budget().verdict() {
            return Err(verdict.clone());
        }
        pumped?;
        let end = judge(&program.executable, &cage, &ended, streams.word(), host)?;
        Ok(Ran { end, stdout: streams.stdout, cpu: Some(ended.cpu), peak_memory: Some(ended.peak_memory) })
    }

    fn start(&self, program: &Program, host: &Arc<dyn Host>) -> Result<Box<dyn Staying>, Failure> {
        Alive::start(&self.zygotes, program, host).map(|alive| Box::new(alive) as Box<dyn Staying>)
    }

    fn layers(&self) -> Vec<Layer> {
        let probe = || Zygote::probe(self.zygotes.executable()).unwrap_or_default();
        self.layers.get_or_init(probe).clone()
    }

    fn caps(&self) -> Vec<CapStatus> {
        caps::of_programs()
    }

    fn self_test(&self) -> Result<Vec<CapStatus>, Failure> {
        let mut caps = self.caps();
        caps::Tried::out(&self.zygotes)?.correct(&mut caps);
        Ok(caps)
    }
}

/// Ends a program whose budget says so.
struct Stop(Killer);

impl Interrupt for Stop {
    fn interrupt(&self) {
        self.0.kill(Reason::Deadline);
    }
}

/// The program as its first process starts it.
pub(super) fn exec(program: &Program, cage: &Cage) -> Exec {
    let mut arguments = vec![program.executable.clone().into_os_string()];
    arguments.extend(program.arguments.iter().cloned());
    Exec {
        executable: program.executable.clone(),
        arguments,
        environment: environment(program, cage),
        helper: program.helper,
        says: program.says,
    }
}

pub(super) fn cage(program: &Program, host: &Arc<dyn Host>) -> Cage {
    let mut cage = Cage::new(host.grants(), host.budget().limits());
    cage.kind = Kind::Program;
    cage.processes = cage.processes.or(Some(PROCESSES));
    cage.directory = program.directory.clone();
    cage.needs.extend(program.needs.iter().cloned());
    // By the name that it is called by, which a program may go by: what the name leads to is shown there.
    cage.executable = Some(program.executable.clone());
    cage
}

/// The environment of a program: what it is given, and where the proxy is, if hosts were granted.
fn environment(program: &Program, cage: &Cage) -> Vec<(OsString, OsString)> {
    let mut all = program.environment.clone();
    for (name, value) in layers::environment(cage.network) {
        let given = all.iter().any(|(other, _)| *other == *name);
        if !given && name.to_lowercase().ends_with("_proxy") {
            all.push((name.into(), value.into()));
        }
    }
    all
}

/// How a program ended, or why that is no end of its own.
pub(super) fn judge(
    name: &Path,
    cage: &Cage,
    ended: &Ended,
    word: Option<Word>,
    host: &Arc<dyn Host>,
) -> Result<End, Failure> {
    let breach = |name, limit: Option<u64>| {
        let limit = limit.unwrap_or(0);
        Err(host.budget().breach(Breach { name, limit, reading: ended.reading.unwrap_or(limit) }))
    };
    match (ended.reason, word) {
        (Some(Reason::Memory), _) => breach(LimitName::Memory, cage.memory),
        (Some(Reason::Processes), _) => breach(LimitName::Processes, cage.processes),
        (_, Some(Word::NotStarted(errno))) => Err(refusals::not_started(name, Errno::from_raw_os_error(errno))),
        (_, Some(Word::Ended(status))) if libc::WIFSIGNALED(status) => match libc::WTERMSIG(status) {
            libc::SIGXFSZ if cage.file_size.is_some() => breach(LimitName::FileSize, cage.file_size),
            signal => Ok(End::Signalled(signal)),
        },
        (_, Some(Word::Ended(status))) => Ok(End::Exited(libc::WEXITSTATUS(status))),
        (_, None) => Err(lost(name, ended)),
    }
}

fn lost(name: &Path, ended: &Ended) -> Failure {
    let what = match ended.status {
        Status::Signalled(signal) => format!("something outside ended it with signal {signal}"),
        Status::Exited(code) => format!("its first process ended with code {code}"),
        Status::Lost => "the process that makes workers has ended".into(),
    };
    Failure::new(ErrorKind::Crashed, format!("{} was lost: {what}", name.display()))
}
