mod disk;
mod images;
mod kill;
mod life;
mod limits;
mod notebook;
mod order;
mod skills;

use crate::{Engine, EngineBuilder, Language, Session};
use notebook::Notebook;
use std::sync::Arc;

/// An engine whose JavaScript is the language of these tests.
fn builder() -> EngineBuilder {
    Engine::builder().bundled(false).interpreter(Arc::new(Notebook { forks: true }))
}

fn session(engine: &Engine, name: &str) -> Session {
    engine.session(Language::JavaScript).name(name).open().unwrap()
}
