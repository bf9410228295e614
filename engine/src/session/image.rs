//! A session as data: to keep, to move to another machine, to open again.

use super::budget::{SessionBudget, Spent};
use crate::secrets::{Seen, Vault};
use crate::{Error, Isolation, RunOptions};
use serde::{Deserialize, Serialize};
use skills_core::{ErrorKind, Language, Lost, Snapshot};
use std::fmt;

/// What a session held at one moment. [`Session::snapshot`](crate::Session::snapshot) makes one, and
/// [`Engine::restore_session`](crate::Engine::restore_session) opens a session of it.
///
/// It may hold code that runs when it is restored, so it is restored where the session could have run: what is from a worker
/// goes to a worker, and so does whatever was bytes in between, because those may be anybody's.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionImage {
    pub(crate) about: About,
    pub(crate) bytes: Vec<u8>,
    /// The secrets that the session met, which what is restored of it knows too; they are not among its bytes.
    pub(crate) seen: KnownSecrets,
    /// Whether it was bytes that anybody may have written.
    pub(crate) foreign: bool,
}

/// Secrets that are nothing of what an image is, only of what may leave a session of it.
#[derive(Clone, Default)]
pub(crate) struct KnownSecrets(pub(crate) Seen);

impl fmt::Debug for KnownSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownSecrets(…)")
    }
}

impl PartialEq for KnownSecrets {
    fn eq(&self, _: &KnownSecrets) -> bool {
        true
    }
}

/// Everything but the namespace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct About {
    pub(crate) name: String,
    pub(crate) language: Language,
    /// The skill that it is of, with its scope.
    pub(crate) skill: Option<String>,
    pub(crate) owner: String,
    /// Whether it ran in process.
    pub(crate) in_process: bool,
    pub(crate) evaluations: u64,
    pub(crate) budget: SessionBudget,
    pub(crate) spent: Spent,
    pub(crate) format: String,
    pub(crate) lost: Vec<Lost>,
}

/// How the bytes begin.
const MAGIC: &[u8] = b"skills session 1\n";
/// The most bytes of what stands before the namespace.
const MOST_ABOUT: usize = 1 << 20;

impl SessionImage {
    /// The name of the session.
    pub fn name(&self) -> &str {
        &self.about.name
    }

    /// Its language.
    pub fn language(&self) -> Language {
        self.about.language
    }

    /// What of its namespace could not be kept.
    pub fn lost(&self) -> &[Lost] {
        &self.about.lost
    }

    /// The name of a secret whose value is in it, as it is; where there is one, its [bytes](SessionImage::to_bytes) are no
    /// less secret.
    pub fn secret(&self) -> Option<String> {
        let vault = Vault::default();
        vault.remember(&self.seen.0);
        vault.redactor().found_in_bytes(&self.bytes)
    }

    /// The same bytes, where they hold no secret: for a file that outlives its secrets' being granted.
    ///
    /// # Errors
    /// `permission_denied` where a variable holds one.
    pub fn for_file(&self) -> Result<Vec<u8>, Error> {
        let Some(secret) = self.secret() else { return Ok(self.to_bytes()) };
        let name = &self.about.name;
        let message = format!("a variable of `{name}` holds the secret `{secret}`, which would be in the file");
        Err(Error::new(ErrorKind::PermissionDenied, message)
            .with_help("delete the variable, and fetch the secret when it is needed"))
    }

    /// As bytes, for a file. They are not signed: whoever can write the file says what is restored.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Plain data has a JSON form.
        let about = serde_json::to_vec(&self.about).unwrap_or_default();
        let length = u32::try_from(about.len()).unwrap_or(u32::MAX).to_le_bytes();
        [MAGIC, &length, &about, &self.bytes].concat()
    }

    /// The image of such bytes.
    ///
    /// # Errors
    /// `invalid_arguments` where they are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<SessionImage, Error> {
        let wrong = |why: String| {
            Error::new(ErrorKind::InvalidArguments, format!("this is no exported session: {why}"))
                .with_help("give a file that a session was exported to, by this version")
        };
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| wrong("it begins otherwise".to_owned()))?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(|| wrong("it ends too soon".to_owned()))?;
        let length = u32::from_le_bytes(*length) as usize;
        if length > MOST_ABOUT {
            return Err(wrong(format!("its head is larger than {MOST_ABOUT} bytes")));
        }
        let (about, rest) = rest.split_at_checked(length).ok_or_else(|| wrong("it ends too soon".to_owned()))?;
        let about: About = serde_json::from_slice(about).map_err(|error| wrong(error.to_string()))?;
        Ok(SessionImage { about, bytes: rest.to_vec(), seen: KnownSecrets::default(), foreign: true })
    }

    /// What the interpreter restores.
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            language: self.about.language,
            format: self.about.format.clone(),
            bytes: self.bytes.clone(),
            lost: self.about.lost.clone(),
        }
    }

    /// # Errors
    /// `permission_denied` where anybody may have written that it is of a skill, whose permissions its code would have.
    pub(crate) fn check_skill(&self, options: &RunOptions) -> Result<(), Error> {
        let Some(skill) = self.about.skill.as_ref().filter(|_| self.foreign && !options.yes) else { return Ok(()) };
        let message = format!(
            "the code in the snapshot of session `{}` would have the permissions of `{skill}`",
            self.about.name
        );
        Err(Error::new(ErrorKind::PermissionDenied, message)
            .with_help("`--yes` restores it: say so where you know who exported it"))
    }

    /// # Errors
    /// `permission_denied` for a tier that it must not be restored in.
    pub(crate) fn check_tier(&self, isolation: Isolation) -> Result<(), Error> {
        let harmless = self.about.language == Language::Rhai;
        if isolation != Isolation::InProcess || harmless || (self.about.in_process && !self.foreign) {
            return Ok(());
        }
        let message = format!("the snapshot of session `{}` is restored in a worker only", self.about.name);
        Err(Error::new(ErrorKind::PermissionDenied, message)
            .with_help("restoring may run code that is in it: leave the tier out, or ask for `worker`"))
    }
}
