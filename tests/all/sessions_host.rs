//! The process that keeps sessions between commands: how it begins, whom it trusts, and how it ends.

use crate::support::Sandbox;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Options of a session that needs no worker.
const IN_PROCESS: [&str; 2] = ["--isolation", "in-process"];

/// Evaluates Rhai in a session, in process.
#[track_caller]
fn eval(sandbox: &Sandbox, name: &str, code: &str) -> Value {
    let arguments = ["eval", "--session", name, "--json", IN_PROCESS[0], IN_PROCESS[1], code];
    sandbox.run(&arguments).json()
}

/// The process of the host, by what the lock of its socket says: the one that has it open.
fn pid(sandbox: &Sandbox) -> i32 {
    let socket = sandbox.meeting_place().join("host.sock");
    let stream = UnixStream::connect(socket).unwrap();
    rustix::net::sockopt::socket_peercred(&stream).unwrap().pid.as_raw_nonzero().get()
}

fn kill(pid: i32) {
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::KILL).unwrap();
    wait_until("the process is gone", || !is_alive(pid));
}

/// Whether a process runs; one that waits to be noticed does not.
fn is_alive(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[track_caller]
fn wait_until(what: &str, is: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !is() {
        assert!(Instant::now() < until, "waited for a minute until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn separate_processes_meet_the_same_interpreter() {
    let sandbox = Sandbox::new();
    eval(&sandbox, "a", "let x = 41;");
    assert_eq!(eval(&sandbox, "a", "x + 1")["value"], 42);
    let first = pid(&sandbox);
    assert_eq!(eval(&sandbox, "b", "let x = 1; x")["value"], 1);
    assert_eq!(pid(&sandbox), first, "one host has all of them");
    assert_eq!(eval(&sandbox, "a", "x")["value"], 41, "sessions know nothing of one another");
    let list = sandbox.run(&["sessions", "list", "--json"]).json();
    let names: Vec<&Value> = list.as_array().unwrap().iter().map(|session| &session["name"]).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!((&list[0]["evaluations"], &list[0]["language"]), (&json!(3), &json!("rhai")));
}

#[test]
fn the_host_has_let_go_of_whoever_started_it() {
    let sandbox = Sandbox::new();
    // Output is read to its end: that comes only if the host does not hold it.
    eval(&sandbox, "a", "1");
    let pid = pid(&sandbox);
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = status.rsplit_once(") ").unwrap().1.split(' ').collect();
    assert_eq!(fields[3], pid.to_string(), "it leads a session of its own");
    assert_eq!(fields[4], "0", "it has no terminal");
    assert_eq!(std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap(), Path::new("/"));
    let environment = std::fs::read_to_string(format!("/proc/{pid}/environ")).unwrap();
    assert!(
        !environment.contains("DOCKER_HOST"),
        "what a client has in its environment is not the host's: {environment}"
    );
    let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(sandbox.meeting_place()), 0o700);
    assert_eq!(mode(sandbox.meeting_place().join("host.sock")), 0o600);
}

#[test]
fn nothing_is_started_to_look_at_sessions() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.run(&["sessions", "list", "--json"]).exits(0).json(), json!([]));
    assert_eq!(sandbox.run(&["sessions", "list"]).exits(0).stderr, "no sessions\n");
    for command in ["show", "vars", "kill"] {
        let ran = sandbox.run(&["sessions", command, "a"]).exits(4);
        assert!(ran.stderr.contains("there is no session `a`"), "{ran:?}");
    }
    assert_eq!(sandbox.run(&["sessions", "stop", "--json"]).exits(0).json()["stopped"], false);
    assert!(!sandbox.meeting_place().exists());
}

#[test]
fn a_host_that_was_killed_is_replaced_and_what_is_gone_is_said() {
    let sandbox = Sandbox::new();
    eval(&sandbox, "a", "let x = 41;");
    let first = pid(&sandbox);
    kill(first);
    assert!(sandbox.meeting_place().join("host.sock").exists(), "its socket is left");
    let ran = sandbox.run(&["eval", "--session", "a", IN_PROCESS[0], IN_PROCESS[1], "x"]).exits(1);
    assert!(ran.stderr.contains("this is a new session `a`"), "{ran:?}");
    assert!(ran.stderr.contains("the session host that kept it was killed"), "{ran:?}");
    assert_ne!(pid(&sandbox), first);
    let ran = sandbox.run(&["eval", "--session", "a", "1"]).exits(0);
    assert_eq!(ran.stderr, "", "once is enough");
}

