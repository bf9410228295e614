//! Where an answer ends: a program's output is read as it comes, in whatever parts.

use super::protocol::Pattern;

/// The most of an output's end in which a prompt is looked for, in bytes.
const TAIL: usize = 8192;

/// What ends an answer.
#[derive(Clone, Copy)]
pub(super) enum Until<'a> {
    /// The end of a line.
    Line,
    /// A line that says that the program is ready. No line before it is an answer.
    Ready(&'a Pattern),
    /// A prompt, once nothing comes after it.
    Prompt(&'a Pattern),
    /// A word at the end of a line.
    Marker {
        /// The word.
        word: &'a str,
        /// The line that was sent to have it printed: a program that echoes writes that as well.
        sent: &'a str,
    },
}

/// The output of a program since its request.
pub(super) struct Reader<'a> {
    until: Until<'a>,
    answer: Vec<u8>,
    /// What was read of it last: a line that has not ended, or all where no line means anything.
    open: Vec<u8>,
    /// What came after the answer.
    rest: Vec<u8>,
    /// The number behind the marker.
    status: Option<i32>,
    done: bool,
}

/// What was read of an output.
#[derive(Default)]
pub(super) struct Answer {
    /// The answer, or as much of it as there is.
    pub(super) bytes: Vec<u8>,
    /// What the program wrote after it.
    pub(super) rest: Vec<u8>,
    /// How the request ended, where the program says so behind its marker.
    pub(super) status: Option<i32>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(until: Until<'a>) -> Reader<'a> {
        Reader { until, answer: Vec::new(), open: Vec::new(), rest: Vec::new(), status: None, done: false }
    }

    /// Takes more output. Gives whether the answer is all there.
    pub(super) fn take(&mut self, bytes: &[u8]) -> bool {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.done {
                self.rest.extend_from_slice(part);
                continue;
            }
            self.open.extend_from_slice(part);
            if part.ends_with(b"\n") && !matches!(self.until, Until::Prompt(_)) {
                self.end_line();
            }
        }
        self.done
    }

    /// Nothing has come for a moment. Gives whether the answer is all there.
    pub(super) fn quiet(&mut self) -> bool {
        match self.until {
            _ if self.done => {}
            Until::Prompt(prompt) => {
                let from = self.open.len().saturating_sub(TAIL);
                if let Some(at) = prompt.at_end(&self.open[from..]) {
                    self.open.truncate(from + at);
                    self.answer.append(&mut self.open);
                    self.done = true;
                }
            }
            // It need not end its line.
            Until::Marker { word, .. } if marked(&self.open, word).is_some() => self.end_line(),
            _ => {}
        }
        self.done
    }

    /// The line that was read last has ended.
    fn end_line(&mut self) {
        let line = self.open.strip_suffix(b"\n").unwrap_or(&self.open);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match self.until {
            Until::Line => {
                self.answer.extend_from_slice(line);
                self.done = true;
            }
            Until::Ready(pattern) => self.done = pattern.is_in(line),
            Until::Marker { word, sent } => match marked(line, word) {
                None => self.answer.extend_from_slice(&self.open),
                Some(_) if sent != word && line.ends_with(sent.as_bytes()) => {}
                Some((before, status)) => {
                    self.answer.extend_from_slice(before);
                    self.status = status;
                    self.done = true;
                }
            },
            Until::Prompt(_) => self.answer.extend_from_slice(&self.open),
        }
        self.open.clear();
    }

    /// Forgets what is too much, but for what the end of the answer can be told by.
    pub(super) fn forget(&mut self) {
        self.answer = Vec::new();
        let most = self.open.len().saturating_sub(TAIL);
        self.open.drain(..most);
    }

    /// What was read.
    pub(super) fn into_answer(mut self) -> Answer {
        self.answer.append(&mut self.open);
        Answer { bytes: self.answer, rest: self.rest, status: self.status }
    }
}

