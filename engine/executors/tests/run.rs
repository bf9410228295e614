//! Programs and scripts run to their end, by a launcher that confines nothing: what becomes of how they end.

#![cfg(unix)]
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a launcher for tests starts processes, and writes the programs that it starts"
)]

use serde_json::{Map, Value, json};
use skills_core::{
    Arguments, Budget, CapStatus, End, ErrorKind, Failure, FunctionSpec, Grants, Host, Language, Launcher, Layer,
    LimitName, Limits, Program, Ran, Script, Stream,
};
use skills_executors::{Call, CommandSpec, ExitMeaning, Invocation, Machine, OutputForm, Stdin, run};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

struct TestHost {
    budget: Arc<Budget>,
    grants: Grants,
    printed: Mutex<[String; 2]>,
}

impl Host for TestHost {
    fn functions(&self) -> &Arc<[FunctionSpec]> {
        static NONE: std::sync::LazyLock<Arc<[FunctionSpec]>> = std::sync::LazyLock::new(|| [].into());
        &NONE
    }

    fn is_global(&self, _: usize) -> bool {
        false
    }

    fn call(&self, _: usize, _: Arguments) -> Result<Value, Failure> {
        Ok(Value::Null)
    }

    fn print(&self, stream: Stream, text: &str) -> Result<(), Failure> {
        self.budget.charge_output(text.len() as u64)?;
        self.printed.lock().unwrap()[usize::from(stream == Stream::Stderr)].push_str(text);
        Ok(())
    }

    fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    fn grants(&self) -> &Grants {
        &self.grants
    }

    fn environment(&self) -> Vec<(String, String)> {
        self.grants.environment.iter().map(|name| (name.clone(), "granted".to_owned())).collect()
    }
}

/// Starts programs as they are, and remembers what it was given.
#[derive(Default)]
struct Plain(Mutex<Program>);

impl Launcher for Plain {
    fn run(&self, program: &Program, host: &Arc<dyn Host>) -> Result<Ran, Failure> {
        *self.0.lock().unwrap() = program.clone();
        let mut child = Command::new(&program.executable)
            .args(&program.arguments)
            .env_clear()
            .envs(program.environment.clone())
            .current_dir(program.directory.as_deref().unwrap_or(Path::new("/")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdin.take().unwrap().write_all(&program.stdin));
        let output = child.wait_with_output().unwrap();
        host.print(Stream::Stdout, &String::from_utf8_lossy(&output.stdout))?;
        host.print(Stream::Stderr, &String::from_utf8_lossy(&output.stderr))?;
        let end = match output.status.code() {
            Some(code) => End::Exited(code),
            None => End::Signalled(output.status.signal().unwrap()),
        };
        Ok(Ran { end, stdout: output.stdout, cpu: None, peak_memory: Some(7) })
    }

    fn layers(&self) -> Vec<Layer> {
        Vec::new()
    }

    fn caps(&self) -> Vec<CapStatus> {
        Vec::new()
    }
}

struct Done {
    result: Result<Value, Failure>,
    stdout: String,
    stderr: String,
    program: Program,
}

impl Done {
    #[track_caller]
    fn fails(&self, kind: ErrorKind, message: &str) -> &Failure {
        let failure = self.result.as_ref().unwrap_err();
        assert_eq!(failure.kind, kind, "{failure:?}");
        assert!(failure.message.contains(message), "{failure:?}");
        failure
    }
}

fn within(invocation: &Invocation, grants: Grants, limits: Limits) -> Done {
    let host = Arc::new(TestHost { budget: Budget::new(limits), grants, printed: Mutex::default() });
    let launcher = Plain::default();
    let search = ["/usr/bin", "/bin"].map(PathBuf::from);
    let machine = Machine { launcher: &launcher, search: &search };
    let evaluation = run(invocation, machine, &(Arc::clone(&host) as Arc<dyn Host>));
    let [stdout, stderr] = host.printed.lock().unwrap().clone();
    let program = launcher.0.lock().unwrap().clone();
    Done { result: evaluation.result, stdout, stderr, program }
}

fn done(invocation: &Invocation) -> Done {
    within(invocation, Grants::default(), Limits::none())
}

fn invocation(spec: &CommandSpec, arguments: Value, output: OutputForm, folder: Option<&Path>) -> Invocation {
    let parameters = ["x"];
    let arguments = arguments.as_object().unwrap();
    Call { skill: "skill", parameters: &parameters, arguments, folder, output }.command(spec).unwrap()
}

fn command(program: &str, args: &[&str]) -> CommandSpec {
    let args = args.iter().map(|arg| (*arg).to_owned()).collect();
    CommandSpec { command: program.to_owned(), args, ..CommandSpec::default() }
}

fn shell(source: &str) -> CommandSpec {
    CommandSpec { shell: true, ..command(source, &[]) }
}

fn bash(source: &str, arguments: Value) -> Invocation {
    let script = Script { language: Language::Bash, file: "skill.sh".into(), source: source.into() };
    let arguments: &Map<String, Value> = arguments.as_object().unwrap();
    let call = Call { skill: "skill", parameters: &["x"], arguments, folder: None, output: OutputForm::Text };
    call.bash(&Arc::new(script)).unwrap()
}

/// A program of these lines in a folder of its own.
fn program(lines: &str) -> (tempfile::TempDir, CommandSpec) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tool");
    std::fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    (folder, command("./tool", &[]))
}

