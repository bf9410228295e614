//! `units`: calculations as people write them, with percentages and units.

use crate::bounds::Watch;
use crate::define::{a, define, invalid, number, or_null, string};
use fend_core::{Context, Interrupt};
use serde_json::{Value, json};
use skills_core::{CallContext, ErrorKind, Failure, HostFunction};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// The longest expression, in bytes.
const MAX_EXPRESSION: usize = 1000;

/// The stack that an expression is worked out on: a script's own may be nearly used up, and nesting is recursion.
const STACK: usize = 64 << 20;

/// How much of it evaluation may use before it is stopped.
const MAX_STACK: usize = STACK / 2;

/// How long an expression may take.
const MAX_EVALUATION: Duration = Duration::from_secs(5);

/// The functions of this domain.
pub(crate) fn functions() -> Vec<Arc<dyn HostFunction>> {
    let result = || {
        json!({
            "type": "object",
            "properties": {
                "text": {"type": "string", "description": "the result for a person"},
                "number": or_null(json!({"type": "number"})),
                "unit": or_null(a("string")),
                "exact": {"type": "boolean", "description": "whether nothing was rounded"},
            },
        })
    };
    vec![
        define(
            "units.evaluate",
            "The result of an expression with units and percentages; `number` is null where it is not one number",
        )
        .takes(
            string("expression")
                .about("such as 15% of 250, 100 fahrenheit to celsius, 5 km / (20 min) to mph; 250 + 15% is 250.15"),
        )
        .returns(result())
        .runs(|context, (expression,): (String,)| evaluate(context, &expression)),
        define("units.convert", "An amount in another unit")
            .takes(number("value").about("the amount"))
            .takes(string("from").about("its unit"))
            .takes(string("to").about("the unit to convert it to"))
            .returns(result())
            .runs(|context, (value, from, to): (Value, String, String)| {
                let unit = |text: String| -> Result<String, Failure> {
                    let allowed = |c: char| c.is_alphanumeric() || "_/*^°·- ".contains(c);
                    if text.trim().is_empty() || text.contains("->") || !text.chars().all(allowed) {
                        return Err(invalid(format!("{:?} is not a unit", text.chars().take(60).collect::<String>())));
                    }
                    Ok(text)
                };
                evaluate(context, &format!("({value}) ({}) to ({})", unit(from)?, unit(to)?))
            }),
    ]
}

fn evaluate(context: &CallContext<'_>, expression: &str) -> Result<Value, Failure> {
    if expression.len() > MAX_EXPRESSION {
        return Err(invalid(format!("the expression is longer than {MAX_EXPRESSION} bytes")));
    }
    if expression.trim().is_empty() {
        return Err(invalid("the expression is empty"));
    }
    let accepted = accept(expression)?;
    let stop = Stop {
        watch: Watch::within(context.budget, MAX_EVALUATION),
        base: AtomicUsize::new(0),
        deep: AtomicBool::new(false),
    };
    let work = || {
        stop.base.store(here(), Ordering::Relaxed);
        // A fresh context has no random numbers, no exchange rates and no clock, and keeps nothing for the next call.
        fend_core::evaluate_with_interrupt(&accepted, &mut Context::new(), &stop)
            .map(|result| result.get_main_result().to_owned())
    };
    let finished = std::thread::scope(|scope| {
        let thread =
            std::thread::Builder::new().name("skills-units".into()).stack_size(STACK).spawn_scoped(scope, work);
        thread.map(|thread| thread.join())
    });
    let no_result = |why: &str| {
        let shown: String = expression.chars().take(60).collect();
        invalid(format!("the expression {shown:?} has no result: {why}"))
    };
    match finished {
        Ok(Ok(Ok(text))) if text.is_empty() => Err(no_result("something is missing")),
        Ok(Ok(Ok(text))) => Ok(describe(&text)),
        Ok(Ok(Err(_))) if stop.deep.load(Ordering::Relaxed) => {
            Err(invalid("the expression nests or repeats itself too deeply"))
        }
        Ok(Ok(Err(_))) if stop.watch.is_over() => Err(stop.watch.failure()),
        Ok(Ok(Err(why))) => Err(no_result(&why.chars().take(200).collect::<String>())),
        Ok(Err(_)) => Err(no_result("the calculator cannot work it out")),
        Err(error) => Err(Failure::new(ErrorKind::Unavailable, format!("no thread to calculate on: {error}"))),
    }
}

/// Words of the calculator that make text, which may double at every step, or that are of no use here.
const REFUSED: [&str; 15] = [
    "string",
    "text",
    "char",
    "character",
    "roman",
    "roman_numeral",
    "words",
    "codepoint",
    "date",
    "version",
    "trans",
    "print",
    "println",
    "roll",
    "sample",
];

