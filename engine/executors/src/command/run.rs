//! Starting a program, and what becomes of how it ends.

use super::{ExitMeaning, Invocation, find};
use crate::environment;
use serde_json::Value;
use skills_core::{
    Arguments, Breach, Budget, End, ErrorKind, Evaluation, Failure, Frame, FunctionSpec, Grants, Host, Language,
    Launcher, LimitName, Program, Stream, Usage, signal_name,
};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What programs are run by, and where they are looked for.
#[derive(Clone, Copy)]
pub struct Machine<'a> {
    /// Starts them, confined.
    pub launcher: &'a dyn Launcher,
    /// The folders that programs are looked for in, in this order.
    pub search: &'a [PathBuf],
}

/// Runs a program to its end. What it writes to its standard output is its value; the rest is printed as it comes.
pub fn run(invocation: &Invocation, machine: Machine<'_>, host: &Arc<dyn Host>) -> Evaluation {
    let mut usage = Usage::default();
    let result = attempt(invocation, machine, host, &mut usage);
    Evaluation { result, usage }
}

fn attempt(
    invocation: &Invocation,
    machine: Machine<'_>,
    host: &Arc<dyn Host>,
    usage: &mut Usage,
) -> Result<Value, Failure> {
    let program = program(invocation, machine, host)?;
    let apart = Apart::new(host);
    let ran = machine.launcher.run(&program, &(Arc::clone(&apart) as Arc<dyn Host>));
    let ran = ran.map_err(|failure| {
        apart.give_stdout();
        with_help(failure)
    })?;
    usage.cpu = ran.cpu;
    usage.peak_memory = ran.peak_memory;
    let judged = judge(invocation, machine.search, ran.end, &apart.kept().stderr);
    let limit = host.budget().limits().result;
    let value = judged.and_then(|()| invocation.output.value(&invocation.name, &ran.stdout, limit));
    if value.is_err() {
        apart.give_stdout();
    }
    value
}

/// What is started: the file of the program, its whole environment, where it runs and what it may read beside its grants.
pub(crate) fn program(invocation: &Invocation, machine: Machine<'_>, host: &Arc<dyn Host>) -> Result<Program, Failure> {
    let folder = invocation.folder.as_deref();
    let executable =
        find::program(&invocation.program, folder, machine.search).map_err(|failure| match invocation.is_shell() {
            true => failure.with_help("install bash, which runs inline bash and commands with `\"shell\": true`"),
            false => failure,
        })?;
    let mut needs = find::needs(&executable, machine.search);
    needs.extend(folder.map(find::resolved).filter(|folder| !skills_core::is_shared_folder(folder)));
    let mut environment = vec![
        ("PATH".to_owned(), environment::PATH.to_owned()),
        ("HOME".to_owned(), "/tmp".to_owned()),
        ("TMPDIR".to_owned(), "/tmp".to_owned()),
        ("LANG".to_owned(), "C.UTF-8".to_owned()),
    ];
    // What was granted of the host's, but for what would run other code; then the definition's own.
    let granted = host.environment().into_iter().filter(|(name, _)| !environment::is_refused(name));
    for (name, value) in granted.chain(invocation.environment.clone()) {
        environment.retain(|(taken, _)| *taken != name);
        environment.push((name, value));
    }
    let os = |text: &String| OsString::from(text);
    Ok(Program {
        executable,
        arguments: invocation.arguments.iter().map(os).collect(),
        environment: environment.iter().map(|(name, value)| (os(name), os(value))).collect(),
        directory: directory(invocation, host.grants())?,
        stdin: invocation.stdin.clone().into_bytes(),
        needs,
        helper: invocation.script.is_some(),
        says: false,
    })
}

