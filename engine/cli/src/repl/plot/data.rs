//! What is drawn, from a value.

use serde_json::Value;

/// How it is to be drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// As what it is suggests.
    #[default]
    Fitting,
    /// Points without lines between them.
    Points,
    /// A bar for each number.
    Bars,
    /// How many numbers fall into each of some ranges; 0 chooses how many ranges.
    Histogram(usize),
}

/// Points with a name, which may be empty. What is missing parts them into stretches.
pub(crate) type Series = (String, Vec<Vec<(f64, f64)>>);

/// What is drawn.
#[derive(Debug, PartialEq)]
pub(crate) enum Data {
    /// Named rows of points, with lines between them or not.
    Series { series: Vec<Series>, joined: bool },
    /// Labels with numbers that are not negative; `None` where one is missing.
    Bars(Vec<(String, Option<f64>)>),
}

/// The most numbers that are drawn.
const MOST: usize = 1_000_000;

/// The most bars.
const MOST_BARS: usize = 60;

/// The most ranges of a histogram.
pub(crate) const MOST_RANGES: usize = 40;

pub(crate) fn read(value: &Value, form: Form) -> Result<Data, String> {
    match (form, value) {
        (Form::Histogram(ranges), _) => histogram(&numbers(value)?, ranges),
        (Form::Fitting | Form::Bars, Value::Object(map)) if !map.is_empty() && map.values().all(may_be_number) => {
            bars(map.iter().map(|(label, value)| (label.clone(), value)))
        }
        (Form::Bars, Value::Array(items)) if items.iter().all(is_labelled) => {
            bars(items.iter().map(|pair| (text(&pair[0]), &pair[1])))
        }
        (Form::Bars, Value::Array(items)) => bars(items.iter().enumerate().map(|(at, value)| (at.to_string(), value))),
        (Form::Fitting, Value::Array(items)) if !items.is_empty() && items.iter().all(has_label) => {
            bars(items.iter().map(|pair| (text(&pair[0]), &pair[1])))
        }
        (Form::Fitting | Form::Points, Value::Array(items))
            if !items.is_empty() && items.iter().all(Value::is_object) =>
        {
            table(items, form)
        }
        (_, Value::Array(_)) => Ok(joined(vec![(String::new(), points(value)?)], form)),
        (_, Value::Object(map)) if map.values().any(Value::is_array) && map.values().all(Value::is_array) => {
            columns(map.iter().map(|(name, value)| (name.as_str(), value)), form)
        }
        _ => Err(format!("it is {}", kind(value))),
    }
}

fn joined(series: Vec<(String, Points)>, form: Form) -> Data {
    let parts =
        |points: Points| points.split(|(_, y)| y.is_none()).map(stretch).filter(|part| !part.is_empty()).collect();
    let series = series.into_iter().map(|(name, points)| (name, parts(points))).collect();
    Data::Series { series, joined: form != Form::Points }
}

/// Points of which some are missing.
type Points = Vec<(f64, Option<f64>)>;

fn stretch(points: &[(f64, Option<f64>)]) -> Vec<(f64, f64)> {
    points.iter().filter_map(|(x, y)| Some((*x, (*y)?))).collect()
}

/// A list of objects: bars where it has labels and one column of numbers, else its columns of numbers.
fn table(rows: &[Value], form: Form) -> Result<Data, String> {
    let mut names: Vec<&str> = Vec::new();
    for key in rows.iter().filter_map(Value::as_object).flat_map(serde_json::Map::keys) {
        if !names.contains(&key.as_str()) {
            names.push(key);
        }
    }
    let column = |name: &str| rows.iter().map(|row| row[name].clone()).collect::<Vec<_>>();
    let all: Vec<(&str, Vec<Value>)> = names.iter().map(|name| (*name, column(name))).collect();
    let (numbers, rest): (Vec<_>, Vec<_>) = all.iter().partition(|(_, cells)| is_numeric(cells));
    let labels = rest.iter().find(|(_, cells)| cells.iter().all(Value::is_string));
    if let (Form::Fitting, [(_, numbers)], Some((_, labels))) = (form, numbers.as_slice(), labels)
        && rows.len() <= MOST_BARS
        && numbers.iter().all(|number| number.as_f64().is_none_or(|number| number >= 0.0))
    {
        return bars(labels.iter().map(text).zip(numbers));
    }
    let all: Vec<(&str, Value)> = numbers.iter().map(|(name, cells)| (*name, Value::from(cells.clone()))).collect();
    columns(all.iter().map(|(name, cells)| (*name, cells)), form)
}

