//! What stands in quotes, and behind a dollar sign.

use super::lexer::Lexer;

impl Lexer<'_> {
    pub(super) fn single(&mut self) {
        let opened = self.open_quote();
        while let Some(c) = self.quoted(opened, "single", ("'\"${", "}\"'")) {
            self.copy(c.len_utf8());
            if c == '\'' {
                return;
            }
            self.word().text.push(c);
        }
    }

    pub(super) fn double(&mut self) {
        let opened = self.open_quote();
        while let Some(c) = self.quoted(opened, "double", ("${", "}")) {
            match c {
                '"' => {
                    self.copy(1);
                    return;
                }
                '\\' => {
                    let taken = self.backslash();
                    let escaped = taken[1..].starts_with(['$', '`', '"', '\\', '\n']);
                    self.word().text.push_str(if escaped { &taken[1..] } else { taken });
                }
                '$' => self.dollar(true),
                '`' => self.backticks(),
                _ => {
                    self.copy(c.len_utf8());
                    self.word().text.push(c);
                }
            }
        }
    }

    /// Goes past what opens quotes, and gives where that is.
    fn open_quote(&mut self) -> usize {
        let opened = self.at;
        self.copy(1);
        self.word();
        self.in_run = false;
        opened
    }

    /// The next character in quotes, behind the placeholders that stand before it: each becomes a reference with this around it.
    /// `None` where the quotes are never closed.
    fn quoted(&mut self, opened: usize, kind: &str, (ahead, behind): (&str, &str)) -> Option<char> {
        while let Some(c) = self.rest().chars().next() {
            if c != '{' || !self.placeholder(ahead, behind) {
                self.in_run = c == '{';
                return Some(c);
            }
        }
        self.broken(opened, &format!("a {kind} quote is never closed"));
        None
    }

    /// What begins with a dollar sign.
    pub(super) fn dollar(&mut self, quoted: bool) {
        self.in_run = false;
        let rest = self.rest();
        let here = self.at;
        self.word().open = true;
        if rest.starts_with("${") {
            self.at += 1;
            let own = self.braced().filter(|(braced, _)| braced.is_placeholder());
            self.at = here;
            if let Some((braced, _)) = own {
                self.refuse(braced.name, here + 1, "stands behind a `$`, which makes a variable of the shell of it");
            }
            self.copy(2);
            self.nested('{', '}', "stands in a parameter expansion `${…}`");
        } else if rest.starts_with("$((") {
            self.copy(2);
            self.nested('(', ')', "stands in arithmetic `$((…))`");
        } else if rest.starts_with("$(") {
            self.copy(2);
            self.nested('(', ')', "stands in a command substitution `$(…)`");
        } else if rest.starts_with("$[") {
            self.copy(2);
            self.nested('[', ']', "stands in arithmetic `$[…]`");
        } else if rest.starts_with("$'") && !quoted {
            self.copy(2);
            self.closed_by('\'', here, "stands in `$'…'`", "a single quote is never closed");
        } else if rest.starts_with("$\"") && !quoted {
            self.unclear.get_or_insert("stands behind `$\"…\"`, which is translated");
            self.copy(1);
        } else {
            // `$$` and its like are variables of one character.
            let special = rest[1..].starts_with(['$', '?', '!', '#', '@', '*', '-']);
            self.copy(if special { 2 } else { 1 });
        }
    }

    /// Goes up to what closes a text in which backslashes keep the next character, and which takes no placeholder.
    fn closed_by(&mut self, close: char, opened: usize, reason: &str, open: &str) {
        while let Some(c) = self.rest().chars().next() {
            if self.refuse_here(c, reason) {
                continue;
            }
            let length = if c == '\\' { self.escape() } else { c.len_utf8() };
            self.copy(length);
            if c == close {
                return;
            }
        }
        self.broken(opened, open);
    }

    pub(super) fn backticks(&mut self) {
        let opened = self.at;
        self.word().open = true;
        self.copy(1);
        self.closed_by('`', opened, "stands in a command substitution `` `…` ``", "a backtick is never closed");
    }

    /// Refuses the placeholder that stands here, if one does, and goes past it.
    pub(super) fn refuse_here(&mut self, c: char, reason: &str) -> bool {
        let found = if c == '{' { self.braced() } else { None };
        let Some((braced, _)) = found else {
            self.in_run = c == '{';
            return false;
        };
        if braced.is_placeholder() {
            self.refuse(braced.name, self.at, reason);
        }
        let (ahead, _, behind) = braced.meaning();
        self.out.push_str(ahead);
        // A brace behind it may close what it stands in.
        self.at += braced.written.len() - behind.len();
        true
    }

    /// Goes past what a bracket opened, whose inside takes no placeholder.
    pub(super) fn nested(&mut self, open: char, close: char, reason: &'static str) {
        let opened = self.at;
        let mut depth = 1_usize;
        let mut quotes: Vec<char> = Vec::new();
        while let Some(c) = self.rest().chars().next() {
            if self.refuse_here(c, reason) {
                continue;
            }
            let rest = self.rest();
            // A `)` of `case`, or of a comment or a here-document, ends nothing: what follows cannot be told.
            if open == '(' && quotes.is_empty() && (rest.starts_with("case") || rest.starts_with("<<") || c == '#') {
                self.unclear.get_or_insert("stands behind a substitution with `case`, `#` or `<<` in it");
            }
            let length = if c == '\\' && quotes.last() != Some(&'\'') { self.escape() } else { c.len_utf8() };
            self.copy(length);
            match (quotes.last().copied(), c) {
                (Some(quote), c) if c == quote => drop(quotes.pop()),
                (Some('\''), _) => {}
                (None, '\'' | '"' | '`') => quotes.push(c),
                (Some('"'), '`') | (Some('`'), '"' | '\'') => quotes.push(c),
                (Some('"'), '$') if self.rest().starts_with(['(', '{']) => {
                    self.unclear.get_or_insert("stands behind a substitution within quotes within a substitution");
                }
                (Some(_), _) => {}
                (None, c) if c == open => depth += 1,
                (None, c) if c == close => {
                    depth -= 1;
                    if depth == 0 {
                        return;
                    }
                }
                _ => {}
            }
        }
        self.broken(opened, &format!("a `{open}` is never closed"));
    }
}
