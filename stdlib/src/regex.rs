//! `regex`: patterns that never backtrack, so that time is linear in the text for each match.

mod cost;
mod metered;

use crate::bounds::{Tally, Watch};
use crate::define::{Definition, a, define, invalid, list_of, or_null, string};
use ::regex::{Captures, Regex, RegexBuilder};
use cost::Wanted;
pub(crate) use metered::Searches;
use regex_automata::util::syntax;
use serde_json::{Map, Value, json};
use skills_core::{CallContext, Failure, HostFunction};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

/// The longest pattern, in bytes.
const MAX_PATTERN: usize = 64 << 10;

/// The most memory that a compiled pattern may take, in bytes.
const MAX_COMPILED: usize = 2 << 20;

/// How many compiled patterns each thread keeps for the next call.
const KEPT: usize = 16;

/// The functions of this domain.
pub(crate) fn functions() -> Vec<Arc<dyn HostFunction>> {
    let on_text = |name: &str, description: &str| -> Definition {
        define(name, description)
            .takes(
                string("pattern")
                    .about("in the syntax of Rust's regex crate: Perl's, but no look-around and no backreferences"),
            )
            .takes(string("text"))
    };
    let flags = || {
        string("flags")
            .or(json!(""))
            .about("of i (any case), m (^ and $ at lines), s (. takes line breaks), x (white space and # comments)")
    };
    let found = || {
        json!({
            "type": "object",
            "description": "start and end are positions in characters; groups are in order, null where one took no part",
            "properties": {
                "match": a("string"), "start": a("integer"), "end": a("integer"),
                "groups": list_of(or_null(a("string"))), "named": a("object"),
            },
        })
    };
    vec![
        on_text("regex.test", "Whether the pattern matches anywhere in the text")
            .takes(flags())
            .returns(a("boolean"))
            .runs(|context, (pattern, text, flags): (String, String, Option<String>)| {
                Ok(Search::new(context, &pattern, flags, &text, Wanted::Places)?.regex.is_match(&text))
            }),
        on_text("regex.find", "The first match, or null").takes(flags()).returns(or_null(found())).runs(
            |context, (pattern, text, flags): (String, String, Option<String>)| {
                Search::new(context, &pattern, flags, &text, Wanted::FirstGroups)?.find()
            },
        ),
        on_text("regex.find_all", "Every match, from left to right, none overlapping another")
            .takes(flags())
            .returns(list_of(found()))
            .runs(|context, (pattern, text, flags): (String, String, Option<String>)| {
                Search::new(context, &pattern, flags, &text, Wanted::AllGroups)?.find_all()
            }),
        on_text("regex.replace", "The text with every match replaced")
            .takes(
                string("replacement")
                    .about("may hold $1, ${1}, $name or ${name} for groups, $0 for the match, $$ for a dollar"),
            )
            .takes(flags())
            .returns(a("string"))
            .runs(|context, (pattern, text, replacement, flags): (String, String, String, Option<String>)| {
                Search::new(context, &pattern, flags, &text, Wanted::AllGroups)?.replace(&replacement)
            }),
        on_text("regex.split", "The pieces of the text between the matches")
            .takes(flags())
            .returns(list_of(a("string")))
            .runs(|context, (pattern, text, flags): (String, String, Option<String>)| {
                Search::new(context, &pattern, flags, &text, Wanted::Places)?.split()
            }),
    ]
}

/// A pattern and a text that it may be searched in, with what one call may still make and how long it may work.
struct Search<'a> {
    regex: Regex,
    text: &'a str,
    watch: Watch<'a>,
    tally: Tally<'a>,
}

