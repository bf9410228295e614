//! Placeholders of other forms, rewritten as `{name}`.
//!
//! | written | means | becomes |
//! |---|---|---|
//! | `{{name}}`, `${name}` | a parameter | `{name}` |
//! | `{{name:text}}`, `{{name:-text}}`, `${name:-text}` | a parameter with a default | `{name}`, default `text` |
//! | `{}` | a parameter without a name | `{input}` |
//! | `{{context.name}}` | a value of a workflow's context | left as it is |
//! | `${HOME}` (capitals, no such parameter) | a variable of the shell | left as it is |
//!
//! What is plain text in another form stays as it is, but for the name of a parameter in braces, which v2 would take for
//! its value: that is escaped, as `skills_core::template` says.

use skills_core::template;
use std::collections::HashSet;

/// The name that a `{}` gets.
pub(super) const UNNAMED: &str = "input";

/// A text whose placeholders are all `{name}`, and what they were.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Rewritten {
    /// The text.
    pub(super) text: String,
    /// Its placeholders, in order; a name that is used twice is here twice.
    pub(super) found: Vec<Found>,
}

/// One placeholder, as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    /// The parameter.
    pub(super) name: String,
    /// Its default, where the placeholder gives one.
    pub(super) default: Option<String>,
    /// The placeholder as it was written, to be found again in the source.
    pub(super) written: String,
}

/// Which forms a text may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Forms {
    /// `{name}` and `{}`, the form of v2 itself. Where it is off, single braces are plain text.
    pub(super) single: bool,
    /// `{{name}}` and its defaults.
    pub(super) double: bool,
    /// `${name}` and its defaults.
    pub(super) dollar: bool,
}

impl Forms {
    /// `{{name}}` and `${name}`: what the shell-like dialects use.
    pub(super) const WILD: Forms = Forms { single: false, double: true, dollar: true };
}

/// Rewrites every placeholder of `text`; `declared` says which names are parameters. A name that the text has a
/// placeholder of is one as well.
pub(super) fn rewrite(text: &str, forms: Forms, declared: &dyn Fn(&str) -> bool) -> Rewritten {
    let mut found = Vec::new();
    // The plain text before each placeholder, and at last that after all of them.
    let mut plain = Vec::new();
    let mut reader = Reader { text, forms, declared, single_close: Close::new("}"), double_close: Close::new("}}") };
    let (mut start, mut at) = (0, 0);
    while let Some(next) = text[at..].find(['{', '$']) {
        at += next;
        if let Some(one) = reader.placeholder(at) {
            plain.push(&text[start..at]);
            at += one.written.len();
            start = at;
            found.push(one);
            continue;
        }
        // All of a run of braces at once, or `{{{a}}}` would give the placeholder `{{a}}` one brace further on.
        at += if text[at..].starts_with('$') { 1 } else { leading(&text[at..], '{') };
    }
    plain.push(&text[start..]);
    let names: HashSet<&str> = found.iter().map(|one: &Found| one.name.as_str()).collect();
    // Where single braces have a meaning, the text is v2's already.
    let is_parameter = |name: &str| !forms.single && (names.contains(name) || declared(name));
    let mut out = String::with_capacity(text.len());
    for (index, own) in plain.iter().enumerate() {
        out.push_str(&template::escape(own, is_parameter));
        if let (Some(one), Some(after)) = (found.get(index), plain.get(index + 1)) {
            // Braces of the text around the placeholder would escape it: two stand for one there.
            let pairs = if forms.single { 0 } else { trailing(own, '{').min(leading(after, '}')) };
            out.extend(std::iter::repeat_n('{', pairs + 1));
            out.push_str(&one.name);
            out.extend(std::iter::repeat_n('}', pairs + 1));
        }
    }
    drop(names);
    Rewritten { text: out, found }
}

fn leading(text: &str, brace: char) -> usize {
    text.len() - text.trim_start_matches(brace).len()
}

fn trailing(text: &str, brace: char) -> usize {
    text.len() - text.trim_end_matches(brace).len()
}

/// A text without placeholders, as v2 has to write it.
pub(super) fn literal(text: &str, declared: &dyn Fn(&str) -> bool) -> String {
    template::escape(text, declared)
}

