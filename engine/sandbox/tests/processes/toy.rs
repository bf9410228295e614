//! An interpreter of tests: each cell is one command.

use serde_json::{Map, Value, json};
use skills_core::{
    Arguments, CapStatus, Cell, Completion, Completions, ErrorKind, Evaluated, Evaluation, Failure, Host, Inspection,
    Interpreter, Interrupt, Language, Lost, NameKind, Script, Session, Shown, Signature, Snapshot, Stream, Usage,
    Variable,
};
use skills_sandbox::frame::{FromWorker, MOST_PART, Packed, Told};
use std::io::Write;
use std::os::fd::{BorrowedFd, IntoRawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub(crate) struct Toy;

/// Its namespace, and how many requests it has answered.
#[derive(Default)]
struct Toys {
    variables: Map<String, Value>,
    requests: u64,
    reusable: bool,
}

/// How far a thread has counted that was left running.
static COUNTED: AtomicU64 = AtomicU64::new(0);

impl Interpreter for Toy {
    fn languages(&self) -> &[Language] {
        &[Language::Rhai]
    }

    fn open(&self, _host: &Arc<dyn Host>) -> Result<Box<dyn Session>, Failure> {
        Ok(Box::new(Toys { reusable: true, ..Toys::default() }))
    }

    fn forks_sessions(&self) -> bool {
        true
    }

    fn signature(&self, _script: &Script) -> Option<Signature> {
        None
    }

    fn self_test(&self) -> Result<Vec<CapStatus>, Failure> {
        Ok(Vec::new())
    }

    fn caps(&self) -> Vec<CapStatus> {
        Vec::new()
    }
}

struct Nothing;

impl Interrupt for Nothing {
    fn interrupt(&self) {}
}

/// Does something to a process that would end it, or could; gives the error.
fn reach(how: &str, process: libc::pid_t) -> i32 {
    let kill = libc::SIGKILL;
    let limit = libc::rlimit { rlim_cur: 1 << 30, rlim_max: 1 << 30 };
    // SAFETY: what is passed outlives the calls.
    let done = unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        info.si_code = libc::SI_QUEUE;
        let queued = &raw const info;
        let mask = 1_u64;
        match how {
            "kill" => libc::syscall(libc::SYS_kill, process, kill),
            "tkill" => libc::syscall(libc::SYS_tkill, process, kill),
            "tgkill" => libc::syscall(libc::SYS_tgkill, process, process, kill),
            "queue" => libc::syscall(libc::SYS_rt_sigqueueinfo, process, kill, queued),
            "tgqueue" => libc::syscall(libc::SYS_rt_tgsigqueueinfo, process, process, kill, queued),
            "pidfd" => {
                let fd = libc::syscall(libc::SYS_pidfd_open, process, 0);
                libc::syscall(libc::SYS_pidfd_send_signal, fd, kill, 0, 0)
            }
            "limit" => libc::syscall(libc::SYS_prlimit64, process, libc::RLIMIT_FSIZE, &raw const limit, 0),
            "pin" => libc::syscall(libc::SYS_sched_setaffinity, process, size_of_val(&mask), &raw const mask),
            "slow" => libc::syscall(libc::SYS_setpriority, libc::PRIO_PROCESS, process, 19),
            "all" => libc::syscall(libc::SYS_setpriority, libc::PRIO_USER, 0, 19),
            "own" => libc::syscall(libc::SYS_fcntl, 0, libc::F_SETOWN, process),
            "look" => libc::syscall(libc::SYS_kill, process, 0),
            "shown" => libc::syscall(libc::SYS_prctl, libc::PR_SET_DUMPABLE, 1, 0, 0, 0),
            other => panic!("no such way: {other}"),
        }
    };
    if done == -1 { std::io::Error::last_os_error().raw_os_error().unwrap() } else { 0 }
}