impl<'a> Search<'a> {
    fn new(
        context: &CallContext<'a>,
        pattern: &str,
        flags: Option<String>,
        text: &'a str,
        wanted: Wanted,
    ) -> Result<Search<'a>, Failure> {
        let flags = Flags::parse(&flags.unwrap_or_default())?;
        let watch = Watch::start(context.budget);
        watch.check()?;
        let regex = compile(pattern, flags)?;
        cost::check(&watch, pattern, flags.syntax(), text, wanted)?;
        Ok(Search { regex, text, watch, tally: Tally::of(context.budget) })
    }

    fn find(mut self) -> Result<Value, Failure> {
        let mut places = Places::new(self.text);
        let captures = self.regex.captures(self.text);
        captures.map_or(Ok(Value::Null), |captures| describe(&self.regex, &captures, &mut places, &mut self.tally))
    }

    fn find_all(mut self) -> Result<Value, Failure> {
        let mut places = Places::new(self.text);
        let mut all = Vec::new();
        for captures in self.regex.captures_iter(self.text) {
            self.watch.check()?;
            all.push(describe(&self.regex, &captures, &mut places, &mut self.tally)?);
        }
        Ok(all.into())
    }

    fn replace(mut self, replacement: &str) -> Result<String, Failure> {
        let references = replacement.matches('$').count();
        self.tally.add(self.text.len())?;
        let mut out = String::new();
        let mut last = 0;
        for captures in self.regex.captures_iter(self.text) {
            self.watch.check()?;
            let Some(whole) = captures.get(0) else { continue };
            // A reference gives a part of the match at most, so this is never less than what comes.
            self.tally.add(replacement.len().saturating_add(references.saturating_mul(whole.len())))?;
            out.push_str(&self.text[last..whole.start()]);
            captures.expand(replacement, &mut out);
            last = whole.end();
        }
        out.push_str(&self.text[last..]);
        Ok(out)
    }

    fn split(mut self) -> Result<Value, Failure> {
        let mut pieces = Vec::new();
        for piece in self.regex.split(self.text) {
            self.watch.check()?;
            self.tally.add_values(1, piece.len())?;
            pieces.push(Value::from(piece));
        }
        Ok(pieces.into())
    }
}

/// Turns byte offsets into character positions, in one pass over the text as long as offsets grow.
struct Places<'a> {
    text: &'a str,
    byte: usize,
    character: usize,
}

impl<'a> Places<'a> {
    fn new(text: &'a str) -> Places<'a> {
        Places { text, byte: 0, character: 0 }
    }

    fn at(&mut self, byte: usize) -> usize {
        self.character += self.text[self.byte..byte].chars().count();
        self.byte = byte;
        self.character
    }
}

/// The description of a match, counted before it is made: groups that nest repeat the text.
fn describe(
    regex: &Regex,
    captures: &Captures<'_>,
    places: &mut Places<'_>,
    tally: &mut Tally<'_>,
) -> Result<Value, Failure> {
    let text = |group: Option<::regex::Match<'_>>| group.map_or(Value::Null, |m| Value::from(m.as_str()));
    tally.add_values(6 + captures.len(), captures.iter().flatten().map(|group| group.len()).sum())?;
    tally.add_entries(5)?;
    let mut named = Map::new();
    for name in regex.capture_names().flatten() {
        let group = captures.name(name);
        tally.add_entries(1)?;
        tally.add_values(1, name.len() + group.map_or(0, |group| group.len()))?;
        named.insert(name.to_owned(), text(group));
    }
    let (start, end) = captures.get(0).map_or((0, 0), |m| (places.at(m.start()), places.at(m.end())));
    Ok(json!({
        "match": text(captures.get(0)),
        "start": start,
        "end": end,
        "groups": captures.iter().skip(1).map(text).collect::<Vec<_>>(),
        "named": named,
    }))
}

/// How a pattern is to be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Flags {
    any_case: bool,
    lines: bool,
    dot_takes_line_breaks: bool,
    spaced: bool,
}

impl Flags {
    fn parse(text: &str) -> Result<Flags, Failure> {
        let mut flags = Flags::default();
        for flag in text.chars() {
            match flag {
                'i' => flags.any_case = true,
                'm' => flags.lines = true,
                's' => flags.dot_takes_line_breaks = true,
                'x' => flags.spaced = true,
                other => return Err(invalid(format!("there is no flag {other:?}: use any of i, m, s and x"))),
            }
        }
        Ok(flags)
    }