/// The names of the `{name}` placeholders of a v2 text, in order.
pub(super) fn names(text: &str) -> Vec<&str> {
    template::names(text).filter(|name| is_name(name)).collect()
}

/// Where something closes next. It is looked for from left to right and remembered, so that a text in which much is
/// opened and nothing closed is searched once and not once for each.
struct Close {
    what: &'static str,
    /// The place that was found last; `None` before the first search.
    found: Option<usize>,
}

impl Close {
    fn new(what: &'static str) -> Close {
        Close { what, found: None }
    }

    /// The first place from `from` on, which never goes back.
    fn after(&mut self, text: &str, from: usize) -> Option<usize> {
        if self.found.is_none_or(|found| found < from) {
            self.found = Some(text[from..].find(self.what).map_or(usize::MAX, |at| from + at));
        }
        self.found.filter(|found| *found != usize::MAX)
    }
}

struct Reader<'a> {
    text: &'a str,
    forms: Forms,
    declared: &'a dyn Fn(&str) -> bool,
    single_close: Close,
    double_close: Close,
}

impl Reader<'_> {
    /// The placeholder that starts at a place.
    fn placeholder(&mut self, at: usize) -> Option<Found> {
        let rest = &self.text[at..];
        if rest.starts_with("${") {
            return if self.forms.dollar { self.dollar(at) } else { None };
        }
        if rest.starts_with("{{") && self.forms.double {
            return self.double(at);
        }
        if !self.forms.single {
            return None;
        }
        if rest.starts_with("{}") {
            return Some(Found { name: UNNAMED.to_owned(), default: None, written: "{}".to_owned() });
        }
        let name = template::Braced::at(rest).map(|braced| braced.name).filter(|name| is_name(name))?;
        // What follows another brace is escaped, or not for this to say.
        (!rest.starts_with("{{")).then(|| self.found(name, None, at..at + name.len() + 2))
    }

    fn double(&mut self, at: usize) -> Option<Found> {
        let inside = self.text[at + 2..].trim_start();
        let name = name_of(inside)?;
        let after = inside[name.len()..].trim_start();
        let start = self.text.len() - after.len();
        let (default, end) = match after.strip_prefix(':') {
            // `{{name:}}` and `{{name:-}}` have the empty text for a default.
            Some(default) => {
                let end = self.double_close.after(self.text, start + 1)?;
                let default = &default[..end - start - 1];
                (Some(default.strip_prefix('-').unwrap_or(default)), end)
            }
            None => (None, after.starts_with("}}").then_some(start)?),
        };
        Some(self.found(name, default, at..end + 2))
    }

    fn dollar(&mut self, at: usize) -> Option<Found> {
        let inside = &self.text[at + 2..];
        let name = name_of(inside)?;
        // A name in capitals that nobody declared is the environment's, as is anything with a shell operator in it.
        if !(name.chars().any(char::is_lowercase) || (self.declared)(name)) {
            return None;
        }
        let after = &inside[name.len()..];
        let start = at + 2 + name.len();
        let (default, end) = match after.strip_prefix(":-") {
            Some(default) => {
                let end = self.single_close.after(self.text, start + 2)?;
                (Some(&default[..end - start - 2]), end)
            }
            None => (None, after.starts_with('}').then_some(start)?),
        };
        Some(self.found(name, default, at..end + 1))
    }

    fn found(&self, name: &str, default: Option<&str>, written: std::ops::Range<usize>) -> Found {
        let default = default.map(str::to_owned);
        Found { name: name.to_owned(), default, written: self.text[written].to_owned() }
    }
}

