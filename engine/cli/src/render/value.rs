use crate::render;
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, presets};
use serde_json::{Map, Value};
use skills::OutputFormat;
use std::io;

/// The widest cell of a table of values, in characters.
const WIDEST_CELL: usize = 60;

/// The spaces behind each column of a table.
pub(crate) const PADDING: usize = 2;

/// Prints a skill's value for a person, in the format that its definition asks for.
pub(crate) fn print_value_as(value: &Value, format: Option<OutputFormat>) -> io::Result<()> {
    match format {
        Some(OutputFormat::Json) => render::json(value),
        // Markdown is read as it is written.
        _ => print_value(value),
    }
}

/// Prints a skill's value for a person: a string as it is, a list of objects as a table in a terminal, nothing for
/// null, anything else as indented JSON.
pub(crate) fn print_value(value: &Value) -> io::Result<()> {
    match value {
        Value::Null => Ok(()),
        Value::String(text) => {
            let text = text.strip_suffix('\n').unwrap_or(text);
            render::text(&render::unless_piped(text, render::stdout_is_terminal()))
        }
        Value::Array(rows) if render::stdout_is_terminal() => match rows_as_table(rows) {
            Some(table) => print_table(&table),
            None => render::json(value),
        },
        _ => render::json(value),
    }
}

/// An empty table of the command's style with a header.
pub(crate) fn table(header: &[&str]) -> Table {
    /// What a terminal that does not tell its width is taken for, and the least that is believed.
    const WIDTHS: (u16, u16) = (80, 20);
    let mut table = Table::new();
    if table.width().is_some_and(|width| width < WIDTHS.1) {
        table.set_width(WIDTHS.0);
    }
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    for column in table.column_iter_mut() {
        column.set_padding((0, PADDING as u16));
    }
    table
}

/// Prints a table, without spaces at the ends of its lines.
pub(crate) fn print_table(table: &Table) -> io::Result<()> {
    render::text(&render::harmless(&table.trim_fmt()))
}

/// A list of flat objects as a table; `None` for any other list.
pub(crate) fn rows_as_table(rows: &[Value]) -> Option<Table> {
    let objects: Vec<&Map<String, Value>> = rows.iter().map(Value::as_object).collect::<Option<_>>()?;
    let mut columns: Vec<&str> = Vec::new();
    for object in &objects {
        for (key, value) in *object {
            if value.is_array() || value.is_object() {
                return None;
            }
            if !columns.contains(&key.as_str()) {
                columns.push(key);
            }
        }
    }
    if columns.is_empty() {
        return None;
    }
    let row = |object: &&Map<String, Value>| columns.iter().map(|column| cell(object.get(*column))).collect();
    let is_number = |name: &&str| {
        objects.iter().all(|object| matches!(object.get(*name), None | Some(Value::Null | Value::Number(_))))
    };
    let right: Vec<bool> = columns.iter().map(is_number).collect();
    Some(ruled_table(&columns, objects.iter().map(row).collect(), &right))
}

/// A table with a line below its header, and some columns aligned to the right.
pub(crate) fn ruled_table(header: &[&str], rows: Vec<Vec<String>>, right: &[bool]) -> Table {
    let mut table = table(header);
    table.load_style(presets::NOTHING.header_separator(LineStyle::none().fill('─').junction('─')));
    table.add_rows(rows);
    for (column, _) in table.column_iter_mut().zip(right).filter(|(_, right)| **right) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn cell(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    match text.char_indices().nth(WIDEST_CELL) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_of_flat_objects_is_a_table() {
        let rows = json!([{"a": 1, "b": "x"}, {"a": 20, "b": null, "c": true}]);
        let shown = rows_as_table(rows.as_array().unwrap()).unwrap().trim_fmt();
        assert_eq!(shown, " a   b   c\n───────────────\n 1   x\n20       true");
    }

    #[test]
    fn a_nested_list_is_not() {
        assert!(rows_as_table(json!([{"a": []}]).as_array().unwrap()).is_none());
        assert!(rows_as_table(json!([1, 2]).as_array().unwrap()).is_none());
        assert!(rows_as_table(&[]).is_none());
    }
}
