//! What the editor, the keys and the running evaluation share.

use super::highlight::{self, Span};
use super::input::{self, Input};
use super::live::LiveSession;
use skills::core::Completeness;
use skills::{Cancel, Language};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// The session that is talked to now, and the language that is typed.
pub(crate) struct Shared {
    session: RwLock<Arc<dyn LiveSession>>,
    language: RwLock<Language>,
    evaluating: AtomicBool,
    /// Whether what is under way was told to stop.
    stopped: AtomicBool,
    /// What stops the skill that runs, where it is no cell.
    cancel: Mutex<Option<Cancel>>,
    /// The names of skills, for completion.
    pub(crate) skills: Vec<String>,
    /// The text that was coloured last, with its spans: a moved cursor changes neither.
    colored: Mutex<(Language, String, Vec<Span>)>,
}

impl Shared {
    pub(crate) fn new(session: Arc<dyn LiveSession>, skills: Vec<String>) -> Shared {
        let language = session.language();
        Shared {
            session: RwLock::new(session),
            language: RwLock::new(language),
            evaluating: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            cancel: Mutex::default(),
            skills,
            colored: Mutex::new((language, String::new(), Vec::new())),
        }
    }

    pub(crate) fn session(&self) -> Arc<dyn LiveSession> {
        Arc::clone(&self.session.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The language of what is typed.
    pub(crate) fn language(&self) -> Language {
        *self.language.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Talks to another session from now on.
    pub(crate) fn set_session(&self, session: Arc<dyn LiveSession>) {
        self.set_language(session.language());
        *self.session.write().unwrap_or_else(PoisonError::into_inner) = session;
    }

    /// Types another language from now on.
    pub(crate) fn set_language(&self, language: Language) {
        *self.language.write().unwrap_or_else(PoisonError::into_inner) = language;
    }

    /// Does something that Ctrl-C interrupts.
    pub(crate) fn evaluating<T>(&self, work: impl FnOnce() -> T) -> T {
        self.stopped.store(false, Ordering::SeqCst);
        self.evaluating.store(true, Ordering::SeqCst);
        let result = work();
        self.evaluating.store(false, Ordering::SeqCst);
        result
    }

    /// What Ctrl-C stops beside the session's evaluation, until the next one of these.
    pub(crate) fn cancel(&self) -> Cancel {
        let cancel = Cancel::new();
        *self.cancel.lock().unwrap_or_else(PoisonError::into_inner) = Some(cancel.clone());
        cancel
    }

    /// Stops what is under way. Gives whether it was told so before.
    pub(crate) fn stop(&self) -> bool {
        if let Some(cancel) = self.cancel.lock().unwrap_or_else(PoisonError::into_inner).take() {
            cancel.cancel();
        }
        self.session().interrupt();
        self.stopped.swap(true, Ordering::SeqCst)
    }

    /// Whether an evaluation is under way.
    pub(crate) fn is_evaluating(&self) -> bool {
        self.evaluating.load(Ordering::SeqCst)
    }

    /// Whether what was typed can be evaluated as it stands.
    pub(crate) fn is_complete(&self, text: &str) -> bool {
        let session = self.session();
        input::is_complete(text, self.language(), |language, code| session.completeness(language, code))
    }

    /// Whether code of a language is all there.
    pub(crate) fn completeness(&self, language: Language, code: &str) -> Completeness {
        self.session().completeness(language, code)
    }

    /// The colours of what is typed.
    pub(crate) fn spans(&self, text: &str) -> Vec<Span> {
        let mut colored = self.colored.lock().unwrap_or_else(PoisonError::into_inner);
        let mut language = self.language();
        let mut from = 0;
        match input::read(text) {
            Input::CodeIn(other, code) => {
                language = other;
                from = text.len() - text.trim_end().len();
                from = text.len() - from - code.len();
            }
            Input::Command(name, rest) => {
                let Some(command) = super::meta::find(name).filter(|command| command.takes_code) else {
                    return Vec::new();
                };
                let _ = command;
                let code = super::meta::code_of(rest);
                from = text.trim_end().len() - code.len();
            }
            Input::Code(_) => {}
            Input::Nothing | Input::About { .. } => return Vec::new(),
        }
        if colored.0 != language || colored.1 != text {
            let mut spans = highlight::spans(language, &text[from..]);
            spans.iter_mut().for_each(|(range, _)| *range = range.start + from..range.end + from);
            *colored = (language, text.to_owned(), spans);
        }
        colored.2.clone()
    }
}