impl Toys {
    fn command(&mut self, source: &str, host: &Arc<dyn Host>) -> Result<Value, Failure> {
        let (word, rest) = source.split_once(' ').unwrap_or((source, ""));
        match word {
            "" => Ok(Value::Null),
            "set" => {
                let (name, value) = rest.split_once(' ').unwrap();
                self.variables.insert(name.to_owned(), serde_json::from_str(value).unwrap());
                Ok(Value::Null)
            }
            "get" => Ok(self.variables.get(rest).cloned().unwrap_or_default()),
            "raise" => Err(Failure::new(ErrorKind::ScriptError, "Oops: as told")),
            "print" => host.print(Stream::Stdout, rest).map(|()| Value::Null),
            "call" => host.call(0, Arguments::positional([json!(rest)])),
            "later" => {
                let (host, rest) = (Arc::clone(host), rest.to_owned());
                std::thread::spawn(move || {
                    for _ in 0..2000 {
                        let _ = host.print(Stream::Stdout, &rest);
                        let _ = host.call(0, Arguments::positional([json!(1)]));
                    }
                });
                Ok(Value::Null)
            }
            "spin" => {
                let _running = host.budget().running(Arc::new(Nothing));
                while !host.budget().stopping() {
                    std::hint::spin_loop();
                }
                Err(Failure::new(ErrorKind::ScriptError, "Stopped: while it spun"))
            }
            "deaf" => loop {
                std::thread::sleep(Duration::from_millis(1));
            },
            "hold" => {
                let size = rest.parse::<usize>().unwrap() << 20;
                Ok(json!(Vec::leak(vec![1_u8; size]).len()))
            }
            "exit" => std::process::exit(rest.parse().unwrap()),
            "doubt" => {
                self.reusable = false;
                Ok(Value::Null)
            }
            "linger" => {
                std::thread::spawn(|| std::thread::sleep(Duration::from_secs(3600)));
                Ok(Value::Null)
            }
            "fork" => {
                // SAFETY: where a copy comes of it, that ends at once.
                match unsafe { libc::fork() } {
                    -1 => Ok(json!(std::io::Error::last_os_error().raw_os_error())),
                    0 => unsafe { libc::_exit(0) },
                    _ => Ok(json!("forked")),
                }
            }
            "grab" => {
                // Whenever somebody may fork, this one tries to.
                let until = std::time::Instant::now() + Duration::from_millis(rest.parse().unwrap());
                let mut forks = 0;
                while std::time::Instant::now() < until {
                    // SAFETY: where a copy comes of it, that ends at once.
                    match unsafe { libc::fork() } {
                        -1 => {}
                        0 => unsafe { libc::_exit(0) },
                        _ => forks += 1,
                    }
                }
                Ok(json!(forks))
            }
            "reach" => {
                let (how, process) = rest.split_once(' ').unwrap();
                Ok(json!(reach(how, process.parse().unwrap())))
            }
            "count" => {
                std::thread::spawn(|| {
                    loop {
                        COUNTED.fetch_add(1, Ordering::Relaxed);
                    }
                });
                Ok(Value::Null)
            }
            "counted" => Ok(json!(COUNTED.load(Ordering::Relaxed))),
            "sprout" => {
                let started = std::process::Command::new("/bin/sh").args(["-c", rest]).spawn();
                Ok(json!(started.map(std::mem::forget).is_ok()))
            }
            "start" => Ok(json!(std::process::Command::new("/bin/true").status().is_ok())),
            "peek" => Ok(json!(std::fs::File::open(format!("/proc/{rest}/mem")).is_ok())),
            "trace" => {
                let process: libc::pid_t = rest.parse().unwrap();
                // SAFETY: no memory is passed.
                let traced = unsafe { libc::ptrace(libc::PTRACE_SEIZE, process, 0, 0) };
                Ok(json!(traced == 0))
            }
            "nap" => {
                std::thread::sleep(Duration::from_millis(50));
                Ok(Value::Null)
            }
            "id" => Ok(json!(std::process::id())),
            "parent" => Ok(json!(std::os::unix::process::parent_id())),
            "lie" => self.lie(rest),
            other => panic!("no such command: {other}"),
        }
    }