/// Where it runs: where the definition says, from the working folder or the skill's own; else in the working folder where
/// that may be read; else in the skill's own.
fn directory(invocation: &Invocation, grants: &Grants) -> Result<Option<PathBuf>, Failure> {
    let own = invocation.folder.as_deref().map(find::resolved);
    let working = grants.working_directory.as_deref();
    let allowed =
        |path: &Path| grants.read.iter().chain(&grants.write).chain(&own).any(|granted| path.starts_with(granted));
    let Some(wanted) = &invocation.working_directory else {
        return Ok(working.filter(|path| allowed(path)).map(Path::to_path_buf).or(own));
    };
    let places = working.into_iter().chain(own.as_deref()).map(|base| normal(&base.join(wanted)));
    let absolute = Path::new(wanted).is_absolute().then(|| normal(Path::new(wanted)));
    let Some(found) = absolute.into_iter().chain(places).find(|path| find::is_folder(path)) else {
        let message = format!("the working folder `{wanted}` of `{}` is not there", invocation.name);
        return Err(Failure::new(ErrorKind::NotFound, message)
            .with_help("`working_directory` is taken from where the skill is run, else from the skill's own folder"));
    };
    let found = find::resolved(&found);
    if allowed(&found) {
        return Ok(Some(found));
    }
    let message = format!("`{}` is to run in {}, which it may not read", invocation.name, found.display());
    Err(Failure::new(ErrorKind::PermissionDenied, message).with_help(format!(
        "the definition asks for it by `\"file_read\": [{wanted:?}]`, and whoever runs it allows it by `--allow-read {}`",
        found.display()
    )))
}

/// A path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(out.pop()),
            part => out.push(part),
        }
    }
    out
}

/// Whether how it ended is a success, and if not, why.
pub(crate) fn judge(invocation: &Invocation, search: &[PathBuf], end: End, stderr: &str) -> Result<(), Failure> {
    let name = &invocation.name;
    let code = match end {
        End::Exited(code) => code,
        End::Signalled(signal) => {
            let message = format!("`{name}` was killed by {}", signal_name(signal));
            return Err(Failure::new(ErrorKind::Crashed, with_last_line(message, stderr)));
        }
        _ => return Err(Failure::new(ErrorKind::Crashed, format!("`{name}` ended in an unknown way"))),
    };
    match invocation.exit_codes.get(&code) {
        Some(ExitMeaning::Success) => return Ok(()),
        Some(ExitMeaning::Failure(why)) => {
            return Err(Failure::new(ErrorKind::ScriptError, format!("`{name}`: {why}")));
        }
        None if code == 0 => return Ok(()),
        None => {}
    }
    let ended = match code - 128 {
        signal @ 1..=64 if invocation.is_shell() => {
            format!("`{name}` ended with exit code {code}: {} killed what it ran", signal_name(signal))
        }
        _ => format!("`{name}` ended with exit code {code}"),
    };
    let mut failure = Failure::new(ErrorKind::ScriptError, with_last_line(ended, stderr));
    failure.help = missing_grant(invocation, search, stderr).or_else(|| no_network(invocation, code, stderr));
    if let Some(script) = &invocation.script {
        let frame = place(&script.file, stderr).map(|line| Frame {
            file: script.file.clone(),
            line,
            source: script.line(line).map(str::to_owned),
            ..Frame::default()
        });
        failure = failure.in_script(Language::Bash, frame.into_iter().collect());
    }
    Err(failure)
}

/// The message with the end of what was written to standard error.
pub(crate) fn with_last_line(message: String, stderr: &str) -> String {
    match stderr.lines().rev().find(|line| !line.trim().is_empty()) {
        Some(last) => format!("{message}: {}", last.trim().chars().take(400).collect::<String>()),
        None => message,
    }
}

/// The line that bash names last: `FILE: line 3: …`.
fn place(file: &str, stderr: &str) -> Option<u32> {
    stderr.lines().rev().find_map(|line| {
        let rest = line.strip_prefix(file)?.strip_prefix(": ")?;
        let rest = rest.strip_prefix("-c: ").unwrap_or(rest);
        rest.strip_prefix("line ")?.split(':').next()?.parse().ok()
    })
}

/// Which grant is missing, where a shell says that it could not start a program that the machine has.
fn missing_grant(invocation: &Invocation, search: &[PathBuf], stderr: &str) -> Option<String> {
    if !invocation.is_shell() {
        return None;
    }
    let last = stderr.lines().rev().find(|line| !line.trim().is_empty())?;
    let (what, program) = if last.contains("fork:") || last.contains("cannot make pipe") {
        ("pipes, `&` and `$(…)` start processes".to_owned(), "PROGRAM")
    } else {
        let reasons =
            ["command not found", "Permission denied", "Operation not permitted", "No such file or directory"];
        let named = reasons.iter().find_map(|reason| last.strip_suffix(reason)?.strip_suffix(": "))?;
        let program = named.rsplit(": ").next()?;
        let there = find::program(program, invocation.folder.as_deref(), search).is_ok();
        (there.then(|| format!("`{program}` is installed, but may not be started"))?, program)
    };
    Some(format!(
        "{what}: the definition asks for it by `\"process_spawn\": [\"{program}\"]`, and whoever runs it allows it by \
         `--allow-run {program}`"
    ))
}

