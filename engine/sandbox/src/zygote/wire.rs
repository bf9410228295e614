//! How host and zygote talk: plain data as JSON, descriptors beside it.
//!
//! Orders go to the zygote over one stream socket, the control socket. What becomes of a child comes back over a socket of that
//! child's own, its *line*, so that no thread has to sort answers. A worker closes its end of the line before it runs anything
//! of a skill, and never has the control socket.

use crate::Cage;
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use skills_core::{Enforcement, Failure, LimitName};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The version of what is said here: host and worker executable may be of different builds.
pub(crate) const VERSION: u32 = 1;

/// The most descriptors that one message carries.
const MOST_DESCRIPTORS: usize = 16;

/// The largest order: the arguments and the environment of a program are in it.
const LARGEST_ORDER: usize = 16 << 20;

/// The largest report of a line.
const LARGEST_REPORT: usize = 16 << 10;

/// What the zygote says first, over the control socket.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Hello {
    pub(crate) version: u32,
    /// Whether it is ready to fork.
    pub(crate) ready: Result<(), Failure>,
    /// What a probe found.
    #[serde(default)]
    pub(crate) layers: Vec<(crate::LayerName, Enforcement, String)>,
    /// Whether limits held that a probe went beyond.
    #[serde(default)]
    pub(crate) limits: Vec<(LimitName, bool, String)>,
}

/// What the host tells the zygote before it is ready.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Setup {
    /// What every worker needs to read.
    pub(crate) needs: Vec<std::path::PathBuf>,
}

/// What the host asks of a zygote. The first descriptor is the line of the child, the others are what it is given.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) cage: Cage,
    pub(crate) payload: super::Payload,
}

/// What comes back over the line of a child.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Report {
    /// From the zygote: there is a child, which waits to be told to go; its pidfd is beside this.
    Forked,
    /// From the child: it is confined. The proxy's listener is beside this where there is one.
    Confined,
    /// From either: there is no confined child.
    Refused(Failure),
    /// From the zygote: the child has ended.
    Ended(Exit),
}

/// What the kernel says of an ended child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Exit {
    /// As `wait` gives it.
    pub(crate) status: i32,
    pub(crate) cpu_micros: u64,
    /// The largest resident size of one process, in bytes.
    pub(crate) peak: u64,
}

impl Exit {
    /// From what `wait4` gives.
    pub(crate) fn of(status: i32, usage: &libc::rusage) -> Exit {
        let micros = |time: libc::timeval| time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64;
        Exit {
            status,
            cpu_micros: micros(usage.ru_utime) + micros(usage.ru_stime),
            peak: usage.ru_maxrss as u64 * 1024,
        }
    }
}

/// Sends a large message over a stream.
pub(crate) fn send_order(to: BorrowedFd<'_>, message: &impl Serialize, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    let body = serde_json::to_vec(message)?;
    if body.len() > LARGEST_ORDER {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "arguments and environment are larger than 16 MB"));
    }
    let header = (body.len() as u32).to_le_bytes();
    send_with(to, &header, fds)?;
    let mut rest = &body[..];
    while !rest.is_empty() {
        let sent = retry_on_intr(|| rustix::net::send(to, rest, SendFlags::NOSIGNAL))?;
        rest = &rest[sent..];
    }
    Ok(())
}

/// Takes a large message from a stream; `None` at its end.
pub(crate) fn receive_order<T: DeserializeOwned>(from: BorrowedFd<'_>) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    let mut header = [0; 4];
    let (got, fds) = receive_with(from, &mut header)?;
    if got == 0 {
        return Ok(None);
    }
    let length = u32::from_le_bytes(header) as usize;
    if got != header.len() || length > LARGEST_ORDER {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut body = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match retry_on_intr(|| rustix::net::recv(from, &mut body[filled..], RecvFlags::empty()))?.0 {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => filled += n,
        }
    }
    Ok(Some((serde_json::from_slice(&body)?, fds)))
}

/// Sends one report over a line. Never waits: a host that does not read has lost its report.
pub(crate) fn send_report(to: BorrowedFd<'_>, report: &Report, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    let body = serde_json::to_vec(report)?;
    send_with(to, &body, fds)
}

/// Takes one report from a line; `None` when nobody is left at the other end.
pub(crate) fn receive_report(from: BorrowedFd<'_>) -> io::Result<Option<(Report, Vec<OwnedFd>)>> {
    let mut body = vec![0; LARGEST_REPORT];
    let (got, fds) = receive_with(from, &mut body)?;
    if got == 0 {
        return Ok(None);
    }
    Ok(Some((serde_json::from_slice(&body[..got])?, fds)))
}

/// Passes a socket to whoever serves behind a door.
pub(crate) fn send_visit(door: BorrowedFd<'_>, socket: BorrowedFd<'_>) -> io::Result<()> {
    send_with(door, &[0], &[socket])
}

/// Takes what came through a door; `None` when nobody has its other side any more.
pub(crate) fn receive_visit(door: BorrowedFd<'_>) -> io::Result<Option<Vec<OwnedFd>>> {
    let (got, fds) = receive_with(door, &mut [0; 1])?;
    Ok((got > 0).then_some(fds))
}

/// Sends a word, and descriptors beside it. Never waits.
pub(crate) fn send_word(to: BorrowedFd<'_>, word: u64, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    send_with(to, &word.to_le_bytes(), fds)
}

/// Takes a word; `None` when nobody is left at the other end.
pub(crate) fn receive_word(from: BorrowedFd<'_>) -> io::Result<Option<(u64, Vec<OwnedFd>)>> {
    let mut word = [0; 8];
    let (got, fds) = receive_with(from, &mut word)?;
    Ok((got == word.len()).then(|| (u64::from_le_bytes(word), fds)))
}

/// Takes a greeting; gives who the kernel says has sent it, as this process numbers it.
pub(crate) fn receive_greeting(from: BorrowedFd<'_>) -> io::Result<Option<u32>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1), ScmRights(MOST_DESCRIPTORS))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0; 1];
    let flags = RecvFlags::CMSG_CLOEXEC;
    let got = retry_on_intr(|| recvmsg(from, &mut [IoSliceMut::new(&mut byte)], &mut beside, flags))?;
    let who = beside.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmCredentials(who) => u32::try_from(who.pid.as_raw_pid()).ok(),
        _ => None,
    });
    Ok(who.filter(|_| got.bytes == byte.len()))
}

fn send_with(to: BorrowedFd<'_>, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    if fds.len() > MOST_DESCRIPTORS {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut beside = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() {
        beside.push(SendAncillaryMessage::ScmRights(fds));
    }
    let sent = retry_on_intr(|| sendmsg(to, &[IoSlice::new(bytes)], &mut beside, SendFlags::NOSIGNAL))?;
    if sent == bytes.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

fn receive_with(from: BorrowedFd<'_>, bytes: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        match recvmsg(from, &mut [IoSliceMut::new(bytes)], &mut beside, RecvFlags::CMSG_CLOEXEC) {
            Err(Errno::INTR) => {}
            // Nobody is left at the other end of a line that was never read to its end.
            Err(Errno::CONNRESET) => return Ok((0, Vec::new())),
            other => break other?,
        }
    };
    let mut fds = Vec::new();
    for message in beside.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            fds.extend(rights);
        }
    }
    if received.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok((received.bytes, fds))
}

/// Borrows each of some descriptors.
pub(crate) fn borrow(fds: &[OwnedFd]) -> Vec<BorrowedFd<'_>> {
    fds.iter().map(AsFd::as_fd).collect()
}
