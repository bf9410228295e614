use super::redactor::Redactor;
use skills_core::{Failure, SecretSource, SecretString};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Secrets that were met, by name.
pub(crate) type Seen = Vec<(String, SecretString)>;

/// The secrets of one run and of all that it calls.
#[derive(Default)]
pub(crate) struct Vault {
    redactor: Redactor,
    fetched: Mutex<HashMap<String, SecretString>>,
}

impl Vault {
    /// A secret from its source; the second time, as it was the first time.
    pub(crate) fn fetch(&self, name: &str, source: &dyn SecretSource) -> Result<SecretString, Failure> {
        // Held all the time, so that the source is asked once.
        let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = fetched.get(name) {
            return Ok(value.clone());
        }
        let value = source.secret(name)?;
        self.redactor.learn(name, &value);
        fetched.insert(name.to_owned(), value.clone());
        Ok(value)
    }

    /// What keeps them out of texts.
    pub(crate) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Adds what an interpreter session met in earlier runs: its scripts may have kept it.
    pub(crate) fn remember(&self, seen: &Seen) {
        seen.iter().for_each(|(name, value)| self.redactor.learn(name, value));
    }

    /// Everything that was met.
    pub(crate) fn seen(&self) -> Seen {
        self.redactor.secrets()
    }
}
