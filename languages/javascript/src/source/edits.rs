use oxc::span::Span;
use std::ops::Range;

/// Changes to a source text that keep every line where it is.
///
/// A change either inserts text without line breaks, or blanks a stretch: every character of it but line breaks becomes a
/// space. So the lines of the result are those of the original, and a column is found again by taking off what was
/// inserted before it on its line.
#[derive(Debug, Default)]
pub(crate) struct Edits {
    changes: Vec<Change>,
}

#[derive(Debug)]
struct Change {
    start: usize,
    end: usize,
    /// What is inserted before `start`; for a blank, its first character where that is not a space.
    text: String,
}

impl Edits {
    /// Inserts text at a byte offset. Of two insertions at one place the earlier one comes first.
    pub(crate) fn insert(&mut self, at: u32, text: impl Into<String>) {
        let text = text.into();
        debug_assert!(!text.contains(['\n', '\r']));
        self.changes.push(Change { start: at as usize, end: at as usize, text });
    }

    /// Blanks a stretch.
    pub(crate) fn blank(&mut self, span: Span) {
        self.changes.push(Change { start: span.start as usize, end: span.end as usize, text: String::new() });
    }

    /// Blanks a stretch and leaves a character at its start.
    pub(crate) fn blank_to(&mut self, span: Span, first: char) {
        self.changes.push(Change { start: span.start as usize, end: span.end as usize, text: first.into() });
    }

    /// Blanks a statement and leaves a semicolon at its start, so that the lines around it do not run together.
    pub(crate) fn blank_statement(&mut self, span: Span) {
        self.changes.push(Change { start: span.start as usize, end: span.end as usize, text: ";".into() });
    }

    /// The changed text, and how to find columns of the original again.
    pub(crate) fn apply(self, source: &str) -> (String, Columns) {
        let (out, columns, _) = self.apply_and_trace(source);
        (out, columns)
    }

    /// As [`Edits::apply`], with where each stretch of the source has gone.
    pub(crate) fn apply_and_trace(mut self, source: &str) -> (String, Columns, Trace) {
        // A stable sort: insertions at one place stay in the order in which they were asked for, before what is blanked.
        self.changes.sort_by_key(|change| (change.start, change.end != change.start));
        let mut out = String::with_capacity(source.len() + self.changes.iter().map(|c| c.text.len()).sum::<usize>());
        let mut columns = Columns::default();
        let mut trace = Trace::default();
        let mut lines = Lines { source, line: 1, start: 0 };
        let mut at = 0;
        for change in self.changes {
            // What lies inside something already blanked is gone.
            if change.start < at {
                continue;
            }
            out.push_str(&source[at..change.start]);
            at = change.end;
            let begun = out.len();
            if change.start == change.end {
                let (line, column) = lines.locate(change.start);
                columns.inserted.push((line, column, length(&change.text)));
                out.push_str(&change.text);
                trace.steps.push((change.start..change.end, begun..out.len()));
                continue;
            }
            let mut first = change.text.chars().next();
            for character in source[change.start..change.end].chars() {
                out.push(match character {
                    '\n' | '\r' | '\u{2028}' | '\u{2029}' => character,
                    _ => first.take().unwrap_or(' '),
                });
            }
            trace.steps.push((change.start..change.end, begun..out.len()));
        }
        out.push_str(&source[at..]);
        (out, columns, trace)
    }
}

/// Where the changes are, in the source and in the changed text, in the order of both.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    steps: Vec<(Range<usize>, Range<usize>)>,
}

impl Trace {
    /// The stretches of the changed text that one of the source may have become. What was inserted right before it stands
    /// outside; what was inserted right behind it may belong to it or to what surrounds it, so there is one for each.
    pub(crate) fn stretches(&self, span: Span) -> impl Iterator<Item = Range<usize>> + '_ {
        const MOST: usize = 8;
        let (from, to) = (span.start as usize, span.end as usize);
        let start = self.place(from, self.steps.partition_point(|(source, _)| source.end <= from));
        let first = self.steps.partition_point(|(source, _)| source.end < to);
        let last = self.steps.partition_point(|(source, _)| source.end <= to).min(first + MOST);
        (first..=last).map(move |steps| start..self.place(to, steps))
    }

    /// Where a place of the source stands behind so many changes.
    fn place(&self, at: usize, steps: usize) -> usize {
        match steps.checked_sub(1).and_then(|last| self.steps.get(last)) {
            Some((source, out)) => out.end + at.saturating_sub(source.end),
            None => at,
        }
    }
}

/// Where insertions were made: line, column and length, in the order of the text.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    inserted: Vec<(u32, u32, u32)>,
    /// What was put before the source's first character before it was parsed.
    before: u32,
}

impl Columns {
    /// The column of the original for one of the changed text, both from 1, on the same line.
    pub(crate) fn original(&self, line: u32, column: u32) -> u32 {
        let mut shift = 0;
        for &(_, at, length) in self.inserted.iter().filter(|(l, ..)| *l == line) {
            if column <= at + shift {
                break;
            }
            if column < at + shift + length {
                return at.saturating_sub(if line == 1 { self.before } else { 0 }).max(1);
            }
            shift += length;
        }
        let before = if line == 1 { self.before } else { 0 };
        column.saturating_sub(shift + before).max(1)
    }

    /// The same for a source that has so many characters more at its start than its author knows.
    pub(crate) fn behind(mut self, before: u32) -> Columns {
        self.before = before;
        self
    }
}

fn length(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

/// Lines and columns of ever larger offsets.
struct Lines<'a> {
    source: &'a str,
    line: u32,
    start: usize,
}

impl Lines<'_> {
    fn locate(&mut self, offset: usize) -> (u32, u32) {
        while let Some(end) = self.source[self.start..offset].find('\n') {
            self.start += end + 1;
            self.line += 1;
        }
        (self.line, length(&self.source[self.start..offset]) + 1)
    }
}

/// Line and column, both from 1, of a byte offset.
pub(crate) fn locate(source: &str, offset: usize) -> (u32, u32) {
    let offset = (0..=offset.min(source.len())).rev().find(|&at| source.is_char_boundary(at)).unwrap_or(0);
    Lines { source, line: 1, start: 0 }.locate(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_again() {
        let source = "a\nbé(c)\n";
        let mut edits = Edits::default();
        edits.insert(2, "return ");
        edits.blank(Span::new(3, 5));
        edits.insert(6, "xx");
        let (text, columns) = edits.apply(source);
        assert_eq!(text, "a\nreturn b (xxc)\n");
        assert_eq!(columns.original(1, 1), 1);
        assert_eq!(columns.original(2, 8), 1);
        assert_eq!(columns.original(2, 10), 3);
        assert_eq!(columns.original(2, 13), 4);
        assert_eq!(columns.original(2, 14), 5);
    }

    #[test]
    fn blanking_keeps_line_breaks() {
        let mut edits = Edits::default();
        edits.blank_statement(Span::new(0, 15));
        assert_eq!(edits.apply("interface A {\n}b").0, ";            \n b");
    }
}
