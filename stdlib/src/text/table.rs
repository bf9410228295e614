//! Markdown tables.

use crate::bounds::{Tally, Watch};
use crate::define::{counted, invalid};
use serde_json::Value;
use skills_core::{Budget, Failure};
use std::collections::HashSet;
use unicode_width::UnicodeWidthStr;

/// How a column stands.
#[derive(Clone, Copy)]
enum Align {
    /// As the reader's program has it.
    Unsaid,
    Left,
    Right,
    Center,
}

/// Rows of lists or objects as a Markdown table that ends in a line break.
pub(super) fn markdown(
    budget: &Budget,
    rows: &[Value],
    headers: Option<&[Value]>,
    align: &Value,
) -> Result<String, Failure> {
    let watch = Watch::start(budget);
    let names = columns(rows, headers);
    let mut tally = Tally::of(budget);
    let mut lines = vec![names.iter().map(|name| escape(name)).collect::<Vec<_>>()];
    for (index, row) in rows.iter().enumerate() {
        // Each row is as long as the longest: that is what could grow without bound.
        watch.check()?;
        tally.add_values(names.len(), 0)?;
        lines.push(cells(index, row, &names)?);
    }
    let widths: Vec<usize> = (0..names.len())
        .map(|column| {
            lines.iter().map(|cells| cells.get(column).map_or(0, |cell| cell.width())).max().unwrap_or(0).max(3)
        })
        .collect();
    let alignment = alignment(align, names.len())?;
    let bytes = lines.iter().flatten().map(String::len).sum::<usize>();
    tally.add(widths.iter().sum::<usize>().saturating_mul(lines.len() + 1).saturating_add(bytes))?;

    let mut out = String::new();
    for (index, cells) in lines.iter().enumerate() {
        watch.check()?;
        let padded = widths
            .iter()
            .zip(&alignment)
            .enumerate()
            .map(|(column, (width, align))| pad(cells.get(column).map_or("", String::as_str), *width, *align));
        push_line(&mut out, padded);
        if index == 0 {
            push_line(&mut out, widths.iter().zip(&alignment).map(|(width, align)| rule(*width, *align)));
        }
    }
    Ok(out)
}

fn push_line(out: &mut String, cells: impl Iterator<Item = String>) {
    for cell in cells {
        out.push_str("| ");
        out.push_str(&cell);
        out.push(' ');
    }
    out.push_str("|\n");
}

/// The names of the columns: those given, or else those of the objects, or else numbers.
fn columns(rows: &[Value], headers: Option<&[Value]>) -> Vec<String> {
    if let Some(headers) = headers {
        return headers.iter().map(text).collect();
    }
    let mut seen = HashSet::new();
    let names: Vec<String> = rows
        .iter()
        .filter_map(Value::as_object)
        .flat_map(|map| map.keys())
        .filter(|name| seen.insert(name.as_str()))
        .cloned()
        .collect();
    if !names.is_empty() {
        return names;
    }
    let most = rows.iter().filter_map(Value::as_array).map(Vec::len).max().unwrap_or(0);
    (1..=most.max(1)).map(|number| number.to_string()).collect()
}

fn cells(index: usize, row: &Value, names: &[String]) -> Result<Vec<String>, Failure> {
    match row {
        Value::Array(items) if items.len() <= names.len() => Ok(items.iter().map(|item| escape(&text(item))).collect()),
        Value::Array(items) => Err(invalid(format!(
            "row {} has {} but the table has {}",
            index + 1,
            counted(items.len(), "cell"),
            counted(names.len(), "column")
        ))),
        Value::Object(map) => Ok(names.iter().map(|name| escape(&map.get(name).map_or(String::new(), text))).collect()),
        _ => Err(invalid(format!("row {} must be a list or an object", index + 1))),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A cell may hold neither the bar between cells nor a line break.
fn escape(cell: &str) -> String {
    cell.trim().replace('|', "\\|").replace("\r\n", "<br>").replace(['\n', '\r'], "<br>")
}

fn alignment(align: &Value, columns: usize) -> Result<Vec<Align>, Failure> {
    let one = |value: &Value| match value.as_str() {
        Some("left") => Ok(Align::Left),
        Some("right") => Ok(Align::Right),
        Some("center") => Ok(Align::Center),
        _ if value.is_null() => Ok(Align::Unsaid),
        _ => Err(invalid(format!("`align` must be left, right or center, not {value}"))),
    };
    match align {
        Value::Array(each) if each.len() > columns => {
            Err(invalid(format!("`align` is for {} but the table has {columns}", counted(each.len(), "column"))))
        }
        Value::Array(each) => {
            let mut all = each.iter().map(one).collect::<Result<Vec<_>, _>>()?;
            all.resize(columns, Align::Unsaid);
            Ok(all)
        }
        other => Ok(vec![one(other)?; columns]),
    }
}

fn pad(cell: &str, width: usize, align: Align) -> String {
    let missing = width.saturating_sub(cell.width());
    let left = match align {
        Align::Unsaid | Align::Left => 0,
        Align::Right => missing,
        Align::Center => missing / 2,
    };
    format!("{}{cell}{}", " ".repeat(left), " ".repeat(missing - left))
}

fn rule(width: usize, align: Align) -> String {
    match align {
        Align::Unsaid => "-".repeat(width),
        Align::Left => format!(":{}", "-".repeat(width - 1)),
        Align::Right => format!("{}:", "-".repeat(width - 1)),
        Align::Center => format!(":{}:", "-".repeat(width - 2)),
    }
}

#[cfg(test)]
mod tests {
    use super::markdown;
    use serde_json::{Value, json};
    use skills_core::{Budget, ErrorKind, Limits};

    fn table(rows: Value, headers: Value, align: Value) -> Result<String, String> {
        let budget = Budget::new(Limits::none());
        markdown(&budget, rows.as_array().unwrap(), headers.as_array().map(Vec::as_slice), &align)
            .map_err(|e| e.message)
    }

    #[test]
    fn cells_are_escaped_and_aligned() {
        assert_eq!(
            table(json!([["a\nb|", true], [1.5]]), json!(["x", "y"]), json!("center")).unwrap(),
            "|    x     |  y   |\n| :------: | :--: |\n| a<br>b\\| | true |\n|   1.5    |      |\n"
        );
    }

    #[test]
    fn columns_without_names_are_numbered() {
        assert_eq!(
            table(json!([["a"], ["b", "c"]]), Value::Null, Value::Null).unwrap(),
            "| 1   | 2   |\n| --- | --- |\n| a   |     |\n| b   | c   |\n"
        );
        assert_eq!(table(json!([]), json!(["n"]), Value::Null).unwrap(), "| n   |\n| --- |\n");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let message = |rows, headers, align| table(rows, headers, align).unwrap_err();
        assert_eq!(message(json!([[1, 2]]), json!(["a"]), Value::Null), "row 1 has 2 cells but the table has 1 column");
        assert_eq!(message(json!([5]), Value::Null, Value::Null), "row 1 must be a list or an object");
        assert!(message(json!([]), json!(["a"]), json!("top")).contains("left, right or center, not \"top\""));
        assert!(
            message(json!([]), json!(["a"]), json!(["left", "left"])).contains("is for 2 columns but the table has 1")
        );
    }

    #[test]
    fn one_long_cell_times_many_rows_is_refused() {
        let mut rows = vec![json!(["x"]); 1 << 10];
        rows.push(json!(["y".repeat(1 << 20)]));
        let budget = Budget::new(Limits::none());
        assert_eq!(markdown(&budget, &rows, None, &Value::Null).unwrap_err().kind, ErrorKind::OutputLimit);
    }
}
