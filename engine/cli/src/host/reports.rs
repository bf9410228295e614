//! Brings what happens in an evaluation, and what it asks, to the client that asked for it.

use super::message::{FromHost, Front};
use super::outbox::Outbox;
use skills::{Approver, Event, EventSink, Question, Reply};
use std::collections::HashMap;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a person has to answer a question. A client that is stopped answers none, and its session waits.
const PATIENCE: Duration = Duration::from_secs(600);

/// How often whoever waits for an answer looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(50);

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
    /// The number of the last question.
    asked: u64,
    /// Whoever waits for the answer to it.
    waiting: Option<Sender<Option<Reply>>>,
    closed: bool,
}

impl Answers {
    /// Gives the answer to a question to whoever waits for it. One that comes too late is nobody's: it must not be taken for that to
    /// the next question.
    pub(super) fn give(&self, id: u64, reply: Option<Reply>) {
        let mut desk = self.desk();
        if desk.asked == id
            && let Some(waiting) = desk.waiting.take()
        {
            // Whoever waited may have given up.
            drop(waiting.send(reply));
        }
    }

    /// Says that the answer will not come.
    pub(super) fn give_up(&self) {
        self.desk().waiting = None;
    }

    /// Says that no answer will come any more.
    pub(super) fn close(&self) {
        let mut desk = self.desk();
        desk.closed = true;
        desk.waiting = None;
    }

    /// Asks, and waits for the answer as long as it is wanted.
    fn ask(&self, outbox: &Outbox, question: &Question, wanted: &dyn Fn() -> bool) -> Option<Reply> {
        let (sender, receiver) = channel();
        let id = {
            let mut desk = self.desk();
            if desk.closed {
                return None;
            }
            desk.asked += 1;
            desk.waiting = Some(sender);
            desk.asked
        };
        outbox.send(&FromHost::Question { id, question: Box::new(question.clone()) });
        let until = Instant::now() + PATIENCE;
        while wanted() && Instant::now() < until {
            match receiver.recv_timeout(LOOK) {
                Ok(reply) => return reply,
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        self.give_up();
        None
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
        self.ask_while(question, &|| true)
    }

    fn ask_while(&self, question: &Question, wanted: &dyn Fn() -> bool) -> Option<Reply> {
        let audience = self.audience(&question.correlation_id).filter(|audience| audience.front.person)?;
        audience.answers.ask(&audience.outbox, question, wanted)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::frame;
    use crate::host::message::FromHost;
    use skills::Answer;
    use std::os::unix::net::UnixStream;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// A client that is there, and what it is asked.
    fn client() -> (Outbox, UnixStream, Answers) {
        let (host, client) = UnixStream::pair().unwrap();
        (Outbox::new(Arc::new(host)).unwrap().0, client, Answers::default())
    }

    fn question() -> Question {
        Question {
            operation: skills::Operation::Run,
            names: Vec::new(),
            skill: "project:a".to_owned(),
            file: String::new(),
            runs: String::new(),
            means: String::new(),
            capabilities: Vec::new(),
            why: String::new(),
            digest: String::new(),
            scopes: Vec::new(),
            correlation_id: "1".to_owned(),
        }
    }

    fn number(mut client: &UnixStream) -> u64 {
        match frame::receive(&mut client, frame::MOST).unwrap().unwrap() {
            FromHost::Question { id, .. } => id,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_answer_is_that_to_its_own_question() {
        let (outbox, client, answers) = client();
        let wanted = AtomicBool::new(true);
        std::thread::scope(|scope| {
            let first = scope.spawn(|| answers.ask(&outbox, &question(), &|| wanted.load(Ordering::SeqCst)));
            let late = number(&client);
            wanted.store(false, Ordering::SeqCst);
            assert_eq!(first.join().unwrap(), None, "nobody waits for it any more");
            let second = scope.spawn(|| answers.ask(&outbox, &question(), &|| true));
            let own = number(&client);
            answers.give(late, Some(Answer::Once.into()));
            answers.give(own, Some(Answer::No.into()));
            assert_eq!(second.join().unwrap(), Some(Answer::No.into()));
        });
    }

    #[test]
    fn nobody_waits_for_a_client_that_gives_up_or_is_gone() {
        let (outbox, client, answers) = client();
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| answers.ask(&outbox, &question(), &|| true));
            number(&client);
            answers.give_up();
            assert_eq!(asked.join().unwrap(), None);
            let asked = scope.spawn(|| answers.ask(&outbox, &question(), &|| true));
            number(&client);
            answers.close();
            assert_eq!(asked.join().unwrap(), None);
            assert_eq!(answers.ask(&outbox, &question(), &|| true), None);
        });
    }
}
