//! `json`: reading, writing, searching and comparing JSON.

mod diff;
mod matching;
mod path;
mod read;

use crate::bounds::{BoundedBuffer, write_failure};
use crate::define::{a, any, define, integer, invalid, list_of, string};
use serde::Serialize;
use serde_json::{Value, ser::PrettyFormatter};
use skills_core::{CallContext, Failure, HostFunction};
use std::sync::Arc;

/// The most spaces a level is indented by.
const MAX_INDENT: usize = 16;

/// The functions of this domain.
pub(crate) fn functions() -> Vec<Arc<dyn HostFunction>> {
    vec![
        define("json.parse", "The value of JSON text; integers that would lose digits become descriptions with all of them")
            .takes(string("text"))
            .runs(|context, (text,): (String,)| read::parse(context.budget, &text)),
        define("json.stringify", "A value as JSON text, members in the order they have")
            .takes(any("value"))
            .takes(integer("indent").or(Value::Null).about("spaces a level, from 0 to 16; null for one line"))
            .returns(a("string"))
            .runs(|context, (value, indent): (Value, Option<usize>)| stringify(context, &value, indent)),
        define("json.query", "What a JSONPath (RFC 9535) selects, in the order of the document")
            .takes(any("value"))
            .takes(string("path").about("such as $.items[?@.price < 10].name or $..id"))
            .returns(a("array"))
            .runs(|context, (value, path): (Value, String)| path::query(context, &value, &path)),
        define("json.diff", "The changes that turn one value into another, to be made one after another")
            .takes(any("a").about("what was"))
            .takes(any("b").about("what is"))
            .returns(list_of(serde_json::json!({
                "type": "object",
                "description": "op is add, remove or replace; path is a JSON Pointer; old and new as far as op has them",
                "properties": {"op": a("string"), "path": a("string"), "old": {}, "new": {}},
            })))
            .runs(|context, (a, b): (Value, Value)| diff::diff(context, &a, &b)),
    ]
}

fn stringify(context: &CallContext<'_>, value: &Value, indent: Option<usize>) -> Result<String, Failure> {
    let mut out = BoundedBuffer::of(context.budget);
    let written = match indent {
        None => serde_json::to_writer(&mut out, value),
        Some(indent) if indent > MAX_INDENT => {
            return Err(invalid(format!("`indent` must be from 0 to {MAX_INDENT}, not {indent}")));
        }
        Some(indent) => {
            let indent = " ".repeat(indent);
            let formatter = PrettyFormatter::with_indent(indent.as_bytes());
            value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, formatter))
        }
    };
    written.map_err(|e| write_failure(e.into()))?;
    Ok(out.into_text())
}

#[cfg(test)]
mod tests {
    use crate::testing::TestContext;
    use serde_json::json;
    use skills_core::ErrorKind;

    #[test]
    fn text_keeps_the_order_of_members() {
        let test = TestContext::new();
        let value = json!({"b": [1, "é\n"], "a": {}});
        assert_eq!(test.ok("json.stringify", [value.clone()]), json!(r#"{"b":[1,"é\n"],"a":{}}"#));
        assert_eq!(
            test.ok("json.stringify", [value.clone(), json!(2)]),
            json!("{\n  \"b\": [\n    1,\n    \"é\\n\"\n  ],\n  \"a\": {}\n}")
        );
        let text = test.ok("json.stringify", [value.clone(), json!(0)]);
        assert_eq!(test.ok("json.parse", [text]), value);
        assert!(test.invalid("json.stringify", [value, json!(17)]).contains("from 0 to 16, not 17"));
    }

    #[test]
    fn indentation_is_bounded() {
        let deep = (0..90).fold(json!(0), |inner, _| json!([inner]));
        let wide = json!(vec![deep; 1000]);
        assert_eq!(TestContext::new().fails("json.stringify", [wide, json!(16)]).kind, ErrorKind::OutputLimit);
    }
}
