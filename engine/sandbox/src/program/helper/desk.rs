//! The host's side. Whatever comes in is hostile: it is bounded, and nobody is waited for.

use super::{Answer, Ask, MOST_ASKED, words};
use crate::zygote::wire;
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, socketpair};
use skills_core::{ErrorKind, Failure, Host};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// How many may ask at once. Others wait in the socket, and then at its end.
const MOST_OPEN: usize = 16;

/// Answers what a program asks by `skill`.
#[derive(Debug)]
pub(in super::super) struct Desk {
    door: Option<OwnedFd>,
    visits: Vec<Visit>,
}

/// One call of `skill`.
#[derive(Debug)]
struct Visit {
    socket: OwnedFd,
    heard: Vec<u8>,
    /// The answer, and how much of it is sent.
    answer: Option<(Vec<u8>, usize)>,
}

impl Desk {
    /// A desk, and the program's end of its door.
    pub(in super::super) fn open() -> io::Result<(Desk, OwnedFd)> {
        let (near, far) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        rustix::io::ioctl_fionbio(&near, true)?;
        Ok((Desk { door: Some(near), visits: Vec::new() }, far))
    }

    /// What is to be waited for: the door first, then each visit.
    pub(in super::super) fn waits(&self) -> impl Iterator<Item = (Option<BorrowedFd<'_>>, PollFlags)> {
        let door = self.door.as_ref().filter(|_| self.visits.len() < MOST_OPEN).map(AsFd::as_fd);
        let visits = self.visits.iter().map(|visit| {
            let flags = if visit.answer.is_some() { PollFlags::OUT } else { PollFlags::IN };
            (Some(visit.socket.as_fd()), flags)
        });
        std::iter::once((door, PollFlags::IN)).chain(visits)
    }

    /// Goes on where something can; `ready` says where, in the order of [`Desk::waits`].
    pub(in super::super) fn serve(&mut self, ready: &[bool], host: &dyn Host) {
        for index in (1..ready.len()).rev().filter(|index| ready[*index]) {
            if !self.visits[index - 1].go_on(host) {
                self.visits.swap_remove(index - 1);
            }
        }
        if ready.first() == Some(&true) {
            self.admit();
        }
    }

    fn admit(&mut self) {
        let Some(door) = &self.door else { return };
        match wire::receive_visit(door.as_fd()) {
            Ok(Some(fds)) => {
                for socket in fds.into_iter().take(1) {
                    let ours = rustix::net::sockopt::socket_domain(&socket) == Ok(AddressFamily::UNIX);
                    if ours && rustix::io::ioctl_fionbio(&socket, true).is_ok() {
                        self.visits.push(Visit { socket, heard: Vec::new(), answer: None });
                    }
                }
            }
            Ok(None) => self.door = None,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // A message that is none: whoever sent it gets no answer.
            Err(_) => {}
        }
    }
}

impl Visit {
    /// Reads or writes what it can; says whether there is more to do.
    fn go_on(&mut self, host: &dyn Host) -> bool {
        if let Some((bytes, sent)) = &mut self.answer {
            return match rustix::net::send(&self.socket, &bytes[*sent..], SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Ok(more) => {
                    *sent += more;
                    *sent < bytes.len()
                }
                Err(Errno::INTR | Errno::AGAIN) => true,
                Err(_) => false,
            };
        }
        let mut bytes = [0; 16 << 10];
        match rustix::net::recv(&self.socket, &mut bytes[..], RecvFlags::DONTWAIT) {
            Ok((length @ 1.., _)) => {
                self.heard.extend_from_slice(&bytes[..length]);
                if self.heard.len() > MOST_ASKED {
                    self.answer(&Answer::Failure(too_much()));
                }
                true
            }
            // Whoever asks has said all.
            Ok(_) if !self.heard.is_empty() => {
                let answer = answer(&self.heard, host);
                self.answer(&answer);
                true
            }
            Err(Errno::INTR | Errno::AGAIN) => true,
            Ok(_) | Err(_) => false,
        }
    }

    fn answer(&mut self, answer: &Answer) {
        self.heard = Vec::new();
        // A value of JSON has a text, always.
        self.answer = Some((serde_json::to_vec(answer).unwrap_or_default(), 0));
    }
}

fn answer(heard: &[u8], host: &dyn Host) -> Answer {
    let Ok(Ask { words }) = serde_json::from_slice(heard) else {
        return Answer::Failure(Failure::new(ErrorKind::InvalidArguments, "what `skill` was asked is not readable"));
    };
    if words.is_empty() {
        return Answer::Text(words::usage(host.functions()));
    }
    let called = words::read(host.functions(), &words).and_then(|(index, arguments)| {
        let value = host.call(index, arguments)?;
        // A function that has nothing to say, such as `log`, leaves no `null` in the program's output.
        let silent = value.is_null() && host.functions()[index].returns.get("type").is_some_and(|kind| kind == "null");
        Ok(if silent { Answer::Text(String::new()) } else { Answer::Value(value) })
    });
    called.unwrap_or_else(Answer::Failure)
}

fn too_much() -> Failure {
    Failure::new(ErrorKind::InvalidArguments, "the arguments of `skill` are longer than 4 MB")
        .with_help("write large values to a file")
}
