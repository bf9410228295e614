//! From lists of system calls to a program of the kernel.
//!
//! What is allowed whatever its arguments is found by halving over ranges of numbers: a list compared one by one would be
//! checked number by number each time that it is put on, which costs more than all other layers together.

use super::super::fault::{Attempt, Fault};
use crate::LayerName::Seccomp;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, SeccompRule, TargetArch, sock_filter};
use std::collections::{BTreeMap, BTreeSet};

const LOAD_NUMBER: sock_filter = sock_filter { code: 0x20, jt: 0, jf: 0, k: 0 };
const JUMP: u16 = 0x05;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_AT_LEAST: u16 = 0x35;
const RETURN: u16 = 0x06;
/// Numbers from here on are those of another interface (x32), which the kernel answers in the same process.
const FOREIGN: u32 = 0x4000_0000;

/// The whole program: foreign numbers end the process, `clone3` and `openat2` are not there, `allowed` passes, `conditional` passes by its
/// arguments, and everything else is refused.
pub(super) fn compile(
    allowed: BTreeSet<libc::c_long>,
    conditional: BTreeMap<i64, Vec<SeccompRule>>,
) -> Result<BpfProgram, Fault> {
    let arch = TargetArch::try_from(std::env::consts::ARCH).attempt(Seccomp, "naming the processor")?;
    let refuse = SeccompAction::Errno(libc::EPERM as u32);
    let rest =
        SeccompFilter::new(conditional, refuse, SeccompAction::Allow, arch).attempt(Seccomp, "making the filter")?;
    let mut rest = BpfProgram::try_from(rest).attempt(Seccomp, "compiling the filter")?;
    // It begins with the check of the processor, in three steps, which has to come before any number is looked at.
    let after = rest.split_off(3);
    let mut program = rest;
    program.push(LOAD_NUMBER);
    returns_if(&mut program, JUMP_AT_LEAST, FOREIGN, u32::from(SeccompAction::KillProcess));
    // What they are asked for is out of a filter's sight. Libraries go on with `clone` and `openat` where these are not there.
    for call in [libc::SYS_clone3, libc::SYS_openat2] {
        returns_if(&mut program, JUMP_EQUAL, call as u32, u32::from(SeccompAction::Errno(libc::ENOSYS as u32)));
    }
    let tree = halve(&ranges(&allowed));
    let last = tree.len();
    for (index, step) in tree.into_iter().enumerate() {
        program.push(match step {
            Step::Compare { number, below } => {
                sock_filter { code: JUMP_AT_LEAST, jt: 0, jf: offset(below)?, k: number }
            }
            Step::Allow => sock_filter { code: RETURN, jt: 0, jf: 0, k: u32::from(SeccompAction::Allow) },
            Step::Further => {
                sock_filter { code: JUMP, jt: 0, jf: 0, k: u32::try_from(last - index - 1).unwrap_or(u32::MAX) }
            }
        });
    }
    program.extend(after);
    Ok(program)
}

fn returns_if(program: &mut BpfProgram, code: u16, number: u32, action: u32) {
    program.push(sock_filter { code, jt: 0, jf: 1, k: number });
    program.push(sock_filter { code: RETURN, jt: 0, jf: 0, k: action });
}

fn offset(steps: usize) -> Result<u8, Fault> {
    u8::try_from(steps).attempt(Seccomp, "jumping over a part of the filter")
}

/// Where the answer changes over the numbers: each start, and whether what begins there is allowed.
fn ranges(allowed: &BTreeSet<libc::c_long>) -> Vec<(u32, bool)> {
    let mut ranges = vec![(0, false)];
    for number in allowed.iter().filter_map(|number| u32::try_from(*number).ok()) {
        match ranges.last_mut() {
            Some(last) if last.0 == number => last.1 = true,
            _ => ranges.push((number, true)),
        }
        ranges.push((number + 1, false));
    }
    ranges.dedup_by_key(|range| range.1);
    ranges
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Goes on where the number is at least this, else jumps over as many steps.
    Compare {
        number: u32,
        below: usize,
    },
    Allow,
    /// To what depends on the arguments.
    Further,
}

fn halve(ranges: &[(u32, bool)]) -> Vec<Step> {
    match ranges {
        [] => vec![Step::Further],
        [(_, allowed)] => vec![if *allowed { Step::Allow } else { Step::Further }],
        _ => {
            let (below, above) = ranges.split_at(ranges.len() / 2);
            let (number, upper, lower) = (above[0].0, halve(above), halve(below));
            let mut steps = vec![Step::Compare { number, below: upper.len() }];
            steps.extend(upper);
            steps.extend(lower);
            steps
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the tree answers for a number.
    fn run(steps: &[Step], number: u32) -> bool {
        let mut at = 0;
        loop {
            match steps[at] {
                Step::Compare { number: least, below } => at += 1 + if number >= least { 0 } else { below },
                Step::Allow => return true,
                Step::Further => return false,
            }
        }
    }

    #[test]
    fn halving_allows_what_is_listed_and_nothing_else() {
        for starts in [super::super::Starts::Threads, super::super::Starts::Processes] {
            let allowed = super::super::calls::allowed(starts);
            let steps = halve(&ranges(&allowed));
            for number in 0..1000 {
                assert_eq!(run(&steps, number), allowed.contains(&libc::c_long::from(number)), "{number}");
            }
        }
    }

    #[test]
    fn an_empty_list_allows_nothing() {
        assert!(!run(&halve(&ranges(&BTreeSet::new())), 0));
    }
}
