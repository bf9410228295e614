use super::*;
use crate::Cage;
use skills_core::{ErrorKind, Grants, Limits};
use std::io::{Read, Write};

#[path = "../../../../tests/support/docker.rs"]
mod docker;

use docker::FakeEngine;

fn options(engine: &FakeEngine) -> ContainerOptions {
    ContainerOptions { socket: engine.socket(), image: "debian:12-slim".to_owned() }
}

fn cage() -> Cage {
    Cage::new(Grants::NONE, &Limits::default())
}

fn shell(script: &str) -> Vec<String> {
    ["/bin/sh", "-c", script].map(str::to_owned).to_vec()
}

#[test]
fn a_container_s_streams_are_two_local_ones() {
    let engine = FakeEngine::start();
    let containers = Containers::connect(options(&engine)).unwrap();
    let script = shell("read line; echo \"got $line\"; echo oops >&2; exit 3");
    let (container, mut frames, mut errors) = containers.start(&cage(), None, script, &[]).unwrap();
    frames.write_all(b"hello\n").unwrap();
    let (mut out, mut err) = (String::new(), String::new());
    frames.read_to_string(&mut out).unwrap();
    errors.read_to_string(&mut err).unwrap();
    assert_eq!((out.as_str(), err.as_str()), ("got hello\n", "oops\n"));
    assert_eq!(container.wait().unwrap(), ContainerEnd { code: Some(3), out_of_memory: false });
    drop(container);
    while !engine.asked("DELETE") {
        std::thread::yield_now();
    }
}

#[test]
fn a_container_is_ended_when_told_to() {
    let engine = FakeEngine::start();
    let containers = Containers::connect(options(&engine)).unwrap();
    let (container, _frames, _errors) = containers.start(&cage(), None, shell("read forever"), &[]).unwrap();
    container.kill();
    assert_eq!(container.wait().unwrap().code, Some(137));
}

#[test]
fn without_an_engine_or_its_image_the_error_says_what_to_do() {
    let nobody = ContainerOptions { socket: "/nowhere/docker.sock".into(), ..ContainerOptions::default() };
    let failure = Containers::connect(nobody).unwrap_err();
    assert_eq!(failure.kind, ErrorKind::Unavailable);
    assert!(failure.message.contains("/nowhere/docker.sock"), "{failure}");
    let engine = FakeEngine::start();
    let missing = ContainerOptions { image: "missing".to_owned(), ..options(&engine) };
    let failure = Containers::connect(missing).unwrap_err();
    assert_eq!(failure.kind, ErrorKind::Unavailable);
    assert_eq!(failure.help.unwrap(), "fetch it once: docker pull missing");
}