/// The name that a text starts with.
fn name_of(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))).unwrap_or(text.len());
    is_name(&text[..end]).then(|| &text[..end])
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wild(text: &str) -> (String, Vec<(String, Option<String>)>) {
        let rewritten = rewrite(text, Forms::WILD, &|name| name == "DECLARED");
        (rewritten.text, rewritten.found.into_iter().map(|found| (found.name, found.default)).collect())
    }

    #[test]
    fn every_form_becomes_the_one_of_v2() {
        let some = |text: &str| Some(text.to_owned());
        for (written, text, name, default) in [
            ("a {{x}} b", "a {x} b", "x", None),
            ("{{ x }}", "{x}", "x", None),
            ("{{x:3}}", "{x}", "x", some("3")),
            ("{{x:-.}}", "{x}", "x", some(".")),
            ("{{x:}}", "{x}", "x", some("")),
            ("{{x:a:b}}", "{x}", "x", some("a:b")),
            ("${x}", "{x}", "x", None),
            ("${x:-y z}", "{x}", "x", some("y z")),
            ("${DECLARED}", "{DECLARED}", "DECLARED", None),
        ] {
            assert_eq!(wild(written), (text.to_owned(), vec![(name.to_owned(), default)]), "{written}");
        }
    }

    #[test]
    fn what_is_no_placeholder_stays() {
        for text in ["awk '{print $1}'", "${HOME}/x", "$x", "${", "${x%.*}", "{x}", "}"] {
            assert_eq!(wild(text), (text.to_owned(), Vec::new()), "{text}");
        }
    }

    #[test]
    fn only_what_v2_would_take_for_a_parameter_is_escaped() {
        for (text, escaped) in [
            ("{{context.a}}", "{{context.a}}"),
            ("{{", "{{"),
            ("{\"a\": {\"b\": {}}}", "{\"a\": {\"b\": {}}}"),
            ("{{{x}}}", "{{{x}}}"),
            ("awk '{if(a){b}}'", "awk '{if(a){b}}'"),
            ("{DECLARED}", "{{DECLARED}}"),
            ("{{{DECLARED}}}", "{{{{{{DECLARED}}}}}}"),
            ("{DECLARED}}", "{{DECLARED}}}"),
            // A placeholder makes a parameter of its name, in all of the text.
            ("{x} {{x}}", "{{x}} {x}"),
            ("{${x}}", "{{{x}}}"),
            ("{{${x}}", "{{{{x}}}"),
            ("{${x}", "{{x}"),
        ] {
            assert_eq!(wild(text).0, escaped, "{text}");
        }
    }

    #[test]
    fn braces_that_are_never_closed_are_read_once() {
        for unit in ["{{a", "{{a:", "${a", "${a:-", "{a", "{{ ", "${", "{"] {
            let text = unit.repeat(500_000 / unit.len());
            assert_eq!(wild(&text), (text.clone(), Vec::new()), "{unit}");
            // One end for all of them.
            let closed = format!("{text}}}}}");
            assert!(wild(&closed).1.len() <= 1, "{unit}");
        }
        let text = "{a".repeat(250_000);
        let forms = Forms { single: true, double: false, dollar: false };
        assert_eq!(rewrite(&text, forms, &|_| true), Rewritten { text, found: Vec::new() });
    }

    #[test]
    fn an_unnamed_placeholder_gets_a_name() {
        let rewritten = rewrite("for {} and {x}", Forms { single: true, double: false, dollar: false }, &|_| false);
        assert_eq!(rewritten.text, "for {input} and {x}");
        assert_eq!(rewritten.found[0].written, "{}");
        assert_eq!(names("{a} {b} {a} { c }"), ["a", "b", "a"]);
    }

    proptest::proptest! {
        /// What is escaped here is what v2 shows: no text of another form changes by being written in v2.
        #[test]
        fn plain_text_survives(text in "[a{}$ x:-]{0,20}") {
            let is_parameter = |name: &str| matches!(name, "a" | "x");
            let written = literal(&text, &is_parameter);
            let filled = skills_core::template::fill(&written, &serde_json::Map::new(), is_parameter, None);
            proptest::prop_assert_eq!(filled, Ok(text));
        }

        #[test]
        fn text_around_placeholders_survives(before in "[a{} ]{0,6}", after in "[a{}x ]{0,6}") {
            let rewritten = rewrite(&format!("{before}${{x}}{after}"), Forms::WILD, &|name| name == "x");
            // The text may be a placeholder as well, or make another of this one.
            proptest::prop_assume!(rewritten.found.len() == 1 && rewritten.found[0].written == "${x}");
            let arguments = serde_json::json!({"x": "<{x}>"});
            let filled = skills_core::template::fill(&rewritten.text, arguments.as_object().unwrap(), |_| false, None);
            proptest::prop_assert_eq!(filled, Ok(format!("{before}<{{x}}>{after}")));
        }
    }
}
