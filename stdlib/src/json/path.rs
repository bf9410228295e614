//! JSONPath queries, with their cost estimated before they run.
//!
//! A short path can ask for a great deal: `$[0,0][0,0][0,0]…` doubles at each step, and `$..*..*..*` gives every node
//! once for every way down to it. So a path's worst case is worked out from its text and the size of the value.

use super::matching;
use crate::bounds::{Tally, Watch};
use crate::define::invalid;
use serde_json::Value;
use serde_json_path::JsonPath;
use skills_core::{CallContext, Failure, value::depth};

/// The longest path, in bytes.
const MAX_PATH: usize = 2048;

/// How deep brackets and parentheses may nest in a path: the time of its parser doubles with each filter inside another.
const MAX_NESTING: usize = 8;

/// The most nodes that a query may visit, by estimate.
const MAX_VISITS: u64 = 50_000_000;

/// What a path selects, cloned.
pub(super) fn query(context: &CallContext<'_>, value: &Value, path: &str) -> Result<Vec<Value>, Failure> {
    if path.len() > MAX_PATH {
        return Err(invalid(format!("the path is longer than {MAX_PATH} bytes")));
    }
    if visits(value, path)? > MAX_VISITS {
        return Err(invalid("the path could visit more than 50 million nodes of this value")
            .with_help("use fewer `..`, `,` and nested filters, or query a part of the value"));
    }
    let parsed = JsonPath::parse(&matching::redirected(path)).map_err(|error| {
        let (at, message) = (error.position() + 1, matching::as_written(error.message()));
        invalid(format!("the path {path:?} is not valid at character {at}: {message}"))
            .with_help("a path begins with $, as in $.items[0].name")
    })?;
    let mut tally = Tally::of(context.budget);
    let selected = matching::within(&Watch::start(context.budget), || parsed.query(value))?;
    selected.iter().map(|node| tally.add_value(node).map(|()| (*node).clone())).collect()
}

/// The most nodes that a path could visit in a value; never too few, often too many.
fn visits(value: &Value, path: &str) -> Result<u64, Failure> {
    let nodes = count(value);
    let levels = depth(value) as u64 + 1;
    let mut visits = nodes;
    let mut descents = 0;
    // Of each open bracket, whether it is one of `[`, where a comma adds a selector.
    let mut open: Vec<bool> = Vec::new();
    let mut selectors: Vec<u64> = Vec::new();
    let mut rest = path.char_indices().peekable();
    while let Some((at, character)) = rest.next() {
        match character {
            '"' | '\'' => skip_string(&mut rest, character),
            '[' | '(' if open.len() == MAX_NESTING => {
                return Err(invalid(format!("the path nests brackets deeper than {MAX_NESTING} levels")));
            }
            '[' => {
                open.push(true);
                selectors.push(1);
            }
            '(' => open.push(false),
            ',' if open.last() == Some(&true) => {
                if let Some(count) = selectors.last_mut() {
                    *count += 1;
                }
            }
            ']' | ')' if open.pop() == Some(true) => {
                visits = visits.saturating_mul(selectors.pop().unwrap_or(1));
            }
            '.' if rest.next_if(|(_, c)| *c == '.').is_some() => {
                descents += 1;
                // The first descent visits each node once; after another, each comes once for each of its ancestors.
                if descents > 1 || !open.is_empty() {
                    visits = visits.saturating_mul(levels);
                }
            }
            '$' if at > 0 && is_wide(&path[at..]) => visits = visits.saturating_mul(nodes),
            _ => {}
        }
    }
    Ok(visits)
}

/// Whether the query that begins at a `$` inside a filter may select more than one node; each candidate asks it anew.
fn is_wide(query: &str) -> bool {
    let mut depth = 0;
    let end = query.find(|c: char| {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        depth < 0 || depth == 0 && (c.is_whitespace() || "=!<>&|(),".contains(c))
    });
    let query = &query[..end.unwrap_or(query.len())];
    query.contains(['*', '?', ':', ',']) || query.contains("..")
}

/// Goes to the end of a string whose opening quote has been read.
pub(super) fn skip_string(rest: &mut impl Iterator<Item = (usize, char)>, quote: char) {
    while let Some((_, character)) = rest.next() {
        match character {
            '\\' => drop(rest.next()),
            c if c == quote => return,
            _ => {}
        }
    }
}

fn count(value: &Value) -> u64 {
    let mut nodes = 0;
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        nodes += 1;
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(map) => open.extend(map.values()),
            _ => {}
        }
    }
    nodes
}

#[cfg(test)]
mod tests {
    use crate::testing::TestContext;
    use serde_json::{Value, json};

    #[test]
    fn paths_select() {
        let test = TestContext::new();
        let value = json!({"items": [{"n": "a", "p": 5}, {"n": "b", "p": 15}], "max": 10});
        for (path, expected) in [
            ("$.items[*].n", json!(["a", "b"])),
            ("$.items[?@.p < $.max].n", json!(["a"])),
            ("$..p", json!([5, 15])),
            ("$.items[-1]['n']", json!(["b"])),
            ("$.items[?match(@.n, '[a,b]')].p", json!([5, 15])),
            ("$.none", json!([])),
        ] {
            assert_eq!(test.ok("json.query", [value.clone(), json!(path)]), expected, "{path}");
        }
    }

