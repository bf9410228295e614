//! Limits that the host holds a tree of processes to.

use crate::forks::{ask, fork, me};
use crate::host::TestHost;
use crate::programs::{bash, limits, programs, run};
use crate::test;
use libtest_mimic::Trial;
use skills_core::{Enforcement, ErrorKind, Grants, LimitName, Limits, Program};
use skills_sandbox::{Cage, Payload, Programs, Reason, Watch, Zygote, caps};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

pub(crate) fn tests() -> Vec<Trial> {
    vec![
        test("memory_of_a_child_is_watched_while_it_is_asked_for", memory_of_a_child_is_watched_while_it_is_asked_for),
        test("a_deadline_of_a_child_ends_it", a_deadline_of_a_child_ends_it),
        test("memory_of_a_tree_is_bounded", memory_of_a_tree_is_bounded),
        test("processes_of_a_tree_are_bounded", processes_of_a_tree_are_bounded),
        test("a_share_of_the_processor_is_kept", a_share_of_the_processor_is_kept),
        test("what_is_said_to_be_held_by_the_kernel_is", what_is_said_to_be_held_by_the_kernel_is),
    ]
}

fn memory_of_a_child_is_watched_while_it_is_asked_for() {
    let zygote = Zygote::start(&me(), "echo", &[]).unwrap();
    let (child, mut socket) = fork(&zygote);
    child.watch(Watch { memory: Some(50 << 20), relative: true, ..Watch::default() });
    assert_eq!(ask(&mut socket, b'w'), [1]);
    socket.write_all(b"m").unwrap();
    let ended = child.wait();
    assert_eq!(ended.reason, Some(Reason::Memory));
    assert!(ended.reading.unwrap() > 50 << 20, "{ended:?}");
    assert!(ended.peak_memory > 50 << 20, "{ended:?}");

    let (child, mut socket) = fork(&zygote);
    child.watch(Watch { deadline: Some(Instant::now() + Duration::from_millis(200)), ..Watch::default() });
    child.unwatch();
    assert_eq!(child.wait_for(Duration::from_millis(400)), None, "nobody looks any more");
    assert_eq!(ask(&mut socket, b'w'), [1]);
}

fn a_deadline_of_a_child_ends_it() {
    let zygote = Zygote::start(&me(), "echo", &[]).unwrap();
    let (child, mut socket) = fork(&zygote);
    socket.write_all(b"s").unwrap();
    let deadline = Instant::now() + Duration::from_millis(50);
    child.watch(Watch { deadline: Some(deadline), ..Watch::default() });
    assert_eq!(child.wait().reason, Some(Reason::Deadline));
    assert!(Instant::now() >= deadline);
}

fn memory_of_a_tree_is_bounded() {
    let limits = Limits { memory: Some(64 << 20), ..limits() };
    // Each holds less than the limit, all together more; and none of it is data of one process, which the kernel bounds.
    let script = "import mmap,os,time\nfor n in range(6):\n    if os.fork()==0:\n        m=mmap.mmap(-1,30<<20)\n        \
                  for i in range(0,30<<20,4096): m[i]=1\n        time.sleep(60)\ntime.sleep(60)\n";
    let program = Program {
        executable: "/usr/bin/python3".into(),
        arguments: vec!["-c".into(), script.into()],
        ..Program::default()
    };
    let failure = run(&program, &TestHost::granted(limits, programs())).unwrap_err();
    assert_eq!((failure.kind, failure.limit.unwrap().name), (ErrorKind::MemoryLimit, LimitName::Memory));
    assert!(failure.limit.unwrap().reading > 64 << 20, "{failure:?}");
}

fn processes_of_a_tree_are_bounded() {
    let limits = Limits { processes: Some(20), time: Some(Duration::from_secs(2)), ..limits() };
    let host = TestHost::granted(limits, programs());
    let result = run(&bash("bomb() { bomb | bomb & }; bomb 2>/dev/null; sleep 60"), &host);
    // Where the kernel refuses to start more, the bomb goes on trying until its time is up.
    let kind = result.unwrap_err().kind;
    assert!(matches!(kind, ErrorKind::PermissionDenied | ErrorKind::Timeout), "{kind}");
    assert!(run(&bash("exit 0"), &TestHost::granted(crate::programs::limits(), programs())).is_ok());
}

fn a_share_of_the_processor_is_kept() {
    let zygote = Zygote::start(&me(), "echo", &[]).unwrap();
    // By a group of the kernel's, where this machine lets one be made; and by stopping.
    let spin = |in_cage: Option<u64>, watched: Option<u64>| {
        let (near, far) = UnixStream::pair().unwrap();
        let cage = Cage { cpu_percent: in_cage, ..Cage::new(Grants::NONE, &Limits::none()) };
        let child = zygote.fork(&cage, Payload::Serve, vec![far.into()]).unwrap();
        child.watch(Watch { cpu_percent: watched, ..Watch::default() });
        (&near).write_all(b"s").unwrap();
        let begun = Instant::now();
        assert_eq!(child.wait_for(Duration::from_secs(1)), None);
        let wall = begun.elapsed();
        child.kill(Reason::Finished);
        (child.wait().cpu, wall / 20 + Duration::from_millis(100))
    };
    for (in_cage, watched) in [(Some(5), Some(5)), (None, Some(5))] {
        let (used, share) = spin(in_cage, watched);
        assert!(!used.is_zero() && used < share, "{used:?} of {share:?}");
    }
}

/// Looks at the groups that a child really is in.
fn what_is_said_to_be_held_by_the_kernel_is() {
    let zygote = Zygote::start(&me(), "echo", &[]).unwrap();
    let cage = Cage {
        programs: Programs::All,
        memory: Some(64 << 20),
        processes: Some(9),
        cpu_percent: Some(50),
        ..Cage::new(Grants::NONE, &Limits::none())
    };
    let (_near, far) = UnixStream::pair().unwrap();
    let child = zygote.fork(&cage, Payload::Serve, vec![far.into()]).unwrap();
    let groups = std::fs::read_to_string(format!("/proc/{}/cgroup", child.id())).unwrap();
    // Of version 2, one group has what it was given of all controllers.
    let grouped = |controller: &str| {
        groups.lines().any(|line| {
            let names = line.split(':').nth(1).unwrap_or_default();
            line.contains("/skills-") && (names.is_empty() || names.split(',').any(|name| name == controller))
        })
    };
    let by_group = |name| {
        let cap = caps::of_programs().into_iter().find(|cap| cap.name == name).unwrap();
        assert!(!cap.detail.ends_with("control group") || cap.status == Enforcement::Enforced, "{cap:?}");
        cap.detail.contains("a control group;")
            || cap.detail.ends_with("by a control group")
            || cap.detail.contains("quota")
    };
    for (name, controller) in
        [(LimitName::Memory, "memory"), (LimitName::Processes, "pids"), (LimitName::CpuPercent, "cpu")]
    {
        assert_eq!(by_group(name), grouped(controller), "{name:?} {groups}");
    }
}