/// Named lists, of which those that are not of numbers are left out.
fn columns<'v>(columns: impl Iterator<Item = (&'v str, &'v Value)>, form: Form) -> Result<Data, String> {
    let mut series = Vec::new();
    let mut wrong = None;
    for (name, value) in columns {
        match points(value) {
            Ok(points) => series.push((name.to_owned(), points)),
            Err(why) => wrong = wrong.or(Some(format!("`{name}`: {why}"))),
        }
    }
    match series.is_empty() {
        true => Err(wrong.unwrap_or_else(|| "it has no column of numbers".to_owned())),
        false => Ok(joined(series, form)),
    }
}

/// Whether these are numbers, of which some may be missing.
fn is_numeric(cells: &[Value]) -> bool {
    cells.iter().any(Value::is_number) && cells.iter().all(may_be_number)
}

fn may_be_number(value: &Value) -> bool {
    value.is_number() || value.is_null()
}

/// A pair of anything and a number.
fn is_labelled(item: &Value) -> bool {
    matches!(item.as_array().map(Vec::as_slice), Some([_, number]) if may_be_number(number))
}

/// A pair of a text and a number.
fn has_label(item: &Value) -> bool {
    is_labelled(item) && item[0].is_string()
}

fn bars<'v>(items: impl Iterator<Item = (String, &'v Value)>) -> Result<Data, String> {
    let mut bars = Vec::new();
    for (label, value) in items {
        let number = number(value)?;
        if let Some(number) = number.filter(|number| *number < 0.0) {
            return Err(format!("the bar `{label}` is negative: {number}"));
        }
        if bars.len() == MOST_BARS {
            return Err(format!("it has more than {MOST_BARS} bars; --hist draws how many numbers fall into ranges"));
        }
        bars.push((label, number));
    }
    if bars.is_empty() {
        return Err("it is empty".to_owned());
    }
    if bars.iter().all(|(_, number)| number.is_none()) {
        return Err(NOTHING.to_owned());
    }
    Ok(Data::Bars(bars))
}

/// Why nothing is drawn of what is missing only.
const NOTHING: &str = "all that it holds is missing";

/// A list of numbers, numbered from 0, or a list of pairs.
fn points(value: &Value) -> Result<Points, String> {
    let Some(items) = value.as_array() else { return Err(format!("it is {}", kind(value))) };
    if items.is_empty() {
        return Err("it is empty".to_owned());
    }
    if items.len() > MOST {
        return Err(format!("it has more than {MOST} numbers"));
    }
    let point = |(at, item): (usize, &Value)| match item.as_array().map(Vec::as_slice) {
        Some([x, y]) => Ok((number(x)?.ok_or("a pair begins with nothing")?, number(y)?)),
        Some(_) => Err(format!("at {at} stands a list that is no pair")),
        None => number(item).map(|y| (at as f64, y)),
    };
    let points = items.iter().enumerate().map(point).collect::<Result<Points, String>>()?;
    if points.iter().all(|(_, y)| y.is_none()) { Err(NOTHING.to_owned()) } else { Ok(points) }
}

/// All numbers of a list, or the second ones of its pairs.
fn numbers(value: &Value) -> Result<Vec<f64>, String> {
    Ok(points(value)?.into_iter().filter_map(|(_, y)| y).collect())
}

/// A number, or `None` where one is missing.
fn number(value: &Value) -> Result<Option<f64>, String> {
    match value {
        Value::Null => Ok(None),
        _ => value.as_f64().map(Some).ok_or_else(|| format!("{} stands where a number belongs", kind(value))),
    }
}

fn histogram(numbers: &[f64], ranges: usize) -> Result<Data, String> {
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Sturges' rule, unless somebody knows better.
    let usual = (numbers.len() as f64).log2().ceil() as usize + 1;
    let ranges = if low == high {
        1
    } else if ranges == 0 {
        usual.clamp(5, 20)
    } else {
        ranges.min(MOST_RANGES)
    };
    let width = (high - low) / ranges as f64;
    let mut counts = vec![0usize; ranges];
    for number in numbers {
        let range = if width > 0.0 { ((number - low) / width) as usize } else { 0 };
        counts[range.min(ranges - 1)] += 1;
    }
    let label = |at: usize| match width > 0.0 {
        true => format!("{} – {}", short(low + width * at as f64), short(low + width * (at + 1) as f64)),
        false => short(low),
    };
    Ok(Data::Bars(counts.into_iter().enumerate().map(|(at, count)| (label(at), Some(count as f64))).collect()))
}

