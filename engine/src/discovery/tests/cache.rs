use super::*;
use std::time::Duration;

/// Changes a file's content and gives it the size and the modification time that it had.
fn forge(path: &Path, text: &str) {
    let before = fs::metadata(path).unwrap();
    fs::write(path, text).unwrap();
    assert_eq!(fs::metadata(path).unwrap().len(), before.len());
    fs::File::options().write(true).open(path).unwrap().set_modified(before.modified().unwrap()).unwrap();
}

/// The one cache file of a machine that has skills in one folder.
fn only_file(machine: &Machine) -> PathBuf {
    let mut files = fs::read_dir(machine.path("cache/deep")).unwrap().map(|file| file.unwrap().path());
    let file = files.next().unwrap();
    assert_eq!(files.next(), None);
    file
}

#[test]
fn the_cache_answers_for_files_that_did_not_change() {
    let machine = Machine::new();
    machine.skill("project/.skills/one.json", "one", &["o"]);
    machine.write("project/.skills/data.json", "[1]");
    std::thread::sleep(Duration::from_millis(120));
    let caching = Caching::default();
    let before = machine.cached(&caching);
    let file = only_file(&machine);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("data.json"), "that a file is no definition is kept too: {text}");
    // What the cache says is what is shown: so it was asked, and the file was not read.
    fs::write(&file, text.replace(r#""description":"project/.skills/one.json""#, r#""description":"from the cache""#))
        .unwrap();
    assert_eq!(found(&machine.cached(&caching), "o"), "from the cache");
    assert_eq!(names(&before), names(&machine.cached(&caching)));
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions()) & 0o777, 0o600);
    // A changed file is read, even one that looks unchanged by its size and its modification time.
    forge(
        &machine.path("project/.skills/one.json"),
        &fs::read_to_string(machine.path("project/.skills/one.json")).unwrap().replace("one", "uno"),
    );
    assert_eq!(names(&machine.cached(&caching)), ["uno"]);
    fs::remove_file(machine.path("project/.skills/one.json")).unwrap();
    assert!(machine.cached(&caching).entries().is_empty());
}

