//! Each layer is needed: with it switched off, something gets through that it stops.

use crate::support::{Caged, each_user, folder_of, own, refused, text};
use skills_sandbox::{LayerName, Programs};
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;

/// Asserts that an action is stopped, and that it gets through without the layer; what it then gives.
#[track_caller]
fn matters(layer: LayerName, caged: Caged, words: &[&str]) -> String {
    let with = caged.clone().tries(words);
    assert!(with.is_err(), "{layer} does not stop {words:?}: {with:?}");
    caged.without(layer).tries(words).unwrap_or_else(|error| panic!("{words:?} is stopped without {layer}: {error}"))
}

#[test]
fn without_its_own_root_the_hosts_files_are_there() {
    each_user(|user| {
        let folder = folder_of(user);
        let there = format!("/.skills/host{}/a.txt", text(folder.path()));
        assert_eq!(matters(LayerName::Root, Caged::new(user), &["stat", &there]), "6");
        // Landlock says nothing about changing the mode of a file.
        matters(LayerName::Root, Caged::new(user), &["chmod", &there]);
        assert_eq!(folder.path().join("a.txt").metadata().unwrap().permissions().mode() & 0o777, 0o777);
    });
}

#[test]
fn without_a_mount_namespace_there_is_no_root_of_its_own() {
    each_user(|user| {
        let folder = folder_of(user);
        let file = folder.path().join("a.txt");
        let found = matters(LayerName::MountNamespace, Caged::new(user), &["read", text(&file)]);
        assert_eq!(found, "inside");
    });
}

#[test]
fn without_a_process_namespace_others_are_seen() {
    each_user(|user| {
        assert_eq!(Caged::new(user).tries(&["processes"]).as_deref(), Ok("1"));
        let seen = Caged::new(user).without(LayerName::PidNamespace).tries(&["processes"]).unwrap();
        assert!(seen.contains(' '), "{seen}");
    });
}

#[test]
fn without_a_network_namespace_the_host_is_reached() {
    each_user(|user| {
        let host = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = host.local_addr().unwrap().to_string();
        matters(LayerName::NetworkNamespace, Caged::new(user), &["udp", &address]);
        host.set_nonblocking(true).unwrap();
        assert_eq!(host.recv(&mut [0; 8]).unwrap(), 3);
    });
}

#[test]
fn without_an_ipc_namespace_the_hosts_queues_are_there() {
    each_user(|user| {
        let key = 0x5c11_0000 + i32::try_from(std::process::id() % 0xffff).unwrap();
        // SAFETY: plain numbers.
        let queue = unsafe { libc::msgget(key, libc::IPC_CREAT | 0o666) };
        assert!(queue >= 0);
        // Seccomp stops it before.
        let caged = Caged::new(user).without(LayerName::Seccomp);
        matters(LayerName::IpcNamespace, caged, &["queue", &key.to_string()]);
        // SAFETY: our own queue.
        unsafe { libc::msgctl(queue, libc::IPC_RMID, std::ptr::null_mut()) };
    });
}

#[test]
fn without_a_user_namespace_an_ordinary_user_confines_nothing_and_root_is_root() {
    each_user(|user| {
        let said = Caged::new(user).without(LayerName::UserNamespace).without(LayerName::Uid).act(&["identity"]).go();
        if user.is_root() {
            assert!(said.answers[0].as_ref().unwrap().starts_with("uid=0 "), "{said:?}");
        } else {
            assert_eq!(said.fault.unwrap()["layer"], "mount_namespace");
        }
    });
}

#[test]
fn without_another_user_it_is_user_0() {
    each_user(|user| {
        let identity = Caged::new(user).without(LayerName::Uid).tries(&["identity"]).unwrap();
        assert!(identity.starts_with("uid=0 "), "{identity}");
    });
}

#[test]
fn without_dropping_capabilities_the_mode_of_a_file_is_nothing() {
    each_user(|user| {
        let folder = folder_of(user);
        let file = folder.path().join("a.txt");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o000)).unwrap();
        let caged = Caged::new(user).reading(folder.path());
        assert_eq!(matters(LayerName::Capabilities, caged, &["read", text(&file)]), "inside");
    });
}

#[test]
fn without_no_new_privs_the_process_is_not_let_run() {
    each_user(|user| {
        // Both layers that come after it need it, and say so: nothing runs half confined.
        let said =
            Caged::new(user).without(LayerName::NoNewPrivs).without(LayerName::Landlock).without(LayerName::Seccomp);
        assert_eq!(said.tries(&["no-new-privs"]).as_deref(), Ok("prctl gave 0"));
        assert_eq!(Caged::new(user).tries(&["no-new-privs"]).as_deref(), Ok("prctl gave 1"));
    });
}

#[test]
fn without_rlimits_files_grow() {
    each_user(|user| {
        let folder = folder_of(user);
        let file = folder.path().join("large");
        let caged = Caged::new(user).writing(folder.path()).with(|cage| cage.file_size = Some(1000));
        matters(LayerName::Rlimits, caged, &["fill", text(&file), "300000"]);
        let caged = Caged::new(user).with(|cage| cage.memory = Some(32 << 20));
        matters(LayerName::Rlimits, caged, &["allocate", "64000000"]);
    });
}

#[test]
fn without_landlock_a_program_that_is_not_granted_runs() {
    each_user(|user| {
        let folder = folder_of(user);
        let tool = folder.path().join("tool");
        std::fs::copy("/usr/bin/true", &tool).unwrap();
        own(&tool, user);
        let caged = Caged::new(user).reading(folder.path()).programs(Programs::Only(vec![String::from("sort")]));
        matters(LayerName::Landlock, caged, &["exec", text(&tool)]);
    });
}

#[test]
fn without_landlock_processes_outside_are_signalled_where_they_are_seen() {
    each_user(|user| {
        // The first process there is the zygote.
        let caged = Caged::new(user).without(LayerName::PidNamespace);
        matters(LayerName::Landlock, caged, &["kill", "1"]);
    });
}

#[test]
fn without_seccomp_namespaces_nest_and_memory_is_executed() {
    each_user(|user| {
        matters(LayerName::Seccomp, Caged::new(user), &["call", "unshare_user"]);
        matters(LayerName::Seccomp, Caged::new(user), &["call", "shmget"]);
        matters(LayerName::Seccomp, Caged::new(user), &["fork"]);
        let caged = Caged::new(user).programs(Programs::All);
        matters(LayerName::Seccomp, caged, &["memfd-exec", "/usr/bin/true"]);
    });
}

#[test]
fn without_closing_descriptors_an_open_file_is_read() {
    each_user(|user| {
        let folder = folder_of(user);
        let caged = Caged::new(user).inheriting(&folder.path().join("a.txt"));
        assert_eq!(matters(LayerName::Descriptors, caged, &["descriptor", "50"]), "inside");
    });
}

#[test]
fn without_a_clean_environment_the_hosts_is_read() {
    each_user(|user| {
        let caged = Caged::new(user).variable("SECRET_OF_THE_HOST", "1234");
        assert_eq!(matters(LayerName::Environment, caged, &["variable", "SECRET_OF_THE_HOST"]), "1234");
    });
    // Not a layer that is left out by itself.
    each_user(|user| refused(Caged::new(user).tries(&["variable", "PWD"]), "not found"));
}
