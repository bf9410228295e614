//! `csv`: tables as text.

use crate::bounds::{BoundedBuffer, Tally, Watch, write_failure};
use crate::define::{a, array, counted, define, invalid, string};
use ::csv::{ErrorKind as CsvError, ReaderBuilder, StringRecord, WriterBuilder};
use serde_json::{Map, Value, json};
use skills_core::{CallContext, Failure, HostFunction, ParameterSpec};
use std::collections::HashSet;
use std::sync::Arc;

/// The functions of this domain.
pub(crate) fn functions() -> Vec<Arc<dyn HostFunction>> {
    let delimiter = || string("delimiter").or(json!(",")).about("one ASCII character, such as ; or a tab");
    let header = |about: &str| ParameterSpec::typed("header", "boolean").or(json!(true)).about(about);
    vec![
        define("csv.parse", "The rows of CSV text; every cell is a string")
            .takes(string("text").about("quotes as in RFC 4180; blank lines are skipped"))
            .takes(header("whether the first row names the columns: then rows are objects, else lists"))
            .takes(delimiter())
            .returns(a("array"))
            .runs(|context, (text, header, delimiter): (String, Option<bool>, Option<String>)| {
                parse(context, &text, header.unwrap_or(true), delimiter_byte(delimiter)?)
            }),
        define("csv.stringify", "Rows as CSV text; null is an empty cell, a list or an object in a cell is JSON")
            .takes(array("rows").about("objects, or lists"))
            .takes(header("whether the names of the columns come first, where rows are objects"))
            .takes(delimiter())
            .returns(a("string"))
            .runs(|context, (rows, header, delimiter): (Vec<Value>, Option<bool>, Option<String>)| {
                stringify(context, &rows, header.unwrap_or(true), delimiter_byte(delimiter)?)
            }),
    ]
}

fn delimiter_byte(delimiter: Option<String>) -> Result<u8, Failure> {
    match delimiter.as_deref().unwrap_or(",").as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
        _ => Err(invalid("`delimiter` must be one ASCII character, and no quote or line break")),
    }
}

fn parse(context: &CallContext<'_>, text: &str, header: bool, delimiter: u8) -> Result<Value, Failure> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = ReaderBuilder::new().delimiter(delimiter).has_headers(header).from_reader(text.as_bytes());
    let columns = if header { reader.headers().map_err(|e| read_failure(&e))?.clone() } else { StringRecord::new() };
    let mut seen = HashSet::new();
    if let Some(twice) = columns.iter().find(|name| !seen.insert(*name)) {
        return Err(invalid(format!("line 1 names the column {twice:?} twice"))
            .with_help("give each column a name of its own, or use header=false for rows that are lists"));
    }
    let names = columns.iter().map(str::len).sum::<usize>();
    let watch = Watch::start(context.budget);
    let mut tally = Tally::of(context.budget);
    let mut rows: Vec<Value> = Vec::new();
    for record in reader.records() {
        watch.check()?;
        let record = record.map_err(|e| read_failure(&e))?;
        tally.add_values(1 + record.len(), names + record.as_slice().len())?;
        tally.add_entries(if header { 1 + record.len() } else { 0 })?;
        let cells = record.iter().map(Value::from);
        rows.push(if header {
            columns.iter().map(str::to_owned).zip(cells).collect::<Map<_, _>>().into()
        } else {
            cells.collect::<Vec<_>>().into()
        });
    }
    Ok(rows.into())
}

fn read_failure(error: &::csv::Error) -> Failure {
    let line = error.position().map_or(1, |position| position.line());
    match error.kind() {
        CsvError::UnequalLengths { expected_len, len, .. } => invalid(format!(
            "line {line} has {} where the first row has {expected_len}",
            counted(*len as usize, "cell")
        ))
        .with_help("quote a cell that holds the delimiter or a line break: \"a, b\""),
        _ => invalid(format!("line {line}: {error}")),
    }
}

fn stringify(context: &CallContext<'_>, rows: &[Value], header: bool, delimiter: u8) -> Result<String, Failure> {
    let failed = |error: ::csv::Error| match error.into_kind() {
        CsvError::Io(error) => write_failure(error),
        other => invalid(format!("the rows cannot be written: {other:?}")),
    };
    let watch = Watch::start(context.budget);
    let columns = columns(rows)?;
    // A delimiter a cell is the least that comes, however sparse the table is.
    Tally::of(context.budget).add(columns.len().saturating_mul(rows.len()))?;
    let mut writer =
        WriterBuilder::new().delimiter(delimiter).flexible(true).from_writer(BoundedBuffer::of(context.budget));
    if header && !columns.is_empty() {
        writer.write_record(&columns).map_err(failed)?;
    }
    for row in rows {
        watch.check()?;
        match row {
            Value::Object(map) => {
                for column in &columns {
                    writer.write_field(cell(map.get(*column).unwrap_or(&Value::Null))).map_err(failed)?;
                }
            }
            Value::Array(items) => {
                for item in items {
                    writer.write_field(cell(item)).map_err(failed)?;
                }
            }
            _ => {}
        }
        writer.write_record(None::<&[u8]>).map_err(failed)?;
    }
    let buffer = writer.into_inner().map_err(|e| write_failure(e.into_error()))?;
    Ok(buffer.into_text())
}

