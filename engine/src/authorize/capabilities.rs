//! What becomes of each thing that a skill asks to use.

use super::Evidence;
use super::atom::{Atom, NAMED, named};
use super::policy::{Policy, Rule, RuleSource, rules};
use crate::{CapabilityRequest, Isolation, Permissions, Skill};
use skills_core::{Access, Grants, Operation};

/// One thing that is asked for.
pub(crate) struct Item {
    pub(crate) operation: Operation,
    /// As it is written.
    pub(crate) text: String,
    /// Whether the skill or the person asks for it; not so for what the configuration gives to skills that say nothing.
    pub(crate) explicit: bool,
}

impl Item {
    /// What a person decides about: of a path where it leads, which is elsewhere in another working folder.
    pub(crate) fn decided(&self, policy: &Policy) -> String {
        match Atom::parse(self.operation, &self.text, policy.working_directory.as_deref()) {
            Ok(path @ Atom::Path(_)) => path.to_string(),
            _ => self.text.clone(),
        }
    }

    fn request(&self) -> CapabilityRequest {
        let text = self.text.clone();
        match self.operation {
            Operation::FileRead => CapabilityRequest::FileRead { path: text },
            Operation::FileWrite => CapabilityRequest::FileWrite { path: text },
            Operation::Network => CapabilityRequest::Network { hosts: vec![text] },
            Operation::Environment => CapabilityRequest::Environment { name: text },
            Operation::Secret => CapabilityRequest::Secret { name: text },
            Operation::Session => CapabilityRequest::Session { name: text },
            _ => CapabilityRequest::ProcessSpawn { programs: vec![text] },
        }
    }

    pub(crate) fn evidence(&self, verdict: &Verdict) -> Evidence {
        let (granted, source, rule) = match verdict {
            Verdict::Granted { source, rule, .. } => (true, *source, rule.clone()),
            Verdict::Denied { source, rule } => (false, *source, rule.clone()),
            Verdict::Open { rule, .. } => (false, RuleSource::Nothing, rule.clone()),
        };
        Evidence { request: self.request(), granted, source, rule }
    }
}

/// What a skill asks for: what its definition says; where that says nothing, what the configuration gives to such skills,
/// and what the person allows for this run. A skill that another one calls was not what the person spoke of.
pub(crate) fn items(skill: &Skill, policy: &Policy, flags: &Permissions, nested: bool) -> Vec<Item> {
    let mut all = Vec::new();
    for operation in NAMED {
        let item = |explicit: bool| move |text: String| Item { operation, text, explicit };
        if let Some(texts) = named(&skill.permissions, operation) {
            all.extend(texts.into_iter().map(item(true)));
            continue;
        }
        all.extend(named(&policy.defaults, operation).into_iter().flatten().map(item(false)));
        if !nested {
            all.extend(named(flags, operation).into_iter().flatten().map(item(true)));
        }
    }
    all
}

/// What became of an item.
#[derive(Debug, Clone)]
pub(crate) enum Verdict {
    /// It is granted, as far as these go.
    Granted { atoms: Vec<Atom>, source: RuleSource, rule: String },
    /// It is not, whatever anybody says.
    Denied { source: RuleSource, rule: String },
    /// No rule speaks of it: it is left to a person.
    Open { atoms: Vec<Atom>, rule: String },
}

/// Judges items by rules alone.
pub(crate) struct Judge<'a> {
    pub(crate) policy: &'a Policy,
    /// What the person allows for this run.
    pub(crate) flags: &'a [Rule],
    pub(crate) trusted: bool,
    pub(crate) tier: Isolation,
}

