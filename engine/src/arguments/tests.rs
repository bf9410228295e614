use super::*;
use proptest::prelude::*;
use serde_json::json;

fn calculator() -> Vec<ParameterSpec> {
    let operation = json!({"enum": ["add", "subtract", "multiply", "divide"]});
    vec![
        ParameterSpec { schema: operation, ..ParameterSpec::any("operation") },
        ParameterSpec::typed("operand1", "number"),
        ParameterSpec::typed("operand2", "number"),
        ParameterSpec::typed("precision", "integer").or(json!(2)),
    ]
}

fn one(name: &str, schema: Value) -> Vec<ParameterSpec> {
    vec![ParameterSpec { schema, ..ParameterSpec::any(name) }]
}

fn map(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn messages(parameters: &[ParameterSpec], given: Value) -> Vec<String> {
    let errors = check("demo", parameters, map(given)).unwrap_err();
    errors.problems.into_iter().map(|problem| problem.message).collect()
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn read(parameters: &[ParameterSpec], text: &str) -> Value {
    Value::Object(from_words(parameters, &words(text)).unwrap())
}

fn misread(parameters: &[ParameterSpec], text: &str) -> Vec<String> {
    let errors = from_words(parameters, &words(text)).unwrap_err();
    errors.problems.into_iter().map(|problem| problem.message).collect()
}

#[test]
fn defaults_are_filled_in_and_the_order_is_the_declared_one() {
    let given = map(json!({"operand2": 3, "operation": "add", "operand1": 5}));
    let arguments = check("calculator", &calculator(), given).unwrap();
    let text = serde_json::to_string(&arguments).unwrap();
    assert_eq!(text, r#"{"operation":"add","operand1":5,"operand2":3,"precision":2}"#);
}

#[test]
fn every_violation_is_named_at_once_in_the_order_of_the_parameters() {
    let errors =
        check("calculator", &calculator(), map(json!({"operand1": "abc", "operation": "pow", "operandd2": 1})));
    let errors = errors.unwrap_err();
    assert_eq!(
        errors.to_string(),
        "4 of the arguments of `calculator` are not right\n  \
         `operation` is \"pow\": must be one of add, subtract, multiply, divide\n  \
         `operand1` is \"abc\": must be a number\n  \
         `operand2` is missing: must be a number\n  \
         there is no parameter `operandd2` (given as 1); did you mean `operand2`?"
    );
    assert_eq!(
        errors.help().as_deref(),
        Some("`calculator` takes `operation`, `operand1`, `operand2`, `precision` (optional)")
    );
    let failure = skills_core::Failure::from(errors);
    assert_eq!(failure.kind, skills_core::ErrorKind::InvalidArguments);
}

#[test]
fn one_violation_is_one_line() {
    let errors = check("demo", &one("count", json!({"type": "integer", "minimum": 1})), map(json!({"count": 0})));
    assert_eq!(errors.unwrap_err().to_string(), "`count` is 0: must be at least 1");
}

#[test]
fn each_keyword_says_what_is_allowed() {
    let cases = [
        (json!({"type": "integer"}), json!(1.5), "`p` is 1.5: must be a whole number"),
        (json!({"type": "boolean"}), json!("maybe"), "`p` is \"maybe\": must be true or false"),
        (json!({"type": ["string", "null"]}), json!(1), "`p` is 1: must be null or a string"),
        (json!({"type": "array"}), json!({}), "`p` is {}: must be an array"),
        (json!({"type": "object"}), json!([]), "`p` is []: must be an object"),
        (json!({"maximum": 10}), json!(11), "`p` is 11: must be at most 10"),
        (json!({"exclusiveMinimum": 0}), json!(0), "`p` is 0: must be more than 0"),
        (json!({"exclusiveMaximum": 1}), json!(1), "`p` is 1: must be less than 1"),
        (json!({"multipleOf": 5}), json!(7), "`p` is 7: must be a multiple of 5"),
        (json!({"minLength": 1}), json!(""), "`p` is \"\": must not be empty"),
        (json!({"minLength": 3}), json!("ab"), "`p` is \"ab\": must have at least 3 characters"),
        (json!({"maxLength": 1}), json!("äö"), "`p` is \"äö\": must have at most 1 character"),
        (json!({"minItems": 2}), json!([1]), "`p` is [1]: must have at least 2 items"),
        (json!({"maxItems": 1}), json!([1, 2]), "`p` is [1,2]: must have at most 1 item"),
        (json!({"uniqueItems": true}), json!([1, 1]), "`p` is [1,1]: must not have the same item twice"),
        (json!({"const": 4}), json!(5), "`p` is 5: must be 4"),
        (json!({"pattern": "^[a-z]+$"}), json!("A1"), "`p` is \"A1\": must match the pattern ^[a-z]+$"),
        (json!({"type": "string", "enum": ["red", "green"]}), json!(7), "`p` is 7: must be one of red, green"),
        (
            json!({"enum": ["red", "green"]}),
            json!("gren"),
            "`p` is \"gren\": must be one of red, green; did you mean `green`?",
        ),
        (json!({"enum": [1, "two words"]}), json!(3), "`p` is 3: must be one of 1, \"two words\""),
        (
            json!({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
            json!([]),
            "`p` is []: must be a string or a whole number",
        ),
    ];
    for (schema, value, expected) in cases {
        assert_eq!(messages(&one("p", schema), json!({ "p": value })), [expected]);
    }
}

#[test]
fn a_nested_place_is_named() {
    let item = json!({
        "type": "object",
        "properties": {"price": {"type": "number"}, "odd key": {"type": "number"}},
        "required": ["price"],
        "additionalProperties": false,
    });
    let parameters = one("items", json!({"type": "array", "items": item}));
    let found = messages(
        &parameters,
        json!({"items": [
            {"price": 1}, {"prize": 2}, {"price": "x"}, {"price": 1, "odd key": true},
        ]}),
    );
    assert_eq!(
        found,
        [
            "`items[1].price` is missing: must be a number",
            "`items[1]` has the unknown key `prize` (given as 2); did you mean `price`?",
            "`items[2].price` is \"x\": must be a number",
            "`items[3][\"odd key\"]` is true: must be a number",
        ]
    );
}

#[test]
fn a_long_value_is_clipped() {
    let long = "x".repeat(100_000);
    let found = messages(&one("p", json!({"type": "integer"})), json!({"p": long}));
    assert_eq!(found[0], format!("`p` is \"{}…\": must be a whole number", "x".repeat(60)));
    let found = messages(&one("p", json!({"type": "integer"})), json!({"p": vec![1; 1000]}));
    assert_eq!(found[0], "`p` is an array of 1000 items: must be a whole number");
}

#[test]
fn what_a_terminal_would_act_on_is_not_in_a_message() {
    let hostile = format!("a\u{1b}[2J\n{}", "x".repeat(1000));
    let found = messages(&[], Value::Object([(hostile, json!("\u{1b}]0;\u{7}"))].into_iter().collect()));
    assert!(!found[0].contains(char::is_control) && found[0].chars().count() < 200, "{found:?}");
}

#[test]
fn null_leaves_an_optional_parameter_out_unless_it_takes_null() {
    let text = vec![ParameterSpec::typed("a", "string").or(json!("x"))];
    assert_eq!(check("demo", &text, map(json!({"a": null}))).unwrap()["a"], "x");
    let nullable = ParameterSpec { schema: json!({"type": ["string", "null"]}), ..ParameterSpec::any("a") };
    assert_eq!(check("demo", &[nullable.or(json!("x"))], map(json!({"a": null}))).unwrap()["a"], Value::Null);
    let required = one("a", json!({"type": "string"}));
    assert_eq!(messages(&required, json!({"a": null})), ["`a` is null: must be a string"]);
}

#[test]
fn an_optional_parameter_without_default_stays_out() {
    let optional = ParameterSpec { required: false, ..ParameterSpec::typed("a", "string") };
    assert!(check("demo", &[optional], Map::new()).unwrap().is_empty());
}

#[test]
fn a_whole_number_with_a_fraction_of_zero_becomes_an_integer() {
    let arguments = check("demo", &one("n", json!({"type": "integer"})), map(json!({"n": 5.0}))).unwrap();
    assert_eq!(arguments["n"].to_string(), "5");
    let arguments = check("demo", &one("n", json!({"type": "number"})), map(json!({"n": 5.0}))).unwrap();
    assert_eq!(arguments["n"].to_string(), "5.0");
}

#[test]
fn a_hostile_pattern_cannot_hang() {
    let parameters = one("p", json!({"type": "string", "pattern": "^(a+)+$"}));
    let hostile = format!("{}!", "a".repeat(100_000));
    assert_eq!(messages(&parameters, json!({ "p": hostile })).len(), 1);
}

#[test]
fn a_pattern_that_needs_backtracking_is_an_error_and_no_pass() {
    let found = messages(&one("p", json!({"pattern": "^(?=a)a$"})), json!({"p": "a"}));
    assert!(found[0].starts_with("the parameters of `demo` cannot be checked: "), "{found:?}");
}

#[test]
fn a_skill_without_parameters_says_so() {
    let errors = check("clock", &[], map(json!({"zone": "UTC"}))).unwrap_err();
    assert_eq!(errors.to_string(), "there is no parameter `zone` (given as \"UTC\")");
    assert_eq!(errors.help().as_deref(), Some("`clock` takes no parameters"));
}

#[test]
fn text_that_is_no_object_is_explained() {
    let message = |text: &str| from_text(text).unwrap_err().to_string();
    assert_eq!(message(""), "the parameters are empty");
    assert_eq!(message("[1]"), "the parameters have to be an object, not an array");
    assert_eq!(
        message("{\n  \"a\": 1,\n  b: 2}"),
        "the parameters are not JSON, at line 3, column 3: key must be a string"
    );
    assert!(
        message("{\"a\": 1").starts_with("the parameters are not JSON, at line 1, column 7: EOF"),
        "{}",
        message("{\"a\": 1")
    );
    assert!(message(r#"{"a": 1, "a": 2}"#).contains("`a` is given twice"));
    let deep = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    assert!(from_text(&deep(99)).is_ok());
    for text in [deep(100), deep(127), deep(100_000)] {
        assert_eq!(message(&text), "the parameters are nested deeper than 100 levels");
    }
    assert!(message("{\"a\": 1e400}").contains("a number beyond 1.8e308"), "{}", message("{\"a\": 1e400}"));
    assert_eq!(from_text(r#"{"a": [1, null]}"#).unwrap(), map(json!({"a": [1, null]})));
}

#[test]
fn words_take_every_form() {
    let expected = json!({"operation": "add", "operand1": 5, "operand2": -3.5});
    for text in [
        "operation=add operand1=5 operand2=-3.5",
        "--operation add --operand1 5 --operand2 -3.5",
        "--operation=add --operand1=5 operand2:=-3.5",
        "add 5 -3.5",
        "operand1=5 add -3.5",
        "add -- 5 -3.5",
    ] {
        assert_eq!(read(&calculator(), text), expected, "{text}");
    }
}

#[test]
fn words_convert_by_the_declared_type() {
    let cases = [
        (json!({"type": "string"}), "5", json!("5")),
        (json!({"type": "integer"}), "007", json!(7)),
        (json!({"type": "integer"}), "18446744073709551615", json!(u64::MAX)),
        (json!({"type": "number"}), "1e3", json!(1000.0)),
        (json!({"type": "number"}), "nan", json!("nan")),
        (json!({"type": "boolean"}), "yes", json!(true)),
        (json!({"type": "boolean"}), "off", json!(false)),
        (json!({"type": ["integer", "null"]}), "null", json!(null)),
        (json!({"type": "array"}), "[1,2]", json!([1, 2])),
        (json!({"type": "array", "items": {"type": "string"}}), "1", json!(["1"])),
        (json!({"type": "object"}), r#"{"a":1}"#, json!({"a": 1})),
        (json!({"enum": ["1", 2]}), "1", json!("1")),
        (json!({"enum": ["1", 2]}), "2", json!(2)),
        (json!({}), "5", json!(5)),
        (json!({}), "007", json!("007")),
        (json!({}), "plain", json!("plain")),
        (json!({}), "[1]", json!([1])),
        (json!({"anyOf": [{"type": "integer"}, {"type": "null"}]}), "4", json!(4)),
    ];
    for (schema, word, expected) in cases {
        assert_eq!(read(&one("p", schema.clone()), &format!("p={word}")), json!({ "p": expected }), "{schema} {word}");
    }
}

#[test]
fn integers_beyond_64_bits_keep_their_digits_or_are_refused() {
    const BIG: &str = "123456789012345678901234567890";
    let described = json!({"v": {"$type": "integer", "repr": BIG}});
    assert_eq!(from_text(&format!("{{\"v\": {BIG}}}")).unwrap(), map(described.clone()));
    let any = one("v", json!({}));
    assert_eq!(read(&any, &format!("v={BIG}")), described);
    assert_eq!(read(&any, &format!("v:=[{BIG}]")), json!({"v": [described["v"]]}));
    assert_eq!(read(&one("v", json!({"type": "string"})), &format!("v={BIG}")), json!({"v": BIG}));
    for schema in [json!({"type": "integer"}), json!({"type": "number"}), json!({"type": ["integer", "null"]})] {
        let parameters = one("v", schema);
        for given in [from_text(&format!("{{\"v\": {BIG}}}")), from_words(&parameters, &words(&format!("v={BIG}")))] {
            let errors = check("s", &parameters, given.unwrap()).unwrap_err();
            assert_eq!(errors.to_string(), format!("`v` is {BIG}, an integer beyond 64 bits, which would lose digits"));
        }
    }
    assert_eq!(misread(&any, "v:=1e400"), ["`v` is \"1e400\", beyond 1.8e308, the largest that JSON readers keep"]);
}

#[test]
fn flags_and_lists() {
    let parameters = vec![
        ParameterSpec::typed("text", "string"),
        ParameterSpec::typed("dry_run", "boolean").or(json!(false)),
        ParameterSpec::typed("color", "boolean").or(json!(true)),
        ParameterSpec { schema: json!({"type": "array", "items": {"type": "integer"}}), ..ParameterSpec::any("n") },
    ];
    let expected = json!({"dry_run": true, "color": false, "n": [1, 2, 3], "text": "hi"});
    assert_eq!(read(&parameters, "--dry-run --no-color n=1 --n 2 n:=[3] hi"), expected);
    assert_eq!(read(&parameters, "--dry-run false"), json!({"dry_run": false}));
}

#[test]
fn a_word_that_does_not_convert_reaches_the_check() {
    let given = from_words(&calculator(), &words("operation=add operand1=abc operand2=1 extra=2")).unwrap();
    let errors = check("calculator", &calculator(), given).unwrap_err();
    let found: Vec<_> = errors.problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(found, ["`operand1` is \"abc\": must be a number", "there is no parameter `extra` (given as 2)"]);
}

#[test]
fn words_that_cannot_be_read_are_all_named() {
    let parameters = [calculator(), one("items", json!({"type": "array"}))].concat();
    assert_eq!(
        misread(&parameters, "operation=add operation=add items=[1, --operand1 --operand2 3"),
        [
            "`operation` is given twice",
            "`items` is \"[1,\", which is not JSON: EOF while parsing a value at column 3",
            "`--operand1` has no value",
        ]
    );
    assert_eq!(misread(&calculator(), "add 1 2 left"), ["no parameter is left for \"left\""]);
    assert_eq!(
        misread(&calculator(), "operand1:=[1"),
        ["`operand1` is \"[1\", which is not JSON: EOF while parsing a list at column 2"]
    );
}

#[test]
fn an_address_with_an_equals_sign_is_a_bare_word() {
    let parameters = one("url", json!({"type": "string"}));
    assert_eq!(read(&parameters, "https://example.org/?a=b"), json!({"url": "https://example.org/?a=b"}));
    assert_eq!(read(&parameters, "-- a=b"), json!({"url": "a=b"}));
}

fn any_schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({})),
        prop::sample::select(vec!["null", "boolean", "integer", "number", "string", "array", "object"])
            .prop_map(|name| json!({"type": name})),
        (-3i64..3, 0i64..4).prop_map(|(min, more)| json!({"minimum": min, "maximum": min + more})),
        (0u64..3, 0u64..4).prop_map(|(min, more)| json!({"type": "string", "minLength": min, "maxLength": min + more})),
        prop::collection::vec(any_value(), 1..4).prop_map(|options| json!({"enum": options})),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), 0u64..3).prop_map(|(items, min)| json!({"type": "array", "items": items, "minItems": min})),
            (inner.clone(), inner).prop_map(|(a, b)| json!({
                "properties": {"a": a}, "required": ["a"], "additionalProperties": b,
            })),
        ]
    })
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-5i64..5).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-5.0f64..5.0).prop_map(Value::from),
        Just(json!(1.0)),
        "[aé]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec(("[ab]", inner), 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// What the quick check lets through, the validator would let through.
    #[test]
    fn the_quick_check_never_lets_more_through(schema in any_schema(), value in any_value()) {
        let Some(plain) = plain::Plain::of(&schema) else { panic!("every generated schema is plain: {schema}") };
        if plain.vouches(&value) {
            let validator = jsonschema::options().with_draft(jsonschema::Draft::Draft202012).build(&schema).unwrap();
            prop_assert!(validator.is_valid(&value), "{schema} {value}");
        }
    }

    /// Whatever is typed, reading it ends with arguments or with a message for each problem.
    #[test]
    fn any_words_are_read_or_explained(words in prop::collection::vec("(--?)?[a-z=:\\[{\" -]{0,12}|(--)?(no-)?(operation|operand1|precision)[:=]{0,2}[a-z0-9]{0,3}", 0..8)) {
        match from_words(&calculator(), &words) {
            Ok(given) => { let _ = check("calculator", &calculator(), given); }
            Err(errors) => prop_assert!(!errors.problems.is_empty() && errors.problems.iter().all(|p| !p.message.is_empty())),
        }
    }

    /// A value written as `name:=json` comes back as it was.
    #[test]
    fn json_words_round_trip(value in any_value()) {
        let given = from_words(&one("p", json!({})), &[format!("p:={value}")]).unwrap();
        prop_assert_eq!(&given["p"], &value);
    }

    /// A text parameter keeps its text, whatever it holds.
    #[test]
    fn text_words_round_trip(text in ".{0,20}") {
        let given = from_words(&one("p", json!({"type": "string"})), &[format!("p={text}")]).unwrap();
        prop_assert_eq!(&given["p"], &Value::from(text));
    }
}
