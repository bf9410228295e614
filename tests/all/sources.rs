//! Skills that a host program gives from elsewhere than a folder, and skills that change while an engine lives.

use serde_json::json;
use skills::{Engine, ErrorKind, Failure, Layout, MemorySkills, Scope, SkillSource, Trust};
use std::error::Error as _;

fn greet(words: &str) -> String {
    let code = format!("`{words}, ${{params.who}}!`");
    json!({"name": "greet", "description": words, "type": "code_inline", "language": "rhai", "code": code,
        "parameters": [{"name": "who", "type": "string", "required": true}]})
    .to_string()
}

#[test]
fn a_source_is_searched_and_read_like_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("greet.json"), greet("From a folder")).unwrap();
    let deep = r#"{"name": "deep", "description": "d", "type": "code_inline", "language": "rhai", "code": "file://./scripts/deep.rhai"}"#;
    let escaping = r#"{"name": "out", "description": "d", "type": "code_inline", "language": "rhai", "code": "file://../greet.rhai"}"#;
    let source = MemorySkills::new("shop")
        .with("greet.json", greet("Hello"))
        .with("deep/deep.json", deep)
        .with("deep/scripts/deep.rhai", "6 * 7")
        .with("deep/notes.json", "[1, 2]")
        .with("out/out.json", escaping)
        .with("greet.rhai", "1")
        .with("prose/SKILL.md", "---\nname: prose\ndescription: Writes\n---\nWrite.")
        .with("prose/scripts/count.rhai", "3")
        .with("broken/broken.json", "{")
        .with("../outside.json", greet("Never"));
    let later = MemorySkills::new("later").with("deep.json", deep.replace("deep.rhai", "later.rhai"));
    let later = later.with("scripts/later.rhai", "43");
    let engine = Engine::builder().layout(Layout::of_folder(folder.path())).source(source.clone()).build().unwrap();
    // It shadows folders, which are still there, and counts as the host program's own word.
    assert_eq!(engine.run("greet", json!({"who": "Ada"})).unwrap(), "Hello, Ada!");
    assert_eq!(engine.run("host:greet", json!({"who": "Ada"})).unwrap(), "Hello, Ada!");
    assert_eq!(engine.run("user:greet", json!({"who": "Ada"})).unwrap(), "From a folder, Ada!");
    assert_eq!(engine.run("deep", json!({})).unwrap(), 42);
    assert_eq!(engine.run("prose", json!({})).unwrap(), "Write.");
    assert_eq!(engine.skill("shop:deep/deep.json").unwrap().file, "shop:deep/deep.json");
    let error = engine.run("out", json!({})).unwrap_err();
    assert!(error.diagnostics()[0].message.contains("out of"), "{error}: {}", error.render(false));
    assert_eq!(engine.run("broken", json!({})).unwrap_err().kind(), ErrorKind::InvalidDefinition);
    let catalog = engine.catalog();
    let given: Vec<&str> = (catalog.entries().iter().filter(|e| e.scope == Scope::Host)).map(|e| e.file()).collect();
    assert_eq!(
        given,
        [
            "shop:broken/broken.json",
            "shop:deep/deep.json",
            "shop:greet.json",
            "shop:out/out.json",
            "shop:prose/SKILL.md"
        ]
    );
    assert!(catalog.conflicts().iter().any(|d| d.message.contains("`../outside.json` is no path")));
    // The one that was added last wins, and nobody has to decide on what the host program gives.
    let engine = Engine::builder().source(source).source(later).trust(Trust::Decided).build().unwrap();
    assert_eq!(engine.run("deep", json!({})).unwrap(), 43);
    let Err(error) = Engine::builder().source(MemorySkills::new("a:b")).build() else { panic!("a name with a colon") };
    assert_eq!(error.kind(), ErrorKind::InvalidArguments);
}

/// A source that fails.
struct Gone;

impl SkillSource for Gone {
    fn name(&self) -> &str {
        "gone"
    }

    fn list(&self) -> Result<Vec<String>, Failure> {
        Err(Failure::new(ErrorKind::Unavailable, "the shelf is closed"))
    }

    fn read(&self, _path: &str, _most: u64) -> Result<Vec<u8>, Failure> {
        Err(Failure::new(ErrorKind::Unavailable, "the shelf is closed"))
    }
}

#[test]
fn a_source_that_fails_hides_no_other() {
    let engine = Engine::builder().source(Gone).build().unwrap();
    let said = engine.catalog().conflicts();
    assert!(said.iter().any(|d| d.file == "gone" && d.message.contains("the shelf is closed")), "{said:?}");
    assert!(engine.skill("calculator").is_ok());
}

#[test]
fn what_changed_shows_after_a_reload() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("greet.json", &greet("Hello"));
    let engine = Engine::builder().layout(Layout::of_folder(folder.path())).build().unwrap();
    let run = || engine.run("greet", json!({"who": "Ada"}));
    assert_eq!(run().unwrap(), "Hello, Ada!");
    let (at_hand, listed) = (engine.skill("greet").unwrap(), engine.catalog());
    write("greet.json", &greet("Welcome"));
    write("other.json", &greet("Other").replace("\"greet\"", "\"other\""));
    assert_eq!(run().unwrap(), "Hello, Ada!");
    assert_eq!(engine.skill("other").unwrap_err().kind(), ErrorKind::NotFound);
    engine.clone().reload();
    assert_eq!(run().unwrap(), "Welcome, Ada!");
    assert!(engine.skill("other").is_ok());
    // What was taken before stays what it was.
    let outcome = engine.run_skill(&at_hand, json!({"who": "Ada"}), &skills::RunOptions::default());
    assert_eq!(outcome.result.unwrap(), "Hello, Ada!");
    assert!(listed.entries().iter().all(|entry| entry.name() != "other"));
    std::fs::remove_file(folder.path().join("greet.json")).unwrap();
    engine.reload();
    assert_eq!(run().unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn an_error_says_what_lies_beneath() {
    let source = MemorySkills::new("shop").with("bad.json", r#"{"name": "bad", "type": "code_inline"}"#);
    let engine = Engine::builder().source(source).build().unwrap();
    let error = engine.run("bad", json!({})).unwrap_err();
    let beneath = error.source().unwrap().to_string();
    assert!(beneath.contains("shop:bad.json:1:") && beneath.contains("(S"), "{beneath}");
    let error = engine.run("/no/such/folder/script.rhai", json!({})).unwrap_err();
    let beneath = error.source().and_then(|error| error.downcast_ref::<skills::ReadError>());
    assert!(matches!(beneath, Some(skills::ReadError::Io(_))), "{error:?}");
    // Where there is nothing beneath, nothing is made up.
    assert!(engine.run("no-such-skill", json!({})).unwrap_err().source().is_none());
}
