#![allow(clippy::disallowed_methods, reason = "tests make their own files")]

use super::*;
use crate::Allow;
use std::fs;
use std::time::Duration;
use tempfile::TempDir;

/// A project with a `.skills/config.json`, and a user's configuration beside it.
struct Files {
    root: TempDir,
}

impl Files {
    fn new(user: &str, project: &str) -> Files {
        let root = tempfile::tempdir().unwrap();
        for (folder, text) in [("user", user), ("project/.skills", project)] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
            if !text.is_empty() {
                fs::write(root.path().join(folder).join("config.json"), text).unwrap();
            }
        }
        Files { root }
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.root.path().canonicalize().unwrap().join(relative)
    }

    fn load(&self) -> (Config, Vec<Diagnostic>) {
        Config::load(&[
            (ConfigScope::Project, self.path("project/.skills/config.json")),
            (ConfigScope::User, self.path("user/config.json")),
        ])
    }
}

fn user(text: &str) -> (Config, Vec<Diagnostic>) {
    Files::new(text, "").load()
}

fn clean(text: &str) -> Config {
    let (config, diagnostics) = user(text);
    // Some of the keys are kept for later, which is said.
    let diagnostics: Vec<_> = diagnostics.into_iter().filter(|found| found.code != "S0027").collect();
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    config
}

fn messages(diagnostics: &[Diagnostic]) -> Vec<String> {
    diagnostics.iter().map(|d| format!("{}:{}: {} {}", d.line, d.column, d.code, d.message)).collect()
}

#[test]
fn without_files_the_defaults_hold() {
    let (config, diagnostics) = Config::load(&[(ConfigScope::User, "/nowhere/at/all/config.json".into())]);
    assert_eq!(config, Config::default());
    assert!(diagnostics.is_empty());
    assert_eq!(config.default_limits(), Limits::default());
    assert!(config.security.sandbox_enabled);
    assert_eq!(config.security.default_permissions.file_read.as_deref(), Some(&[][..]));
    assert_eq!(config, clean("  \n"));
}

