//! A container engine that speaks Docker's protocol over a Unix socket, and runs what it is asked to as plain processes: a real
//! engine cannot run everywhere. It follows the public description of the API, version 1.47.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, unreachable_pub)]

use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

#[derive(Default)]
struct Made {
    body: Value,
    attached: Option<UnixStream>,
    child: Option<Child>,
    code: Option<i32>,
}

/// What the engine was asked for, and the containers that it has.
#[derive(Default)]
struct Record {
    asked: Vec<String>,
    containers: HashMap<String, Made>,
}

pub struct FakeEngine {
    folder: tempfile::TempDir,
    record: Arc<Mutex<Record>>,
}

impl FakeEngine {
    /// One that listens on a socket of its own.
    pub fn start() -> FakeEngine {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("docker.sock")).unwrap();
        let record: Arc<Mutex<Record>> = Arc::default();
        let shared = Arc::clone(&record);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(stream), record) = (stream, Arc::clone(&shared)) else { return };
                std::thread::spawn(move || while answer(&stream, &record) {});
            }
        });
        FakeEngine { folder, record }
    }

    /// Where it listens.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("docker.sock")
    }

    /// Whether a request was made whose first line has this in it.
    pub fn asked(&self, what: &str) -> bool {
        self.record.lock().unwrap().asked.iter().any(|line| line.contains(what))
    }
}

/// Answers one request; false where the connection is used up.
fn answer(stream: &UnixStream, record: &Mutex<Record>) -> bool {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return false;
        }
        if line == "\r\n" {
            break;
        }
        head.push(line.trim_end().to_owned());
    }
    let length = head.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    let request = head[0].clone();
    let path = request.split(' ').nth(1).unwrap().split('?').next().unwrap().to_owned();
    // Without the version.
    let path: Vec<&str> = path.trim_start_matches("/").split('/').skip_while(|part| part.starts_with("v1.")).collect();
    record.lock().unwrap().asked.push(request);
    let mut out = stream;
    let mut reply = |status: &str, body: String| {
        write!(
            out,
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .is_ok()
    };
    match path[..] {
        ["_ping"] => reply("200 OK", "OK".to_owned()),
        ["info"] => {
            let held = json!({"MemoryLimit": true, "CpuCfsQuota": false, "PidsLimit": true});
            reply("200 OK", held.to_string())
        }
        ["images", "missing", "json"] => reply("404 Not Found", json!({"message": "No such image"}).to_string()),
        ["images", _, "json"] => reply("200 OK", json!({"Id": "sha256:1"}).to_string()),
        ["containers", "create"] => {
            let mut record = record.lock().unwrap();
            let id = format!("c{}", record.containers.len());
            let made = Made { body: serde_json::from_slice(&body).unwrap(), ..Made::default() };
            record.containers.insert(id.clone(), made);
            reply("201 Created", json!({"Id": id, "Warnings": []}).to_string())
        }
        ["containers", id, "attach"] => {
            let head = "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n\
                        Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
            out.write_all(head.as_bytes()).unwrap();
            record.lock().unwrap().containers.get_mut(id).unwrap().attached = Some(stream.try_clone().unwrap());
            false
        }
        ["containers", id, "start"] => {
            start(record.lock().unwrap().containers.get_mut(id).unwrap());
            reply("204 No Content", String::new())
        }
        ["containers", id, "kill"] => {
            record.lock().unwrap().containers.get_mut(id).unwrap().child.as_mut().unwrap().kill().unwrap();
            reply("204 No Content", String::new())
        }
        ["containers", id, "stats"] => {
            let id = record.lock().unwrap().containers[id].child.as_ref().unwrap().id();
            let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
            let kilobytes = |line: &str| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok();
            let memory = status.lines().find_map(kilobytes).unwrap_or(0) * 1024;
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            let ticks =
                stat.rsplit(')').next().unwrap().split(' ').skip(12).take(2).filter_map(|n| n.parse::<u64>().ok());
            let nanos = ticks.sum::<u64>() * 10_000_000;
            let stats =
                json!({"memory_stats": {"max_usage": memory}, "cpu_stats": {"cpu_usage": {"total_usage": nanos}}});
            reply("200 OK", stats.to_string())
        }
        ["containers", id, "wait"] => {
            let code = ended(record, id);
            reply("200 OK", format!("{}\n", json!({"StatusCode": code})))
        }
        ["containers", id, "json"] => {
            let state = json!({"ExitCode": ended(record, id), "OOMKilled": ended(record, id) == 137});
            reply("200 OK", json!({"Id": id, "State": state}).to_string())
        }
        ["containers", id] => {
            record.lock().unwrap().containers.remove(id);
            reply("204 No Content", String::new())
        }
        _ => reply("404 Not Found", json!({"message": "page not found"}).to_string()),
    }
}

fn ended(record: &Mutex<Record>, id: &str) -> i32 {
    loop {
        let mut record = record.lock().unwrap();
        let made = record.containers.get_mut(id).unwrap();
        if let Some(code) = made.code {
            return code;
        }
        if let Some(status) = made.child.as_mut().unwrap().try_wait().unwrap() {
            made.code = Some(status.code().unwrap_or(137));
        }
        drop(record);
        std::thread::yield_now();
    }
}

fn start(made: &mut Made) {
    let command: Vec<String> = serde_json::from_value(made.body["Entrypoint"].clone()).unwrap();
    let mut child = Command::new(&command[0])
        .args(&command[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let attached = made.attached.take().unwrap();
    let (mut input, mut from) = (child.stdin.take().unwrap(), attached.try_clone().unwrap());
    // Not by `std::io::copy`: it splices, and that keeps the pipe locked while it waits for the socket.
    std::thread::spawn(move || {
        let mut chunk = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut chunk)
            && input.write_all(&chunk[..read]).is_ok()
        {}
    });
    let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let other = attached.try_clone().unwrap();
    let errors = std::thread::spawn(move || multiplex(2, &mut stderr, &other));
    std::thread::spawn(move || {
        multiplex(1, &mut stdout, &attached);
        errors.join().unwrap();
        drop(attached.shutdown(std::net::Shutdown::Write));
    });
    made.child = Some(child);
}

/// Docker's framing: the stream, three zeros, the length in four bytes, the bytes.
fn multiplex(stream: u8, from: &mut impl Read, mut to: &UnixStream) {
    let mut chunk = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut chunk) {
        let mut frame = vec![stream, 0, 0, 0];
        frame.extend(u32::try_from(read).unwrap().to_be_bytes());
        frame.extend(&chunk[..read]);
        if to.write_all(&frame).is_err() {
            return;
        }
    }
}
