//! The file tree of a confined process: what it needs, what it is granted, and nothing else of the host's.

mod base;
mod masks;
mod mounts;
mod worker;

pub(super) use worker::Shown;

use super::Fault;
use super::programs::Executables;
use crate::Cage;
use std::path::{Path, PathBuf};

/// What is the same in the tree of every worker of a zygote.
#[derive(Debug)]
pub(super) struct Tree {
    entries: Vec<base::Entry>,
}

impl Tree {
    /// Makes it, and moves the zygote into it.
    pub(super) fn make(needs: &[PathBuf]) -> Result<Tree, Fault> {
        Ok(Tree { entries: base::make(needs)? })
    }

    /// Builds the worker's own tree from it and moves the process into that.
    pub(super) fn enter(&self, cage: &Cage) -> Result<Shown, Fault> {
        worker::enter(&self.entries, cage)
    }

    /// Takes programs that are not granted out of the tree, once it is the root.
    pub(super) fn mask(&self, executables: &Executables) -> Result<(), Fault> {
        masks::put_on(executables)
    }

    /// What of the base is mounted in the tree of a worker, and whether it is a folder.
    pub(super) fn mounts(&self) -> impl Iterator<Item = (&Path, bool)> {
        self.entries.iter().filter_map(|entry| match entry {
            base::Entry::Mount(path, folder) => Some((path.as_path(), *folder)),
            base::Entry::Link(..) | base::Entry::Blank(_) => None,
        })
    }
}
