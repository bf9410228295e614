//! What programs that stay write, by each protocol, and what bash says of its variables: in any pieces, with anything in them.
#![no_main]

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use skills_core::{
    CapStatus, Cell, End, Entry, ErrorKind, Failure, Heard, Held, Host, Language, Launcher, Layer, Limits, Listener,
    ProbeHost, Program, Ran, Script, Session, Staying,
};
use skills_executors::{Invocation, Machine, OutputForm, Pattern, Protocol, Resident, Shell};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

#[derive(Debug, Clone, Arbitrary)]
enum Says {
    Out(Vec<u8>),
    Err(String),
    Said(Vec<u8>),
    /// The random word of the request, where it has one, between these.
    Word(Vec<u8>, Vec<u8>),
    Quiet,
}

/// Says what was made up, whatever it is asked, and then ends.
#[derive(Clone)]
struct Parrot(Vec<Says>);

impl Launcher for Parrot {
    fn run(&self, _: &Program, _: &Arc<dyn Host>) -> Result<Ran, Failure> {
        Err(Failure::new(ErrorKind::Unavailable, "it only stays"))
    }

    fn start(&self, _: &Program, _: &Arc<dyn Host>) -> Result<Box<dyn Staying>, Failure> {
        Ok(Box::new(self.clone()))
    }

    fn layers(&self) -> Vec<Layer> {
        Vec::new()
    }

    fn caps(&self) -> Vec<CapStatus> {
        Vec::new()
    }
}

impl Staying for Parrot {
    fn talk(&mut self, input: &[u8], listen: &mut Listener<'_>, _: &Arc<dyn Host>) -> Result<Option<End>, Failure> {
        let hex = |word: &&[u8]| word.len() == 16 && word.iter().all(u8::is_ascii_hexdigit);
        let word = input.split(|byte| !byte.is_ascii_alphanumeric()).find(hex).unwrap_or_default();
        while let Some(says) = self.0.pop() {
            let bytes = match &says {
                Says::Out(bytes) => bytes.clone(),
                Says::Said(bytes) => bytes.clone(),
                Says::Word(before, behind) => [before, word, behind].concat(),
                Says::Err(_) | Says::Quiet => Vec::new(),
            };
            let done = match &says {
                Says::Out(_) => listen(Heard::Stdout(&bytes, &String::from_utf8_lossy(&bytes)))?,
                // A marker comes on whichever stream it is looked for.
                Says::Word(..) => {
                    listen(Heard::Stdout(&bytes, &String::from_utf8_lossy(&bytes)))? | listen(Heard::Said(&bytes))?
                }
                Says::Err(text) => listen(Heard::Stderr(text))?,
                Says::Said(_) => listen(Heard::Said(&bytes))?,
                Says::Quiet => listen(Heard::Quiet)?,
            };
            if done {
                return Ok(None);
            }
        }
        Ok(Some(End::Exited(0)))
    }

    fn catch_up(&mut self, listen: &mut Listener<'_>) -> Result<(), Failure> {
        listen(Heard::Quiet).map(drop)
    }

    fn is_alive(&self) -> bool {
        !self.0.is_empty()
    }

    fn held(&self) -> Held {
        Held::default()
    }
}

static PROTOCOLS: LazyLock<Vec<Protocol>> = LazyLock::new(|| {
    let pattern = |text: &str| Pattern::new(text).unwrap();
    vec![
        Protocol::Lines { ready: None },
        Protocol::Lines { ready: Some(pattern("R[a-z]*")) },
        Protocol::JsonLines { ready: None },
        Protocol::Prompt { prompt: pattern("> ?"), echo: true },
        Protocol::Prompt { prompt: pattern("[a-z]+> "), echo: false },
        Protocol::Marker { send: "{input}\nprint {marker}".to_owned() },
    ]
});

fuzz_target!(|given: (u8, &str, Vec<Says>)| {
    let (which, request, says) = given;
    let launcher = Parrot(says);
    let search = ["/usr/bin", "/bin"].map(PathBuf::from);
    let machine = Machine { launcher: &launcher, search: &search };
    let host = ProbeHost::with_limits(Limits { output: Some(1 << 16), result: Some(1 << 16), ..Limits::default() });
    let protocol = PROTOCOLS.get(usize::from(which) % (PROTOCOLS.len() + 1));
    let invocation = Invocation {
        program: "bash".to_owned(),
        arguments: Vec::new(),
        environment: BTreeMap::new(),
        working_directory: None,
        stdin: String::new(),
        output: [OutputForm::Text, OutputForm::Json, OutputForm::Lines][usize::from(which >> 4) % 3],
        exit_codes: BTreeMap::new(),
        script: None,
        name: "fuzzed".to_owned(),
        folder: None,
        protocol: protocol.cloned(),
        request: None,
    };
    let cell = Cell {
        script: Arc::new(Script { language: Language::Bash, file: "<cell 1>".to_owned(), source: request.to_owned() }),
        entry: Entry::Cell,
    };
    let ask = |session: &mut dyn Session| {
        drop(session.eval(&cell, &host));
        drop(session.variables(&host));
        drop(session.get("a", &host));
        drop(session.set("a", &Value::from(request), &host));
        drop(session.complete(request, request.len(), &host));
        drop(session.inspect("a", &host));
        drop(session.snapshot(&host));
    };
    match protocol {
        Some(protocol) => {
            drop(Resident::open(&invocation, protocol, machine, &host).map(|mut session| ask(&mut session)))
        }
        None => drop(Shell::open(&invocation, machine, &host).map(|mut session| ask(&mut session))),
    }
});
