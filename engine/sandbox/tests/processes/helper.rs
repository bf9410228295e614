//! The program `skill`.

use crate::host::TestHost;
use crate::programs::{bash, limits, programs, run};
use crate::test;
use libtest_mimic::Trial;
use skills_core::{End, ErrorKind, Host, Launcher, Limits, Program, Stream};
use skills_sandbox::{Executable, ProgramLauncher, Zygotes};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        test("a_program_reaches_the_functions_of_the_host", a_program_reaches_the_functions_of_the_host),
        test("several_may_ask_at_once", several_may_ask_at_once),
        test("a_refusal_is_said_and_ends_with_one", a_refusal_is_said_and_ends_with_one),
        test("host_calls_of_a_program_are_bounded", host_calls_of_a_program_are_bounded),
        test("an_executable_in_a_private_folder_serves", an_executable_in_a_private_folder_serves),
        test("nonsense_at_the_door_harms_nobody", nonsense_at_the_door_harms_nobody),
    ]
}

fn helped(script: &str) -> Program {
    Program { helper: true, ..bash(script) }
}

fn a_program_reaches_the_functions_of_the_host() {
    // Nothing is granted that it could start but this.
    let host = TestHost::new(limits());
    let ran = run(&helped(r#"skill echo '{"a": [1, 2.5]}'; x=$(skill echo "it's"); echo "$x"; skill log warn hot; skill echo null; skill"#), &host).unwrap();
    let out = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(
        out,
        "{\"a\":[1,2.5]}\n\"it's\"\nnull\nskill echo VALUE\n    Does echo\n\
         skill log MESSAGE [LEVEL]\n    Does log\nskill state set KEY VALUE\n    Does state.set\n",
        "{}",
        host.text(Stream::Stderr)
    );
    let host = TestHost::new(limits());
    let ran = run(&helped("ls / || exit 9"), &host).unwrap();
    assert_eq!(ran.end, End::Exited(9), "other programs are not granted by it");
    let ran = run(&bash("test -e /run/skills"), &TestHost::granted(limits(), programs())).unwrap();
    assert_eq!(ran.end, End::Exited(1), "it is there only where it was asked for");
}

fn several_may_ask_at_once() {
    let host = TestHost::new(limits());
    let script = "for i in 1 2 3 4 5 6 7 8; do skill echo $i & done; wait";
    let ran = run(&helped(script), &host).unwrap();
    let out = String::from_utf8(ran.stdout).unwrap();
    let mut lines: Vec<&str> = out.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["1", "2", "3", "4", "5", "6", "7", "8"]);
}

fn a_refusal_is_said_and_ends_with_one() {
    let host = TestHost::new(limits());
    let ran =
        run(&helped("skill state set k v || echo $?; skill nothing || echo $?; skill echo || echo $?"), &host).unwrap();
    assert_eq!(ran.stdout, b"1\n1\n1\n");
    let said = host.text(Stream::Stderr);
    assert!(
        said.starts_with("skill: no state here\nhelp: ask for it\nskill: there is no function `skill nothing`"),
        "{said}"
    );
    assert!(said.contains("skill.echo needs `value`"), "{said}");
}

fn host_calls_of_a_program_are_bounded() {
    let limits = Limits { host_calls: Some(3), ..limits() };
    let failure = run(&helped("while :; do skill echo 1; done"), &TestHost::new(limits)).unwrap_err();
    assert_eq!(failure.kind, ErrorKind::HostCallLimit);
}

fn nonsense_at_the_door_harms_nobody() {
    let host = TestHost::granted(limits(), programs());
    let script = "import os,socket,sys\n\
        s=socket.socket(fileno=int(os.environ['SKILLS_FD']))\n\
        s.send(b'x'); s.send(b'longer than one')\n\
        r,w=os.pipe(); socket.send_fds(s,[b'0'],[r])\n\
        socket.send_fds(s,[b'0'],[0,1,2])\n\
        def ask(b):\n    a,c=socket.socketpair(); socket.send_fds(s,[b'0'],[c.fileno()]); c.close()\n    \
        a.sendall(b); a.shutdown(1); return a.makefile().read()\n\
        silent=socket.socketpair(); socket.send_fds(s,[b'0'],[silent[1].fileno()])\n\
        print(ask(b'['*100000)[:40]); print(ask(b'{\"words\": 1}')[:40]); print(ask(b'')); print(ask(b'{\"words\":[\"echo\",\"7\"]}'))\n\
        try: print(ask(b'x'*(5<<20))[:60])\n\
        except OSError: print('cut')\n";
    let program = Program {
        executable: "/usr/bin/python3".into(),
        arguments: vec!["-c".into(), script.into()],
        helper: true,
        ..Program::default()
    };
    let ran = run(&program, &host).unwrap();
    let out = String::from_utf8(ran.stdout).unwrap();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 5, "{out}{}", host.text(Stream::Stderr));
    assert!(lines[0].starts_with("{\"failure\"") && lines[1].starts_with("{\"failure\""), "{out}");
    assert_eq!(lines[2..4], ["", "{\"value\":7}"]);
    assert!(lines[4] == "cut" || lines[4].starts_with("{\"failure\""), "{out}");
}

fn an_executable_in_a_private_folder_serves() {
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let executable = folder.path().join("skills-worker");
    std::fs::copy("/proc/self/exe", &executable).unwrap();
    let launcher = ProgramLauncher::new(Arc::new(Zygotes::new(Executable::at(executable), Vec::new())));
    let host: Arc<dyn Host> = TestHost::new(limits());
    let ran = launcher.run(&helped("skill echo 1; ls /tmp 2>&1"), &host).unwrap();
    assert!(ran.stdout.starts_with(b"1\n"), "{:?}", String::from_utf8_lossy(&ran.stdout));
}
