use crate::support::{Caged, each_user, refused};
use skills_sandbox::Programs;

/// What answers that it may not be called.
const REFUSED: [&str; 42] = [
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "memfd_create",
    "memfd_secret",
    "io_uring_setup",
    "io_uring_enter",
    "shmget",
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
    "tiocsti",
    "tioclinux",
    "socket_unix",
    "socket_vsock",
    "socket_packet",
    "socket_netlink",
    "socket_alg",
    "socket_raw",
    "pidfd_getfd",
    "open_by_handle_at",
    "seccomp_listener",
];

#[test]
fn dangerous_calls_are_refused_even_where_all_programs_are_granted() {
    each_user(|user| {
        let all = Caged::new(user).programs(Programs::All);
        let said = REFUSED.iter().fold(all, |caged, name| caged.act(&["call", name])).go();
        assert_eq!(said.answers.len(), REFUSED.len(), "{said:?}");
        for answer in said.answers {
            refused(answer, "Operation not permitted");
        }
    });
}

#[test]
fn clone3_is_not_there_so_that_the_c_library_uses_clone() {
    each_user(|user| refused(Caged::new(user).tries(&["call", "clone3"]), "Function not implemented"));
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
