//! `time`: moments, calendars and time zones, from a zone database that is part of the program.
//!
//! A moment is RFC 3339 text (`2024-03-10T09:30:00-04:00`), the same with a zone (`…[America/New_York]`), RFC 2822 text,
//! a date or a date with a time (then in the zone that is asked for, or UTC), or seconds since 1970. Results are RFC
//! 3339 text, with the offset of the zone they are in.

mod moment;

use crate::bounds::Tally;
use crate::define::{a, any, define, invalid, one_of, string};
use jiff::{Span, Timestamp, Unit};
use moment::{Moment, text_of, zone_of};
use serde_json::{Value, json};
use skills_core::{Failure, HostFunction, ParameterSpec};
use std::sync::Arc;

/// Units of [`unit_of`], the largest first.
const UNITS: [&str; 8] = ["years", "months", "weeks", "days", "hours", "minutes", "seconds", "milliseconds"];

/// The functions of this domain.
pub(crate) fn functions() -> Vec<Arc<dyn HostFunction>> {
    let moment = |name: &str| any(name).about("RFC 3339 text, a date with or without a time, or seconds since 1970");
    let zone = |about: &str| string("zone").or(Value::Null).about(about);
    vec![
        define("time.now", "The time now, in UTC, as RFC 3339 text with milliseconds")
            .returns(a("string"))
            .runs(|_, (): ()| Ok(format!("{:.3}", Timestamp::now()))),
        define("time.unix", "The time now, as seconds since 1970-01-01 in UTC")
            .returns(a("number"))
            .runs(|_, (): ()| Ok(Timestamp::now().as_microsecond() as f64 / 1e6)),
        define("time.parse", "Text that tells a moment, as RFC 3339 text")
            .takes(string("text"))
            .takes(zone("the zone of text that names none, and of the result; by default UTC, or what the text has"))
            .takes(string("format").or(Value::Null).about("how the text is written, as in %d.%m.%Y %H:%M"))
            .returns(a("string"))
            .runs(|_, (text, zone, format): (String, Option<String>, Option<String>)| {
                let moment = match format {
                    Some(format) => Moment::parse_as(&text, &format)?,
                    None => Moment::parse(&text)?,
                };
                Ok(text_of(&moment.within(zone.as_deref())?))
            }),
        define("time.format", "A moment, written as asked")
            .takes(moment("timestamp"))
            .takes(
                string("format")
                    .or(json!("%Y-%m-%d %H:%M:%S"))
                    .about("with %Y %m %d %H %M %S %A %B %j %V %Z %z and the rest of strftime"),
            )
            .takes(zone("the zone to write it in; by default that of the timestamp"))
            .returns(a("string"))
            .runs(|context, (timestamp, format, zone): (Moment, Option<String>, Option<String>)| {
                let format = format.as_deref().unwrap_or("%Y-%m-%d %H:%M:%S");
                // A directive such as %255Y gives up to 255 characters for two or more.
                Tally::of(context.budget).add(format.len().saturating_mul(64))?;
                jiff::fmt::strtime::format(format, &timestamp.within(zone.as_deref())?)
                    .map_err(|e| invalid(format!("the format {format:?} cannot be used: {e}")))
            }),
        define("time.add", "A moment later by a duration, or earlier by a negative one")
            .takes(moment("timestamp"))
            .takes(string("duration").about("such as 1 month 2 days, 90min, -2h, or P1M2DT3H"))
            .takes(zone("whose calendar and clock changes count; by default that of the timestamp"))
            .returns(a("string"))
            .runs(|_, (timestamp, duration, zone): (Moment, String, Option<String>)| {
                let span: Span = duration.trim().parse().map_err(|e| {
                    invalid(format!("{duration:?} is not a duration: {e}"))
                        .with_help("write it as \"1 month 2 days\", \"-90min\" or \"P1M2DT3H\"")
                })?;
                let later = timestamp.within(zone.as_deref())?.checked_add(span);
                Ok(text_of(&later.map_err(|e| invalid(format!("adding {duration:?} leaves the calendar: {e}")))?))
            }),
        define("time.diff", "How long it is from one moment to another, negative where the second is earlier")
            .takes(moment("a"))
            .takes(moment("b"))
            .takes(
                one_of("unit", &UNITS)
                    .or(json!("seconds"))
                    .about("years, months, weeks, days, hours, minutes, seconds or milliseconds"),
            )
            .returns(a("number"))
            .runs(|_, (a, b, unit): (Moment, Moment, Option<String>)| diff(a, b, unit.as_deref().unwrap_or("seconds"))),
        define("time.convert", "The same moment in another zone")
            .takes(moment("timestamp"))
            .takes(ParameterSpec { default: None, required: true, ..zone("such as Europe/Berlin, UTC or +05:30") })
            .returns(a("string"))
            .runs(|_, (timestamp, zone): (Moment, String)| {
                Ok(text_of(&timestamp.within(None)?.with_time_zone(zone_of(&zone)?)))
            }),
    ]
}