/// The expression as the calculator gets it: feet and inches spelt out, and nothing in it that works or grows without
/// ever asking whether it should stop, which are shifts to the left, dice and text.
fn accept(expression: &str) -> Result<String, Failure> {
    let refused = |what: &str| {
        invalid(format!("{what} is not available in expressions"))
            .with_help("write arithmetic with units, such as 5 km / (20 min) to mph")
    };
    if expression.contains("<<") {
        return Err(refused("shifting bits with <<"));
    }
    if expression.contains('@') {
        return Err(refused("@"));
    }
    let word_character = |c: char| c.is_alphanumeric() || c == '_';
    let words = expression
        .split(|c: char| !word_character(c))
        .map(|word| word.trim_start_matches(|c: char| c.is_ascii_digit()));
    for word in words {
        if REFUSED.contains(&word.to_lowercase().as_str()) {
            return Err(refused(&format!("{word:?}")));
        }
        if word.strip_prefix('d').is_some_and(|faces| faces.starts_with(|c: char| c.is_ascii_digit())) {
            return Err(refused("dice"));
        }
    }
    let mut accepted = String::with_capacity(expression.len());
    for character in expression.chars() {
        let after_number = accepted.ends_with(|c: char| c.is_ascii_digit() || c == '.');
        match character {
            '\'' | '′' if after_number => accepted.push_str(" feet "),
            '"' | '″' if after_number => accepted.push_str(" inches "),
            '\'' | '"' => return Err(refused("text")),
            other => accepted.push(other),
        }
    }
    Ok(accepted)
}

/// Tells the calculator when to stop: when time is up, and before recursion has used the stack.
struct Stop<'a> {
    watch: Watch<'a>,
    base: AtomicUsize,
    deep: AtomicBool,
}

impl Interrupt for Stop<'_> {
    fn should_interrupt(&self) -> bool {
        let used = self.base.load(Ordering::Relaxed).abs_diff(here());
        if used > MAX_STACK {
            self.deep.store(true, Ordering::Relaxed);
            return true;
        }
        self.watch.is_over()
    }
}

/// About where the stack is.
#[inline(never)]
fn here() -> usize {
    let mark = 0u8;
    std::ptr::from_ref(std::hint::black_box(&mark)).addr()
}

/// A result as its parts. Temperatures that were rounded anyway show one decimal, as a thermometer does.
fn describe(result: &str) -> Value {
    let exact = !result.starts_with("approx. ");
    let result = result.trim_start_matches("approx. ");
    let end = result.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-'))).unwrap_or(result.len());
    let (digits, unit) = (&result[..end], result[end..].trim());
    let is_unit = unit.is_empty() || unit.starts_with(|c: char| c.is_alphabetic() || "°%$£€¥".contains(c));
    // `0x100` and `3i` are numbers whose digits go on, not amounts.
    let goes_on = result[end..].starts_with(|c: char| c.is_alphabetic());
    let Some(number) = digits.parse::<f64>().ok().filter(|number| number.is_finite() && is_unit && !goes_on) else {
        return json!({"text": result, "number": null, "unit": null, "exact": exact});
    };
    let unit = match unit {
        "celsius" => "°C",
        "fahrenheit" => "°F",
        other => other,
    };
    let text = match unit {
        "°C" | "°F" if exact => format!("{digits} {unit}"),
        "°C" | "°F" => format!("{} {unit}", whole((number * 10.0).round() / 10.0)),
        _ => result.to_owned(),
    };
    json!({"text": text, "number": whole(number), "unit": (!unit.is_empty()).then_some(unit), "exact": exact})
}

/// A number, as an integer where it is one that floating point keeps exactly.
fn whole(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0 { json!(number as i64) } else { json!(number) }
}

#[cfg(test)]
mod tests {
    use crate::testing::TestContext;
    use serde_json::{Value, json};
    use skills_core::{ErrorKind, Limits};
    use std::time::Duration;