    fn syntax(self) -> syntax::Config {
        syntax::Config::new()
            .case_insensitive(self.any_case)
            .multi_line(self.lines)
            .dot_matches_new_line(self.dot_takes_line_breaks)
            .ignore_whitespace(self.spaced)
    }
}

thread_local! {
    static COMPILED: RefCell<VecDeque<(String, Flags, Regex)>> = const { RefCell::new(VecDeque::new()) };
}

/// The pattern, compiled: a script that calls in a loop compiles it once.
fn compile(pattern: &str, flags: Flags) -> Result<Regex, Failure> {
    COMPILED.with_borrow_mut(|kept| {
        let known = kept.iter().position(|(p, f, _)| p == pattern && *f == flags);
        if let Some(entry) = known.and_then(|index| kept.remove(index)) {
            let regex = entry.2.clone();
            kept.push_front(entry);
            return Ok(regex);
        }
        let regex = compile_new(pattern, flags)?;
        kept.truncate(KEPT - 1);
        kept.push_front((pattern.to_owned(), flags, regex.clone()));
        Ok(regex)
    })
}

fn compile_new(pattern: &str, flags: Flags) -> Result<Regex, Failure> {
    if pattern.len() > MAX_PATTERN {
        return Err(invalid(format!("the pattern is longer than {MAX_PATTERN} bytes")));
    }
    let built = RegexBuilder::new(pattern)
        .size_limit(MAX_COMPILED)
        .case_insensitive(flags.any_case)
        .multi_line(flags.lines)
        .dot_matches_new_line(flags.dot_takes_line_breaks)
        .ignore_whitespace(flags.spaced)
        .build();
    built.map_err(|error| match error {
        ::regex::Error::CompiledTooBig(_) => invalid("the pattern is too large once its repetitions are counted out")
            .with_help("use smaller counts in {…}, or classes smaller than \\w and \\pL"),
        other => invalid_pattern(&other.to_string()),
    })
}

/// The reason first, then the pattern with a mark under the place, which the crate writes the other way round.
fn invalid_pattern(error: &str) -> Failure {
    let (shown, reason) = error.rsplit_once("\nerror: ").unwrap_or(("", error));
    let shown = shown.strip_prefix("regex parse error:").unwrap_or(shown);
    let failure = invalid(format!("the pattern is not valid: {reason}{shown}"));
    if reason.contains("look-around") || reason.contains("backreferences") {
        return failure.with_help("find a wider match first, and test what is around it in the script");
    }
    failure
}

#[cfg(test)]
mod tests {
    use crate::testing::TestContext;
    use serde_json::{Value, json};
    use skills_core::ErrorKind;

    #[test]
    fn matches_have_positions_in_characters_and_groups() {
        let test = TestContext::new();
        let all = test.ok("regex.find_all", [json!(r"(?<key>\w+)=(\d+)?"), json!("é=1 日本= b=22")]);
        assert_eq!(
            all,
            json!([
                {"match": "é=1", "start": 0, "end": 3, "groups": ["é", "1"], "named": {"key": "é"}},
                {"match": "日本=", "start": 4, "end": 7, "groups": ["日本", null], "named": {"key": "日本"}},
                {"match": "b=22", "start": 8, "end": 12, "groups": ["b", "22"], "named": {"key": "b"}},
            ])
        );
        assert_eq!(test.ok("regex.find", [json!(r"\d+"), json!("a 42")])["match"], json!("42"));
        assert_eq!(test.ok("regex.find", [json!(r"\d+"), json!("a")]), Value::Null);
    }

    #[test]
    fn test_replace_and_split() {
        let test = TestContext::new();
        assert_eq!(test.ok("regex.test", [json!("^B"), json!("a\nb"), json!("im")]), json!(true));
        assert_eq!(test.ok("regex.test", [json!("^B"), json!("a\nb")]), json!(false));
        assert_eq!(test.ok("regex.test", [json!("a . b # x"), json!("a\nb"), json!("sx")]), json!(true));
        let swapped = test.ok("regex.replace", [json!(r"(\w+) (?<b>\w+)"), json!("one two."), json!("$b ${1} $$")]);
        assert_eq!(swapped, json!("two one $."));
        assert_eq!(test.ok("regex.split", [json!(r",\s*"), json!("a, b,c,")]), json!(["a", "b", "c", ""]));
    }

