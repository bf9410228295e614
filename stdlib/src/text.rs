//! `text`: shaping and comparing text.

mod distance;
mod table;

use crate::bounds::{Pace, Tally};
use crate::define::{a, any, array, define, integer, invalid, list_of, one_of, string};
use serde_json::{Value, json};
use skills_core::{Budget, Failure, HostFunction};
use std::sync::Arc;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The functions of this domain.
pub(crate) fn functions() -> Vec<Arc<dyn HostFunction>> {
    vec![
        define("text.slug", "The text as a name for URLs and files: lower case, without accents, words joined")
            .takes(string("text"))
            .takes(string("separator").or(json!("-")).about("what joins the words"))
            .returns(a("string"))
            .runs(|context, (text, separator): (String, Option<String>)| {
                slug(context.budget, &text, separator.as_deref().unwrap_or("-"))
            }),
        define("text.wrap", "Breaks lines between words so that none is wider; line breaks of the text stay")
            .takes(string("text"))
            .takes(integer("width").or(json!(80)).about("in terminal columns, at least 1; longer words are cut"))
            .returns(a("string"))
            .runs(|context, (text, width): (String, Option<usize>)| match width.unwrap_or(80) {
                0 => Err(invalid("`width` must be at least 1")),
                width => wrap(context.budget, &text, width),
            }),
        define(
            "text.truncate",
            "The text, or where it is longer its beginning and an ending, never inside a character",
        )
        .takes(string("text"))
        .takes(integer("length").about("the most characters of the result, as a reader counts them"))
        .takes(string("ending").or(json!("…")).about("what shows that something is missing"))
        .returns(a("string"))
        .runs(|context, (text, length, ending): (String, usize, Option<String>)| {
            truncate(context.budget, &text, length, ending.as_deref().unwrap_or("…"))
        }),
        define("text.words", "The words, as Unicode divides text: without spaces and punctuation")
            .takes(string("text"))
            .returns(list_of(a("string")))
            .runs(|context, (text,): (String,)| {
                let (mut tally, mut pace) = (Tally::of(context.budget), Pace::start(context.budget));
                let word = |word: &str| {
                    pace.step()?;
                    tally.add_values(1, word.len())?;
                    Ok(Value::from(word))
                };
                text.unicode_words().map(word).collect::<Result<Vec<_>, Failure>>()
            }),
        define("text.distance", "How many characters to insert, remove or replace to turn one text into the other")
            .takes(string("a").about("one text"))
            .takes(string("b").about("the other"))
            .returns(a("integer"))
            .runs(|context, (a, b): (String, String)| distance::distance(context.budget, &a, &b)),
        define("text.similarity", "How alike two texts are, from 0 to 1: their distance over the longer one's length")
            .takes(string("a").about("one text"))
            .takes(string("b").about("the other"))
            .returns(a("number"))
            .runs(|context, (a, b): (String, String)| distance::similarity(context.budget, &a, &b)),
        define("text.normalize", "The text in a Unicode normalization form, so that equal looks compare equal")
            .takes(string("text"))
            .takes(
                one_of("form", &["NFC", "NFD", "NFKC", "NFKD"])
                    .or(json!("NFC"))
                    .about("NFC, NFD, NFKC or NFKD; the K forms fold look-alikes such as ﬁ and ①"),
            )
            .returns(a("string"))
            .runs(|context, (text, form): (String, String)| normalize(context.budget, &text, &form)),
        define("text.width", "How many terminal columns the text takes: 2 for wide characters, 0 for combining ones")
            .takes(string("text"))
            .returns(a("integer"))
            .runs(|_, (text,): (String,)| Ok(text.width() as u64)),
        define("text.table", "Rows as a Markdown table, with columns padded to one width")
            .takes(array("rows").about("lists of cells, or objects whose names are the columns"))
            .takes(
                array("headers")
                    .or(Value::Null)
                    .about("the names of the columns; for objects also which to show, and in what order"),
            )
            .takes(
                any("align")
                    .or(Value::Null)
                    .about("left, right or center: one for all columns or a list with one a column"),
            )
            .returns(a("string"))
            .runs(|context, (rows, headers, align): (Vec<Value>, Option<Vec<Value>>, Value)| {
                table::markdown(context.budget, &rows, headers.as_deref(), &align)
            }),
    ]
}

