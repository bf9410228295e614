//! What was answered is there again, whatever moment the process is killed at.

use super::disk::{in_process, store};
use crate::{Engine, Language, Persistence, Session};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Tells the process of a test that it is the one to be killed: the language and the folder.
const CHILD: [&str; 2] = ["SKILLS_TEST_KILL_LANGUAGE", "SKILLS_TEST_KILL_FOLDER"];

fn open(language: Language, folder: &Path) -> Session {
    let engine = Engine::builder().bundled(false).session_store(store(folder)).build().unwrap();
    let builder = engine.session(language).name("counted").options(in_process());
    builder.persistence(Persistence::Disk).open().unwrap()
}

/// Counts in a session on disk for ever, and tells of each number once it was answered.
#[test]
fn counts_until_it_is_killed() {
    let [Ok(language), Ok(folder)] = CHILD.map(std::env::var) else { return };
    let language = Language::from_name(&language).unwrap();
    let session = open(language, Path::new(&folder));
    let (first, add) = match language {
        Language::Python => ("n = 0; all = []", "append"),
        _ => ("let n = 0; let all = [];", "push"),
    };
    if session.info().evaluations == 0 {
        session.eval(first).unwrap();
    }
    let mut n = session.get("n").unwrap().as_u64().unwrap();
    let mut out = std::io::stdout();
    loop {
        n += 1;
        session.eval(&format!("all.{add}({n}); n = {n};")).unwrap();
        writeln!(out, "counted {n}").and_then(|()| out.flush()).unwrap();
    }
}

fn kill_loop(language: Language, rounds: u64) {
    let folder = tempfile::tempdir().unwrap();
    let mut before = 0;
    for round in 0..rounds {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["session::tests::kill::counts_until_it_is_killed", "--exact", "--nocapture"])
            .envs(CHILD.into_iter().zip([language.as_str(), folder.path().to_str().unwrap()]))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let number = |line: String| line.rsplit_once("counted ").map(|(_, n)| n.parse::<u64>().unwrap());
        // Some way into its work, and then at any moment of it.
        let mut told = (lines.by_ref().filter_map(number).nth(usize::try_from(round % 3).unwrap())).unwrap();
        std::thread::sleep(Duration::from_micros(round * 7919 % 5000));
        child.kill().unwrap();
        child.wait().unwrap();
        told = lines.filter_map(number).last().unwrap_or(told);
        let session = open(language, folder.path());
        let n = session.get("n").unwrap().as_u64().unwrap();
        assert!(n == told || n == told + 1, "round {round}: it said {told}, and {n} is there");
        assert!(n > before, "round {round}: nothing of round {before} is gone");
        let all: Vec<u64> = serde_json::from_value(session.get("all").unwrap()).unwrap();
        assert_eq!(all, (1..=n).collect::<Vec<_>>(), "none is half applied, or twice");
        before = n;
        session.close();
    }
}

#[test]
fn what_was_answered_survives_a_kill_in_rhai() {
    kill_loop(Language::Rhai, 20);
}

#[cfg(feature = "python")]
#[test]
fn what_was_answered_survives_a_kill_in_python() {
    kill_loop(Language::Python, 8);
}
