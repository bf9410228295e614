//! What is left of grants within other grants.

use super::atom::Atom;
use skills_core::{Access, Grants, HostPattern};
use std::path::PathBuf;

/// Cuts grants down to what others cover.
pub(crate) fn to(grants: &mut Grants, outer: &Grants) {
    let readable: Vec<PathBuf> = outer.read.iter().chain(&outer.write).cloned().collect();
    grants.read = paths(&grants.read, &readable);
    grants.write = paths(&grants.write, &outer.write);
    grants.network = access(&grants.network, &outer.network, |own, theirs| {
        let (own, theirs) = (HostPattern::parse(own).ok()?, HostPattern::parse(theirs).ok()?);
        own.intersection(&theirs).map(|both| both.to_string())
    });
    grants.programs = access(&grants.programs, &outer.programs, |own, theirs| (own == theirs).then(|| own.to_owned()));
    grants.environment.retain(|name| outer.environment.contains(name));
    grants.secrets.retain(|name| outer.secrets.contains(name));
    grants.call_skills &= outer.call_skills;
}

fn paths(own: &[PathBuf], outer: &[PathBuf]) -> Vec<PathBuf> {
    let mut kept = Vec::new();
    for path in own {
        for other in outer {
            match Atom::Path(path.clone()).meet(&Atom::Path(other.clone())) {
                Some(Atom::Path(met)) if !kept.contains(&met) => kept.push(met),
                _ => {}
            }
        }
    }
    kept
}

fn access(own: &Access, outer: &Access, meet: impl Fn(&str, &str) -> Option<String>) -> Access {
    match (own, outer) {
        (Access::Nothing, _) | (_, Access::Nothing) => Access::Nothing,
        (own, Access::Everything) => own.clone(),
        (Access::Everything, outer) => outer.clone(),
        (Access::Only(own), Access::Only(outer)) => {
            let met = own.iter().flat_map(|own| outer.iter().filter_map(|theirs| meet(own, theirs)));
            Access::Only(met.collect())
        }
    }
}
