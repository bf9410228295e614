//! Tells the crate which CPython it is built against, and its own test binary where libpython is.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    pyo3_build_config::use_pyo3_cfgs();
    pyo3_build_config::add_libpython_rpath_link_args();
    let python = pyo3_build_config::get();
    // Where the standard library is looked for when it isn't beside the libpython that was loaded.
    println!("cargo:rustc-env=SKILLS_PYTHON_LIB_DIR={}", python.lib_dir().unwrap_or_default());
    // For the build scripts of what links this: see the README of the workspace.
    println!("cargo::metadata=libdir={}", python.lib_dir().unwrap_or_default());
    let version = python.version();
    println!("cargo:rustc-env=SKILLS_PYTHON_VERSION={}.{}", version.major, version.minor);
}
