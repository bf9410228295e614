//! Ctrl-C while something is evaluated.

use super::shared::Shared;
use crate::render;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How soon after the first time a second press means that it did not help.
const AGAIN: Duration = Duration::from_secs(2);

/// Interrupts the evaluation that is under way when Ctrl-C is pressed. At the prompt the editor sees the key itself.
pub(crate) fn watch(shared: Arc<Shared>) {
    let pressed: Mutex<Option<Instant>> = Mutex::default();
    let handler = move || {
        if !shared.is_evaluating() {
            return;
        }
        let mut pressed = pressed.lock().unwrap_or_else(PoisonError::into_inner);
        if pressed.is_some_and(|before| before.elapsed() < AGAIN) {
            render::note(
                "it has been told to stop, and works in native code; Ctrl-\\ ends the session and all that is in it",
            );
        }
        *pressed = Some(Instant::now());
        shared.stop();
    };
    // Without a handler, Ctrl-C ends the command: what is in the session is lost, but nobody waits for ever.
    drop(ctrlc::set_handler(handler));
}
