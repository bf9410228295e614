//! Sorting by a function of the script's, which may fail.

use super::hosts::{failure, run_with, value};
use serde_json::json;
use skills_core::{ErrorKind, LimitName, Limits};

const CALLERS: [&str; 5] = ["sort", "sort_by", "order", "order_by", "dedup"];

#[test]
fn functions_say_the_order() {
    assert_eq!(value("let a = [3, 1, 2]; a.sort(|x, y| x - y); a"), json!([1, 2, 3]));
    assert_eq!(value("let a = [3, 1, 2]; a.sort_by(|x, y| y <= x); a"), json!([3, 2, 1]));
    assert_eq!(value("let a = [0.5, 0.25]; a.sort(|x, y| x - y); a"), json!([0.25, 0.5]));
    assert_eq!(value("let a = [3, 1, 2]; let b = a.order(|x, y| x - y); [a, b]"), json!([[3, 1, 2], [1, 2, 3]]));
    assert_eq!(value("[3, 1].order_by(|x, y| x - y)"), json!([1, 3]));
    assert_eq!(value("let a = []; a.sort(|x, y| throw 1); [1].order(|x, y| throw 1)"), json!([1]));
    assert_eq!(value("let a = [1, 1, 2, 1]; a.dedup(|x, y| x == y); a"), json!([1, 2, 1]));
    assert_eq!(value("let a = [1, 2, 3, 9]; a.dedup(|x, y| y - x < 3); a"), json!([1, 9]));
    assert_eq!(value("let a = [3, 1, 2]; a.sort(); a.sort_desc(); a.dedup(); a"), json!([3, 2, 1]));
}

#[test]
fn equal_elements_keep_their_order() {
    let source = "let a = []; for i in 0..500 { a.push([i * 7919 % 10, i]); } a.sort(|x, y| x[0] - y[0]);
        let last = a.shift(); let good = true;
        for x in a { good &= last[0] < x[0] || last[0] == x[0] && last[1] < x[1]; last = x; } [good, a.len()]";
    assert_eq!(value(source), json!([true, 499]));
}

#[test]
fn what_the_function_throws_reaches_the_script() {
    for caller in CALLERS {
        assert_eq!(
            failure(&format!("let a = [3, 1, 2]; a.{caller}(|x, y| throw \"no\"); a")).message,
            "no",
            "{caller}"
        );
        let caught =
            format!("let a = [3, 1, 2]; try {{ a.{caller}(|x, y| throw \"no\"); }} catch (e) {{ a.push(e); }} a");
        assert_eq!(value(&caught), json!([3, 1, 2, "no"]), "{caller}");
        let failure = failure(&format!("let a = [3, 1]; a.{caller}(|x, y| skill.fail()); a"));
        assert_eq!(failure.kind, ErrorKind::PermissionDenied, "{caller}");
    }
    let failure = failure("let a = [3, 1]; a.sort(|x, y| \"x\"); a");
    assert!(failure.message.contains("must return a number, or whether a comes first, not string"), "{failure}");
}

#[test]
fn limits_hold_within_the_function() {
    for caller in CALLERS {
        let deep = format!("fn f(n) {{ let a = [2, 1]; a.{caller}(|x, y| {{ f(n + 1); 1 }}); n }} f(0)");
        let recursion = Limits { recursion: Some(50), ..Limits::none() };
        let failure = run_with(&deep, json!({}), recursion).result.expect_err(&deep);
        assert_eq!(failure.limit.unwrap().name, LimitName::Recursion, "{caller}: {failure}");

        let calls = format!("let a = [2, 1, 3]; a.{caller}(|x, y| {{ loop {{ skill.add(1, 1); }} }}); 1");
        let few = Limits { host_calls: Some(5), ..Limits::none() };
        let failure = run_with(&calls, json!({}), few).result.expect_err(&calls);
        assert_eq!(failure.limit.unwrap().name, LimitName::HostCalls, "{caller}: {failure}");
    }
}
