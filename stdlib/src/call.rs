//! `call`: running another skill.

use crate::define::{define, object, string};
use serde_json::{Map, Value, json};
use skills_core::{Capability, ErrorKind, Failure, HostFunction};
use std::sync::Arc;

/// The functions of this domain.
pub(crate) fn functions() -> Vec<Arc<dyn HostFunction>> {
    vec![
        define("call", "Runs another skill and gives its value; fails as that skill fails")
            .takes(string("name").about("the skill, as `skills list` shows it"))
            .takes(object("args").or(json!({})).about("its parameters by name"))
            .needs(Capability::CallSkills)
            .runs(|context, (name, arguments): (String, Option<Map<String, Value>>)| {
                if !context.grants.call_skills {
                    return Err(Failure::new(
                        ErrorKind::PermissionDenied,
                        format!("skill {:?} may not run other skills, here {name:?}", context.skill),
                    )
                    .with_help("name the skills that it needs in its \"dependencies\""));
                }
                context.skills.call_skill(&name, Value::Object(arguments.unwrap_or_default()))
            }),
    ]
}

#[cfg(test)]
mod tests {
    use crate::testing::TestContext;
    use serde_json::json;
    use skills_core::ErrorKind;

    #[test]
    fn another_skill_gets_its_arguments_and_answers() {
        let mut test = TestContext::new();
        test.grants.call_skills = true;
        assert_eq!(test.ok("call", [json!("other"), json!({"a": 1})]), json!({"name": "other", "arguments": {"a": 1}}));
        assert_eq!(test.ok("call", [json!("other")])["arguments"], json!({}));
        assert_eq!(test.fails("call", [json!("missing")]).kind, ErrorKind::NotFound);
        assert!(test.invalid("call", [json!("other"), json!([1])]).contains("`args` must be an object"));
    }

    #[test]
    fn without_the_grant_nothing_is_called() {
        let failure = TestContext::new().fails("call", [json!("other")]);
        assert_eq!(failure.kind, ErrorKind::PermissionDenied);
        assert_eq!(failure.message, r#"skill "tested" may not run other skills, here "other""#);
        assert!(failure.help.unwrap().contains("dependencies"));
    }
}