impl Judge<'_> {
    pub(crate) fn judge(&self, item: &Item) -> Verdict {
        let operation = item.operation;
        let atom = match Atom::parse(operation, &item.text, self.policy.working_directory.as_deref()) {
            Ok(atom) => atom,
            Err(rule) => return Verdict::Denied { source: RuleSource::Nothing, rule },
        };
        let pieces = self.policy.ceiling.leaves(operation, &atom);
        if pieces.is_empty() {
            let rule = format!("the host program allows no {} of {atom}", operation.as_str());
            return Verdict::Denied { source: RuleSource::Host, rule };
        }
        // A denied path below a wider one cannot be cut out of a grant: then the whole is denied.
        let denies = |rule: &&Rule| {
            let speaks = rule.operation == operation
                || (operation == Operation::FileWrite && rule.operation == Operation::FileRead);
            speaks && pieces.iter().any(|piece| piece.meet(&rule.atom).is_some())
        };
        if let Some(rule) = self.policy.denied.iter().find(denies) {
            let whose = whose(rule.source);
            return Verdict::Denied { source: rule.source, rule: format!("{whose} denies {}", rule.atom) };
        }
        let mut granted: Vec<(Atom, &Rule)> = Vec::new();
        for rule in self.flags.iter().chain(&self.policy.allowed).filter(|rule| rule.operation == operation) {
            for piece in &pieces {
                let met = piece.meet(&rule.atom).into_iter().flat_map(|met| match rule.source {
                    RuleSource::Flag => vec![met],
                    _ => self.tightened(operation, met),
                });
                granted.extend(met.map(|met| (met, rule)));
            }
        }
        self.verdict(item, &atom, pieces, granted)
    }

    /// What the configuration of every project leaves.
    fn tightened(&self, operation: Operation, atom: Atom) -> Vec<Atom> {
        let cut = |atoms: Vec<Atom>, project: &super::policy::Bound| -> Vec<Atom> {
            atoms.iter().flat_map(|atom| project.leaves(operation, atom)).collect()
        };
        self.policy.projects.iter().fold(vec![atom], cut)
    }

    fn verdict(&self, item: &Item, atom: &Atom, pieces: Vec<Atom>, mut granted: Vec<(Atom, &Rule)>) -> Verdict {
        let dangerous = item.operation != Operation::FileRead;
        if !self.trusted && dangerous {
            granted.retain(|(_, rule)| rule.source == RuleSource::Flag);
        }
        let Some((_, first)) = granted.first() else {
            if self.tier != Isolation::InProcess && is_temporary(atom) {
                let rule = "a private folder of its own is there".to_owned();
                return Verdict::Granted { atoms: Vec::new(), source: RuleSource::Isolation, rule };
            }
            if !self.trusted && dangerous {
                return Verdict::Open { atoms: pieces, rule: "the skill is not trusted".to_owned() };
            }
            return Verdict::Open { atoms: pieces, rule: format!("nothing allows {atom}") };
        };
        let source = first.source;
        let (whole, folder) = (granted.iter().any(|(met, _)| met == atom), &first.atom);
        let rule = match (whole, atom) {
            (true, Atom::Path(_)) if folder != atom => {
                format!("{atom} lies in {folder}, which {} allows", whose(source))
            }
            (true, _) => format!("{} allows {atom}", whose(source)),
            (false, _) => {
                let names: Vec<_> = granted.iter().map(|(met, _)| met.to_string()).collect();
                format!("of {atom}, {} allows {}", whose(source), names.join(", "))
            }
        };
        let mut atoms: Vec<Atom> = Vec::new();
        granted.into_iter().for_each(|(met, _)| {
            if !atoms.contains(&met) {
                atoms.push(met);
            }
        });
        Verdict::Granted { atoms, source, rule }
    }
}

/// The rules of what a person allows for one run.
pub(crate) fn flag_rules(flags: &Permissions, policy: &Policy) -> Vec<Rule> {
    rules(flags, policy.working_directory.as_deref(), RuleSource::Flag)
}

/// Adds what was granted.
pub(crate) fn add(grants: &mut Grants, operation: Operation, atoms: &[Atom]) {
    for atom in atoms {
        match (operation, atom) {
            (Operation::FileRead, Atom::Path(path)) => grants.read.push(path.clone()),
            (Operation::FileWrite, Atom::Path(path)) => grants.write.push(path.clone()),
            (Operation::Network, Atom::Host(host)) => widen(&mut grants.network, host.to_string()),
            (Operation::ProcessSpawn, Atom::Name(name)) => widen(&mut grants.programs, name.clone()),
            (Operation::Environment, Atom::Name(name)) => grants.environment.push(name.clone()),
            (Operation::Secret, Atom::Name(name)) => grants.secrets.push(name.clone()),
            (Operation::Session, Atom::Name(name)) => grants.sessions.push(name.clone()),
            _ => {}
        }
    }
}

fn widen(access: &mut Access, name: String) {
    match access {
        Access::Everything => {}
        _ if name == "*" => *access = Access::Everything,
        Access::Nothing => *access = Access::Only(vec![name]),
        Access::Only(names) if names.contains(&name) => {}
        Access::Only(names) => names.push(name),
    }
}

pub(crate) fn is_temporary(atom: &Atom) -> bool {
    matches!(atom, Atom::Path(path) if path.as_os_str() == "/tmp")
}

fn whose(source: RuleSource) -> &'static str {
    match source {
        RuleSource::Flag => "an option of this run",
        RuleSource::Configuration => "the configuration",
        _ => "the host",
    }
}
