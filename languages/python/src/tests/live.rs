//! Short ways to use a session that lives.

use super::host::{TestHost, open, script_in, together};
use serde_json::{Value, json};
use skills_core::{Cell, Entry, Evaluated, Failure, Host, Limits, Session};
use std::sync::Arc;

/// A session, and the number of its next cell.
pub(super) struct Repl {
    pub(super) session: Box<dyn Session>,
    next: usize,
}

pub(super) fn repl() -> Repl {
    Repl { session: open(), next: 1 }
}

impl Repl {
    /// The same, its next cell having another number.
    pub(super) fn numbered(self, next: usize) -> Repl {
        Repl { next, ..self }
    }

    /// Evaluates a cell, called `<cell 1>` and so on, on a host of its own.
    pub(super) fn cell_on(&mut self, host: &Arc<TestHost>, source: &str) -> Evaluated {
        let _together = together();
        self.cell_alone(host, source)
    }

    /// The same for a test that is alone.
    pub(super) fn cell_alone(&mut self, host: &Arc<TestHost>, source: &str) -> Evaluated {
        let script = script_in(&format!("<cell {}>", self.next), source);
        self.next += 1;
        let host: Arc<dyn Host> = host.clone();
        self.session.eval(&Cell { script, entry: Entry::Cell }, &host)
    }

    pub(super) fn cell(&mut self, source: &str, limits: Limits) -> Evaluated {
        self.cell_on(&TestHost::new(limits), source)
    }

    /// The value of a cell.
    pub(super) fn value(&mut self, source: &str) -> Value {
        self.cell(source, Limits::default()).evaluation.result.unwrap_or_else(|failure| panic!("{source}: {failure:?}"))
    }

    /// The failure of a cell.
    pub(super) fn failure(&mut self, source: &str) -> Failure {
        self.cell(source, Limits::default()).evaluation.result.unwrap_err()
    }

    /// What is shown of a cell's value.
    pub(super) fn shown(&mut self, source: &str) -> String {
        self.cell(source, Limits::default()).shown.unwrap().text
    }

    /// Evaluates a skill's script.
    pub(super) fn skill(&mut self, file: &str, source: &str, params: Value) -> Result<Value, Failure> {
        let _together = together();
        let Value::Object(params) = params else { panic!("not an object") };
        let host: Arc<dyn Host> = TestHost::new(Limits::default());
        let cell = Cell { script: script_in(file, source), entry: Entry::Skill { params } };
        self.session.eval(&cell, &host).evaluation.result
    }
}

pub(super) fn host() -> Arc<dyn Host> {
    TestHost::new(Limits::default())
}

#[test]
fn ten_feeds_build_on_one_another() {
    let mut repl = repl();
    for feed in [
        "lines = ['A1,2,3.5', 'B2,1,9.6', 'C3,5,1.0']",
        "from dataclasses import dataclass",
        "@dataclass\nclass Order:\n    name: str\n    count: int\n    price: float\n    def total(self): return self.count * self.price",
        "def parse(line):\n    name, count, price = line.split(',')\n    return Order(name, int(count), float(price))",
        "orders = [parse(line) for line in lines]",
        "totals = {order.name: order.total() for order in orders}",
        "biggest = max(totals, key=totals.get)",
        "total = round(sum(totals.values()), 2)",
    ] {
        assert_eq!(repl.value(feed), json!(null), "{feed}");
    }
    assert_eq!(
        repl.value("f'{len(orders)} orders, total {total}, biggest {biggest}'"),
        json!("3 orders, total 21.6, biggest B2")
    );
    assert_eq!(repl.value("_.count('orders')"), json!(1));
}
