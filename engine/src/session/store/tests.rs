use super::*;
use crate::ErrorKind;
use crate::session::budget::Spent;
use skills_core::{Grants, Snapshot};

fn store(folder: &Path) -> SessionStore {
    SessionStore::open(folder.join("sessions"), StoreKey::from_bytes([1; 32]), StoreLimits::default()).unwrap()
}

fn record(owner: &str, name: &str, evaluations: u64) -> Record {
    Record {
        name: name.into(),
        owner: owner.into(),
        skill: None,
        language: Language::Python,
        isolation: Isolation::Worker,
        grants: Grants { read: vec!["/srv".into()], ..Grants::default() },
        evaluations,
        spent: Spent::default(),
        opened: 1,
        saved: 2,
    }
}

fn snapshot(bytes: impl Into<Vec<u8>>) -> Snapshot {
    let lost = vec![Lost { name: "socket".into(), why: "it is open".into() }];
    Snapshot { language: Language::Python, format: "pickle 3.12".into(), bytes: bytes.into(), lost }
}

/// Bytes that look like nothing else, `mebibytes` of them.
fn large(seed: u32, mebibytes: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let next = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    std::iter::repeat_with(next).flat_map(u32::to_le_bytes).take(mebibytes << 20).collect()
}

fn load(store: &SessionStore, owner: &str, name: &str) -> Result<Option<Saved>, Failure> {
    store.claim(owner, name).unwrap().load(owner, name)
}

/// What is put there of one file is there in the other.
fn copy(from: &Path, to: &Path) {
    std::fs::copy(from, to).unwrap();
    for side in ["db-wal", "db-shm"] {
        let _ = std::fs::remove_file(to.with_extension(side));
    }
}

#[track_caller]
fn refused(result: Result<Option<Saved>, Failure>, file: &Path, why: &str) {
    let failure = result.expect_err("it is refused");
    assert_eq!(failure.kind, ErrorKind::PermissionDenied, "{failure}");
    assert!(failure.message.contains(&file.display().to_string()) && failure.message.contains(why), "{failure}");
    assert!(failure.help.unwrap().contains("move it away"));
}

#[test]
fn what_is_saved_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = store(folder.path()).claim("user", "a").unwrap();
    assert!(file.load("user", "a").unwrap().is_none());
    for (evaluations, bytes) in [(1, large(1, 3)), (2, b"small".to_vec()), (3, Vec::new()), (4, large(2, 1))] {
        file.save(record("user", "a", evaluations), &snapshot(bytes.clone())).unwrap();
        // As another process finds it after this one was killed.
        let copies = folder.path().join(format!("copy{evaluations}"));
        make_folder(&copies).unwrap();
        for entry in std::fs::read_dir(folder.path().join("sessions")).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, copies.join(path.file_name().unwrap())).unwrap();
        }
        let again = SessionStore::open(&copies, StoreKey::from_bytes([1; 32]), StoreLimits::default()).unwrap();
        let saved = load(&again, "user", "a").unwrap().unwrap();
        assert_eq!(saved.record, record("user", "a", evaluations));
        assert_eq!(saved.snapshot, snapshot(bytes));
    }
    assert!(load(&store(folder.path()), "user", "b").unwrap().is_none());
    assert!(load(&store(folder.path()), "skill:x", "a").unwrap().is_none(), "another owner's is another session");
}

#[test]
fn a_session_is_one_process_s_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let held = store.claim("user", "a").unwrap();
    let failure = store.claim("user", "a").unwrap_err();
    assert_eq!(failure.kind, ErrorKind::Unavailable);
    let own = format!("(process {})", std::process::id());
    assert!(failure.message.contains(&own) && failure.message.contains("`a`"), "{failure}");
    drop(held);
    store.claim("user", "a").unwrap().remove().unwrap();
    let gone = store.claim("user", "a").unwrap();
    assert!(store.claim("user", "a").is_err(), "a file that was removed and made anew is locked too");
    drop(gone);
}

