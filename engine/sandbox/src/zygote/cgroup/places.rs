//! Where groups can be made.
//!
//! In the one hierarchy, what is limited are groups below a group in which no process is, unless that is the uppermost. This program is in
//! a group, so its children's lie beside that, where the group above was delegated too; else below it, where all that is in it is this
//! program's own and can move to a group of its own there. Nobody else's process is ever moved.

use super::super::tree;
use super::{name, next, owner, set};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub(super) const CONTROLLERS: [&str; 3] = ["memory", "pids", "cpu"];

/// Where this program may make groups.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Where in the one hierarchy, and what can be limited there. Where that is nothing, groups can still be stopped.
    pub(super) unified: Option<Place>,
    /// The program's own group of each older controller.
    pub(super) older: Vec<(&'static str, PathBuf)>,
}

/// A group in which groups can be made.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) folder: PathBuf,
    pub(super) controllers: Vec<&'static str>,
}

/// Found out once: the program's children are all in the same place.
pub(super) fn places() -> &'static Places {
    static PLACES: OnceLock<Places> = OnceLock::new();
    PLACES.get_or_init(|| {
        let found = find();
        let mut older = found.older;
        older.iter().for_each(|(_, own)| sweep(own));
        // A try tells more than the bits of a mode.
        older.retain(|(controller, own)| try_out(own, &[]).is_some() && takes_limit(own, controller));
        let unified = found.unified.and_then(|(root, own)| room(&root, &own, &CONTROLLERS, &|id| is_ours(id)));
        Places { unified, older }
    })
}

