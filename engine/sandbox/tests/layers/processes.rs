use crate::support::{Caged, each_user, folder_of, own, refused, text};
use skills_sandbox::Programs;

#[test]
fn it_is_nobody_with_no_capability() {
    each_user(|user| {
        let identity = Caged::new(user).tries(&["identity"]).unwrap();
        let none = "0000000000000000";
        let expected = format!(
            "uid=1000 gid=1000 CapInh={none} CapPrm={none} CapEff={none} CapBnd={none} CapAmb={none} NoNewPrivs=1 Seccomp=2"
        );
        assert_eq!(identity, expected);
    });
}

#[test]
fn other_processes_are_neither_seen_nor_reached() {
    each_user(|user| {
        let host = std::process::id().to_string();
        let said = Caged::new(user)
            .variable("SECRET_OF_THE_HOST", "1234")
            .act(&["processes"])
            .act(&["kill", &host])
            .act(&["read", "/proc/1/environ"])
            .act(&["variable", "SECRET_OF_THE_HOST"])
            .act(&["list", &format!("/proc/{host}")])
            .act(&["read", "/proc/sys/kernel/hostname"])
            .go();
        assert_eq!(said.answers[0].as_deref(), Ok("1"));
        refused(said.answers[1].clone(), "No such process");
        assert!(!said.answers[2].as_ref().unwrap().contains("1234"), "{said:?}");
        refused(said.answers[3].clone(), "environment variable not found");
        refused(said.answers[4].clone(), "No such file");
        assert_eq!(said.answers[5].as_deref(), Ok("skills\n"), "the machine's name is not told");
    });
}

/// Also those of user 0, for whom the kernel does not count them.
#[test]
fn the_kernel_bounds_how_many_processes_there_can_be() {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let mut numbers = release.split(['.', '-']).map(|number| number.parse::<u32>().unwrap_or(0));
    if (numbers.next(), numbers.next()) < (Some(6), Some(14)) {
        return eprintln!("skipped: this kernel has one bound for all namespaces");
    }
    each_user(|user| {
        let caged = Caged::new(user).with(|cage| cage.processes = Some(20));
        let bound = caged.tries(&["read", "/proc/sys/kernel/pid_max"]).unwrap();
        assert_eq!(bound.trim(), (20 + 364).to_string());
    });
}

#[test]
fn files_that_tell_of_the_machines_memory_are_blank_or_closed() {
    each_user(|user| {
        for name in ["kpageflags", "kpagecount", "vmallocinfo", "slabinfo", "timer_list"] {
            let path = format!("/proc/{name}");
            if std::path::Path::new(&path).exists() {
                let answer = Caged::new(user).tries(&["read", &path]);
                match answer {
                    Ok(got) => assert_eq!(got, "", "{path}"),
                    closed => refused(closed, "Permission denied"),
                }
            }
        }
    });
}

#[test]
fn an_interpreter_makes_threads_and_no_process() {
    each_user(|user| {
        let said =
            Caged::new(user).act(&["thread"]).act(&["fork"]).act(&["exec", "/bin/true"]).act(&["call", "execve"]).go();
        assert_eq!(said.answers[0].as_deref(), Ok("7"));
        // What could not be forked is said by the fork, too.
        for answer in &said.answers[1..] {
            assert!(answer.is_err(), "{said:?}");
        }
        refused(said.answers.last().cloned().unwrap(), "Operation not permitted");
    });
}

#[test]
fn a_descriptor_of_the_host_is_closed() {
    each_user(|user| {
        let folder = folder_of(user);
        let file = folder.path().join("a.txt");
        refused(Caged::new(user).inheriting(&file).tries(&["descriptor", "50"]), "Bad file descriptor");
    });
}

#[test]
fn a_program_without_grants_starts_no_other() {
    each_user(|user| {
        let said = Caged::new(user).shell("echo started; (echo forked)");
        assert_eq!(said.stdout(), "started\n", "{}", said.stderr());
        assert!(!said.output.status.success());
        let loader =
            if cfg!(target_arch = "x86_64") { "/lib64/ld-linux-x86-64.so.2" } else { "/lib/ld-linux-aarch64.so.1" };
        for other in ["exec ls /", "exec /usr/bin/ls /", &format!("exec {loader} /usr/bin/ls /")] {
            let said = Caged::new(user).shell(other);
            assert_eq!((said.stdout().as_str(), said.output.status.success()), ("", false), "{other}");
        }
    });
}

#[test]
fn a_program_starts_those_that_are_granted_by_name() {
    each_user(|user| {
        let folder = folder_of(user);
        let tool = folder.path().join("tool");
        std::fs::write(&tool, "#!/bin/sh\necho tool\n").unwrap();
        std::fs::set_permissions(&tool, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let granted = Programs::Only(vec![String::from("sort")]);
        let source = format!("echo b | sort; ls /; {}; /usr/lib/*/ld-linux*.so.* /usr/bin/ls /", text(&tool));
        let said = Caged::new(user).reading(folder.path()).programs(granted.clone()).shell(&source);
        assert_eq!(said.stdout(), "b\n", "{}", said.stderr());
        let by_path = Programs::Only(vec![text(&tool).to_owned()]);
        let said = Caged::new(user).programs(by_path).shell(text(&tool));
        assert_eq!(said.stdout(), "tool\n", "{}", said.stderr());
    });
}

#[test]
fn what_is_written_to_a_private_folder_is_not_executed_through_the_loader() {
    each_user(|user| {
        let folder = folder_of(user);
        let tool = folder.path().join("tool");
        std::fs::copy("/usr/bin/true", &tool).unwrap();
        own(&tool, user);
        let granted = Programs::Only(vec![String::from("cat")]);
        let source = format!("cat {} > /tmp/t; /lib*/ld-linux*.so.* /tmp/t && echo ran", text(&tool));
        let said = Caged::new(user).reading(folder.path()).programs(granted).shell(&source);
        assert_eq!(said.stdout(), "");
        assert!(said.stderr().contains("failed to map segment"), "{}", said.stderr());
    });
}

#[test]
fn a_descriptor_cannot_be_executed() {
    each_user(|user| {
        let said = Caged::new(user).programs(Programs::All).tries(&["memfd-exec", "/usr/bin/true"]);
        refused(said, "memfd_create: Operation not permitted");
    });
}
