//! `log` and `progress`: how a script tells what it is doing.

use crate::bounds::write_failure;
use crate::define::{a, any, define, invalid, number, one_of, string};
use serde_json::{Value, json};
use skills_core::{Event, Failure, HostFunction, LogLevel};
use std::sync::Arc;

/// The functions of this domain.
pub(crate) fn functions() -> Vec<Arc<dyn HostFunction>> {
    vec![
        define("log", "Logs a line for whoever follows the run; it counts as output and is not the result")
            .takes(any("message").about("text; any other value is logged as JSON"))
            .takes(
                one_of("level", &["debug", "info", "warn", "error"])
                    .or(json!("info"))
                    .about("debug, info, warn or error"),
            )
            .returns(a("null"))
            .runs(|context, (message, level): (Value, String)| {
                let level = LogLevel::from_name(&level).ok_or_else(|| {
                    invalid(format!("there is no log level {level:?}: use debug, info, warn or error"))
                })?;
                let message = line(message)?;
                context.budget.charge_output(message.len() as u64)?;
                context.events.event(context.skill, context.correlation_id, &Event::Log { level, message });
                Ok(Value::Null)
            }),
        define("progress", "Says how far the script is; it counts as output")
            .takes(number("fraction").or(Value::Null).about("from 0 to 1, or null where that is not known"))
            .takes(string("message").or(Value::Null).about("what the script is doing"))
            .returns(a("null"))
            .runs(|context, (fraction, message): (Option<f64>, Option<String>)| {
                if let Some(fraction) = fraction
                    && !(0.0..=1.0).contains(&fraction)
                {
                    return Err(invalid(format!("`fraction` must be from 0 to 1, not {fraction}"))
                        .with_help("divide what is done by the whole: skill.progress(done / total)"));
                }
                if fraction.is_none() && message.is_none() {
                    return Err(invalid("skill.progress needs a fraction, a message, or both"));
                }
                context.budget.charge_output(message.as_ref().map_or(0, |m| m.len() as u64))?;
                context.events.event(context.skill, context.correlation_id, &Event::Progress { fraction, message });
                Ok(Value::Null)
            }),
    ]
}

fn line(message: Value) -> Result<String, Failure> {
    match message {
        Value::String(text) => Ok(text),
        other => serde_json::to_string(&other).map_err(|e| write_failure(e.into())),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::TestContext;
    use serde_json::{Value, json};
    use skills_core::{ErrorKind, Event, Limits, LogLevel};

    #[test]
    fn lines_and_progress_reach_the_sink() {
        let test = TestContext::new();
        test.ok("log", [json!("hello")]);
        test.ok("log", [json!({"rows": 3}), json!("warn")]);
        test.ok("progress", [json!(0.5), json!("half")]);
        test.ok("progress", [Value::Null, json!("still")]);
        assert_eq!(
            *test.events.0.lock().unwrap(),
            [
                Event::Log { level: LogLevel::Info, message: "hello".into() },
                Event::Log { level: LogLevel::Warn, message: r#"{"rows":3}"#.into() },
                Event::Progress { fraction: Some(0.5), message: Some("half".into()) },
                Event::Progress { fraction: None, message: Some("still".into()) },
            ]
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let test = TestContext::new();
        assert!(test.invalid("log", [json!("x"), json!("loud")]).contains("no log level \"loud\""));
        assert_eq!(test.invalid("progress", [json!(50)]), "`fraction` must be from 0 to 1, not 50");
        assert_eq!(test.invalid("progress", [json!(-0.1)]), "`fraction` must be from 0 to 1, not -0.1");
        assert!(test.invalid("progress", []).contains("needs a fraction, a message, or both"));
        assert!(test.events.0.lock().unwrap().is_empty());
    }

    #[test]
    fn logging_is_output_and_bounded_like_it() {
        let test = TestContext::limited(Limits { output: Some(6), ..Limits::none() });
        test.ok("log", [json!("12345")]);
        assert_eq!(test.fails("log", [json!("67")]).kind, ErrorKind::OutputLimit);
        let test = TestContext::limited(Limits { output: Some(1), ..Limits::none() });
        assert_eq!(test.fails("progress", [Value::Null, json!("67")]).kind, ErrorKind::OutputLimit);
    }
}