#[test]
fn a_change_of_a_large_session_writes_little() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let mut file = store.claim("user", "a").unwrap();
    let mut bytes = large(1, 16);
    file.save(record("user", "a", 1), &snapshot(bytes.clone())).unwrap();
    let wal = file.path().with_extension("db-wal");
    let parts = |file: &SessionFile| -> i64 {
        let path = file.path().to_owned();
        rusqlite::Connection::open(path).unwrap().query_row("SELECT count(*) FROM parts", [], |row| row.get(0)).unwrap()
    };
    let before = (wal.metadata().unwrap().len(), parts(&file));
    rusqlite::Connection::open(file.path())
        .unwrap()
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    bytes[8 << 20] ^= 1;
    file.save(record("user", "a", 2), &snapshot(bytes.clone())).unwrap();
    assert!(before.0 > 16 << 20 && wal.metadata().unwrap().len() < 2 << 20, "{before:?}");
    assert!(parts(&file).abs_diff(before.1) <= 2, "what nothing refers to is removed");
    drop(file);
    assert_eq!(load(&store, "user", "a").unwrap().unwrap().snapshot.bytes, bytes);
}

#[test]
fn what_did_not_change_is_not_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let mut file = store.claim("user", "a").unwrap();
    file.save(record("user", "a", 1), &snapshot(large(1, 4))).unwrap();
    rusqlite::Connection::open(file.path())
        .unwrap()
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    file.save(record("user", "a", 2), &snapshot(large(1, 4))).unwrap();
    assert!(file.path().with_extension("db-wal").metadata().unwrap().len() < 100 << 10);
    drop(file);
    assert_eq!(load(&store, "user", "a").unwrap().unwrap().record.evaluations, 2);
}

#[test]
fn a_file_gives_room_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let mut file = store.claim("user", "a").unwrap();
    file.save(record("user", "a", 1), &snapshot(large(1, 24))).unwrap();
    file.save(record("user", "a", 2), &snapshot("little")).unwrap();
    assert!(file.path().metadata().unwrap().len() < 1 << 20);
}

#[test]
fn what_was_changed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let mut file = store.claim("user", "a").unwrap();
    file.save(record("user", "a", 1), &snapshot(large(1, 1))).unwrap();
    let path = file.path().to_owned();
    drop(file);
    let whole = folder.path().join("whole");
    copy(&path, &whole);
    for (change, why) in [
        (
            "UPDATE session SET manifest = CAST(replace(CAST(manifest AS TEXT), 'worker', 'in_process') AS BLOB)",
            "signature",
        ),
        ("UPDATE session SET signature = zeroblob(32)", "signature"),
        ("UPDATE session SET signature = x''", "signature"),
        ("UPDATE parts SET bytes = zeroblob(length(bytes)) WHERE rowid = 3", "a part of it"),
        ("DELETE FROM parts WHERE rowid = 2", "a part of it"),
        ("UPDATE session SET manifest = zeroblob(20000000)", "larger than any"),
        ("CREATE TRIGGER t AFTER DELETE ON parts BEGIN SELECT 1; END", "not a file of a session"),
        ("CREATE VIEW v AS SELECT 1", "not a file of a session"),
        ("PRAGMA application_id = 7", "not a file of a session"),
    ] {
        copy(&whole, &path);
        rusqlite::Connection::open(&path).unwrap().execute_batch(change).unwrap();
        refused(load(&store, "user", "a"), &path, why);
    }
    copy(&whole, &path);
    assert!(load(&store, "user", "a").unwrap().is_some());
}

#[test]
fn what_was_cut_off_or_is_no_session_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let mut file = store.claim("user", "a").unwrap();
    file.save(record("user", "a", 1), &snapshot(large(1, 1))).unwrap();
    let path = file.path().to_owned();
    drop(file);
    let whole = std::fs::read(&path).unwrap();
    for length in [1, 100, 4096, 9000, whole.len() / 2, whole.len() - 4096] {
        std::fs::write(&path, &whole[..length]).unwrap();
        let failure = load(&store, "user", "a").expect_err("it is refused");
        assert!(failure.message.contains(&path.display().to_string()), "{failure}");
        assert!(failure.help.is_some());
    }
    std::fs::write(&path, vec![b'x'; 9000]).unwrap();
    assert!(load(&store, "user", "a").is_err());
    let (found, wrong) = store.list().unwrap();
    assert_eq!((found.len(), wrong.len()), (0, 1), "a list names it too");
}

