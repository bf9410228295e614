//! How values get from one language to another.

use super::copies;
use super::names::{self, Change, Names};
use super::{Polyglot, Session};
use crate::Error;
use crate::session::budget::Spent;
use skills_core::{Completion, Completions, Language, NameKind, Variable, value};

impl Polyglot {
    /// The session of a language, opened where there is none, with what it owes to the others' budget.
    pub(super) fn open(&self, language: Language, names: &mut Names) -> Result<Session, Error> {
        let others = self.open_ones();
        let spent = |session: &Session| session.ended().is_some_and(|why| why.limit().is_some());
        if let Some((_, session)) = others.iter().find(|(_, session)| spent(session)) {
            return Err(session.shared.gone());
        }
        let there = self.sessions().get(&language).cloned();
        let session = match there {
            Some(session) if !session.shared.has_ended() => session,
            gone => {
                if gone.is_some() {
                    names.forget(language);
                }
                let name = copies::part_name(&self.0.name, language);
                let session = (self.0.opening)(self.0.engine.session(language)).name(name).open()?;
                self.sessions().insert(language, session.clone());
                // What a session on disk brings along, or `opening` put there.
                self.look(&session, None, names)?;
                session
            }
        };
        let others = others.iter().filter(|(other, _)| *other != language);
        let elsewhere = others.map(|(_, session)| session.shared.status().spent.clone());
        session.shared.status().elsewhere = elsewhere.fold(Spent::default(), |all, spent| all.plus(&spent));
        Ok(session)
    }

    /// Gives a session what its next code needs of other languages.
    pub(super) fn give(&self, session: &Session, code: &str, names: &mut Names) -> Result<(), Error> {
        let language = session.language();
        let wanted = names.wanted(language, code);
        if wanted.is_empty() {
            return Ok(());
        }
        let mut given = Vec::new();
        for name in wanted {
            if self.give_one(session, &name, names) {
                given.push(name);
            }
        }
        if given.is_empty() {
            return Ok(());
        }
        // How it looks there, so that the next look sees what the code changed.
        for variable in session.variables()? {
            if given.contains(&variable.name) {
                let exact = variable.shown.chars().count() < 80;
                let digest =
                    (!exact).then(|| session.get(&variable.name).ok()).flatten().map(|json| names::digest(&json));
                names.base(language, variable, digest);
            }
        }
        Ok(())
    }

    /// Gives a session the value of one name. Whether it has another one than before.
    fn give_one(&self, session: &Session, name: &str, names: &mut Names) -> bool {
        let language = session.language();
        let had = names.given(name, language);
        let Some(shared) = names.entry(name) else { return false };
        let Some(home) = self.sessions().get(&shared.home).cloned() else { return false };
        let why_not = |what: &str| Err(format!("a {what} has no form in other languages"));
        let read = match home.get(name) {
            Ok(json) => match value::description_in(&json) {
                Some(what) => why_not(what),
                None => Ok(json),
            },
            Err(error) => Err(error.message().to_owned()),
        };
        let changed = match read.and_then(|json| {
            let digest = names::digest(&json);
            // It was looked at because it might have changed in place.
            if shared.digest.is_some_and(|old| old != digest) && shared.doubtful {
                shared.version += 1;
            }
            (shared.digest, shared.doubtful, shared.stays) = (Some(digest), false, None);
            if had == Some(shared.version) {
                return Ok(false);
            }
            session.set(name, json).map(|()| true).map_err(|error| error.message().to_owned())
        }) {
            Ok(changed) => changed,
            Err(why) => {
                shared.stays = Some(why);
                shared.doubtful = false;
                let version = shared.version;
                if had.is_some() {
                    // It has an older value of a name that now means something else.
                    self.delete(session, name, names);
                }
                names.refused(name, language, version);
                return false;
            }
        };
        let version = shared.version;
        if changed {
            names.gave(name, language, version);
        }
        changed
    }

    /// Sees what changed in a session since it was seen last, and gives its variables.
    pub(super) fn look(
        &self,
        session: &Session,
        code: Option<&str>,
        names: &mut Names,
    ) -> Result<Vec<Variable>, Error> {
        let language = session.language();
        let variables = session.variables()?;
        let (changes, gone) = names.compare(language, &variables, code);
        for (name, change) in changes {
            let at_home = names.home(&name).is_none_or(|home| home == language);
            match change {
                Change::Assigned => {
                    let data = |variable: &&Variable| variable.name == name && variable.kind == NameKind::Value;
                    // A function that only has the name of another language's variable is no assignment to that.
                    if at_home || variables.iter().any(|variable| data(&variable)) {
                        names.assigned(&name, language);
                    }
                }
                Change::Doubtful(_) if at_home => {
                    if let Some(shared) = names.entry(&name) {
                        shared.doubtful = true;
                    }
                }
                Change::Doubtful(before) => {
                    let now = session.get(&name).ok().map(|json| names::digest(&json));
                    if now != before {
                        names.assigned(&name, language);
                    }
                }
            }
        }
        for name in gone {
            for other in names.delete(&name, language) {
                let there = self.sessions().get(&other).cloned();
                if let Some(there) = there {
                    self.delete(&there, &name, names);
                }
            }
        }
        Ok(variables)
    }

    /// Deletes a variable that another language changed or deleted. Where the language cannot, it stands for nothing and is
    /// not listed.
    fn delete(&self, session: &Session, name: &str, names: &mut Names) {
        let language = session.language();
        names.took(name, language);
        let gone = match language {
            Language::Python => session.eval(&format!("del {name}")).is_ok(),
            _ => false,
        };
        if !gone && session.set(name, serde_json::Value::Null).is_ok() {
            let left = session.variables().unwrap_or_default();
            if let Some(variable) = left.into_iter().find(|variable| variable.name == name) {
                names.hide(language, variable);
            }
        }
    }
}

/// Adds the names of other languages to how a word could go on.
pub(super) fn add_names(found: &mut Completions, text: &str, cursor: usize, names: &Names) {
    let Some(before) = text.get(..found.from) else { return };
    // Not a member of something.
    if before.trim_end().ends_with('.') || before.ends_with(['"', '\'']) {
        return;
    }
    let Some(word) = text.get(found.from..cursor).filter(|word| !word.is_empty()) else { return };
    for name in names.all().filter(|name| name.starts_with(word)) {
        if !found.items.iter().any(|item| item.text == name) {
            found.items.push(Completion { text: name.to_owned(), kind: NameKind::Value });
        }
    }
    found.items.sort_by(|a, b| a.text.cmp(&b.text));
}
