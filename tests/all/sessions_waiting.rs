//! Clients of the session host that stand still, ask for what is decided already, or are too many.

use crate::support::Sandbox;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::{Duration, Instant};

const IN_PROCESS: [&str; 2] = ["--isolation", "in-process"];

/// A skill of the project that nobody has vouched for.
fn stranger(sandbox: &Sandbox) {
    std::fs::create_dir_all(sandbox.path().join(".git")).unwrap();
    let definition = json!({
        "name": "stranger", "description": "Says one", "type": "code_session", "language": "rhai", "code": "1",
    });
    sandbox.write(".skills/stranger/stranger.json", &definition.to_string());
}

#[test]
fn a_client_that_was_stopped_keeps_no_session_from_others() {
    let sandbox = Sandbox::new();
    stranger(&sandbox);
    let mut command = Command::new(env!("CARGO_BIN_EXE_skills"));
    command.args(["run", "stranger", "--session", "a"]).current_dir(sandbox.path()).env_clear();
    command.env("HOME", sandbox.folder.path()).env("XDG_RUNTIME_DIR", sandbox.folder.path().join("run"));
    command.env("TERM", "dumb");
    let mut terminal = rexpect::session::spawn_command(command, Some(60_000)).unwrap();
    terminal.exp_string("Trust project:stranger and run it?").unwrap();
    let client = rustix::process::Pid::from_raw(terminal.process().child_pid.as_raw()).unwrap();
    rustix::process::kill_process(client, rustix::process::Signal::STOP).unwrap();
    // It has the name, and its question is open.
    let ran = sandbox.run(&["sessions", "kill", "a"]).exits(0);
    assert_eq!(ran.stdout, "ended `a`\n");
    let until = Instant::now() + Duration::from_secs(60);
    while sandbox.run(&["eval", "--session", "a", IN_PROCESS[0], IN_PROCESS[1], "let x = 41;"]).code != 0 {
        assert!(Instant::now() < until, "its name is not free");
    }
    // An answer that comes now is to a question that nobody asks any more.
    rustix::process::kill_process(client, rustix::process::Signal::CONT).unwrap();
    terminal.send_line("y").unwrap();
    terminal.exp_string("was stopped before anybody said").unwrap();
    terminal.exp_eof().unwrap();
    assert_eq!(sandbox.run(&["eval", "--session", "a", "x + 1"]).exits(0).stdout, "42\n");
}

#[test]
fn yes_to_a_session_that_is_there_says_that_it_changes_nothing() {
    let sandbox = Sandbox::new();
    let eval = |more: &[&str]| sandbox.run(&[&["eval", "--session", "a"], &IN_PROCESS[..], more, &["1"]].concat());
    eval(&[]).exits(0);
    let ran = eval(&["--yes"]).exits(0);
    assert!(ran.stderr.contains("`--yes` changes nothing in the session `a`, which is there already"), "{ran:?}");
    assert!(ran.stderr.contains("skills sessions kill a"), "{ran:?}");
    assert_eq!(eval(&[]).exits(0).stderr, "");
    let ran = eval(&["--allow-env", "CITY"]).exits(5);
    assert!(ran.stderr.contains("it was opened with other permissions"), "{ran:?}");
    sandbox.run(&["sessions", "kill", "a"]).exits(0);
    assert_eq!(eval(&["--yes"]).exits(0).stderr, "");
    assert_eq!(eval(&["--yes"]).exits(0).stderr, "", "it was said when it was opened");
}

#[test]
fn the_configuration_says_how_many_sessions_there_are_and_how_long_their_host_waits() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder.path().join(".config/skills");
    std::fs::create_dir_all(&folder).unwrap();
    let config = json!({"session_config": {"max_sessions": 1, "host_idle": 0.3}});
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let doctor = sandbox.run(&["doctor", "--json"]).json();
    assert_eq!(doctor["sessions"], json!({"max_sessions": 1, "host_idle_ms": 300}));
    sandbox.run(&["eval", "--session", "a", IN_PROCESS[0], IN_PROCESS[1], "1"]).exits(0);
    let ran = sandbox.run(&["eval", "--session", "b", IN_PROCESS[0], IN_PROCESS[1], "1"]);
    assert!(ran.stderr.contains("there is 1 session already, the most that there may be"), "{ran:?}");
    sandbox.run(&["sessions", "kill", "a"]).exits(0);
    let until = Instant::now() + Duration::from_secs(60);
    while sandbox.meeting_place().join("host.sock").exists() {
        assert!(Instant::now() < until, "it does not go");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Says the first words to the host, and gives its own.
fn greet(stream: &mut UnixStream, protocol: u64) -> Value {
    let hello = json!({"build": {"protocol": protocol, "version": "x", "id": "x"}, "purpose": "serve"}).to_string();
    stream.write_all(&u32::try_from(hello.len()).unwrap().to_be_bytes()).unwrap();
    stream.write_all(hello.as_bytes()).unwrap();
    let mut size = [0; 4];
    stream.read_exact(&mut size).unwrap();
    let mut greeting = vec![0; u32::from_be_bytes(size) as usize];
    stream.read_exact(&mut greeting).unwrap();
    serde_json::from_slice(&greeting).unwrap()
}

#[test]
fn too_many_clients_are_told_so_and_shut_nobody_out_from_ending_things() {
    let sandbox = Sandbox::new();
    sandbox.run(&["eval", "--session", "a", IN_PROCESS[0], IN_PROCESS[1], "1"]).exits(0);
    let connect = || UnixStream::connect(sandbox.meeting_place().join("host.sock")).unwrap();
    let protocol = greet(&mut connect(), 0)["build"]["protocol"].as_u64().unwrap();
    let mut clients = Vec::new();
    while clients.len() < 512 {
        let mut client = connect();
        greet(&mut client, protocol);
        clients.push(client);
    }
    // Whoever greeted with another protocol may have been there a moment longer.
    let until = Instant::now() + Duration::from_secs(60);
    let ran = loop {
        let ran = sandbox.run(&["eval", "--session", "a", "1"]);
        if ran.code != 0 || Instant::now() > until {
            break ran;
        }
    };
    assert!(ran.stderr.contains("the session host has 512 clients, the most at once"), "{ran:?}");
    assert!(ran.stderr.contains("skills sessions list"), "{ran:?}");
    let list = sandbox.run(&["sessions", "list", "--json"]).exits(0).json();
    assert_eq!(list[0]["name"], "a");
    sandbox.run(&["sessions", "kill", "a"]).exits(0);
    assert_eq!(sandbox.run(&["sessions", "stop", "--json"]).exits(0).json()["stopped"], true);
    drop(clients);
}
