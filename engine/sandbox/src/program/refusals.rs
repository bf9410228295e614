//! Why a program cannot be started, each as an error of its own.
#![expect(clippy::disallowed_methods, reason = "the launcher looks at the program that it is to start")]

use rustix::io::Errno;
use skills_core::{ErrorKind, Failure};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Looks whether a program is there and may be executed.
pub(super) fn check(executable: &Path) -> Result<(), Failure> {
    let shown = executable.display();
    if !executable.is_absolute() {
        let message = format!("{shown} is no absolute path of a program");
        return Err(Failure::new(ErrorKind::Internal, message));
    }
    let path = executable.canonicalize().map_err(|error| match error.kind() {
        std::io::ErrorKind::PermissionDenied => closed(executable),
        _ => Failure::new(ErrorKind::NotFound, format!("there is no program {shown}"))
            .with_help("install it, or correct the definition's `command`"),
    })?;
    match path.metadata() {
        Ok(found) if found.is_dir() => {
            Err(Failure::new(ErrorKind::PermissionDenied, format!("{shown} is a folder, not a program")))
        }
        Ok(found) if found.permissions().mode() & 0o111 == 0 => Err(closed(executable)),
        Ok(_) => Ok(()),
        Err(_) => Err(closed(executable)),
    }
}

fn closed(executable: &Path) -> Failure {
    let shown = executable.display();
    Failure::new(ErrorKind::PermissionDenied, format!("{shown} is not executable"))
        .with_help(format!("make it executable: chmod +x {shown}"))
}

/// What the kernel answered instead of starting it.
pub(super) fn not_started(executable: &Path, errno: Errno) -> Failure {
    let shown = executable.display();
    match errno {
        Errno::NOENT => Failure::new(ErrorKind::NotFound, format!("{shown} names an interpreter that is not there"))
            .with_help("look at its first line: the program after `#!` must be installed, and be one that a confined program sees"),
        Errno::NOEXEC => Failure::new(ErrorKind::PermissionDenied, format!("{shown} is no program that this machine can run"))
            .with_help("a script needs a first line such as `#!/bin/sh`; a binary must be made for this processor"),
        Errno::ACCESS | Errno::PERM => {
            Failure::new(ErrorKind::PermissionDenied, format!("{shown} may not be executed in confinement"))
                .with_help("the program and what runs it must be executable files that the grants show to it")
        }
        Errno::TOOBIG => Failure::new(ErrorKind::InvalidArguments, format!("the arguments and the environment of {shown} are too large"))
            .with_help("pass large values on standard input"),
        Errno::INVAL => Failure::new(ErrorKind::InvalidArguments, format!("an argument or a variable of {shown} holds a NUL character")),
        errno => Failure::new(ErrorKind::Unavailable, format!("{shown} cannot be started: {errno}")),
    }
}
