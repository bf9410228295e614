//! What images may bring along, and what they may not.

use super::{builder, session};
use crate::{Engine, ErrorKind, Isolation, Language, Permissions, RunOptions, Session, SessionImage};
use serde_json::{Value, json};
use skills_core::{Failure, SecretSource, SecretString};
use std::sync::Arc;
use std::time::Duration;

/// An image as bytes, with something else said about it.
fn forged(session: &Session, change: impl FnOnce(&mut Value)) -> SessionImage {
    let bytes = session.snapshot().unwrap().to_bytes();
    let start = b"skills session 1\n".len();
    let length = u32::from_le_bytes(bytes[start..start + 4].try_into().unwrap()) as usize;
    let (head, namespace) = bytes[start + 4..].split_at(length);
    let mut about = serde_json::from_slice(head).unwrap();
    change(&mut about);
    let head = serde_json::to_vec(&about).unwrap();
    let length = u32::try_from(head.len()).unwrap().to_le_bytes();
    SessionImage::from_bytes(&[&bytes[..start], &length, &head, namespace].concat()).unwrap()
}

fn in_process() -> RunOptions {
    RunOptions { isolation: Some(Isolation::InProcess), ..RunOptions::default() }
}

fn rhai(engine: &Engine, name: &str) -> Session {
    engine.session(Language::Rhai).name(name).options(in_process()).open().unwrap()
}

#[test]
fn what_was_bytes_belongs_to_whoever_restores_it() {
    let engine = builder().build().unwrap();
    let image = forged(&rhai(&engine, "a"), |about| about["owner"] = json!("skill:user:bank"));
    let restored = engine.restore_session(&image).name("b").options(in_process()).open().unwrap();
    assert_eq!(restored.info().owner, "user");
    let image = forged(&rhai(&engine, "c"), |about| about["owner"] = json!("skill:user:bank"));
    let builder = engine.restore_session(&image).name("d").options(in_process());
    assert_eq!(builder.owner("me").open().unwrap().info().owner, "me");
}

#[test]
fn an_image_may_say_any_number_of_what_was_spent() {
    let engine = builder().build().unwrap();
    let image = forged(&rhai(&engine, "a"), |about| {
        let spent = about["spent"].as_object_mut().unwrap();
        for (name, value) in spent {
            *value = match name.as_str() {
                "time" | "wall" => json!({"secs": u64::MAX, "nanos": 999_999_999}),
                _ => json!(u64::MAX),
            };
        }
    });
    let restored = engine.restore_session(&image).name("b").options(in_process()).open().unwrap();
    assert_eq!(restored.eval("print(6 * 7); 42").unwrap(), 42);
    assert_eq!(restored.eval("43").unwrap(), 43);
}

struct Word;

impl SecretSource for Word {
    fn secret(&self, _name: &str) -> Result<SecretString, Failure> {
        Ok(SecretString::from("open sesame"))
    }
}

#[test]
fn a_copy_by_a_snapshot_knows_the_secrets_too() {
    let engine = Engine::builder().bundled(false).secrets(Arc::new(Word)).build().unwrap();
    let allow = Permissions { secrets: Some(vec!["word".into()]), ..Permissions::default() };
    let options = RunOptions { allow, ..in_process() };
    let a = engine.session(Language::Rhai).name("a").options(options).open().unwrap();
    assert_eq!(a.snapshot().unwrap().secret(), None);
    a.eval(r#"let x = skill.secret("word"); let y = 1;"#).unwrap();
    assert_eq!(a.eval("x").unwrap(), "[secret:word]");
    let image = a.snapshot().unwrap();
    assert_eq!(image.secret().as_deref(), Some("word"));
    let error = image.for_file().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(error.message().ends_with("holds the secret `word`, which would be in the file"), "{error}");
    assert_eq!(a.fork("b").unwrap().eval("x").unwrap(), "[secret:word]");
    let restored = engine.restore_session(&image).name("c").options(in_process()).open().unwrap();
    assert_eq!(restored.eval("x").unwrap(), "[secret:word]");
}

#[test]
fn what_is_restored_reaches_no_session_and_waits_for_none() {
    let engine = builder().build().unwrap();
    let a = session(&engine, "a");
    a.eval("asks = \"b\"").unwrap();
    let image = a.snapshot().unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    let restoring = engine.clone();
    std::thread::spawn(move || sender.send(restoring.restore_session(&image).name("b").open().map(drop)));
    // Where it waited, it would wait for ever.
    let error = receiver.recv_timeout(Duration::from_secs(60)).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    assert_eq!(error.message(), "skill.session is not there while a session is restored");
    assert!(engine.find_session("b").unwrap().is_none());
}