    #[test]
    fn people_write_percentages_and_units() {
        let test = TestContext::new();
        let evaluate = |expression: &str| test.ok("units.evaluate", [json!(expression)]);
        assert_eq!(evaluate("15% of 250"), json!({"text": "37.5", "number": 37.5, "unit": null, "exact": true}));
        let warm = evaluate("100 fahrenheit to celsius");
        assert_eq!((&warm["text"], &warm["unit"], &warm["exact"]), (&json!("37.8 °C"), &json!("°C"), &json!(false)));
        assert!((warm["number"].as_f64().unwrap() - 37.777_777_777_8).abs() < 1e-9);
        for (expression, text) in [
            ("20 °C to °F", "68 °F"),
            ("5 km / (20 min) to km/h", "15 km / h"),
            ("80 kg * 9.81 m/s^2 to N", "784.8 N"),
            ("0.1 + 0.2", "0.3"),
            ("1/3", "0.3333333333"),
            ("-3 - 5", "-8"),
            ("5%", "5%"),
            ("6' 2\" to cm", "187.96 cm"),
            ("0xff + 1", "0x100"),
            ("2 + 3i", "2 + 3i"),
        ] {
            assert_eq!(evaluate(expression)["text"], json!(text), "{expression}");
        }
        assert_eq!(evaluate("6 * 7")["number"], json!(42));
        assert_eq!(evaluate("5 kg")["unit"], json!("kg"));
        assert_eq!(evaluate("2 + 3i")["number"], Value::Null);
        assert_eq!(evaluate("0xff + 1")["number"], Value::Null);
    }

    #[test]
    fn amounts_are_converted() {
        let test = TestContext::new();
        let convert = |n: Value, from: &str, to: &str| test.ok("units.convert", [n, json!(from), json!(to)]);
        assert_eq!(convert(json!(100), "fahrenheit", "celsius")["text"], json!("37.8 °C"));
        assert_eq!(convert(json!(-40), "°C", "°F")["number"], json!(-40));
        assert_eq!(convert(json!(1.5), "km/h", "m/s^2 s")["exact"], json!(false));
        assert_eq!(convert(json!(1e-7), "km", "mm")["number"], json!(0.1));
        assert!(test.invalid("units.convert", [json!(1), json!("kg"), json!("m")]).contains("incompatible"));
        for unit in ["", " ", "m) + (1", "m; 5", "m -> s"] {
            assert!(test.invalid("units.convert", [json!(1), json!(unit), json!("m")]).ends_with("is not a unit"));
        }
    }

    #[test]
    fn mistakes_are_explained() {
        let test = TestContext::new();
        let message = |expression: &str| test.invalid("units.evaluate", [json!(expression)]);
        assert_eq!(message("1/0"), r#"the expression "1/0" has no result: division by zero"#);
        assert!(message("5 apples").ends_with("unknown identifier 'apples'"));
        assert!(message("1 +").contains("has no result"));
        assert!(message("((").contains("has no result"));
        assert_eq!(message(" "), "the expression is empty");
        assert!(message(&"1+".repeat(600)).contains("longer than 1000 bytes"));
    }

    #[test]
    fn nothing_outside_is_reached_and_nothing_is_random() {
        let test = TestContext::new();
        for expression in ["5 USD to EUR", "roll d6", "sample 5", "d6", "2d6 + 1", "today", "@debug 1", "print 1"] {
            test.invalid("units.evaluate", [json!(expression)]);
        }
    }

    #[test]
    fn what_could_grow_without_being_stopped_is_refused() {
        let test = TestContext::new();
        let doubling = format!("a = 5 to string; {} a", "a=a+a;".repeat(100));
        let literal = format!("a = \"x\"; {} a", "a=a+a;".repeat(100));
        for expression in ["1 << 10^15", "d1000 + d1000 + d1000", &doubling, &literal, "5 to Words"] {
            let message = test.invalid("units.evaluate", [json!(expression)]);
            assert!(message.ends_with("is not available in expressions"), "{message}");
        }
    }

    #[test]
    fn endless_recursion_is_stopped_before_the_stack_ends() {
        let test = TestContext::new();
        for expression in ["(x: x x) (x: x x)", "f = x: f x; f 1"] {
            let message = test.invalid("units.evaluate", [json!(expression)]);
            assert_eq!(message, "the expression nests or repeats itself too deeply");
        }
        for nested in ["(", "-", "2^", "!", "x:", "\\x.", "[", "1 to ", "1/"] {
            test.invalid("units.evaluate", [json!(nested.repeat(900 / nested.len()))]);
        }
    }

    #[test]
    fn endless_work_stops_with_the_run() {
        let limits = Limits { wall: Some(Duration::from_millis(100)), ..Limits::none() };
        let failure = TestContext::limited(limits).fails("units.evaluate", [json!("9^9^9^9")]);
        assert_eq!(failure.kind, ErrorKind::Timeout, "{failure}");
        let test = TestContext::new();
        test.budget.cancel();
        assert_eq!(test.fails("units.evaluate", [json!("9^9^9^9")]).kind, ErrorKind::Cancelled);
    }

    #[test]
    fn endless_work_stops_without_a_limit_too() {
        let failure = TestContext::limited(Limits::none()).fails("units.evaluate", [json!("9^9^9^9")]);
        assert_eq!(failure.message, "the host call took too long and was stopped");
    }
}