/// A number in a few characters.
pub(crate) fn short(number: f64) -> String {
    if number != 0.0 && !(1e-3..1e7).contains(&number.abs()) {
        return format!("{number:.2e}");
    }
    let decimals = match number.abs() {
        n if n >= 1000.0 => 1,
        n if n >= 1.0 => 2,
        _ => 4,
    };
    let text = format!("{number:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "one number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(map) if map.contains_key("$type") => "something that JSON has no form for",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_value_is_decides_how_it_is_drawn() {
        let one = |points: &[(f64, f64)], joined| Data::Series {
            series: vec![(String::new(), vec![points.to_vec()])],
            joined,
        };
        assert_eq!(read(&json!([1, 2.5]), Form::Fitting), Ok(one(&[(0.0, 1.0), (1.0, 2.5)], true)));
        assert_eq!(read(&json!([[3, 1], [4, 2]]), Form::Points), Ok(one(&[(3.0, 1.0), (4.0, 2.0)], false)));
        let bars = Data::Bars(vec![("a".into(), Some(1.0)), ("b".into(), Some(2.0))]);
        assert_eq!(read(&json!({"a": 1, "b": 2}), Form::Fitting), Ok(bars));
        assert_eq!(read(&json!([["a", 1]]), Form::Fitting), Ok(Data::Bars(vec![("a".into(), Some(1.0))])));
        assert_eq!(read(&json!([7]), Form::Bars), Ok(Data::Bars(vec![("0".into(), Some(7.0))])));
        let Ok(Data::Series { series, .. }) = read(&json!({"a": [1], "b": [[1, 2]]}), Form::Fitting) else { panic!() };
        assert_eq!(series.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn what_is_missing_is_a_gap() {
        let Ok(Data::Series { series, .. }) = read(&json!([1, null, 3, 4, null]), Form::Fitting) else { panic!() };
        assert_eq!(series, [(String::new(), vec![vec![(0.0, 1.0)], vec![(2.0, 3.0), (3.0, 4.0)]])]);
        let bars = Data::Bars(vec![("a".into(), Some(1.0)), ("b".into(), None)]);
        assert_eq!(read(&json!({"a": 1, "b": null}), Form::Fitting), Ok(bars));
        let Ok(Data::Bars(bars)) = read(&json!([3, null, 3]), Form::Histogram(0)) else { panic!() };
        assert_eq!(bars, [("3".to_owned(), Some(2.0))]);
        assert_eq!(read(&json!([null, null]), Form::Fitting), Err(NOTHING.to_owned()));
        assert_eq!(read(&json!({"a": null}), Form::Fitting), Err(NOTHING.to_owned()));
    }

    #[test]
    fn of_a_table_the_columns_of_numbers_are_drawn() {
        let rows = json!([{"who": "ann", "age": 30, "paid": true}, {"who": "bob", "age": null, "paid": false}]);
        let bars = Data::Bars(vec![("ann".into(), Some(30.0)), ("bob".into(), None)]);
        assert_eq!(read(&rows, Form::Fitting), Ok(bars));
        let Ok(Data::Series { series, joined: false }) = read(&rows, Form::Points) else { panic!() };
        assert_eq!(series, [("age".to_owned(), vec![vec![(0.0, 30.0)]])]);
        let rows = json!([{"day": "mon", "low": 1, "high": 5}, {"day": "tue", "low": -2, "high": 6, "note": "x"}]);
        let Ok(Data::Series { series, .. }) = read(&rows, Form::Fitting) else { panic!() };
        assert_eq!(series.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["low", "high"]);
        let columns = json!({"day": ["mon", "tue"], "low": [1, 2]});
        let Ok(Data::Series { series, .. }) = read(&columns, Form::Fitting) else { panic!() };
        assert_eq!(series.len(), 1);
        let why = |value| read(&value, Form::Fitting).unwrap_err();
        assert_eq!(why(json!([{"a": "x"}])), "it has no column of numbers");
        assert_eq!(why(json!({"a": ["x"]})), "`a`: a text stands where a number belongs");
    }

    #[test]
    fn a_histogram_counts_every_number_once() {
        let Ok(Data::Bars(bars)) = read(&json!([0, 1, 2, 3, 4, 5, 6, 7, 8, 10]), Form::Histogram(5)) else { panic!() };
        assert_eq!(bars.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [Some(2.0); 5]);
        assert_eq!((bars[0].0.as_str(), bars[4].0.as_str()), ("0 – 2", "8 – 10"));
        assert_eq!(read(&json!([3, 3]), Form::Histogram(0)), Ok(Data::Bars(vec![("3".into(), Some(2.0))])));
    }

    #[test]
    fn what_cannot_be_drawn_says_why() {
        let why = |value, form| read(&value, form).unwrap_err();
        assert_eq!(why(json!("x"), Form::Fitting), "it is a text");
        assert_eq!(why(json!([]), Form::Fitting), "it is empty");
        assert_eq!(why(json!({}), Form::Fitting), "it is an object");
        assert_eq!(why(json!([1, "x"]), Form::Fitting), "a text stands where a number belongs");
        assert_eq!(why(json!({"a": -1}), Form::Fitting), "the bar `a` is negative: -1");
        assert_eq!(
            why(json!({"$type": "date", "repr": "?"}), Form::Fitting),
            "it is something that JSON has no form for"
        );
    }
}
