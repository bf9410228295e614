use std::time::Duration;

/// How many workers there may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolSettings {
    /// How many are kept ready on each shelf; 0 for none.
    pub ready: usize,
    /// How many may serve at once.
    pub most: usize,
    /// How many runs may wait for their turn.
    pub queue: usize,
    /// How long one is kept ready that nobody wants.
    pub idle: Duration,
}

impl Default for PoolSettings {
    /// 2 ready, 64 at once, 1024 waiting, 60 s.
    fn default() -> PoolSettings {
        PoolSettings { ready: 2, most: 64, queue: 1024, idle: Duration::from_secs(60) }
    }
}

/// What the pool did, and does.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct PoolFigures {
    /// Workers that serve a session.
    pub busy: usize,
    /// Runs that wait for their turn.
    pub waiting: usize,
    /// Workers that are ready, over all shelves.
    pub ready: usize,
    /// Shelves.
    pub shelves: usize,
    /// Sessions that got a worker which was ready.
    pub warm: u64,
    /// Sessions whose worker was forked when they asked.
    pub forked: u64,
    /// Workers that ended because nobody wanted them.
    pub expired: u64,
}