#[test]
fn what_does_nothing_yet_is_said_once() {
    let text = r#"{"performance": {"caching": {"result_cache_ttl": 1, "max_cache_size_mb": 1}}, "observability": {}}"#;
    let (_, diagnostics) = user(text);
    assert_eq!(
        messages(&diagnostics),
        [
            "1:50: S0027 `performance.caching.result_cache_ttl` and `observability` are declared, but not applied in this version"
        ]
    );
    let (_, diagnostics) = user(r#"{"performance": {"caching": {"metadata_cache_ttl": 1}}}"#);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
}

#[test]
fn every_key_of_the_seed_is_read() {
    let config = clean(
        r#"{
        // Comments are fine, and so is a trailing comma.
        "security": {
            "sandbox_enabled": false,
            "default_permissions": {
                "file_read": ["./", "/tmp"], "file_write": ["/tmp"],
                "network_access": ["example.org"], "process_spawn": true,
            },
            "resource_limits": {
                "max_memory_mb": 512, "max_cpu_percent": 80, "max_execution_time": 300, "max_file_size_mb": 10
            }
        },
        "resilience": {
            "retry_config": {"max_attempts": 3, "backoff_strategy": "linear", "retry_on": ["timeout"]},
            "circuit_breaker": {"failure_threshold": 5, "recovery_timeout": 60},
            "health_check": {"enabled": true, "interval": 30}
        },
        "performance": {
            "caching": {"result_cache_ttl": 1.5, "metadata_cache_ttl": 60, "max_cache_size_mb": 7},
            "execution": {"parallel_execution": false, "max_concurrent_skills": 2, "execution_queue_size": 3}
        },
        "session_config": {"max_sessions": 7, "host_idle": 0.5},
        "development": {
            "session_isolation": true, "hot_reload": true, "debug_mode": true,
            "test_framework": {"unit_tests": true, "integration_tests": true, "mock_services": true}
        },
        "observability": {
            "metrics": {"execution_time": true, "success_rate": true, "resource_usage": true, "error_rate": true},
            "logging": {"level": "debug", "structured": true, "correlation_id": true},
            "tracing": {"enabled": true, "sample_rate": 0.1}
        }
    }"#,
    );
    assert!(!config.security.sandbox_enabled);
    let permissions = &config.security.default_permissions;
    assert_eq!(permissions.file_read.as_deref(), Some(&["./".to_owned(), "/tmp".to_owned()][..]));
    assert_eq!(permissions.file_write.as_deref(), Some(&["/tmp".to_owned()][..]));
    assert_eq!(permissions.network_access, Some(Allow::Only(vec!["example.org".to_owned()])));
    assert_eq!(permissions.process_spawn, Some(Allow::All(true)));
    let limits = config.default_limits();
    assert_eq!(limits.time, Some(Duration::from_secs(300)));
    assert_eq!(limits.wall, Some(Duration::from_secs(600)));
    assert_eq!(limits.memory, Some(512 << 20));
    assert_eq!(config.security.resource_limits.max_cpu_percent, Some(80));
    assert_eq!(config.security.resource_limits.max_file_size_mb, Some(10));
    assert_eq!(
        (config.resilience.retry.max_attempts, config.resilience.retry.backoff, &config.resilience.retry.retry_on[..]),
        (3, Backoff::Linear, &["timeout".to_owned()][..])
    );
    let breaker = CircuitBreaker { failure_threshold: Some(5), recovery_timeout: Some(Duration::from_secs(60)) };
    assert_eq!(config.resilience.circuit_breaker, breaker);
    let check = HealthCheck { enabled: true, interval: Some(Duration::from_secs(30)) };
    assert_eq!(config.resilience.health_check, check);
    let caching = Caching {
        result_cache_ttl: Duration::from_millis(1500),
        metadata_cache_ttl: Duration::from_secs(60),
        max_cache_size_mb: 7,
    };
    assert_eq!(config.performance.caching, caching);
    let execution = Execution { parallel_execution: false, max_concurrent_skills: 2, execution_queue_size: 3 };
    assert_eq!(config.performance.execution, execution);
    assert_eq!(config.sessions, Sessions { max_sessions: Some(7), host_idle: Some(Duration::from_millis(500)) });
    let test_framework = TestFramework { unit_tests: true, integration_tests: true, mock_services: true };
    let development = Development { session_isolation: true, hot_reload: true, debug_mode: true, test_framework };
    assert_eq!(config.development, development);
    let metrics = Metrics { execution_time: true, success_rate: true, resource_usage: true, error_rate: true };
    assert_eq!(config.observability.metrics, metrics);
    let logging = Logging { level: LogLevelName::Debug, structured: true, correlation_id: true };
    assert_eq!(config.observability.logging, logging);
    assert_eq!(config.observability.tracing, Tracing { enabled: true, sample_rate: Some(0.1) });
}

#[test]
fn everything_wrong_is_reported_at_once_with_its_place() {
    let (config, diagnostics) = user(
        r#"{
  "security": {
    "resource_limits": {"max_memory_mb": -1, "max_cpu_percent": 0, "max_execution_time": "5", "max_file_size_mb": 1.5}
  },
  "performance": {"caching": {"metadata_cache_tll": 3}, "execution": {"max_concurrent_skills": 18446744073709551615}},
  "resilience": {"retry_config": {"backoff_strategy": "linaer", "retry_on": "timeout"}},
  "observabilty": {},
  "development": []
}"#,
    );
    assert_eq!(config, Config::default());
    assert_eq!(
        messages(&diagnostics),
        [
            "3:42: S0030 `security.resource_limits.max_memory_mb` is -1, but has to be a whole number from 1 to 1048576 MiB",
            "3:65: S0030 `security.resource_limits.max_cpu_percent` is 0, but has to be a whole number from 1 to 100 percent",
            "3:90: S0010 `security.resource_limits.max_execution_time` is a string, but has to be a number from 0.001 to 86400 seconds",
            "3:115: S0030 `security.resource_limits.max_file_size_mb` is 1.5, but has to be a whole number from 1 to 1048576 MiB",
            "5:31: S0011 nothing reads the key `metadata_cache_tll` in `performance.caching`",
            "5:96: S0030 `performance.execution.max_concurrent_skills` is 18446744073709551615, but has to be a whole number from 1 to 1000",
            "6:17: S0027 `resilience` and `development` are declared, but not applied in this version",
            "6:55: S0012 `resilience.retry_config.backoff_strategy` is `linaer`, which is not known",
            "6:77: S0010 `resilience.retry_config.retry_on` is a string, but has to be an array of strings",
            "7:3: S0011 nothing reads the key `observabilty`",
            "8:18: S0010 `development` is an array, but has to be an object",
        ]
    );
    let help: Vec<_> = diagnostics.iter().filter_map(|d| d.help.as_deref()).collect();
    assert!(help.contains(&"did you mean `metadata_cache_ttl`?"), "{help:?}");
    assert!(help.contains(&"did you mean `linear`?"), "{help:?}");
    assert!(help.contains(&"did you mean `observability`?"), "{help:?}");
}

