//! Copies of living sessions, made by forking their worker.

use crate::leaks::{Holdings, eventually};
use crate::live::{cell, eval, host, open, some_limits};
use crate::test;
use libtest_mimic::Trial;
use serde_json::json;
use skills_core::{ErrorKind, LimitName, Limits, Session};
use std::process::Command;
use std::time::Duration;

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        test("a_copy_has_all_and_goes_its_own_way", a_copy_has_all_and_goes_its_own_way),
        test("either_outlives_the_other", either_outlives_the_other),
        test("a_copy_can_be_copied", a_copy_can_be_copied),
        test("limits_hold_in_a_copy", limits_hold_in_a_copy),
        test("a_session_with_threads_of_its_own_is_not_copied", a_session_with_threads_of_its_own_is_not_copied),
        test("code_in_a_family_starts_no_process", code_in_a_family_starts_no_process),
        test("members_do_not_look_into_one_another", members_do_not_look_into_one_another),
        test("members_do_nothing_to_one_another", members_do_nothing_to_one_another),
        test("a_member_does_to_itself_what_it_likes", a_member_does_to_itself_what_it_likes),
        test("nobody_takes_the_fork_of_another", nobody_takes_the_fork_of_another),
        test("a_session_that_ended_is_not_copied", a_session_that_ended_is_not_copied),
        test("nothing_is_left_of_many_copies", nothing_is_left_of_many_copies),
    ]
}

/// The first argument of a process that makes many copies.
pub(crate) const COPIES: &str = "__copies";

fn fork(session: &mut dyn Session) -> Option<Box<dyn Session>> {
    session.fork(&host(some_limits())).unwrap().map(|open| open().unwrap().into())
}

fn a_copy_has_all_and_goes_its_own_way() {
    let mut first = open(&some_limits());
    eval(&mut *first, "set x [1,2]").unwrap();
    let mut copy = fork(&mut *first).unwrap();
    assert_eq!(eval(&mut *copy, "get x"), Ok(json!([1, 2])));
    eval(&mut *copy, "set x 3").unwrap();
    eval(&mut *first, "set y 4").unwrap();
    assert_eq!(eval(&mut *first, "get x"), Ok(json!([1, 2])));
    assert_eq!(eval(&mut *copy, "get x"), Ok(json!(3)));
    assert_eq!(eval(&mut *copy, "get y"), Ok(json!(null)));
    assert_eq!(eval(&mut *copy, "call milk"), Ok(json!("milk")));
    assert_eq!(eval(&mut *copy, "parent"), Ok(json!(1)));
    assert_ne!(eval(&mut *copy, "id"), eval(&mut *first, "id"));
    // A thread gives it to another one.
    let opened = first.fork(&host(some_limits())).unwrap().unwrap();
    let there = std::thread::spawn(move || eval(&mut *opened().unwrap(), "get y"));
    assert_eq!(there.join().unwrap(), Ok(json!(4)));
}

fn either_outlives_the_other() {
    for first_ends in [true, false] {
        let mut first = open(&some_limits());
        eval(&mut *first, "set x 1").unwrap();
        let mut copy = fork(&mut *first).unwrap();
        let (gone, left) = if first_ends { (&mut first, &mut copy) } else { (&mut copy, &mut first) };
        assert_eq!(eval(&mut **gone, "exit 3").unwrap_err().kind, ErrorKind::Crashed);
        assert_eq!(eval(&mut **left, "get x"), Ok(json!(1)));
        let failure = eval(&mut **gone, "get x").unwrap_err();
        assert_eq!(failure.message, "the session ended: the worker ended without an answer, with exit code 3");
        if first_ends {
            drop(first);
            assert_eq!(eval(&mut *copy, "get x"), Ok(json!(1)));
        }
    }
}

fn a_copy_can_be_copied() {
    let mut session = open(&some_limits());
    for generation in 0..5 {
        eval(&mut *session, &format!("set x{generation} {generation}")).unwrap();
        session = fork(&mut *session).unwrap();
    }
    for generation in 0..5 {
        assert_eq!(eval(&mut *session, &format!("get x{generation}")), Ok(json!(generation)));
    }
}

fn limits_hold_in_a_copy() {
    let mut first = open(&some_limits());
    eval(&mut *first, "set x 1").unwrap();
    let mut copy = fork(&mut *first).unwrap();
    let limits = Limits { time: Some(Duration::from_millis(30)), ..some_limits() };
    let failure = copy.eval(&cell("spin"), &host(limits)).evaluation.result.unwrap_err();
    assert_eq!(failure.kind, ErrorKind::Timeout);
    let stopped = host(some_limits());
    let budget = std::sync::Arc::clone(stopped.budget());
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(30));
        budget.cancel();
    });
    assert_eq!(copy.eval(&cell("spin"), &stopped).evaluation.result.unwrap_err().kind, ErrorKind::Cancelled);
    assert_eq!(eval(&mut *copy, "get x"), Ok(json!(1)), "the session is kept");
    // What the first one held counts in the copy as well.
    eval(&mut *first, "hold 40").unwrap();
    let mut copy = fork(&mut *first).unwrap();
    let failure = (0..3).find_map(|_| eval(&mut *copy, "hold 20").err()).unwrap();
    assert_eq!(failure.limit.map(|breach| breach.name), Some(LimitName::Memory), "{failure}");
    assert_eq!(eval(&mut *first, "get x"), Ok(json!(1)));
    let mut copy = fork(&mut *first).unwrap();
    let limits = Limits { processes: Some(8), ..some_limits() };
    let failure = (0..40).find_map(|_| {
        let linger = copy.eval(&cell("linger"), &host(limits.clone())).evaluation.result.err();
        linger.or_else(|| copy.eval(&cell("nap"), &host(limits.clone())).evaluation.result.err())
    });
    assert_eq!(failure.unwrap().limit.map(|breach| breach.name), Some(LimitName::Processes));
}

