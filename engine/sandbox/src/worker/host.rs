use super::NO_GRANTS;
use super::link::Link;
use crate::frame::{FromWorker, MOST_PATH, MOST_PRINT, Malformed, Open, Reply, module_from_value};
use serde_json::Value;
use skills_core::value::{MAX_DEPTH, depth};
use skills_core::{Arguments, Budget, ErrorKind, Failure, FunctionSpec, Grants, Host, Script, Stream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The host as a script in a worker sees it: all that it does is done at the other end of the socket.
pub(crate) struct WorkerHost {
    functions: Arc<[FunctionSpec]>,
    globals: Vec<bool>,
    link: Arc<Link>,
    run: u64,
    budget: Arc<Budget>,
    /// Whether the run is over. Locked while anything of it goes out, so that nothing comes after its answer.
    over: Mutex<bool>,
}

impl WorkerHost {
    pub(crate) fn new(open: &Open, link: &Arc<Link>, run: u64, budget: Arc<Budget>) -> WorkerHost {
        WorkerHost {
            functions: Arc::clone(&open.functions),
            globals: open.globals.clone(),
            link: Arc::clone(link),
            run,
            budget,
            over: Mutex::new(false),
        }
    }

    /// The run is over: nothing goes out any more.
    pub(crate) fn close(&self) {
        *self.over() = true;
    }

    fn over(&self) -> MutexGuard<'_, bool> {
        self.over.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a message, unless the run is over; says whether it was sent.
    fn send(&self, link: &Link, message: &FromWorker) -> Result<bool, Malformed> {
        let frame = message.encode()?;
        let over = self.over();
        if *over {
            return Ok(false);
        }
        link.send_frame(&frame)?;
        Ok(true)
    }

    /// Asks the host for something, and waits for its reply.
    fn ask(&self, what: impl FnOnce() -> Result<FromWorker, Failure>) -> Result<Value, Failure> {
        let late = || Failure::new(ErrorKind::Cancelled, "the run that called a function of the host is over");
        if *self.over() {
            return Err(late());
        }
        if let Some(verdict) = self.budget.verdict() {
            return Err(verdict.clone());
        }
        let what = what()?;
        // What of this is the script's time, the host says afterwards.
        let pause = self.budget.pause();
        let reply = self.link.ask(|link| self.send(link, &what)).map_err(lost);
        drop(pause);
        let Reply { result, verdict, passed, called_operations } = reply?.ok_or_else(late)?;
        self.budget.agree(passed.0);
        self.budget.agree_called_operations(called_operations);
        if let Some(verdict) = verdict {
            match verdict.limit {
                Some(breach) => drop(self.budget.breach(breach)),
                None => self.budget.cancel(),
            }
        }
        result
    }
}

fn lost(error: Malformed) -> Failure {
    Failure::new(ErrorKind::Crashed, error.0)
}

impl Host for WorkerHost {
    fn functions(&self) -> &Arc<[FunctionSpec]> {
        &self.functions
    }

    fn is_global(&self, index: usize) -> bool {
        self.globals.get(index).copied().unwrap_or(false)
    }

    fn call(&self, index: usize, arguments: Arguments) -> Result<Value, Failure> {
        self.ask(|| {
            let name = self.functions.get(index).map_or("", |spec| &spec.name);
            let all = arguments.positional.iter().chain(arguments.named.values());
            if all.into_iter().any(|argument| depth(argument) > MAX_DEPTH) {
                let message = format!("an argument of skill.{name} is nested deeper than {MAX_DEPTH} levels");
                return Err(Failure::new(ErrorKind::InvalidArguments, message));
            }
            Ok(FromWorker::Call { run: self.run, index, arguments, operations: self.budget.own_operations() })
        })
    }

    fn module(&self, path: &str) -> Result<Script, Failure> {
        let module = self.ask(|| match path.len() <= MOST_PATH {
            true => Ok(FromWorker::Module { run: self.run, path: path.to_owned() }),
            false => Err(Failure::new(ErrorKind::NotFound, "no file has a path that is so long")),
        })?;
        module_from_value(module).map_err(lost)
    }

    fn print(&self, stream: Stream, text: &str) -> Result<(), Failure> {
        // The host cuts what is too much; no need to send all of it there.
        let left = self.budget.left().output.unwrap_or(u64::MAX);
        let mut rest = cut(text, left.saturating_add(1));
        while !rest.is_empty() {
            let piece = cut(rest, MOST_PRINT as u64);
            rest = &rest[piece.len()..];
            let message = FromWorker::Print { run: self.run, stream, text: piece.to_owned() };
            if !self.send(&self.link, &message).map_err(lost)? {
                break;
            }
        }
        self.budget.charge_output(text.len() as u64)
    }

    fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    fn grants(&self) -> &Grants {
        NO_GRANTS
    }
}

/// The longest start of a text that ends on a character and has at most `most` bytes, or where its first character has
/// more, that.
fn cut(text: &str, most: u64) -> &str {
    let mut end = usize::try_from(most).unwrap_or(usize::MAX).min(text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    &text[..end]
}