#[test]
fn an_old_or_broken_cache_is_replaced() {
    let machine = Machine::new();
    machine.skill("project/.skills/one.json", "one", &[]);
    std::thread::sleep(Duration::from_millis(120));
    let caching = Caching::default();
    machine.cached(&caching);
    let file = only_file(&machine);
    let good = fs::read_to_string(&file).unwrap();
    let lie = good.replace(r#""description":"project/.skills/one.json""#, r#""description":"a lie""#);
    let truth = "project/.skills/one.json";
    for broken in [&lie[..lie.len() - 1], "", "null", &lie.replacen("metadata 3", "metadata 0", 1)] {
        fs::write(&file, broken).unwrap();
        assert_eq!(found(&machine.cached(&caching), "one"), truth, "{broken}");
        assert!(fs::read_to_string(&file).unwrap().contains(r#""description":"project/.skills/one.json""#), "{broken}");
    }
    // Records that are too old, and from a clock that was ahead.
    let stamp = |text: &str| text.split("],").nth(1).unwrap().split(',').next().unwrap().to_owned();
    let read_at: u64 = stamp(&good).parse().unwrap();
    for other in [read_at - 3601, read_at + 1000] {
        fs::write(&file, lie.replace(&read_at.to_string(), &other.to_string())).unwrap();
        assert_eq!(found(&machine.cached(&caching), "one"), truth, "{other}");
    }
    fs::write(&file, &lie).unwrap();
    let never = Caching { metadata_cache_ttl: Duration::ZERO, ..caching };
    assert_eq!(found(&machine.cached(&never), "one"), truth);
    let none = Caching { max_cache_size_mb: 0, ..caching };
    assert_eq!(found(&machine.cached(&none), "one"), truth);
    assert_eq!(found(&machine.cached(&caching), "one"), "a lie", "the lie was there all the time");
}

#[test]
fn the_cache_stays_below_its_size() {
    let machine = Machine::new();
    for i in 0..1500 {
        machine.write(
            &format!("project/.skills/{i}.json"),
            &format!(
                r#"{{"name": "s{i}", "description": "{}", "type": "prompt_inline", "prompt": "x"}}"#,
                "x".repeat(2000)
            ),
        );
    }
    std::thread::sleep(Duration::from_millis(120));
    let caching = Caching { max_cache_size_mb: 1, ..Caching::default() };
    machine.cached(&caching);
    let size = fs::metadata(only_file(&machine)).unwrap().len();
    assert!(((1 << 20) - 4000..=1 << 20).contains(&size), "{size}");
    assert_eq!(machine.cached(&caching).entries().len(), 1500);
}

#[test]
fn a_cache_that_cannot_be_written_is_only_missed() {
    let machine = Machine::new();
    machine.skill("project/.skills/one.json", "one", &[]);
    machine.write("blocked", "a file where a folder should be");
    let layout = Layout { cache_folder: Some(machine.path("blocked/definitions")), ..machine.layout() };
    let registry = Registry::discover(&layout, None, &[], &Caching::default());
    assert_eq!(names(&registry), ["one"]);
}

#[test]
fn each_folder_has_a_cache_of_its_own() {
    let machine = Machine::new();
    machine.skill("project/.skills/one.json", "one", &[]);
    machine.skill("home/.agents/skills/two.json", "two", &[]);
    machine.write("cache/deep/notes", "somebody else's");
    std::thread::sleep(Duration::from_millis(120));
    machine.cached(&Caching::default());
    let folder = machine.path("cache/deep");
    let files = || -> Vec<PathBuf> {
        let all = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
        all.filter(|file| !file.ends_with("notes")).collect()
    };
    let of = |name: &str| {
        files().into_iter().find(|file| fs::read_to_string(file).unwrap().contains(&format!("\"{name}\""))).unwrap()
    };
    assert_eq!(files().len(), 2);
    assert_ne!(of("one"), of("two"));
    // What was read of one folder is not read again because another one changed.
    let before = fs::read_to_string(of("two")).unwrap();
    machine.skill("project/.skills/three.json", "three", &[]);
    std::thread::sleep(Duration::from_millis(120));
    machine.cached(&Caching::default());
    assert_eq!(of("three"), of("one"));
    assert_eq!(fs::read_to_string(of("two")).unwrap(), before);
    // One that nobody wrote for longer than anything is kept goes with the next that is written.
    let old = std::time::SystemTime::now() - Duration::from_secs(7200);
    fs::File::options().write(true).open(of("two")).unwrap().set_modified(old).unwrap();
    fs::File::options().write(true).open(folder.join("notes")).unwrap().set_modified(old).unwrap();
    fs::remove_file(machine.path("home/.agents/skills/two.json")).unwrap();
    machine.skill("project/.skills/four.json", "four", &[]);
    std::thread::sleep(Duration::from_millis(120));
    machine.cached(&Caching::default());
    assert_eq!(files(), [of("four")]);
    assert!(folder.join("notes").exists());
}

#[test]
fn all_caches_together_stay_below_the_size() {
    let machine = Machine::new();
    let fill = |folder: &str| {
        for i in 0..400 {
            let text = format!(
                r#"{{"name": "s{i}", "description": "{}", "type": "prompt_inline", "prompt": "x"}}"#,
                "x".repeat(2000)
            );
            machine.write(&format!("{folder}/{i}.json"), &text);
        }
    };
    fill("project/.skills");
    fill("home/.agents/skills");
    std::thread::sleep(Duration::from_millis(120));
    machine.cached(&Caching { max_cache_size_mb: 1, ..Caching::default() });
    let sizes: u64 =
        fs::read_dir(machine.path("cache/deep")).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert!((300 << 10..=1 << 20).contains(&sizes), "{sizes}");
}
