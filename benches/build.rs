//! Lets the binary find libpython where it was found at build time.
#![allow(clippy::disallowed_methods, reason = "Cargo tells a build script everything by the environment")]

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if let Ok(folder) = std::env::var("DEP_SKILLS_LIBDIR") {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}");
    }
}
