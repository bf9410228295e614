//! The proxy between a client and real servers, both on loopback.

use super::*;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A server that answers each connection with `OK` and what it was sent, up to the end of a head.
struct Server {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(answer: &'static str) -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let requests = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let (mut text, mut buffer) = (String::new(), [0; 4096]);
                while !text.contains("\r\n\r\n") {
                    match stream.read(&mut buffer) {
                        Ok(n) if n > 0 => text.push_str(&String::from_utf8_lossy(&buffer[..n])),
                        _ => break,
                    }
                }
                requests.lock().unwrap().push(text);
                drop(stream.write_all(answer.as_bytes()));
            }
        });
        Server { port, seen }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: X-Hop\r\nX-Hop: 1\r\nProxy-Thing: 1\r\n\r\nhello";

/// Gives the addresses in turn, one more each time it is asked.
struct Fixed(Vec<IpAddr>, AtomicUsize);

impl Resolver for Fixed {
    fn resolve(&self, _name: &str, _port: u16) -> Addresses {
        let turn = self.1.fetch_add(1, Ordering::SeqCst);
        // Another port than the one asked for changes nothing.
        let address = SocketAddr::new(self.0[turn.min(self.0.len() - 1)], 1);
        Box::pin(async move { Ok(vec![address]) })
    }
}

/// Finds out nothing, for ever.
struct Silent;

impl Resolver for Silent {
    fn resolve(&self, _name: &str, _port: u16) -> Addresses {
        Box::pin(std::future::pending())
    }
}

struct Proxy {
    port: u16,
    denied: Arc<Mutex<Vec<String>>>,
    guard: Option<Guard>,
}

fn proxy(entries: &[String], resolver: &Arc<impl Resolver + 'static>, bounds: Bounds) -> Proxy {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let denied: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = Arc::clone(&denied);
    let on_denied = move |text: &str| log.lock().unwrap().push(text.to_owned());
    let resolver: Arc<dyn Resolver> = Arc::clone(resolver) as _;
    let guard = serve_with(listener, &Access::Only(entries.to_vec()), bounds, resolver, on_denied).unwrap();
    Proxy { port, denied, guard: Some(guard) }
}

fn resolver(addresses: &[&str]) -> Arc<Fixed> {
    Arc::new(Fixed(addresses.iter().map(|address| address.parse().unwrap()).collect(), AtomicUsize::new(0)))
}

impl Proxy {
    fn connect(&self) -> TcpStream {
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap()
    }

    /// What comes back of a request, until the proxy closes.
    fn ask(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = Vec::new();
        drop(stream.read_to_end(&mut text));
        String::from_utf8_lossy(&text).into_owned()
    }

    fn get(&self, url: &str) -> String {
        self.ask(&format!("GET {url} HTTP/1.1\r\nHost: x\r\nProxy-Authorization: secret\r\nConnection: close\r\n\r\n"))
    }
}

#[test]
fn a_granted_address_is_reached_by_both_ways() {
    let server = Server::new(OK);
    let proxy = proxy(&[format!("127.0.0.1:{}", server.port)], &resolver(&["127.0.0.1"]), Bounds::default());
    let answer = proxy.get(&format!("http://127.0.0.1:{}/a?b", server.port));
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nhello"), "{answer}");
    assert!(!answer.to_lowercase().contains("x-hop") && !answer.to_lowercase().contains("proxy-thing"), "{answer}");
    let seen = server.seen()[0].to_lowercase();
    assert!(seen.starts_with("get /a?b http/1.1\r\n"), "{seen}");
    assert!(seen.contains(&format!("host: 127.0.0.1:{}\r\n", server.port)) && !seen.contains("proxy-"), "{seen}");

    let tunnel = format!("CONNECT 127.0.0.1:{} HTTP/1.1\r\nHost: x\r\n\r\nraw bytes\r\n\r\n", server.port);
    let answer = proxy.ask(&tunnel);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("hello"), "{answer}");
    assert_eq!(server.seen()[1], "raw bytes\r\n\r\n");
    assert!(proxy.denied.lock().unwrap().is_empty());
}

