//! `secret` and `env`: values that the host has and the definition does not.

use crate::define::{a, any, define, string};
use serde_json::Value;
use skills_core::{Capability, ErrorKind, ExposeSecret as _, Failure, HostFunction};
use std::sync::Arc;

/// The functions of this domain.
pub(crate) fn functions() -> Vec<Arc<dyn HostFunction>> {
    vec![
        define("secret", "The value of a secret that was granted; it is taken out of all that leaves the run")
            .takes(string("name").about("the secret, as the user's configuration names it"))
            .needs(Capability::Secret)
            .returns(a("string"))
            .runs(|context, (name,): (String,)| {
                if !context.grants.secrets.contains(&name) {
                    return Err(denied(context.skill, "secret", "secrets", "--allow-secret", &name));
                }
                Ok(context.secrets.secret(&name)?.expose_secret().to_owned())
            }),
        define("env", "The value of an environment variable that was granted, or the default where it is not set")
            .takes(string("name").about("the variable"))
            .takes(any("default").or(Value::Null).about("what to give where it is not set"))
            .needs(Capability::Environment)
            .runs(|context, (name, default): (String, Value)| {
                if !context.grants.environment.contains(&name) {
                    return Err(denied(context.skill, "environment variable", "environment", "--allow-env", &name));
                }
                Ok(context.variables.variable(&name).map_or(default, Value::from))
            }),
    ]
}

fn denied(skill: &str, what: &str, key: &str, flag: &str, name: &str) -> Failure {
    let help = format!(
        "name it in \"security\": {{\"permissions\": {{\"{key}\": [{name:?}]}}}} of the definition, and allow it: in \
         \"default_permissions\" of the user's configuration, or with `{flag} {name}`"
    );
    Failure::new(ErrorKind::PermissionDenied, format!("skill {skill:?} was not granted the {what} {name:?}"))
        .with_help(help)
}

#[cfg(test)]
mod tests {
    use crate::testing::TestContext;
    use serde_json::json;
    use skills_core::ErrorKind;

    #[test]
    fn what_is_granted_by_name_is_given() {
        let mut test = TestContext::new();
        test.grants.secrets = vec!["token".into(), "gone".into()];
        test.grants.environment = vec!["CITY".into(), "UNSET".into()];
        assert_eq!(test.ok("secret", [json!("token")]), "t0p-secret");
        assert_eq!(test.fails("secret", [json!("gone")]).kind, ErrorKind::NotFound);
        assert_eq!(test.ok("env", [json!("CITY")]), "Oslo");
        assert_eq!(test.ok("env", [json!("UNSET")]), json!(null));
        assert_eq!(test.ok("env", [json!("UNSET"), json!("Bergen")]), "Bergen");
    }

    #[test]
    fn what_is_not_granted_is_refused_with_what_would_allow_it() {
        let mut test = TestContext::new();
        test.grants.secrets = vec!["other".into()];
        test.grants.environment = vec!["token".into()];
        let failure = test.fails("secret", [json!("token")]);
        assert_eq!(failure.kind, ErrorKind::PermissionDenied);
        assert_eq!(failure.message, r#"skill "tested" was not granted the secret "token""#);
        let help = failure.help.unwrap();
        assert!(help.contains(r#""secrets": ["token"]"#) && help.contains("--allow-secret token"), "{help}");
        let failure = test.fails("env", [json!("CITY")]);
        assert_eq!(failure.kind, ErrorKind::PermissionDenied);
        assert!(failure.help.unwrap().contains("--allow-env CITY"));
    }
}