#[test]
fn a_time_that_looks_like_milliseconds_warns() {
    let (config, diagnostics) = user(r#"{"security": {"resource_limits": {"max_execution_time": 30000}}}"#);
    assert_eq!(config.default_limits().time, Some(Duration::from_secs(30_000)));
    assert_eq!(diagnostics[0].code, "S0032");
}

#[test]
fn broken_text_is_a_diagnostic_and_the_rest_still_holds() {
    let files = Files::new(r#"{"performance": {"caching": {"metadata_cache_ttl": 9}}}"#, "{\n  \"security\": {\n");
    let (config, diagnostics) = files.load();
    assert_eq!(config.performance.caching.metadata_cache_ttl, Duration::from_secs(9));
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(diagnostics[0].code, "S0001");
    assert!(diagnostics[0].file.ends_with("project/.skills/config.json"), "{}", diagnostics[0].file);
    assert_eq!(user("[1]").1[0].message, "the configuration is an array, but has to be an object");
    assert_eq!(user(&"[".repeat(100_000)).1[0].code, "S0002");
}

#[test]
fn a_project_tightens() {
    let user = r#"{"security": {
        "default_permissions": {"file_read": ["./", "/srv"], "file_write": ["/srv"], "network_access": ["a.org", "b.org"], "process_spawn": true},
        "resource_limits": {"max_memory_mb": 512, "max_execution_time": 100}
    }}"#;
    let project = r#"{
        "security": {
            "sandbox_enabled": true,
            "default_permissions": {"file_read": ["/srv/data", "src"], "file_write": [], "network_access": ["a.org"], "process_spawn": ["git"]},
            "resource_limits": {"max_memory_mb": 64, "max_cpu_percent": 50, "max_execution_time": 0.5, "max_file_size_mb": 1}
        },
        "performance": {"execution": {"max_concurrent_skills": 1}, "caching": {"max_cache_size_mb": 0}},
        "session_config": {"max_sessions": 3}
    }"#;
    let (config, diagnostics) = Files::new(user, project).load();
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let permissions = &config.security.default_permissions;
    assert_eq!(permissions.file_read.as_deref(), Some(&["/srv/data".to_owned(), "src".to_owned()][..]));
    assert_eq!(permissions.file_write.as_deref(), Some(&[][..]));
    assert_eq!(permissions.network_access, Some(Allow::Only(vec!["a.org".to_owned()])));
    assert_eq!(permissions.process_spawn, Some(Allow::Only(vec!["git".to_owned()])));
    assert_eq!(config.default_limits().time, Some(Duration::from_millis(500)));
    assert_eq!(config.default_limits().memory, Some(64 << 20));
    assert_eq!(config.security.resource_limits.max_cpu_percent, Some(50));
    assert_eq!(config.performance.execution.max_concurrent_skills, 1);
    assert_eq!(config.performance.caching.max_cache_size_mb, 0);
    assert_eq!(config.sessions.max_sessions, Some(3));
}