/// Calendar units count in the zone of `a`, where a day may have 23 or 25 hours.
fn diff(a: Moment, b: Moment, unit: &str) -> Result<f64, Failure> {
    let unit = unit_of(unit)?;
    let a = a.within(None)?;
    let b = b.within(None)?.with_time_zone(a.time_zone().clone());
    let span = a.until((unit, &b)).and_then(|span| span.total((unit, &a)));
    span.map_err(|e| invalid(format!("the moments are too far apart: {e}")))
}

fn unit_of(name: &str) -> Result<Unit, Failure> {
    Ok(match name.strip_suffix('s').unwrap_or(name) {
        "year" => Unit::Year,
        "month" => Unit::Month,
        "week" => Unit::Week,
        "day" => Unit::Day,
        "hour" => Unit::Hour,
        "minute" => Unit::Minute,
        "second" => Unit::Second,
        "millisecond" => Unit::Millisecond,
        _ => return Err(invalid(format!("there is no unit {name:?}: use one of {}", UNITS.join(", ")))),
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::TestContext;
    use serde_json::{Value, json};
    use skills_core::ErrorKind;

    #[test]
    fn now_is_now() {
        let test = TestContext::new();
        let text = test.ok("time.now", []);
        assert!(text.as_str().unwrap().ends_with('Z') && text.as_str().unwrap().len() == 24, "{text}");
        let seconds = test.ok("time.diff", [text, test.ok("time.unix", [])]).as_f64().unwrap();
        assert!((-1.0..60.0).contains(&seconds));
    }

    #[test]
    fn text_of_many_forms_is_read() {
        let test = TestContext::new();
        for (text, zone, expected) in [
            ("2024-03-10T09:30:00-04:00", Value::Null, "2024-03-10T09:30:00-04:00"),
            ("2024-03-10T09:30:00-04:00", json!("UTC"), "2024-03-10T13:30:00Z"),
            ("2024-03-10", Value::Null, "2024-03-10T00:00:00Z"),
            ("2024-07-01 12:00", json!("Europe/Berlin"), "2024-07-01T12:00:00+02:00"),
            ("2024-07-01T12:00[Asia/Tokyo]", Value::Null, "2024-07-01T12:00:00+09:00"),
            ("Mon, 01 Jul 2024 12:00:00 +0200", Value::Null, "2024-07-01T12:00:00+02:00"),
            ("2024-07-01T12:00:00.25Z", json!("+05:30"), "2024-07-01T17:30:00.25+05:30"),
        ] {
            assert_eq!(test.ok("time.parse", [json!(text), zone]), json!(expected), "{text}");
        }
        let parse = |text: &str, format: &str| test.ok("time.parse", [json!(text), Value::Null, json!(format)]);
        assert_eq!(parse("31.12.2024 23:59", "%d.%m.%Y %H:%M"), json!("2024-12-31T23:59:00Z"));
        assert_eq!(parse("31.12.2024", "%d.%m.%Y"), json!("2024-12-31T00:00:00Z"));
        assert_eq!(parse("2024-01-01 00:00 +0100", "%Y-%m-%d %H:%M %z"), json!("2024-01-01T00:00:00+01:00"));
    }

    #[test]
    fn calendars_and_clock_changes_are_right() {
        let test = TestContext::new();
        let add = |t: Value, d: &str, zone: Value| test.ok("time.add", [t, json!(d), zone]);
        assert_eq!(add(json!("2024-01-31"), "1 month", Value::Null), json!("2024-02-29T00:00:00Z"));
        assert_eq!(add(json!("2024-01-31"), "P1M2DT3H", Value::Null), json!("2024-03-02T03:00:00Z"));
        assert_eq!(add(json!(0), "-90min", Value::Null), json!("1969-12-31T22:30:00Z"));
        let saturday = json!("2024-03-09T09:30:00-05:00");
        assert_eq!(add(saturday.clone(), "1 day", json!("America/New_York")), json!("2024-03-10T09:30:00-04:00"));
        assert_eq!(add(saturday.clone(), "1 day", Value::Null), json!("2024-03-10T09:30:00-05:00"));

        let zoned = json!("2024-03-09T09:30:00-05:00[America/New_York]");
        let diff = |unit: &str| test.ok("time.diff", [zoned.clone(), json!("2024-03-10T09:30:00-04:00"), json!(unit)]);
        assert_eq!(diff("days"), json!(1.0));
        assert_eq!(diff("hours"), json!(23.0));
        assert_eq!(test.ok("time.diff", [json!("2024-03-01"), json!("2024-01-01"), json!("month")]), json!(-2.0));
        assert_eq!(test.ok("time.diff", [json!(10.5), json!(12)]), json!(1.5));
    }

    #[test]
    fn moments_are_written_and_converted() {
        let test = TestContext::new();
        let moment = json!("2024-07-01T22:05:00Z");
        assert_eq!(test.ok("time.format", [moment.clone()]), json!("2024-07-01 22:05:00"));
        let zone = json!("Asia/Kolkata");
        assert_eq!(
            test.ok("time.format", [moment.clone(), json!("%A %-d %B, %H:%M %Z"), zone.clone()]),
            json!("Tuesday 2 July, 03:35 IST")
        );
        assert_eq!(test.ok("time.convert", [moment, zone]), json!("2024-07-02T03:35:00+05:30"));
        assert_eq!(test.ok("time.convert", [json!(1719871500), json!("UTC")]), json!("2024-07-01T22:05:00Z"));
    }

    #[test]
    fn mistakes_are_explained() {
        let test = TestContext::new();
        assert!(test.invalid("time.parse", [json!("yesterday")]).starts_with("\"yesterday\" is not a moment"));
        assert!(test.invalid("time.parse", [json!("2023-02-29")]).contains("not a moment"));
        assert!(
            test.invalid("time.convert", [json!(0), json!("Mars/Base")])
                .starts_with("there is no time zone \"Mars/Base\"")
        );
        assert!(test.invalid("time.convert", [json!(1e300), json!("UTC")]).contains("`timestamp` must be"));
        assert!(test.invalid("time.convert", [json!([]), json!("UTC")]).contains("`timestamp` must be"));
        let failure = test.fails("time.add", [json!(0), json!("a while")]);
        assert!(failure.message.starts_with("\"a while\" is not a duration") && failure.help.is_some());
        assert!(test.invalid("time.add", [json!(0), json!("9000 years")]).contains("leaves the calendar"));
        assert!(test.invalid("time.diff", [json!(0), json!(1), json!("eons")]).contains("there is no unit \"eons\""));
        assert!(test.invalid("time.format", [json!(0), json!("%")]).contains("cannot be used"));
        let long = json!("%255Y".repeat(1 << 18));
        assert_eq!(test.fails("time.format", [json!(0), long]).kind, ErrorKind::OutputLimit);
    }
}
