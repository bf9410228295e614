//! `skills repl`: a person and a living session.

mod complete;
mod editor;
mod external;
mod highlight;
mod image;
mod indent;
mod input;
mod interrupt;
mod limits;
mod live;
mod local;
mod meta;
mod options;
mod pager;
mod piped;
mod plot;
mod reflow;
mod remote;
mod screen;
mod several;
mod shared;
mod show;
mod start;

pub(crate) use options::ReplArgs;
pub(crate) use start::repl;

use crate::exit::{self, Stop};
use crate::render::{self, Console};
use crate::surroundings::Surroundings;
use editor::{Line, LineEditor};
use image::Protocol;
use input::Input;
use live::{Feed, LiveSession, Sessions};
use screen::{Screen, Unseen};
use shared::Shared;
use skills::core::Shown;
use skills::{Engine, Error, ErrorKind, Language, LimitOverrides, LimitReport, Outcome};
use std::sync::Arc;

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// With the next cell.
    On,
    /// Not at all.
    Leave,
}

/// A cell that was evaluated.
#[derive(Debug)]
pub(crate) struct Cell {
    language: Language,
    code: String,
    /// Whether it has a value.
    good: bool,
}

/// A session as a person sees it.
pub(crate) struct Repl {
    surroundings: Surroundings,
    engine: Engine,
    console: Arc<Console>,
    screen: Screen,
    sessions: Box<dyn Sessions>,
    shared: Arc<Shared>,
    /// `None` where nobody types.
    editor: Option<LineEditor>,
    /// Whether outcomes are printed as JSON.
    json: bool,
    cells: Vec<Cell>,
    limits: LimitOverrides,
    /// Whether time and memory are shown after each cell.
    meter: bool,
    /// All of the last value, where it was cut.
    all: Option<String>,
    /// The limits of the last cell.
    reports: Vec<LimitReport>,
    /// How the terminal takes images, once it was asked.
    images: Option<Option<Protocol>>,
}

impl Repl {
    /// Reads and evaluates until the person leaves.
    fn talk(&mut self) -> Result<(), Stop> {
        loop {
            let language = self.shared.language();
            let prompt = format!("{}> ", language.extension());
            let styled = self.screen.styled(clap::builder::styling::AnsiColor::Cyan.on_default().bold(), &prompt);
            let Some(editor) = &mut self.editor else { return Ok(()) };
            let text = match editor.line(&prompt, &styled) {
                Ok(Line::Typed(text)) => text,
                Ok(Line::Cleared) => continue,
                Ok(Line::End) => return Ok(()),
                Err(error) => {
                    return Err(
                        Error::new(ErrorKind::Unavailable, format!("the terminal cannot be read: {error}")).into()
                    );
                }
            };
            // What hands know from other prompts; as code it would end the cell only.
            if matches!(text.trim(), "exit()" | "quit()") {
                return Ok(());
            }
            match self.feed(&text) {
                Ok(Flow::On) => {}
                Ok(Flow::Leave) => return Ok(()),
                Err(Stop::Error(error)) => self.complain(&error),
                // It has been shown.
                Err(Stop::Code(_)) => {}
                Err(stop) => return Err(stop),
            }
            if let Some(error) = self.shared.session().ended() {
                self.complain(&error);
                render::note("the session has ended; `%reset` begins another");
            }
        }
    }

    /// Does what was typed, or given.
    fn feed(&mut self, text: &str) -> Result<Flow, Stop> {
        match input::read(text) {
            Input::Nothing => Ok(Flow::On),
            Input::Code(code) => self.evaluate(self.shared.language(), code, None).map(|()| Flow::On),
            Input::CodeIn(_, "") => Ok(Flow::On),
            Input::CodeIn(language, code) => {
                self.speak(language)?;
                self.evaluate(language, code, None).map(|()| Flow::On)
            }
            Input::Command(name, rest) => meta::run(self, name, rest),
            Input::About { path, source } => meta::about(self, path, source),
        }
    }

