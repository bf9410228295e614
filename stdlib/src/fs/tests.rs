use crate::testing::TestContext;
use serde_json::{Value, json};
use skills_core::{ErrorKind, value::describe_bytes};
use std::fs;
use std::path::Path;

/// A folder with `data` (granted for reading), `database` (not granted), `out` (granted for writing) and a secret.
struct Files {
    root: tempfile::TempDir,
    test: TestContext,
}

fn files() -> Files {
    let root = tempfile::tempdir().unwrap();
    for folder in ["data", "database", "out"] {
        fs::create_dir(root.path().join(folder)).unwrap();
    }
    fs::write(root.path().join("data/a.txt"), "héllo").unwrap();
    fs::write(root.path().join("database/b.txt"), "other").unwrap();
    fs::write(root.path().join("secret.txt"), "secret").unwrap();
    let mut test = TestContext::new();
    test.grants.read = vec![root.path().join("data")];
    test.grants.write = vec![root.path().join("out")];
    test.grants.working_directory = Some(root.path().join("data"));
    Files { root, test }
}

impl Files {
    fn at(&self, path: &str) -> Value {
        json!(self.root.path().join(path).to_str().unwrap())
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.root.path().join(path)
    }
}

#[test]
fn files_are_read_and_written_where_granted() {
    let f = files();
    assert_eq!(f.test.ok("fs.read", [json!("a.txt")]), json!("héllo"));
    assert_eq!(f.test.ok("fs.read", [json!("./x/../a.txt")]), json!("héllo"));
    assert_eq!(f.test.ok("fs.read_bytes", [f.at("data/a.txt")]), describe_bytes("héllo".as_bytes()));

    f.test.ok("fs.write", [f.at("out/n.txt"), json!("long first")]);
    f.test.ok("fs.write", [f.at("out/n.txt"), json!("one")]);
    f.test.ok("fs.write", [f.at("out/n.txt"), describe_bytes(&[0xff]), json!(true)]);
    assert_eq!(fs::read(f.path("out/n.txt")).unwrap(), b"one\xff");
    let failure = f.test.fails("fs.read", [f.at("out/n.txt")]);
    assert!(failure.message.ends_with("is not UTF-8 text, from byte 3 on"), "{failure}");
    assert_eq!(failure.help.unwrap(), "read it with skill.fs.read_bytes");
}

#[test]
fn folders_are_made_listed_and_removed() {
    let f = files();
    f.test.ok("fs.mkdir", [f.at("out/b/c")]);
    f.test.ok("fs.mkdir", [f.at("out/b/c")]);
    f.test.ok("fs.write", [f.at("out/a.txt"), json!("12345")]);
    let listed = f.test.ok("fs.list", [f.at("out")]);
    assert_eq!(listed[0], json!({"name": "a.txt", "type": "file", "size": 5}));
    assert_eq!((&listed[1]["name"], &listed[1]["type"]), (&json!("b"), &json!("directory")));
    assert_eq!(f.test.ok("fs.list", [])[0]["name"], json!("a.txt"));

    let stat = f.test.ok("fs.stat", [f.at("out/a.txt")]);
    assert_eq!((&stat["type"], &stat["size"], &stat["readonly"]), (&json!("file"), &json!(5), &json!(false)));
    assert!(stat["modified"].as_str().unwrap().ends_with('Z'));

    assert!(f.test.invalid("fs.remove", [f.at("out/b")]).ends_with("the folder is not empty"));
    f.test.ok("fs.remove", [f.at("out/b/c")]);
    f.test.ok("fs.remove", [f.at("out/a.txt")]);
    assert_eq!(f.test.ok("fs.exists", [f.at("out/a.txt")]), json!(false));
    assert_eq!(f.test.ok("fs.exists", [f.at("out/b")]), json!(true));
    assert_eq!(f.test.fails("fs.remove", [f.at("out")]).kind, ErrorKind::PermissionDenied);
    assert!(f.path("out").exists());
}

