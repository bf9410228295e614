//! Functions of the host program, from plain closures, called from a script in each language.
#![allow(clippy::print_stdout)]

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use skills::{Engine, Error, ErrorKind, Language};
use std::time::Duration;

#[derive(Deserialize, JsonSchema)]
struct Order {
    sku: String,
    count: u32,
}

#[derive(Serialize, JsonSchema)]
struct Quote {
    total: f64,
    in_stock: bool,
}

fn main() -> Result<(), Error> {
    let engine = Engine::new()?;
    engine.function("price(sku)", |sku: String| match sku.as_str() {
        "tea" => Ok(2.5),
        "pot" => Ok(20.0),
        _ => Err(format!("no price for {sku}")),
    })?;
    engine.async_function("quote(order)", |order: Order| async move {
        // Any async work: the script waits, its execution clock does not run.
        tokio::time::sleep(Duration::from_millis(5)).await;
        let each = if order.sku == "tea" { 2.5 } else { 20.0 };
        Ok::<_, String>(Quote { total: each * f64::from(order.count), in_stock: order.count < 100 })
    })?;

    let scripts = [
        (Language::Rhai, r#"price("tea") + quote(#{sku: "pot", count: 2}).total"#),
        (Language::Python, r#"price("tea") + quote({"sku": "pot", "count": 2})["total"]"#),
        (Language::JavaScript, r#"price("tea") + quote({sku: "pot", count: 2}).total"#),
    ];
    for (language, code) in scripts {
        let value = engine.eval(language, code)?;
        println!("{language}: {value}");
        assert_eq!(value, 42.5);
    }

    // An error of the closure is an error in the script, which can catch it.
    let caught = engine.eval(
        Language::Python,
        "def run():\n    try:\n        return price('gold')\n    except Exception as error:\n        return f'caught: {error}'",
    )?;
    println!("python: {caught}");
    assert_eq!(caught, "caught: no price for gold");

    let error = engine.eval(Language::Rhai, "price(1)").err().map(|error| error.kind());
    assert_eq!(error, Some(ErrorKind::InvalidArguments));
    Ok(())
}
