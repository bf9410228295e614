//! Numbers and the ranges they may have. Every limit has a largest value too: one that nothing could ever reach is a
//! slip, and arithmetic with it is safe.

use crate::definition::codes;
use crate::definition::node::{Node, Span};
use crate::definition::sink::Sink;
use std::time::Duration;

/// What a number may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    min: f64,
    max: f64,
    whole: bool,
    unit: &'static str,
}

/// Seconds in a day, and in 30 days.
const DAY: f64 = 86_400.0;
const MONTH: f64 = 30.0 * DAY;

/// The unit of times.
const SECONDS: &str = "seconds";

/// How long one run or one check may take, in seconds.
pub(crate) const TIMEOUT: Bound = Bound::new(0.001, DAY, false, SECONDS);
/// How long a session may live, in seconds.
pub(crate) const LIFETIME: Bound = Bound::new(0.001, MONTH, false, SECONDS);
/// MiB of memory or of a file.
pub(crate) const MEBIBYTES: Bound = Bound::new(1.0, 1_048_576.0, true, "MiB");
/// KiB of a file.
pub(crate) const KIBIBYTES: Bound = Bound::new(1.0, 1_048_576.0, true, "KiB");
/// A share of one CPU.
pub(crate) const PERCENT: Bound = Bound::new(1.0, 100.0, true, "percent");
/// A number of turns, sessions, attempts or failures.
pub(crate) const COUNT: Bound = Bound::new(1.0, 1_000.0, true, "");
/// A number of further attempts, which may be none.
pub(crate) const RETRIES: Bound = Bound::new(0.0, 1_000.0, true, "");
/// A number of files.
pub(crate) const FILES: Bound = Bound::new(1.0, 10_000.0, true, "files");
/// A number of tokens.
pub(crate) const TOKENS: Bound = Bound::new(1.0, 100_000_000.0, true, "tokens");
/// A length of a text or a list.
pub(crate) const LENGTH: Bound = Bound::new(0.0, 1_000_000_000.0, true, "");

impl Bound {
    pub(crate) const fn new(min: f64, max: f64, whole: bool, unit: &'static str) -> Bound {
        Bound { min, max, whole, unit }
    }

    /// The same time in milliseconds.
    pub(crate) const fn in_milliseconds(self) -> Bound {
        Bound { min: self.min * 1000.0, max: self.max * 1000.0, whole: false, unit: "milliseconds" }
    }

    /// The number of a node, where it is one that the bound allows; otherwise reports what is allowed. `named` is how
    /// the message calls it.
    pub(crate) fn check(&self, named: &str, node: &Node, sink: &mut Sink) -> Option<f64> {
        let Some(number) = node.as_f64() else {
            let message = format!("{named} is {}, but has to be a number {}", node.type_name(), self.range_text());
            let help = match node.as_str().filter(|text| text.parse::<f64>().is_ok_and(f64::is_finite)) {
                Some(text) => format!("write it without quotes: {text}"),
                None => format!("write a number {}", self.range_text()),
            };
            sink.error(codes::WRONG_TYPE, &node.span, message, help);
            return None;
        };
        let whole_enough = !self.whole || number.fract() == 0.0;
        if whole_enough && (self.min..=self.max).contains(&number) {
            return Some(number);
        }
        let written = match &node.data {
            crate::definition::node::Data::Number(text) => text.as_str(),
            _ => "",
        };
        let message = format!("{named} is {written}, but has to be {} {}", self.kind(), self.range_text());
        let help = match self.unit == SECONDS && number > self.max && number / 1000.0 <= self.max {
            true => format!("that looks like milliseconds: in seconds, write {}", number / 1000.0),
            false => format!("write {} {}, or leave it out for the default", self.kind(), self.range_text()),
        };
        sink.error(codes::OUT_OF_RANGE, &node.span, message, help);
        None
    }

    fn kind(&self) -> &'static str {
        if self.whole { "a whole number" } else { "a number" }
    }

    fn range_text(&self) -> String {
        let unit = if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) };
        format!("from {} to {}{unit}", self.min, self.max)
    }
}

/// The shortest and the longest time that is believed at first sight, by what a time is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plausible {
    /// Fewer milliseconds than this look like seconds.
    pub(crate) least_milliseconds: f64,
    /// More seconds than this look like milliseconds.
    pub(crate) most_seconds: f64,
    /// Whether whole thousands of seconds do too: nobody writes 2000 for half an hour.
    pub(crate) thousands: bool,
}

