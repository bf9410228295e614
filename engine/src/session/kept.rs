//! A session that lies on disk too: what is there when it is opened, and what is written after each evaluation.

use super::budget::Spent;
use super::shared::Shared;
use super::store::{Record, Saved, SessionFile, unsaved};
use crate::authorize::{AuthorizedPlan, exceeding};
use crate::secrets::Redactor;
use crate::{Isolation, SessionStore};
use skills_core::{ErrorKind, Failure, Language, Limits, Lost, Snapshot};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// How long to wait for a session of the same name that is just ending, in this process and in another one.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(1));

/// How often a claim is tried meanwhile.
const PAUSE: Duration = Duration::from_millis(5);

/// How long making a snapshot may take: it runs what the namespace says of how it is saved.
const LONGEST: Duration = Duration::from_secs(30);

/// How long it may take even where an evaluation has used up its time, or was stopped: what it did is to be kept all the same.
const LEAST: Duration = Duration::from_secs(1);

/// The file of a session, and what was written last.
pub(crate) struct Kept {
    file: SessionFile,
    record: Record,
    lost: Vec<Lost>,
    forget: Arc<AtomicBool>,
}

impl Kept {
    /// Takes the file of a session, with what is in it; without a record's own of what happened so far.
    ///
    /// # Errors
    /// `unavailable` where another process has it; what [`SessionFile::load`] refuses; `permission_denied` where what is there was
    /// made with less trust, or with other grants, than it would have now.
    pub(crate) fn open(
        store: &SessionStore,
        (owner, name): (&str, &str),
        (language, skill): (Language, Option<String>),
        authorized: &AuthorizedPlan,
    ) -> Result<(Kept, Option<Saved>), Failure> {
        let mut file = claim(store, owner, name)?;
        let saved = file.load(owner, name)?;
        let now = now();
        let mut record = Record {
            name: name.to_owned(),
            owner: owner.to_owned(),
            skill,
            language,
            isolation: authorized.plan().isolation,
            grants: authorized.grants().clone(),
            evaluations: 0,
            spent: Spent::default(),
            opened: now,
            saved: now,
        };
        let mut lost = Vec::new();
        if let Some(saved) = &saved {
            check(&saved.record, &record)?;
            lost.clone_from(&saved.snapshot.lost);
            record.opened = saved.record.opened;
            // Wherever it runs now: what came from a worker stays that, and nobody gets more than whoever made it had.
            record.grants.clone_from(&saved.record.grants);
            if record.isolation == Isolation::InProcess {
                record.isolation = saved.record.isolation;
            }
        }
        Ok((Kept { file, record, lost, forget: Arc::default() }, saved))
    }

    /// Whether nothing is to be left of it when it is over.
    pub(crate) fn forget(&self) -> &Arc<AtomicBool> {
        &self.forget
    }

    /// Whether that was said.
    pub(crate) fn is_forgotten(&self) -> bool {
        self.forget.load(Ordering::SeqCst)
    }

    /// Why what is on disk is not there again.
    pub(crate) fn not_restored(&self, error: &crate::Error) -> crate::Error {
        let (name, path) = (&self.record.name, self.file.path().display());
        let message = format!("the session `{name}` in {path} cannot be restored: {}", error.message());
        let help = "open it with what wrote it, remove it, or move the file away to begin anew";
        Failure { message, ..error.failure().clone() }.with_help(help).into()
    }

    /// The limits of making a snapshot, with what is left of those of an evaluation; little time where that was stopped.
    pub(crate) fn limits(left: &Limits, stopped: bool) -> Limits {
        // The namespace and its bytes are there at once.
        let memory = left.memory.map(|memory| memory.saturating_mul(2).saturating_add(64 << 20));
        let time = |left: Option<Duration>| match stopped {
            true => Some(LEAST),
            false => Some(left.unwrap_or(LONGEST).clamp(LEAST, LONGEST)),
        };
        // What is printed meanwhile, and what is asked of the host, is as bounded as ever: it is the namespace's own code.
        let (output, host_calls) = (left.output, left.host_calls);
        Limits { time: time(left.time), wall: time(left.wall), memory, output, host_calls, ..Limits::none() }
    }

