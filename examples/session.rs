//! A session: variables, functions and imports stay from one evaluation to the next, until its budget is spent.
#![allow(clippy::print_stdout)]

use serde_json::json;
use skills::{Engine, Error, ErrorKind, Language, SessionBudget};

fn main() -> Result<(), Error> {
    let engine = Engine::new()?;
    let budget = SessionBudget { output: Some(100), ..SessionBudget::default() };
    let session = engine.session(Language::Python).name("orders").budget(budget).open()?;
    session.set("orders", json!([{"sku": "tea", "n": 2}, {"sku": "pot", "n": 1}]))?;
    session
        .eval("price = {'tea': 2.5, 'pot': 20.0}\ndef total(): return sum(price[o['sku']] * o['n'] for o in orders)")?;
    println!("total: {}", session.eval("total()")?);

    // An error leaves everything as it is; so does a limit of one evaluation, and an interruption.
    let error = session.eval("price['gold']").err().map(|error| error.message().to_owned());
    assert_eq!(error.as_deref(), Some("KeyError: 'gold'"));
    let names: Vec<_> = session.variables()?.into_iter().map(|variable| variable.name).collect();
    println!("it knows {}", names.join(", "));

    // What is spent adds up: the fourth evaluation prints too much.
    let ends = (0..10).find_map(|_| session.eval("print('x' * 30)").err());
    assert_eq!(ends.map(|error| error.kind()), Some(ErrorKind::OutputLimit));
    println!("ended: {}", session.ended().map(|error| error.message().to_owned()).unwrap_or_default());
    Ok(())
}