    #[test]
    fn a_wrong_path_is_explained() {
        let failure = TestContext::new().fails("json.query", [json!({}), json!("items")]);
        assert!(failure.message.starts_with("the path \"items\" is not valid at character 1: "), "{failure}");
        assert!(failure.help.unwrap().contains("begins with $"));
    }

    #[test]
    fn short_paths_that_ask_for_everything_are_refused() {
        let test = TestContext::new();
        let deep = (0..99).fold(json!(0), |inner, _| json!([inner]));
        let wide: Value = (0..10_000).collect::<Vec<_>>().into();
        for (value, path) in [
            (&deep, format!("${}", "[0,0]".repeat(30))),
            (&deep, format!("${}", "..*".repeat(6))),
            (&wide, "$[?$[?@ > 1]]".to_owned()),
            (&wide, format!("$[?@[{}]]", vec!["*"; 600].join(",")) + &"[0,0]".repeat(10)),
        ] {
            let message = test.invalid("json.query", [value.clone(), json!(path)]);
            assert!(message.contains("more than 50 million nodes"), "{path}: {message}");
        }
    }

    #[test]
    fn a_filter_may_look_at_the_whole_value() {
        let value = json!({"max": 9_990, "items": (0..10_000).collect::<Vec<_>>(), "wanted": [1, 2]});
        let test = TestContext::new();
        assert_eq!(test.ok("json.query", [value.clone(), json!("$.items[?@ > $.max]")]).as_array().unwrap().len(), 9);
        assert_eq!(test.ok("json.query", [value.clone(), json!("$.items[?@ == $['wanted'][1]]")]), json!([2]));
        assert!(test.invalid("json.query", [value, json!("$.items[?count($.items[*]) > 1]")]).contains("50 million"));
    }

    #[test]
    fn patterns_match_whole_texts_or_parts() {
        let test = TestContext::new();
        let value =
            json!([{"t": "ab", "p": "a."}, {"t": "xab", "p": "a("}, {"t": 5, "p": "5"}, {"t": "match(", "p": "b"}]);
        for (path, expected) in [
            ("$[?match(@.t, 'ab')].t", json!(["ab"])),
            ("$[?match(@.t, 'x|ab')].t", json!(["ab"])),
            ("$[?search(@.t, 'ab')].t", json!(["ab", "xab"])),
            ("$[?search(@.t, @.p)].t", json!(["ab"])),
            ("$[?!search(@.t,\"b$\") && match(@.t, 'match.')].t", json!(["match("])),
            ("$[?@.t == 'match(' || @['t'] == \"\\\"search(\"].p", json!(["b"])),
            ("$[?match(@.t, '[')].t", json!([])),
        ] {
            assert_eq!(test.ok("json.query", [value.clone(), json!(path)]), expected, "{path}");
        }
        // Word boundaries beside characters beyond ASCII take the slower way.
        let words = json!(["é x", "éx", "y é"]);
        assert_eq!(test.ok("json.query", [words.clone(), json!(r"$[?search(@, '\\bx')]")]), json!(["é x"]));
        let long = json!([r"é ".repeat(1 << 20)]);
        let message = test.invalid("json.query", [long, json!(r"$[?search(@, '\\b\\w{20}x')]")]);
        assert!(message.contains("could take very long"), "{message}");
        let message = test.invalid("json.query", [value, json!("$[?match(@.t)]")]);
        assert!(!message.contains("own_"), "{message}");
    }

    #[test]
    fn patterns_that_could_take_very_long_are_refused() {
        let test = TestContext::new();
        let bits = |i: u32| if i.wrapping_mul(2_654_435_761).count_ones().is_multiple_of(2) { '0' } else { '1' };
        let text = json!(["a".repeat(20_000), (0..400_000).map(bits).collect::<String>()]);
        for (path, reason) in [
            ("$[?match(@, '((a{1,100}){1,100}){1,10}b')]", "too large once its repetitions are counted out"),
            ("$[?search(@, '[01]*1[01]{5000}2')]", "could take very long on these values"),
        ] {
            let message = test.invalid("json.query", [text.clone(), json!(path)]);
            assert!(message.contains(reason), "{path}: {message}");
        }
        // Text that is gone through again and again, and a pattern of its own for each value.
        let often = json!({"text": "x".repeat(1 << 20), "items": vec![0; 2000]});
        let message = test.invalid("json.query", [often, json!("$.items[?search($.text, 'y')]")]);
        assert!(message.contains("could take very long on these values"), "{message}");
        let own: Value = (0..17).map(|i| i.to_string()).collect::<Vec<_>>().into();
        assert!(test.invalid("json.query", [own, json!("$[?match(@, @)]")]).contains("more than 16 patterns"));
    }

    #[test]
    fn nested_and_long_paths_are_refused_before_they_are_parsed() {
        let test = TestContext::new();
        let nested = format!("$[?{}@.a{}]", "(".repeat(30), ")".repeat(30));
        assert!(test.invalid("json.query", [json!([1]), json!(nested)]).contains("deeper than 8 levels"));
        let allowed = format!("$[?{}@.a{}]", "(".repeat(7), ")".repeat(7));
        assert_eq!(test.ok("json.query", [json!([{"a": 1}]), json!(allowed)]), json!([{"a": 1}]));
        let long = format!("$.{}", "a".repeat(3000));
        assert!(test.invalid("json.query", [json!([1]), json!(long)]).contains("longer than 2048 bytes"));
    }
}