#[test]
fn what_a_program_prints_is_its_value_and_not_printed_again() {
    let done = done(&invocation(&command("printf", &["a {x}\\n"]), json!({"x": "b"}), OutputForm::Text, None));
    assert_eq!((done.result, done.stdout.as_str()), (Ok(json!("a b")), ""));
    assert_eq!(done.program.executable, Path::new("/usr/bin/printf"));
    let names: Vec<_> = done.program.environment.iter().map(|(name, _)| name.to_str().unwrap()).collect();
    assert_eq!(names, ["PATH", "HOME", "TMPDIR", "LANG"], "nothing of the host's own environment");
}

#[test]
fn it_has_the_variables_that_were_granted_and_its_own() {
    let env = [("LANG", "C"), ("OWN", "{x}"), ("BOTH", "own")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let spec = CommandSpec { env: env.into(), ..command("env", &[]) };
    let granted = ["CITY", "BOTH", "LD_PRELOAD"].map(str::to_owned).to_vec();
    let grants = Grants { environment: granted, ..Grants::default() };
    let done = within(&invocation(&spec, json!({"x": "$a"}), OutputForm::Lines, None), grants, Limits::none());
    let value = done.result.unwrap();
    let lines: Vec<&str> = value.as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    for line in ["CITY=granted", "BOTH=own", "OWN=$a", "LANG=C"] {
        assert!(lines.contains(&line), "{lines:?}");
    }
    assert!(!lines.iter().any(|line| line.starts_with("LD_PRELOAD")), "{lines:?}");
}

#[test]
fn output_is_what_is_declared() {
    let json = invocation(&command("echo", &["{\"a\": 1}"]), json!({}), OutputForm::Json, None);
    assert_eq!(done(&json).result, Ok(json!({"a": 1})));
    let lines = invocation(&command("printf", &["a\\nb\\n"]), json!({}), OutputForm::Lines, None);
    assert_eq!(done(&lines).result, Ok(json!(["a", "b"])));
    let wrong = done(&invocation(&command("echo", &["oh"]), json!({}), OutputForm::Json, None));
    let failure = wrong.fails(ErrorKind::ScriptError, "the output of `echo` is not JSON");
    assert_eq!(failure.help.as_deref(), Some("it begins with `oh\\n`"));
    assert_eq!(wrong.stdout, "oh\n", "what is no value is printed");
}

#[test]
fn stdin_has_the_parameters_on_request_and_else_nothing() {
    let spec = CommandSpec { stdin: Stdin::Json, ..command("cat", &[]) };
    let given = json!({"x": "a", "n": [1]});
    assert_eq!(done(&invocation(&spec, given.clone(), OutputForm::Json, None)).result, Ok(given));
    assert_eq!(done(&invocation(&command("cat", &[]), json!({}), OutputForm::Text, None)).result, Ok(json!("")));
}

#[test]
fn exit_codes_and_signals_are_told_apart() {
    let (folder, spec) = program("echo out; echo first >&2; echo last >&2; exit 4");
    let failed = done(&invocation(&spec, json!({}), OutputForm::Text, Some(folder.path())));
    failed.fails(ErrorKind::ScriptError, "`./tool` ended with exit code 4: last");
    assert_eq!((failed.stdout.as_str(), failed.stderr.as_str()), ("out\n", "first\nlast\n"));
    let mapped = |meaning| CommandSpec { exit_codes: [(4, meaning)].into(), ..spec.clone() };
    let why = mapped(ExitMeaning::Failure("no match".into()));
    done(&invocation(&why, json!({}), OutputForm::Text, Some(folder.path()))).fails(ErrorKind::ScriptError, "no match");
    let fine = mapped(ExitMeaning::Success);
    assert_eq!(done(&invocation(&fine, json!({}), OutputForm::Text, Some(folder.path()))).result, Ok(json!("out")));
    let (folder, spec) = program("kill -SEGV $$");
    let killed = done(&invocation(&spec, json!({}), OutputForm::Text, Some(folder.path())));
    killed.fails(ErrorKind::Crashed, "killed by signal 11 (SIGSEGV)");
    let nested = done(&invocation(&shell("sh -c 'kill -9 $$'; exit $?"), json!({}), OutputForm::Text, None));
    nested.fails(ErrorKind::ScriptError, "exit code 137: signal 9 (SIGKILL) killed what it ran");
}

#[test]
fn a_program_that_cannot_be_started_says_why() {
    let missing = done(&invocation(&command("no-such-program", &[]), json!({}), OutputForm::Text, None));
    let failure =
        missing.fails(ErrorKind::NotFound, "there is no program `no-such-program`: it is in none of /usr/bin, /bin");
    assert!(failure.help.is_some());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("plain"), "x").unwrap();
    let at = |name: &str, folder| done(&invocation(&command(name, &[]), json!({}), OutputForm::Text, folder));
    at("./plain", Some(folder.path())).fails(ErrorKind::PermissionDenied, "is not executable");
    at("./absent", Some(folder.path())).fails(ErrorKind::NotFound, "there is no file");
    at("./", Some(folder.path())).fails(ErrorKind::PermissionDenied, "is a folder");
    at("./plain", None).fails(ErrorKind::NotFound, "the skill has no folder");
    // Its mode says that it may be executed.
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    at("./socket", Some(folder.path())).fails(ErrorKind::PermissionDenied, "is no regular file");
}

