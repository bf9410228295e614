//! `state`: values that a skill keeps between runs.

use crate::define::{a, any, define, invalid, list_of, string};
use serde_json::Value;
use skills_core::{ErrorKind, Failure, HostFunction, StateError};
use std::sync::Arc;

/// The longest key, in bytes.
const MAX_KEY: usize = 512;

/// The functions of this domain.
pub(crate) fn functions() -> Vec<Arc<dyn HostFunction>> {
    vec![
        define("state.get", "The value kept under a key, or the default where there is none")
            .takes(string("key"))
            .takes(any("default").or(Value::Null).about("what to give where the key is absent"))
            .runs(|context, (key, default): (String, Value)| {
                check_key(&key)?;
                Ok(context.state.get(context.space, &key).map_err(failure)?.unwrap_or(default))
            }),
        define("state.set", "Keeps a value under a key, for this run and later ones of the same skill")
            .takes(string("key"))
            .takes(any("value"))
            .returns(a("null"))
            .runs(|context, (key, value): (String, Value)| {
                check_key(&key)?;
                context.state.set(context.space, &key, value).map_err(failure)?;
                Ok(Value::Null)
            }),
        define("state.delete", "Forgets a key; says whether it was there")
            .takes(string("key"))
            .returns(a("boolean"))
            .runs(|context, (key,): (String,)| {
                check_key(&key)?;
                context.state.delete(context.space, &key).map_err(failure)
            }),
        define("state.keys", "Every key that has a value, sorted")
            .returns(list_of(a("string")))
            .runs(|context, (): ()| context.state.keys(context.space).map_err(failure)),
        define(
            "state.update",
            "Sets a key only where it still holds what is expected, in one step; says whether it did",
        )
        .takes(string("key"))
        .takes(any("expected").about("what the key must hold now; null for an absent key, or one that holds null"))
        .takes(any("value"))
        .returns(a("boolean"))
        .runs(|context, (key, expected, value): (String, Value, Value)| {
            check_key(&key)?;
            let swap = |expected: Option<&Value>, value: Value| {
                context.state.compare_and_swap(context.space, &key, expected, value).map_err(failure)
            };
            if expected.is_null() {
                // A script sees no difference between an absent key and one that holds null.
                return Ok(swap(None, value.clone())? || swap(Some(&Value::Null), value)?);
            }
            swap(Some(&expected), value)
        }),
    ]
}

/// Keys look like relative paths; what could mean something to a file system is refused, whatever the store.
fn check_key(key: &str) -> Result<(), Failure> {
    let wrong = if key.is_empty() {
        "it is empty"
    } else if key.len() > MAX_KEY {
        "it is longer than 512 bytes"
    } else if key.chars().any(char::is_control) {
        "it has a control character"
    } else if key.starts_with('/') {
        "it begins with `/`"
    } else if key.split(['/', '\\']).any(|segment| segment == "..") {
        "it has a `..` segment"
    } else {
        return Ok(());
    };
    let shown: String = key.chars().take(60).collect();
    Err(invalid(format!("{shown:?} cannot be a state key: {wrong}"))
        .with_help("use a name such as \"last_run\" or \"orders/2024\""))
}

fn failure(error: StateError) -> Failure {
    let kind = match &error {
        StateError::InvalidKey { .. } => ErrorKind::InvalidArguments,
        StateError::Full { .. } => ErrorKind::OutputLimit,
        StateError::Secret { .. } => ErrorKind::PermissionDenied,
        StateError::Store(_) => ErrorKind::Unavailable,
        _ => ErrorKind::Internal,
    };
    let failure = Failure::new(kind, error.to_string());
    match error {
        StateError::Full { .. } => failure.with_help("delete keys that are no longer needed, or keep smaller values"),
        StateError::Secret { .. } => failure.with_help("ask for the secret with skill.secret whenever it is needed"),
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::TestContext;
    use serde_json::{Value, json};
    use skills_core::ErrorKind;

    #[test]
    fn values_are_kept_until_they_are_deleted() {
        let test = TestContext::new();
        assert_eq!(test.ok("state.get", [json!("n")]), Value::Null);
        assert_eq!(test.ok("state.get", [json!("n"), json!(7)]), json!(7));
        test.ok("state.set", [json!("n"), json!({"a": [1]})]);
        test.ok("state.set", [json!("m/ü"), Value::Null]);
        assert_eq!(test.ok("state.get", [json!("n"), json!(7)]), json!({"a": [1]}));
        assert_eq!(test.ok("state.keys", []), json!(["m/ü", "n"]));
        assert_eq!(test.ok("state.delete", [json!("n")]), json!(true));
        assert_eq!(test.ok("state.delete", [json!("n")]), json!(false));
    }

    #[test]
    fn an_update_happens_only_where_nothing_changed() {
        let test = TestContext::new();
        assert_eq!(test.ok("state.update", [json!("n"), json!(1), json!(2)]), json!(false));
        assert_eq!(test.ok("state.update", [json!("n"), Value::Null, json!(1)]), json!(true));
        assert_eq!(test.ok("state.update", [json!("n"), Value::Null, json!(9)]), json!(false));
        assert_eq!(test.ok("state.update", [json!("n"), json!(1), Value::Null]), json!(true));
        assert_eq!(test.ok("state.update", [json!("n"), Value::Null, json!(3)]), json!(true));
        assert_eq!(test.ok("state.get", [json!("n")]), json!(3));
    }

    #[test]
    fn racing_updates_lose_no_increment() {
        let test = TestContext::new();
        let increment = || {
            for _ in 0..100 {
                loop {
                    let now = test.ok("state.get", [json!("n")]);
                    let next = json!(now.as_i64().unwrap_or(0) + 1);
                    if test.ok("state.update", [json!("n"), now, next]) == json!(true) {
                        break;
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(increment);
            }
        });
        assert_eq!(test.ok("state.get", [json!("n")]), json!(400));
    }

    #[test]
    fn hostile_keys_are_refused_by_every_function() {
        let test = TestContext::new();
        let long = "k".repeat(513);
        for (key, why) in [
            ("", "empty"),
            ("../other", "`..` segment"),
            ("a/../../b", "`..` segment"),
            ("a\\..\\b", "`..` segment"),
            ("/etc/passwd", "begins with `/`"),
            ("a\0b", "control character"),
            ("a\nb", "control character"),
            (long.as_str(), "longer than 512 bytes"),
        ] {
            for message in [
                test.invalid("state.get", [json!(key)]),
                test.invalid("state.set", [json!(key), json!(1)]),
                test.invalid("state.delete", [json!(key)]),
                test.invalid("state.update", [json!(key), json!(1), json!(1)]),
            ] {
                assert!(message.contains("cannot be a state key") && message.contains(why), "{message}");
            }
        }
        test.ok("state.set", [json!("..a/b..c"), json!(1)]);
        test.ok("state.set", [json!("k".repeat(512)), json!(1)]);
    }

    #[test]
    fn a_full_store_says_so() {
        let failure = TestContext::new().fails("state.set", [json!("n"), json!("too much")]);
        assert_eq!(failure.kind, ErrorKind::OutputLimit);
        assert_eq!(failure.message, r#"state of "tested" is full: 10 bytes"#);
    }
}
