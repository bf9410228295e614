//! One pass over shell source: what surrounds each placeholder, and the words that the checks look at.

use super::words::{Hole, Word};
use super::{Refusal, Source, nested, refusal};
use crate::environment;
use skills_core::template::Braced;

/// One simple command.
#[derive(Debug, Default)]
struct Simple {
    words: Vec<Word>,
    /// Words of `<<<`, which are the command's input.
    input: Vec<Word>,
    /// Whether its input is what another command prints.
    piped: bool,
    /// Whether a `--` has ended its options.
    ended: bool,
    /// Where it ends in the text.
    end: usize,
}

/// What the next word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Argument,
    /// The file of a redirection.
    File,
    /// The number of a redirection.
    Descriptor,
    /// The input that follows `<<<`.
    Input,
}

pub(super) struct Lexer<'a> {
    text: &'a str,
    variable: &'a dyn Fn(&str) -> Option<String>,
    pub(super) at: usize,
    pub(super) out: String,
    word: Option<Word>,
    next: Next,
    command: Simple,
    commands: Vec<Simple>,
    holes: Vec<Hole>,
    guarded: Vec<String>,
    refusals: Vec<Refusal>,
    /// Why no placeholder can stand from here on.
    pub(super) unclear: Option<&'static str>,
    /// Inside `[[ … ]]`.
    condition: bool,
    /// A run of braces is looked at where it begins.
    pub(super) in_run: bool,
}

