//! Environment variables: none of the host's.

use super::PROXY_PORT;

/// What every confined process has.
const FIXED: [(&str, &str); 5] = [
    ("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"),
    ("HOME", "/tmp"),
    ("TMPDIR", "/tmp"),
    ("LANG", "C.UTF-8"),
    ("USER", "skill"),
];

/// The environment of a confined process before anything is granted, for who starts a program in one.
pub fn environment(network: bool) -> Vec<(String, String)> {
    let mut all: Vec<_> = FIXED.iter().map(|(name, value)| (String::from(*name), String::from(*value))).collect();
    if network {
        let proxy = format!("http://127.0.0.1:{PROXY_PORT}");
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            all.push((name.to_lowercase(), proxy.clone()));
            all.push((String::from(name), proxy.clone()));
        }
    }
    all
}

/// Makes it the environment of this process, in place of the one it has.
#[cfg(target_os = "linux")]
pub(super) fn replace(network: bool) -> Result<(), super::Fault> {
    use super::fault::Attempt;
    use crate::LayerName::Environment;
    use std::ffi::CString;
    let all = environment(network);
    erase();
    // SAFETY: the process has one thread, so nobody reads the environment meanwhile.
    unsafe { libc::clearenv() };
    for (name, value) in all {
        let name = CString::new(name).attempt(Environment, "naming a variable")?;
        let value = CString::new(value).attempt(Environment, "setting a variable")?;
        // SAFETY: as above; both are terminated strings, which setenv copies.
        unsafe { libc::setenv(name.as_ptr(), value.as_ptr(), 1) };
    }
    Ok(())
}

/// Overwrites the variables where they stand: what a program was started with stays readable in `/proc/self/environ`.
#[cfg(target_os = "linux")]
fn erase() {
    unsafe extern "C" {
        static environ: *mut *mut libc::c_char;
    }
    // SAFETY: the list ends with nothing, its strings are terminated and our own, and the process has one thread. Whoever still
    // has the address of one finds an empty string there.
    unsafe {
        let mut at = environ;
        while !at.is_null() && !(*at).is_null() {
            libc::memset((*at).cast(), 0, libc::strlen(*at));
            at = at.add(1);
        }
    }
}