#[test]
fn a_denial_names_the_path_the_grants_and_the_remedy() {
    let f = files();
    let failure = f.test.fails("fs.read", [f.at("secret.txt")]);
    assert_eq!(failure.kind, ErrorKind::PermissionDenied);
    let (root, help) = (f.root.path().display(), failure.help.unwrap());
    let expected = format!("reading \"{root}/secret.txt\" is not allowed; granted for it: {root}/data, {root}/out");
    assert_eq!(failure.message, expected);
    // Whether the skill did not ask or the host did not allow it: the help is right in both cases.
    let asks = format!(
        r#"the skill has to ask for it with "security": {{"permissions": {{"file_read": ["{root}/secret.txt"]}}}}"#
    );
    assert_eq!(help, format!("{asks}, and the host program has to allow it too"));
    let failure = f.test.fails("fs.write", [f.at("data/a.txt"), json!("x")]);
    assert!(failure.message.contains("granted for it") && failure.help.unwrap().contains("file_write"));
    assert_eq!(fs::read_to_string(f.path("data/a.txt")).unwrap(), "héllo");
    let failure = TestContext::new().fails("fs.read", [json!("/etc/hostname")]);
    assert!(failure.message.ends_with("no files are granted for it"), "{failure}");
}

/// Each function that takes a path, with arguments that would do something.
fn every(f: &Files, path: Value) -> Vec<(&'static str, skills_core::Failure)> {
    vec![
        ("fs.read", f.test.fails("fs.read", [path.clone()])),
        ("fs.read_bytes", f.test.fails("fs.read_bytes", [path.clone()])),
        ("fs.write", f.test.fails("fs.write", [path.clone(), json!("x")])),
        ("fs.list", f.test.fails("fs.list", [path.clone()])),
        ("fs.exists", f.test.fails("fs.exists", [path.clone()])),
        ("fs.stat", f.test.fails("fs.stat", [path.clone()])),
        ("fs.remove", f.test.fails("fs.remove", [path.clone()])),
        ("fs.mkdir", f.test.fails("fs.mkdir", [path])),
    ]
}

#[test]
fn no_path_outside_of_the_grants_is_reached() {
    let f = files();
    for path in [
        json!("../secret.txt"),
        json!("../database/b.txt"),
        json!("../database"),
        json!("x/../../secret.txt"),
        json!("../../../../../../../../../../etc/passwd"),
        json!("/etc/passwd"),
        json!("/"),
        f.at("data/../secret.txt"),
        f.at("database/b.txt"),
        f.at("out/../secret.txt"),
    ] {
        for (name, failure) in every(&f, path.clone()) {
            assert_eq!(failure.kind, ErrorKind::PermissionDenied, "{name} {path}: {failure}");
        }
    }
    assert_eq!(fs::read_to_string(f.path("secret.txt")).unwrap(), "secret");
    assert_eq!(fs::read_to_string(f.path("database/b.txt")).unwrap(), "other");
}

#[test]
fn what_cannot_be_a_path_is_refused() {
    let mut f = files();
    for path in ["", "a\0b", "../secret.txt\0.txt"] {
        for (name, failure) in every(&f, json!(path)) {
            assert_eq!(failure.kind, ErrorKind::InvalidArguments, "{name} {path:?}");
        }
    }
    f.test.grants.working_directory = None;
    assert!(f.test.invalid("fs.read", [json!("a.txt")]).contains("this run has no working directory"));
    let long = f.at(&format!("data/{}", "n".repeat(300)));
    assert!(f.test.invalid("fs.read", [long]).ends_with("the name is too long"));
}

#[cfg(unix)]
fn link(target: impl AsRef<Path>, at: impl AsRef<Path>) {
    std::os::unix::fs::symlink(target, at).unwrap();
}

