//! What is remembered of sessions beside what they say themselves: what they were opened with, and why they are gone.

use super::folder::Folder;
use super::message::Opening;
use skills::{Error, ErrorKind, Persistence, Session, SessionChange, SessionHub, SessionState, Skill};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most sessions whose end is remembered.
const MOST_GONE: usize = 1000;

/// Remembers what sessions were opened with, and why they ended by themselves. The names of those that live in memory
/// stand in a file, so that the next host knows what was lost if this one is killed.
#[derive(Clone)]
pub(super) struct Openings(Arc<Mutex<Known>>);

struct Known {
    /// By name, with the number of the session: a name may be another session's by the time that its end is heard of.
    opened: HashMap<String, (u64, Opening)>,
    gone: HashMap<String, String>,
    folder: Folder,
}

impl Openings {
    /// What an earlier host left behind.
    pub(super) fn new(folder: Folder) -> Openings {
        let gone = folder.noted().into_iter();
        let gone = gone.map(|name| (name, "the session host that kept it was killed".to_owned())).collect();
        Openings(Arc::new(Mutex::new(Known { opened: HashMap::new(), gone, folder })))
    }

    /// Notes ends of sessions as they happen, on a thread of its own.
    pub(super) fn follow(&self, hub: &SessionHub) -> std::io::Result<()> {
        let (events, known) = (hub.watch(), self.clone());
        let follow = move || {
            for event in events {
                if let SessionChange::Ended { reason } = event.what {
                    known.ended(event.session.id, &event.session.name, reason);
                }
            }
        };
        std::thread::Builder::new().name("openings".into()).stack_size(128 << 10).spawn(follow).map(drop)
    }

    /// Notes that a session was opened, and gives why an earlier one of its name is gone, where it went by itself.
    pub(super) fn opened(&self, session: &Session, opening: &Opening) -> Option<String> {
        let gone = self.known().gone.remove(session.name());
        self.add(session, opening.clone());
        gone
    }

    /// Notes that a session was copied.
    pub(super) fn copied(&self, name: &str, copy: &Session) {
        let opening = self.known().opened.get(name).map(|(_, opening)| opening.clone());
        self.known().gone.remove(copy.name());
        if let Some(opening) = opening {
            self.add(copy, opening);
        }
    }

    fn add(&self, session: &Session, opening: Opening) {
        let mut known = self.known();
        let info = session.info();
        // One that is over by now may have been heard of before this.
        if info.state != SessionState::Ended {
            known.opened.insert(info.name, (info.id, opening));
        }
        known.note();
    }

    fn ended(&self, id: u64, name: &str, reason: Option<String>) {
        let mut known = self.known();
        match known.opened.get(name) {
            Some((own, _)) if *own != id => return,
            _ => drop(known.opened.remove(name)),
        }
        if let Some(reason) = reason.filter(|_| known.gone.len() < MOST_GONE) {
            known.gone.insert(name.to_owned(), reason);
        }
        known.note();
    }

    /// Why a session of this name is gone, where it went by itself.
    pub(super) fn gone(&self, name: &str) -> Option<String> {
        self.known().gone.get(name).cloned()
    }

    /// Whether a session was opened by somebody who said yes to whatever would be asked.
    pub(super) fn said_yes(&self, name: &str) -> bool {
        self.known().opened.get(name).is_some_and(|(_, opening)| opening.yes)
    }

    /// Forgets everything, because the host ends in order.
    pub(super) fn forget_all(&self) {
        let mut known = self.known();
        known.opened.clear();
        known.gone.clear();
        known.note();
    }

    /// Whether what is asked for can be had of a session that is there already.
    ///
    /// # Errors
    /// `invalid_arguments`, naming what differs.
    pub(super) fn check(&self, session: &Session, asked: &Opening, skill: Option<&Skill>) -> Result<(), Error> {
        let info = session.info();
        let mut differs = Vec::new();
        if let Some(language) = &asked.language
            && skills::Language::from_name(language) != Some(info.language)
        {
            differs.push(format!("its language is {}", info.language));
        }
        if let Some(skill) = skill
            && session.skill().is_none_or(|own| own.identity() != skill.identity())
        {
            differs.push(match session.skill() {
                Some(own) => format!("it is a session of `{}` ({})", own.qualified_name(), own.file),
                None => "it is of no skill".to_owned(),
            });
        }
        if asked.isolation.is_some_and(|tier| tier != info.isolation) {
            differs.push(format!("it runs {}", serde_json::json!(info.isolation).as_str().unwrap_or_default()));
        }
        if asked.persistence.is_some_and(|persistence| persistence != info.persistence) {
            let kept = if info.persistence == Persistence::Disk { "on disk" } else { "in memory" };
            differs.push(format!("its state is kept {kept}"));
        }
        let known = self.known();
        let own = known.opened.get(session.name()).map(|(_, opening)| opening);
        let is_own = |same: &dyn Fn(&Opening) -> bool| own.is_some_and(same);
        if asked.allow != skills::Permissions::default() && !is_own(&|own| own.allow == asked.allow) {
            differs.push("it was opened with other permissions".to_owned());
        }
        if asked.idle.is_some() && !is_own(&|own| own.idle == asked.idle) {
            differs.push("it was opened with another `--idle`".to_owned());
        }
        if asked.max_duration.is_some() && !is_own(&|own| own.max_duration == asked.max_duration) {
            differs.push("it was opened with another `--max-duration`".to_owned());
        }
        if differs.is_empty() {
            return Ok(());
        }
        let name = session.name();
        let message = format!("the session `{name}` is there already, and {}", differs.join(", "));
        Err(Error::new(ErrorKind::InvalidArguments, message).with_help(format!(
            "leave the option out, use another name, or end it first: `skills sessions kill {name}`"
        )))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn note(&self) {
        let in_memory = self.opened.iter().filter(|(_, (_, opening))| opening.persistence != Some(Persistence::Disk));
        self.folder.note(&in_memory.map(|(name, _)| name.as_str()).collect::<Vec<_>>());
    }
}
