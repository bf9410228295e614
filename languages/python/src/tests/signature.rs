use super::host::script;
use crate::CPython;
use serde_json::{Value, json};
use skills_core::{Interpreter, ParameterSpec, Signature};

fn signature(source: &str) -> Signature {
    CPython::new().signature(&script(source)).unwrap()
}

fn schema(annotation: &str) -> Value {
    signature(&format!("def run(x: {annotation}): pass")).parameters[0].schema.clone()
}

#[test]
fn hints_become_schemas() {
    for (annotation, expected) in [
        ("str", json!({"type": "string"})),
        ("'int'", json!({"type": "integer"})),
        ("float", json!({"type": "number"})),
        ("bool", json!({"type": "boolean"})),
        ("list", json!({"type": "array"})),
        ("list[str]", json!({"type": "array", "items": {"type": "string"}})),
        ("typing.List[int]", json!({"type": "array", "items": {"type": "integer"}})),
        ("dict[str, int]", json!({"type": "object", "additionalProperties": {"type": "integer"}})),
        ("Optional[str]", json!({"type": ["string", "null"]})),
        ("str | None", json!({"type": ["string", "null"]})),
        ("list[int] | str", json!({"anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "string"}]})),
        ("Literal['a', 'b']", json!({"enum": ["a", "b"]})),
        (
            "tuple[int, str]",
            json!({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}],
            "minItems": 2, "maxItems": 2}),
        ),
        ("Any", json!({})),
        ("SomethingElse", json!({})),
    ] {
        assert_eq!(schema(annotation), expected, "{annotation}");
    }
}

#[test]
fn defaults_make_parameters_optional() {
    let parameters = signature("async def run(a, b: int = 2, *args, c=None, d=[1], e=f(), **rest): pass").parameters;
    let expected = [
        ParameterSpec::any("a"),
        ParameterSpec::typed("b", "integer").or(json!(2)),
        ParameterSpec::any("c").or(Value::Null),
        ParameterSpec::typed("d", "array").or(json!([1])),
        ParameterSpec { required: false, ..ParameterSpec::any("e") },
    ];
    assert_eq!(parameters, expected);
}

#[test]
fn docstrings_describe() {
    let google = "def run(a, b):\n    '''Adds numbers\n    carefully.\n\n    More text.\n\n    Args:\n        a (int): the first\n            of them.\n        b: the second.\n\n    Returns:\n        c: not a parameter.\n    '''";
    let numpy = "def run(a, b):\n    '''Adds numbers\n    carefully.\n\n    Parameters\n    ----------\n    a : int\n        the first\n        of them.\n    b\n        the second.\n\n    Returns\n    -------\n    int\n        The sum.\n    '''";
    let sphinx = "def run(a, b):\n    '''Adds numbers\n    carefully.\n\n    :param int a: the first\n        of them.\n    :param b: the second.\n    :returns: the sum\n    '''";
    for source in [google, numpy, sphinx] {
        let signature = signature(source);
        assert_eq!(signature.description.as_deref(), Some("Adds numbers carefully."), "{source}");
        let texts: Vec<_> = signature.parameters.iter().map(|p| p.description.as_deref()).collect();
        assert_eq!(texts, [Some("the first of them."), Some("the second.")], "{source}");
    }
    assert_eq!(signature("'''A module.'''\nparams['x']").description.as_deref(), Some("A module."));
}

#[test]
fn nothing_is_executed() {
    assert_eq!(signature("import sys\nsys.exit(1)\nraise 5\ndef run(a=open('/x')): pass").parameters.len(), 1);
    assert_eq!(CPython::new().signature(&script("def run(:")), None);
    assert_eq!(CPython::new().signature(&script("x = '\0'")), None);
    assert_eq!(signature("x = 1"), Signature::default());
}
