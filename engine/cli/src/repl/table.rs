//! Lists of objects as tables.

use crate::render;
use serde_json::{Map, Value};
use unicode_width::UnicodeWidthStr as _;

/// The widest cell, in characters.
const WIDEST: usize = 60;

/// What is tried where columns side by side are too wide: how many characters of what is nested are shown.
const NARROWER: [usize; 5] = [WIDEST, 24, 18, 12, 8];

/// The most objects that stand side by side, where they are too wide to stand below each other.
const MOST_BESIDE: usize = 12;

/// A number with more characters than this is shown with six digits that count.
const LONG_NUMBER: usize = 8;

/// A table, drawn.
#[derive(Debug, PartialEq)]
pub(crate) struct Drawn {
    pub(crate) text: String,
    /// Whether every cell is shown as a whole.
    pub(crate) whole: bool,
}

/// A list of several objects as a table: a row for each; where that is wider than so many columns of the terminal and they are few,
/// a column for each. `None` for any other value, and where most of what the objects hold are lists and objects again.
pub(crate) fn draw(value: &Value, width: usize) -> Option<Drawn> {
    let objects: Vec<&Map<String, Value>> = value.as_array()?.iter().map(Value::as_object).collect::<Option<_>>()?;
    let mut names: Vec<&str> = Vec::new();
    for key in objects.iter().flat_map(|object| object.keys()) {
        if !names.contains(&key.as_str()) {
            names.push(key);
        }
    }
    let nested = |name: &&&str| objects.iter().any(|object| object.get(**name).is_some_and(is_nested));
    if objects.len() < 2 || names.is_empty() || names.iter().filter(nested).count() * 2 >= names.len() {
        return None;
    }
    let header: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let is_number = |name: &str| {
        objects.iter().all(|object| matches!(object.get(name), None | Some(Value::Null | Value::Number(_))))
    };
    let right: Vec<bool> = names.iter().map(|name| is_number(name)).collect();
    let rows = |most: usize| {
        let mut whole = true;
        let row =
            |object: &&Map<String, Value>| names.iter().map(|name| cell(object.get(*name), most, &mut whole)).collect();
        let cells = objects.iter().map(row).collect();
        (Grid { header: header.clone(), cells, right: right.clone() }, whole)
    };
    let all = rows(WIDEST);
    let turned = |most: usize| {
        let (grid, whole) = rows(most);
        Some((grid.turned(), whole)).filter(|(grid, _)| grid.width() <= width)
    };
    let (grid, whole) = match all.0.width() > width && objects.len() <= MOST_BESIDE {
        true => NARROWER.into_iter().find_map(turned).unwrap_or(all),
        false => all,
    };
    let header: Vec<&str> = grid.header.iter().map(String::as_str).collect();
    let text = render::ruled_table(&header, grid.cells, &grid.right).trim_fmt();
    Some(Drawn { text: render::harmless(&text), whole })
}

fn is_nested(value: &Value) -> bool {
    value.is_array() || value.is_object()
}

struct Grid {
    header: Vec<String>,
    cells: Vec<Vec<String>>,
    /// Which columns are aligned to the right.
    right: Vec<bool>,
}

impl Grid {
    /// How wide it is where nothing is broken.
    fn width(&self) -> usize {
        let lines = || std::iter::once(&self.header).chain(&self.cells);
        let widest = |column: usize| lines().map(|line| line[column].width()).max().unwrap_or(0);
        // A space stands where other tables have a line.
        (0..self.header.len()).map(|column| widest(column) + render::PADDING + 1).sum::<usize>().saturating_sub(1)
    }

    /// The same with its rows as columns.
    fn turned(&self) -> Grid {
        let lines: Vec<&Vec<String>> = std::iter::once(&self.header).chain(&self.cells).collect();
        let column = |at: usize| lines.iter().map(|line| line[at].clone()).collect::<Vec<_>>();
        let right = (0..lines.len()).map(|at| at > 0).collect();
        Grid { header: column(0), cells: (1..self.header.len()).map(column).collect(), right }
    }
}

