//! Kernels of tests.

use crate::toy::Toy;
use skills_core::{ErrorKind, Failure};
use skills_sandbox::worker::Interpreting;
use skills_sandbox::{Kernel, MakeKernel};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

pub(crate) const ALL: &[(&str, MakeKernel)] = &[
    ("echo", || Box::new(Echo { warmed: 0 })),
    ("cold", || Box::new(Cold)),
    ("rhai", || Box::new(Interpreting::new(Arc::new(Toy)))),
];

/// Does what it is told, one byte at a time.
struct Echo {
    warmed: u32,
}

impl Kernel for Echo {
    fn warm(&mut self) -> Result<(), Failure> {
        self.warmed += 1;
        Ok(())
    }

    fn serve(&mut self, descriptors: Vec<OwnedFd>) -> ! {
        let mut socket = UnixStream::from(descriptors.into_iter().next().unwrap());
        let mut byte = [0; 1];
        while socket.read(&mut byte).unwrap_or(0) == 1 {
            match byte[0] {
                b'w' => socket.write_all(&[self.warmed as u8]).unwrap(),
                b'p' => socket.write_all(&std::process::id().to_le_bytes()).unwrap(),
                b'x' => std::process::exit(7),
                b's' => loop {
                    std::hint::spin_loop();
                },
                b'm' => {
                    let mut held = Vec::new();
                    loop {
                        held.push(vec![1_u8; 1 << 20]);
                    }
                }
                _ => socket.write_all(&byte).unwrap(),
            }
        }
        std::process::exit(0)
    }
}

/// Cannot start.
struct Cold;

impl Kernel for Cold {
    fn warm(&mut self) -> Result<(), Failure> {
        Err(Failure::new(ErrorKind::Unavailable, "it is too cold").with_help("wait for summer"))
    }

    fn serve(&mut self, _descriptors: Vec<OwnedFd>) -> ! {
        std::process::exit(1)
    }
}