#[test]
fn what_was_not_granted_is_refused_with_what_would_allow_it() {
    let server = Server::new(OK);
    let proxy = proxy(&["example.com".to_owned()], &resolver(&["127.0.0.1"]), Bounds::default());
    let direct = proxy.get(&format!("http://127.0.0.1:{}/", server.port));
    assert!(direct.starts_with("HTTP/1.1 403 "), "{direct}");
    assert!(direct.contains(&format!("allow it with --allow-net 127.0.0.1:{}", server.port)), "{direct}");
    let other = proxy.ask("CONNECT other.example:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(other.starts_with("HTTP/1.1 403 ") && other.contains("--allow-net other.example:443\n"), "{other}");
    let name = proxy.get("http://example.com/");
    assert!(name.starts_with("HTTP/1.1 403 ") && name.contains("has the address 127.0.0.1"), "{name}");
    assert_eq!(proxy.denied.lock().unwrap().len(), 3);
    assert!(server.seen().is_empty());
}

#[test]
fn a_name_is_looked_up_once_and_the_checked_address_is_used() {
    let server = Server::new(OK);
    let entries = [format!("rebinds.example:{}", server.port), format!("127.0.0.1/32:{}", server.port)];
    // First where it may, then where it may not: were the name looked up again to connect, it would lead there.
    let names = resolver(&["127.0.0.1", "127.0.0.2"]);
    let proxy = proxy(&entries, &names, Bounds::default());
    let url = format!("http://rebinds.example:{}/", server.port);
    assert!(proxy.get(&url).contains("hello"));
    assert_eq!(names.1.load(Ordering::SeqCst), 1);
    let answer = proxy.get(&url);
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("127.0.0.2"), "{answer}");
    assert!(server.seen()[0].contains("rebinds.example"), "{:?}", server.seen());
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn strange_requests_are_refused() {
    let server = Server::new(OK);
    let port = server.port;
    let entries = ["127.0.0.0/8:*", "[::]/0:*", "*:*"].map(str::to_owned);
    let proxy = proxy(&entries, &resolver(&["127.0.0.1"]), Bounds::default());
    let number = u32::from(Ipv4Addr::LOCALHOST);
    let requests = [
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".to_owned(),
        format!("GET http://{number}:{port}/ HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("GET http://0x7f.1:{port}/ HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("GET http://0177.0.0.1:{port}/ HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("GET http://127.1:{port}/ HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("GET http://a@127.0.0.1:{port}/ HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("GET https://127.0.0.1:{port}/ HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("GET http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"),
        format!("GET http://127.0.0.1:{port}/ HTTP/1.1\r\nA: b\rc\r\n\r\n"),
        format!("GET http://127.0.0.1:{port}/ HTTP/1.1\r\nA : b\r\n\r\n"),
        format!("POST http://127.0.0.1:{port}/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        format!("POST http://127.0.0.1:{port}/ HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
        format!("GET http://127.0.0.1:{port}/ HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(64 << 10)),
        "\x16\x03\x01\r\n\r\n".to_owned(),
    ];
    for request in requests {
        let shown: String = request.chars().take(100).collect();
        let closing = request.replacen(" HTTP/1.1\r\n", " HTTP/1.1\r\nConnection: close\r\n", 1);
        let answer = proxy.ask(&closing);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{shown:?} {answer}");
        assert!(server.seen().is_empty(), "{shown:?} {:?}", server.seen());
    }
}

#[test]
fn a_request_ends_where_the_proxy_says() {
    let server = Server::new(OK);
    let proxy = proxy(&[format!("127.0.0.1:{}", server.port)], &resolver(&["127.0.0.1"]), Bounds::default());
    // With both, the length means nothing, and does not go on: whoever goes by it would see another request.
    for both in ["Transfer-Encoding: chunked\r\nContent-Length: 60", "Content-Length: 60\r\nTransfer-Encoding: chunked"]
    {
        let head = format!("POST http://127.0.0.1:{}/ HTTP/1.1\r\nConnection: close\r\n{both}\r\n\r\n", server.port);
        proxy.ask(&format!("{head}0\r\n\r\nGET http://127.0.0.1:{}/smuggled HTTP/1.1\r\n\r\n", server.port));
    }
    let seen = server.seen();
    assert_eq!(seen.len(), 2, "{seen:?}");
    for text in seen {
        let text = text.to_lowercase();
        assert!(!text.contains("smuggled") && !text.contains("content-length: 60"), "{text}");
    }
}

#[test]
fn what_passes_is_bounded() {
    let server = Server::new(OK);
    let entries = [format!("127.0.0.1:{}", server.port)];
    let url = format!("http://127.0.0.1:{}/", server.port);
    let few = proxy(&entries, &resolver(&["127.0.0.1"]), Bounds { bytes: 300, ..Bounds::default() });
    assert!(few.get(&url).contains("hello"));
    assert!(!few.get(&url).contains("hello"), "the bytes are used up");

    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let short = Bounds { idle: Duration::from_millis(50), ..Bounds::default() };
    let idle = proxy(&[format!("127.0.0.1:{port}")], &resolver(&["127.0.0.1"]), short);
    let mut tunnel = idle.connect();
    tunnel.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    tunnel.write_all(format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
    assert!(tunnel.read_to_end(&mut Vec::new()).is_ok(), "a connection on which nothing passes is closed");

    let one = Bounds { connections: 1, ..Bounds::default() };
    let one = proxy(&entries, &resolver(&["127.0.0.1"]), one);
    let mut first = one.connect();
    first.write_all(b"GET ").unwrap();
    let mut second = one.connect();
    second.write_all(format!("GET {url} HTTP/1.1\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
    second.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(second.read(&mut [0; 16]).is_err(), "it waits for its turn");
    drop(first);
    second.set_read_timeout(None).unwrap();
    let mut text = String::new();
    second.read_to_string(&mut text).unwrap();
    assert!(text.contains("hello"), "{text}");
}

#[test]
fn what_takes_too_long_is_given_up() {
    let short = || Bounds { connect: Duration::from_millis(50), ..Bounds::default() };
    let silent = proxy(&["silent.example".to_owned()], &Arc::new(Silent), short());
    let answer = silent.get("http://silent.example/");
    assert!(answer.starts_with("HTTP/1.1 502 ") && answer.contains("was not found in time"), "{answer}");
    // A byte now and then keeps a connection from being idle, and does not keep a head from being late.
    let slow = proxy(&[], &resolver(&["127.0.0.1"]), short());
    let mut stream = slow.connect();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(b"GET http://a.example/ HT").unwrap();
    assert!(matches!(stream.read(&mut [0; 64]), Ok(0)), "a head that does not end is not waited for");
}

#[test]
fn strange_answers_are_not_passed_on() {
    const UPGRADE: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n";
    const BOTH: &str =
        "HTTP/1.1 200 OK\r\nContent-Length: 60\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    let ask = |answer: &'static str| {
        let server = Server::new(answer);
        let proxy = proxy(&[format!("127.0.0.1:{}", server.port)], &resolver(&["127.0.0.1"]), Bounds::default());
        proxy.get(&format!("http://127.0.0.1:{}/", server.port)).to_lowercase()
    };
    let upgraded = ask(UPGRADE);
    assert!(upgraded.starts_with("http/1.1 502 ") && upgraded.contains("wants another protocol"), "{upgraded}");
    let both = ask(BOTH);
    assert!(!both.contains("content-length: 60"), "{both}");
    let endless: &'static str = format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "x".repeat(256 << 10)).leak();
    assert!(ask(endless).starts_with("http/1.1 502 "));
}

#[test]
fn dropping_the_guard_ends_everything() {
    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = server.local_addr().unwrap().port();
    let mut proxy = proxy(&[format!("127.0.0.1:{port}")], &resolver(&["127.0.0.1"]), Bounds::default());
    let mut tunnel = proxy.connect();
    tunnel.write_all(format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
    let (mut there, _) = server.accept().unwrap();
    let mut head = [0; 12];
    tunnel.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    drop(proxy.guard.take());
    let mut rest = Vec::new();
    drop(tunnel.read_to_end(&mut rest));
    assert_eq!(there.read_to_end(&mut rest).unwrap_or(0), 0, "the other end is closed too");
}
