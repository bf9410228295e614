//! How values and errors look in a session.

use super::highlight;
use super::reflow::{reflow, words};
use super::screen::Screen;
use super::table;
use crate::render;
use clap::builder::styling::{AnsiColor, Effects, Style};
use serde_json::Value;
use skills::core::Shown;
use skills::{Error, Language};
use std::time::Duration;
use unicode_width::UnicodeWidthStr as _;

/// The most rows that a value takes in a terminal.
const MOST_ROWS: usize = 40;

/// The fewest rows that a value may take however low the terminal is.
const FEWEST_ROWS: usize = 8;

/// A value, ready to print.
#[derive(Debug)]
pub(crate) struct Display {
    /// What is printed.
    pub(crate) text: String,
    /// All of it, where that is more than what is printed.
    pub(crate) all: Option<String>,
}

/// A value as a person wants to see it: as its language shows it, coloured and cut; a list of objects as a table.
pub(crate) fn value(language: Language, shown: &Shown, value: &Value, screen: &Screen) -> Display {
    if !screen.terminal {
        let end = if shown.cut { "…" } else { "" };
        return Display { text: format!("{}{end}", shown.text), all: None };
    }
    let (columns, rows) = screen.size();
    let own = || render::harmless(&reflow(&shown.text, columns));
    let table = table::draw(value, columns);
    let colored = table.is_none();
    let (whole, hidden) = match table {
        Some(table) => (table.text, !table.whole),
        None => (own(), false),
    };
    let most = rows.saturating_sub(4).clamp(FEWEST_ROWS, MOST_ROWS);
    let (kept, left) = cut(&whole, most, columns);
    let mut text = match colored && screen.color {
        true => highlight::paint(language, kept),
        false => kept.to_owned(),
    };
    let is_cut = left > 0 || shown.cut;
    if is_cut {
        let lines = match left {
            0 | 1 => "more".to_owned(),
            lines => format!("{lines} more lines"),
        };
        text.push_str(&screen.styled(dim(), &format!("\n… {lines} (%all to see everything)")));
    }
    // Where the cells of a table are not all that there is, the value as its language writes it.
    let all = if hidden { Some(own()) } else { is_cut.then_some(whole) };
    Display { text, all }
}

/// As much of a text as these rows hold, and how many of its lines are left.
fn cut(text: &str, most: usize, columns: usize) -> (&str, usize) {
    let (mut rows, mut end) = (0, 0);
    for line in text.split_inclusive('\n') {
        let takes = line.trim_end_matches('\n').width().div_ceil(columns).max(1);
        if rows + takes > most {
            // Of a line that is too long by itself, what there is room for.
            let room = (most - rows) * columns;
            let part = line.char_indices().nth(room.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
            let left = text[end..].lines().count();
            let kept = if takes > 1 { end + part } else { end };
            return (text[..kept].trim_end_matches('\n'), left);
        }
        rows += takes;
        end += line.len();
    }
    (text, 0)
}

/// A time in a few characters.
pub(crate) fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let (number, unit) = match seconds {
        s if s >= 3600.0 => (s / 3600.0, "h"),
        s if s >= 60.0 => (s / 60.0, "min"),
        s if s >= 1.0 || s == 0.0 => (s, "s"),
        s if s >= 1e-3 => (s * 1e3, "ms"),
        s => (s * 1e6, "µs"),
    };
    format!("{} {unit}", three(number))
}

/// A number of bytes in a few characters.
pub(crate) fn bytes(bytes: u64) -> String {
    let units = [(30, "GB"), (20, "MB"), (10, "KB")];
    match units.into_iter().find(|(shift, _)| bytes >> shift > 0) {
        Some((shift, unit)) => format!("{} {unit}", three(bytes as f64 / (1u64 << shift) as f64)),
        None => format!("{bytes} B"),
    }
}

