//! Programs: how they are started, what goes in and out, and how they end.

use crate::forks::me;
use crate::host::TestHost;
use crate::test;
use libtest_mimic::Trial;
use skills_core::{
    Access, End, Enforcement, ErrorKind, Failure, Grants, Heard, Host, Launcher, LimitName, Limits, Program, Ran,
    Stream,
};
use skills_sandbox::{ProgramLauncher, Zygotes};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        test("a_program_is_given_what_is_said_and_nothing_else", a_program_is_given_what_is_said_and_nothing_else),
        test("ends_of_programs_are_told_apart", ends_of_programs_are_told_apart),
        test("input_of_any_size_arrives", input_of_any_size_arrives),
        test("output_is_bounded_and_text", output_is_bounded_and_text),
        test("a_deadline_ends_the_whole_tree", a_deadline_ends_the_whole_tree),
        test("what_a_program_leaves_behind_ends_with_it", what_a_program_leaves_behind_ends_with_it),
        test("granted_hosts_are_reached_through_the_proxy", granted_hosts_are_reached_through_the_proxy),
        test("a_program_that_stays_answers_and_is_interrupted", a_program_that_stays_answers_and_is_interrupted),
        test("a_program_may_be_a_link_beside_it", a_program_may_be_a_link_beside_it),
        test("layers_are_tried", layers_are_tried),
        test("limits_are_tried", limits_are_tried),
        test("what_cannot_be_started_says_why", what_cannot_be_started_says_why),
    ]
}

pub(crate) fn launcher() -> &'static ProgramLauncher {
    static LAUNCHER: OnceLock<ProgramLauncher> = OnceLock::new();
    LAUNCHER.get_or_init(|| ProgramLauncher::new(Arc::new(Zygotes::new(me(), Vec::new()))))
}

pub(crate) fn limits() -> Limits {
    Limits { time: Some(Duration::from_secs(20)), output: Some(1 << 20), ..Limits::none() }
}

/// May start programs.
pub(crate) fn programs() -> Grants {
    Grants { programs: Access::Everything, ..Grants::default() }
}

pub(crate) fn bash(script: &str) -> Program {
    Program {
        executable: "/bin/bash".into(),
        arguments: vec!["-c".into(), script.into()],
        environment: vec![("PATH".into(), "/usr/bin:/bin".into())],
        ..Program::default()
    }
}

pub(crate) fn run(program: &Program, host: &Arc<TestHost>) -> Result<Ran, Failure> {
    let host: Arc<dyn Host> = host.clone();
    launcher().run(program, &host)
}

fn a_program_that_stays_answers_and_is_interrupted() {
    let program = Program { arguments: Vec::new(), says: true, ..bash("") };
    let host: Arc<dyn Host> = TestHost::granted(limits(), programs());
    let mut alive = launcher().start(&program, &host).unwrap();
    let mut ask = |input: &str, limits: Limits| {
        let host: Arc<dyn Host> = TestHost::granted(limits, programs());
        let mut heard = [String::new(), String::new(), String::new()];
        let talked = alive.talk(
            input.as_bytes(),
            &mut |what| {
                match what {
                    Heard::Stdout(_, text) => heard[0].push_str(text),
                    Heard::Stderr(text) => heard[1].push_str(text),
                    Heard::Said(bytes) => heard[2].push_str(&String::from_utf8_lossy(bytes)),
                    _ => {}
                }
                Ok(heard[2].ends_with('\n'))
            },
            &host,
        );
        (talked, heard.map(|text| text.trim_end().to_owned()), alive.is_alive())
    };
    let (talked, heard, _) = ask("echo out; echo err >&2; trap 'break 9' INT; echo done >&$SKILLS_SAYS\n", limits());
    assert_eq!((talked, heard), (Ok(None), ["out", "err", "done"].map(str::to_owned)));
    let short = Limits { time: Some(Duration::from_millis(200)), ..limits() };
    let (talked, _, is_alive) = ask("while :; do :; done\necho done >&$SKILLS_SAYS\n", short);
    assert_eq!((talked.unwrap_err().kind, is_alive), (ErrorKind::Timeout, true));
    let (talked, heard, _) = ask("sleep 0.01; echo on; echo done >&$SKILLS_SAYS\n", limits());
    assert_eq!((talked, heard[0].as_str()), (Ok(None), "on"));
    let (talked, _, is_alive) = ask("exit 3\n", limits());
    assert_eq!((talked, is_alive), (Ok(Some(End::Exited(3))), false));
}

