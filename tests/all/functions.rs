//! Functions of the host program, as scripts call them.

use serde_json::json;
use skills::{Engine, ErrorKind, Language, RunOptions};
use std::sync::Mutex;
use std::time::Duration;

const LANGUAGES: [Language; 3] = [Language::Rhai, Language::Python, Language::JavaScript];

#[test]
fn a_host_function_is_callable_from_every_language() {
    let engine = Engine::new().unwrap();
    engine
        .function("price(sku, n)", |sku: String, n: u32| -> Result<f64, String> {
            if sku == "tea" { Ok(2.5 * f64::from(n)) } else { Err(format!("no price for {sku}")) }
        })
        .unwrap();
    for language in LANGUAGES {
        assert_eq!(engine.eval(language, r#"price("tea", 3)"#).unwrap(), 7.5, "{language}");
        assert_eq!(engine.eval(language, r#"skill.price("tea", 3)"#).unwrap(), 7.5, "{language}");
        let error = engine.eval(language, r#"price("gold", 1)"#).unwrap_err();
        assert_eq!((error.kind(), error.message().contains("no price for gold")), (ErrorKind::ScriptError, true));
        assert_eq!(error.frames()[0].line, 1, "{language}");
        let error = engine.eval(language, r#"price("tea", -1)"#).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{language}: {error}");
        assert!(error.message().contains("`n`"), "{error}");
        let error = engine.eval(language, r#"price("tea")"#).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{language}: {error}");
    }
    let spec = engine.functions().last().cloned().unwrap();
    assert_eq!(spec.schema()["properties"]["sku"]["type"], "string");
    assert_eq!(spec.schema()["properties"]["n"]["minimum"], 0);
}

#[test]
fn an_async_host_function_is_awaited_for_the_script() {
    let engine = Engine::new().unwrap();
    engine
        .async_function("later(x)", |x: i64| async move {
            tokio::time::sleep(Duration::from_millis(2)).await;
            Ok::<_, String>(x + 1)
        })
        .unwrap();
    for language in LANGUAGES {
        assert_eq!(engine.eval(language, "later(41)").unwrap(), 42, "{language}");
    }
}

#[test]
fn a_function_name_is_taken_once() {
    let engine = Engine::new().unwrap();
    let add = |name: &str| engine.function(name, |x: i64| Ok::<_, String>(x)).map_err(|error| error.kind());
    assert_eq!(add("mine"), Ok(()));
    for taken in ["mine", "log", "fs", "not a name", "9", ""] {
        assert_eq!(add(taken), Err(ErrorKind::InvalidArguments), "{taken}");
    }
}

#[test]
fn a_panic_in_a_host_function_does_not_take_the_host_along() {
    let engine = Engine::new().unwrap();
    engine.function("boom", || -> Result<i64, String> { panic!("on purpose") }).unwrap();
    for language in LANGUAGES {
        let error = engine.eval(language, "boom()").unwrap_err();
        assert!(error.message().contains("on purpose"), "{language}: {error}");
        assert_eq!(engine.eval(language, "1 + 1").unwrap(), 2, "{language}");
    }
}

#[test]
fn a_result_that_json_cannot_hold_is_a_failure_that_says_where() {
    let engine = Engine::new().unwrap();
    engine.function("nan", || Ok::<_, String>(f64::NAN)).unwrap();
    engine
        .async_function("items", || async {
            let item = |price: f64| std::collections::BTreeMap::from([("price", price)]);
            Ok::<_, String>(vec![item(1.0), item(f64::INFINITY)])
        })
        .unwrap();
    engine.function("deep", || Ok::<_, String>((0..150).fold(json!(1), |inner, _| json!([inner])))).unwrap();
    engine.function("large", || Ok::<_, String>("x".repeat(65 << 20))).unwrap();
    for language in LANGUAGES {
        for (call, kind, message) in [
            ("nan()", ErrorKind::ScriptError, "the result of skill.nan is NaN, which JSON cannot hold"),
            ("items()", ErrorKind::ScriptError, "result[1].price of skill.items is infinity, which JSON cannot hold"),
            ("deep()", ErrorKind::ScriptError, "the result of skill.deep is nested deeper than 100 levels"),
            ("large()", ErrorKind::OutputLimit, "the result of skill.large is larger than 64 MB"),
        ] {
            let error = engine.eval(language, call).unwrap_err();
            assert_eq!((error.kind(), error.message().contains(message)), (kind, true), "{language} {call}: {error}");
        }
    }
}

#[test]
fn a_function_name_that_means_something_in_a_language_is_refused() {
    let engine = Engine::new().unwrap();
    for taken in [
        "class",
        "fn",
        "let",
        "print",
        "params",
        "skill",
        "eval",
        "run",
        "def",
        "len",
        "type_of",
        "debug",
        "console",
        "globalThis",
        "None",
        "undefined",
        "__import__",
        "_",
    ] {
        let error = engine.function(taken, || Ok::<_, String>(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{taken}: {error}");
        assert!(error.message().starts_with(&format!("`{taken}` cannot name a function")), "{error}");
        assert!(error.help().is_some(), "{taken}");
    }
    let error = engine.async_function("class(x)", |x: i64| async move { Ok::<_, String>(x) }).unwrap_err();
    assert!(error.message().contains("Python and JavaScript"), "{error}");
}

#[test]
fn a_whole_number_is_an_integer_to_a_host_function() {
    let engine = Engine::new().unwrap();
    engine
        .function("add(n, more)", |n: i64, more: Vec<u8>| {
            Ok::<_, String>(more.into_iter().fold(n, |sum, more| sum + i64::from(more)))
        })
        .unwrap();
    for language in LANGUAGES {
        assert_eq!(engine.eval(language, "add(2.0, [3.0, 4])").unwrap(), 9, "{language}");
        let error = engine.eval(language, "add(2.5, [])").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArguments, "{language}: {error}");
    }
}

#[test]
fn an_async_host_function_may_run_scripts_that_wait_for_others() {
    let engine = Engine::new().unwrap();
    engine
        .async_function("inner(x)", |x: i64| async move {
            tokio::time::sleep(Duration::from_millis(2)).await;
            Ok::<_, String>(x + 1)
        })
        .unwrap();
    let again = engine.clone();
    engine
        .async_function("outer(x)", move |x: i64| {
            let engine = again.clone();
            async move {
                // Blocks the thread that the future runs on, in each language and three levels deep.
                let mut sum = x;
                for language in LANGUAGES {
                    let call = if x > 0 { format!("outer({})", x - 1) } else { "inner(0)".to_owned() };
                    sum += engine.eval(language, &call).map_err(|error| error.to_string())?.as_i64().unwrap();
                }
                Ok::<_, String>(sum)
            }
        })
        .unwrap();
    let mut options = RunOptions::default();
    options.limits.wall = Some(Duration::from_secs(60));
    for language in LANGUAGES {
        let skill = engine.code(language, "outer(2)");
        let outcome = engine.run_skill(&skill, json!({}), &options);
        // f(0) = 3, f(1) = 1 + 3 · f(0), f(2) = 2 + 3 · f(1)
        assert_eq!(outcome.result.unwrap(), 32, "{language}");
    }
}

#[test]
fn a_future_that_is_no_longer_waited_for_is_dropped() {
    struct Told(std::sync::mpsc::Sender<()>);
    impl Drop for Told {
        fn drop(&mut self) {
            self.0.send(()).unwrap();
        }
    }
    let engine = Engine::new().unwrap();
    let (sender, dropped) = std::sync::mpsc::channel();
    let sender = Mutex::new(sender);
    engine
        .async_function("forever", move || {
            let told = Told(sender.lock().unwrap().clone());
            async move {
                std::future::pending::<()>().await;
                drop(told);
                Ok::<_, String>(1)
            }
        })
        .unwrap();
    engine
        .async_function("stuck", || async {
            std::thread::sleep(Duration::from_secs(2));
            Ok::<_, String>(1)
        })
        .unwrap();
    for call in ["forever()", "stuck()"] {
        let mut options = RunOptions::default();
        options.limits.wall = Some(Duration::from_millis(50));
        let outcome = engine.run_skill(&engine.code(Language::Rhai, call), json!({}), &options);
        assert_eq!(outcome.result.unwrap_err().kind(), ErrorKind::Timeout, "{call}");
    }
    dropped.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(engine.eval(Language::Rhai, "1 + 1").unwrap(), 2);
}

#[test]
fn a_panic_in_a_future_says_what_it_said() {
    let engine = Engine::new().unwrap();
    engine
        .async_function("boom", || async {
            tokio::task::yield_now().await;
            if true {
                panic!("on purpose")
            }
            Ok::<_, String>(1)
        })
        .unwrap();
    for language in LANGUAGES {
        let error = engine.eval(language, "boom()").unwrap_err();
        assert!(error.message().contains("skill.boom panicked: on purpose"), "{language}: {error}");
    }
}
