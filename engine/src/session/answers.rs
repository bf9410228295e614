//! What a person said when a session was opened, which holds for as long as it lives.

use skills_core::{Answer, Approver, Operation, Question, Reply};
use std::sync::{Arc, Mutex, PoisonError};

/// Asks as the engine's own approver does, but each question once.
#[derive(Default)]
pub(crate) struct Answers {
    approver: Option<Arc<dyn Approver>>,
    given: Mutex<Vec<(Question, Reply)>>,
}

impl Answers {
    pub(crate) fn new(approver: Option<Arc<dyn Approver>>) -> Answers {
        Answers { approver, given: Mutex::default() }
    }

    /// The same for the copy of a session.
    pub(crate) fn copy(&self) -> Answers {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Answers { approver: self.approver.clone(), given: Mutex::new(given) }
    }
}

impl Approver for Answers {
    fn ask(&self, question: &Question) -> Option<Reply> {
        self.ask_while(question, &|| true)
    }

    fn ask_while(&self, question: &Question, wanted: &dyn Fn() -> bool) -> Option<Reply> {
        // Whichever evaluation asks it.
        let same = Question { correlation_id: String::new(), ..question.clone() };
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, reply)) = given.iter().find(|(asked, _)| *asked == same) {
            return Some(reply.clone());
        }
        let reply = self.approver.as_ref()?.ask_while(question, wanted)?;
        // What was said for good is kept elsewhere. What destroys is asked about each time.
        let once = match reply.answer {
            Answer::Once | Answer::Always(_) => Answer::Once,
            _ => Answer::No,
        };
        if question.operation != Operation::Destructive {
            given.push((same, Reply { answer: once, ..reply.clone() }));
        }
        Some(reply)
    }
}
