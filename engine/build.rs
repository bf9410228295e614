//! Passes on where libpython is, to the build scripts of the programs that embed the engine.
#![allow(clippy::disallowed_methods, reason = "Cargo tells a build script everything by the environment")]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Bundled skills are compiled in.
    println!("cargo::rerun-if-changed=../skills");
    if let Ok(folder) = std::env::var("DEP_SKILLS_PYTHON_LIBDIR") {
        println!("cargo::metadata=libdir={folder}");
        println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}");
    }
}
