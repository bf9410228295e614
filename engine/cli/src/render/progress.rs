use crate::render;
use anstream::{eprint, eprintln, print};
use indicatif::{ProgressBar, ProgressStyle};
use skills::{Event, EventSink, LogLevel, Stream};
use std::io::Write as _;
use std::sync::Mutex;
use std::time::Duration;

/// How long a run may take before a spinner says that it is running.
const PATIENCE: Duration = Duration::from_millis(400);

/// Shows what happens in a run as it happens: output where it belongs, log lines on stderr, and in a terminal a
/// spinner with the progress text of a slow run.
pub(crate) struct Console {
    spinner: Option<ProgressBar>,
    /// Whether output is shown as it comes; not so where it becomes part of a JSON object.
    streams: bool,
    level: LogLevel,
    /// Whether the cursor stands behind something on the output line.
    open_line: Mutex<bool>,
}

impl Console {
    /// A console that shows output as it comes, or leaves it to the JSON object.
    pub(crate) fn new(streams: bool) -> Console {
        let spinner = (streams && render::stderr_is_terminal()).then(|| {
            let spinner = ProgressBar::hidden();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
                spinner.set_style(style);
            }
            spinner
        });
        let verbose = std::env::var_os("SKILLS_LOG").is_some_and(|level| level == "debug");
        let level = if verbose { LogLevel::Debug } else { LogLevel::Info };
        Console { spinner, streams, level, open_line: Mutex::new(false) }
    }

    /// Runs something; the spinner appears when it takes long.
    pub(crate) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        let Some(spinner) = self.spinner.clone() else { return work() };
        let (done, wait) = std::sync::mpsc::channel::<()>();
        let ticker = std::thread::spawn(move || {
            if wait.recv_timeout(PATIENCE).is_err_and(|e| e == std::sync::mpsc::RecvTimeoutError::Timeout) {
                spinner.set_draw_target(indicatif::ProgressDrawTarget::stderr());
                spinner.enable_steady_tick(Duration::from_millis(100));
                let _ = wait.recv();
                spinner.finish_and_clear();
            }
        });
        let result = work();
        drop(done);
        drop(ticker.join());
        result
    }

    /// Ends a line that the script left open, so that the value begins on its own.
    pub(crate) fn end_line(&self) {
        if let Ok(mut open) = self.open_line.lock()
            && std::mem::take(&mut *open)
        {
            render::text("");
        }
    }

    fn undisturbed(&self, show: impl FnOnce()) {
        match &self.spinner {
            Some(spinner) => spinner.suspend(show),
            None => show(),
        }
    }
}

impl EventSink for Console {
    fn event(&self, skill: &str, _correlation_id: &str, event: &Event) {
        match event {
            Event::Output { stream, text } if self.streams => self.undisturbed(|| match stream {
                Stream::Stdout => {
                    print!("{text}");
                    // A broken pipe ends the command at its next write of its own.
                    drop(std::io::stdout().flush());
                    if let Ok(mut open) = self.open_line.lock() {
                        *open = !text.ends_with('\n');
                    }
                }
                Stream::Stderr => eprint!("{text}"),
            }),
            Event::Log { level, message } if *level >= self.level => {
                let name = match level {
                    LogLevel::Debug => "debug",
                    LogLevel::Info => "info",
                    LogLevel::Warn => "warning",
                    _ => "error",
                };
                self.undisturbed(|| eprintln!("{name}: {skill}: {message}"));
            }
            Event::Progress { fraction, message } => {
                if let Some(spinner) = &self.spinner {
                    let percent = fraction.map(|f| format!("{:.0} % ", f * 100.0)).unwrap_or_default();
                    spinner.set_message(format!("{percent}{}", message.as_deref().unwrap_or_default()));
                }
            }
            _ => {}
        }
    }
}
