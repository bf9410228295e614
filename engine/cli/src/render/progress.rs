use crate::render;
use indicatif::{ProgressBar, ProgressStyle};
use skills::{Cancel, Event, EventSink, LogLevel, Stream};
use std::io::{self, Write as _};
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
    /// Why stdout takes nothing any more. The run ends then, because nobody would see what it prints.
    closed: Mutex<Option<io::Error>>,
    cancel: Cancel,
}

impl Console {
    /// A console that shows output as it comes, or leaves it to the JSON object; and log lines from `level` on.
    pub(crate) fn new(streams: bool, level: LogLevel) -> Console {
        let spinner = (streams && render::stderr_is_terminal()).then(|| {
            let spinner = ProgressBar::hidden();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
                spinner.set_style(style);
            }
            spinner
        });
        Console {
            spinner,
            streams,
            level,
            open_line: Mutex::default(),
            closed: Mutex::default(),
            cancel: Cancel::new(),
        }
    }

    /// What ends the run.
    pub(crate) fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// Runs something; the spinner appears when it takes long.
    pub(crate) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        let Some(spinner) = self.spinner.clone() else { return work() };
        // A session does several things, one after another.
        spinner.set_draw_target(indicatif::ProgressDrawTarget::hidden());
        spinner.set_message("");
        spinner.reset();
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

    /// Ends a line that the script left open, so that the value begins on its own; fails where output was lost.
    pub(crate) fn end_line(&self) -> io::Result<()> {
        if let Some(error) = self.closed.lock().ok().and_then(|mut closed| closed.take()) {
            return Err(error);
        }
        if self.open_line.lock().is_ok_and(|mut open| std::mem::take(&mut *open)) {
            return render::text("");
        }
        Ok(())
    }

    fn print(&self, text: &str) {
        let text = render::unless_piped(text, render::stdout_is_terminal());
        let mut out = io::stdout().lock();
        if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            if let Ok(mut closed) = self.closed.lock() {
                closed.get_or_insert(error);
            }
            self.cancel.cancel();
        }
        if let Ok(mut open) = self.open_line.lock() {
            *open = !text.ends_with('\n');
        }
    }

    /// Does something with the terminal while the spinner holds still.
    pub(crate) fn undisturbed<T>(&self, show: impl FnOnce() -> T) -> T {
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
                Stream::Stdout => self.print(text),
                // Where stderr is closed, nobody can be told.
                Stream::Stderr => {
                    let text = render::unless_piped(text, render::stderr_is_terminal());
                    drop(io::stderr().write_all(text.as_bytes()));
                }
            }),
            Event::Log { level, message } if *level >= self.level => {
                let name = match level {
                    LogLevel::Debug => "debug",
                    LogLevel::Info => "info",
                    LogLevel::Warn => "warning",
                    _ => "error",
                };
                self.undisturbed(|| render::note(&format!("{name}: {skill}: {}", render::harmless(message))));
            }
            Event::Progress { fraction, message } => {
                if let Some(spinner) = &self.spinner {
                    let percent = fraction.map(|f| format!("{:.0} % ", f * 100.0)).unwrap_or_default();
                    let message = render::one_line(message.as_deref().unwrap_or_default());
                    spinner.set_message(format!("{percent}{message}"));
                }
            }
            _ => {}
        }
    }
}
