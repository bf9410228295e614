//! What a case must leave alone: files with a secret, listeners on the host and beside it.

use super::neighbour::Neighbour;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// The name of the variable of the test's own environment that holds the secret too.
pub(super) const VARIABLE: &str = "SKILLS_HOSTILE_SECRET";

/// The outside of a case.
pub(super) struct World {
    root: tempfile::TempDir,
    secret: String,
    marker: String,
    tcp: TcpListener,
    udp: UdpSocket,
    pathname: UnixListener,
    abstracted: UnixListener,
    http: Http,
    neighbour: Result<Neighbour, String>,
}

type Snapshot = BTreeMap<PathBuf, (Vec<u8>, SystemTime)>;

impl World {
    /// A new one. `neighbour`: with listeners in another network namespace, where the rights to make one are there.
    pub(super) fn new(neighbour: bool) -> World {
        net();
        let root = tempfile::Builder::new().prefix("hostile").tempdir().unwrap();
        let secret = format!("secret-{}", random());
        let marker = format!("marker-{}", random());
        for folder in ["outside/folder", "granted", "skills", "sockets"] {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let abstracted = SocketAddr::from_abstract_name(&marker).unwrap();
        let world = World {
            tcp: TcpListener::bind("127.0.0.1:0").unwrap(),
            udp: UdpSocket::bind("127.0.0.1:0").unwrap(),
            pathname: UnixListener::bind(root.path().join("sockets/unix")).unwrap(),
            abstracted: UnixListener::bind_addr(&abstracted).unwrap(),
            http: Http::start(),
            neighbour: if neighbour { Neighbour::new() } else { Err("not asked for".to_owned()) },
            root,
            secret,
            marker,
        };
        world.tcp.set_nonblocking(true).unwrap();
        world.udp.set_nonblocking(true).unwrap();
        world.pathname.set_nonblocking(true).unwrap();
        world.abstracted.set_nonblocking(true).unwrap();
        world.restore();
        // SAFETY: the test has started no thread that reads the environment: engines come afterwards.
        unsafe { std::env::set_var(VARIABLE, &world.secret) };
        world
    }

    /// Why there is no neighbour, where there is none.
    pub(super) fn alone(&self) -> Option<&str> {
        self.neighbour.as_ref().err().map(String::as_str)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Where definitions are written.
    pub(super) fn skills(&self) -> PathBuf {
        self.path("skills")
    }

    /// Makes the folders as they were at first.
    pub(super) fn restore(&self) {
        // Emptied, and not made anew: a worker that is ready has the folder that it was granted.
        for folder in ["outside", "granted"] {
            for entry in std::fs::read_dir(self.path(folder)).unwrap() {
                let path = entry.unwrap().path();
                let folder = std::fs::symlink_metadata(&path).unwrap().is_dir();
                if folder { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.unwrap();
            }
        }
        std::fs::create_dir_all(self.path("outside/folder")).unwrap();
        std::fs::create_dir_all(self.path("granted/folder")).unwrap();
        std::fs::write(self.path("outside/secret.txt"), &self.secret).unwrap();
        std::fs::write(self.path("outside/canary.txt"), "as it was").unwrap();
        std::fs::write(self.path("granted/file.txt"), "granted").unwrap();
        while self.tcp.accept().is_ok() {}
        self.http.count.store(0, Ordering::SeqCst);
    }

    /// Puts what it stands for in the place of each placeholder.
    pub(super) fn fill(&self, text: &str) -> String {
        let (address, tcp, udp) = match &self.neighbour {
            Ok(neighbour) => (neighbour.address.to_string(), neighbour.tcp, neighbour.udp),
            // Nobody's address.
            Err(_) => ("192.0.2.1".to_owned(), 9, 9),
        };
        let port = |listener: &TcpListener| listener.local_addr().unwrap().port().to_string();
        let shown = |name: &str| self.path(name).display().to_string();
        // A name before those that it begins with.
        [
            ("$neighbour_tcp", tcp.to_string()),
            ("$neighbour_udp", udp.to_string()),
            ("$neighbour", address),
            ("$secret", shown("outside/secret.txt")),
            ("$outside", shown("outside")),
            ("$granted", shown("granted")),
            ("$unix", shown("sockets/unix")),
            ("$sockets", shown("sockets")),
            ("$abstract", self.marker.clone()),
            ("$marker", self.marker.clone()),
            ("$tcp", port(&self.tcp)),
            ("$udp", self.udp.local_addr().unwrap().port().to_string()),
            ("$http", self.http.port.to_string()),
            ("$host_pid", std::process::id().to_string()),
            ("$variable", VARIABLE.to_owned()),
        ]
        .iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    /// What is outside, to be compared afterwards.
    pub(super) fn snapshot(&self) -> Snapshot {
        let mut all = Snapshot::new();
        walk(&self.path("outside"), &mut all);
        all
    }

    /// What a case did outside that it must not have done; `asked`: whether it was granted the web server.
    pub(super) fn disturbed(&self, before: &Snapshot, asked: bool) -> Vec<String> {
        let mut found = Vec::new();
        if self.snapshot() != *before {
            found.push("files outside have changed".to_owned());
        }
        for folder in ["/tmp", "/var/tmp", "/dev/shm", "/run", "."] {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            for entry in entries.filter(|entry| entry.file_name().to_string_lossy().contains(&self.marker)) {
                found.push(format!("{} was made", entry.path().display()));
            }
        }
        let mut buffer = [0; 64];
        let mut arrived = |what: &str, yes: bool| {
            if yes {
                found.push(format!("something arrived at the {what}"));
            }
        };
        arrived("TCP listener", self.tcp.accept().is_ok());
        arrived("UDP socket", self.udp.recv_from(&mut buffer).is_ok());
        arrived("pathname socket", self.pathname.accept().is_ok());
        arrived("abstract socket", self.abstracted.accept().is_ok());
        arrived("web server", !asked && self.http.count.load(Ordering::SeqCst) > 0);
        if let Ok(neighbour) = &self.neighbour {
            arrived("neighbour's listeners", neighbour.reached());
        }
        found
    }

    /// Whether a text has the secret in it.
    pub(super) fn betrays(&self, text: &str) -> bool {
        text.contains(&self.secret)
    }
}

/// A limit around the tests themselves, which workers inherit: where a limit of the engine fails, the machine lives.
fn net() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let most = getrlimit(Resource::Data).maximum.map_or(4 << 30, |now| now.min(4 << 30));
    setrlimit(Resource::Data, Rlimit { current: Some(most), maximum: Some(most) }).unwrap();
}

fn walk(folder: &Path, all: &mut Snapshot) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let about = std::fs::symlink_metadata(&path).unwrap();
        let content = if about.is_file() { std::fs::read(&path).unwrap_or_default() } else { Vec::new() };
        all.insert(path.clone(), (content, about.modified().unwrap()));
        if about.is_dir() {
            walk(&path, all);
        }
    }
}

/// 128 random bits, in hexadecimal.
pub(super) fn random() -> String {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom").unwrap().read_exact(&mut bytes).unwrap();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A web server that says hello.
struct Http {
    port: u16,
    count: Arc<AtomicU64>,
}

impl Http {
    fn start() -> Http {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, count) = (listener.local_addr().unwrap().port(), Arc::new(AtomicU64::new(0)));
        let counted = Arc::clone(&count);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::SeqCst);
                let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
            }
        });
        Http { port, count }
    }
}

