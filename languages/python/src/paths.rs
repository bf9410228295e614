//! Where the standard library is, found without asking a shell, the environment or a `python3` on the path.

use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// `3.11`, of the CPython that this crate was compiled for.
pub(crate) const VERSION: &str = env!("SKILLS_PYTHON_VERSION");

/// An installation of CPython.
#[derive(Debug)]
pub(crate) struct Home {
    /// Its prefix, such as `/usr`.
    pub(crate) prefix: PathBuf,
    /// The module search path: the standard library, its extension modules, installed packages.
    pub(crate) search: Vec<PathBuf>,
    /// The program that belongs to it; it need not exist, it only keeps CPython from searching for one.
    pub(crate) program: PathBuf,
}

/// The installation that the loaded libpython belongs to, or the one known at build time.
pub(crate) fn find() -> Result<Home, String> {
    let mut tried = Vec::new();
    for start in [loaded_library(), Some(PathBuf::from(env!("SKILLS_PYTHON_LIB_DIR"))), executable_dir()] {
        for prefix in start.iter().flat_map(|dir| dir.ancestors()).filter(|dir| dir.is_absolute()) {
            let stdlib = prefix.join("lib").join(format!("python{VERSION}"));
            if stdlib.join("os.py").is_file() {
                return Ok(home(prefix, &stdlib));
            }
        }
        tried.extend(start.map(|dir| dir.display().to_string()).filter(|dir| !dir.is_empty()));
    }
    Err(format!("no lib/python{VERSION} at or above any of: {}", tried.join(", ")))
}

fn home(prefix: &Path, stdlib: &Path) -> Home {
    let packages = [
        stdlib.join("site-packages"),
        prefix.join("local/lib").join(format!("python{VERSION}")).join("dist-packages"),
        prefix.join("lib/python3/dist-packages"),
    ];
    let mut search = vec![stdlib.to_owned(), stdlib.join("lib-dynload")];
    search.extend(packages.into_iter().filter(|dir| dir.is_dir()));
    Home { prefix: prefix.to_owned(), search, program: prefix.join("bin").join(format!("python{VERSION}")) }
}

/// What an isolated CPython reads: its libraries, and the folder of libpython where that is its own.
pub(crate) fn needs() -> Vec<PathBuf> {
    let Ok(home) = find() else { return Vec::new() };
    let library = home.prefix.join("lib");
    let mut needs: Vec<PathBuf> = home.search.into_iter().filter(|dir| dir.is_dir()).collect();
    needs.extend(loaded_library().filter(|folder| *folder == library && !folder.starts_with("/usr")));
    needs
}

/// The folder of the libpython that this process has loaded.
fn loaded_library() -> Option<PathBuf> {
    let mut info = libc::Dl_info {
        dli_fname: std::ptr::null(),
        dli_fbase: std::ptr::null_mut(),
        dli_sname: std::ptr::null(),
        dli_saddr: std::ptr::null_mut(),
    };
    let symbol = pyo3::ffi::Py_IsInitialized as *const () as *const libc::c_void;
    // SAFETY: `info` is a valid place to write to, and any address may be asked about.
    let found = unsafe { libc::dladdr(symbol, &mut info) } != 0 && !info.dli_fname.is_null();
    if !found {
        return None;
    }
    // SAFETY: the loader gives a NUL-terminated name that lives as long as the library is loaded.
    let name = unsafe { CStr::from_ptr(info.dli_fname) };
    let path = Path::new(OsStr::from_bytes(name.to_bytes()));
    path.parent().map(Path::to_owned)
}

#[expect(clippy::disallowed_methods, reason = "a libpython that is linked in statically is where the program is")]
fn executable_dir() -> Option<PathBuf> {
    Some(std::env::current_exe().ok()?.parent()?.to_owned())
}
