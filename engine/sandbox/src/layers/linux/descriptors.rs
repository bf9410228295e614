//! Open files: none but those that are passed on purpose.

use super::fault::Fault;
use crate::LayerName::Descriptors;
use std::os::fd::RawFd;

/// Closes every descriptor above the standard three but those of `keep`.
pub(super) fn close_others(keep: &[RawFd]) -> Result<(), Fault> {
    let mut keep: Vec<u32> = keep.iter().filter_map(|fd| u32::try_from(*fd).ok()).filter(|fd| *fd > 2).collect();
    keep.sort_unstable();
    let mut from = 3;
    for fd in keep.into_iter().chain([u32::MAX]) {
        if fd > from {
            let to = if fd == u32::MAX { fd } else { fd - 1 };
            // SAFETY: only the caller's descriptors of `keep` are used after this: see `Base::confine`.
            if unsafe { libc::syscall(libc::SYS_close_range, from, to, 0) } != 0 {
                let error = std::io::Error::last_os_error();
                return Err(Fault::new(Descriptors, format!("closing {from} to {to}: {error}")));
            }
        }
        from = fd.saturating_add(1);
    }
    Ok(())
}