    #[test]
    fn a_wrong_pattern_shows_where() {
        let test = TestContext::new();
        assert_eq!(
            test.invalid("regex.test", [json!("ab(c"), json!("")]),
            "the pattern is not valid: unclosed group\n    ab(c\n      ^"
        );
        let failure = test.fails("regex.test", [json!(r"(?=a)"), json!("")]);
        assert!(failure.message.contains("look-around") && failure.help.is_some(), "{failure}");
        assert!(test.invalid("regex.test", [json!("a"), json!(""), json!("g")]).contains("no flag 'g'"));
        assert!(test.invalid("regex.test", [json!("a".repeat(70_000)), json!("")]).contains("longer than 65536"));
        assert!(test.invalid("regex.test", [json!(r"(\pL{1000}){1000}"), json!("")]).contains("too large"));
    }

    #[test]
    fn a_pattern_that_backtracks_elsewhere_ends() {
        let text = "a".repeat(50_000);
        assert_eq!(TestContext::new().ok("regex.test", [json!("^(a+)+$"), json!(format!("{text}!"))]), json!(false));
    }

    #[test]
    fn a_slow_search_of_long_text_is_refused_and_an_ordinary_one_is_not() {
        let test = TestContext::new();
        let bit = |i: u32| if i.wrapping_mul(2_654_435_761).count_ones().is_multiple_of(2) { '0' } else { '1' };
        let bits = json!((0..4 << 20).map(bit).collect::<String>());
        for name in ["regex.test", "regex.find", "regex.find_all", "regex.split"] {
            let message = test.invalid(name, [json!("[01]*1[01]{5000}2"), bits.clone()]);
            assert_eq!(message, "the pattern could take very long on a text of 4194304 bytes");
        }
        let whole = json!(r"^((?:[01]|\pL\w\w)+)$");
        assert!(test.invalid("regex.find", [whole.clone(), bits.clone()]).contains("could take very long"));
        assert_eq!(test.ok("regex.test", [whole, bits.clone()]), json!(true));
        assert_eq!(test.ok("regex.test", [json!(r"\b[\w.+-]+@[\w-]+\.[\w.]+\b"), bits.clone()]), json!(false));
        assert_eq!(test.ok("regex.find", [json!("[01]*1[01]{5000}2"), json!("1".repeat(9000))]), Value::Null);
    }

    #[test]
    fn expansions_are_refused_before_they_are_made() {
        let test = TestContext::new();
        let text = json!("x".repeat(1 << 20));
        let failure = test.fails("regex.replace", [json!("x+"), text.clone(), json!("$0".repeat(1 << 10))]);
        assert_eq!(failure.kind, ErrorKind::OutputLimit);
        let failure = test.fails("regex.replace", [json!("x"), text.clone(), json!("y".repeat(1 << 10))]);
        assert_eq!(failure.kind, ErrorKind::OutputLimit);
        let nested = json!(format!("{}x+{}", "(".repeat(70), ")".repeat(70)));
        assert_eq!(test.fails("regex.find", [nested.clone(), text.clone()]).kind, ErrorKind::OutputLimit);
        assert_eq!(test.fails("regex.find_all", [nested, text]).kind, ErrorKind::OutputLimit);
    }

    #[test]
    fn a_cancelled_run_stops_between_matches() {
        let test = TestContext::new();
        test.budget.cancel();
        assert_eq!(test.fails("regex.find_all", [json!("a"), json!("a")]).kind, ErrorKind::Cancelled);
        assert_eq!(test.fails("regex.replace", [json!("a"), json!("a"), json!("")]).kind, ErrorKind::Cancelled);
        assert_eq!(test.fails("regex.split", [json!("a"), json!("a")]).kind, ErrorKind::Cancelled);
    }
}