#[test]
fn a_host_killed_in_a_call_is_an_error_that_says_so() {
    let sandbox = Sandbox::new();
    eval(&sandbox, "a", "let x = 1;");
    let mut client = std::process::Command::new(env!("CARGO_BIN_EXE_skills"));
    client.args(["eval", "--session", "a", "--json", "loop {}"]).env_clear().current_dir(sandbox.path());
    client.env("HOME", sandbox.folder.path()).env("XDG_RUNTIME_DIR", sandbox.folder.path().join("run"));
    let client = client.stdout(std::process::Stdio::piped()).spawn().unwrap();
    wait_until("it evaluates", || sandbox.run(&["sessions", "show", "a", "--json"]).json()["state"] == "busy");
    kill(pid(&sandbox));
    let output = client.wait_with_output().unwrap();
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(object["error"]["kind"], "crashed", "{object}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_socket_that_nobody_listens_at_is_replaced() {
    let sandbox = Sandbox::new();
    let folder = sandbox.meeting_place();
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    drop(UnixListener::bind(folder.join("host.sock")).unwrap());
    assert_eq!(sandbox.run(&["sessions", "list", "--json"]).exits(0).json(), json!([]));
    assert_eq!(eval(&sandbox, "a", "6 * 7")["value"], 42);
}

#[test]
fn a_folder_that_is_not_the_users_own_is_refused() {
    let sandbox = Sandbox::new();
    let folder = sandbox.meeting_place();
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
    let refused = |why: &str| {
        for arguments in [&["eval", "--session", "a", "1"][..], &["sessions", "list"], &["sessions", "stop"]] {
            let ran = sandbox.run(arguments).exits(6);
            assert!(ran.stderr.contains(why), "{ran:?}");
        }
    };
    refused("others may enter it");
    let elsewhere = sandbox.folder.path().join("elsewhere");
    std::fs::rename(&folder, &elsewhere).unwrap();
    std::fs::set_permissions(&elsewhere, std::fs::Permissions::from_mode(0o700)).unwrap();
    symlink(&elsewhere, &folder).unwrap();
    refused("it is a link or a file, and no folder");
    assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0, "nothing was put there");
    std::fs::remove_file(&folder).unwrap();
}

/// A host of another kind: greets each client with this, and gives what each said.
fn impostor(sandbox: &Sandbox, greeting: Value) -> std::sync::mpsc::Receiver<Value> {
    let folder = sandbox.meeting_place();
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    let listener = UnixListener::bind(folder.join("host.sock")).unwrap();
    let (sender, hellos) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut size = [0; 4];
            stream.read_exact(&mut size).unwrap();
            let mut hello = vec![0; u32::from_be_bytes(size) as usize];
            stream.read_exact(&mut hello).unwrap();
            sender.send(serde_json::from_slice(&hello).unwrap()).unwrap();
            let text = greeting.to_string();
            stream.write_all(&u32::try_from(text.len()).unwrap().to_be_bytes()).unwrap();
            stream.write_all(text.as_bytes()).unwrap();
        }
    });
    hellos
}

#[test]
fn a_host_of_another_protocol_is_not_talked_to() {
    let sandbox = Sandbox::new();
    let build = json!({"protocol": 999, "version": "9.9.9", "id": "x"});
    let hellos = impostor(&sandbox, json!({"build": build, "pid": 77, "replaceable": false}));
    for arguments in [&["eval", "--session", "a", "1"][..], &["sessions", "list"]] {
        let ran = sandbox.run(arguments).exits(3);
        assert!(ran.stderr.contains("version 9.9.9 and speaks protocol 999"), "{ran:?}");
        assert!(ran.stderr.contains("`skills sessions stop`"), "{ran:?}");
    }
    assert_eq!(hellos.try_iter().last().unwrap()["purpose"], "serve");
    // Ending it is said in words that every build understands.
    let farewell = json!({"ends": false, "ended": [], "kept": [], "busy": ["b"]});
    let other = Sandbox::new();
    let hellos = impostor(&other, json!({"build": build, "pid": 77, "replaceable": false, "farewell": farewell}));
    let ran = other.run(&["sessions", "stop"]).exits(3);
    assert!(ran.stderr.contains("something is under way in `b`"), "{ran:?}");
    assert_eq!(hellos.recv().unwrap()["purpose"], "stop");
}

