//! Who the process is: capabilities dropped for good, no way back to any.

use super::fault::{Attempt, Fault};
use crate::LayerName::{Capabilities, NoNewPrivs, Uid};
use rustix::io::Errno;
use rustix::thread::{
    CapabilitiesSecureBits, CapabilitySet, CapabilitySets, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_capabilities_secure_bits, set_no_new_privs,
};

/// That the process is not user 0: the map of the user namespace made it another one.
pub(super) fn check_user() -> Result<(), Fault> {
    if rustix::process::getuid().is_root() || rustix::process::geteuid().is_root() {
        return Err(Fault::new(Uid, "the process is user 0 inside"));
    }
    Ok(())
}

/// Drops every capability, from every set.
pub(super) fn drop_capabilities() -> Result<(), Fault> {
    let locked = CapabilitiesSecureBits::NO_ROOT
        | CapabilitiesSecureBits::NO_ROOT_LOCKED
        | CapabilitiesSecureBits::NO_SETUID_FIXUP
        | CapabilitiesSecureBits::NO_SETUID_FIXUP_LOCKED
        | CapabilitiesSecureBits::KEEP_CAPS_LOCKED
        | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE
        | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE_LOCKED;
    set_capabilities_secure_bits(locked).attempt(Capabilities, "locking the secure bits")?;
    clear_ambient_capability_set().attempt(Capabilities, "clearing the ambient set")?;
    for number in 0..64 {
        match remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << number)) {
            Ok(()) => {}
            // The kernel knows none of this number, nor of a higher one.
            Err(Errno::INVAL) => break,
            Err(errno) => return Err(errno).attempt(Capabilities, format_args!("dropping capability {number}")),
        }
    }
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
        .attempt(Capabilities, "dropping all")
}

/// Executing a program gives no right any more, set-user-id or not.
pub(super) fn no_new_privs() -> Result<(), Fault> {
    set_no_new_privs(true).attempt(NoNewPrivs, "setting it")
}