#[test]
fn output_is_bounded_and_what_fits_is_kept() {
    let limits = Limits { output: Some(10), ..Limits::none() };
    let huge =
        within(&invocation(&command("seq", &["1000"]), json!({}), OutputForm::Text, None), Grants::default(), limits);
    let failure = huge.fails(ErrorKind::OutputLimit, "output limit of 10 bytes");
    assert!(failure.help.as_deref().unwrap().contains("--max-output"));
    assert_eq!(failure.limit.unwrap().name, LimitName::Output);
    assert_eq!(huge.stdout, "1\n2\n3\n4\n5\n");
    let limits = Limits { result: Some(4), ..Limits::none() };
    let large =
        within(&invocation(&command("echo", &["abc"]), json!({}), OutputForm::Text, None), Grants::default(), limits);
    large.fails(ErrorKind::OutputLimit, "larger than 4 bytes");
}

#[test]
fn it_runs_where_it_may_read() {
    let (own, working) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (own, working) = (own.path().canonicalize().unwrap(), working.path().canonicalize().unwrap());
    std::fs::create_dir(own.join("inner")).unwrap();
    std::fs::create_dir(working.join("data")).unwrap();
    let granted = |read: &[&PathBuf]| Grants {
        read: read.iter().map(|path| (*path).clone()).collect(),
        working_directory: Some(working.clone()),
        ..Grants::default()
    };
    let place = |wanted: Option<&str>, grants| {
        let spec = CommandSpec { working_directory: wanted.map(str::to_owned), ..command("pwd", &[]) };
        within(&invocation(&spec, json!({"x": "data"}), OutputForm::Text, Some(&own)), grants, Limits::none())
    };
    let is = |path: &Path| Ok(json!(path.display().to_string()));
    assert_eq!(place(None, granted(&[&working])).result, is(&working), "the working folder, where it is granted");
    assert_eq!(place(None, granted(&[])).result, is(&own), "else the skill's own");
    assert_eq!(place(Some("{x}"), granted(&[&working])).result, is(&working.join("data")));
    assert_eq!(place(Some("./inner"), granted(&[])).result, is(&own.join("inner")));
    let denied = place(Some("data"), granted(&[]));
    let failure = denied.fails(ErrorKind::PermissionDenied, "which it may not read");
    assert!(failure.help.as_deref().unwrap().contains("--allow-read"));
    place(Some("../.."), granted(&[&working])).fails(ErrorKind::PermissionDenied, "may not read");
    place(Some("nowhere"), granted(&[&working])).fails(ErrorKind::NotFound, "`nowhere`");
}