/// What to do where a program could not reach the network: it says so, or it is curl, which ends with a code of its own.
fn no_network(invocation: &Invocation, code: i32, stderr: &str) -> Option<String> {
    const SAID: [&str; 5] = [
        "Could not resolve host",
        "name resolution",
        "Name or service not known",
        "Network is unreachable",
        "unable to resolve host",
    ];
    let starts_curl = |text: &String| text.split(|c: char| !c.is_alphanumeric()).any(|word| word == "curl");
    let curl =
        matches!(code, 6 | 7) && (starts_curl(&invocation.program) || invocation.arguments.iter().any(starts_curl));
    (curl || SAID.iter().any(|said| stderr.contains(said))).then(|| {
        "what is not granted of the network is out of reach: the definition asks for it by `\"network_access\": [\"HOST\"]`, \
         and whoever runs it allows it by `--allow-net HOST`"
            .to_owned()
    })
}

/// Adds what to do to a failure of the launcher that has no help of its own.
fn with_help(failure: Failure) -> Failure {
    match failure.limit.map(|breach| breach.name) {
        Some(LimitName::Output) if failure.help.is_none() => {
            failure.with_help("what a program prints is its value; `--max-output` allows more")
        }
        _ => failure,
    }
}

/// The most of standard error that is kept for an error's message, in bytes.
const KEPT: usize = 4096;

#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The host as a program sees it: what it writes to its standard output is its value, and is printed only where there is
/// no value.
pub(crate) struct Apart {
    pub(crate) inner: Arc<dyn Host>,
    kept: Mutex<Kept>,
    /// Whether what is written to standard error is printed as it comes.
    prints: bool,
}

impl Apart {
    pub(crate) fn new(host: &Arc<dyn Host>) -> Arc<Apart> {
        Arc::new(Apart { inner: Arc::clone(host), kept: Mutex::default(), prints: true })
    }

    /// One that keeps what is written to standard error, and prints none of it.
    pub(crate) fn silent(host: &Arc<dyn Host>) -> Arc<Apart> {
        Arc::new(Apart { inner: Arc::clone(host), kept: Mutex::default(), prints: false })
    }

    pub(crate) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prints what the program wrote, so that it is not lost with the value.
    pub(crate) fn give_stdout(&self) {
        let stdout = std::mem::take(&mut self.kept().stdout);
        if !stdout.is_empty() {
            // It fitted under the limit as it came.
            drop(self.inner.print(Stream::Stdout, &stdout));
        }
    }
}

impl Host for Apart {
    fn functions(&self) -> &Arc<[FunctionSpec]> {
        self.inner.functions()
    }

    fn is_global(&self, index: usize) -> bool {
        self.inner.is_global(index)
    }

    fn call(&self, index: usize, arguments: Arguments) -> Result<Value, Failure> {
        self.inner.call(index, arguments)
    }

    fn print(&self, stream: Stream, text: &str) -> Result<(), Failure> {
        let mut kept = self.kept();
        if stream == Stream::Stderr {
            kept.stderr.push_str(text);
            let mut cut = kept.stderr.len().saturating_sub(KEPT);
            while !kept.stderr.is_char_boundary(cut) {
                cut += 1;
            }
            kept.stderr.drain(..cut);
            drop(kept);
            return if self.prints { self.inner.print(stream, text) } else { Ok(()) };
        }
        let budget = self.inner.budget();
        let reading = budget.output() + (kept.stdout.len() + text.len()) as u64;
        match budget.limits().output {
            Some(limit) if reading > limit => {
                let fits = limit.saturating_sub(budget.output() + kept.stdout.len() as u64);
                let mut fits = usize::try_from(fits).unwrap_or(usize::MAX).min(text.len());
                while !text.is_char_boundary(fits) {
                    fits -= 1;
                }
                kept.stdout.push_str(&text[..fits]);
                Err(budget.breach(Breach { name: LimitName::Output, limit, reading }))
            }
            _ => {
                kept.stdout.push_str(text);
                Ok(())
            }
        }
    }

    fn budget(&self) -> &Arc<Budget> {
        self.inner.budget()
    }

    fn grants(&self) -> &Grants {
        self.inner.grants()
    }

    fn environment(&self) -> Vec<(String, String)> {
        self.inner.environment()
    }
}
