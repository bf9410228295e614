//! The line that is typed: keys, completion, colours, hints and history, by rustyline.

use super::shared::Shared;
use super::{complete, highlight, indent};
use clap::builder::styling::{AnsiColor, Style};
use rustyline::completion::{Candidate, Completer};
use rustyline::config::{BellStyle, CompletionType, Configurer as _, EditMode};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::{FileHistory, SearchDirection};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{
    Cmd, ColorMode, ConditionalEventHandler, Config, Context, Editor, Event, EventContext, EventHandler, Helper,
    InputMode, KeyCode, KeyEvent, Modifiers, Movement, RepeatCount,
};
use skills::Language;
use std::borrow::Cow;
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The most entries of a history.
const MOST_ENTRIES: usize = 5000;

/// The longest entry of a history, in bytes: what is longer was pasted, or comes from a file.
const LONGEST_ENTRY: usize = 16 << 10;

/// What came of asking for a line.
pub(crate) enum Line {
    /// What was typed.
    Typed(String),
    /// Ctrl-C: it was thrown away.
    Cleared,
    /// Ctrl-D.
    End,
}

/// The line editor of a session.
pub(crate) struct LineEditor {
    editor: Editor<Words, FileHistory>,
    shared: Arc<Shared>,
    /// Where histories are kept; `None` where there is no such folder.
    folder: Option<PathBuf>,
    /// The language whose history is loaded.
    loaded: Option<Language>,
    keys: EditMode,
}

impl LineEditor {
    /// An editor with these keys. Histories are kept in the folder, which is made.
    pub(crate) fn new(
        shared: Arc<Shared>,
        keys: EditMode,
        color: bool,
        folder: Option<PathBuf>,
    ) -> Result<LineEditor, ReadlineError> {
        let config = Config::builder()
            .max_history_size(MOST_ENTRIES)?
            .history_ignore_dups(true)?
            .history_ignore_space(true)
            .completion_type(CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            .edit_mode(keys)
            .bell_style(BellStyle::None)
            .color_mode(if color { ColorMode::Enabled } else { ColorMode::Disabled })
            .tab_stop(4)
            .build();
        let mut editor = Editor::with_config(config)?;
        editor.set_helper(Some(Words { shared: Arc::clone(&shared), color, bracket: Cell::new(None) }));
        let closing = ['}', ']', ')'].map(KeyCode::Char);
        for key in [KeyCode::Enter, KeyCode::Backspace, KeyCode::Tab].into_iter().chain(closing) {
            let handler = Keys { shared: Arc::clone(&shared), key };
            editor.bind_sequence(KeyEvent(key, Modifiers::NONE), EventHandler::Conditional(Box::new(handler)));
        }
        // What Enter sends to a terminal that was not ready for it.
        let handler = Keys { shared: Arc::clone(&shared), key: KeyCode::Enter };
        editor
            .bind_sequence(KeyEvent(KeyCode::Char('J'), Modifiers::CTRL), EventHandler::Conditional(Box::new(handler)));
        editor.bind_sequence(KeyEvent(KeyCode::Enter, Modifiers::ALT), EventHandler::Simple(Cmd::Newline));
        Ok(LineEditor { editor, shared, folder, loaded: None, keys })
    }

    /// The keys that it has.
    pub(crate) fn keys(&self) -> EditMode {
        self.keys
    }

    /// Has other keys from the next line on.
    pub(crate) fn set_keys(&mut self, keys: EditMode) {
        self.editor.set_edit_mode(keys);
        self.keys = keys;
    }

    /// Asks for a line, or several that belong together.
    pub(crate) fn line(&mut self, prompt: &str, styled: &str) -> Result<Line, ReadlineError> {
        self.switch_history();
        match self.editor.readline(&(prompt, styled)) {
            Ok(text) => {
                self.remember(&text);
                Ok(Line::Typed(text))
            }
            Err(ReadlineError::Interrupted) => Ok(Line::Cleared),
            Err(ReadlineError::Eof) => Ok(Line::End),
            Err(error) => Err(error),
        }
    }

    /// The last entries of the history that hold a text, the oldest first.
    pub(crate) fn history(&self, holding: &str, most: usize) -> Vec<String> {
        // What searched is no find.
        let is_found = |entry: &&String| entry.contains(holding) && !entry.starts_with("%history");
        let found = self.editor.history().iter().rev().filter(is_found).take(most);
        let mut found: Vec<String> = found.cloned().collect();
        found.reverse();
        found
    }

    /// Adds what was typed, and writes it at once: nothing is lost however the session ends.
    fn remember(&mut self, text: &str) {
        let text = text.trim_end();
        if text.is_empty() || text.len() > LONGEST_ENTRY {
            return;
        }
        // A history that cannot be written is no reason to stop.
        if let Ok(true) = self.editor.add_history_entry(text)
            && let Some(file) = self.file()
        {
            drop(self.editor.append_history(&file));
        }
    }

    fn switch_history(&mut self) {
        let language = self.shared.language();
        if self.loaded == Some(language) {
            return;
        }
        self.loaded = Some(language);
        drop(self.editor.clear_history());
        if let Some(file) = self.file() {
            drop(self.editor.load_history(&file));
        }
    }

    fn file(&self) -> Option<PathBuf> {
        let folder = self.folder.as_ref()?;
        make(folder).ok()?;
        Some(folder.join(format!("history-{}", self.loaded?)))
    }
}

fn make(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Keys that do more than usual.
struct Keys {
    shared: Arc<Shared>,
    key: KeyCode,
}

impl ConditionalEventHandler for Keys {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, ctx: &EventContext<'_>) -> Option<Cmd> {
        if ctx.input_mode() == InputMode::Command && self.key != KeyCode::Enter {
            return None;
        }
        let (text, at) = (ctx.line(), ctx.pos());
        let language = self.shared.language();
        match self.key {
            KeyCode::Enter => {
                // In the middle of several lines, a line is parted; at their end the language decides.
                let in_last = !text[at..].contains('\n');
                if in_last && (self.shared.is_complete(text) || ctx.input_mode() == InputMode::Command) {
                    return Some(Cmd::AcceptLine);
                }
                Some(Cmd::Insert(1, format!("\n{}", indent::next(language, &text[..at]))))
            }
            KeyCode::Backspace => {
                let spaces = indent::before(language, &text[..at])?;
                Some(Cmd::Kill(Movement::BackwardChar(RepeatCount::try_from(spaces).ok()?)))
            }
            KeyCode::Char(bracket) => {
                let spaces = RepeatCount::try_from(indent::closing(language, &text[..at])?).ok()?;
                Some(Cmd::Replace(Movement::BackwardChar(spaces), Some(bracket.to_string())))
            }
            _ => {
                let line = text[..at].rsplit('\n').next().unwrap_or_default();
                line.trim().is_empty().then(|| Cmd::Insert(1, " ".repeat(indent::step(language))))
            }
        }
    }
}

/// What rustyline asks about the text.
struct Words {
    shared: Arc<Shared>,
    color: bool,
    /// The byte of the bracket that belongs to the one at the cursor.
    bracket: Cell<Option<usize>>,
}

impl Helper for Words {}

/// A completion: what is listed, and what is put in.
pub(crate) struct Word {
    pub(crate) shown: String,
    pub(crate) text: String,
}

impl Candidate for Word {
    fn display(&self) -> &str {
        &self.shown
    }