#[test]
fn a_project_cannot_loosen() {
    let user = r#"{"security": {"default_permissions": {"file_read": ["/srv"], "network_access": ["a.org"]},
        "resource_limits": {"max_cpu_percent": 50}}}"#;
    let project = r#"{
  "security": {
    "sandbox_enabled": false,
    "default_permissions": {
      "file_read": ["/", "/srv/../etc", "/srvx", "srv"],
      "file_write": ["./"],
      "network_access": true,
      "process_spawn": ["sh"],
      "secrets": ["TOKEN"]
    },
    "resource_limits": {"max_memory_mb": 4096, "max_cpu_percent": 100, "max_execution_time": 31}
  },
  "performance": {
    "execution": {"max_concurrent_skills": 6, "execution_queue_size": 21}, "caching": {"max_cache_size_mb": 101}
  },
  "session_config": {"max_sessions": 101, "host_idle": 1}
}"#;
    let files = Files::new(user, project);
    let (config, diagnostics) = files.load();
    let (users, _) = Config::load(&[(ConfigScope::User, files.path("user/config.json"))]);
    let mut expected = users;
    // What it may do is to keep less, so these are nothing now.
    expected.security.default_permissions.file_read = Some(Vec::new());
    expected.security.default_permissions.process_spawn = Some(Allow::Only(Vec::new()));
    // What it states bounds what is allowed without a question.
    expected.security.stated = config.security.stated.clone();
    assert_eq!(expected.security.stated.len(), 2);
    assert_eq!(config, expected);
    assert!(diagnostics.iter().all(|d| d.code == "S0141" && !d.is_error()), "{diagnostics:?}");
    let places: Vec<_> = diagnostics.iter().map(|d| d.line).collect();
    assert_eq!(places, [3, 5, 5, 5, 5, 6, 7, 8, 9, 11, 11, 11, 14, 14, 14, 16, 16]);
    assert_eq!(diagnostics[0].message, "a project's configuration cannot turn the sandbox off");
    assert_eq!(
        diagnostics[9].message,
        "`security.resource_limits.max_memory_mb` is 4096, which is above the 256 that hold: it is ignored"
    );
}

