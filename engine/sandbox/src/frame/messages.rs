use super::functions::{read_function, write_function};
use super::live::{self, Live, Told};
use super::parts::{
    MOST_FAILURE, clipped, read_failure, read_language, read_limits, read_passed, read_result, read_script,
    write_failure, write_limits, write_passed, write_result, write_script,
};
use super::{MOST_CALL, MOST_PART, MOST_PATH, MOST_PRINT, MOST_TOLD, Malformed, Reader, Writer};
use serde_json::Value;
use skills_core::value::ELEMENT_COST;
use skills_core::{Arguments, Failure, FunctionSpec, Language, Limits, Script, Stream};
use std::sync::Arc;
use std::time::Duration;

/// What a host tells a worker.
#[derive(Debug, Clone, PartialEq)]
pub enum ToWorker {
    /// Open a session.
    Open(Open),
    /// Run a script.
    Run(Box<Asked>),
    /// Ask the session's living namespace for something.
    Live(Box<Live>),
    /// Some bytes of the snapshot that it is restored from.
    Part(Vec<u8>),
    /// What came of a host call.
    Reply(Reply),
}

/// The session that a worker is to open.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    /// Its language, which says what interpreter.
    pub language: Language,
    /// The functions that scripts can call.
    pub functions: Arc<[FunctionSpec]>,
    /// For each, whether it is a global name as well.
    pub globals: Vec<bool>,
    /// The memory that it is held to, as far as that is known by then.
    pub memory: Option<u64>,
}

/// One run of a script.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The run's number in its session.
    pub run: u64,
    /// The script.
    pub script: Arc<Script>,
    /// Its parameters.
    pub params: Value,
    /// What it is held to.
    pub limits: Limits,
    /// How much execution time and wall time have passed.
    pub passed: (Duration, Duration),
}

/// What came of a host call.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The value or the failure.
    pub result: Result<Value, Failure>,
    /// Why the run has been told to stop, if it has.
    pub verdict: Option<Failure>,
    /// How much execution time and wall time have passed.
    pub passed: (Duration, Duration),
    /// The operations of all runs that the run has called.
    pub called_operations: u64,
}

/// What a worker tells its host.
#[derive(Debug, Clone, PartialEq)]
pub enum FromWorker {
    /// The session is open, or why it is not.
    Opened(Result<(), Failure>),
    /// The script printed something.
    Print {
        /// The run.
        run: u64,
        /// Where.
        stream: Stream,
        /// What.
        text: String,
    },
    /// The script calls a function of the host.
    Call {
        /// The run.
        run: u64,
        /// The function's index.
        index: usize,
        /// With what.
        arguments: Arguments,
        /// The operations of the run itself so far, where they are counted.
        operations: u64,
    },
    /// The script imports a file of its skill.
    Module {
        /// The run.
        run: u64,
        /// The file, from the script's folder.
        path: String,
    },
    /// The run has ended.
    Answer {
        /// The run.
        run: u64,
        /// What came of it.
        result: Result<Value, Failure>,
        /// The operations counted.
        operations: Option<u64>,
        /// Whether the session can run another script.
        reusable: bool,
    },
    /// Some bytes of a snapshot.
    Part {
        /// The request.
        run: u64,
        /// The bytes that come next.
        bytes: Vec<u8>,
    },
    /// A request to the living namespace has been answered.
    Told {
        /// The request.
        run: u64,
        /// What came of it.
        result: Result<Told, Failure>,
        /// The operations counted.
        operations: Option<u64>,
        /// Whether the session can be asked anything else.
        reusable: bool,
    },
}

const OPEN: u8 = 1;
const RUN: u8 = 2;
const REPLY: u8 = 3;
const LIVE: u8 = 4;
const HOST_PART: u8 = 5;
const OPENED: u8 = 16;
const PRINT: u8 = 17;
const CALL: u8 = 18;
const ANSWER: u8 = 19;
const PART: u8 = 20;
const TOLD: u8 = 21;
const MODULE: u8 = 22;

