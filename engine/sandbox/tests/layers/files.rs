use crate::support::{Caged, each_user, folder_of, open_folder, own, refused, text};
use skills_sandbox::LayerName;
use std::path::Path;

#[test]
fn what_is_not_granted_is_not_there() {
    each_user(|user| {
        let folder = folder_of(user);
        let file = folder.path().join("a.txt");
        let said = Caged::new(user)
            .act(&["read", text(&file)])
            .act(&["read", "/etc/shadow"])
            .act(&["stat", text(folder.path())])
            .act(&["chmod", text(&file)])
            .act(&["read", "/var/log/dpkg.log"])
            .act(&["list", "/home"])
            .act(&["list", "/root"])
            .act(&["list", "/sys"])
            .go();
        assert_eq!(said.answers.len(), 8, "{said:?}");
        for answer in said.answers {
            refused(answer, "No such file or directory");
        }
    });
}

#[test]
fn a_granted_folder_that_only_its_owner_may_enter_is_read_and_not_written() {
    each_user(|user| {
        let folder = folder_of(user);
        let (file, new) = (folder.path().join("a.txt"), folder.path().join("new.txt"));
        let said = Caged::new(user)
            .reading(folder.path())
            .act(&["read", text(&file)])
            .act(&["write", text(&new), "x"])
            .act(&["append", text(&file), "x"])
            .act(&["chmod", text(&file)])
            .go();
        assert_eq!(said.answers[0].as_deref(), Ok("inside"));
        for answer in &said.answers[1..] {
            refused(answer.clone(), "Read-only file system");
        }
        assert!(!new.exists());
    });
}

#[test]
fn a_folder_granted_for_writing_is_written_by_the_callers_user() {
    each_user(|user| {
        use std::os::unix::fs::MetadataExt;
        let folder = folder_of(user);
        let new = folder.path().join("new.txt");
        let said =
            Caged::new(user).writing(folder.path()).act(&["write", text(&new), "x"]).act(&["read", text(&new)]).go();
        assert_eq!(said.answers[1].as_deref(), Ok("x"));
        assert_eq!(new.metadata().unwrap().uid(), folder.path().metadata().unwrap().uid());
    });
}

#[test]
fn a_single_file_can_be_granted() {
    each_user(|user| {
        let folder = folder_of(user);
        let (file, other) = (folder.path().join("a.txt"), folder.path().join("b.txt"));
        std::fs::write(&other, "other").unwrap();
        own(&other, user);
        let said = Caged::new(user)
            .writing(&file)
            .act(&["append", text(&file), "!"])
            .act(&["read", text(&file)])
            .act(&["read", text(&other)])
            .go();
        assert_eq!(said.answers[1].as_deref(), Ok("inside!"));
        refused(said.answers[2].clone(), "No such file");
    });
}

#[test]
fn a_grant_below_another_keeps_its_own_right() {
    each_user(|user| {
        let folder = folder_of(user);
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        own(&inner, user);
        let (outside, inside) = (folder.path().join("x"), inner.join("x"));
        let said = Caged::new(user)
            .reading(folder.path())
            .writing(&inner)
            .act(&["write", text(&inside), "x"])
            .act(&["write", text(&outside), "x"])
            .go();
        assert_eq!(said.answers[0].as_deref(), Ok("written"));
        refused(said.answers[1].clone(), "Read-only");
    });
}

#[test]
fn a_grant_in_which_a_link_was_put_since_is_refused() {
    each_user(|user| {
        let folder = folder_of(user);
        let granted = folder.path().join("granted");
        std::os::unix::fs::symlink("/etc", &granted).unwrap();
        let said = Caged::new(user).reading(&granted).act(&["list", text(&granted)]).go();
        let fault = said.fault.unwrap();
        assert_eq!(fault["layer"], "root");
        assert!(fault["detail"].as_str().unwrap().contains("a link that was not there when it was granted"), "{fault}");
    });
}

#[test]
fn a_link_out_of_a_granted_folder_leads_nowhere() {
    each_user(|user| {
        let (folder, secret) = (folder_of(user), folder_of(user));
        let (link, target) = (folder.path().join("link"), secret.path().join("a.txt"));
        let said = Caged::new(user)
            .writing(folder.path())
            .act(&["symlink", text(&target), text(&link)])
            .act(&["read", text(&link)])
            .act(&["hardlink", text(&target), text(&folder.path().join("hard"))])
            .act(&["hardlink", "/etc/passwd", text(&folder.path().join("across"))])
            .go();
        assert!(said.answers[0].is_ok());
        refused(said.answers[1].clone(), "No such file");
        refused(said.answers[2].clone(), "No such file");
        refused(said.answers[3].clone(), "Invalid cross-device link");
    });
}