fn a_session_with_threads_of_its_own_is_not_copied() {
    let mut session = open(&some_limits());
    eval(&mut *session, "linger").unwrap();
    assert!(fork(&mut *session).is_none());
    eval(&mut *session, "set x 1").unwrap();
    assert_eq!(eval(&mut *session, "get x"), Ok(json!(1)));
}

fn code_in_a_family_starts_no_process() {
    let mut session = open(&some_limits());
    for _ in 0..2 {
        assert_eq!(eval(&mut *session, "fork"), Ok(json!(libc::EPERM)));
        assert_eq!(eval(&mut *session, "start"), Ok(json!(false)));
        session = fork(&mut *session).unwrap();
    }
}

fn members_do_not_look_into_one_another() {
    let mut first = open(&some_limits());
    eval(&mut *first, "set x 1").unwrap();
    let mut copy = fork(&mut *first).unwrap();
    let (own, other) = (eval(&mut *first, "id").unwrap(), eval(&mut *copy, "id").unwrap());
    for id in [&json!(1), &other] {
        assert_eq!(eval(&mut *first, &format!("peek {id}")), Ok(json!(false)));
        assert_eq!(eval(&mut *first, &format!("trace {id}")), Ok(json!(false)));
    }
    for id in [&json!(1), &own] {
        assert_eq!(eval(&mut *copy, &format!("peek {id}")), Ok(json!(false)));
        assert_eq!(eval(&mut *copy, &format!("trace {id}")), Ok(json!(false)));
    }
}

fn members_do_nothing_to_one_another() {
    let mut first = open(&some_limits());
    let mut copy = fork(&mut *first).unwrap();
    let (own, other) = (eval(&mut *first, "id").unwrap(), eval(&mut *copy, "id").unwrap());
    let ways = ["kill", "tkill", "tgkill", "queue", "tgqueue", "pidfd", "limit", "pin", "slow", "all", "own", "look"];
    for how in ways {
        assert_eq!(eval(&mut *first, &format!("reach {how} {other}")), Ok(json!(libc::EPERM)), "{how}");
        assert_eq!(eval(&mut *copy, &format!("reach {how} {own}")), Ok(json!(libc::EPERM)), "{how}");
    }
    // All of a group, and all that there are.
    for how in ["kill 0", "kill -1", "kill 1"] {
        assert_eq!(eval(&mut *copy, &format!("reach {how}")), Ok(json!(libc::EPERM)), "{how}");
    }
    assert_eq!(eval(&mut *copy, "reach shown 0"), Ok(json!(libc::EPERM)));
    assert_eq!(eval(&mut *first, "id"), Ok(own));
    assert_eq!(eval(&mut *copy, "id"), Ok(other));
}

fn a_member_does_to_itself_what_it_likes() {
    let mut session = open(&some_limits());
    for _ in 0..2 {
        let own = eval(&mut *session, "id").unwrap();
        for how in ["look", "limit", "pin"] {
            assert_eq!(eval(&mut *session, &format!("reach {how} {own}")), Ok(json!(0)), "{how}");
            assert_eq!(
                eval(&mut *session, &format!("reach {how} 0")),
                Ok(json!(if how == "look" { 1 } else { 0 })),
                "{how}"
            );
        }
        session = fork(&mut *session).unwrap();
    }
    let own = eval(&mut *session, "id").unwrap();
    let failure = eval(&mut *session, &format!("reach kill {own}")).unwrap_err();
    assert_eq!(failure.kind, ErrorKind::Crashed, "{failure}");
}

fn nobody_takes_the_fork_of_another() {
    let mut first = open(&some_limits());
    let opened = first.fork(&host(some_limits())).unwrap().unwrap();
    let grabs = std::thread::spawn(move || eval(&mut *opened().unwrap(), "grab 400"));
    while !grabs.is_finished() {
        assert!(fork(&mut *first).is_some());
    }
    assert_eq!(grabs.join().unwrap(), Ok(json!(0)));
}

fn a_session_that_ended_is_not_copied() {
    let mut session = open(&some_limits());
    eval(&mut *session, "exit 1").unwrap_err();
    let failure = session.fork(&host(some_limits())).err().unwrap();
    assert!(failure.message.starts_with("the session ended: "), "{failure}");
}

/// In a process of its own: what others have is not counted.
fn nothing_is_left_of_many_copies() {
    let ended = Command::new("/proc/self/exe").arg(COPIES).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

/// Many copies, and a look at what is left of them.
pub(crate) fn copies() {
    let mut first = open(&some_limits());
    eval(&mut *first, "set x 1").unwrap();
    let mut round = |number: usize| {
        let mut copy = fork(&mut *first).unwrap();
        match number % 3 {
            0 => drop(copy),
            1 => drop(eval(&mut *copy, "exit 1").unwrap_err()),
            _ => assert_eq!(eval(&mut *copy, "get x"), Ok(json!(1))),
        }
    };
    (0..3).for_each(&mut round);
    std::thread::sleep(Duration::from_millis(100));
    let before = Holdings::now();
    (0..50).for_each(round);
    eventually(&format!("before: {before:?}, after: {:?}", Holdings::now()), || Holdings::now() == before);
    assert_eq!(eval(&mut *first, "get x"), Ok(json!(1)));
    drop(first);
}
