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
    grants.sessions.retain(|name| outer.sessions.contains(name));
    grants.call_skills &= outer.call_skills;
}

/// The first thing of grants that others do not cover, for a person.
pub(crate) fn exceeding(grants: &Grants, outer: &Grants) -> Option<String> {
    let mut within = grants.clone();
    to(&mut within, outer);
    let path = |what: &str, own: &[PathBuf], within: &[PathBuf]| {
        own.iter().find(|path| !within.contains(path)).map(|path| format!("{what} {}", path.display()))
    };
    let name = |what: &str, own: &[String], within: &[String]| {
        own.iter().find(|name| !within.contains(name)).map(|name| format!("{what} `{name}`"))
    };
    let names = |what: &str, own: &Access, within: &Access| match (own, within) {
        (Access::Nothing, _) | (_, Access::Everything) => None,
        (Access::Everything, _) => Some(format!("every {what}")),
        (Access::Only(own), Access::Only(within)) => name(what, own, within),
        (Access::Only(own), Access::Nothing) => name(what, own, &[]),
    };
    path("reading", &grants.read, &within.read)
        .or_else(|| path("writing", &grants.write, &within.write))
        .or_else(|| names("host", &grants.network, &within.network))
        .or_else(|| names("program", &grants.programs, &within.programs))
        .or_else(|| name("variable", &grants.environment, &within.environment))
        .or_else(|| name("secret", &grants.secrets, &within.secrets))
        .or_else(|| name("session", &grants.sessions, &within.sessions))
        .or_else(|| (grants.call_skills && !within.call_skills).then(|| "running other skills".to_owned()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_more_than_others_have_is_named() {
        let only = |names: &[&str]| Access::Only(names.iter().map(|name| (*name).to_owned()).collect());
        let outer = Grants {
            read: vec!["/srv/a".into()],
            write: vec!["/srv/w".into()],
            network: only(&["*.example.com:443", "10.0.0.0/8"]),
            programs: only(&["git"]),
            secrets: vec!["token".into()],
            ..Grants::default()
        };
        assert_eq!(exceeding(&outer, &outer), None);
        assert_eq!(exceeding(Grants::NONE, &outer), None);
        let host = Grants { network: only(&["a.org"]), ..Grants::default() };
        assert_eq!(exceeding(&host, Grants::NONE).unwrap(), "host `a.org`");
        let program = Grants { programs: Access::Everything, ..Grants::default() };
        assert_eq!(exceeding(&program, Grants::NONE).unwrap(), "every program");
        let more = |change: &dyn Fn(&mut Grants)| {
            let mut grants = outer.clone();
            change(&mut grants);
            exceeding(&grants, &outer)
        };
        assert_eq!(more(&|grants| grants.read = vec!["/srv/a/b".into(), "/srv/w".into()]), None);
        assert_eq!(more(&|grants| grants.read = vec!["/srv".into()]).unwrap(), "reading /srv");
        assert_eq!(more(&|grants| grants.write.push("/srv/a".into())).unwrap(), "writing /srv/a");
        assert_eq!(more(&|grants| grants.network = only(&["a.example.com:443"])), None);
        assert_eq!(more(&|grants| grants.network = only(&["example.com"])).unwrap(), "host `example.com`");
        assert_eq!(more(&|grants| grants.programs = Access::Everything).unwrap(), "every program");
        assert_eq!(more(&|grants| grants.environment.push("CITY".into())).unwrap(), "variable `CITY`");
        assert_eq!(more(&|grants| grants.secrets.push("other".into())).unwrap(), "secret `other`");
        assert_eq!(more(&|grants| grants.sessions.push("s".into())).unwrap(), "session `s`");
        assert_eq!(more(&|grants| grants.call_skills = true).unwrap(), "running other skills");
    }
}