fn a_program_is_given_what_is_said_and_nothing_else() {
    let host = TestHost::granted(limits(), programs());
    let mut program = bash("echo \"$0:$1\"; tr a-z A-Z; env; echo oops >&2; ls /proc/self/fd | wc -l");
    program.arguments.extend(["zero".into(), "one two".into()]);
    program.environment.push(("NAME".into(), "value".into()));
    program.stdin = b"input\n".to_vec();
    let ran = run(&program, &host).unwrap();
    assert_eq!(ran.end, End::Exited(0));
    let out = String::from_utf8(ran.stdout).unwrap();
    assert!(out.starts_with("zero:one two\nINPUT\n"), "{out}");
    assert!(out.contains("\nNAME=value\n"), "{out}");
    for line in out.lines().filter(|line| line.contains('=')) {
        let own = ["NAME=", "PATH=", "PWD=", "SHLVL=", "_="];
        assert!(own.iter().any(|name| line.starts_with(name)), "a variable from nowhere: {line}");
    }
    // `ls` has its own folder open besides.
    assert!(out.ends_with("\n4\n"), "{out}");
    assert_eq!(host.text(Stream::Stdout), out);
    assert_eq!(host.text(Stream::Stderr), "oops\n");
    assert!(ran.cpu.is_some_and(|cpu| !cpu.is_zero()) && ran.peak_memory.is_some_and(|bytes| bytes > 100_000));
}

fn ends_of_programs_are_told_apart() {
    for (script, end) in [
        ("exit 0", End::Exited(0)),
        ("exit 7", End::Exited(7)),
        ("kill -TERM $$", End::Signalled(15)),
        ("kill -KILL $$", End::Signalled(9)),
        ("kill -SEGV $$", End::Signalled(11)),
    ] {
        assert_eq!(run(&bash(script), &TestHost::granted(limits(), programs())).unwrap().end, end, "{script}");
    }
    let host = TestHost::new(limits());
    host.budget().cancel();
    assert_eq!(run(&bash("exit 0"), &host).unwrap_err().kind, ErrorKind::Cancelled);
}

fn input_of_any_size_arrives() {
    for size in [0, 1, 65_536, 5_000_000] {
        let mut program = bash("exec wc -c");
        program.stdin = vec![b'x'; size];
        let ran = run(&program, &TestHost::granted(limits(), programs())).unwrap();
        assert_eq!(String::from_utf8(ran.stdout).unwrap().trim(), size.to_string());
    }
    let mut program = bash("exit 3");
    program.stdin = vec![b'x'; 5_000_000];
    assert_eq!(run(&program, &TestHost::new(limits())).unwrap().end, End::Exited(3), "nobody has to read it");
}

fn output_is_bounded_and_text() {
    let host = TestHost::granted(Limits { output: Some(1000), ..limits() }, programs());
    let failure = run(&bash("while :; do echo 0123456789; echo 0123456789 >&2; done"), &host).unwrap_err();
    assert_eq!((failure.kind, failure.limit.unwrap().name), (ErrorKind::OutputLimit, LimitName::Output));

    let host = TestHost::new(limits());
    let ran = run(&bash(r"printf 'gr\xc3\xbcn \xff'"), &host).unwrap();
    assert_eq!(ran.stdout, b"gr\xc3\xbcn \xff");
    assert_eq!(host.text(Stream::Stdout), "grün \u{fffd}");
}

fn a_deadline_ends_the_whole_tree() {
    let host = TestHost::granted(Limits { time: Some(Duration::from_millis(300)), ..limits() }, programs());
    let mark = format!("31{:05}", std::process::id() % 100_000);
    let script = format!("setsid sleep {mark} & (setsid setsid sleep {mark} &) ; trap '' TERM INT; sleep {mark}");
    let failure = run(&bash(&script), &host).unwrap_err();
    assert_eq!((failure.kind, failure.limit.unwrap().name), (ErrorKind::Timeout, LimitName::Time));
    assert_eq!(processes_with(&mark), 0);
}

fn what_a_program_leaves_behind_ends_with_it() {
    let mark = format!("32{:05}", std::process::id() % 100_000);
    let script = format!("setsid sleep {mark} & (setsid sleep {mark} >/dev/null 2>&1 &); exit 4");
    let ran = run(&bash(&script), &TestHost::granted(limits(), programs())).unwrap();
    assert_eq!(ran.end, End::Exited(4));
    assert_eq!(processes_with(&mark), 0);
}

/// How many processes of the machine have `mark` as an argument.
pub(crate) fn processes_with(mark: &str) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines.filter(|line| line.split(|byte| *byte == 0).any(|word| word == mark.as_bytes())).count()
}