    fn replacement(&self) -> &str {
        &self.text
    }
}

impl Completer for Words {
    type Candidate = Word;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Word>)> {
        Ok(complete::words(&self.shared, line, pos))
    }
}

impl Hinter for Words {
    type Hint = String;

    fn hint(&self, line: &str, pos: usize, ctx: &Context<'_>) -> Option<String> {
        if line.trim().is_empty() || pos < line.len() || line.contains('\n') {
            return None;
        }
        let start = ctx.history_index().checked_sub(usize::from(ctx.history_index() == ctx.history().len()))?;
        let found = ctx.history().starts_with(line, start, SearchDirection::Reverse).ok()??;
        let rest = found.entry.get(pos..)?;
        // Only the line: what follows would be drawn over what is below.
        rest.lines().next().filter(|rest| !rest.is_empty()).map(str::to_owned)
    }
}

impl Validator for Words {
    /// For terminals without keys of their own: there the handler of Enter is not asked.
    fn validate(&self, ctx: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match self.shared.is_complete(ctx.input()) {
            true => ValidationResult::Valid(None),
            false => ValidationResult::Incomplete,
        })
    }
}

impl Highlighter for Words {
    fn highlight<'l>(&self, line: &'l str, _pos: usize) -> Cow<'l, str> {
        if !self.color {
            return Cow::Borrowed(line);
        }
        let mut spans = self.shared.spans(line);
        if let Some(at) = self.bracket.get().filter(|at| *at < line.len()) {
            spans = highlight::with_mark(spans, at, Style::new().bold().underline());
        }
        Cow::Owned(highlight::escaped(line, &spans))
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _default: bool) -> Cow<'b, str> {
        Cow::Borrowed(prompt)
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        let dim: Style = AnsiColor::BrightBlack.on_default();
        if self.color { Cow::Owned(format!("{dim}{hint}{dim:#}")) } else { Cow::Borrowed(hint) }
    }

    fn highlight_char(&self, line: &str, pos: usize, kind: CmdKind) -> bool {
        let before = self.bracket.get();
        self.bracket.set(if kind == CmdKind::ForcedRefresh { None } else { partner(line, pos) });
        self.color && (kind != CmdKind::MoveCursor || self.bracket.get() != before)
    }
}

/// The byte of the bracket that belongs to the one at the cursor or before it. Brackets in strings count as any.
fn partner(text: &str, pos: usize) -> Option<usize> {
    const PAIRS: [(u8, u8); 3] = [(b'(', b')'), (b'[', b']'), (b'{', b'}')];
    let bytes = text.as_bytes();
    for at in [Some(pos), pos.checked_sub(1)].into_iter().flatten() {
        let Some(byte) = bytes.get(at) else { continue };
        if let Some((open, close)) = PAIRS.iter().find(|(open, _)| open == byte) {
            return matching(bytes.iter().enumerate().skip(at), *open, *close);
        }
        if let Some((open, close)) = PAIRS.iter().find(|(_, close)| close == byte) {
            return matching(bytes.iter().enumerate().take(at + 1).rev(), *close, *open);
        }
    }
    None
}

fn matching<'b>(bytes: impl Iterator<Item = (usize, &'b u8)>, own: u8, other: u8) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in bytes {
        if *byte == own {
            depth += 1;
        } else if *byte == other {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bracket_finds_its_partner() {
        assert_eq!(partner("f(a[1])", 1), Some(6));
        assert_eq!(partner("f(a[1])", 7), Some(1));
        assert_eq!(partner("f(a[1])", 4), Some(5));
        assert_eq!(partner("f(a", 1), None);
        assert_eq!(partner("ä)", 2), None);
    }
}
