//! A session that goes on in a process which was forked from its own.

use super::host::{TestHost, alone};
use super::live::{Repl, repl};
use crate::CPython;
use serde_json::{Value, json};
use skills_core::{ErrorKind, Failure, Fork, Interpreter, Limits};
use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

fn evaluate(repl: &mut Repl, source: &str) -> Result<Value, Failure> {
    repl.cell_alone(&TestHost::new(Limits::none()), source).evaluation.result
}

/// What a cell fails with that another thread cancels.
fn cancelled(repl: &mut Repl, source: &str) -> Option<ErrorKind> {
    let host = TestHost::new(Limits::none());
    let budget = host.budget.clone();
    let other = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(30));
        budget.cancel();
    });
    let failure = repl.cell_alone(&host, source).evaluation.result.err();
    other.join().unwrap();
    failure.map(|failure| failure.kind)
}

/// Forks, does the work in the new process, and gives what that writes.
fn in_fork(repl: &mut Repl, work: impl FnOnce(&mut Repl, &mut PipeWriter)) -> String {
    let (mut reader, mut writer): (PipeReader, PipeWriter) = pipe().unwrap();
    let python = CPython::new();
    python.forking(Fork::Before);
    // SAFETY: the new process does only what a fork of a session may do, and ends below.
    let child = unsafe { libc::fork() };
    if child == 0 {
        python.forking(Fork::InChild);
        let done = catch_unwind(AssertUnwindSafe(|| work(repl, &mut writer)));
        // SAFETY: ends the process at once.
        unsafe { libc::_exit(i32::from(done.is_err())) };
    }
    python.forking(Fork::InParent);
    assert!(child > 0);
    drop(writer);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    let mut status = 0;
    // SAFETY: the child is ours, and `status` outlives the call.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "{text}");
    text
}

#[test]
fn a_forked_session_goes_on_by_itself() {
    let _alone = alone();
    let mut repl = repl();
    let cell = "import asyncio, threading\nx = [41]\ndef f(): return x[0] + 1\nasync def g(): return 5";
    evaluate(&mut repl, cell).unwrap();
    evaluate(&mut repl, "await g()\nlater = asyncio.create_task(asyncio.sleep(0.01, 6))").unwrap();
    assert_eq!(cancelled(&mut repl, "while True: pass"), Some(ErrorKind::Cancelled));
    let text = in_fork(&mut repl, |repl, out| {
        let mut say = |value: Result<Value, Failure>| writeln!(out, "{}", value.unwrap()).unwrap();
        say(evaluate(repl, "x[0] = 1\nf()"));
        say(evaluate(repl, "await later"));
        say(evaluate(repl, "await asyncio.to_thread(len, 'abc')"));
        say(evaluate(repl, "t = threading.Thread(target=lambda: x.append(7))\nt.start()\nt.join()\nx"));
        // The thread that stops scripts was lost in the fork.
        assert_eq!(cancelled(repl, "while True: pass"), Some(ErrorKind::Cancelled));
        let inner = in_fork(repl, |repl, out| {
            assert_eq!(cancelled(repl, "while True: pass"), Some(ErrorKind::Cancelled));
            write!(out, "{}", evaluate(repl, "x.append(8)\nx").unwrap()).unwrap();
        });
        say(Ok(Value::from(inner)));
        say(evaluate(repl, "x"));
    });
    assert_eq!(text, "2\n6\n3\n[1,7]\n\"[1,7,8]\"\n[1,7]\n");
    assert_eq!(evaluate(&mut repl, "f()"), Ok(json!(42)), "the original knows nothing of it");
    assert_eq!(evaluate(&mut repl, "[await later, await asyncio.to_thread(len, 'abc')]"), Ok(json!([6, 3])));
    assert_eq!(cancelled(&mut repl, "while True: pass"), Some(ErrorKind::Cancelled));
}
