//! One value through three languages: a Rhai skill calls a Python skill, which calls a JavaScript skill.
#![allow(clippy::print_stdout)]

use serde_json::json;
use skills::{Engine, Error, Layout};
use std::path::Path;

fn main() -> Result<(), Error> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("three_languages");
    let engine = Engine::builder().layout(Layout::of_folder(&folder)).build()?;
    let order = json!({"customer": "Ada", "lines": [{"sku": "tea", "count": 4, "price": 2.5}, {"sku": "pot", "count": 1, "price": 20}]});
    let receipt = engine.run("receipt", json!({"order": order}))?;
    println!("{receipt:#}");
    assert_eq!(
        receipt,
        json!({"customer": "Ada", "total": 30, "text": "Ada pays 30.00", "languages": ["rhai", "python", "javascript"]})
    );
    Ok(())
}