/// The text of a cell, with at most so many characters of what is nested; `whole` becomes false where it is not all of it.
fn cell(value: Option<&Value>, most: usize, whole: &mut bool) -> String {
    let mut most_here = WIDEST;
    let text = match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => {
            let text = number.to_string();
            match number.as_f64().filter(|_| !number.is_i64() && !number.is_u64() && text.len() > LONG_NUMBER) {
                Some(number) => {
                    *whole = false;
                    significant(number)
                }
                None => text,
            }
        }
        Some(other) => {
            *whole &= !is_nested(other);
            most_here = most;
            gist(other, 0)
        }
    };
    match text.char_indices().nth(most_here) {
        Some((end, _)) => {
            *whole = false;
            format!("{}…", &text[..end])
        }
        None => text,
    }
}

/// What is nested, without most of the marks that tell how.
fn gist(value: &Value, depth: usize) -> String {
    let joined = |items: Vec<String>, between: &str| items.join(between);
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if depth == 0 => joined(items.iter().map(|item| gist(item, 1)).collect(), ", "),
        Value::Object(map) if depth == 0 => {
            joined(map.iter().map(|(key, value)| format!("{key} {}", gist(value, 1))).collect(), ", ")
        }
        Value::Object(map) if depth == 1 => joined(map.values().map(|value| gist(value, 2)).collect(), " "),
        other => other.to_string(),
    }
}

/// A number with six digits that count.
fn significant(number: f64) -> String {
    let exponent = number.abs().log10().floor();
    if !(-5.0..15.0).contains(&exponent) {
        return format!("{number:.5e}");
    }
    let decimals = (5.0 - exponent).max(0.0) as usize;
    let text = format!("{number:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text(value: Value, width: usize) -> String {
        draw(&value, width).unwrap().text
    }

    #[test]
    fn objects_stand_below_each_other() {
        let rows = json!([{"a": 1, "b": "x"}, {"a": 20, "b": null, "c": [1, {"d": 2, "e": "z"}]}]);
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let text = text(rows, 80);
        assert_eq!(
            text.lines().map(words).map(|words| words.join(" ")).filter(|line| !line.contains('─')).collect::<Vec<_>>(),
            ["a b c", "1 x", "20 1, 2 z"]
        );
        for other in [json!([{"a": 1}]), json!([{"a": []}, {"a": 1}]), json!([1, 2]), json!({"a": 1}), json!([{}, {}])]
        {
            assert_eq!(draw(&other, 80), None);
        }
    }

    #[test]
    fn few_wide_objects_stand_side_by_side() {
        let rows = json!([
            {"column": "x", "count": 100, "mean": 13.937359864766353, "least": 1, "most": 9},
            {"column": "y", "count": 7, "mean": 2, "least": null, "most": null}
        ]);
        let lines = |width: usize| {
            let text = text(rows.clone(), width);
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
        };
        assert_eq!(lines(41)[2], "x 100 13.9374 1 9");
        let nested = json!([{"name": "x", "type": "text", "top": [{"value": "north", "count": 2}]}, {"name": "y", "type": "text", "top": [{"value": "a very long one", "count": 1}]}]);
        let drawn = draw(&nested, 30).unwrap();
        assert!(
            !drawn.whole && drawn.text.lines().all(|line| line.width() <= 30) && drawn.text.contains("north 2"),
            "{}",
            drawn.text
        );
        let turned = lines(40);
        assert_eq!((turned.len(), turned[0].as_str(), turned[3].as_str()), (6, "column x y", "mean 13.9374 2"));
    }

    #[test]
    fn what_is_cut_is_known() {
        let long = "y".repeat(61);
        let drawn = draw(&json!([{"a": long}, {"a": "b"}]), 80).unwrap();
        assert!(!drawn.whole && drawn.text.contains("y…"), "{drawn:?}");
        assert!(draw(&json!([{"a": 1.5}, {"a": 123_456_789_012u64}]), 80).unwrap().whole);
        assert_eq!(
            [13.937359864766353, 0.000123456789, 1.0 / 3.0, 1e-9 / 3.0].map(significant),
            ["13.9374", "0.000123457", "0.333333", "3.33333e-10"]
        );
    }
}