/// The place for groups of a program that is in the group `own`, below `root`.
fn room(root: &Path, own: &Path, wanted: &[&'static str], ours: &dyn Fn(u32) -> bool) -> Option<Place> {
    let beside = own.parent().filter(|_| own != root);
    let mut first = None;
    for folder in [Some(own), beside].into_iter().flatten() {
        sweep(folder);
        let Some(controllers) = try_out(folder, wanted) else { continue };
        let place = Place { folder: folder.to_owned(), controllers };
        if !place.controllers.is_empty() {
            return Some(place);
        }
        first.get_or_insert(place);
    }
    let first = first?;
    match first.folder == own {
        true => Some(move_down(own, wanted, ours).unwrap_or(first)),
        false => Some(first),
    }
}

/// Moves all that is in a group, which must be ours, to one below it, so that others can be limited beside that.
fn move_down(own: &Path, wanted: &[&'static str], ours: &dyn Fn(u32) -> bool) -> Option<Place> {
    let offered = fs::read_to_string(own.join("cgroup.controllers")).unwrap_or_default();
    if !offered.split_whitespace().any(|name| wanted.contains(&name)) {
        return None;
    }
    let inside = || -> Option<Vec<u32>> {
        let all = fs::read_to_string(own.join("cgroup.procs")).ok()?;
        all.lines().map(|id| id.parse().ok()).collect()
    };
    if !inside()?.into_iter().all(ours) {
        return None;
    }
    let below = own.join(name(std::process::id(), tree::started(std::process::id())?, next()));
    fs::create_dir(&below).ok()?;
    let put = |folder: &Path, ids: &[u32]| ids.iter().all(|id| set(&folder.join("cgroup.procs"), &id.to_string()));
    // Again for what was started meanwhile.
    let moved =
        (0..3).any(|_| inside().is_some_and(|ids| put(&below, &ids) && inside().is_some_and(|ids| ids.is_empty())));
    let controllers = if moved { try_out(own, wanted).unwrap_or_default() } else { Vec::new() };
    if controllers.is_empty() {
        let all = fs::read_to_string(below.join("cgroup.procs")).unwrap_or_default();
        put(own, &all.lines().filter_map(|id| id.parse().ok()).collect::<Vec<_>>());
        let _ = fs::remove_dir(&below);
        return None;
    }
    Some(Place { folder: own.to_owned(), controllers })
}

/// Makes a group and removes it, where processes can be moved to; what can be limited in it.
fn try_out(place: &Path, wanted: &[&'static str]) -> Option<Vec<&'static str>> {
    // A process is moved by who may write to the group above both.
    fs::OpenOptions::new().write(true).open(place.join("cgroup.procs")).ok()?;
    let folder = place.join(name(std::process::id(), tree::started(std::process::id())?, next()));
    fs::create_dir(&folder).ok()?;
    // One by one: together they fail together.
    for controller in wanted {
        set(&place.join("cgroup.subtree_control"), &format!("+{controller}"));
    }
    let there = fs::read_to_string(folder.join("cgroup.controllers")).unwrap_or_default();
    let _ = fs::remove_dir(&folder);
    Some(wanted.iter().copied().filter(|name| there.split_whitespace().any(|word| word == *name)).collect())
}

/// Makes a group of an older controller, limits it and removes it; says whether it took the limit.
fn takes_limit(own: &Path, controller: &str) -> bool {
    let (file, limit) = match controller {
        "memory" => ("memory.limit_in_bytes", "1073741824"),
        "pids" => ("pids.max", "64"),
        _ => ("cpu.cfs_quota_us", "50000"),
    };
    let Some(start) = tree::started(std::process::id()) else { return false };
    let folder = own.join(name(std::process::id(), start, next()));
    let took = fs::create_dir(&folder).is_ok() && set(&folder.join(file), limit);
    let _ = fs::remove_dir(&folder);
    took
}

/// Whether a process is this one, or was started by it.
fn is_ours(id: u32) -> bool {
    /// How far up is looked.
    const FAR: usize = 16;
    std::iter::successors(Some(id), |id| tree::parent(*id)).take(FAR).any(|id| id == std::process::id())
}

/// The program's own groups.
#[derive(Debug, Default)]
struct Found {
    /// The uppermost of the one hierarchy that is in sight, and this program's.
    unified: Option<(PathBuf, PathBuf)>,
    older: Vec<(&'static str, PathBuf)>,
}

fn find() -> Found {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    find_in(&mounts, &own)
}

fn find_in(mounts: &str, own: &str) -> Found {
    let mut found = Found::default();
    for mount in mounts.lines() {
        let Some((left, right)) = mount.split_once(" - ") else { continue };
        let (left, right): (Vec<&str>, Vec<&str>) = (left.split(' ').collect(), right.split(' ').collect());
        let ([_, _, _, root, point, ..], [kind, _, options]) = (&left[..], &right[..]) else { continue };
        let at = |controllers: &str| {
            let line = own.lines().find_map(|line| {
                let (_, rest) = line.split_once(':')?;
                let (names, path) = rest.split_once(':')?;
                names.split(',').any(|name| name == controllers).then_some(path)
            })?;
            let below = Path::new(line).strip_prefix(root).ok()?;
            // Joining nothing would add a slash.
            let point = PathBuf::from(point);
            Some(if below.as_os_str().is_empty() { point } else { point.join(below) })
        };
        match *kind {
            "cgroup2" => found.unified = at("").map(|own| (PathBuf::from(point), own)),
            "cgroup" => {
                for controller in
                    CONTROLLERS.into_iter().filter(|name| options.split(',').any(|option| option == *name))
                {
                    found.older.extend(at(controller).map(|own| (controller, own)));
                }
            }
            _ => {}
        }
    }
    found
}

/// Removes groups of programs that are no more.
fn sweep(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some((process, start)) = name.to_str().and_then(owner) else { continue };
        if tree::started(process) != Some(start) {
            set(&entry.path().join("cgroup.kill"), "1");
            let _ = fs::remove_dir(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Child, Command};

    #[test]
    fn groups_of_the_dead_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        let own = tree::started(std::process::id()).unwrap();
        let (dead, alive, other) =
            (name(std::process::id(), own + 1, 1), name(std::process::id(), own, 1), "other".to_owned());
        for name in [&dead, &alive, &other] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        sweep(folder.path());
        let left = [&dead, &alive, &other].map(|name| folder.path().join(name).exists());
        assert_eq!(left, [false, true, true]);
    }

    #[test]
    fn what_takes_no_limit_holds_none() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!takes_limit(folder.path(), "pids"), "a folder is no group");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_own_group_is_found_below_its_mount() {
        let mounts = "30 24 0:26 /user.slice /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n\
                      31 24 0:27 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n";
        let found = find_in(mounts, "5:pids:/\n0::/user.slice/a.scope\n");
        assert_eq!(found.unified, Some(("/sys/fs/cgroup".into(), "/sys/fs/cgroup/a.scope".into())));
        assert_eq!(found.older, [("pids", "/sys/fs/cgroup/pids".into())]);
        assert_eq!(find_in(mounts, "0::/system.slice/b\n").unified, None, "it is not in sight");
    }

    #[test]
    fn nothing_is_made_where_nothing_may_be() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(room(folder.path(), folder.path(), &CONTROLLERS, &|_| true), None);
    }

    /// A group of the real hierarchy, whose groups can be limited by what the kernel offers there.
    struct Real {
        root: PathBuf,
        offered: &'static str,
        program: Child,
    }

    impl Real {
        /// With a program in `root/inner`. `None`, and why, where none can be made.
        fn make() -> Option<Real> {
            let skip = |why: &str| {
                eprintln!("skipped: {why}");
                None
            };
            let Some((_, own)) = find().unified else { return skip("there is no hierarchy of version 2") };
            let offered = fs::read_to_string(own.join("cgroup.subtree_control")).unwrap_or_default();
            let Some(offered) = offered.split_whitespace().next().map(|name| &*name.to_owned().leak()) else {
                return skip("nothing can be limited below the own group");
            };
            let root = own.join(format!("test-{}-{}", std::process::id(), next()));
            if fs::create_dir_all(root.join("inner")).is_err() {
                return skip("no group may be made");
            }
            let program = Command::new("sleep").arg("60").spawn().unwrap();
            assert!(set(&root.join("inner/cgroup.procs"), &program.id().to_string()));
            Some(Real { root, offered, program })
        }
    }

    impl Drop for Real {
        fn drop(&mut self) {
            self.program.kill().unwrap();
            self.program.wait().unwrap();
            let below = |folder: &Path| -> Vec<PathBuf> {
                fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
            };
            for inner in below(&self.root).iter().flat_map(|folder| below(folder)).chain(below(&self.root)) {
                let _ = fs::remove_dir(inner);
            }
            fs::remove_dir(&self.root).unwrap();
        }
    }

    #[test]
    fn groups_lie_beside_that_of_the_program() {
        let Some(real) = Real::make() else { return };
        let (inner, wanted) = (real.root.join("inner"), [real.offered]);
        let place = Place { folder: real.root.clone(), controllers: wanted.to_vec() };
        assert_eq!(room(&real.root, &inner, &wanted, &|_| false), Some(place));
    }

    #[test]
    fn a_program_that_is_alone_moves_down() {
        let Some(real) = Real::make() else { return };
        let (inner, wanted) = (real.root.join("inner"), [real.offered]);
        // It sees nothing above its own group, and that can be limited.
        assert!(set(&real.root.join("cgroup.subtree_control"), &format!("+{}", real.offered)));
        let there = |file: &str| fs::read_to_string(inner.join(file)).unwrap();
        let place =
            |controllers: &[&'static str]| Some(Place { folder: inner.clone(), controllers: controllers.to_vec() });
        assert_eq!(room(&inner, &inner, &wanted, &|_| false), place(&[]), "others are in it");
        assert_eq!(there("cgroup.procs").trim(), real.program.id().to_string());
        assert_eq!(room(&inner, &inner, &wanted, &|id| id == real.program.id()), place(&wanted));
        assert_eq!(there("cgroup.procs"), "");
    }
}
