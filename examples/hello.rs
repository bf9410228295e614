//! The shortest use: run a bundled skill and print its value.
#![allow(clippy::print_stdout)]

fn main() -> Result<(), skills::Error> {
    let engine = skills::Engine::new()?;
    let sum = engine.run("calculator", serde_json::json!({"operation": "add", "operand1": 5, "operand2": 3}))?;
    println!("5 + 3 = {sum}");
    Ok(())
}
