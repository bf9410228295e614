//! What host functions get instead of the engine's own seams, so that no secret passes.

use crate::host::RunHost;
use serde_json::Value;
use skills_core::{Event, EventSink, Failure, SecretSource, SecretString, StateError, StateStore, Variables};

impl EventSink for RunHost {
    fn event(&self, skill: &str, correlation_id: &str, event: &Event) {
        let redactor = self.chain.vault.redactor();
        if redactor.is_idle() {
            return self.engine.events.event(skill, correlation_id, event);
        }
        let clean = match event.clone() {
            Event::Log { level, message } => Event::Log { level, message: redactor.owned(message) },
            Event::Progress { fraction, message } => {
                Event::Progress { fraction, message: message.map(|message| redactor.owned(message)) }
            }
            Event::Output { stream, text } => Event::Output { stream, text: redactor.owned(text) },
            other => other,
        };
        self.engine.events.event(skill, correlation_id, &clean);
    }
}

impl RunHost {
    fn check_state(&self, key: &str, value: &Value) -> Result<(), StateError> {
        let redactor = self.chain.vault.redactor();
        let found = || redactor.found_in(&Value::from(key)).or_else(|| redactor.found_in(value));
        match (!redactor.is_idle()).then(found).flatten() {
            Some(name) => Err(StateError::Secret { name }),
            None => Ok(()),
        }
    }
}

impl StateStore for RunHost {
    fn get(&self, skill: &str, key: &str) -> Result<Option<Value>, StateError> {
        self.engine.state.get(skill, key)
    }

    fn set(&self, skill: &str, key: &str, value: Value) -> Result<(), StateError> {
        self.check_state(key, &value)?;
        self.engine.state.set(skill, key, value)
    }

    fn delete(&self, skill: &str, key: &str) -> Result<bool, StateError> {
        self.engine.state.delete(skill, key)
    }

    fn keys(&self, skill: &str) -> Result<Vec<String>, StateError> {
        self.engine.state.keys(skill)
    }

    fn compare_and_swap(
        &self,
        skill: &str,
        key: &str,
        expected: Option<&Value>,
        value: Value,
    ) -> Result<bool, StateError> {
        self.check_state(key, &value)?;
        self.engine.state.compare_and_swap(skill, key, expected, value)
    }
}

impl SecretSource for RunHost {
    fn secret(&self, name: &str) -> Result<SecretString, Failure> {
        self.chain.vault.fetch(name, &*self.engine.secrets)
    }
}

impl Variables for RunHost {
    fn variable(&self, name: &str) -> Option<String> {
        self.engine.variables.variable(name)
    }
}