impl ToWorker {
    /// The message as a frame.
    ///
    /// # Errors
    /// Where it is longer than a frame can be.
    pub fn encode(&self) -> Result<Vec<u8>, Malformed> {
        match self {
            ToWorker::Open(open) => {
                let mut out = Writer::new(OPEN);
                out.text(open.language.as_str());
                out.perhaps(open.memory);
                out.number(open.functions.len() as u64);
                for (index, function) in open.functions.iter().enumerate() {
                    out.flag(open.globals.get(index).copied().unwrap_or(false));
                    write_function(&mut out, function);
                }
                out.finish()
            }
            ToWorker::Run(asked) => Asked::encode(asked.run, &asked.script, &asked.params, &asked.limits, asked.passed),
            ToWorker::Live(live) => {
                let mut out = Writer::new(LIVE);
                live.write(&mut out);
                out.finish()
            }
            ToWorker::Part(bytes) => ToWorker::part(bytes),
            ToWorker::Reply(reply) => {
                let mut out = Writer::new(REPLY);
                write_result(&mut out, &reply.result);
                out.flag(reply.verdict.is_some());
                if let Some(verdict) = &reply.verdict {
                    write_failure(&mut out, verdict);
                }
                write_passed(&mut out, reply.passed);
                out.number(reply.called_operations);
                out.finish()
            }
        }
    }

    /// A part of a snapshot as a frame, from bytes that need not be owned.
    ///
    /// # Errors
    /// Where it is longer than a frame can be.
    pub fn part(bytes: &[u8]) -> Result<Vec<u8>, Malformed> {
        let mut out = Writer::new(HOST_PART);
        out.bytes(bytes);
        out.finish()
    }

    /// Reads a message of the host, which a worker believes.
    pub fn decode(frame: &[u8]) -> Result<ToWorker, Malformed> {
        let mut input = Reader::trusting(frame);
        let message = match input.byte()? {
            OPEN => {
                let language = read_language(&mut input)?;
                let memory = input.perhaps()?;
                let count = input.number()?;
                let (mut functions, mut globals) = (Vec::new(), Vec::new());
                for _ in 0..count {
                    globals.push(input.flag()?);
                    functions.push(read_function(&mut input)?);
                }
                ToWorker::Open(Open { language, functions: functions.into(), globals, memory })
            }
            RUN => {
                let run = input.number()?;
                let script = Arc::new(read_script(&mut input)?);
                let params = input.value()?;
                let limits = read_limits(&mut input)?;
                let passed = read_passed(&mut input)?;
                ToWorker::Run(Box::new(Asked { run, script, params, limits, passed }))
            }
            LIVE => ToWorker::Live(Box::new(Live::read(&mut input)?)),
            HOST_PART => ToWorker::Part(live::read_part(&mut input)?),
            REPLY => {
                let result = read_result(&mut input)?;
                let verdict = if input.flag()? { Some(read_failure(&mut input)?) } else { None };
                let (passed, called_operations) = (read_passed(&mut input)?, input.number()?);
                ToWorker::Reply(Reply { result, verdict, passed, called_operations })
            }
            _ => return Err(Malformed("a message has an unknown tag")),
        };
        input.end()?;
        Ok(message)
    }
}

impl Asked {
    /// The message as a frame, from parts that need not be owned.
    ///
    /// # Errors
    /// Where it is longer than a frame can be.
    pub fn encode(
        run: u64,
        script: &Script,
        params: &Value,
        limits: &Limits,
        passed: (Duration, Duration),
    ) -> Result<Vec<u8>, Malformed> {
        let mut out = Writer::new(RUN);
        out.number(run);
        write_script(&mut out, script);
        out.value(params);
        write_limits(&mut out, limits);
        write_passed(&mut out, passed);
        out.finish()
    }
}

impl FromWorker {
    /// The message as a frame.
    ///
    /// # Errors
    /// Where it is longer than a frame can be.
    pub fn encode(&self) -> Result<Vec<u8>, Malformed> {
        match self {
            FromWorker::Opened(result) => {
                let mut out = Writer::new(OPENED);
                out.flag(result.is_ok());
                if let Err(failure) = result {
                    write_failure(&mut out, failure);
                }
                out.finish()
            }
            FromWorker::Print { run, stream, text } => {
                let mut out = Writer::new(PRINT);
                out.number(*run);
                out.flag(*stream == Stream::Stderr);
                out.text(text);
                out.finish()
            }
            FromWorker::Call { run, index, arguments, operations } => {
                let mut out = Writer::new(CALL);
                out.number(*run);
                out.number(*index as u64);
                out.number(*operations);
                out.number(arguments.positional.len() as u64);
                arguments.positional.iter().for_each(|value| out.value(value));
                out.map(&arguments.named);
                out.finish()
            }
            FromWorker::Module { run, path } => {
                let mut out = Writer::new(MODULE);
                out.number(*run);
                out.text(path);
                out.finish()
            }
            FromWorker::Answer { run, result, operations, reusable } => {
                let mut out = Writer::new(ANSWER);
                out.number(*run);
                out.perhaps(*operations);
                out.flag(*reusable);
                write_result(&mut out, result);
                out.finish()
            }
            FromWorker::Part { run, bytes } => FromWorker::part(*run, bytes),
            FromWorker::Told { run, result, operations, reusable } => {
                let mut out = Writer::new(TOLD);
                out.number(*run);
                out.perhaps(*operations);
                out.flag(*reusable);
                out.flag(result.is_ok());
                match result {
                    Ok(told) => told.write(&mut out),
                    Err(failure) => write_failure(&mut out, failure),
                }
                out.finish()
            }
        }
    }