fn slug(budget: &Budget, text: &str, separator: &str) -> Result<String, Failure> {
    let (mut tally, mut pace) = (Tally::of(budget), Pace::start(budget));
    let mut out = String::new();
    let mut between = false;
    for character in text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        pace.step()?;
        if character.is_alphanumeric() {
            if between && !out.is_empty() {
                tally.add(separator.len())?;
                out.push_str(separator);
            }
            between = false;
            tally.add(character.len_utf8())?;
            out.push(character);
        } else if !matches!(character, '\'' | '’') {
            between = true;
        }
    }
    Ok(out)
}

fn wrap(budget: &Budget, text: &str, width: usize) -> Result<String, Failure> {
    let (mut tally, mut pace) = (Tally::of(budget), Pace::start(budget));
    tally.add(text.len())?;
    let mut out = String::with_capacity(text.len());
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let mut column = 0;
        for word in line.split_whitespace() {
            pace.step()?;
            let wide = word.width();
            if column > 0 && column + 1 + wide <= width {
                out.push(' ');
                column += 1;
            } else if column > 0 {
                out.push('\n');
                column = 0;
            }
            if wide <= width {
                out.push_str(word);
                column += wide;
                continue;
            }
            for piece in word.graphemes(true) {
                pace.step()?;
                let wide = piece.width();
                if column > 0 && column + wide > width {
                    tally.add(1)?;
                    out.push('\n');
                    column = 0;
                }
                out.push_str(piece);
                column += wide;
            }
        }
    }
    Ok(out)
}

fn truncate(budget: &Budget, text: &str, length: usize, ending: &str) -> Result<String, Failure> {
    let mut pace = Pace::start(budget);
    let ending: Vec<&str> = ending.graphemes(true).take(length).collect();
    let kept = length - ending.len();
    let mut cut = 0;
    for (index, (at, _)) in text.grapheme_indices(true).enumerate() {
        pace.step()?;
        if index == kept {
            cut = at;
        }
        if index == length {
            return Ok(text[..cut].trim_end().to_owned() + &ending.concat());
        }
    }
    Ok(text.to_owned())
}

