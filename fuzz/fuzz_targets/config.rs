//! Configuration files of a user and a project. Whatever a project says, no limit of the user's is loosened.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skills::{Config, ConfigScope, LimitName};

fuzz_target!(|texts: (&str, &str)| {
    let root = tempfile::tempdir().unwrap();
    let user = root.path().join("user.json");
    let project = root.path().join(".skills/config.json");
    std::fs::create_dir(root.path().join(".skills")).unwrap();
    std::fs::write(&user, texts.0).unwrap();
    std::fs::write(&project, texts.1).unwrap();
    let (alone, _) = Config::load(&[(ConfigScope::User, user.clone())]);
    let (both, diagnostics) = Config::load(&[(ConfigScope::User, user), (ConfigScope::Project, project)]);
    for diagnostic in diagnostics {
        diagnostic.render(false);
    }
    let (alone, both) = (alone.default_limits(), both.default_limits());
    for name in [LimitName::Time, LimitName::Memory, LimitName::Output] {
        if let Some(limit) = alone.get(name) {
            assert!(both.get(name).is_some_and(|held| held <= limit), "{name:?}");
        }
    }
});