#[test]
fn a_script_of_bash_has_its_parameters_and_its_own_lines() {
    let source = "echo \"$x|$SKILL_PARAM_x|$SKILL_PARAMS|$0\"\nfalse\necho on";
    let given = json!({"x": "a b"});
    assert_eq!(done(&bash(source, given)).result, Ok(json!("a b|a b|{\"x\":\"a b\"}|skill.sh\non")));
    let failed = done(&bash("true\n\nno-such-program\n", json!({})));
    let failure =
        failed.fails(ErrorKind::ScriptError, "exit code 127: skill.sh: line 3: no-such-program: command not found");
    assert_eq!((failure.frames[0].file.as_str(), failure.frames[0].line), ("skill.sh", 3));
    assert_eq!(failure.frames[0].source.as_deref(), Some("no-such-program"));
    assert_eq!((failure.language, failure.help.as_deref()), (Some(Language::Bash), None));
    let broken = done(&bash("echo a\nif true\n", json!({})));
    assert_eq!(broken.fails(ErrorKind::ScriptError, "syntax error").frames[0].file, "skill.sh");
}

#[test]
fn what_does_not_reach_the_network_names_the_grant() {
    let said = "echo 'wget: unable to resolve host address' >&2; exit 4";
    for invocation in [
        bash(said, json!({})),
        bash("# curl says nothing\nexit 7", json!({})),
        invocation(&shell("true | curl --version >/dev/null 2>&1; exit 6"), json!({}), OutputForm::Text, None),
    ] {
        let help = done(&invocation).fails(ErrorKind::ScriptError, "exit code").help.clone().unwrap();
        assert!(help.contains("\"network_access\": [\"HOST\"]") && help.contains("`--allow-net HOST`"), "{help}");
    }
    assert_eq!(done(&bash("exit 7", json!({}))).fails(ErrorKind::ScriptError, "exit code 7").help, None);
}

#[test]
fn what_a_shell_may_not_start_names_the_grant() {
    for (source, program) in [
        ("echo \"$0: line 1: grep: command not found\" >&2; exit 127", "grep"),
        ("echo \"$0: line 1: /usr/bin/env: Permission denied\" >&2; exit 126", "/usr/bin/env"),
        ("echo \"$0: fork: Operation not permitted\" >&2; exit 254", "PROGRAM"),
    ] {
        let failed = done(&bash(source, json!({})));
        let help = failed.fails(ErrorKind::ScriptError, "exit code").help.clone().unwrap();
        assert!(help.contains(&format!("\"process_spawn\": [\"{program}\"]")), "{help}");
        assert!(help.contains(&format!("`--allow-run {program}`")), "{help}");
    }
}