fn normalize(budget: &Budget, text: &str, form: &str) -> Result<String, Failure> {
    fn collect(budget: &Budget, mut characters: impl Iterator<Item = char>) -> Result<String, Failure> {
        let (mut tally, mut pace) = (Tally::of(budget), Pace::start(budget));
        characters.try_fold(String::new(), |mut out, character| {
            pace.step()?;
            tally.add(character.len_utf8())?;
            out.push(character);
            Ok(out)
        })
    }
    match form {
        "NFC" => collect(budget, text.nfc()),
        "NFD" => collect(budget, text.nfd()),
        "NFKC" => collect(budget, text.nfkc()),
        "NFKD" => collect(budget, text.nfkd()),
        other => Err(invalid(format!("there is no form {other:?}: use NFC, NFD, NFKC or NFKD"))),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::TestContext;
    use serde_json::{Value, json};
    use skills_core::{ErrorKind, LimitName, Limits};
    use std::time::Duration;

    #[test]
    fn slugs() {
        let test = TestContext::new();
        for (text, slug) in [
            ("Crème Brûlée, l'été!", "creme-brulee-lete"),
            ("  --a__b--  ", "a-b"),
            ("日本 2024", "日本-2024"),
            ("…", ""),
        ] {
            assert_eq!(test.ok("text.slug", [json!(text)]), json!(slug));
        }
        assert_eq!(test.ok("text.slug", [json!("a b"), json!("_")]), json!("a_b"));
    }

    #[test]
    fn lines_are_no_wider_than_asked() {
        let test = TestContext::new();
        let wrap = |text: &str, width: usize| test.ok("text.wrap", [json!(text), json!(width)]);
        assert_eq!(wrap("the quick  brown\nfox", 9), json!("the quick\nbrown\nfox"));
        assert_eq!(wrap("abcdefgh ij", 3), json!("abc\ndef\ngh\nij"));
        assert_eq!(wrap("日本語 ab", 5), json!("日本\n語 ab"));
        assert_eq!(wrap("a\n\nb", 5), json!("a\n\nb"));
        assert_eq!(wrap("日", 1), json!("日"));
        assert_eq!(test.invalid("text.wrap", [json!("a"), json!(0)]), "`width` must be at least 1");
        assert!(test.invalid("text.wrap", [json!("a"), json!(-1)]).contains("must be an integer that is not negative"));
    }

    #[test]
    fn truncating_keeps_characters_whole() {
        let test = TestContext::new();
        let cut = |text: &str, length: usize| test.ok("text.truncate", [json!(text), json!(length)]);
        assert_eq!(cut("hello world", 7), json!("hello…"));
        assert_eq!(cut("hello", 5), json!("hello"));
        assert_eq!(cut("👩‍👩‍👧x👩‍👩‍👧", 2), json!("👩‍👩‍👧…"));
        assert_eq!(cut("hello", 0), json!(""));
        assert_eq!(test.ok("text.truncate", [json!("hello"), json!(4), json!("...")]), json!("h..."));
    }

    #[test]
    fn words_width_and_forms() {
        let test = TestContext::new();
        assert_eq!(
            test.ok("text.words", [json!("Can't stop, 3.5 日本!")]),
            json!(["Can't", "stop", "3.5", "日", "本"])
        );
        assert_eq!(test.ok("text.width", [json!("e\u{301}日")]), json!(3));
        assert_eq!(test.ok("text.normalize", [json!("e\u{301}")]), json!("é"));
        assert_eq!(test.ok("text.normalize", [json!("ﬁ①"), json!("NFKC")]), json!("fi1"));
        assert!(test.invalid("text.normalize", [json!("a"), json!("NFX")]).contains("no form \"NFX\""));
    }

    #[test]
    fn likeness() {
        let test = TestContext::new();
        assert_eq!(test.ok("text.distance", [json!("kitten"), json!("sitting")]), json!(3));
        assert_eq!(test.ok("text.similarity", [json!("same"), json!("same")]), json!(1.0));
        assert_eq!(test.ok("text.similarity", [json!("ab"), json!("ax")]), json!(0.5));
        let long = json!("x".repeat(20_000));
        assert!(test.invalid("text.distance", [long.clone(), long.clone()]).contains("too long to compare"));
        assert!(test.invalid("text.similarity", [long.clone(), long]).contains("too long to compare"));
    }

    #[test]
    fn growth_is_refused_before_it_happens() {
        // Much of little, so that a slow machine is at the limit before the time of a call is up.
        let (text, separator) = (json!("a ".repeat(1 << 10)), json!("-".repeat(100_000)));
        assert_eq!(TestContext::new().fails("text.slug", [text, separator]).kind, ErrorKind::OutputLimit);
        // One character that NFKD makes 33 bytes of.
        let text = json!("\u{fdfa}".repeat(1 << 16));
        let small = TestContext::limited(Limits { memory: Some(1 << 20), ..Limits::none() });
        assert_eq!(small.fails("text.normalize", [text, json!("NFKD")]).kind, ErrorKind::MemoryLimit);
    }

    #[test]
    fn long_work_stops_with_its_run() {
        let text = || json!("\u{fdfa} a".repeat(2000));
        for (name, arguments) in [
            ("text.normalize", vec![text(), json!("NFKD")]),
            ("text.distance", vec![text(), text()]),
            ("text.similarity", vec![text(), text()]),
            ("text.slug", vec![text()]),
            ("text.wrap", vec![text()]),
            ("text.words", vec![text()]),
            ("text.truncate", vec![text(), json!(3)]),
            ("text.table", vec![json!([[1]])]),
        ] {
            let test = TestContext::limited(Limits { time: Some(Duration::ZERO), ..Limits::none() });
            let failure = match <[Value; 2]>::try_from(arguments) {
                Ok(two) => test.fails(name, two),
                Err(one) => test.fails(name, [one[0].clone()]),
            };
            assert_eq!(failure.limit.map(|breach| breach.name), Some(LimitName::Time), "{name}: {failure}");
            assert!(test.budget.verdict().is_some(), "{name}");
        }
        // What is under way looks again.
        let under_way = || TestContext::limited(Limits { time: Some(Duration::from_millis(20)), ..Limits::none() });
        let text = json!("\u{fdfa}".repeat(1_000_000));
        let failure = under_way().fails("text.normalize", [text, json!("NFKD")]);
        assert_eq!(failure.limit.unwrap().name, LimitName::Time);
        let text = |c: &str| json!(c.repeat(9_000));
        let failure = under_way().fails("text.distance", [text("a"), text("b")]);
        assert_eq!(failure.limit.unwrap().name, LimitName::Time);
    }

    #[test]
    fn a_table_is_markdown() {
        let test = TestContext::new();
        let rows = json!([{"name": "a|b", "n": 1}, {"name": "日本", "n": null}]);
        assert_eq!(
            test.ok("text.table", [rows.clone(), Value::Null, json!(["left", "right"])]),
            json!("| name |   n |\n| :--- | --: |\n| a\\|b |   1 |\n| 日本 |     |\n")
        );
        assert_eq!(test.ok("text.table", [rows, json!(["n"])]), json!("| n   |\n| --- |\n| 1   |\n|     |\n"));
    }
}