#[cfg(unix)]
#[test]
fn links_that_lead_out_lead_nowhere() {
    let f = files();
    link(f.path("secret.txt"), f.path("out/absolute"));
    link("../secret.txt", f.path("out/relative"));
    link("..", f.path("out/up"));
    link("/", f.path("out/root"));
    for path in ["out/absolute", "out/relative", "out/up/secret.txt", "out/root/etc/passwd"] {
        for name in ["fs.read", "fs.read_bytes", "fs.exists", "fs.stat"] {
            let failure = f.test.fails(name, [f.at(path)]);
            assert_eq!(failure.kind, ErrorKind::PermissionDenied, "{name} {path}: {failure}");
        }
        let failure = f.test.fails("fs.write", [f.at(path), json!("x")]);
        assert_eq!(failure.kind, ErrorKind::PermissionDenied, "{path}: {failure}");
    }
    for name in ["fs.list", "fs.mkdir", "fs.remove"] {
        let failure = f.test.fails(name, [f.at("out/up/database")]);
        assert_eq!(failure.kind, ErrorKind::PermissionDenied, "{name}: {failure}");
    }
    let failure = f.test.fails("fs.read", [f.at("out/absolute")]);
    assert!(failure.message.ends_with("is a symbolic link that leads out of what is granted"), "{failure}");
    assert_eq!(fs::read_to_string(f.path("secret.txt")).unwrap(), "secret");

    f.test.ok("fs.remove", [f.at("out/absolute")]);
    assert!(f.path("secret.txt").exists() && !f.path("out/absolute").exists());
}

#[cfg(unix)]
#[test]
fn links_inside_a_grant_work() {
    let f = files();
    fs::write(f.path("out/real"), "x").unwrap();
    link("real", f.path("out/link"));
    assert_eq!(f.test.ok("fs.read", [f.at("out/link")]), json!("x"));
    assert_eq!(f.test.ok("fs.list", [f.at("out")])[0]["type"], json!("symlink"));
}

#[cfg(unix)]
#[test]
fn a_file_can_be_granted_by_itself() {
    let mut f = files();
    f.test.grants.read = vec![f.path("database/b.txt")];
    f.test.grants.write = vec![f.path("new.txt")];
    assert_eq!(f.test.ok("fs.read", [f.at("database/b.txt")]), json!("other"));
    assert_eq!(f.test.fails("fs.list", [f.at("database")]).kind, ErrorKind::PermissionDenied);
    assert!(f.test.fails("fs.read", [f.at("database/b.txt/x")]).message.contains("not a folder"));
    assert_eq!(f.test.fails("fs.read", [f.at("database/b.txt.bak")]).kind, ErrorKind::PermissionDenied);
    f.test.ok("fs.write", [f.at("new.txt"), json!("made")]);
    assert_eq!(f.test.ok("fs.read", [f.at("new.txt")]), json!("made"));
    assert!(f.test.invalid("fs.list", [f.at("new.txt")]).contains("it is not a folder"));

    fs::remove_file(f.path("new.txt")).unwrap();
    link("secret.txt", f.path("new.txt"));
    for failure in [
        f.test.fails("fs.read", [f.at("new.txt")]),
        f.test.fails("fs.stat", [f.at("new.txt")]),
        f.test.fails("fs.write", [f.at("new.txt"), json!("x")]),
    ] {
        assert_eq!(failure.kind, ErrorKind::PermissionDenied, "{failure}");
    }
    assert_eq!(fs::read_to_string(f.path("secret.txt")).unwrap(), "secret");
}