    /// Evaluates a cell, and shows what became of it.
    fn evaluate(&mut self, language: Language, code: &str, file: Option<&str>) -> Result<(), Stop> {
        let outcome = self.ask(language, code, file);
        if file.is_none() {
            self.cells.push(Cell { language, code: code.to_owned(), good: outcome.result.is_ok() });
        }
        if self.json {
            render::text(&outcome.to_json().to_string())?;
            return outcome.result.map(drop).map_err(|error| Stop::Code(exit::code(error.kind())));
        }
        match &outcome.result {
            Ok(value) => {
                if let Some(shown) = &outcome.shown {
                    self.show(language, shown, value)?;
                }
            }
            Err(error) if error.kind() == ErrorKind::Cancelled && self.screen.terminal => {
                render::note("interrupted; the session goes on");
            }
            Err(error) => self.complain(error),
        }
        if self.meter {
            render::note(&self.screen.styled(show::dim(), &measured(&outcome)));
        }
        outcome.result.map(drop).map_err(|error| Stop::Code(exit::code(error.kind())))
    }

    /// Evaluates a cell.
    fn ask(&mut self, language: Language, code: &str, file: Option<&str>) -> Outcome {
        let session = self.shared.session();
        let limits = self.limits.clone();
        let outcome = self.during(|_| session.evaluate(&Feed { language, code, file, limits: &limits }));
        if !outcome.limits.is_empty() {
            self.reports.clone_from(&outcome.limits);
        }
        outcome
    }

    /// Does something that Ctrl-C interrupts, with the cursor at the beginning of a line afterwards.
    fn during<T>(&self, work: impl FnOnce(&Repl) -> T) -> T {
        let unseen = self.editor.is_some().then(Unseen::new);
        let result = self.shared.evaluating(|| self.console.during(|| work(self)));
        drop(unseen);
        // Where stdout is closed, the next value fails too.
        drop(self.console.end_line());
        result
    }

    fn show(&mut self, language: Language, shown: &Shown, value: &serde_json::Value) -> Result<(), Stop> {
        if let Some(png) = shown.png.as_deref().filter(|_| self.screen.terminal) {
            self.show_image(png)?;
            return Ok(());
        }
        let display = show::value(language, shown, value, &self.screen);
        self.all = display.all;
        Ok(render::text(&display.text)?)
    }

    /// Shows an image where the terminal can; else writes it to a file, and names that.
    fn show_image(&mut self, png: &[u8]) -> Result<(), Stop> {
        let surroundings = &self.surroundings;
        let protocol = *self.images.get_or_insert_with(|| Protocol::of_terminal(|name| surroundings.var(name)));
        match protocol.and_then(|protocol| protocol.encode(png)) {
            Some(escapes) => Ok(render::text(&escapes)?),
            None => {
                let file = image::save(png).map_err(|error| {
                    Error::new(ErrorKind::Unavailable, format!("the image cannot be written: {error}"))
                })?;
                Ok(render::text(&format!("image of {} in {}", show::bytes(png.len() as u64), file.display()))?)
            }
        }
    }

    fn complain(&self, error: &Error) {
        render::lines(&show::error(self.shared.language(), error, &self.screen));
    }

    /// Makes sure that the session takes a language.
    fn speak(&mut self, language: Language) -> Result<(), Error> {
        let session = self.shared.session();
        let several = session.is_polyglot() && language != Language::Bash;
        if several || session.language() == language {
            return Ok(());
        }
        let message = format!("session `{}` is of {}, and takes no {language}", session.name(), session.language());
        Err(Error::new(ErrorKind::InvalidArguments, message)
            .with_help(format!("`skills repl --lang {language}` opens one that does")))
    }

    /// Goes on in another session.
    fn go(&mut self, session: Arc<dyn LiveSession>) {
        self.shared.set_session(session);
        self.reports.clear();
        self.all = None;
    }

    fn history(&self, holding: &str) -> Vec<String> {
        self.editor.as_ref().map(|editor| editor.history(holding, 50)).unwrap_or_default()
    }
}

/// What a cell took.
fn measured(outcome: &Outcome) -> String {
    let usage = &outcome.usage;
    let mut parts = vec![show::time(usage.wall)];
    parts.extend(usage.cpu.map(|cpu| format!("cpu {}", show::time(cpu))));
    parts.extend(usage.peak_memory.map(|bytes| format!("memory {}", show::bytes(bytes))));
    parts.extend(usage.operations.map(|count| format!("{} operations", show::count(count))));
    parts.join(", ")
}
