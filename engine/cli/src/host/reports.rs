//! Brings what happens in an evaluation, and what it asks, to the client that asked for it.

use super::message::{FromHost, Front};
use super::outbox::Outbox;
use skills::{Approver, Event, EventSink, Question, Reply};
use std::collections::HashMap;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

/// The clients that wait for an evaluation, by its correlation id. Every engine of the host reports here.
#[derive(Clone, Default)]
pub(super) struct Reports(Arc<Mutex<HashMap<String, Arc<Audience>>>>);

/// A client, as long as it waits.
pub(super) struct Audience {
    outbox: Outbox,
    front: Front,
    answers: Answers,
}

/// Where answers of a client's person go.
#[derive(Clone, Default)]
pub(super) struct Answers(Arc<Mutex<Desk>>);

#[derive(Default)]
struct Desk {
    /// Whoever waits for an answer.
    waiting: Option<Sender<Option<Reply>>>,
    closed: bool,
}

impl Answers {
    /// Gives an answer to whoever waits for one.
    pub(super) fn give(&self, reply: Option<Reply>) {
        if let Some(waiting) = self.desk().waiting.take() {
            // Whoever waited may have given up.
            drop(waiting.send(reply));
        }
    }

    /// Says that no answer will come any more.
    pub(super) fn close(&self) {
        let mut desk = self.desk();
        desk.closed = true;
        desk.waiting = None;
    }

    /// Asks, and waits for the answer.
    fn ask(&self, outbox: &Outbox, question: &Question) -> Option<Reply> {
        let (sender, receiver) = channel();
        {
            let mut desk = self.desk();
            if desk.closed {
                return None;
            }
            desk.waiting = Some(sender);
        }
        outbox.send(&FromHost::Question(Box::new(question.clone())));
        receiver.recv().ok().flatten()
    }

    fn desk(&self) -> std::sync::MutexGuard<'_, Desk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reports {
    /// Has everything of a correlation id go to a client, until the guard is dropped.
    pub(super) fn listen(&self, correlation_id: &str, outbox: &Outbox, front: Front, answers: &Answers) -> Listening {
        let audience = Audience { outbox: outbox.clone(), front, answers: answers.clone() };
        self.table().insert(correlation_id.to_owned(), Arc::new(audience));
        Listening { reports: self.clone(), correlation_id: correlation_id.to_owned() }
    }

    fn table(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Audience>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn audience(&self, correlation_id: &str) -> Option<Arc<Audience>> {
        self.table().get(correlation_id).cloned()
    }
}

impl EventSink for Reports {
    fn event(&self, skill: &str, correlation_id: &str, event: &Event) {
        let Some(audience) = self.audience(correlation_id) else { return };
        // What is printed is in the object that the client prints at the end.
        if matches!(event, Event::Output { .. }) && !audience.front.streams {
            return;
        }
        let (skill, correlation_id) = (skill.to_owned(), correlation_id.to_owned());
        audience.outbox.send(&FromHost::Event { skill, correlation_id, event: event.clone() });
    }
}

impl Approver for Reports {
    fn ask(&self, question: &Question) -> Option<Reply> {
        let audience = self.audience(&question.correlation_id).filter(|audience| audience.front.person)?;
        audience.answers.ask(&audience.outbox, question)
    }
}

/// A client that waits.
pub(super) struct Listening {
    reports: Reports,
    correlation_id: String,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.reports.table().remove(&self.correlation_id);
    }
}