#[test]
fn what_is_no_host_at_all_is_an_error() {
    let sandbox = Sandbox::new();
    let _hellos = impostor(&sandbox, json!("I am a printer"));
    let ran = sandbox.run(&["sessions", "list"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("is no session host"), "{ran:?}");
}

#[test]
fn a_host_of_another_build_is_used_while_it_has_sessions_and_replaced_when_not() {
    let sandbox = Sandbox::new();
    // The same program, built at another time.
    let other = sandbox.folder.path().join("skills");
    std::fs::copy(env!("CARGO_BIN_EXE_skills"), &other).unwrap();
    let mut command = assert_cmd::Command::new(&other);
    command.env_clear().current_dir(sandbox.path()).env("HOME", sandbox.folder.path());
    command.env("XDG_RUNTIME_DIR", sandbox.folder.path().join("run"));
    command.args(["eval", "--session", "a", IN_PROCESS[0], IN_PROCESS[1], "let x = 41;"]).assert().success();
    let first = pid(&sandbox);
    let ran = sandbox.run(&["eval", "--session", "a", "x + 1"]).exits(0);
    assert_eq!(ran.stdout, "42\n");
    assert!(ran.stderr.contains("is of another build than this command"), "{ran:?}");
    sandbox.run(&["sessions", "kill", "a"]).exits(0);
    let ran = sandbox.run(&["eval", "--session", "a", IN_PROCESS[0], IN_PROCESS[1], "1"]).exits(0);
    assert!(ran.stderr.contains("replaced the session host of another build"), "{ran:?}");
    assert_ne!(pid(&sandbox), first);
    assert!(!is_alive(first));
}

#[test]
fn stop_ends_it_and_says_what_it_ended() {
    let sandbox = Sandbox::new();
    eval(&sandbox, "a", "let x = 41;");
    eval(&sandbox, "b", "let x = 41;");
    let first = pid(&sandbox);
    let ran = sandbox.run(&["sessions", "stop"]).exits(0);
    assert_eq!(ran.stdout, "stopped the session host; ended: a, b\n");
    assert!(!is_alive(first), "it is gone when the command is");
    assert!(!sandbox.meeting_place().join("host.sock").exists());
    let ran = sandbox.run(&["eval", "--session", "a", IN_PROCESS[0], IN_PROCESS[1], "1"]).exits(0);
    assert_eq!(ran.stderr, "", "whoever ends sessions knows it");
}

#[test]
fn stop_waits_for_what_is_under_way_unless_it_is_forced() {
    let sandbox = Sandbox::new();
    eval(&sandbox, "a", "let x = 1;");
    let mut client = std::process::Command::new(env!("CARGO_BIN_EXE_skills"));
    client.args(["eval", "--session", "a", "--json", "loop {}"]).env_clear().current_dir(sandbox.path());
    client.env("HOME", sandbox.folder.path()).env("XDG_RUNTIME_DIR", sandbox.folder.path().join("run"));
    let client = client.stdout(std::process::Stdio::piped()).spawn().unwrap();
    wait_until("it evaluates", || sandbox.run(&["sessions", "show", "a", "--json"]).json()["state"] == "busy");
    let ran = sandbox.run(&["sessions", "stop"]).exits(3);
    assert!(ran.stderr.contains("something is under way in `a`"), "{ran:?}");
    assert!(ran.stderr.contains("skills sessions stop --force"), "{ran:?}");
    let ran = sandbox.run(&["sessions", "stop", "--force", "--json"]).exits(0);
    assert_eq!(ran.json(), json!({"stopped": true, "ended": ["a"], "kept": []}));
    let output = client.wait_with_output().unwrap();
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(object["error"]["kind"], "cancelled", "{object}");
}

#[test]
fn it_goes_when_nobody_has_wanted_anything_for_a_while() {
    let sandbox = Sandbox::new();
    let with_patience = |arguments: &[&str]| {
        sandbox.skills().env("SKILLS_HOST_IDLE", "300ms").args(arguments).assert().success();
    };
    with_patience(&["eval", "--session", "a", IN_PROCESS[0], IN_PROCESS[1], "let x = 1;"]);
    let first = pid(&sandbox);
    std::thread::sleep(Duration::from_secs(1));
    assert!(is_alive(first), "a session in memory keeps it");
    with_patience(&["sessions", "kill", "a"]);
    wait_until("it is gone", || !is_alive(first));
    assert!(!sandbox.meeting_place().join("host.sock").exists());
}

#[test]
fn it_goes_when_its_socket_is_gone() {
    let sandbox = Sandbox::new();
    sandbox.run(&["eval", "--session", "a", "--idle", "1s", IN_PROCESS[0], IN_PROCESS[1], "1"]).exits(0);
    let first = pid(&sandbox);
    std::fs::remove_dir_all(sandbox.meeting_place()).unwrap();
    wait_until("it is gone", || !is_alive(first));
}

#[test]
fn a_wrong_patience_is_refused() {
    let sandbox = Sandbox::new();
    let output =
        sandbox.skills().env("SKILLS_HOST_IDLE", "soon").args(["eval", "--session", "a", "1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    assert!(String::from_utf8(output.stderr).unwrap().contains("SKILLS_HOST_IDLE is `soon`"));
}

#[test]
fn whoever_types_its_argument_gets_no_host() {
    let sandbox = Sandbox::new();
    let ran = sandbox.run(&["__skills-session-host"]).exits(2);
    assert!(ran.stderr.contains("unrecognized subcommand"), "{ran:?}");
}

#[test]
fn what_makes_no_sense_ends_the_connection_and_nothing_else() {
    let sandbox = Sandbox::new();
    eval(&sandbox, "a", "let x = 41;");
    for nonsense in [&b"\xff\xff\xff\xff"[..], b"\0\0\0\x02{}", b"GET / HTTP/1.1\r\n\r\n", b""] {
        let mut stream = UnixStream::connect(sandbox.meeting_place().join("host.sock")).unwrap();
        stream.write_all(nonsense).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer));
        assert!(answer.is_empty(), "{answer:?}");
    }
    assert_eq!(eval(&sandbox, "a", "x")["value"], 41);
}

#[test]
fn a_session_is_not_that_of_another_project() {
    let sandbox = Sandbox::new();
    let own = |project: &str| {
        let definition = json!({"name": "own", "description": "Own", "type": "code_session", "language": "rhai",
            "code": format!("\"of {project}\"")});
        sandbox.write(&format!("{project}/.git/HEAD"), "");
        sandbox.write(&format!("{project}/.skills/own/own.json"), &definition.to_string());
        let run = |name: &str, options: &[&str]| {
            let mut command = sandbox.skills();
            command.current_dir(sandbox.path().join(project)).args(["run", "own", "--yes", "--session", name]);
            let output = command.args(options).output().unwrap();
            let text = |bytes| String::from_utf8(bytes).unwrap();
            (output.status.code(), text(output.stdout), text(output.stderr))
        };
        (run("s", &[]), run(project, &["--persist", "disk"]), run("kept", &["--persist", "disk"]))
    };
    let (first, ..) = own("one");
    assert_eq!((first.0, first.1.as_str()), (Some(0), "of one\n"), "{first:?}");
    let (second, own, kept) = own("two");
    assert_eq!((second.0, second.1.as_str()), (Some(5), ""), "{second:?}");
    assert!(second.2.contains("it is a session of `project:own` ("), "{second:?}");
    assert!(second.2.contains("one/.skills/own/own.json"), "{second:?}");
    assert_eq!((own.0, own.1.as_str()), (Some(0), "of two\n"), "{own:?}");
    assert_eq!(kept.0, Some(5), "{kept:?}");
    let ended = sandbox.run(&["sessions", "stop", "--force"]).exits(0);
    let kept = sandbox
        .skills()
        .current_dir(sandbox.path().join("two"))
        .args(["run", "own", "--yes", "--session", "kept"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(kept.stdout).unwrap(), "of two\n", "{ended:?}");
}
