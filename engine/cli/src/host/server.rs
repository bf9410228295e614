//! The life of the host: who comes, and when it goes.

use super::build::Build;
use super::connection;
use super::contexts::Contexts;
use super::folder::Folder;
use super::message::Farewell;
use super::openings::Openings;
use super::reports::Reports;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use skills::{Error, ErrorKind, Persistence, SessionHub, SessionInfo, SessionState};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The most clients at once.
const MOST_CLIENTS: usize = 512;

/// How many more may look at sessions and end them, so that whoever evaluates shuts nobody out from that.
const RESERVED: usize = 32;

/// How often the host looks whether it is still wanted, at the least.
const LOOK: Duration = Duration::from_secs(5);

/// How long clients that are being served get when the host ends.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What all connections share.
pub(super) struct Host {
    pub(super) build: Build,
    pub(super) hub: SessionHub,
    pub(super) contexts: Contexts,
    pub(super) reports: Reports,
    pub(super) openings: Openings,
    folder: Folder,
    life: Mutex<Life>,
    changed: Condvar,
    /// The number of the last correlation id.
    asked: AtomicU64,
    /// Wakes the thread that waits for clients.
    wake: UnixStream,
}

struct Life {
    clients: usize,
    /// Since when nobody has been there.
    quiet_since: Instant,
    ending: bool,
}

impl Host {
    /// A host that nobody knows of yet, and what wakes it.
    pub(super) fn new(folder: Folder, openings: Openings) -> std::io::Result<(Arc<Host>, UnixStream)> {
        let (wake, woken) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        let (hub, reports) = (SessionHub::new(), Reports::default());
        let host = Host {
            build: Build::own(),
            contexts: Contexts::new(hub.clone(), reports.clone()),
            openings,
            hub,
            reports,
            folder,
            life: Mutex::new(Life { clients: 0, quiet_since: Instant::now(), ending: false }),
            changed: Condvar::new(),
            asked: AtomicU64::new(0),
            wake,
        };
        Ok((Arc::new(host), woken))
    }

    /// Serves until nobody has wanted anything for as long as `idle`, or somebody says that it is enough.
    pub(super) fn serve(self: &Arc<Self>, listener: &UnixListener, woken: &UnixStream, idle: Duration) {
        let own = self.folder.socket_id();
        let look = LOOK.min(idle / 4).max(Duration::from_millis(10));
        let timeout = Timespec { tv_sec: look.as_secs() as i64, tv_nsec: i64::from(look.subsec_nanos()) };
        while !self.life().ending {
            let mut ready = [PollFd::new(listener, PollFlags::IN), PollFd::new(woken, PollFlags::IN)];
            // Where it fails, that is a signal: the next look is now.
            let _ = poll(&mut ready, Some(&timeout));
            if ready[0].revents().contains(PollFlags::IN) {
                match listener.accept() {
                    Ok((stream, _)) => self.welcome(stream),
                    // There is no descriptor left for it, and it still waits: soon there may be.
                    Err(_) => std::thread::sleep(look),
                }
                continue;
            }
            self.contexts.tidy();
            // Nobody can come any more where the socket is gone.
            if self.is_quiet_for(idle) || (self.folder.socket_id() != own && self.is_quiet_for(Duration::ZERO)) {
                break;
            }
        }
        self.folder.unlisten();
        let until = Instant::now() + LAST_WORDS;
        let mut life = self.life();
        while life.clients > 0 && Instant::now() < until {
            let left = until.saturating_duration_since(Instant::now());
            life = self.changed.wait_timeout(life, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Serves a client on a thread of its own.
    fn welcome(self: &Arc<Self>, stream: UnixStream) {
        // One too many finds the connection closed, and comes again.
        let Some(guest) = Guest::of(self) else { return };
        let host = Arc::clone(self);
        let thread = std::thread::Builder::new().name("client".into());
        // Where no thread can be had, the client finds the connection closed, and says so.
        drop(thread.spawn(move || {
            connection::serve(&host, stream, guest.late);
            drop(guest);
        }));
    }

    /// A name for what a client asks.
    pub(super) fn correlation_id(&self) -> String {
        format!("{}-{:x}", std::process::id(), self.asked.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether nothing would be lost if the host ended now.
    pub(super) fn is_replaceable(&self) -> bool {
        self.hub.sessions().iter().all(|session| is_on_disk(session) && session.state != SessionState::Busy)
    }

    /// Ends the host, unless something is under way; `force` ends it all the same.
    pub(super) fn end(&self, force: bool) -> Farewell {
        let sessions = self.hub.sessions();
        let named = |which: &dyn Fn(&SessionInfo) -> bool| -> Vec<String> {
            sessions.iter().filter(|session| which(session)).map(|session| session.name.clone()).collect()
        };
        let busy = named(&|session| session.state == SessionState::Busy);
        let ends = force || busy.is_empty();
        if ends {
            self.hub.interrupt_all();
            self.life().ending = true;
            self.openings.forget_all();
        }
        Farewell { ends, ended: named(&|session| !is_on_disk(session)), kept: named(&is_on_disk), busy }
    }

    /// That it has as many clients as it may have.
    pub(super) fn full() -> Error {
        Error::new(ErrorKind::QueueFull, format!("the session host has {MOST_CLIENTS} clients, the most at once"))
            .with_help("wait for some of them, or end sessions that keep them: `skills sessions list`, `skills sessions kill NAME`")
    }

    /// Has the thread that waits for clients look whether it is still wanted.
    pub(super) fn look(&self) {
        use std::io::Write as _;
        // Where the socket is full, it is awake already.
        drop((&self.wake).write(&[0]));
    }

    /// Whether no client is there, nothing would be lost, and that for as long as this.
    fn is_quiet_for(&self, idle: Duration) -> bool {
        let mut life = self.life();
        if life.clients > 0 {
            return false;
        }
        if !self.is_replaceable() {
            life.quiet_since = Instant::now();
            return false;
        }
        life.quiet_since.elapsed() >= idle
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_on_disk(session: &SessionInfo) -> bool {
    session.persistence == Persistence::Disk
}

/// A client that is there, until it is dropped.
struct Guest {
    host: Arc<Host>,
    /// Whether it has one of the reserved places.
    late: bool,
}

impl Guest {
    /// `None` where there are too many.
    fn of(host: &Arc<Host>) -> Option<Guest> {
        let mut life = host.life();
        if life.clients >= MOST_CLIENTS + RESERVED {
            return None;
        }
        life.clients += 1;
        Some(Guest { host: Arc::clone(host), late: life.clients > MOST_CLIENTS })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut life = self.host.life();
        life.clients -= 1;
        life.quiet_since = Instant::now();
        drop(life);
        self.host.changed.notify_all();
    }
}
