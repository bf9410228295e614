use super::redactor::{Flow, Redactor};
use serde_json::json;
use skills_core::{ErrorKind, Failure, Frame, SecretString};

fn knows(secrets: &[(&str, &str)]) -> Redactor {
    let redactor = Redactor::default();
    secrets.iter().for_each(|(name, value)| redactor.learn(name, &SecretString::from(*value)));
    redactor
}

/// What comes of pieces, one by one, with what was held back at the end.
fn flow(redactor: &Redactor, pieces: &[&str]) -> Vec<String> {
    let mut flow = Flow::default();
    let mut out: Vec<String> = pieces.iter().map(|piece| flow.push(piece, redactor).into_owned()).collect();
    out.push(flow.finish(redactor));
    out
}

#[test]
fn texts_lose_their_secrets() {
    let redactor = knows(&[("db", "hunter22"), ("key", "hunter2233")]);
    assert_eq!(redactor.text("a hunter22 b"), "a [secret:db] b");
    assert_eq!(redactor.text("a hunter2233 b"), "a [secret:key] b", "the longer one goes as a whole");
    assert_eq!(redactor.text("aHVudGVyMjI="), "[secret:db]");
    assert_eq!(redactor.text("68756e7465723232"), "[secret:db]");
    assert_eq!(redactor.text("hunter2"), "hunter2");
    assert_eq!(Redactor::default().text("hunter22"), "hunter22");
}

#[test]
fn what_stands_for_a_secret_stays_as_it_is() {
    let redactor = knows(&[("token", "token"), ("s", "secret")]);
    let once = redactor.owned("a token, a secret".into());
    assert_eq!(once, "a [secret:token], a [secret:s]");
    assert_eq!(redactor.text(&once), once);
    assert_eq!(flow(&redactor, &["a [sec", "ret:token] b"]).concat(), "a [secret:token] b");
}

#[test]
fn values_lose_their_secrets_wherever_they_stand() {
    let redactor = knows(&[("pin", "90210333")]);
    let value = json!({"a": ["x90210333"], "90210333": null, "n": 90_210_333, "m": 902, "b": true});
    let clean = json!({"a": ["x[secret:pin]"], "[secret:pin]": null, "n": "[secret:pin]", "m": 902, "b": true});
    assert_eq!(redactor.value(value.clone()), clean);
    assert_eq!(redactor.found_in(&value).as_deref(), Some("pin"));
    assert_eq!(redactor.found_in(&clean), None);
    for alone in [json!("90210333"), json!([90_210_333]), json!({"90210333": 1})] {
        assert!(redactor.found_in(&alone).is_some(), "{alone}");
    }
}

#[test]
fn bytes_that_are_no_text_are_searched_in_every_width() {
    let redactor = knows(&[("db", "hunter22")]);
    let wide = |width: usize| "x hunter22".bytes().flat_map(|b| std::iter::once(b).chain(vec![0; width - 1])).collect();
    for bytes in [b"\xff hunter22".to_vec(), wide(2), wide(4)] {
        assert_eq!(redactor.found_in_bytes(&bytes).as_deref(), Some("db"), "{bytes:?}");
    }
    assert_eq!(redactor.found_in_bytes(b"hunter2"), None);
}

#[test]
fn failures_lose_their_secrets_in_every_part() {
    let redactor = knows(&[("db", "hunter22")]);
    let text = || "x hunter22".to_owned();
    let frame = Frame { file: text(), function: Some(text()), source: Some(text()), line: 1, column: 1 };
    let failure = Failure { frames: vec![frame], ..Failure::new(ErrorKind::ScriptError, text()).with_help(text()) };
    let clean = redactor.failure(failure);
    let frame = &clean.frames[0];
    let all = [&clean.message, &frame.file, clean.help.as_ref().unwrap()];
    for text in all.into_iter().chain(&frame.function).chain(&frame.source) {
        assert_eq!(text, "x [secret:db]");
    }
}

#[test]
fn a_secret_that_comes_in_pieces_is_found() {
    let redactor = knows(&[("db", "hunter22")]);
    assert_eq!(flow(&redactor, &["a hun", "ter22 b"]), ["a ", "[secret:db] b", ""]);
    let letters: Vec<String> = "a hunter22!".chars().map(String::from).collect();
    let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
    assert_eq!(flow(&redactor, &letters).concat(), "a [secret:db]!");
    assert_eq!(flow(&redactor, &["line\n", "hunt"]), ["line\n", "", "hunt"], "what is no secret comes in the end");
}

#[test]
fn secrets_that_overlap_go_as_one_even_in_pieces() {
    let redactor = knows(&[("a", "xxxxabab"), ("b", "ababzzzz")]);
    assert_eq!(redactor.text("1xxxxababzzzz2"), "1[secret:a]2");
    assert_eq!(flow(&redactor, &["1xxxxabab", "zz", "zz2"]).concat(), "1[secret:a]2");
    // One that goes on for ever is not held back for ever.
    let redactor = knows(&[("a", "aaaa")]);
    let mut flow = Flow::default();
    let out: String = (0..1000).map(|_| flow.push("aa", &redactor).into_owned()).collect();
    assert_eq!(out, "[secret:a]");
    assert_eq!(flow.finish(&redactor), "");
}

#[test]
fn pieces_give_what_the_whole_gives() {
    use proptest::prelude::*;
    let redactor = knows(&[("a", "abca"), ("b", "cabbb"), ("ü", "äbca")]);
    proptest!(|(text in "[abcä]{0,40}", cuts in proptest::collection::vec(0usize..40, 0..6))| {
        let chars: Vec<char> = text.chars().collect();
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut <= chars.len()).collect();
        cuts.extend([0, chars.len()]);
        cuts.sort_unstable();
        let pieces: Vec<String> = cuts.windows(2).map(|pair| chars[pair[0]..pair[1]].iter().collect()).collect();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        let whole = redactor.owned(text);
        prop_assert_eq!(flow(&redactor, &pieces).concat(), whole.clone());
        for secret in ["abca", "cabbb", "äbca"] {
            prop_assert!(!whole.contains(secret));
        }
    });
}