/// What stands before a marker at the end of a line, and the number behind it.
fn marked<'a>(line: &'a [u8], word: &str) -> Option<(&'a [u8], Option<i32>)> {
    if let Some(before) = line.strip_suffix(word.as_bytes()) {
        return Some((before, None));
    }
    let blank = line.iter().rposition(|byte| *byte == b' ')?;
    let status = std::str::from_utf8(&line[blank + 1..]).ok()?.parse().ok()?;
    Some((line[..blank].strip_suffix(word.as_bytes())?, Some(status)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read of an output that comes in two parts, wherever it is cut; whether it has to be quiet at the end.
    fn read(until: Until<'_>, output: &str, quiet: bool) -> Option<(String, String)> {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let mut all = (0..=output.len()).map(|cut| {
            let mut reader = Reader::new(until);
            let (first, second) = output.as_bytes().split_at(cut);
            reader.take(first);
            let done = reader.take(second) || (quiet && reader.quiet());
            let answer = reader.into_answer();
            done.then(|| (text(answer.bytes), text(answer.rest)))
        });
        let first = all.next().unwrap();
        assert!(all.all(|other| other == first), "{output:?}: {first:?}");
        first
    }

    fn some(answer: &str, rest: &str) -> Option<(String, String)> {
        Some((answer.to_owned(), rest.to_owned()))
    }

    #[test]
    fn a_line_ends_with_its_line_break() {
        assert_eq!(read(Until::Line, "4 2\r\n", false), some("4 2", ""));
        assert_eq!(read(Until::Line, "\nmore\n", false), some("", "more\n"));
        assert_eq!(read(Until::Line, "not yet", true), None);
        let pattern = Pattern::new("READY").unwrap();
        assert_eq!(read(Until::Ready(&pattern), "v1\nhello READY\r\nmore", false), some("", "more"));
        assert_eq!(read(Until::Ready(&pattern), "READY", true), None);
    }

    #[test]
    fn a_prompt_ends_an_answer_where_nothing_follows() {
        let pattern = Pattern::new("db> ").unwrap();
        assert_eq!(read(Until::Prompt(&pattern), "1\r\ndb> ", true), some("1\r\n", ""));
        assert_eq!(read(Until::Prompt(&pattern), "42db> ", true), some("42", ""));
        assert_eq!(
            read(Until::Prompt(&pattern), "db> is what\n it says\ndb> ", true),
            some("db> is what\n it says\n", "")
        );
        assert_eq!(read(Until::Prompt(&pattern), "1\ndb> ", false), None);
        assert_eq!(read(Until::Prompt(&pattern), "1\ndb> and", true), None);
    }

    #[test]
    fn a_marker_ends_an_answer_but_its_echo_does_not() {
        let until = Until::Marker { word: "f00d", sent: ".print f00d" };
        assert_eq!(read(until, "1\n2\nf00d\r\n> ", false), some("1\n2\n", "> "));
        assert_eq!(read(until, "42f00d", true), some("42", ""));
        assert_eq!(read(until, "> .print f00d\n1\nf00d\n", false), some("1\n", ""));
        assert_eq!(read(until, "> .print f00d", false), None);
        assert_eq!(read(until, "a f00d b\n", true), None);
        assert_eq!(read(until, "1\n2 f00d 130\r\n", false), some("1\n2 ", ""));
        assert_eq!(read(until, "1\nf00d x\n", true), None);
        let mut reader = Reader::new(until);
        assert!(reader.take(b"f00d 130\n"));
        assert_eq!(reader.into_answer().status, Some(130));
        let until = Until::Marker { word: "f00d", sent: "print('f00d')" };
        assert_eq!(read(until, "print('f00d')\nf00d\n", false), some("print('f00d')\n", ""));
        // Who writes back what it reads has nothing else to say.
        let until = Until::Marker { word: "f00d", sent: "f00d" };
        assert_eq!(read(until, "1\nf00d\n", false), some("1\n", ""));
    }

    #[test]
    fn what_is_too_much_is_forgotten_but_its_end_is_found() {
        let pattern = Pattern::new("db> ").unwrap();
        let mut reader = Reader::new(Until::Prompt(&pattern));
        reader.take(&[b'x'; 100_000]);
        reader.forget();
        reader.take(b"\ndb> ");
        assert!(reader.quiet());
        assert!(reader.into_answer().bytes.len() <= TAIL + 1);
    }
}
