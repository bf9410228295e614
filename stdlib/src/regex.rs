//! `regex`: patterns that never backtrack, so that time is linear in the text for each match.

use crate::bounds::{Tally, Watch};
use crate::define::{Definition, a, define, invalid, list_of, or_null, string};
use ::regex::{Captures, Regex, RegexBuilder};
use serde_json::{Map, Value, json};
use skills_core::{CallContext, Failure, HostFunction};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

/// The longest pattern, in bytes.
const MAX_PATTERN: usize = 64 << 10;

/// The most memory that a compiled pattern may take, in bytes.
const MAX_COMPILED: usize = 4 << 20;

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
            .runs(|_, (pattern, text, flags): (String, String, Option<String>)| {
                Ok(compile(&pattern, flags)?.is_match(&text))
            }),
        on_text("regex.find", "The first match, or null").takes(flags()).returns(or_null(found())).runs(
            |_, (pattern, text, flags): (String, String, Option<String>)| {
                let regex = compile(&pattern, flags)?;
                let mut found = Found { regex: &regex, places: Places::new(&text), tally: Tally::default() };
                regex.captures(&text).map_or(Ok(Value::Null), |captures| found.describe(&captures))
            },
        ),
        on_text("regex.find_all", "Every match, from left to right, none overlapping another")
            .takes(flags())
            .returns(list_of(found()))
            .runs(|context, (pattern, text, flags): (String, String, Option<String>)| {
                find_all(context, &compile(&pattern, flags)?, &text)
            }),
        on_text("regex.replace", "The text with every match replaced")
            .takes(
                string("replacement")
                    .about("may hold $1, ${1}, $name or ${name} for groups, $0 for the match, $$ for a dollar"),
            )
            .takes(flags())
            .returns(a("string"))
            .runs(|context, (pattern, text, replacement, flags): (String, String, String, Option<String>)| {
                replace(context, &compile(&pattern, flags)?, &text, &replacement)
            }),
        on_text("regex.split", "The pieces of the text between the matches")
            .takes(flags())
            .returns(list_of(a("string")))
            .runs(|context, (pattern, text, flags): (String, String, Option<String>)| {
                split(context, &compile(&pattern, flags)?, &text)
            }),
    ]
}

fn find_all(context: &CallContext<'_>, regex: &Regex, text: &str) -> Result<Value, Failure> {
    let watch = Watch::start(context.budget);
    let mut found = Found { regex, places: Places::new(text), tally: Tally::default() };
    let mut all = Vec::new();
    for captures in regex.captures_iter(text) {
        watch.check()?;
        all.push(found.describe(&captures)?);
    }
    Ok(all.into())
}

fn replace(context: &CallContext<'_>, regex: &Regex, text: &str, replacement: &str) -> Result<String, Failure> {
    let watch = Watch::start(context.budget);
    let references = replacement.matches('$').count();
    let mut tally = Tally::default();
    tally.add(text.len())?;
    let mut out = String::new();
    let mut last = 0;
    for captures in regex.captures_iter(text) {
        watch.check()?;
        let Some(whole) = captures.get(0) else { continue };
        // A reference gives a part of the match at most, so this is never less than what comes.
        tally.add(replacement.len().saturating_add(references.saturating_mul(whole.len())))?;
        out.push_str(&text[last..whole.start()]);
        captures.expand(replacement, &mut out);
        last = whole.end();
    }
    out.push_str(&text[last..]);
    Ok(out)
}

fn split(context: &CallContext<'_>, regex: &Regex, text: &str) -> Result<Value, Failure> {
    let watch = Watch::start(context.budget);
    let mut tally = Tally::default();
    let mut pieces = Vec::new();
    for piece in regex.split(text) {
        watch.check()?;
        tally.add(piece.len() + 3)?;
        pieces.push(Value::from(piece));
    }
    Ok(pieces.into())
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

/// Makes the descriptions of matches, and counts them before they are made: groups that nest repeat the text.
struct Found<'a> {
    regex: &'a Regex,
    places: Places<'a>,
    tally: Tally,
}

impl Found<'_> {
    fn describe(&mut self, captures: &Captures<'_>) -> Result<Value, Failure> {
        let text = |group: Option<::regex::Match<'_>>| group.map_or(Value::Null, |m| Value::from(m.as_str()));
        self.tally.add(captures.iter().flatten().map(|group| group.len() + 3).sum())?;
        let mut named = Map::new();
        for name in self.regex.capture_names().flatten() {
            let group = captures.name(name);
            self.tally.add(name.len() + 6 + group.map_or(0, |group| group.len()))?;
            named.insert(name.to_owned(), text(group));
        }
        let (start, end) = captures.get(0).map_or((0, 0), |m| (self.places.at(m.start()), self.places.at(m.end())));
        self.tally.add(56)?;
        Ok(json!({
            "match": text(captures.get(0)),
            "start": start,
            "end": end,
            "groups": captures.iter().skip(1).map(text).collect::<Vec<_>>(),
            "named": named,
        }))
    }
}

type Kept = VecDeque<((String, String), Regex)>;

thread_local! {
    static COMPILED: RefCell<Kept> = const { RefCell::new(VecDeque::new()) };
}

/// The pattern, compiled: a script that calls in a loop compiles it once.
fn compile(pattern: &str, flags: Option<String>) -> Result<Regex, Failure> {
    let flags = flags.unwrap_or_default();
    COMPILED.with_borrow_mut(|kept| {
        if let Some(index) = kept.iter().position(|((p, f), _)| p == pattern && *f == flags)
            && let Some(entry) = kept.remove(index)
        {
            let regex = entry.1.clone();
            kept.push_front(entry);
            return Ok(regex);
        }
        let regex = compile_new(pattern, &flags)?;
        kept.truncate(KEPT - 1);
        kept.push_front(((pattern.to_owned(), flags), regex.clone()));
        Ok(regex)
    })
}

fn compile_new(pattern: &str, flags: &str) -> Result<Regex, Failure> {
    if pattern.len() > MAX_PATTERN {
        return Err(invalid(format!("the pattern is longer than {MAX_PATTERN} bytes")));
    }
    let mut builder = RegexBuilder::new(pattern);
    builder.size_limit(MAX_COMPILED);
    for flag in flags.chars() {
        match flag {
            'i' => builder.case_insensitive(true),
            'm' => builder.multi_line(true),
            's' => builder.dot_matches_new_line(true),
            'x' => builder.ignore_whitespace(true),
            other => return Err(invalid(format!("there is no flag {other:?}: use any of i, m, s and x"))),
        };
    }
    builder.build().map_err(|error| match error {
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
