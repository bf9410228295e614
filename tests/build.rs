//! Lets what is built here find libpython where it was found at build time, so that the binary simply runs.

fn main() {
    pyo3_build_config::add_libpython_rpath_link_args();
}