    /// Writes what the session holds now. Gives what could not be kept that was not known before.
    pub(crate) fn save(
        &mut self,
        shared: &Shared,
        snapshot: Result<Snapshot, Failure>,
        redactor: &Redactor,
    ) -> Vec<Lost> {
        let record = {
            let status = shared.status();
            Record { evaluations: status.evaluations, spent: status.spent.clone(), saved: now(), ..self.record.clone() }
        };
        let saved = snapshot.and_then(|snapshot| {
            if let Some(secret) = redactor.found_in_bytes(&snapshot.bytes) {
                return Err(Failure::new(
                    ErrorKind::PermissionDenied,
                    format!("nothing of this is saved while a variable holds the secret `{secret}`: delete it, and fetch it when it is needed"),
                ));
            }
            self.file.save(record, &snapshot)?;
            Ok(snapshot.lost)
        });
        let lost = saved.unwrap_or_else(|failure| vec![unsaved(&failure)]);
        let new = lost.iter().filter(|lost| !self.lost.contains(lost)).cloned().collect();
        shared.status().lost.clone_from(&lost);
        self.lost = lost;
        new
    }

    /// The session is over.
    pub(crate) fn finish(self) {
        if self.is_forgotten()
            && let Err(failure) = self.file.remove()
        {
            tracing::warn!("{failure}");
        }
    }
}

/// Takes the file of a session; one that has just ended still holds it for a moment.
pub(crate) fn claim(store: &SessionStore, owner: &str, name: &str) -> Result<SessionFile, Failure> {
    let start = Instant::now();
    loop {
        let failure = match store.claim(owner, name) {
            Ok(file) => return Ok(file),
            Err(failure) => failure,
        };
        let own = failure.message.contains(&format!("(process {})", std::process::id()));
        let patience = if own { PATIENCE.0 } else { PATIENCE.1 };
        if failure.kind != ErrorKind::Unavailable || start.elapsed() > patience {
            return Err(failure);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Whether a namespace may live on under what a session has now. A namespace is code: what it says of how it is restored
/// runs, and so does whatever function of it is called.
fn check(saved: &Record, now: &Record) -> Result<(), Failure> {
    let name = &saved.name;
    let other = |what: &str, was: &str| {
        Err(Failure::new(ErrorKind::InvalidArguments, format!("the session `{name}` on disk is {what} {was}"))
            .with_help("open it as what it is, remove it, or choose another name"))
    };
    if saved.language != now.language {
        return other("in", saved.language.as_str());
    }
    if saved.skill != now.skill {
        return other("of", saved.skill.as_deref().unwrap_or("no skill"));
    }
    // Rhai reaches nothing that it was not given.
    let tame = saved.language == Language::Rhai;
    if !tame && saved.isolation != Isolation::InProcess && now.isolation == Isolation::InProcess {
        let message = format!(
            "what the session `{name}` holds was made in a {}, and is not restored in process",
            saved.isolation.as_str()
        );
        return Err(Failure::new(ErrorKind::PermissionDenied, message)
            .with_help("open it with `--isolation worker`, remove it, or choose another name"));
    }
    match exceeding(&now.grants, &saved.grants) {
        None => Ok(()),
        Some(more) => {
            let message = format!("the session `{name}` on disk may not get more than it had: {more}");
            Err(Failure::new(ErrorKind::PermissionDenied, message)
                .with_help("open it with what it had, remove it, or choose another name"))
        }
    }
}

impl Record {
    /// How long ago the session was opened first.
    pub(crate) fn age(&self) -> Duration {
        Duration::from_millis(now().saturating_sub(self.opened))
    }
}

/// Milliseconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