#[test]
fn a_nearer_project_does_not_loosen_an_outer_one() {
    let root = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = root.path().join(name);
        fs::write(&path, text).unwrap();
        (ConfigScope::Project, path)
    };
    let outer = file("outer.json", r#"{"security": {"resource_limits": {"max_memory_mb": 32}}}"#);
    let inner = file("inner.json", r#"{"security": {"resource_limits": {"max_memory_mb": 64}}}"#);
    let (config, diagnostics) = Config::load(&[outer, inner]);
    assert_eq!(config.security.resource_limits.max_memory_mb, Some(32));
    assert_eq!(diagnostics.len(), 1);
}

#[test]
fn folders_are_made_absolute_and_a_project_stays_in_itself() {
    let files = Files::new(
        r#"{"skills": {"paths": ["mine", "mine", "~/x", "missing", "config.json"]}, "references": {"absolute_folders": ["shared"]}}"#,
        r#"{"skills": {"paths": ["tools", "../user/mine", "link"]}, "references": {"absolute_folders": ["tools", "/", "../user/shared/deep"]}}"#,
    );
    for folder in ["user/mine", "user/shared/deep", "project/tools"] {
        fs::create_dir_all(files.path(folder)).unwrap();
    }
    std::os::unix::fs::symlink(files.path("user/mine"), files.path("project/link")).unwrap();
    let (config, diagnostics) = files.load();
    assert_eq!(config.skill_paths, [files.path("user/mine"), files.path("project/tools")]);
    assert_eq!(
        config.absolute_folders,
        [files.path("user/shared"), files.path("project/tools"), files.path("user/shared/deep")]
    );
    let found: Vec<_> = diagnostics.iter().map(|d| (d.code, d.message.as_str())).collect();
    assert_eq!(
        found,
        [
            ("S0142", "`skills.paths` holds `~/x`, but `~` is not expanded here"),
            ("S0142", "`skills.paths` holds `missing`, which does not exist"),
            ("S0142", "`skills.paths` holds `config.json`, which is not a folder"),
            ("S0141", "`skills.paths` holds `../user/mine`, which is outside of the project: it is ignored"),
            ("S0141", "`skills.paths` holds `link`, which is outside of the project: it is ignored"),
            ("S0141", "`references.absolute_folders` holds `/`, which is outside of the project: it is ignored"),
        ]
    );
}

#[test]
fn a_projects_file_may_not_be_a_link_out_of_it_and_a_users_may() {
    let files = Files::new("", "");
    fs::write(files.path("elsewhere.json"), r#"{"performance": {"caching": {"metadata_cache_ttl": 9}}}"#).unwrap();
    for target in ["user/config.json", "project/.skills/config.json"] {
        std::os::unix::fs::symlink(files.path("elsewhere.json"), files.path(target)).unwrap();
    }
    let (config, diagnostics) = files.load();
    assert_eq!(config.performance.caching.metadata_cache_ttl, Duration::from_secs(9));
    assert_eq!(messages(&diagnostics), ["1:1: S0140 the configuration cannot be read: it leads out of the folder"]);
}

#[test]
fn what_is_no_text_file_is_a_diagnostic() {
    let files = Files::new("", "");
    fs::create_dir(files.path("user/config.json")).unwrap();
    fs::write(files.path("project/.skills/config.json"), [0xff, 0xfe]).unwrap();
    let (_, diagnostics) = files.load();
    assert_eq!(
        messages(&diagnostics),
        [
            "1:1: S0140 the configuration cannot be read: it is not a regular file",
            "1:1: S0140 the configuration cannot be read: it is not UTF-8",
        ]
    );
    let (_, diagnostics) = user(&" ".repeat((1 << 20) + 1));
    assert!(diagnostics[0].message.contains("more than the 1048576 allowed"), "{}", diagnostics[0].message);
}

#[test]
fn the_user_says_where_secrets_are() {
    let text = r#"{"secrets": {"a": {"env": "A"}, "b": {"file": "keys/b"}, "c": {"command": ["pass", "c"]}}}"#;
    let files = Files::new(text, r#"{"secrets": {"d": {"env": "D"}}}"#);
    let (config, diagnostics) = files.load();
    let places = [
        ("a".to_owned(), SecretPlace::Variable("A".into())),
        ("b".to_owned(), SecretPlace::File(files.path("user/keys/b"))),
        ("c".to_owned(), SecretPlace::Command(vec!["pass".into(), "c".into()])),
    ];
    assert_eq!(config.secrets, places.into_iter().collect());
    let message = "1:2: S0141 a project's configuration cannot say where secrets are: it is ignored";
    assert_eq!(messages(&diagnostics), [message]);
}

#[test]
fn a_secret_without_one_place_is_a_diagnostic_without_an_excerpt() {
    let (config, diagnostics) = user(
        r#"{"secrets": {
            "a": "value", "b": {}, "c": {"env": "C", "file": "/c"}, "d": {"command": []}, "e": {"file": "~/e"},
            "f": {"env": "F=1"}, "g h": {"env": "G"}, "i": {"env": "I", "value": 1}
        }, "other": 1}"#,
    );
    assert_eq!(config.secrets.keys().collect::<Vec<_>>(), ["i"]);
    let found: Vec<_> = diagnostics.iter().map(|d| (d.code, d.message.as_str())).collect();
    assert_eq!(
        found,
        [
            ("S0143", "`secrets.a` does not say where the secret is"),
            ("S0143", "`secrets.b` does not say where the secret is"),
            ("S0143", "`secrets.c` says in more than one way where the secret is"),
            ("S0143", "`secrets.d.command` names no program"),
            ("S0143", "`secrets.e.file` begins with `~`, which is not expanded here"),
            ("S0143", "`secrets.f.env` cannot be the name of a variable"),
            ("S0015", "the secret `g h` cannot be a name"),
            ("S0011", "nothing reads the key `value` in `secrets.i`"),
            ("S0011", "nothing reads the key `other`"),
        ]
    );
    assert!(diagnostics.iter().all(|d| d.source.is_none()), "the last one stands on a line of the section");
}
