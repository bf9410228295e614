use crate::support::{Caged, each_user, folder_of, refused, text};
use skills_sandbox::{Kind, Programs};

#[test]
fn temporary_folders_are_full_when_they_are() {
    each_user(|user| {
        let said = Caged::new(user)
            .with(|cage| cage.disk = Some(1 << 20))
            .act(&["fill", "/tmp/a", "500000"])
            .act(&["fill", "/tmp/b", "4000000"])
            .act(&["fill", "/dev/shm/c", "4000000"])
            .act(&["fill", "/run/c", "4000000"])
            .go();
        assert!(said.answers[0].is_ok(), "{said:?}");
        for answer in &said.answers[1..] {
            refused(answer.clone(), "No space left on device");
        }
    });
}

#[test]
fn many_small_files_fill_them_too() {
    each_user(|user| {
        let caged = Caged::new(user).with(|cage| cage.disk = Some(1 << 20));
        refused(caged.tries(&["many-files", "/tmp"]), "No space left on device");
    });
}

#[test]
fn a_file_that_is_too_large_is_an_error_of_the_write() {
    each_user(|user| {
        let folder = folder_of(user);
        let file = folder.path().join("large");
        let caged = Caged::new(user).writing(folder.path()).with(|cage| cage.file_size = Some(100_000));
        refused(caged.tries(&["fill", text(&file), "4000000"]), "File too large");
        assert_eq!(file.metadata().unwrap().len(), 100_000);
    });
}

#[test]
fn memory_of_a_c_library_is_held() {
    each_user(|user| {
        for kind in [Kind::Interpreter, Kind::Program] {
            let said = Caged::new(user)
                .with(|cage| (cage.memory, cage.kind) = (Some(32 << 20), kind))
                .act(&["allocate", "16000000"])
                .act(&["allocate", "64000000"])
                .go();
            assert_eq!(said.answers[0].as_deref(), Ok("16000000 bytes"));
            refused(said.answers[1].clone(), "Cannot allocate memory");
        }
    });
}

#[test]
fn memory_that_an_interpreter_would_share_is_held() {
    each_user(|user| {
        let caged = Caged::new(user).with(|cage| cage.memory = Some(32 << 20));
        assert!(caged.clone().tries(&["share", "16000000"]).is_ok());
        refused(caged.tries(&["share", "4000000000"]), "Cannot allocate memory");
    });
}

#[test]
fn cpu_time_of_a_process_ends() {
    each_user(|user| {
        let said = Caged::new(user).with(|cage| cage.cpu_seconds = Some(1)).shell("while :; do :; done");
        assert_eq!(said.output.status.code(), Some(128 + libc::SIGKILL));
    });
}

#[test]
fn processes_are_counted_for_each_worker_where_the_kernel_counts_them() {
    each_user(|user| {
        let caged = Caged::new(user).programs(Programs::All).with(|cage| cage.processes = Some(8));
        let answer = caged.tries(&["forks", "20"]);
        if user.is_root() {
            // The kernel does not count those of its user 0: a group of processes has to.
            assert_eq!(answer.as_deref(), Ok("20 processes"));
        } else {
            refused(answer, "stopped after 7");
        }
    });
}

#[test]
fn open_files_and_core_dumps_are_held() {
    each_user(|user| {
        let said = Caged::new(user).shell("ulimit -n; ulimit -Hn; ulimit -c");
        assert_eq!(said.stdout(), "512\n512\n0\n", "{}", said.stderr());
    });
}

#[test]
fn what_one_process_takes_from_the_others_of_the_machine_is_held() {
    each_user(|user| {
        let said = Caged::new(user).shell("while read -r line; do echo \"$line\"; done < /proc/self/limits");
        let table: Vec<String> =
            said.stdout().lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        for limit in [
            "Max locked memory 1048576 1048576 bytes",
            "Max msgqueue size 0 0 bytes",
            "Max nice priority 0 0",
            "Max realtime priority 0 0",
        ] {
            assert!(table.iter().any(|line| line == limit), "{limit}: {table:?}");
        }
    });
}
