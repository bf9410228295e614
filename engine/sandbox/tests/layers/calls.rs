use crate::support::{Caged, each_user, folder_of, refused, text};
use skills_sandbox::Programs;

/// What answers that it may not be called.
const REFUSED: [&str; 56] = [
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "memfd_create",
    "memfd_secret",
    "io_uring_setup",
    "io_uring_enter",
    "shmget",
    "semget",
    "msgget",
    "keyctl",
    "add_key",
    "request_key",
    "bpf",
    "userfaultfd",
    "mount",
    "umount2",
    "pivot_root",
    "fsopen",
    "open_tree",
    "unshare_user",
    "unshare",
    "setns",
    "clone_user",
    "clone_net",
    "kexec_load",
    "perf_event_open",
    "personality",
    "setuid",
    "setgroups",
    "chroot",
    "execveat",
    "mknod_device",
    "mknodat_set_id",
    "fchmod_set_id",
    "fchmodat_set_id",
    "fchmodat2_set_id",
    "openat_set_id",
    "lease",
    "notify",
    "prctl_ptracer",
    "tiocsti",
    "tioclinux",
    "socket_unix",
    "socket_vsock",
    "socket_packet",
    "socket_netlink",
    "socket_alg",
    "socket_raw",
    "socket_multipath",
    "socket_filter",
    "send_urgent",
    "receive_urgent",
    "pidfd_getfd",
    "open_by_handle_at",
    "seccomp_listener",
];

/// The same for older forms of calls, which one of the architectures has.
#[cfg(target_arch = "x86_64")]
const OLDER: [&str; 4] = ["chmod_set_id", "creat_set_id", "open_set_id", "mknod_device_older"];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: [&str; 0] = [];

#[test]
fn dangerous_calls_are_refused_even_where_all_programs_are_granted() {
    each_user(|user| {
        let all = Caged::new(user).programs(Programs::All);
        let names = || REFUSED.iter().chain(&OLDER);
        let said = names().fold(all, |caged, name| caged.act(&["call", name])).go();
        assert_eq!(said.answers.len(), names().count(), "{said:?}");
        for answer in said.answers {
            refused(answer, "Operation not permitted");
        }
    });
}

#[test]
fn calls_that_cannot_be_judged_are_not_there_so_that_libraries_use_others() {
    each_user(|user| {
        for call in ["clone3", "openat2"] {
            refused(Caged::new(user).tries(&["call", call]), "Function not implemented");
        }
    });
}

#[test]
fn nothing_is_left_for_the_host_to_stumble_over() {
    each_user(|user| {
        let folder = folder_of(user);
        let (file, new) = (folder.path().join("a.txt"), folder.path().join("new"));
        let said = Caged::new(user)
            .writing(folder.path())
            .act(&["set-id", text(&file)])
            .act(&["make-set-id", text(&new)])
            .act(&["lease", text(&file)])
            .act(&["fifo", text(&folder.path().join("pipe"))])
            .act(&["fifo", "/tmp/pipe"])
            .act(&["chmod", text(&file)])
            .go();
        for answer in &said.answers[..3] {
            refused(answer.clone(), "Operation not permitted");
        }
        refused(said.answers[3].clone(), "Permission denied");
        assert!(said.answers[4].is_ok() && said.answers[5].is_ok(), "{said:?}");
        assert!(!new.exists());
    });
}

#[test]
fn the_personality_can_be_read() {
    each_user(|user| assert!(Caged::new(user).tries(&["call", "personality_read"]).is_ok()));
}

#[test]
fn foreign_numbers_end_the_process() {
    each_user(|user| {
        let said = Caged::new(user).act(&["identity"]).act(&["call", "x32"]).act(&["identity"]).go();
        assert_eq!(said.answers.len(), 1, "{said:?}");
        assert_eq!(said.output.status.code(), Some(128 + libc::SIGSYS));
    });
}