/// A whole number with commas between its thousands.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number with three digits that count.
fn three(number: f64) -> String {
    let decimals = match number {
        n if n >= 100.0 => 0,
        n if n >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{number:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// What is not as important.
pub(crate) fn dim() -> Style {
    AnsiColor::BrightBlack.on_default()
}

/// An error with its call stack, in colours where they are seen: the source lines as source, the place in red.
pub(crate) fn error(language: Language, error: &Error, screen: &Screen) -> String {
    let plain = error.render(screen.color);
    let plain = if screen.terminal { broken(&plain, screen.size().0) } else { plain };
    if !screen.color {
        return plain;
    }
    let red = AnsiColor::Red.on_default();
    let mut out = String::with_capacity(plain.len() * 2);
    for line in plain.split_inclusive('\n') {
        let text = line.trim_end_matches('\n');
        let styled = match text {
            _ if text.starts_with("error:") => {
                text.replacen("error:", &screen.styled(red.effects(Effects::BOLD), "error:"), 1)
            }
            _ if text.starts_with("help:") => {
                text.replacen("help:", &screen.styled(AnsiColor::Cyan.on_default().bold(), "help:"), 1)
            }
            _ if text.starts_with("  --> ") => screen.styled(dim(), text),
            _ => excerpt(language, text, screen).unwrap_or_else(|| text.to_owned()),
        };
        out.push_str(&styled);
        out.push_str(&line[text.len()..]);
    }
    out
}

/// The text of an error with its messages broken between words; source stays as it is written.
fn broken(text: &str, width: usize) -> String {
    let is_message = |line: &str| line.starts_with("error:") || line.starts_with("help:");
    text.split_inclusive('\n').map(|line| if is_message(line) { words(line, width) } else { line.to_owned() }).collect()
}

/// A line of an excerpt: a gutter with a number or without, a bar, source or a caret.
fn excerpt(language: Language, line: &str, screen: &Screen) -> Option<String> {
    let (gutter, rest) = line.split_once('|')?;
    if !gutter.chars().all(|c| c.is_ascii_digit() || c == ' ') {
        return None;
    }
    let source = match rest.trim() {
        "^" => screen.styled(AnsiColor::Red.on_default().bold(), rest),
        _ => highlight::paint(language, rest),
    };
    Some(format!("{}{source}", screen.styled(dim(), &format!("{gutter}|"))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(text: &str) -> Shown {
        Shown { type_name: "list".into(), text: text.into(), cut: false, png: None }
    }

    #[test]
    fn what_is_long_is_cut_and_kept() {
        let lines = (0..100).map(|n| n.to_string()).collect::<Vec<_>>().join("\n");
        let display = value(Language::Python, &shown(&lines), &json!(1), &Screen::plain(80, 24));
        assert_eq!(display.text.lines().count(), 21);
        assert!(display.text.ends_with("19\n… 80 more lines (%all to see everything)"), "{}", display.text);
        assert_eq!(display.all.as_deref(), Some(lines.as_str()));
        let line = "x".repeat(10_000);
        let display = value(Language::Python, &shown(&line), &json!(1), &Screen::plain(80, 24));
        assert!(display.text.len() < 80 * 21 + 60, "{}", display.text.len());
        assert_eq!(display.all, Some(line));
    }

    #[test]
    fn what_is_short_is_shown_as_it_is_and_harmless() {
        let display = value(Language::Python, &shown("'a'"), &json!("a"), &Screen::plain(80, 24));
        assert_eq!((display.text.as_str(), display.all), ("'a'", None));
        let display = value(Language::Python, &shown("\u{1b}[2J"), &json!("a"), &Screen::plain(80, 24));
        assert_eq!(display.text, "\u{241b}[2J");
    }

    #[test]
    fn amounts_have_three_digits_that_count() {
        assert_eq!(time(Duration::from_micros(1534)), "1.53 ms");
        assert_eq!((time(Duration::from_secs(10)), time(Duration::from_secs(90))), ("10 s".into(), "1.5 min".into()));
        assert_eq!((bytes(64 << 20), bytes(1536), bytes(12)), ("64 MB".into(), "1.5 KB".into(), "12 B".into()));
        assert_eq!((count(1_234_567), count(12), count(100)), ("1,234,567".into(), "12".into(), "100".into()));
    }

    #[test]
    fn a_cut_cell_is_seen_as_a_whole_elsewhere() {
        let rows = json!([{"a": "z".repeat(99)}, {"a": "y"}]);
        let display = value(Language::Python, &shown("[{'a': 'zz…"), &rows, &Screen::plain(80, 24));
        assert!(display.text.contains("z…"), "{}", display.text);
        assert_eq!(display.all.as_deref(), Some("[{'a': 'zz…"));
    }

    #[test]
    fn a_list_of_objects_is_a_table() {
        let rows = json!([{"a": 1, "b": "x"}, {"a": 20, "b": "y"}]);
        let display = value(Language::Python, &shown("[{'a': 1…"), &rows, &Screen::plain(80, 24));
        assert_eq!(display.text, " a   b\n────────\n 1   x\n20   y");
    }
}
