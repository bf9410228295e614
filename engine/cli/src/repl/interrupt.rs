//! Ctrl-C while something is evaluated.

use super::shared::Shared;
use crate::render;
use std::sync::Arc;

/// Interrupts the evaluation that is under way when Ctrl-C is pressed. At the prompt the editor sees the key itself.
pub(crate) fn watch(shared: Arc<Shared>) {
    let handler = move || {
        if !shared.is_evaluating() {
            return;
        }
        // That it was pressed before, for the same evaluation, means that it did not help.
        if shared.stop() {
            render::note(
                "it has been told to stop, and works in native code; Ctrl-\\ ends the session and all that is in it",
            );
        }
    };
    // Without a handler, Ctrl-C ends the command: what is in the session is lost, but nobody waits for ever.
    drop(ctrlc::set_handler(handler));
}