#[cfg(unix)]
#[test]
fn a_link_swapped_in_while_reading_shows_nothing() {
    let f = files();
    let path = f.path("out/swapped");
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let _ = fs::remove_file(&path);
                fs::write(&path, "plain").unwrap();
                let _ = fs::remove_file(&path);
                link("../secret.txt", &path);
            }
        });
        for _ in 0..500 {
            if let Ok(text) = f.test.call("fs.read", [f.at("out/swapped")]) {
                assert_ne!(text, json!("secret"));
            }
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_do_not_block() {
    let mut f = files();
    rustix::fs::mknodat(rustix::fs::CWD, f.path("out/pipe"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0)
        .unwrap();
    assert!(f.test.invalid("fs.read", [f.at("out/pipe")]).ends_with("is not a regular file"));
    assert_eq!(f.test.fails("fs.write", [f.at("out/pipe"), json!("x")]).kind, ErrorKind::Unavailable);
    assert!(f.test.invalid("fs.read", [f.at("data")]).ends_with("is a folder"));
    f.test.grants.read.push("/dev".into());
    assert!(f.test.invalid("fs.read", [json!("/dev/zero")]).ends_with("is not a regular file"));
}

#[test]
fn large_files_are_refused() {
    let f = files();
    let file = fs::File::create(f.path("out/large")).unwrap();
    file.set_len(super::MAX_READ).unwrap();
    assert!(f.test.ok("fs.read", [f.at("out/large")]).is_string());
    file.set_len(super::MAX_READ + 1).unwrap();
    let failure = f.test.fails("fs.read", [f.at("out/large")]);
    assert_eq!((failure.kind, failure.limit.unwrap().reading), (ErrorKind::OutputLimit, super::MAX_READ + 1));
    file.set_len(super::MAX_FILE).unwrap();
    let failure = f.test.fails("fs.write", [f.at("out/large"), json!("x"), json!(true)]);
    assert_eq!((failure.kind, failure.limit.unwrap().reading), (ErrorKind::OutputLimit, super::MAX_FILE + 1));
    f.test.ok("fs.write", [f.at("out/large"), json!("x")]);
}

#[test]
fn a_file_grows_to_the_granted_size_and_no_further() {
    let mut f = files();
    f.test.grants.max_file_size = Some(10);
    f.test.ok("fs.write", [f.at("out/a"), json!("1234567")]);
    f.test.ok("fs.write", [f.at("out/a"), json!("890"), json!(true)]);
    let failure = f.test.fails("fs.write", [f.at("out/a"), json!("é"), json!(true)]);
    assert_eq!(failure.kind, ErrorKind::OutputLimit);
    assert!(failure.message.ends_with(r#"out/a" would have 12 bytes, more than the 10 allowed"#), "{failure}");
    assert!(failure.help.unwrap().contains("max_file_size_mb"));
    assert_eq!((failure.limit.unwrap().limit, failure.limit.unwrap().reading), (10, 12));
    assert_eq!(fs::read_to_string(f.path("out/a")).unwrap(), "1234567890", "nothing was written");
    // What is there does not count where it is replaced.
    f.test.ok("fs.write", [f.at("out/a"), json!("0987654321")]);
    assert_eq!(f.test.fails("fs.write", [f.at("out/b"), json!("12345678901")]).kind, ErrorKind::OutputLimit);
    assert!(!f.path("out/b").exists(), "no empty file is left behind");
}

#[test]
fn a_cancelled_run_stops_listing() {
    let f = files();
    f.test.budget.cancel();
    assert_eq!(f.test.fails("fs.list", []).kind, ErrorKind::Cancelled);
}

#[test]
fn what_is_missing_is_not_found() {
    let mut f = files();
    assert_eq!(f.test.fails("fs.read", [json!("none")]).kind, ErrorKind::NotFound);
    assert_eq!(f.test.fails("fs.list", [json!("none")]).kind, ErrorKind::NotFound);
    assert_eq!(f.test.fails("fs.remove", [f.at("out/none")]).kind, ErrorKind::NotFound);
    let failure = f.test.fails("fs.write", [f.at("out/none/a"), json!("x")]);
    assert!(failure.message.ends_with("its folder does not exist") && failure.help.unwrap().contains("fs.mkdir"));
    assert_eq!(f.test.ok("fs.exists", [json!("none")]), json!(false));
    assert_eq!(f.test.ok("fs.exists", [json!("a.txt/none")]), json!(false));
    f.test.grants.write.push(f.path("later"));
    assert_eq!(f.test.ok("fs.exists", [f.at("later/a")]), json!(false));
    assert_eq!(f.test.fails("fs.write", [f.at("later/a"), json!("x")]).kind, ErrorKind::NotFound);
    f.test.ok("fs.mkdir", [f.at("later")]);
    f.test.ok("fs.write", [f.at("later/a"), json!("x")]);
}