#[test]
fn the_file_of_another_session_or_key_and_an_older_copy_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let save = |name: &str, evaluations: u64| {
        let mut file = store.claim("user", name).unwrap();
        file.load("user", name).unwrap();
        file.save(record("user", name, evaluations), &snapshot(format!("{name}{evaluations}"))).unwrap();
        file.path().to_owned()
    };
    let (a, b) = (save("a", 1), save("b", 1));
    let old = folder.path().join("old");
    copy(&a, &old);
    save("a", 2);
    let new = folder.path().join("new");
    copy(&a, &new);

    copy(&b, &a);
    refused(load(&store, "user", "a"), &a, "it is the session `b` of `user`");
    copy(&old, &a);
    refused(load(&store, "user", "a"), &a, "an older copy");
    copy(&new, &a);
    assert_eq!(load(&store, "user", "a").unwrap().unwrap().record.evaluations, 2);

    let other = SessionStore::open(store.folder(), StoreKey::from_bytes([2; 32]), StoreLimits::default()).unwrap();
    refused(load(&other, "user", "a"), &a, "signature is not this user's");
    assert_eq!(other.list().unwrap().1.len(), 2);

    std::fs::remove_file(&a).unwrap();
    assert!(load(&store, "user", "a").unwrap().is_none(), "what is moved away begins anew");
    save("a", 3);
    copy(&new, &a);
    refused(load(&store, "user", "a"), &a, "an older copy");
}

#[test]
fn another_version_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let mut file = store.claim("user", "a").unwrap();
    file.save(record("user", "a", 1), &snapshot("x")).unwrap();
    let path = file.path().to_owned();
    drop(file);
    rusqlite::Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 9").unwrap();
    let failure = load(&store, "user", "a").unwrap_err();
    assert_eq!(failure.kind, ErrorKind::Unavailable);
    assert!(failure.message.ends_with("is of version 9, and this program reads version 1"), "{failure}");
}

#[test]
fn nothing_grows_beyond_its_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let limits = StoreLimits { session: 1 << 20, total: 2 << 20 };
    let store = SessionStore::open(folder.path().join("s"), StoreKey::from_bytes([1; 32]), limits).unwrap();
    let mut file = store.claim("user", "a").unwrap();
    let failure = file.save(record("user", "a", 1), &snapshot(vec![0; (1 << 20) + 1])).unwrap_err();
    assert_eq!(failure.kind, ErrorKind::OutputLimit);
    assert!(failure.message.contains("1048577 bytes") && failure.message.contains("1048576"), "{failure}");
    file.save(record("user", "a", 1), &snapshot(large(1, 1))).unwrap();
    drop(file);
    let mut file = store.claim("user", "b").unwrap();
    let failure = file.save(record("user", "b", 1), &snapshot(large(2, 1))).unwrap_err();
    assert_eq!(failure.kind, ErrorKind::OutputLimit);
    assert!(failure.message.contains("all sessions together"), "{failure}");
    assert!(store.remove("user", "a").unwrap() && !store.remove("user", "a").unwrap());
    file.save(record("user", "b", 1), &snapshot(large(2, 1))).unwrap();
    let tight = StoreLimits { session: 1000, ..limits };
    drop(file);
    let tight = SessionStore::open(store.folder(), StoreKey::from_bytes([1; 32]), tight).unwrap();
    assert_eq!(load(&tight, "user", "b").unwrap_err().kind, ErrorKind::OutputLimit);
}

