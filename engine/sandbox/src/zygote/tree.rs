//! What a tree of processes holds, as the kernel tells it. Everything here may be gone while it is looked at.
#![expect(clippy::disallowed_methods, reason = "the kernel tells about processes in /proc")]

use std::fs::{read_dir, read_to_string};

/// A process and all its descendants, as the host numbers them. What its parent left behind is a child of the first process of
/// the namespace, so nothing is missed. Looks no further than `most`.
pub(super) fn members(root: u32, most: usize) -> Vec<u32> {
    let mut all = vec![root];
    let mut next = 0;
    while let Some(process) = all.get(next).copied() {
        next += 1;
        let Ok(threads) = read_dir(format!("/proc/{process}/task")) else { continue };
        for thread in threads.flatten() {
            let children = read_to_string(thread.path().join("children")).unwrap_or_default();
            all.extend(children.split_ascii_whitespace().filter_map(|id| id.parse::<u32>().ok()));
        }
        if all.len() >= most {
            break;
        }
    }
    all
}

/// The threads and processes of some processes.
pub(super) fn tasks(members: &[u32]) -> u64 {
    let threads = |id: &u32| read_dir(format!("/proc/{id}/task")).map_or(0, |threads| threads.count() as u64);
    members.iter().map(threads).sum()
}

/// How many processes there are while one is copied: it, the copy, and one between them that ends at once.
const COPIED: usize = 3;

/// The memory that some processes hold, in bytes, without what files back. Where several share pages, each has its part of them.
///
/// While a process is being copied (`copying`), which not every user may look into, the largest counts where their parts
/// cannot be seen.
pub(super) fn memory(members: &[u32], most: u64, copying: bool) -> u64 {
    let all: Vec<u64> = members.iter().map(|id| resident(*id)).collect();
    let resident: u64 = all.iter().sum();
    if resident <= most || members.len() < 2 {
        return resident;
    }
    // Looking at who shares what takes long, so it is done only where it matters.
    let shares: Vec<Option<u64>> = members.iter().map(|id| share(*id)).collect();
    if copying && members.len() <= COPIED && shares.contains(&None) {
        return all.into_iter().max().unwrap_or(0);
    }
    shares.into_iter().zip(all).map(|(share, resident)| share.unwrap_or(resident)).sum()
}

/// What one process has resident: its own pages and those of shared memory.
pub(super) fn resident(id: u32) -> u64 {
    let status = read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    kilobytes(&status, "RssAnon:") + kilobytes(&status, "RssShmem:")
}

/// The most that one process has had resident at once.
pub(super) fn peak(id: u32) -> u64 {
    kilobytes(&read_to_string(format!("/proc/{id}/status")).unwrap_or_default(), "VmHWM:")
}

/// The same, where each page counts for its part by how many processes have it.
fn share(id: u32) -> Option<u64> {
    let rollup = read_to_string(format!("/proc/{id}/smaps_rollup")).ok().filter(|rollup| !rollup.is_empty())?;
    Some(kilobytes(&rollup, "Pss_Anon:") + kilobytes(&rollup, "Pss_Shmem:"))
}

fn kilobytes(text: &str, name: &str) -> u64 {
    let value = text.lines().find_map(|line| line.strip_prefix(name)).and_then(|rest| rest.split_whitespace().next());
    value.and_then(|number| number.parse::<u64>().ok()).unwrap_or(0).saturating_mul(1024)
}

/// CPU time of some processes and of what they have waited for, in microseconds. Of others that have ended nothing is known.
pub(super) fn cpu_micros(members: &[u32]) -> u64 {
    let ticks = |id: &u32| -> u64 {
        let stat = read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        // The name may hold anything, and ends at the last parenthesis.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_ascii_whitespace();
        fields.skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum()
    };
    let ticks: u64 = members.iter().map(ticks).sum();
    ticks.saturating_mul(1_000_000) / rustix::param::clock_ticks_per_second().max(1)
}

/// When a process started, in ticks since the machine did: with its number it is that process and no later one.
pub(super) fn started(id: u32) -> Option<u64> {
    let stat = read_to_string(format!("/proc/{id}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// The parent of a process.
pub(super) fn parent(id: u32) -> Option<u32> {
    let stat = read_to_string(format!("/proc/{id}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// The number of a process in its own, innermost namespace.
pub(super) fn inner_id(id: u32) -> Option<i32> {
    let status = read_to_string(format!("/proc/{id}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("NSpid:"))?.split_ascii_whitespace().last()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_known() {
        let id = std::process::id();
        assert!(members(id, 100).contains(&id));
        assert!(tasks(&[id]) >= 1);
        assert!(memory(&[id], u64::MAX, false) > 100_000);
        assert!(share(id).unwrap() > 100_000);
        assert!(started(id).unwrap() > 0);
        assert!(parent(id).unwrap() > 0);
        assert!(inner_id(id).unwrap() > 0);
        assert_eq!((started(0), memory(&[0], 0, false), tasks(&[0]), cpu_micros(&[0])), (None, 0, 0, 0));
    }
}
