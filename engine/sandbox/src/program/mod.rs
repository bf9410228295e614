//! Programs in confinement.

pub(crate) mod init;
