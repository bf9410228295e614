use crate::Cage;
use crate::frame::Open;
use crate::remote::RemoteSession;
use crate::zygote::Zygotes;
use skills_core::{Failure, FunctionSpec, Host, Language};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// What workers have in common that can stand in for one another.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) kind: &'static str,
    language: Language,
    pub(crate) functions: Arc<[FunctionSpec]>,
    pub(crate) globals: Arc<[bool]>,
    pub(crate) cage: Cage,
    /// Whether the session is going to live.
    pub(crate) living: bool,
}

impl Wanted {
    /// What a host's session needs.
    pub(crate) fn of(kind: &'static str, language: Language, host: &Arc<dyn Host>) -> Wanted {
        let functions = Arc::clone(host.functions());
        let globals = (0..functions.len()).map(|index| host.is_global(index)).collect();
        Wanted {
            kind,
            language,
            functions,
            globals,
            cage: Cage::new(host.grants(), host.budget().limits()),
            living: false,
        }
    }

    /// The same for a session that is going to live: the processor time of all its evaluations has no end that is known.
    pub(crate) fn living(mut self) -> Wanted {
        self.cage.cpu_seconds = None;
        self.living = true;
        self
    }

    /// Forks a worker for it, and has that open its session.
    pub(crate) fn start(&self, zygotes: &Zygotes, host: &Arc<dyn Host>) -> Result<RemoteSession, Failure> {
        match self.living {
            true => RemoteSession::start_living(zygotes, &self.cage, self.kind, self.open(), host),
            false => RemoteSession::start(zygotes, &self.cage, self.kind, self.open(), host),
        }
    }

    /// The session that such a worker opens.
    fn open(&self) -> Open {
        Open {
            language: self.language,
            functions: Arc::clone(&self.functions),
            globals: self.globals.to_vec(),
            memory: self.cage.memory,
        }
    }

    /// Whether a worker that was made for this serves what `other` wants.
    fn serves(&self, other: &Wanted) -> bool {
        // The processor time stands behind the deadlines of the host: more of it is fine.
        let lasts = match (self.cage.cpu_seconds, other.cage.cpu_seconds) {
            (None, _) => true,
            (Some(has), Some(wants)) => has >= wants,
            (Some(_), None) => false,
        };
        let same = Cage { cpu_seconds: other.cage.cpu_seconds, ..self.cage.clone() } == other.cage;
        lasts
            && same
            && self.living == other.living
            && self.kind == other.kind
            && Arc::ptr_eq(&self.functions, &other.functions)
    }
}

/// Workers that are ready, and the same in all that matters.
#[derive(Debug)]
pub(crate) struct Shelf {
    pub(crate) wanted: Wanted,
    pub(crate) ready: VecDeque<(Instant, RemoteSession)>,
    /// How many are being made.
    pub(crate) coming: usize,
    /// When one was last asked for.
    pub(crate) asked: Instant,
    /// When more may be made: not beside the first steps of whoever took the last.
    pub(crate) rests: Option<Instant>,
    /// Set where making one failed: whoever asks next gets to know why, and tries anew.
    pub(crate) broken: bool,
}

/// All of them, the one that was asked for last at the end.
#[derive(Debug, Default)]
pub(crate) struct Shelves(pub(crate) Vec<Shelf>);

/// How many there may be.
const MOST: usize = 6;

impl Shelves {
    /// The shelf for something, whose turn it is now.
    pub(crate) fn find(&mut self, wanted: &Wanted) -> Option<&mut Shelf> {
        let at = self.0.iter().rposition(|shelf| shelf.wanted.serves(wanted))?;
        let shelf = self.0.remove(at);
        self.0.push(shelf);
        self.0.last_mut()
    }

    /// Makes room for something that has no shelf; gives what was cleared away for it.
    pub(crate) fn add(&mut self, wanted: Wanted) -> Option<Shelf> {
        let cleared = (self.0.len() >= MOST).then(|| self.0.remove(0));
        let shelf =
            Shelf { wanted, ready: VecDeque::new(), coming: 0, asked: Instant::now(), rests: None, broken: false };
        self.0.push(shelf);
        cleared
    }
}