    /// A part of a snapshot as a frame, from bytes that need not be owned.
    ///
    /// # Errors
    /// Where it is longer than a frame can be.
    pub fn part(run: u64, bytes: &[u8]) -> Result<Vec<u8>, Malformed> {
        let mut out = Writer::new(PART);
        out.number(run);
        out.bytes(bytes);
        out.finish()
    }

    /// How long a message of a kind may be, without its length: as long as what it may hold, written in the longest way.
    /// So a worker has its host hold no more than what it says that it sends, and of that what it may say.
    pub fn most(kind: u8, most_result: u64) -> usize {
        /// Numbers, flags and lengths beside what is counted.
        const BESIDE: u64 = 256;
        // Texts, elements and members count for more than they are written in.
        let value = most_result;
        let failure = 2 * MOST_FAILURE as u64;
        let most = match kind {
            OPENED => failure,
            PRINT => MOST_PRINT as u64,
            CALL => MOST_CALL,
            MODULE => MOST_PATH as u64,
            ANSWER => value.max(failure),
            PART => MOST_PART as u64,
            TOLD => value.saturating_add(MOST_TOLD).max(failure),
            // It is refused when it is read.
            _ => 0,
        };
        usize::try_from(most.saturating_add(BESIDE)).unwrap_or(usize::MAX)
    }

    /// Reads a message of a worker, of whom nothing is believed. A result may hold `most_result`, as the limit on a
    /// result counts it.
    ///
    /// # Errors
    /// Where it is no message.
    pub fn decode(frame: &[u8], most_result: u64) -> Result<FromWorker, Malformed> {
        let mut input = Reader::new(frame, 2 * MOST_FAILURE as u64);
        let message = match input.byte()? {
            OPENED => FromWorker::Opened(if input.flag()? { Ok(()) } else { Err(clipped(read_failure(&mut input)?)) }),
            PRINT => {
                input.room(MOST_PRINT as u64, ELEMENT_COST);
                let run = input.number()?;
                let stream = if input.flag()? { Stream::Stderr } else { Stream::Stdout };
                FromWorker::Print { run, stream, text: input.text()?.to_owned() }
            }
            CALL => {
                input.room(MOST_CALL, size_of::<Value>());
                let run = input.number()?;
                let index = usize::try_from(input.number()?).map_err(|_| Malformed("there is no such function"))?;
                let operations = input.number()?;
                let arguments = Arguments { positional: input.values()?, named: input.map()? };
                FromWorker::Call { run, index, arguments, operations }
            }
            MODULE => FromWorker::Module { run: input.number()?, path: input.text()?.to_owned() },
            ANSWER => {
                let run = input.number()?;
                let operations = input.perhaps()?;
                let reusable = input.flag()?;
                input.room(most_result.max(2 * MOST_FAILURE as u64), ELEMENT_COST);
                let result = read_result(&mut input)?.map_err(clipped);
                FromWorker::Answer { run, result, operations, reusable }
            }
            PART => {
                let run = input.number()?;
                FromWorker::Part { run, bytes: live::read_part(&mut input)? }
            }
            TOLD => {
                let run = input.number()?;
                let operations = input.perhaps()?;
                let reusable = input.flag()?;
                let result = if input.flag()? {
                    Ok(Told::read(&mut input, most_result)?)
                } else {
                    Err(clipped(read_failure(&mut input)?))
                };
                FromWorker::Told { run, result, operations, reusable }
            }
            _ => return Err(Malformed("a message has an unknown tag")),
        };
        input.end()?;
        Ok(message)
    }
}
