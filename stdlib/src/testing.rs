//! A run for host functions under test: everything real but the parts of the engine that this crate does not have.

use serde_json::{Value, json};
use skills_core::{
    Arguments, Budget, CallContext, ErrorKind, Event, EventSink, Failure, Grants, HostFunction, Limits, NameKind,
    SecretSource, SecretString, SessionReach, SkillCaller, StateError, StateStore, Variable,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What a call may reach, and what it left behind.
pub(crate) struct TestContext {
    pub(crate) grants: Grants,
    pub(crate) budget: Arc<Budget>,
    pub(crate) state: TestState,
    pub(crate) events: TestEvents,
    pub(crate) sessions: TestSessions,
    functions: Vec<Arc<dyn HostFunction>>,
}

impl TestContext {
    pub(crate) fn new() -> TestContext {
        TestContext::limited(Limits::default())
    }

    pub(crate) fn limited(limits: Limits) -> TestContext {
        TestContext {
            grants: Grants::default(),
            budget: Budget::new(limits),
            state: TestState::default(),
            events: TestEvents::default(),
            sessions: TestSessions::default(),
            functions: crate::functions(),
        }
    }

    /// Calls a function by name as the engine does: arguments by position, bound and checked first.
    pub(crate) fn call<const N: usize>(&self, name: &str, arguments: [Value; N]) -> Result<Value, Failure> {
        let function = self.functions.iter().find(|f| f.spec().name == name).expect("a function of this name");
        let bound = function.spec().bind(Arguments::positional(arguments))?;
        let context = CallContext {
            skill: "tested",
            space: "tested",
            correlation_id: "run-1",
            grants: &self.grants,
            state: &self.state,
            events: &self.events,
            secrets: &TestSecrets,
            variables: &|name: &str| (name == "CITY").then(|| "Oslo".to_owned()),
            skills: &Echo,
            sessions: &self.sessions,
            budget: &self.budget,
        };
        function.call(&context, bound)
    }

    /// The value of a call that must succeed.
    #[track_caller]
    pub(crate) fn ok<const N: usize>(&self, name: &str, arguments: [Value; N]) -> Value {
        self.call(name, arguments).unwrap_or_else(|failure| panic!("{name}: {failure}"))
    }

    /// The failure of a call that must fail.
    #[track_caller]
    pub(crate) fn fails<const N: usize>(&self, name: &str, arguments: [Value; N]) -> Failure {
        match self.call(name, arguments) {
            Ok(value) => panic!("{name} gave {:.300}", value.to_string()),
            Err(failure) => failure,
        }
    }

    /// The message of a call that must fail for its arguments.
    #[track_caller]
    pub(crate) fn invalid<const N: usize>(&self, name: &str, arguments: [Value; N]) -> String {
        let failure = self.fails(name, arguments);
        assert_eq!(failure.kind, ErrorKind::InvalidArguments, "{failure}");
        failure.message
    }
}

/// Every call gets its own name and arguments back; `missing` is not there.
struct Echo;

impl SkillCaller for Echo {
    fn call_skill(&self, name: &str, arguments: Value) -> Result<Value, Failure> {
        match name {
            "missing" => Err(Failure::new(ErrorKind::NotFound, "no skill `missing`")),
            _ => Ok(json!({"name": name, "arguments": arguments})),
        }
    }
}

/// There is one secret, `token`.
pub(crate) struct TestSecrets;

impl SecretSource for TestSecrets {
    fn secret(&self, name: &str) -> Result<SecretString, Failure> {
        match name {
            "token" => Ok(SecretString::from("t0p-secret")),
            _ => Err(Failure::new(ErrorKind::NotFound, format!("there is no secret `{name}`"))),
        }
    }
}

#[derive(Default)]
pub(crate) struct TestEvents(pub(crate) Mutex<Vec<Event>>);

impl EventSink for TestEvents {
    fn event(&self, skill: &str, correlation_id: &str, event: &Event) {
        assert_eq!((skill, correlation_id), ("tested", "run-1"));
        self.0.lock().unwrap().push(event.clone());
    }
}

#[derive(Default)]
pub(crate) struct TestState(Mutex<BTreeMap<(String, String), Value>>);

impl StateStore for TestState {
    fn get(&self, skill: &str, key: &str) -> Result<Option<Value>, StateError> {
        Ok(self.0.lock().unwrap().get(&(skill.into(), key.into())).cloned())
    }

    fn set(&self, skill: &str, key: &str, value: Value) -> Result<(), StateError> {
        if value == json!("too much") {
            return Err(StateError::Full { skill: skill.into(), limit: 10 });
        }
        self.0.lock().unwrap().insert((skill.into(), key.into()), value);
        Ok(())
    }

    fn delete(&self, skill: &str, key: &str) -> Result<bool, StateError> {
        Ok(self.0.lock().unwrap().remove(&(skill.into(), key.into())).is_some())
    }

    fn keys(&self, skill: &str) -> Result<Vec<String>, StateError> {
        Ok(self.0.lock().unwrap().keys().filter(|(s, _)| s == skill).map(|(_, key)| key.clone()).collect())
    }

    fn compare_and_swap(
        &self,
        skill: &str,
        key: &str,
        expected: Option<&Value>,
        new: Value,
    ) -> Result<bool, StateError> {
        let mut map = self.0.lock().unwrap();
        let at = (skill.to_owned(), key.to_owned());
        let same = map.get(&at) == expected;
        if same {
            map.insert(at, new);
        }
        Ok(same)
    }
}

/// There is one session, `notes`.
#[derive(Default)]
pub(crate) struct TestSessions(Mutex<BTreeMap<String, Value>>);

impl SessionReach for TestSessions {
    fn find(&self, session: &str) -> Result<(), Failure> {
        match session {
            "notes" => Ok(()),
            _ => Err(Failure::new(ErrorKind::NotFound, format!("there is no session `{session}`"))),
        }
    }

    fn get(&self, session: &str, variable: &str) -> Result<Value, Failure> {
        self.find(session)?;
        let value = self.0.lock().unwrap().get(variable).cloned();
        value.ok_or_else(|| Failure::new(ErrorKind::NotFound, format!("there is no variable `{variable}`")))
    }

    fn set(&self, session: &str, variable: &str, value: Value) -> Result<(), Failure> {
        self.find(session)?;
        self.0.lock().unwrap().insert(variable.to_owned(), value);
        Ok(())
    }

    fn variables(&self, session: &str) -> Result<Vec<Variable>, Failure> {
        self.find(session)?;
        let variable = |(name, value): (&String, &Value)| Variable {
            name: name.clone(),
            kind: NameKind::Value,
            type_name: "int".into(),
            shown: value.to_string(),
            size: None,
        };
        Ok(self.0.lock().unwrap().iter().map(variable).collect())
    }

    fn eval(&self, session: &str, code: &str) -> Result<Value, Failure> {
        self.find(session)?;
        Ok(json!(format!("value of {code}")))
    }
}