/// For the time of one run.
pub(crate) const RUN: Plausible = Plausible { least_milliseconds: 100.0, most_seconds: 3_600.0, thousands: false };
/// For the time of one run, where v1 has the same key in milliseconds.
pub(crate) const EXECUTOR: Plausible = Plausible { thousands: true, ..RUN };
/// For the time of a session.
pub(crate) const SESSION: Plausible =
    Plausible { least_milliseconds: 10_000.0, most_seconds: 7.0 * DAY, thousands: false };

/// Turns a time in milliseconds into a node in seconds, with the same span. Reports one that is out of range, and gives
/// `None` for it; warns about one that looks like seconds.
pub(crate) fn seconds_from_milliseconds(
    named: &str,
    node: &Node,
    bound: &Bound,
    plausible: Plausible,
    sink: &mut Sink,
) -> Option<Node> {
    let milliseconds = bound.in_milliseconds().check(named, node, sink)?;
    // Minutes are written as 120 or 300 seconds; as milliseconds, nobody would choose such figures.
    let minutes = plausible.least_milliseconds > 0.0 && milliseconds < 1000.0 && milliseconds % 60.0 == 0.0;
    if milliseconds < plausible.least_milliseconds || minutes {
        let message = format!("{named} is {milliseconds} milliseconds, which looks like seconds");
        let corrected = milliseconds * 1000.0;
        let help = format!("times in this form are in milliseconds: write {corrected} for {milliseconds} s");
        sink.warning(codes::LOOKS_LIKE_SECONDS, &node.span, message, help);
    }
    Some(Node::number(milliseconds / 1000.0, &node.span))
}

/// Warns about a time in seconds that looks like milliseconds.
pub(crate) fn warn_if_milliseconds(named: &str, seconds: f64, span: &Span, plausible: Plausible, sink: &mut Sink) {
    let thousands = plausible.thousands && seconds >= 1000.0 && seconds % 1000.0 == 0.0;
    if seconds > plausible.most_seconds || thousands {
        let message = format!("{named} is {seconds} seconds, which looks like milliseconds");
        let help = format!("times in a v2 file are in seconds: write {} for {seconds} ms", seconds / 1000.0);
        sink.warning(codes::LOOKS_LIKE_MILLISECONDS, span, message, help);
    }
}

/// A checked number of seconds as a duration, to the microsecond: a f64 has no exact tenths.
pub(crate) fn duration(seconds: f64) -> Duration {
    Duration::from_micros((seconds * 1e6).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Diagnostic;
    use crate::definition::syntax;
    use std::sync::Arc;

    fn check(bound: &Bound, text: &str) -> (Option<f64>, Vec<Diagnostic>) {
        let source: Arc<str> = text.into();
        let mut sink = Sink::new("a.json", &source);
        let node = syntax::parse(&mut sink).unwrap();
        let mut sink = Sink::new("a.json", &source);
        let number = bound.check("`timeout`", &node, &mut sink);
        (number, sink.finish())
    }

    #[test]
    fn what_is_no_limit_names_the_range() {
        for text in ["-1", "0", "NaN", "18446744073709551615", "86400.5", "1e300"] {
            let (number, diagnostics) = check(&TIMEOUT, text);
            assert_eq!(number, None, "{text}");
            assert_eq!(diagnostics[0].code, "S0030");
            assert!(diagnostics[0].message.contains(text), "{}", diagnostics[0].message);
            assert!(diagnostics[0].message.contains("from 0.001 to 86400 seconds"), "{}", diagnostics[0].message);
        }
        let (_, diagnostics) = check(&LIFETIME, "3600000");
        assert_eq!(diagnostics[0].help.as_deref(), Some("that looks like milliseconds: in seconds, write 3600"));
        let (_, diagnostics) = check(&MEBIBYTES, "\"64\"");
        assert_eq!(diagnostics[0].code, "S0010");
        assert_eq!(diagnostics[0].help.as_deref(), Some("write it without quotes: 64"));
        assert_eq!(check(&MEBIBYTES, "1.5").0, None);
        assert_eq!(check(&TIMEOUT, "0.25").0, Some(0.25));
    }

    #[test]
    fn a_tenth_of_a_second_is_exact() {
        assert_eq!(duration(0.1), Duration::from_millis(100));
        assert_eq!(duration(1.0e-3), Duration::from_millis(1));
        assert_eq!(duration(MONTH), Duration::from_secs(2_592_000));
    }
}
