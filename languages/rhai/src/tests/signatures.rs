use super::hosts::script;
use crate::Rhai;
use serde_json::json;
use skills_core::{Interpreter, ParameterSpec, Signature};

fn signature(source: &str) -> Signature {
    Rhai::new().signature(&script(source)).unwrap()
}

#[test]
fn parameters_come_from_the_comment_above_run() {
    let source = r#"
        /// Not this one.
        fn other() {}

        /// Repeats a word
        /// as often as asked.
        ///
        /// More about it.
        /// @param {string} word what to repeat
        ///   and again
        /// @param {integer} [times=2] - how often
        /// @param {"a"|"b"} [mode="a"]
        /// @param {number[]} list
        /// @returns {string}
        fn run(params) { params.word }
    "#;
    let found = signature(source);
    assert_eq!(found.description.as_deref(), Some("Repeats a word as often as asked."));
    let mode = ParameterSpec { schema: json!({"enum": ["a", "b"]}), ..ParameterSpec::any("mode").or(json!("a")) };
    let list =
        ParameterSpec { schema: json!({"type": "array", "items": {"type": "number"}}), ..ParameterSpec::any("list") };
    assert_eq!(
        found.parameters,
        [
            ParameterSpec::typed("word", "string").about("what to repeat and again"),
            ParameterSpec::typed("times", "integer").or(json!(2)).about("how often"),
            mode,
            list,
        ]
    );
}

#[test]
fn a_block_comment_and_names_of_the_function_itself_count_too() {
    let found = signature("/**\n * Adds.\n * @param {int} b the second\n */\nfn run(a, b) { a + b }");
    assert_eq!(found.description.as_deref(), Some("Adds."));
    assert_eq!(found.parameters, [ParameterSpec::any("a"), ParameterSpec::typed("b", "integer").about("the second")]);
}

#[test]
fn a_script_without_run_has_its_comment_at_the_top() {
    let found = signature("// Doubles.\n// @param {number} n\nparams.n * 2");
    assert_eq!(found.description.as_deref(), Some("Doubles."));
    assert_eq!(found.parameters, [ParameterSpec::typed("n", "number")]);
}

#[test]
fn an_optional_parameter_without_default_and_odd_tags() {
    let found =
        signature("/// @param [x]\n/// @param {list} [y=[1, 2]] pair\n/// @param\n/// @param {what} z\nfn run(p) {}");
    let names: Vec<_> = found.parameters.iter().map(|p| (p.name.as_str(), p.required)).collect();
    assert_eq!(names, [("x", false), ("y", false), ("z", true)]);
    assert_eq!(found.parameters[1].default, Some(json!([1, 2])));
    assert_eq!(found.parameters[2].schema, json!({}));
}

#[test]
fn what_does_not_parse_has_no_signature() {
    assert_eq!(Rhai::new().signature(&script("fn run(")), None);
    assert_eq!(signature("40 + 2"), Signature::default());
}
