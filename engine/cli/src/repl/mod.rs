//! `skills repl`: a person and a living session.

mod complete;
mod editor;
mod external;
mod highlight;
mod image;
mod indent;
mod input;
mod interrupt;
mod keys;
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
mod table;

pub(crate) use options::ReplArgs;
pub(crate) use start::repl;

use crate::exit::{self, Stop};
use crate::render::{self, Console};
use crate::surroundings::Surroundings;
use editor::{Line, LineEditor};
use image::{Pictures, Protocol};
use input::Input;
use live::{Feed, LiveSession, Sessions};
use screen::{Screen, Unseen};
use shared::Shared;
use skills::core::Shown;
use skills::{Engine, Error, ErrorKind, Language, LimitName, LimitOverrides, LimitReport, Outcome, Skill};
use std::collections::BTreeMap;
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
    /// The skill whose session it is.
    skill: Option<Arc<Skill>>,
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
    /// What the cells so far used, where that adds up.
    used: BTreeMap<LimitName, u64>,
    /// The error that was shown last.
    told: Option<String>,
    /// How the terminal takes images, once it was asked.
    images: Option<Option<Protocol>>,
    pictures: Pictures,
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
            self.told = None;
            match self.feed(&text) {
                Ok(Flow::On) => {}
                Ok(Flow::Leave) => return Ok(()),
                Err(Stop::Error(error)) => self.complain(&error),
                // It has been shown.
                Err(Stop::Code(_)) => {}
                Err(stop) => return Err(stop),
            }
            self.go_on()?;
        }
    }

    /// Where something ended by itself, begins anew what may.
    fn go_on(&mut self) -> Result<(), Stop> {
        let session = self.shared.session();
        let Some(error) = session.ended() else { return Ok(()) };
        if self.told.as_deref() != Some(error.message()) {
            self.complain(&error);
        }
        let revived = session.revive();
        if revived.is_empty() {
            render::note("the session has ended; `%reset` begins another");
            return Ok(());
        }
        let names: Vec<&str> = revived.iter().map(|language| language.as_str()).collect();
        render::note(&format!("what was alive in {} is lost, and begins anew", names.join(" and ")));
        match self.define() {
            Err(Stop::Error(error)) => self.complain(&error),
            other => other?,
        }
        Ok(())
    }

    /// Evaluates the script of the skill, so that what it defines is there; in a session that lives on, it is there already, as
    /// it is by now.
    fn define(&mut self) -> Result<(), Stop> {
        let skill = self.skill.clone();
        let Some(script) = skill.as_deref().and_then(Skill::script) else { return Ok(()) };
        if self.shared.session().is_new(script.language) {
            self.ask(script.language, &script.source, Some(&script.file)).result?;
        }
        Ok(())
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
            return outcome.result.map(drop).map_err(|error| Stop::Code(exit::code(error.failure())));
        }
        match &outcome.result {
            Ok(value) => {
                if let Some(shown) = &outcome.shown {
                    self.show(language, shown, value)?;
                }
            }
            Err(error) if error.kind() == ErrorKind::Cancelled && self.screen.terminal => {
                match self.shared.session().ended() {
                    None => render::note("interrupted; the session goes on"),
                    Some(why) => {
                        self.told = Some(why.message().to_owned());
                        render::note(
                            "interrupted in native code, which does not stop by itself: its process was ended",
                        );
                    }
                }
            }
            Err(error) => self.complain(error),
        }
        if self.meter {
            render::note(&self.screen.styled(show::dim(), &measured(&outcome)));
        }
        outcome.result.map(drop).map_err(|error| Stop::Code(exit::code(error.failure())))
    }

    /// Evaluates a cell.
    fn ask(&mut self, language: Language, code: &str, file: Option<&str>) -> Outcome {
        let session = self.shared.session();
        let limits = self.limits.clone();
        let outcome = self.during(|_| session.evaluate(&Feed { language, code, file, limits: &limits }));
        if !outcome.limits.is_empty() {
            self.reports.clone_from(&outcome.limits);
            for report in outcome.limits.iter().filter(|report| limits::adds_up(report.name)) {
                let used = self.used.entry(report.name).or_default();
                *used = used.saturating_add(report.used.unwrap_or(0));
            }
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
        if let Some(png) = shown.png.as_ref().filter(|_| self.screen.terminal) {
            self.show_image(png)?;
            return Ok(());
        }
        let display = show::value(language, shown, value, &self.screen);
        self.all = display.all;
        Ok(render::text(&display.text)?)
    }

    /// Shows an image where the terminal can; else writes it to a file that stays as long as the session, and names that.
    fn show_image(&mut self, png: &[u8]) -> Result<(), Stop> {
        self.pictures.last = Some(png.to_vec());
        let surroundings = &self.surroundings;
        let protocol = *self.images.get_or_insert_with(|| Protocol::of_terminal(|name| surroundings.var(name)));
        match protocol.and_then(|protocol| protocol.encode(png)) {
            Some(escapes) => Ok(render::text(&escapes)?),
            None => {
                let file = self.pictures.write(png).map_err(|error| {
                    Error::new(ErrorKind::Unavailable, format!("the image cannot be written: {error}"))
                })?;
                render::text(&format!("image of {} in {}", show::bytes(png.len() as u64), file.display()))?;
                render::note("it is there until you leave; `%save --image FILE` keeps it");
                Ok(())
            }
        }
    }

    fn complain(&mut self, error: &Error) {
        self.told = Some(error.message().to_owned());
        render::lines(&show::error(self.shared.language(), error, &self.screen));
        // What spent the session's budget is not the cell's to change.
        let of_cell = self.editor.is_some() && self.shared.session().ended().is_none();
        if let Some(more) = error.limit().filter(|_| of_cell).and_then(|breach| limits::more(&breach)) {
            render::note(&self.screen.styled(show::dim(), &format!("`%limits {more}` allows more")));
        }
    }

    /// Makes sure that the session takes a language.
    fn speak(&mut self, language: Language) -> Result<(), Error> {
        let session = self.shared.session();
        if session.is_polyglot() || session.language() == language {
            return Ok(());
        }
        Err(live::takes_no(session.as_ref(), language))
    }

    /// Goes on in another session.
    fn go(&mut self, session: Arc<dyn LiveSession>) {
        self.shared.set_session(session);
        self.reports.clear();
        self.used.clear();
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
