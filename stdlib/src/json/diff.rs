//! The changes between two JSON values, as RFC 6902 names them, with what was and what is.

use crate::bounds::{Tally, Watch};
use serde_json::{Map, Value, json};
use skills_core::{CallContext, Failure};

/// The changes that turn `a` into `b` when they are made in order, each on what the one before it left.
///
/// Lists are compared from both ends: what is equal at the beginning and at the end stays, and what is between is
/// changed element by element, then removed (from the last on) or added.
pub(super) fn diff(context: &CallContext<'_>, a: &Value, b: &Value) -> Result<Vec<Value>, Failure> {
    let mut changes =
        Changes { watch: Watch::start(context.budget), tally: Tally::of(context.budget), list: Vec::new() };
    changes.compare(&mut String::new(), a, b)?;
    Ok(changes.list)
}

struct Changes<'a> {
    watch: Watch<'a>,
    tally: Tally<'a>,
    list: Vec<Value>,
}

impl Changes<'_> {
    fn compare(&mut self, path: &mut String, a: &Value, b: &Value) -> Result<(), Failure> {
        self.watch.check()?;
        match (a, b) {
            (Value::Object(a), Value::Object(b)) => self.compare_objects(path, a, b),
            (Value::Array(a), Value::Array(b)) => self.compare_lists(path, a, b),
            _ if a == b => Ok(()),
            _ => self.push("replace", path, Some(a), Some(b)),
        }
    }

    fn compare_objects(
        &mut self,
        path: &mut String,
        a: &Map<String, Value>,
        b: &Map<String, Value>,
    ) -> Result<(), Failure> {
        for (key, old) in a {
            self.below(path, key, |changes, path| match b.get(key) {
                Some(new) => changes.compare(path, old, new),
                None => changes.push("remove", path, Some(old), None),
            })?;
        }
        for (key, new) in b.iter().filter(|(key, _)| !a.contains_key(*key)) {
            self.below(path, key, |changes, path| changes.push("add", path, None, Some(new)))?;
        }
        Ok(())
    }

    fn compare_lists(&mut self, path: &mut String, a: &[Value], b: &[Value]) -> Result<(), Failure> {
        let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
        let (rest_a, rest_b) = (&a[start..], &b[start..]);
        let end = rest_a.iter().rev().zip(rest_b.iter().rev()).take_while(|(a, b)| a == b).count();
        let (old, new) = (&rest_a[..rest_a.len() - end], &rest_b[..rest_b.len() - end]);
        let both = old.len().min(new.len());
        for (index, (old, new)) in old.iter().zip(new).enumerate() {
            self.below(path, &(start + index).to_string(), |changes, path| changes.compare(path, old, new))?;
        }
        for (index, old) in old.iter().enumerate().skip(both).rev() {
            self.below(path, &(start + index).to_string(), |changes, path| {
                changes.push("remove", path, Some(old), None)
            })?;
        }
        for (index, new) in new.iter().enumerate().skip(both) {
            self.below(path, &(start + index).to_string(), |changes, path| changes.push("add", path, None, Some(new)))?;
        }
        Ok(())
    }

    /// Works one level deeper, under a key written as JSON Pointer has it.
    fn below(
        &mut self,
        path: &mut String,
        key: &str,
        work: impl FnOnce(&mut Self, &mut String) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let length = path.len();
        path.push('/');
        path.push_str(&key.replace('~', "~0").replace('/', "~1"));
        let done = work(self, path);
        path.truncate(length);
        done
    }

    fn push(&mut self, op: &str, path: &str, old: Option<&Value>, new: Option<&Value>) -> Result<(), Failure> {
        self.tally.add(path.len() + 40)?;
        let mut change = Map::new();
        change.insert("op".into(), json!(op));
        change.insert("path".into(), json!(path));
        for (name, value) in [("old", old), ("new", new)] {
            if let Some(value) = value {
                self.tally.add_value(value)?;
                change.insert(name.into(), value.clone());
            }
        }
        self.list.push(change.into());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::TestContext;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use skills_core::ErrorKind;

    #[test]
    fn changes_say_what_was_and_what_is() {
        let a = json!({"name": "x", "tags": [1, 2, 3], "gone": true, "a/b~": 1});
        let b = json!({"name": "y", "tags": [1, 3], "a/b~": 1.5, "new": null});
        assert_eq!(
            TestContext::new().ok("json.diff", [a, b]),
            json!([
                {"op": "replace", "path": "/name", "old": "x", "new": "y"},
                {"op": "remove", "path": "/tags/1", "old": 2},
                {"op": "remove", "path": "/gone", "old": true},
                {"op": "replace", "path": "/a~1b~0", "old": 1, "new": 1.5},
                {"op": "add", "path": "/new", "new": null},
            ])
        );
    }

    #[test]
    fn equal_values_have_no_changes() {
        let test = TestContext::new();
        assert_eq!(test.ok("json.diff", [json!({"a": [1], "b": 2}), json!({"b": 2, "a": [1]})]), json!([]));
        assert_eq!(test.ok("json.diff", [json!(1), json!([1])])[0]["path"], json!(""));
    }

    #[test]
    fn a_cancelled_run_stops_and_large_changes_are_refused() {
        let test = TestContext::new();
        let long = json!("x".repeat(40 << 20));
        assert_eq!(test.fails("json.diff", [json!([long.clone()]), json!([[long]])]).kind, ErrorKind::OutputLimit);
        test.budget.cancel();
        assert_eq!(test.fails("json.diff", [json!(1), json!(2)]).kind, ErrorKind::Cancelled);
    }

    /// Makes a change as RFC 6902 says.
    fn apply(document: &mut Value, change: &Value) {
        let path = change["path"].as_str().unwrap();
        let Some((parent, key)) = path.rsplit_once('/') else {
            *document = change["new"].clone();
            return;
        };
        let key = key.replace("~1", "/").replace("~0", "~");
        match (document.pointer_mut(parent).unwrap(), change["op"].as_str().unwrap()) {
            (Value::Object(map), "remove") => assert_eq!(map.remove(&key).as_ref(), change.get("old")),
            (Value::Object(map), _) => assert_eq!(map.insert(key, change["new"].clone()).as_ref(), change.get("old")),
            (Value::Array(list), "add") => list.insert(key.parse().unwrap(), change["new"].clone()),
            (Value::Array(list), "remove") => assert_eq!(list.remove(key.parse().unwrap()), change["old"]),
            (Value::Array(list), _) => list[key.parse::<usize>().unwrap()] = change["new"].clone(),
            (other, _) => panic!("{other} has no members"),
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), (0..3i64).prop_map(Value::from), "[a/~]{0,2}".prop_map(Value::from)];
        leaf.prop_recursive(3, 30, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec(("[a-c/~]", inner), 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn making_the_changes_gives_the_other_value(a in values(), b in values()) {
            let changes = TestContext::new().ok("json.diff", [a.clone(), b.clone()]);
            let mut made = a;
            for change in changes.as_array().unwrap() {
                apply(&mut made, change);
            }
            prop_assert_eq!(made, b);
        }
    }
}
