use serde_json::Value;

/// Why state could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// A key that cannot be one.
    #[error("state key {key:?} is not valid: {reason}")]
    InvalidKey {
        /// The key.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The quota of a skill is used up.
    #[error("state of {skill:?} is full: {limit} bytes")]
    Full {
        /// Whose state.
        skill: String,
        /// The quota in bytes.
        limit: u64,
    },
    /// A value that holds a secret.
    #[error("the secret `{name}` must not be kept in state")]
    Secret {
        /// Which one.
        name: String,
    },
    /// The store itself failed.
    #[error("state store: {0}")]
    Store(String),
}

/// State that a skill keeps between runs: JSON values by key, one isolated space for each skill.
pub trait StateStore: Send + Sync {
    /// The value of a key.
    fn get(&self, skill: &str, key: &str) -> Result<Option<Value>, StateError>;
    /// Sets a key.
    fn set(&self, skill: &str, key: &str, value: Value) -> Result<(), StateError>;
    /// Removes a key; says whether it was there.
    fn delete(&self, skill: &str, key: &str) -> Result<bool, StateError>;
    /// All keys, sorted.
    fn keys(&self, skill: &str) -> Result<Vec<String>, StateError>;
    /// Sets a key to `value` only where it holds `expected` now (`None`: where it is absent), in one step; says whether
    /// it did.
    fn compare_and_swap(
        &self,
        skill: &str,
        key: &str,
        expected: Option<&Value>,
        value: Value,
    ) -> Result<bool, StateError>;
}
