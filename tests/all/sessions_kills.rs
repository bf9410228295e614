//! The session host is killed at any moment, again and again: no evaluation that was acknowledged is lost, none is half applied.

use crate::support::Sandbox;
use serde_json::{Value, json};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How often it is killed; `make soak` does so more often.
fn kills() -> u64 {
    std::env::var("SKILLS_SOAK_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(8)
}

/// Asks for one step more, as a process of its own.
fn step(sandbox: &Sandbox) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skills"));
    command.args(["eval", "--session", "notes", "--json", "m += 1\nn.append(m)\n[m, n]"]);
    command.env_clear().current_dir(sandbox.path()).env("HOME", sandbox.folder.path());
    command.env("XDG_RUNTIME_DIR", sandbox.folder.path().join("run"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Kills the host, where there is one by now.
fn kill_host(sandbox: &Sandbox) -> bool {
    let Ok(stream) = UnixStream::connect(sandbox.meeting_place().join("host.sock")) else { return false };
    let Ok(peer) = rustix::net::sockopt::socket_peercred(&stream) else { return false };
    rustix::process::kill_process(peer.pid, rustix::process::Signal::KILL).is_ok()
}

#[test]
fn what_was_acknowledged_is_there_and_nothing_is_half_there() {
    let sandbox = Sandbox::new();
    let first = ["eval", "--session", "notes", "--lang", "python", "--persist", "disk", "n = []\nm = 0"];
    sandbox.run(&first).exits(0);
    let (mut acknowledged, mut tried, mut hit) = (0, 0, 0);
    for round in 0..kills() {
        let child = step(&sandbox);
        tried += 1;
        // From before it is asked until after it has answered.
        std::thread::sleep(Duration::from_millis(round * 37 % 211));
        hit += u64::from(kill_host(&sandbox));
        let output = child.wait_with_output().unwrap();
        if output.status.success() {
            let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
            let m = outcome["value"][0].as_u64().unwrap();
            assert!(m > acknowledged && m <= tried, "{acknowledged} were acknowledged, {tried} tried: {outcome}");
            assert_eq!(outcome["value"][1], json!((1..=m).collect::<Vec<_>>()));
            acknowledged = m;
        }
    }
    let left = sandbox.run(&["eval", "--session", "notes", "--json", "[m, n]"]).exits(0).json();
    let m = left["value"][0].as_u64().unwrap();
    assert!((acknowledged..=tried).contains(&m), "{acknowledged} were acknowledged, {tried} tried: {left}");
    assert_eq!(left["value"][1], json!((1..=m).collect::<Vec<_>>()));
    assert!(hit > 0, "the host was never there to be killed");
}
