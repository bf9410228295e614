//! What goes into a program and comes out of it, moved by the thread that waits for it.

use super::helper::Desk;
use super::init::Word;
use crate::text::Decoder;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use skills_core::{Failure, Host, Stream};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// How many of the host's own ends there are.
const OWN: usize = 4;

/// The host's ends of a program's pipes.
#[derive(Debug)]
pub(super) struct Streams {
    input: Option<Input>,
    outputs: [Output; 2],
    said: Option<OwnedFd>,
    word: Vec<u8>,
    /// What came on standard output.
    pub(super) stdout: Vec<u8>,
}

#[derive(Debug)]
struct Input {
    to: OwnedFd,
    /// The program's end as well: while somebody could read, writing raises no signal in the host program.
    _reader: OwnedFd,
    bytes: Vec<u8>,
    written: usize,
}

#[derive(Debug)]
struct Output {
    stream: Stream,
    from: Option<OwnedFd>,
    decoder: Decoder,
}

impl Streams {
    /// Pipes for a program that reads `stdin`; and its own ends, in the order in which a program is given them.
    pub(super) fn open(stdin: Vec<u8>) -> io::Result<(Streams, Vec<OwnedFd>)> {
        let (read_in, write_in) = pipe_with(PipeFlags::CLOEXEC)?;
        let (read_out, write_out) = pipe_with(PipeFlags::CLOEXEC)?;
        let (read_err, write_err) = pipe_with(PipeFlags::CLOEXEC)?;
        let (read_said, write_said) = pipe_with(PipeFlags::CLOEXEC)?;
        for own in [&write_in, &read_out, &read_err, &read_said] {
            rustix::io::ioctl_fionbio(own, true)?;
        }
        let reader = read_in.try_clone()?;
        let output = |stream, from| Output { stream, from: Some(from), decoder: Decoder::default() };
        let streams = Streams {
            input: Some(Input { to: write_in, _reader: reader, bytes: stdin, written: 0 }),
            outputs: [output(Stream::Stdout, read_out), output(Stream::Stderr, read_err)],
            said: Some(read_said),
            word: Vec::new(),
            stdout: Vec::new(),
        };
        Ok((streams, vec![read_in, write_out, write_err, write_said]))
    }

    /// Moves what there is, and answers at the desk, until the program and all that it started have closed their ends, or until
    /// the host refuses what it is given.
    ///
    /// # Errors
    /// The host's own.
    pub(super) fn pump(&mut self, host: &dyn Host, mut desk: Option<&mut Desk>) -> Result<(), Failure> {
        self.feed();
        while self.said.is_some() || self.outputs.iter().any(|output| output.from.is_some()) {
            let ready = self.wait(desk.as_deref());
            let (own, visits) = ready.split_at(OWN);
            if own[0] {
                self.feed();
            }
            for index in 0..2 {
                if own[index + 1] {
                    self.take(index, host)?;
                }
            }
            if own[3] {
                self.listen();
            }
            if let Some(desk) = &mut desk {
                desk.serve(visits, host);
                // A limit that a call met ends the program, whatever it makes of the call's failure.
                if let Some(verdict) = host.budget().verdict() {
                    return Err(verdict.clone());
                }
            }
        }
        Ok(())
    }

    /// Waits until one of input, output, errors, words and what the desk waits for can go on, and says which.
    fn wait(&self, desk: Option<&Desk>) -> Vec<bool> {
        let own: [_; OWN] = [
            (self.input.as_ref().map(|input| input.to.as_fd()), PollFlags::OUT),
            (self.outputs[0].from.as_ref().map(AsFd::as_fd), PollFlags::IN),
            (self.outputs[1].from.as_ref().map(AsFd::as_fd), PollFlags::IN),
            (self.said.as_ref().map(AsFd::as_fd), PollFlags::IN),
        ];
        let all: Vec<_> = own.into_iter().chain(desk.into_iter().flat_map(Desk::waits)).collect();
        let mut fds: Vec<PollFd<'_>> =
            all.iter().filter_map(|(fd, flags)| Some(PollFd::from_borrowed_fd((*fd)?, *flags))).collect();
        // An interruption, and whatever else may be wrong, shows when they are tried.
        let _ = poll(&mut fds, None);
        let mut looked = fds.iter().map(|fd| !fd.revents().is_empty());
        all.iter().map(|(fd, _)| fd.is_some() && looked.next().unwrap_or(false)).collect()
    }

    fn feed(&mut self) {
        let Some(input) = &mut self.input else { return };
        loop {
            if input.written == input.bytes.len() {
                break;
            }
            match rustix::io::write(&input.to, &input.bytes[input.written..]) {
                Ok(written) => input.written += written,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => break,
            }
        }
        self.input = None;
    }

    fn take(&mut self, index: usize, host: &dyn Host) -> Result<(), Failure> {
        let output = &mut self.outputs[index];
        let Some(from) = &output.from else { return Ok(()) };
        let mut bytes = [0; 16 << 10];
        let text = match rustix::io::read(from, &mut bytes) {
            Ok(0) => {
                output.from = None;
                output.decoder.finish()
            }
            Ok(length) => {
                if output.stream == Stream::Stdout {
                    self.stdout.extend_from_slice(&bytes[..length]);
                }
                output.decoder.decode(&bytes[..length])
            }
            Err(Errno::INTR | Errno::AGAIN) => return Ok(()),
            Err(_) => {
                output.from = None;
                return Ok(());
            }
        };
        if text.is_empty() { Ok(()) } else { host.print(output.stream, &text) }
    }

    fn listen(&mut self) {
        let Some(said) = &self.said else { return };
        let mut bytes = [0; Word::LENGTH];
        match rustix::io::read(said, &mut bytes) {
            Ok(0) => self.said = None,
            Ok(length) if self.word.len() < Word::LENGTH => self.word.extend_from_slice(&bytes[..length]),
            Ok(_) | Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => self.said = None,
        }
    }

    /// What was said of the program's end, if anything was.
    pub(super) fn word(&self) -> Option<Word> {
        Word::from_bytes(self.word.get(..Word::LENGTH)?.try_into().ok()?)
    }
}

/// The failure where there is no room for another pipe.
pub(super) fn no_pipe(error: &io::Error) -> Failure {
    Failure::new(skills_core::ErrorKind::Unavailable, format!("a program's pipes cannot be made: {error}"))
        .with_help("the program has too many files open: raise its limit (`ulimit -n`) or run fewer skills at once")
}