fn what_cannot_be_started_says_why() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = |name: &str, text: &str, mode: u32| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        path
    };
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let refusal = |path: &Path| {
        let program = Program { executable: path.into(), ..Program::default() };
        let failure = run(&program, &TestHost::granted(limits(), programs())).unwrap_err();
        assert!(failure.message.contains(&*path.to_string_lossy()), "{failure:?}");
        (failure.kind, failure.message.replace(&*path.to_string_lossy(), "IT"))
    };
    assert_eq!(refusal(Path::new("/no/such")), (ErrorKind::NotFound, "there is no program IT".into()));
    assert_eq!(refusal(folder.path()), (ErrorKind::PermissionDenied, "IT is a folder, not a program".into()));
    let plain = file("plain", "#!/bin/sh\n", 0o644);
    assert_eq!(refusal(&plain), (ErrorKind::PermissionDenied, "IT is not executable".into()));
    let text = file("text", "echo\n", 0o755);
    assert_eq!(refusal(&text), (ErrorKind::PermissionDenied, "IT is no program that this machine can run".into()));
    let orphan = file("orphan", "#!/no/such/shell\n", 0o755);
    assert_eq!(refusal(&orphan), (ErrorKind::NotFound, "IT names an interpreter that is not there".into()));
    let good = file("good", "#!/bin/sh\nexit 5\n", 0o755);
    let program = Program { executable: good, ..Program::default() };
    assert_eq!(run(&program, &TestHost::granted(limits(), programs())).unwrap().end, End::Exited(5));
}

/// `sh` is a link to another shell on most machines, and `python3` one to a version.
fn a_program_may_be_a_link_beside_it() {
    for name in ["/bin/sh", "/usr/bin/sh", "/usr/bin/python3", "/usr/bin/awk"] {
        let executable = PathBuf::from(name);
        let Ok(real) = executable.canonicalize() else { continue };
        let arguments = if name.ends_with("awk") { ["-W", "version"] } else { ["-c", ""] };
        // As whoever looks for it says: the link, and what it leads to.
        let needs = vec![executable.clone(), real];
        let arguments = arguments.map(Into::into).to_vec();
        let program = Program { executable, arguments, needs, ..Program::default() };
        let ran = run(&program, &TestHost::new(limits()));
        assert_eq!(ran.unwrap_or_else(|failure| panic!("{name}: {failure}")).end, End::Exited(0), "{name}");
    }
}

fn limits_are_tried() {
    let caps = launcher().self_test().unwrap();
    for name in [LimitName::Time, LimitName::Memory, LimitName::Disk, LimitName::FileSize] {
        let cap = caps.iter().find(|cap| cap.name == name).unwrap();
        assert_ne!(cap.status, Enforcement::Unavailable, "{cap:?}");
        assert!(cap.detail.contains("; tried: "), "{cap:?}");
    }
    assert!(caps.iter().any(|cap| cap.name == LimitName::Operations && cap.status == Enforcement::Unavailable));
}

fn layers_are_tried() {
    let layers = launcher().layers();
    let names: Vec<&str> = layers.iter().map(|layer| layer.name).collect();
    for name in ["user_namespace", "pid_namespace", "root", "landlock", "seccomp"] {
        let layer = layers.iter().find(|layer| layer.name == name).unwrap_or_else(|| panic!("{name} in {names:?}"));
        assert_eq!(layer.status, Enforcement::Enforced, "{layer:?}");
    }
    assert_eq!(names.iter().filter(|name| **name == "cgroup").count(), 1, "{names:?}");
    assert!(layers.iter().all(|layer| !layer.detail.is_empty()));
}

/// Answers requests on the loopback interface of the machine; gives its port.
fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let _ = connection.read(&mut [0; 4096]);
            let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
        }
    });
    port
}

fn granted_hosts_are_reached_through_the_proxy() {
    let port = server();
    let script = "import sys,urllib.request\ntry: print(urllib.request.urlopen(sys.argv[1], timeout=10).read().decode())\n\
                  except urllib.error.HTTPError as e: print(e.code)\nexcept OSError as e: print('no way')\n";
    let fetch = |grants: Grants| {
        let program = Program {
            executable: "/usr/bin/python3".into(),
            arguments: vec!["-c".into(), script.into(), format!("http://127.0.0.1:{port}/").into()],
            ..Program::default()
        };
        String::from_utf8(run(&program, &TestHost::granted(limits(), grants)).unwrap().stdout).unwrap()
    };
    let network = |host: String| Grants { network: Access::Only(vec![host]), ..Grants::default() };
    assert_eq!(fetch(network(format!("127.0.0.1:{port}"))), "hello\n");
    assert_eq!(fetch(network("127.0.0.1".into())), "hello\n", "without a port, every port is meant");
    assert_eq!(fetch(network("127.0.0.1:1".into())), "403\n", "granted is another port");
    assert_eq!(fetch(network("example.com".into())), "403\n", "granted is another host");
    assert_eq!(fetch(Grants::default()), "no way\n", "nothing is granted");
}
