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
//! In v2 `{{` and `}}` stand for braces. Braces that are plain text in another form are doubled where v2 would take them
//! for something else.

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

/// Rewrites every placeholder of `text`; `declared` says which names are parameters.
pub(super) fn rewrite(text: &str, forms: Forms, declared: &dyn Fn(&str) -> bool) -> Rewritten {
    let mut out = Rewritten::default();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}', '$']) {
        out.text.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(found) = placeholder(rest, forms, declared) {
            // A brace of plain text right before would make `{{` of it.
            if out.text.ends_with('{') && !out.text.ends_with("{{") {
                out.text.push('{');
            }
            out.text.push('{');
            out.text.push_str(&found.name);
            out.text.push('}');
            rest = &rest[found.written.len()..];
            out.found.push(found);
            continue;
        }
        // All of a run of braces at once, or `{{{a}}}` would give the placeholder `{{a}}` one brace further on.
        let first = &rest[..1];
        let run = rest.len() - rest.trim_start_matches(first).len();
        let (plain, after) = rest.split_at(if first == "$" { 1 } else { run });
        out.text.push_str(plain);
        let means_more = match first {
            "$" => false,
            _ if forms.single => false,
            _ if run > 1 => true,
            "{" => after.split_once('}').is_some_and(|(name, _)| declared(name)),
            _ => false,
        };
        if means_more {
            out.text.push_str(plain);
        }
        rest = after;
    }
    out.text.push_str(rest);
    out
}

/// A text without placeholders, as v2 has to write it.
pub(super) fn literal(text: &str, declared: &dyn Fn(&str) -> bool) -> String {
    rewrite(text, Forms { single: false, double: false, dollar: false }, declared).text
}

/// The names of the `{name}` placeholders of a v2 text, in order.
pub(super) fn names(text: &str) -> Vec<String> {
    let forms = Forms { single: true, double: false, dollar: false };
    rewrite(text, forms, &|_| true).found.into_iter().map(|found| found.name).collect()
}

/// The length in bytes of the `{name}` that a v2 text starts with; that of `{{`, which is a brace, is for the caller.
pub(super) fn length(text: &str) -> Option<usize> {
    let forms = Forms { single: true, double: false, dollar: false };
    placeholder(text, forms, &|_| true).filter(|found| found.written != "{}").map(|found| found.written.len())
}

fn placeholder(text: &str, forms: Forms, declared: &dyn Fn(&str) -> bool) -> Option<Found> {
    if text.starts_with("${") {
        return if forms.dollar { dollar(text, declared) } else { None };
    }
    if text.starts_with("{{") {
        return if forms.double { double(text) } else { None };
    }
    if !forms.single || !text.starts_with('{') {
        return None;
    }
    let end = text.find('}')?;
    let name = &text[1..end];
    let written = text[..=end].to_owned();
    if name.is_empty() {
        return Some(Found { name: UNNAMED.to_owned(), default: None, written });
    }
    is_name(name).then(|| Found { name: name.to_owned(), default: None, written })
}

fn double(text: &str) -> Option<Found> {
    let end = text.find("}}")?;
    let inside = &text[2..end];
    // `{{name:}}` and `{{name:-}}` have the empty text for a default.
    let (name, default) = match inside.split_once(':') {
        Some((name, default)) => (name, Some(default.strip_prefix('-').unwrap_or(default))),
        None => (inside, None),
    };
    let name = name.trim();
    is_name(name).then(|| Found {
        name: name.to_owned(),
        default: default.map(str::to_owned),
        written: text[..end + 2].to_owned(),
    })
}

fn dollar(text: &str, declared: &dyn Fn(&str) -> bool) -> Option<Found> {
    let end = text.find('}')?;
    let inside = &text[2..end];
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default.to_owned())),
        None => (inside, None),
    };
    // A name in capitals that nobody declared is the environment's, as is anything with a shell operator in it.
    let own = declared(name) || name.chars().any(char::is_lowercase);
    (is_name(name) && own).then(|| Found { name: name.to_owned(), default, written: text[..=end].to_owned() })
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
    fn braces_that_v2_would_take_for_more_are_doubled() {
        for (text, escaped) in [
            ("{{context.a}}", "{{{{context.a}}}}"),
            ("{{", "{{{{"),
            ("{{{x}}}", "{{{{{{x}}}}}}"),
            ("awk '{if(a){b}}'", "awk '{if(a){b}}}}'"),
            ("{DECLARED}", "{{DECLARED}"),
            ("{${x}}", "{{{x}}"),
        ] {
            assert_eq!(wild(text).0, escaped, "{text}");
        }
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
            proptest::prop_assert_eq!(crate::prompt::fill(&written, &serde_json::Map::new(), is_parameter), text);
        }

        #[test]
        fn text_around_placeholders_survives(before in "[a{} ]{0,4}", after in "[a{} ]{0,4}") {
            // Braces of the text beside those of a placeholder would make others of them.
            proptest::prop_assume!(!before.ends_with('{') && !after.starts_with('}'));
            let rewritten = rewrite(&format!("{before}{{{{x}}}}{after}"), Forms::WILD, &|name| name == "x");
            proptest::prop_assume!(rewritten.found.len() == 1);
            let arguments = serde_json::json!({"x": "<{x}>"});
            let filled = crate::prompt::fill(&rewritten.text, arguments.as_object().unwrap(), |name| name == "x");
            proptest::prop_assert_eq!(filled, format!("{before}<{{x}}>{after}"));
        }
    }
}
