//! A zygote and its workers, as small as they can be.

use skills_sandbox::layers::{Base, Fault, enter_without, settle};
use skills_sandbox::{Cage, Kind, LayerName};
use std::error::Error;
use std::ffi::CString;
use std::io::{PipeWriter, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::path::PathBuf;
use std::time::Instant;

/// What is asked for.
#[derive(Debug, serde::Deserialize)]
struct Request {
    cage: Cage,
    #[serde(default)]
    actions: Vec<Vec<String>>,
    #[serde(default)]
    needs: Vec<PathBuf>,
    /// A program with its arguments.
    #[serde(default)]
    run: Vec<String>,
    /// How often to fork and confine, to measure it.
    #[serde(default)]
    rounds: u32,
    /// A file that is open when the process is confined, as descriptor 50.
    #[serde(default)]
    inherited: Option<PathBuf>,
    /// Whom to be, where the caller is root.
    #[serde(default)]
    user: Option<u32>,
}

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let text = std::env::args().nth(1).ok_or("no request")?;
    if text == "probe" {
        for (layer, status, detail) in skills_sandbox::layers::probe_in_child().0 {
            println!("{}", serde_json::json!({"layer": layer, "status": status, "detail": detail}));
        }
        return Ok(());
    }
    let request: Request = serde_json::from_str(&text)?;
    if let Some(path) = &request.inherited {
        let file = std::fs::File::open(path)?;
        // SAFETY: descriptor 50 is nobody's.
        unsafe { libc::dup2(file.as_raw_fd(), 50) };
    }
    if let Some(user) = request.user {
        // SAFETY: only numbers are passed, and no group; this program has one thread.
        let changed = unsafe {
            libc::setgroups(0, std::ptr::null()) == 0
                && libc::setresgid(user, user, user) == 0
                && libc::setresuid(user, user, user) == 0
                // As a program that this user has started: its own files in /proc are its own.
                && libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0) == 0
        };
        if !changed {
            return Err(format!("becoming user {user}: {}", std::io::Error::last_os_error()).into());
        }
    }
    // The worker's own process namespace is what is left out, where it is: that of the zygote is how it is ended.
    let without: Vec<_> =
        request.cage.without.iter().copied().filter(|layer| *layer != LayerName::PidNamespace).collect();
    or_fault(enter_without(&without));
    let code = in_fork(|| ended(zygote(&request)));
    std::process::exit(code);
}

/// The exit code of a fork that has one, or that could not do what it was to do.
fn ended(done: Result<i32, Box<dyn Error>>) -> i32 {
    done.unwrap_or_else(|error| {
        eprintln!("caged: {error}");
        125
    })
}

fn zygote(request: &Request) -> Result<i32, Box<dyn Error>> {
    let tree = !request.cage.without.contains(&LayerName::MountNamespace);
    let base = or_fault(if tree { Base::prepare(&request.needs) } else { Base::without_tree() });
    let own = std::fs::File::open("/proc/self/ns/pid")?;
    let rounds = request.rounds.max(1);
    let start = Instant::now();
    let (mut code, mut confining) = (0, 0);
    for _ in 0..rounds {
        if !request.cage.without.contains(&LayerName::PidNamespace) {
            // SAFETY: concerns the next children only.
            if unsafe { libc::unshare(libc::CLONE_NEWPID) } != 0 {
                return Err(format!("unshare: {}", std::io::Error::last_os_error()).into());
            }
        }
        let (mut reader, writer) = std::io::pipe()?;
        code = in_fork(|| ended(worker(&base, request, &writer)));
        drop(writer);
        let mut took = [0; 8];
        if reader.read_exact(&mut took).is_ok() {
            confining += u64::from_ne_bytes(took);
        }
        // SAFETY: as above, back to our own.
        unsafe { libc::setns(own.as_raw_fd(), libc::CLONE_NEWPID) };
    }
    if request.rounds > 0 {
        let rounds = u64::from(rounds);
        let all = start.elapsed().as_micros() as u64;
        println!("{}", serde_json::json!({"fork_to_end_us": all / rounds, "confine_us": confining / 1000 / rounds}));
    }
    Ok(code)
}

fn worker(base: &Base, request: &Request, told: &PipeWriter) -> Result<i32, Box<dyn Error>> {
    let start = Instant::now();
    let confined = or_fault(base.confine(&request.cage, &[told.as_fd()]));
    let took = start.elapsed().as_nanos() as u64;
    (&mut &*told).write_all(&took.to_ne_bytes())?;
    if request.rounds > 0 {
        return Ok(0);
    }
    // As a worker does once its interpreter is ready: until then it may reserve more than its memory.
    if let (Kind::Interpreter, Some(memory), false) =
        (request.cage.kind, request.cage.memory, request.cage.without.contains(&LayerName::Rlimits))
    {
        settle(memory);
    }
    for action in &request.actions {
        let words: Vec<&str> = action.iter().map(String::as_str).collect();
        let line = match super::actions::act(&words) {
            Ok(got) => serde_json::json!({"action": words[0], "got": got}),
            Err(error) => serde_json::json!({"action": words[0], "error": error}),
        };
        println!("{line}");
    }
    if !request.run.is_empty() {
        let words = request.run.iter().map(|word| CString::new(word.as_str())).collect::<Result<Vec<_>, _>>()?;
        let mut pointers: Vec<_> = words.iter().map(|word| word.as_ptr()).collect();
        pointers.push(std::ptr::null());
        or_fault(confined.before_program());
        // SAFETY: a list of terminated strings that ends with nothing.
        unsafe { libc::execv(pointers[0], pointers.as_ptr()) };
        eprintln!("exec: {}", std::io::Error::last_os_error());
        return Ok(127);
    }
    Ok(0)
}

/// Does something in a fork, and gives its exit code, or 128 and the signal that ended it.
pub(crate) fn in_fork(child: impl FnOnce() -> i32) -> i32 {
    // SAFETY: this program has one thread.
    match unsafe { libc::fork() } {
        0 => {
            let code = child();
            // SAFETY: ends the process at once; what it had to say is said.
            unsafe { libc::_exit(code) }
        }
        pid if pid > 0 => {
            let mut status = 0;
            // SAFETY: waits for our own child.
            unsafe { libc::waitpid(pid, &raw mut status, 0) };
            if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 128 + libc::WTERMSIG(status) }
        }
        _ => {
            println!("{}", serde_json::json!({"action": "fork", "error": std::io::Error::last_os_error().to_string()}));
            126
        }
    }
}

fn or_fault<T>(result: Result<T, Fault>) -> T {
    result.unwrap_or_else(|fault| {
        println!("{}", serde_json::json!({"fault": fault}));
        // SAFETY: ends the process at once.
        unsafe { libc::_exit(3) }
    })
}