    /// Says what no worker should, over the worker's own socket.
    fn lie(&self, what: &str) -> Result<Value, Failure> {
        let run = self.requests;
        let packed = |length| {
            Told::Snapshot(Packed { language: Language::Rhai, format: "toy".into(), lost: Vec::new(), length })
        };
        let told = |result| FromWorker::Told { run, result: Ok(result), operations: None, reusable: true };
        let frames = match what {
            "kind" => vec![told(Told::Done)],
            "run" => vec![FromWorker::Told { run: run + 1, result: Ok(Told::Done), operations: None, reusable: true }],
            "answer" => vec![FromWorker::Answer { run, result: Ok(json!(1)), operations: None, reusable: true }],
            "part" => vec![FromWorker::Part { run, bytes: vec![1] }],
            "twice" => vec![told(Told::Evaluated(json!(1), None)), told(Told::Evaluated(json!(2), None))],
            "length" => vec![told(packed(77))],
            "parts" => (0..300).map(|_| FromWorker::Part { run, bytes: vec![0; MOST_PART] }).collect(),
            _ => Vec::new(),
        };
        let socket = (3..20)
            // SAFETY: a descriptor that is not open is refused by the kernel.
            .map(|fd| unsafe { BorrowedFd::borrow_raw(fd) })
            .find(|fd| rustix::net::sockopt::socket_type(fd).is_ok_and(|kind| kind == rustix::net::SocketType::STREAM))
            .unwrap();
        let mut socket = UnixStream::from(socket.try_clone_to_owned().unwrap());
        for frame in &frames {
            socket.write_all(&frame.encode().unwrap()).unwrap();
        }
        if what == "bytes" {
            socket.write_all(&[9, 0, 0, 0, 21, 1, 0, 1, 1, 1, 0xff, 0xff, 0xff]).unwrap();
        }
        let _ = socket.into_raw_fd();
        loop {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Session for Toys {
    fn run(&mut self, script: &Arc<Script>, _params: &Value, host: &Arc<dyn Host>) -> Evaluation {
        self.requests += 1;
        let result = if script.source == "1" { Ok(json!(1)) } else { self.command(&script.source, host) };
        Evaluation { result, usage: Usage::default() }
    }

    fn reusable(&self) -> bool {
        self.reusable
    }

    fn eval(&mut self, cell: &Cell, host: &Arc<dyn Host>) -> Evaluated {
        self.requests += 1;
        let result = self.command(&cell.script.source, host);
        let shown = result.as_ref().ok().filter(|value| !value.is_null()).map(|value| Shown {
            type_name: "toy".into(),
            text: value.to_string(),
            ..Shown::default()
        });
        Evaluated { evaluation: Evaluation { result, usage: Usage::default() }, shown }
    }

    fn variables(&mut self, _host: &Arc<dyn Host>) -> Result<Vec<Variable>, Failure> {
        self.requests += 1;
        let variable = |(name, value): (&String, &Value)| Variable {
            name: name.clone(),
            kind: NameKind::Value,
            type_name: "toy".into(),
            shown: value.to_string(),
            size: Some(8),
        };
        let many = self.variables.get("many").and_then(Value::as_u64).unwrap_or(0);
        let more = (0..many).map(|n| (format!("x{n}"), json!("y".repeat(1000))));
        Ok(self.variables.iter().map(variable).chain(more.collect::<Map<_, _>>().iter().map(variable)).collect())
    }

    fn get(&mut self, name: &str, _host: &Arc<dyn Host>) -> Result<Value, Failure> {
        self.requests += 1;
        self.variables.get(name).cloned().ok_or_else(|| Failure::new(ErrorKind::NotFound, format!("no {name}")))
    }

    fn set(&mut self, name: &str, value: &Value, _host: &Arc<dyn Host>) -> Result<(), Failure> {
        self.requests += 1;
        self.variables.insert(name.to_owned(), value.clone());
        Ok(())
    }

    fn complete(&mut self, text: &str, cursor: usize, _host: &Arc<dyn Host>) -> Result<Completions, Failure> {
        self.requests += 1;
        let from = if text == "é" { 1 } else { cursor };
        let item = |name: &String| Completion { text: name.clone(), kind: NameKind::Value };
        Ok(Completions { from, items: self.variables.keys().map(item).collect() })
    }

    fn inspect(&mut self, path: &str, _host: &Arc<dyn Host>) -> Result<Inspection, Failure> {
        self.requests += 1;
        Ok(Inspection { doc: Some(format!("about {path}")), ..Inspection::default() })
    }

    fn snapshot(&mut self, host: &Arc<dyn Host>) -> Result<Snapshot, Failure> {
        self.requests += 1;
        if let Some(lie) = self.variables.get("lie").and_then(Value::as_str) {
            self.lie(lie)?;
        }
        if self.variables.contains_key("spin") {
            self.command("spin", host)?;
        }
        let mut bytes = serde_json::to_vec(&self.variables).unwrap();
        // Blanks are as good to whoever reads it.
        let padding = self.variables.get("padding").and_then(Value::as_u64).unwrap_or(0);
        bytes.resize(bytes.len() + ((padding as usize) << 20), b' ');
        let lost = vec![Lost { name: "toys".into(), why: "they break".into() }];
        Ok(Snapshot { language: Language::Rhai, format: "toy".into(), bytes, lost })
    }

    fn restore(&mut self, snapshot: &Snapshot, _host: &Arc<dyn Host>) -> Result<Vec<Lost>, Failure> {
        self.requests += 1;
        self.variables = serde_json::from_slice(&snapshot.bytes)
            .map_err(|error| Failure::new(ErrorKind::InvalidArguments, error.to_string()))?;
        Ok(snapshot.lost.clone())
    }
}
