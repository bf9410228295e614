#![allow(clippy::disallowed_methods, reason = "tests make their own files")]

mod cache;

use super::*;
use crate::config::Caching;
use crate::definition::LoadOptions;
use crate::{Diagnostic, Scope};
use include_dir::{Dir, DirEntry, File};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const EVALUATE: &str =
    r#"{"name": "evaluate", "description": "Bundled", "aliases": ["calc"], "type": "prompt_inline", "prompt": "x"}"#;
static EVALUATE_FILES: [DirEntry<'static>; 2] = [
    DirEntry::File(File::new("evaluate/evaluate.json", EVALUATE.as_bytes())),
    DirEntry::File(File::new("evaluate/cases.json", b"[]")),
];
static BUNDLED_FOLDERS: [DirEntry<'static>; 1] = [DirEntry::Dir(Dir::new("evaluate", &EVALUATE_FILES))];
static BUNDLED: Dir<'static> = Dir::new("", &BUNDLED_FOLDERS);

/// A home and a project in it, with a working folder two levels below its root.
struct Machine {
    root: TempDir,
}

impl Machine {
    fn new() -> Machine {
        let root = tempfile::tempdir().unwrap();
        for folder in ["home", "data", "project/.git", "project/team/work", "cache"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        Machine { root }
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.root.path().canonicalize().unwrap().join(relative)
    }

    fn write(&self, relative: &str, text: &str) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes a definition that its description tells apart.
    fn skill(&self, relative: &str, name: &str, aliases: &[&str]) {
        let text = serde_json::json!({
            "name": name, "description": relative, "aliases": aliases, "type": "prompt_inline", "prompt": "Do it",
        });
        self.write(relative, &text.to_string());
    }

    fn layout(&self) -> Layout {
        Layout {
            cwd: self.path("project/team/work"),
            user_data: Some(self.path("data")),
            home: Some(self.path("home")),
            extra: Vec::new(),
            cache_folder: None,
        }
    }

    fn registry(&self) -> Registry {
        Registry::discover(&self.layout(), Some(&BUNDLED), &[], &Caching::default())
    }

    fn cached(&self, caching: &Caching) -> Registry {
        let layout = Layout { cache_folder: Some(self.path("cache/deep")), ..self.layout() };
        Registry::discover(&layout, None, &[], caching)
    }
}

/// Where the skill of a name comes from, by its description.
fn found(registry: &Registry, name: &str) -> String {
    match registry.find(name) {
        Ok(entry) => entry.summary.description.clone(),
        Err(error) => format!("{error}; {}", error.help().unwrap_or_default()),
    }
}

fn names(registry: &Registry) -> Vec<&str> {
    registry.entries().iter().map(Entry::name).collect()
}

fn codes(diagnostics: &[Diagnostic]) -> Vec<&str> {
    diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

#[test]
fn every_folder_has_its_place_in_the_precedence() {
    let folders = [
        "data/installed",
        "home/.agents/skills",
        "home/.claude/skills",
        "project/.skills",
        "project/skills",
        "project/.q-skills",
        "project/.agents/skills",
        "project/.claude/skills",
        "project/team/.skills",
        "project/team/work/.skills",
        "project/team/work/.claude/skills",
    ];
    let machine = Machine::new();
    assert_eq!(found(&machine.registry(), "evaluate"), "Bundled");
    for folder in folders {
        let file = format!("{folder}/evaluate.json");
        machine.skill(&file, "evaluate", &[]);
        let registry = machine.registry();
        assert_eq!(found(&registry, "evaluate"), file, "the one written last is the nearest");
        assert_eq!(found(&registry, "bundled:evaluate"), "Bundled");
    }
    let registry = machine.registry();
    assert_eq!(found(&registry, "user:evaluate"), "home/.claude/skills/evaluate.json");
    assert_eq!(found(&registry, "project:evaluate"), "project/team/work/.claude/skills/evaluate.json");
    assert_eq!(registry.entries().len(), folders.len() + 1);
    assert_eq!(registry.entries().iter().filter(|entry| registry.is_shadowed(entry)).count(), folders.len());
}

#[test]
fn folders_outside_of_the_project_are_not_searched() {
    let machine = Machine::new();
    machine.skill(".skills/above.json", "above", &[]);
    machine.skill("project/other/.skills/aside.json", "aside", &[]);
    assert_eq!(names(&machine.registry()), ["evaluate"]);
    // Without a git root, the working folder is all of the project.
    fs::remove_dir(machine.path("project/.git")).unwrap();
    machine.skill("project/.skills/up.json", "up", &[]);
    machine.skill("project/team/work/skills/here.json", "here", &[]);
    let ancestors_have_git = machine.path("").ancestors().any(|folder| folder.join(".git").exists());
    if !ancestors_have_git {
        assert_eq!(Layout::project_root(&machine.path("project/team")), None);
        assert_eq!(names(&machine.registry()), ["evaluate", "here"]);
    }
}

#[test]
fn a_worktree_has_a_git_file() {
    let machine = Machine::new();
    machine.write("project/team/.git", "gitdir: elsewhere");
    assert_eq!(Layout::project_root(&machine.path("project/team/work")), Some(machine.path("project/team")));
}

#[test]
fn one_folder_is_just_that() {
    let machine = Machine::new();
    machine.skill("project/mine/a.json", "a", &[]);
    machine.skill("project/.skills/b.json", "b", &[]);
    let layout = Layout::of_folder(&machine.path("project/mine"));
    let registry = Registry::discover(&layout, None, &[], &Caching::default());
    assert_eq!(names(&registry), ["a"]);
    assert_eq!(registry.entries()[0].scope, Scope::User);
}

#[test]
fn an_extra_folder_stands_between_user_and_project() {
    let machine = Machine::new();
    machine.skill("home/.claude/skills/a.json", "a", &[]);
    machine.skill("more/a.json", "a", &[]);
    let layout = Layout { extra: vec![machine.path("more"), "../tools".into()], ..machine.layout() };
    machine.skill("project/team/tools/b.json", "b", &[]);
    let discover = || Registry::discover(&layout, None, &[], &Caching::default());
    assert_eq!(found(&discover(), "user:a"), "more/a.json");
    assert_eq!(found(&discover(), "b"), "project/team/tools/b.json");
    machine.skill("project/.skills/a.json", "a", &[]);
    assert_eq!(found(&discover(), "a"), "project/.skills/a.json");
}

#[test]
fn content_decides_what_is_a_definition() {
    let machine = Machine::new();
    machine.skill("project/.skills/plain.json", "plain", &[]);
    machine.skill("project/.skills/own/own.json", "own", &[]);
    machine.skill("project/.skills/own/second.json", "second", &[]);
    machine.skill("project/.skills/own/scripts/part.json", "part", &[]);
    machine.skill("project/.skills/a/b/c/d/deep.json", "deep", &[]);
    machine.skill("project/.skills/a/b/c/d/e/deeper.json", "deeper", &[]);
    machine.skill("project/.skills/node_modules/x/x.json", "module", &[]);
    machine.skill("project/.skills/.hidden/h.json", "hidden", &[]);
    machine.write("project/.skills/told/SKILL.md", "---\nname: told\ndescription: A prompt\n---\nDo it\n");
    machine.write("project/.skills/own/conversation_flow.json", r#"{"states": [], "name": "flow"}"#);
    machine.write("project/.skills/own/package.json", r#"{"name": "p", "version": "1.0.0", "type": "module"}"#);
    machine.write("project/.skills/data/data.json", "[1, 2, 3]");
    machine.write("project/.skills/notes.txt", "{\"type\": \"code_inline\"}");
    let registry = machine.registry();
    assert_eq!(names(&registry), ["deep", "evaluate", "own", "plain", "second", "told"]);
    assert!(registry.entries().iter().all(|entry| !entry.is_broken()), "{:?}", registry.entries());
    assert!(registry.diagnostics().is_empty(), "{:?}", registry.diagnostics());
}

#[test]
fn a_broken_file_is_listed_and_hides_no_other() {
    let machine = Machine::new();
    machine.skill("project/.skills/fine.json", "fine", &[]);
    machine.write("project/.skills/cut.json", r#"{"name": "cut", "type": "code_inline", "#);
    machine.write("project/.skills/garbage/garbage.json", "{{{");
    machine.write("project/.skills/deep/deep.json", &"[".repeat(100_000));
    machine.write("project/.skills/big/big.json", &" ".repeat((1 << 20) + 1));
    machine.write("project/.skills/big/other.json", &" ".repeat((1 << 20) + 1));
    machine.write("project/.skills/front/SKILL.md", "---\nname: [\n---\nDo it\n");
    fs::create_dir_all(machine.path("project/.skills/bytes")).unwrap();
    fs::write(machine.path("project/.skills/bytes/bytes.json"), [0xff, 0xfe, 0x00]).unwrap();
    let registry = machine.registry();
    let broken: Vec<_> = registry
        .entries()
        .iter()
        .filter_map(|entry| match &entry.status {
            Status::Ok => None,
            Status::Broken(diagnostics) => Some((entry.name(), diagnostics[0].code)),
        })
        .collect();
    assert_eq!(
        broken,
        [
            ("big", "S0151"),
            ("bytes", "S0152"),
            ("cut", "S0001"),
            ("deep", "S0002"),
            ("front", "S0120"),
            ("garbage", "S0001")
        ]
    );
    assert_eq!(found(&registry, "fine"), "project/.skills/fine.json");
    for (name, code) in broken {
        let loaded = registry.load(&registry.find(name).unwrap(), &LoadOptions::default());
        assert!(loaded.skill.is_none(), "{name}");
        assert_eq!(loaded.diagnostics[0].code, code, "loading {name} says the same");
    }
}

#[test]
fn loading_checks_and_reads_anew() {
    let machine = Machine::new();
    machine.skill("project/.skills/mine.json", "mine", &[]);
    let registry = machine.registry();
    let mine = registry.find("mine").unwrap();
    let loaded = registry.load(&mine, &LoadOptions::default());
    let skill = loaded.skill.expect("a valid skill");
    assert_eq!((skill.name.as_str(), skill.scope), ("mine", Scope::Project));
    assert_eq!(skill.file, machine.path("project/.skills/mine.json").display().to_string());
    machine.write("project/.skills/mine.json", r#"{"name": "mine", "type": "prompt_inline", "promt": "x"}"#);
    assert!(registry.load(&mine, &LoadOptions::default()).skill.is_none());
    fs::remove_file(machine.path("project/.skills/mine.json")).unwrap();
    assert_eq!(codes(&registry.load(&mine, &LoadOptions::default()).diagnostics), ["S0150"]);
    let bundled = registry.load(&registry.find("evaluate").unwrap(), &LoadOptions::default());
    assert_eq!(bundled.skill.unwrap().file, "bundled:evaluate/evaluate.json");
}

#[test]
fn what_a_terminal_would_act_on_is_not_listed() {
    let machine = Machine::new();
    machine.write(
        "project/.skills/evil.json",
        r#"{"name": "e\u001b[2Jvil", "description": "a\u0007b", "aliases": ["x\u001by"], "type": "prompt_inline", "prompt": "x"}"#,
    );
    let registry = machine.registry();
    let entry = registry.find("e[2Jvil").unwrap();
    assert_eq!((entry.summary.description.as_str(), &entry.summary.aliases[..]), ("ab", &["xy".to_owned()][..]));
}

#[test]
fn names_aliases_scopes_and_paths_are_found() {
    let machine = Machine::new();
    machine.skill("project/.skills/deploy/deploy.json", "deploy", &["ship", "d"]);
    machine.skill("elsewhere/tool/tool.json", "tool", &[]);
    machine.skill("elsewhere/odd/other.json", "odd-one", &[]);
    let registry = machine.registry();
    let deploy = "project/.skills/deploy/deploy.json";
    for name in
        ["deploy", "ship", "project:deploy", "project:d", "../../.skills/deploy", "../../.skills/deploy/deploy.json"]
    {
        assert_eq!(found(&registry, name), deploy, "{name}");
        assert_eq!(registry.find(name).unwrap().scope, Scope::Project, "{name}");
    }
    assert_eq!(found(&registry, machine.path(deploy).to_str().unwrap()), deploy);
    assert_eq!(found(&registry, "bundled:evaluate/evaluate.json"), "Bundled");
    assert_eq!(found(&registry, "bundled:calc"), "Bundled");
    for (path, name) in [("elsewhere/tool", "tool"), ("elsewhere/tool/tool.json", "tool"), ("elsewhere/odd", "odd-one")]
    {
        let path = machine.path(path);
        let entry = registry.find(path.to_str().unwrap()).unwrap();
        assert_eq!((entry.name(), entry.scope), (name, Scope::Direct));
        assert!(registry.load(&entry, &LoadOptions::default()).skill.is_some());
    }
    let in_folder = registry.in_folder(&machine.path("elsewhere"));
    assert_eq!(in_folder.iter().map(Entry::name).collect::<Vec<_>>(), ["odd-one", "tool"]);
}

#[test]
fn a_path_without_a_definition_is_an_error() {
    let machine = Machine::new();
    machine.write("elsewhere/empty/notes.txt", "hello");
    machine.write("elsewhere/data.json", "[1]");
    let registry = machine.registry();
    let missing = machine.path("elsewhere/none.json");
    assert_eq!(registry.find(missing.to_str().unwrap()).unwrap_err(), LookupError::NoFile { path: missing });
    let empty = machine.path("elsewhere/empty");
    assert!(matches!(registry.find(empty.to_str().unwrap()), Err(LookupError::NoFile { .. })));
    let data = machine.path("elsewhere/data.json");
    let loaded = registry.load(&registry.find(data.to_str().unwrap()).unwrap(), &LoadOptions::default());
    assert_eq!(codes(&loaded.diagnostics), ["S0004"]);
}

#[test]
fn an_unknown_name_gets_the_nearest() {
    let machine = Machine::new();
    machine.skill("project/.skills/calculator.json", "calculator", &["maths"]);
    machine.skill("project/.skills/calendar.json", "calendar", &[]);
    let registry = machine.registry();
    assert_eq!(found(&registry, "calculater"), "there is no skill `calculater`; did you mean `calculator`?");
    assert_eq!(found(&registry, "Calculator"), "there is no skill `Calculator`; did you mean `calculator`?");
    assert_eq!(found(&registry, "mahts"), "there is no skill `mahts`; did you mean `maths`?");
    assert_eq!(found(&registry, "lend"), "there is no skill `lend`; did you mean `calendar`?");
    assert_eq!(found(&registry, "zebra"), "there is no skill `zebra`; ");
    assert_eq!(found(&registry, "user:calculator"), "there is no skill `user:calculator`; did you mean `calculator`?");
}

#[test]
fn an_alias_of_two_skills_means_neither() {
    let machine = Machine::new();
    machine.skill("project/.skills/one.json", "one", &["both", "only"]);
    machine.skill("home/.agents/skills/two.json", "two", &["both"]);
    let registry = machine.registry();
    assert_eq!(
        found(&registry, "both"),
        "`both` is an alias of 2 skills: project:one, user:two; call it `project:one` or `user:two`"
    );
    assert_eq!(found(&registry, "only"), "project/.skills/one.json");
    assert_eq!(found(&registry, "user:both"), "home/.agents/skills/two.json");
    let conflicts = registry.conflicts();
    assert_eq!(codes(&conflicts), ["S0155"]);
    assert_eq!(conflicts[0].message, "the alias `both` is claimed by `project:one`, `user:two`: it means none of them");
    assert_eq!(codes(&registry.warnings(&registry.find("two").unwrap())), ["S0155"]);
    assert!(registry.warnings(&registry.find("evaluate").unwrap()).is_empty());
}

#[test]
fn a_shadowed_skill_claims_no_alias() {
    let machine = Machine::new();
    machine.skill("project/.skills/evaluate.json", "evaluate", &["calc"]);
    let registry = machine.registry();
    assert_eq!(found(&registry, "calc"), "project/.skills/evaluate.json");
    let warnings = registry.warnings(&registry.find("evaluate").unwrap());
    assert_eq!(codes(&warnings), ["S0153"]);
    assert_eq!(warnings[0].message, "`project:evaluate` hides `bundled:evaluate` (bundled:evaluate/evaluate.json)");
    assert_eq!(warnings[0].help.as_deref(), Some("call the other `bundled:evaluate`, or rename one of the two"));
}

#[test]
fn a_name_wins_over_an_alias() {
    let machine = Machine::new();
    machine.skill("project/.skills/other.json", "other", &["evaluate"]);
    let registry = machine.registry();
    assert_eq!(found(&registry, "evaluate"), "Bundled");
    assert_eq!(codes(&registry.conflicts()), ["S0156"]);
    assert_eq!(found(&registry, "project:evaluate"), "project/.skills/other.json");
}

#[test]
fn two_of_a_name_side_by_side_are_told() {
    let machine = Machine::new();
    machine.skill("project/.skills/a.json", "same", &[]);
    machine.skill("project/.skills/b.json", "same", &[]);
    let registry = machine.registry();
    assert_eq!(found(&registry, "same"), "project/.skills/a.json");
    let conflicts = registry.conflicts();
    assert_eq!(codes(&conflicts), ["S0154"]);
    let second = machine.path("project/.skills/b.json");
    assert!(conflicts[0].help.as_ref().unwrap().contains(second.to_str().unwrap()), "{conflicts:?}");
    assert_eq!(found(&registry, second.to_str().unwrap()), "project/.skills/b.json");
}

#[test]
fn links_are_not_followed() {
    let machine = Machine::new();
    machine.skill("outside/secret.json", "secret", &[]);
    machine.skill("project/.skills/a/a.json", "a", &[]);
    symlink(machine.path("outside"), machine.path("project/.skills/out")).unwrap();
    symlink(machine.path("outside/secret.json"), machine.path("project/.skills/secret.json")).unwrap();
    symlink("..", machine.path("project/.skills/a/loop")).unwrap();
    symlink("a", machine.path("project/.skills/twin")).unwrap();
    symlink("nowhere", machine.path("project/.skills/dangling.json")).unwrap();
    let registry = machine.registry();
    assert_eq!(names(&registry), ["a", "evaluate"]);
    let diagnostics = registry.diagnostics();
    assert_eq!(codes(diagnostics), ["S0159", "S0159"]);
    assert!(
        diagnostics[0].file.ends_with(".skills/out") && diagnostics[1].file.ends_with("secret.json"),
        "{diagnostics:?}"
    );
}

#[test]
fn a_projects_own_folder_may_not_be_a_link_out_of_it_and_a_users_may() {
    let machine = Machine::new();
    machine.skill("outside/x.json", "x", &[]);
    machine.skill("project/shared/y.json", "y", &[]);
    symlink(machine.path("outside"), machine.path("project/.skills")).unwrap();
    symlink("shared", machine.path("project/skills")).unwrap();
    let registry = machine.registry();
    assert_eq!(names(&registry), ["evaluate", "y"]);
    assert_eq!(codes(registry.diagnostics()), ["S0159"]);
    fs::create_dir_all(machine.path("home/.claude")).unwrap();
    symlink(machine.path("outside"), machine.path("home/.claude/skills")).unwrap();
    assert_eq!(found(&machine.registry(), "x"), "outside/x.json");
}

#[test]
fn special_files_and_crowds_end_the_search_soon() {
    let machine = Machine::new();
    machine.skill("project/.skills/fine.json", "fine", &[]);
    let pipe = machine.path("project/.skills/pipe.json");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for i in 0..20_001 {
        let folder = machine.path("project/.skills/z");
        if i == 0 {
            fs::create_dir(&folder).unwrap();
        }
        fs::write(folder.join(format!("{i}.txt")), "").unwrap();
    }
    let registry = machine.registry();
    assert_eq!(names(&registry), ["evaluate", "fine"]);
    assert_eq!(codes(registry.diagnostics()), ["S0157"]);
    assert_eq!(Path::new(&registry.diagnostics()[0].file), machine.path("project/.skills"));
}

#[test]
fn overlapping_folders_give_a_skill_once() {
    let machine = Machine::new();
    machine.skill("home/.claude/skills/a.json", "a", &[]);
    let layout = Layout { cwd: machine.path("home"), ..machine.layout() };
    let registry = Registry::discover(&layout, None, &[], &Caching::default());
    assert_eq!(names(&registry), ["a"]);
    assert_eq!(registry.entries()[0].scope, Scope::User);
}