#[test]
fn temporary_folders_are_private_and_the_rest_cannot_be_written() {
    each_user(|user| {
        let said = Caged::new(user)
            .act(&["write", "/tmp/caged-private", "x"])
            .act(&["write", "/var/tmp/y", "x"])
            .act(&["write", "/dev/shm/z", "x"])
            .act(&["write", "/run/z", "x"])
            .act(&["write", "/x", "x"])
            .act(&["write", "/usr/x", "x"])
            .act(&["write", "/etc/x", "x"])
            .act(&["write", "/dev/x", "x"])
            .act(&["write", "/proc/sys/kernel/core_pattern", "x"])
            .act(&["write", "/proc/self/mem", "x"])
            .act(&["write", "/dev/null", "x"])
            .go();
        let worked: Vec<bool> = said.answers.iter().map(Result::is_ok).collect();
        assert_eq!(worked, [true, true, true, true, false, false, false, false, false, false, true], "{said:?}");
        assert!(!std::path::Path::new("/tmp/caged-private").exists());
    });
}

#[test]
fn the_whole_tree_can_be_granted_but_for_what_is_private() {
    each_user(|user| {
        let folder = folder_of(user);
        let said = Caged::new(user)
            .reading("/".as_ref())
            .act(&["read", text(&folder.path().join("a.txt"))])
            .act(&["processes"])
            .act(&["list", "/tmp"])
            .act(&["write", "/var/x", "x"])
            .go();
        assert_eq!(said.answers[0].as_deref(), Ok("inside"), "{said:?}");
        assert_eq!(said.answers[1].as_deref(), Ok("1"));
        assert_eq!(said.answers[2].as_deref(), Ok(""));
        refused(said.answers[3].clone(), "Read-only");
    });
}

#[test]
fn a_file_of_the_hosts_configuration_can_be_granted_beside_what_is_always_there() {
    each_user(|user| {
        let said = Caged::new(user)
            .reading("/etc/debconf.conf".as_ref())
            .reading("/etc/hosts".as_ref())
            .act(&["read", "/etc/debconf.conf"])
            .act(&["read", "/etc/hosts"])
            .act(&["read", "/etc/passwd"])
            .act(&["write", "/etc/new", "x"])
            .go();
        if let Ok(expected) = std::fs::read_to_string("/etc/debconf.conf") {
            assert_eq!(said.answers[0].as_ref(), Ok(&expected), "{said:?}");
        }
        assert_eq!(said.answers[1].as_ref(), Ok(&std::fs::read_to_string("/etc/hosts").unwrap()));
        assert!(said.answers[2].as_ref().unwrap().starts_with("skill:x:1000:"));
        refused(said.answers[3].clone(), "Read-only");
    });
}

#[test]
fn the_machines_settings_are_read_only_even_where_landlock_would_not_hold() {
    each_user(|user| {
        let setting = "/proc/sys/vm/overcommit_ratio";
        let caged = Caged::new(user).without(LayerName::Landlock);
        let answer = caged.tries(&["append", setting, ""]);
        if user.is_root() {
            refused(answer, "Read-only file system");
        } else {
            refused(answer, "denied");
        }
    });
}

/// What all workers of a zygote have is theirs together: a second line behind Landlock, also for the machine's user 0.
#[test]
fn what_workers_share_is_read_only_even_where_landlock_would_not_hold() {
    each_user(|user| {
        let folder = open_folder();
        let shown = Path::new("/etc/ssl");
        let caged = Caged::new(user).without(LayerName::Landlock);
        let granted = caged.clone().reading(folder.path());
        let tool = Path::new("/usr/bin/env").canonicalize().unwrap();
        // Nothing is added: where it could be opened, nothing would have happened.
        for path in [text(&tool), "/etc/hosts", "/dev/none", text(&folder.path().join("none"))] {
            let said = if path.ends_with("none") { ["write", path, ""] } else { ["append", path, ""] };
            let answer = granted.clone().tries(&said);
            assert!(answer.is_err(), "{path}: {answer:?}");
            if user.is_root() {
                refused(answer, "Read-only file system");
            }
        }
        // The same where something below `/etc` is granted, which is put together anew then.
        if user.is_root() && shown.is_dir() {
            refused(caged.reading(shown).tries(&["append", "/etc/hosts", ""]), "Read-only file system");
        }
    });
}