/// The names of the columns in the order in which rows bring them; none where rows are lists.
fn columns(rows: &[Value]) -> Result<Vec<&str>, Failure> {
    let lists = rows.first().is_some_and(Value::is_array);
    let mut seen = HashSet::new();
    let mut columns = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        match row {
            Value::Object(map) if !lists => {
                columns.extend(map.keys().map(String::as_str).filter(|name| seen.insert(*name)));
            }
            Value::Array(_) if lists => {}
            _ => {
                let expected = if lists { "a list as the first one is" } else { "an object or a list" };
                return Err(invalid(format!("row {} must be {expected}", index + 1)));
            }
        }
    }
    Ok(columns)
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::TestContext;
    use serde_json::{Value, json};
    use skills_core::{ErrorKind, LimitName, Limits};

    #[test]
    fn rows_are_objects_or_lists() {
        let test = TestContext::new();
        let text = "\u{feff}name,note\nAda,\"a, \"\"b\"\"\nc\"\n\nBo,\n";
        assert_eq!(
            test.ok("csv.parse", [json!(text)]),
            json!([{"name": "Ada", "note": "a, \"b\"\nc"}, {"name": "Bo", "note": ""}])
        );
        assert_eq!(test.ok("csv.parse", [json!("1;2"), json!(false), json!(";")]), json!([["1", "2"]]));
        assert_eq!(test.ok("csv.parse", [json!("")]), json!([]));
    }

    #[test]
    fn mistakes_are_named_by_line() {
        let test = TestContext::new();
        assert_eq!(test.invalid("csv.parse", [json!("a,b\n1,2\n3\n")]), "line 3 has 1 cell where the first row has 2");
        assert_eq!(test.invalid("csv.parse", [json!("a,a\n1,2")]), r#"line 1 names the column "a" twice"#);
        assert!(test.invalid("csv.parse", [json!("a"), json!(true), json!("::")]).contains("one ASCII character"));
        assert!(test.invalid("csv.stringify", [json!([1])]).contains("row 1 must be an object or a list"));
        assert!(test.invalid("csv.stringify", [json!([[1], {"a": 1}])]).contains("row 2 must be a list as the first"));
    }

    #[test]
    fn what_is_written_can_be_read() {
        let test = TestContext::new();
        let rows = json!([{"a": 1, "b": "x, y"}, {"b": null, "c": [true]}]);
        let text = test.ok("csv.stringify", [rows]);
        assert_eq!(text, json!("a,b,c\n1,\"x, y\",\n,,[true]\n"));
        assert_eq!(test.ok("csv.parse", [text])[0], json!({"a": "1", "b": "x, y", "c": ""}));
        assert_eq!(test.ok("csv.stringify", [json!([[1, "é"], [2]])]), json!("1,é\n2\n"));
        assert_eq!(test.ok("csv.stringify", [json!([{"a": 1}]), json!(false), json!("\t")]), json!("1\n"));
        assert_eq!(test.ok("csv.stringify", [json!([])]), json!(""));
    }

    #[test]
    fn a_cancelled_run_stops_between_rows() {
        let test = TestContext::new();
        test.budget.cancel();
        assert_eq!(test.fails("csv.parse", [json!("a\n1\n")]).kind, ErrorKind::Cancelled);
        assert_eq!(test.fails("csv.stringify", [json!([[1]])]).kind, ErrorKind::Cancelled);
    }

    #[test]
    fn many_short_rows_are_held_against_the_memory_of_the_run() {
        let text = json!("a\n".to_owned() + &"1\n".repeat(200_000));
        let limited = |bytes| TestContext::limited(Limits { memory: Some(bytes), ..Limits::none() });
        let test = limited(32 << 20);
        let failure = test.fails("csv.parse", [text.clone()]);
        assert_eq!((failure.kind, failure.limit.unwrap().name), (ErrorKind::MemoryLimit, LimitName::Memory));
        assert!(test.budget.verdict().is_some());
        assert_eq!(limited(32 << 20).ok("csv.parse", [text, json!(false)]).as_array().unwrap().len(), 200_001);
    }

    #[test]
    fn a_long_header_times_many_rows_is_refused_before_it_is_made() {
        let text = format!("{}\n{}", "h".repeat(1 << 20), "1\n".repeat(1 << 20));
        assert_eq!(TestContext::new().fails("csv.parse", [json!(text)]).kind, ErrorKind::OutputLimit);
    }

    #[test]
    fn a_wide_sparse_table_is_refused_before_it_is_made() {
        let rows: Vec<Value> = (0..12_000).map(|i| json!({ i.to_string(): 1 })).collect();
        assert_eq!(TestContext::new().fails("csv.stringify", [json!(rows)]).kind, ErrorKind::OutputLimit);
    }
}
