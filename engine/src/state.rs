use serde_json::Value;
use skills_core::{StateError, StateStore};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// State that lives as long as the engine, in memory.
#[derive(Debug)]
pub struct MemoryState {
    skills: Mutex<HashMap<String, Space>>,
    quota: u64,
}

#[derive(Debug, Default)]
struct Space {
    values: BTreeMap<String, Value>,
    bytes: u64,
}

impl MemoryState {
    /// The quota of [`MemoryState::default`]: 16 MiB of keys and compact JSON a skill.
    pub const DEFAULT_QUOTA: u64 = 16 << 20;

    /// An empty store that gives every skill `quota` bytes of keys and compact JSON.
    pub fn with_quota(quota: u64) -> MemoryState {
        MemoryState { skills: Mutex::default(), quota }
    }

    fn skills(&self) -> MutexGuard<'_, HashMap<String, Space>> {
        self.skills.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryState {
    fn default() -> MemoryState {
        MemoryState::with_quota(MemoryState::DEFAULT_QUOTA)
    }
}

fn cost(key: &str, value: &Value) -> u64 {
    (key.len() + value.to_string().len()) as u64
}

impl Space {
    fn put(&mut self, skill: &str, quota: u64, key: &str, value: Value) -> Result<(), StateError> {
        let freed = self.values.get(key).map_or(0, |old| cost(key, old));
        let bytes = self.bytes - freed + cost(key, &value);
        if bytes > quota {
            return Err(StateError::Full { skill: skill.to_owned(), limit: quota });
        }
        self.bytes = bytes;
        self.values.insert(key.to_owned(), value);
        Ok(())
    }
}

impl StateStore for MemoryState {
    fn get(&self, skill: &str, key: &str) -> Result<Option<Value>, StateError> {
        Ok(self.skills().get(skill).and_then(|space| space.values.get(key)).cloned())
    }

    fn set(&self, skill: &str, key: &str, value: Value) -> Result<(), StateError> {
        self.skills().entry(skill.to_owned()).or_default().put(skill, self.quota, key, value)
    }

    fn delete(&self, skill: &str, key: &str) -> Result<bool, StateError> {
        let mut skills = self.skills();
        let Some(space) = skills.get_mut(skill) else { return Ok(false) };
        let Some(old) = space.values.remove(key) else { return Ok(false) };
        space.bytes -= cost(key, &old);
        Ok(true)
    }

    fn keys(&self, skill: &str) -> Result<Vec<String>, StateError> {
        Ok(self.skills().get(skill).map(|space| space.values.keys().cloned().collect()).unwrap_or_default())
    }

    fn compare_and_swap(
        &self,
        skill: &str,
        key: &str,
        expected: Option<&Value>,
        value: Value,
    ) -> Result<bool, StateError> {
        let mut skills = self.skills();
        let space = skills.entry(skill.to_owned()).or_default();
        if space.values.get(key) != expected {
            return Ok(false);
        }
        space.put(skill, self.quota, key, value)?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_skill_cannot_keep_more_than_its_quota() {
        let store = MemoryState::with_quota(10);
        store.set("a", "k", json!("123456")).unwrap();
        assert!(matches!(store.set("a", "l", json!(1)), Err(StateError::Full { limit: 10, .. })));
        store.set("a", "k", json!(1)).unwrap();
        store.set("a", "l", json!(1)).unwrap();
        assert_eq!(store.keys("a").unwrap(), ["k", "l"]);
        assert_eq!(store.get("b", "k").unwrap(), None, "another skill's state is its own");
    }

    #[test]
    fn a_swap_needs_the_expected_value() {
        let store = MemoryState::default();
        assert!(store.compare_and_swap("a", "k", None, json!(1)).unwrap());
        assert!(!store.compare_and_swap("a", "k", None, json!(2)).unwrap());
        assert!(store.compare_and_swap("a", "k", Some(&json!(1)), json!(2)).unwrap());
        assert_eq!(store.get("a", "k").unwrap(), Some(json!(2)));
    }
}