/// What shows nothing where nothing arrives has to show what does.
#[test]
fn the_world_notices() {
    use std::os::unix::net::UnixStream;
    let world = World::new(true);
    let notices = |what: &str, attempt: &dyn Fn()| {
        world.restore();
        let before = world.snapshot();
        assert_eq!(world.disturbed(&before, false), [""; 0]);
        attempt();
        let found = world.disturbed(&before, false);
        assert!(found.len() == 1 && found[0].contains(what), "{what}: {found:?}");
    };
    let [secret, tcp, udp, http] = ["$secret", "$tcp", "$udp", "$http"].map(|name| world.fill(name));
    let port = |text: &str| text.parse::<u16>().unwrap();
    notices("files outside", &|| std::fs::write(world.path("outside/canary.txt"), "as it is").unwrap());
    notices("files outside", &|| std::fs::write(world.path("outside/folder/new"), "").unwrap());
    let marked = world.fill("/tmp/$marker");
    notices("was made", &|| std::fs::write(&marked, "").unwrap());
    std::fs::remove_file(&marked).unwrap();
    notices("TCP", &|| drop(std::net::TcpStream::connect(("127.0.0.1", port(&tcp))).unwrap()));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    notices("UDP", &|| assert_eq!(socket.send_to(b"x", ("127.0.0.1", port(&udp))).unwrap(), 1));
    notices("pathname", &|| drop(UnixStream::connect(world.path("sockets/unix")).unwrap()));
    let name = SocketAddr::from_abstract_name(&world.marker).unwrap();
    notices("abstract", &|| drop(UnixStream::connect_addr(&name).unwrap()));
    notices("web server", &|| {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port(&http))).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        assert!(std::io::read_to_string(stream).unwrap().ends_with("hello"));
    });
    if let Ok(neighbour) = &world.neighbour {
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        notices("neighbour", &|| drop(std::net::TcpStream::connect((neighbour.address, neighbour.tcp)).unwrap()));
        notices("neighbour", &|| assert_eq!(socket.send_to(b"x", (neighbour.address, neighbour.udp)).unwrap(), 1));
    }
    assert!(world.betrays(&std::fs::read_to_string(secret).unwrap()));
    assert!(world.betrays(&std::env::var(VARIABLE).unwrap()));
}
