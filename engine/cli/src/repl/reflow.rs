//! Breaks the text of a long value into lines, whatever language wrote it: where brackets stand, with indentation.

use unicode_width::UnicodeWidthStr as _;

/// The deepest nesting that is followed: what is deeper stays on its line.
const DEEPEST: usize = 32;

/// The text of a value, broken into lines where it is wider than that. A text of several lines is left as it is, and so is
/// one whose brackets do not match.
pub(crate) fn reflow(text: &str, width: usize) -> String {
    if text.contains('\n') || text.width() <= width {
        return text.to_owned();
    }
    let mut reader = Reader { text, at: 0 };
    let Some(parts) = reader.parts(0) else { return text.to_owned() };
    if reader.at != text.len() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() * 2);
    write(&parts, 0, width, &mut out);
    out
}

/// A text broken between its words where its lines are wider than that.
pub(crate) fn words(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 40);
    for line in text.split_inclusive('\n') {
        let mut column = 0;
        for word in line.split_inclusive(' ') {
            let wide = word.trim_end().width();
            if column > 0 && column + wide > width {
                out.truncate(out.trim_end_matches(' ').len());
                out.push('\n');
                column = 0;
            }
            out.push_str(word);
            column += word.width();
        }
    }
    out
}

/// A piece of a value's text.
enum Part<'t> {
    /// What has no brackets, with the comma behind it.
    Text(&'t str),
    /// What stands between brackets.
    Group { whole: &'t str, open: &'t str, items: Vec<Vec<Part<'t>>>, close: &'t str },
}

impl Part<'_> {
    fn width(&self) -> usize {
        match self {
            Part::Text(text) | Part::Group { whole: text, .. } => text.width(),
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    /// Reads up to a comma or a closing bracket that is not its own. `None` where brackets do not match.
    fn parts(&mut self, depth: usize) -> Option<Vec<Part<'t>>> {
        let mut parts = Vec::new();
        let mut start = self.at;
        while let Some(c) = self.text[self.at..].chars().next() {
            match c {
                ',' | ')' | ']' | '}' if depth > 0 => break,
                ')' | ']' | '}' => return None,
                '\'' | '"' | '`' => self.string(c)?,
                '(' | '[' | '{' if depth < DEEPEST => {
                    let begin = self.at;
                    if start < begin {
                        parts.push(Part::Text(&self.text[start..begin]));
                    }
                    parts.push(self.group(begin, c, depth)?);
                    start = self.at;
                }
                _ => self.at += c.len_utf8(),
            }
        }
        if start < self.at {
            parts.push(Part::Text(&self.text[start..self.at]));
        }
        Some(parts)
    }

    fn group(&mut self, begin: usize, open: char, depth: usize) -> Option<Part<'t>> {
        self.at += open.len_utf8();
        let mut items = Vec::new();
        loop {
            self.spaces();
            let item = self.parts(depth + 1)?;
            if !item.is_empty() {
                items.push(item);
            }
            let next = self.text[self.at..].chars().next()?;
            self.at += next.len_utf8();
            if next != ',' {
                let fits = matches!((open, next), ('(', ')') | ('[', ']') | ('{', '}'));
                let close = &self.text[self.at - 1..self.at];
                let whole = &self.text[begin..self.at];
                return fits.then_some(Part::Group { whole, open: &self.text[begin..begin + 1], items, close });
            }
        }
    }

    fn spaces(&mut self) {
        self.at += self.text[self.at..].len() - self.text[self.at..].trim_start().len();
    }

    /// Passes a string.
    fn string(&mut self, quote: char) -> Option<()> {
        let mut chars = self.text[self.at + 1..].char_indices();
        while let Some((offset, c)) = chars.next() {
            if c == '\\' {
                chars.next();
            } else if c == quote {
                self.at += 1 + offset + 1;
                return Some(());
            }
        }
        None
    }
}

fn write(parts: &[Part<'_>], indent: usize, width: usize, out: &mut String) {
    for part in parts {
        let used = out.rsplit('\n').next().map_or(0, |line| line.width());
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Group { whole, .. } if used + part.width() < width => out.push_str(whole),
            Part::Group { open, items, close, .. } => {
                out.push_str(open);
                lines(items, indent + 2, width, out);
                out.push_str(&format!("\n{}{close}", " ".repeat(indent)));
            }
        }
    }
}

/// The items of a group: short ones without brackets side by side, others on a line each.
fn lines(items: &[Vec<Part<'_>>], indent: usize, width: usize, out: &mut String) {
    let flat =
        |item: &Vec<Part<'_>>| matches!(item.as_slice(), [Part::Text(text)] if text.len() <= 20 && !text.contains(':'));
    let fill = items.iter().all(flat);
    let mut column = 0;
    for (index, item) in items.iter().enumerate() {
        let wide: usize = item.iter().map(Part::width).sum();
        if fill && index > 0 && column + wide + 2 < width {
            out.push(' ');
            column += wide + 2;
        } else {
            out.push_str(&format!("\n{}", " ".repeat(indent)));
            column = indent + wide + 1;
        }
        write(item, indent, width, out);
        if index + 1 < items.len() {
            out.push(',');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_stays() {
        assert_eq!(reflow("{'a': 1}", 40), "{'a': 1}");
        assert_eq!(reflow("a\nb", 1), "a\nb");
    }

    #[test]
    fn what_is_wide_is_broken_at_its_brackets() {
        let text = "{'orders': [{'id': 'A1', 'total': 12.5}, {'id': 'B,2', 'total': 9.1}], 'paid': True}";
        let broken = "{\n  'orders': [\n    {'id': 'A1', 'total': 12.5},\n    {'id': 'B,2', 'total': 9.1}\n  ],\n  'paid': True\n}";
        assert_eq!(reflow(text, 40), broken);
    }

    #[test]
    fn short_items_stand_side_by_side() {
        let list = (0..30).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
        let broken = reflow(&format!("[{list}]"), 40);
        assert!(broken.lines().all(|line| line.width() <= 40), "{broken}");
        assert_eq!(broken.lines().count(), 5, "{broken}");
        assert_eq!(broken.replace(['\n', ' '], ""), format!("[{}]", list.replace(' ', "")));
    }

    #[test]
    fn words_are_not_parted() {
        assert_eq!(words("one two three\nfour", 9), "one two\nthree\nfour");
        assert_eq!(words("日本 日本 x", 7), "日本\n日本 x");
        assert_eq!(words("a-very-long-word b", 5), "a-very-long-word\nb");
        assert_eq!(words("short", 80), "short");
    }

    #[test]
    fn what_does_not_match_is_left_alone() {
        for text in [
            "<Thing at [0x1234>, and something else that is long",
            "it's [1, 2, 3] and more and more and more",
            "([)]".repeat(9).as_str(),
        ] {
            assert_eq!(reflow(text, 10), text);
        }
        let deep = ["[", "]"].map(|bracket| bracket.repeat(5000)).concat();
        reflow(&deep, 20);
    }
}
