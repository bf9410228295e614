//! `uuid`: identifiers.

use crate::define::{a, define, invalid, string};
use ::uuid::Uuid;
use skills_core::HostFunction;
use std::sync::Arc;

/// The functions of this domain.
pub(crate) fn functions() -> Vec<Arc<dyn HostFunction>> {
    vec![
        define("uuid.v4", "A random UUID").returns(a("string")).runs(|_, (): ()| Ok(Uuid::new_v4().to_string())),
        define("uuid.v7", "A UUID that begins with the time, so that later ones sort later")
            .returns(a("string"))
            .runs(|_, (): ()| Ok(Uuid::now_v7().to_string())),
        define("uuid.v5", "The UUID of a name in a namespace, always the same")
            .takes(string("namespace").about("a UUID, or dns, url, oid or x500"))
            .takes(string("name").about("what the UUID stands for"))
            .returns(a("string"))
            .runs(|_, (namespace, name): (String, String)| {
                let namespace = match namespace.as_str() {
                    "dns" => Uuid::NAMESPACE_DNS,
                    "url" => Uuid::NAMESPACE_URL,
                    "oid" => Uuid::NAMESPACE_OID,
                    "x500" => Uuid::NAMESPACE_X500,
                    other => Uuid::try_parse(other).map_err(|_| {
                        let shown: String = other.chars().take(60).collect();
                        invalid(format!("`namespace` must be a UUID, or dns, url, oid or x500, not {shown:?}"))
                    })?,
                };
                Ok(Uuid::new_v5(&namespace, name.as_bytes()).to_string())
            }),
    ]
}

#[cfg(test)]
mod tests {
    use crate::testing::TestContext;
    use serde_json::json;

    #[test]
    fn each_version_is_what_it_says() {
        let test = TestContext::new();
        let version =
            |value: serde_json::Value| ::uuid::Uuid::parse_str(value.as_str().unwrap()).unwrap().get_version_num();
        assert_eq!(version(test.ok("uuid.v4", [])), 4);
        assert_eq!(version(test.ok("uuid.v7", [])), 7);
        assert_ne!(test.ok("uuid.v4", []), test.ok("uuid.v4", []));
        let first = test.ok("uuid.v7", []);
        assert!(first.as_str() < test.ok("uuid.v7", []).as_str());
    }

    #[test]
    fn a_name_has_one_uuid() {
        let test = TestContext::new();
        let expected = json!("2ed6657d-e927-568b-95e1-2665a8aea6a2");
        assert_eq!(test.ok("uuid.v5", [json!("dns"), json!("www.example.com")]), expected);
        let namespace = json!("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
        assert_eq!(test.ok("uuid.v5", [namespace, json!("www.example.com")]), expected);
        assert!(test.invalid("uuid.v5", [json!("mine"), json!("x")]).contains("must be a UUID, or dns, url"));
    }
}