#[test]
fn a_list_tells_of_each_and_removal_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    for (owner, name) in [("user", "b/../é"), ("skill:project:x", "a"), ("user", "a")] {
        store.claim(owner, name).unwrap().save(record(owner, name, 5), &snapshot("12345")).unwrap();
    }
    let (found, wrong) = store.list().unwrap();
    assert!(wrong.is_empty());
    let shown: Vec<_> = found.iter().map(|session| (session.name.as_str(), session.owner.as_str())).collect();
    assert_eq!(shown, [("a", "skill:project:x"), ("a", "user"), ("b/../é", "user")]);
    assert_eq!((found[0].bytes, found[0].evaluations, found[0].lost.len()), (5, 5, 1));
    #[cfg(unix)]
    for session in &found {
        use std::os::unix::fs::PermissionsExt as _;
        for path in [session.file.clone(), session.file.with_extension("lock")] {
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(session.file.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
    let held = store.claim("user", "a").unwrap();
    assert_eq!(store.remove("user", "a").unwrap_err().kind(), ErrorKind::Unavailable);
    drop(held);
    for session in &found {
        assert!(store.remove(&session.owner, &session.name).unwrap());
    }
    assert_eq!(std::fs::read_dir(store.folder()).unwrap().count(), 0);
}

#[test]
fn what_sqlite_writes_beside_a_file_takes_room_too() {
    let folder = tempfile::tempdir().unwrap();
    let limits = StoreLimits { session: 4 << 20, total: 5 << 20 };
    let store = SessionStore::open(folder.path().join("s"), StoreKey::from_bytes([1; 32]), limits).unwrap();
    let mut open = store.claim("user", "a").unwrap();
    open.save(record("user", "a", 1), &snapshot(large(1, 3))).unwrap();
    // As long as nobody has moved it into the file, most of it stands in the log.
    let log = std::fs::metadata(open.path().with_extension("db-wal")).unwrap().len();
    assert!(log > 3 << 20, "{log}");
    let refused = store.claim("user", "b").unwrap().save(record("user", "b", 1), &snapshot(large(2, 2)));
    assert_eq!(refused.unwrap_err().kind, ErrorKind::OutputLimit);
}

#[test]
fn a_lazy_store_makes_nothing_until_something_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (sessions, key) = (folder.path().join("data/sessions"), folder.path().join("data/key"));
    let store = || SessionStore::lazy(&sessions, &key, StoreLimits::default());
    assert_eq!(store().list().unwrap().0, []);
    assert!(!store().remove("user", "a").unwrap());
    assert!(!folder.path().join("data").exists());
    store().claim("user", "a").unwrap().save(record("user", "a", 1), &snapshot("x")).unwrap();
    assert!(key.exists());
    assert_eq!(store().list().unwrap().0.len(), 1);
}

#[cfg(unix)]
#[test]
fn a_folder_that_others_may_enter_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let open = || SessionStore::open(folder.path(), StoreKey::from_bytes([1; 32]), StoreLimits::default());
    let error = open().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.help().unwrap().contains("chmod 700"));
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    open().unwrap();
}

#[test]
fn who_asks_for_a_name_hears_what_is_wrong_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let save = |name: &str| {
        let mut file = store.claim("user", name).unwrap();
        file.save(record("user", name, 1), &snapshot("x")).unwrap();
        file.path().to_owned()
    };
    let (a, _) = (save("a"), save("a-b"));
    let other = SessionStore::open(store.folder(), StoreKey::from_bytes([2; 32]), StoreLimits::default()).unwrap();
    assert_eq!(other.named("a").unwrap_err().kind(), ErrorKind::PermissionDenied);
    std::fs::write(&a, "").unwrap();
    let error = store.named("a").unwrap_err();
    assert!(error.message().ends_with("there is nothing in it any more"), "{error}");
    assert_eq!(store.named("a-b").unwrap().len(), 1);
    std::fs::remove_file(&a).unwrap();
    assert!(store.named("a").unwrap().is_empty(), "what is moved away begins anew");
}

#[cfg(unix)]
#[test]
fn a_link_in_place_of_a_file_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let precious = folder.path().join("precious");
    std::fs::write(&precious, "precious").unwrap();
    let mut file = store.claim("user", "a").unwrap();
    file.save(record("user", "a", 1), &snapshot("x")).unwrap();
    let path = file.path().to_owned();
    file.remove().unwrap();
    for extension in ["lock", "db"] {
        let link = path.with_extension(extension);
        std::os::unix::fs::symlink(&precious, &link).unwrap();
        let saved = store.claim("user", "a").and_then(|mut file| file.save(record("user", "a", 1), &snapshot("x")));
        assert_eq!(saved.unwrap_err().kind, ErrorKind::Unavailable, "{extension}");
        assert_eq!(std::fs::read_to_string(&precious).unwrap(), "precious");
        std::fs::remove_file(link).unwrap();
    }
}