/// Words that stand before a command without being one.
const RESERVED: &[&str] =
    &["!", "{", "}", "if", "then", "else", "elif", "fi", "while", "until", "do", "done", "esac", "time"];

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str, variable: &'a dyn Fn(&str) -> Option<String>) -> Lexer<'a> {
        Lexer {
            text,
            variable,
            at: 0,
            out: String::with_capacity(text.len() * 2),
            word: None,
            next: Next::Argument,
            command: Simple::default(),
            commands: Vec::new(),
            holes: Vec::new(),
            guarded: Vec::new(),
            refusals: Vec::new(),
            unclear: None,
            condition: false,
            in_run: false,
        }
    }

    pub(super) fn read(mut self) -> Result<Source, Vec<Refusal>> {
        while let Some(c) = self.rest().chars().next() {
            self.unquoted(c);
        }
        self.end_command(false);
        self.check_nested();
        if self.refusals.is_empty() {
            self.guarded.sort_unstable();
            self.guarded.dedup();
            return Ok(Source { text: self.out, guarded: self.guarded });
        }
        self.refusals.sort_by_key(|refusal| refusal.at);
        self.refusals.dedup_by_key(|refusal| (refusal.at, refusal.parameter.clone()));
        Err(self.refusals)
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Copies bytes of the source as they are.
    pub(super) fn copy(&mut self, length: usize) -> &'a str {
        let taken = &self.rest()[..length];
        self.out.push_str(taken);
        self.at += length;
        taken
    }

    /// The length of the next character behind an offset.
    pub(super) fn length_at(&self, offset: usize) -> usize {
        self.rest()[offset..].chars().next().map_or(0, char::len_utf8)
    }

    /// The name in braces that stands here, where it is a parameter's.
    pub(super) fn braced(&self) -> Option<(Braced<'a>, String)> {
        if self.in_run {
            return None;
        }
        let braced = Braced::at(self.rest())?;
        (self.variable)(braced.name).map(|variable| (braced, variable))
    }

    pub(super) fn word(&mut self) -> &mut Word {
        self.word.get_or_insert_with(Word::default)
    }

    pub(super) fn refuse(&mut self, name: &str, at: usize, reason: &str) {
        let variable = (self.variable)(name);
        let hole = Hole { name: name.to_owned(), at };
        self.refusals.push(refusal(&hole, reason, variable.as_deref()));
    }

    pub(super) fn broken(&mut self, at: usize, message: &str) {
        let help = "write the command as you would type it into a shell".to_owned();
        self.refusals.push(Refusal { parameter: None, at, message: message.to_owned(), help });
    }

    /// One step outside of quotes.
    fn unquoted(&mut self, c: char) {
        if c == '{' && self.placeholder("\"${", "}\"") {
            return;
        }
        self.in_run = c == '{';
        match c {
            ' ' | '\t' | '\r' => {
                self.end_word();
                self.copy(1);
            }
            '\n' | ';' | '&' | '|' | '(' | ')' => self.operator(c),
            '<' | '>' => self.redirection(),
            '#' if self.word.is_none() => self.comment(),
            '\'' => self.single(),
            '"' => self.double(),
            '`' => self.backticks(),
            '$' => self.dollar(false),
            '\\' => {
                let taken = self.backslash();
                if taken != "\\\n" {
                    self.word().text.push_str(&taken[1..]);
                }
            }
            _ => {
                self.copy(c.len_utf8());
                self.word().text.push(c);
            }
        }
    }

    /// A placeholder, or a name in doubled braces, where one stands. `before` and `after` go around its variable.
    pub(super) fn placeholder(&mut self, before: &str, after: &str) -> bool {
        let Some((braced, variable)) = self.braced() else { return false };
        let at = self.at;
        let (ahead, value, behind) = braced.meaning();
        self.at += braced.written.len();
        self.out.push_str(ahead);
        self.word().text.push_str(ahead);
        if value {
            if let Some(reason) = self.reason_here() {
                self.refuse(braced.name, at, reason);
            }
            self.out.push_str(before);
            self.out.push_str(&variable);
            self.out.push_str(after);
            self.word().hole(braced.name, at);
            self.holes.push(Hole { name: braced.name.to_owned(), at });
            self.out.push_str(behind);
            self.word().text.push_str(behind);
        }
        true
    }

    /// Why no placeholder can stand here, whatever its quotes.
    fn reason_here(&self) -> Option<&'static str> {
        if self.condition {
            return Some("stands in `[[ … ]]`, which reads values as patterns and as arithmetic");
        }
        self.unclear
    }

    /// A backslash and what it stands before. Before a placeholder it would take the meaning from what replaces that.
    pub(super) fn backslash(&mut self) -> &'a str {
        self.at += 1;
        if let Some((braced, _)) = self.braced().filter(|(braced, _)| braced.is_placeholder()) {
            self.refuse(braced.name, self.at, "stands behind a backslash");
        }
        self.at -= 1;
        self.copy(self.escape())
    }

    /// The length of a backslash with the character that it keeps. A name in braces is not kept from being read.
    pub(super) fn escape(&self) -> usize {
        let braced = Braced::at(&self.rest()[1..]).is_some_and(|braced| (self.variable)(braced.name).is_some());
        if braced { 1 } else { 1 + self.length_at(1) }
    }

    fn comment(&mut self) {
        while let Some(c) = self.rest().chars().next().filter(|c| *c != '\n') {
            if !self.refuse_here(c, "stands in a comment") {
                self.copy(c.len_utf8());
            }
        }
        self.in_run = false;
    }

    fn operator(&mut self, c: char) {
        let rest = self.rest();
        if rest.starts_with("((") && self.word.is_none() {
            self.copy(1);
            self.nested('(', ')', "stands in arithmetic `((…))`");
            return;
        }
        // `&>file`: a redirection; `|&` is a pipe.
        if rest.starts_with("&>") {
            self.copy(1);
            return self.redirection();
        }
        let pipe = c == '|' && !rest.starts_with("||");
        let length = if ["&&", "||", "|&", ";;"].iter().any(|operator| rest.starts_with(operator)) { 2 } else { 1 };
        self.end_command(pipe);
        self.copy(length);
    }

    fn redirection(&mut self) {
        // `2>` redirects a descriptor: the number is no word.
        if self.word.as_ref().is_some_and(|word| word.text.chars().all(|c| c.is_ascii_digit()) && word.is_literal()) {
            self.word = None;
        }
        self.end_word();
        let rest = self.rest();
        if rest.starts_with("<(") || rest.starts_with(">(") {
            self.word().open = true;
            self.copy(2);
            return self.nested('(', ')', "stands in a process substitution");
        }
        let operators = ["<<<", "<<-", "<<", "&>>", ">>", ">|", "<>", ">&", "<&", "&>", "<", ">"];
        let operator = operators.into_iter().find(|operator| rest.starts_with(operator)).unwrap_or(">");
        self.next = match operator {
            "<<<" => Next::Input,
            ">&" | "<&" => Next::Descriptor,
            _ => Next::File,
        };
        if matches!(operator, "<<" | "<<-") {
            self.unclear.get_or_insert("stands in a here-document, or behind one");
        }
        self.copy(operator.len());
    }

    fn end_word(&mut self) {
        self.in_run = false;
        let Some(word) = self.word.take() else { return };
        match std::mem::replace(&mut self.next, Next::Argument) {
            Next::Input => return self.command.input.push(word),
            Next::File => return,
            Next::Descriptor => {
                for hole in &word.holes {
                    self.refuse(&hole.name, hole.at, "is the number of a redirection");
                }
                return;
            }
            Next::Argument => {}
        }
        if self.condition {
            self.condition = word.text != "]]";
            return;
        }
        if self.command.words.is_empty() {
            return self.first_word(word);
        }
        let first = self.command.words[0].literal().unwrap_or_default();
        if first == "case" && word.text == "in" {
            return self.end_command(false);
        }
        if matches!(first, "for" | "select" | "function") && self.command.words.len() == 1 {
            for hole in &word.holes {
                self.refuse(&hole.name, hole.at, "is the name of a variable or function");
            }
        }
        self.guard(&word);
        self.command.ended |= word.literal() == Some("--");
        self.command.words.push(word);
    }

    /// The first word of a command: what stands before it, or the program.
    fn first_word(&mut self, word: Word) {
        if word.is_literal() && RESERVED.contains(&word.text.as_str()) {
            return;
        }
        if let Some(variable) = word.assigns() {
            if environment::takes_code(variable) {
                for hole in &word.holes {
                    self.refuse(&hole.name, hole.at, &format!("is the value of `{variable}`, which changes what runs"));
                }
            }
            return;
        }
        for hole in &word.holes {
            self.refuse(&hole.name, hole.at, "is the name of a program");
        }
        // Up to `]]`, whatever operators stand between.
        self.condition = word.text == "[[" && word.is_literal();
        self.command.words.push(word);
    }

    /// Remembers the parameters that begin an argument, where nothing says that options have ended.
    fn guard(&mut self, word: &Word) {
        let words = &self.command.words;
        let first = words[0].literal().unwrap_or_default();
        let harmless = match first {
            "for" | "case" | "select" => true,
            // Behind its format, `printf` has no options.
            "printf" => words.get(1).is_some_and(|format| !format.starts_with_hole() && !format.text.starts_with('-')),
            _ => false,
        };
        if word.starts_with_hole() && !self.command.ended && !harmless {
            self.guarded.extend(word.holes.first().map(|hole| hole.name.clone()));
        }
    }

    fn end_command(&mut self, pipe: bool) {
        self.end_word();
        self.next = Next::Argument;
        let mut command = std::mem::take(&mut self.command);
        command.end = self.at;
        self.command.piped = pipe;
        if !(command.words.is_empty() && command.input.is_empty()) {
            self.commands.push(command);
        }
    }

    /// Placeholders that reach the code of another program: in its arguments, or through its input.
    fn check_nested(&mut self) {
        let commands = std::mem::take(&mut self.commands);
        if commands.iter().any(|command| nested::computes(&command.words)) {
            for hole in self.holes.clone() {
                self.refuse(&hole.name, hole.at, "stands in source with a variable of bash that reads values as code");
            }
        }
        for command in &commands {
            for finding in nested::check(&command.words) {
                let Hole { name, at } = finding.hole;
                self.refuse(&name, at, &finding.reason);
            }
            if !nested::runs_its_input(&command.words) {
                continue;
            }
            let name = command.words[0].text.clone();
            let reason = format!("becomes code through the input of `{name}`");
            let input = command.input.iter().flat_map(|word| &word.holes);
            let before = self.holes.iter().filter(|hole| command.piped && hole.at < command.end);
            for hole in input.chain(before).cloned().collect::<Vec<_>>() {
                self.refuse(&hole.name, hole.at, &reason);
            }
        }
    }
}
