//! Children of a zygote: what they are given, how they end, and what is left of them.

use crate::test;
use libtest_mimic::Trial;
use skills_core::{ErrorKind, Grants, Limits};
use skills_sandbox::{Cage, Child, Executable, Payload, Reason, Status, Zygote, Zygotes};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        test("a_child_serves_from_what_the_zygote_has_warm", a_child_serves_from_what_the_zygote_has_warm),
        test("ends_are_told_apart", ends_are_told_apart),
        test("children_of_a_zygote_share_no_namespace", children_of_a_zygote_share_no_namespace),
        test("a_dropped_child_is_gone", a_dropped_child_is_gone),
        test("a_zygote_that_died_is_started_again", a_zygote_that_died_is_started_again),
        test("a_kernel_that_cannot_start_says_why", a_kernel_that_cannot_start_says_why),
        test("what_is_no_worker_is_named", what_is_no_worker_is_named),
    ]
}

pub(crate) fn me() -> Executable {
    Executable::at("/proc/self/exe")
}

pub(crate) fn fork(zygote: &Zygote) -> (Child, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    let cage = Cage::new(Grants::NONE, &Limits::none());
    (zygote.fork(&cage, Payload::Serve, vec![far.into()]).unwrap(), near)
}

pub(crate) fn ask<const N: usize>(socket: &mut UnixStream, byte: u8) -> [u8; N] {
    let mut answer = [0; N];
    socket.write_all(&[byte]).unwrap();
    socket.read_exact(&mut answer).unwrap();
    answer
}

fn a_child_serves_from_what_the_zygote_has_warm() {
    let zygote = Zygote::start(&me(), "echo", &[]).unwrap();
    for _ in 0..3 {
        let (child, mut socket) = fork(&zygote);
        assert_eq!(ask(&mut socket, b'w'), [1]);
        assert_eq!(u32::from_le_bytes(ask(&mut socket, b'p')), 1, "it is the first process of its namespace");
        assert!(Path::new(&format!("/proc/{}", child.id())).exists());
        drop(socket);
        assert_eq!(child.wait().status, Status::Exited(0));
    }
}

fn ends_are_told_apart() {
    let zygote = Zygote::start(&me(), "echo", &[]).unwrap();
    let (child, mut socket) = fork(&zygote);
    socket.write_all(b"x").unwrap();
    let ended = child.wait();
    assert_eq!((ended.status, ended.reason), (Status::Exited(7), None));
    assert_eq!(child.wait(), ended, "it is told again");

    let (child, mut socket) = fork(&zygote);
    socket.write_all(b"s").unwrap();
    assert_eq!(child.wait_for(std::time::Duration::from_millis(20)), None);
    child.kill(Reason::Deadline);
    child.killer().kill(Reason::Cancelled);
    let ended = child.wait();
    assert_eq!((ended.status, ended.reason), (Status::Signalled(9), Some(Reason::Deadline)), "the first reason stays");
    assert!(!ended.cpu.is_zero(), "{ended:?}");

    let (child, _socket) = fork(&zygote);
    drop(zygote);
    assert_eq!(child.wait().status, Status::Lost);
}

/// Each may serve another trust domain.
fn children_of_a_zygote_share_no_namespace() {
    let zygote = Zygote::start(&me(), "echo", &[]).unwrap();
    // A namespace of users of its own is what a worker's processes are counted in.
    let cage = Cage { processes: Some(16), ..Cage::new(Grants::NONE, &Limits::none()) };
    let fork = || {
        let (near, far) = UnixStream::pair().unwrap();
        (zygote.fork(&cage, Payload::Serve, vec![far.into()]).unwrap(), near)
    };
    let ((one, _first), (other, _second)) = (fork(), fork());
    for kind in ["user", "mnt", "pid", "ipc", "net"] {
        let of = |id: &str| std::fs::read_link(format!("/proc/{id}/ns/{kind}"));
        let found = ["self", &one.id().to_string(), &other.id().to_string()].map(of);
        // Who is no root may not look at those of confined processes.
        let [Ok(host), Ok(one), Ok(other)] = &found else { continue };
        assert!(one != other && one != host && other != host, "{kind}: {found:?}");
    }
}

fn a_dropped_child_is_gone() {
    let zygote = Zygote::start(&me(), "echo", &[]).unwrap();
    let (child, mut socket) = fork(&zygote);
    drop(child);
    assert_eq!(socket.read(&mut [0; 1]).unwrap(), 0);
}

fn a_zygote_that_died_is_started_again() {
    let zygotes = Zygotes::new(me(), Vec::new());
    let first = zygotes.get("echo").unwrap();
    assert_eq!(zygotes.get("echo").unwrap().id(), first.id());
    let (child, _socket) = fork(&first);
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(first.id() as i32).unwrap(),
        rustix::process::Signal::KILL,
    )
    .unwrap();
    assert_eq!(child.wait().status, Status::Lost);
    while first.alive() {
        std::thread::yield_now();
    }
    let second = zygotes.get("echo").unwrap();
    assert_ne!(second.id(), first.id());
    let (_child, mut socket) = fork(&second);
    assert_eq!(ask(&mut socket, b'w'), [1]);
}

fn a_kernel_that_cannot_start_says_why() {
    let failure = Zygote::start(&me(), "cold", &[]).unwrap_err();
    assert_eq!((failure.message.as_str(), failure.help.as_deref()), ("it is too cold", Some("wait for summer")));
    let failure = Zygote::start(&me(), "lisp", &[]).unwrap_err();
    assert_eq!((failure.kind, failure.message.as_str()), (ErrorKind::Unavailable, "the worker executable has no lisp"));
}

fn what_is_no_worker_is_named() {
    for (path, message) in [
        ("/bin/true", "the worker executable /bin/true ended instead of answering as one"),
        ("/no/such", "the worker executable /no/such cannot be started: No such file or directory (os error 2)"),
    ] {
        let failure = Zygote::start(&Executable::at(path), "echo", &[]).unwrap_err();
        assert_eq!((failure.kind, failure.message.as_str()), (ErrorKind::Unavailable, message));
    }
    let failure = Executable::find(Some(Path::new("/no/such")), true).unwrap_err();
    assert_eq!(failure.message, "there is no worker executable at /no/such");
    assert!(failure.help.unwrap().contains("skills::worker_main()"));
}
