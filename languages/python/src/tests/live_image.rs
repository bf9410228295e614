//! Snapshots: what is there again in another session.

use super::live::{Repl, host, repl};
use proptest::prelude::*;
use serde_json::{Value, json};
use skills_core::{ErrorKind, Host, Language, Limits, Lost, Snapshot};
use std::sync::Arc;
use std::time::Duration;

fn snapshot(repl: &mut Repl) -> Snapshot {
    repl.session.snapshot(&host()).unwrap()
}

/// A fresh session, filled from another one that holds all of itself.
fn again(repl: &mut Repl) -> Repl {
    let snapshot = snapshot(repl);
    assert_eq!(snapshot.lost, []);
    restored(&snapshot, &[])
}

fn restored(snapshot: &Snapshot, missing: &[&str]) -> Repl {
    let mut fresh = repl();
    let lost = fresh.session.restore(snapshot, &host()).unwrap();
    assert_eq!(lost.iter().map(|lost| lost.name.as_str()).collect::<Vec<_>>(), missing, "{lost:?}");
    fresh
}

/// Evaluates cells, then asks the session and its copy for the same.
fn survives(cells: &[&str], ask: &str) {
    let mut repl = repl();
    cells.iter().for_each(|cell| drop(repl.value(cell)));
    let mut copy = again(&mut repl);
    let expected = repl.value(ask);
    assert_eq!(copy.value(ask), expected, "{cells:?}");
    let mut copy = again(&mut again(&mut copy));
    copy.value(ask);
}

fn why(lost: &[Lost], name: &str) -> String {
    lost.iter().find(|lost| lost.name == name).unwrap_or_else(|| panic!("{name} in {lost:?}")).why.clone()
}

#[test]
fn values_and_what_they_share_survive() {
    survives(
        &["a = [1, 2]\nb = {'a': a, 'deep': [{'a': a}]}\nloop = [a]\nloop.append(loop)"],
        "a.append(3)\n[b['a'], b['deep'][0]['a'], loop[1] is loop, loop[0] is a]",
    );
    survives(
        &[
            "import datetime, decimal, collections, fractions, pathlib, re, uuid\nxs = [datetime.date(2024, 1, 2), decimal.Decimal('1.5'), collections.Counter('aab'), fractions.Fraction(1, 3), pathlib.PurePosixPath('/a'), re.compile('a+'), uuid.UUID(int=5), collections.defaultdict(list, a=[1]), {1, 2}, frozenset('a'), b'x', 10**40, range(5), 1+2j, ..., NotImplemented, type(None), int]",
        ],
        "repr(xs)",
    );
    survives(&["x = 5", "6 * 7"], "_ + x");
}

#[test]
fn modules_survive_by_name() {
    survives(
        &[
            "import json as j, os.path\nfrom math import sqrt, pi\nfrom collections import deque as dq\nimport xml.dom.minidom",
        ],
        "[j.dumps([1]), os.path.basename('/a/b'), sqrt(4), pi > 3, len(dq([1])), xml.dom.minidom.__name__]",
    );
    survives(
        &["import random, sys, os\nr = random.random\nout = sys.stdout\nenv = os.environ"],
        "[r.__self__ is random._inst, out is sys.stdout, env is os.environ]",
    );
}

#[test]
fn functions_and_closures_survive() {
    survives(
        &["k = 10\ndef f(n, m=[1], *, z=3): return n + k + len(m) + z\nf.note = 'x'"],
        "k = 20\n[f(1), f.note, f.__defaults__, f.__module__]",
    );
    survives(
        &[
            "def counter():\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n        return n\n    def get(): return n\n    return up, get\nup, get = counter()\nup()",
        ],
        "up()\n[get(), up.__closure__[0] is get.__closure__[0]]",
    );
    survives(
        &[
            "fib = lambda n: n if n < 2 else fib(n - 1) + fib(n - 2)\ndef outer():\n    def fact(n): return n and n * fact(n - 1) or 1\n    return fact\nfact = outer()",
        ],
        "[fib(10), fact(5)]",
    );
    survives(
        &[
            "import functools\ndef log(f):\n    @functools.wraps(f)\n    def inner(*a): return ['log', f(*a)]\n    return inner\n@log\ndef g(n): return n * 2\n@functools.lru_cache(maxsize=5)\ndef slow(n): return n + 1\nslow(1)\np = functools.partial(g, 3)",
        ],
        "[g(2), slow(1), p(), g.__name__, slow.cache_parameters()['maxsize']]",
    );
    survives(&["def gen(n):\n    for i in range(n): yield i\nasync def co(): return 5"], "[list(gen(3)), await co()]");
    survives(
        &["h = skill.echo\nplus = add\nfrom skill import fs\nE = skill.Error"],
        "import skill\n[h(1), plus(1, 2), fs is skill.fs, E is skill.Error]",
    );
}

#[test]
fn classes_and_their_instances_survive() {
    survives(
        &[
            "class A:\n    count = 0\n    def __init__(self, n): self.n = n; type(self).count += 1\n    def get(self): return self.n\n    @property\n    def double(self): return self.n * 2\n    @classmethod\n    def make(cls): return cls(9)\n    @staticmethod\n    def s(): return 's'\nclass B(A):\n    def get(self): return [super().get(), 'b']\n    __slots__ = ('extra',)\na = A(1)\nb = B(2)\nb.extra = 5\nA.late = 7\nbound = b.get",
        ],
        "[a.get(), a.double, b.get(), b.extra, A.count, A.late, A.make().n, A.s(), isinstance(b, A), type(a) is A, bound()]",
    );
    survives(
        &[
            "from dataclasses import dataclass, field, replace, fields, MISSING\n@dataclass(order=True)\nclass P:\n    x: int\n    ys: list = field(default_factory=list)\n    def total(self): return self.x + sum(self.ys)\np = P(1, [2])",
        ],
        "[repr(p), p.total(), replace(p, x=5).x, P(3).ys, p < P(2), fields(P)[0].default is MISSING]",
    );
    survives(
        &[
            "import enum\nclass Color(enum.Enum):\n    RED = 1\n    BLUE = 2\n    CRIMSON = 1\n    def shout(self): return self.name + '!'\nclass Bits(enum.IntFlag):\n    A = 1\n    B = 2\nc = Color.RED\nd = {Color.BLUE: 1}",
        ],
        "[c is Color.RED, Color.CRIMSON is c, c.shout(), d[Color.BLUE], (Bits.A | Bits.B).value, [m.name for m in Color]]",
    );
    survives(
        &[
            "import abc, typing, collections\nclass Base(abc.ABC):\n    @abc.abstractmethod\n    def go(self): ...\nclass Impl(Base):\n    def go(self): return 'go'\nT = typing.TypeVar('T')\nclass Box(typing.Generic[T]):\n    def __init__(self, v: T): self.v = v\nclass Named(typing.NamedTuple):\n    a: int\n    b: str = 'x'\nPair = collections.namedtuple('Pair', 'l r')\nn = Named(1)\nq = Pair(1, 2)\nbox = Box[int](5)",
        ],
        "def fails():\n    try: Base()\n    except TypeError: return True\n[Impl().go(), fails(), n.b, n._replace(a=2).a, q.r, Pair(3, 4).l, box.v, Box[int].__args__ == (int,), type(n) is Named]",
    );
    survives(
        &[
            "class Meta(type):\n    def __new__(m, name, bases, space): return super().__new__(m, name, bases, space)\n    def hello(cls): return cls.__name__\nclass M(metaclass=Meta): x = 1\nclass Err(Exception):\n    def __init__(self, code): super().__init__(code); self.code = code\ne = Err(5)\nclass Node:\n    def __init__(self): self.me = self\nnode = Node()",
        ],
        "[M.hello(), M.x, e.code, isinstance(e, Exception), node.me is node]",
    );
    survives(
        &[
            "import functools\nclass C:\n    @functools.cached_property\n    def v(self): return [1]\n    class Inner:\n        z = 3\nc = C()\nc.v.append(2)",
        ],
        "[c.v, C().v, C.Inner().z]",
    );
    survives(
        &[
            "class Point:\n    def __init__(self, x): self.x = x\n    def __getstate__(self): return {'kept': self.x}\n    def __setstate__(self, s): self.x = s['kept'] + 1\n    def __eq__(self, o): return self.x == o.x\np = Point(1)",
        ],
        "isinstance(p, Point)",
    );
}

#[test]
fn sources_survive() {
    let mut repl = repl();
    repl.value("def f(n):\n    return 10 / n\nclass A:\n    def m(self): pass");
    repl.value("unused = 'not a definition'");
    let mut copy = again(&mut repl).numbered(3);
    assert_eq!(copy.value("import inspect\ninspect.getsource(f)"), json!("def f(n):\n    return 10 / n\n"));
    assert!(copy.session.inspect("A", &host()).unwrap().source.unwrap().starts_with("class A:"));
    let frame = copy.failure("f(0)").frames[0].clone();
    assert_eq!((frame.file.as_str(), frame.source.as_deref()), ("<cell 1>", Some("    return 10 / n")));
}

#[test]
fn skills_go_on_where_they_were() {
    let source = "table = []\ndef run(n):\n    table.append(n)\n    return table";
    let mut repl = repl();
    assert_eq!(repl.skill("a.py", source, json!({"n": 1})), Ok(json!([1])));
    let mut copy = again(&mut repl);
    assert_eq!(copy.skill("a.py", source, json!({"n": 2})), Ok(json!([1, 2])), "the body is not evaluated once more");
    let failure = copy.skill("a.py", source, json!({"m": 2})).unwrap_err();
    assert_eq!(failure.kind, ErrorKind::InvalidArguments);
    repl.value("from __future__ import annotations");
    assert_eq!(again(&mut repl).value("def f(a: missing): pass\nf.__annotations__"), json!({"a": "missing"}));
}

#[test]
fn what_cannot_be_kept_is_named_and_the_rest_is_kept() {
    let mut repl = repl();
    repl.value("shared = [1]\nsame = {'s': shared}\nimport threading, socket, sys, types\nf = open('/dev/null')\ng = (i for i in range(3))\nlock = threading.Lock()\ns = socket.socket()\nconf = {'a': [1, {'handle': f}]}\nclass Holder:\n    def __init__(self): self.log = f\nholder = Holder()\ndef closes():\n    inner = g\n    return lambda: inner\nclosure = closes()\nmade = types.ModuleType('made')\nclass Bad:\n    def __reduce__(self): raise ValueError('not me')\nbad = Bad()\nclass Exits:\n    def __reduce__(self): raise SystemExit(1)\nexits = Exits()");
    repl.value("deep = []\nfor i in range(100_000): deep = [deep]");
    repl.value("f");
    let snapshot = snapshot(&mut repl);
    let names: Vec<_> = snapshot.lost.iter().map(|lost| lost.name.as_str()).collect();
    assert_eq!(names, ["bad", "closure", "conf", "deep", "exits", "f", "g", "holder", "lock", "made", "s"]);
    let why = |name| why(&snapshot.lost, name);
    assert_eq!(why("f"), "cannot pickle '_io.TextIOWrapper' object");
    assert_eq!(why("g"), "cannot pickle 'generator' object");
    assert_eq!(why("conf"), "conf['a'][1]['handle']: cannot pickle '_io.TextIOWrapper' object");
    assert_eq!(why("holder"), "holder.log: cannot pickle '_io.TextIOWrapper' object");
    assert_eq!(why("closure"), "closure closes over inner: cannot pickle 'generator' object");
    assert_eq!(why("made"), "the module made cannot be imported again");
    assert_eq!(why("bad"), "not me");
    assert!(why("deep").ends_with("it is nested too deeply"), "{}", why("deep"));
    let mut copy = restored(&snapshot, &[]);
    assert_eq!(
        copy.value("same['s'].append(2)\n[shared, callable(closes), 'f' in globals()]"),
        json!([[1, 2], true, false])
    );
    assert_eq!(repl.value("conf['a'][1]['handle'] is f"), json!(true), "the session stays as it is");
}

#[test]
fn what_is_missing_is_named_and_the_rest_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("gone_l.py"),
        "class K:\n    def __init__(self, n): self.n = n\ndef f(): return 1",
    )
    .unwrap();
    let mut repl = repl();
    let path = folder.path().to_str().unwrap();
    repl.value(&format!("import sys\nsys.path.append({path:?})\nimport gone_l\nk = gone_l.K(5)\nfrom gone_l import f\nd = {{'k': [k]}}\nclass Sub(gone_l.K): pass\nsub = Sub(1)\nx = [1]\ny = {{'x': x}}\ndef uses(): return gone_l"));
    let snapshot = snapshot(&mut repl);
    assert_eq!(snapshot.lost, []);
    let mut copy = restored(&snapshot, &[]);
    assert_eq!(copy.value("[k.n, f(), d['k'][0] is k, sub.n, gone_l.K is type(k)]"), json!([5, 1, true, 1, true]));
    std::fs::remove_file(folder.path().join("gone_l.py")).unwrap();
    let mut copy = restored(&snapshot, &["Sub", "d", "f", "gone_l", "k", "sub"]);
    assert_eq!(copy.value("y['x'].append(2)\n[x, callable(uses)]"), json!([[1, 2], true]));
    let mut fresh = super::live::repl();
    let lost = fresh.session.restore(&snapshot, &host()).unwrap();
    assert_eq!(why(&lost, "k"), "No module named 'gone_l'");
}

#[test]
fn snapshots_are_under_limits() {
    let mut repl = repl();
    repl.value("class Loops:\n    def __reduce__(self):\n        while True: pass\nloops = Loops()\nx = 1");
    let limited: Arc<dyn Host> =
        super::host::TestHost::new(Limits { time: Some(Duration::from_millis(50)), ..Limits::default() });
    assert_eq!(repl.session.snapshot(&limited).unwrap_err().kind, ErrorKind::Timeout);
    assert_eq!(repl.value("x"), json!(1));
    repl.value("class Loads:\n    def __setstate__(self, s):\n        while True: pass\ndel loops, Loops\nl = Loads()\nl.a = 1");
    let snapshot = snapshot(&mut repl);
    let limited: Arc<dyn Host> =
        super::host::TestHost::new(Limits { time: Some(Duration::from_millis(50)), ..Limits::default() });
    let mut fresh = super::live::repl();
    assert_eq!(fresh.session.restore(&snapshot, &limited).unwrap_err().kind, ErrorKind::Timeout);
    assert_eq!(fresh.value("1"), json!(1));
}

#[test]
fn other_snapshots_are_refused() {
    let mut repl = repl();
    repl.value("x = 1");
    let good = snapshot(&mut repl);
    assert!(good.format.starts_with("python-1 3."), "{}", good.format);
    let refused = |snapshot: &Snapshot| super::live::repl().session.restore(snapshot, &host()).unwrap_err();
    let other = Snapshot { format: "python-1 3.1.0".to_owned(), ..good.clone() };
    assert_eq!(refused(&other).kind, ErrorKind::InvalidArguments);
    let other = Snapshot { language: Language::Rhai, ..good.clone() };
    assert_eq!(refused(&other).kind, ErrorKind::InvalidArguments);
    for length in [0, 3, 10] {
        let cut = Snapshot { bytes: good.bytes[..length].to_vec(), ..good.clone() };
        assert_eq!(refused(&cut).kind, ErrorKind::InvalidArguments);
    }
    let mut cut = good.clone();
    cut.bytes.truncate(good.bytes.len() - 20);
    refused(&cut);
}

#[test]
fn a_large_namespace_is_written_without_copies_on_its_account() {
    let mut repl = repl();
    let limits =
        || -> Arc<dyn Host> { super::host::TestHost::new(Limits { memory: Some(96 << 20), ..Limits::default() }) };
    let source = "a = bytes(50 << 20)\nb = list(range(500_000))";
    repl.cell(source, Limits { memory: Some(96 << 20), ..Limits::default() }).evaluation.result.unwrap();
    let snapshot = repl.session.snapshot(&limits()).unwrap();
    assert!(snapshot.bytes.len() > 50 << 20);
    let mut fresh = super::live::repl();
    assert_eq!(fresh.session.restore(&snapshot, &limits()).unwrap(), []);
    assert_eq!(fresh.value("[len(a) >> 20, b[-1]]"), json!([50, 499_999]));
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9f64).prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map("[a-z]{0,5}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_value_survives(value in values()) {
        let mut repl = repl();
        repl.session.set("v", &value, &host()).unwrap();
        repl.value("w = [v, v]");
        let mut copy = again(&mut repl);
        prop_assert_eq!(copy.session.get("v", &host()).unwrap(), value);
        prop_assert_eq!(copy.value("w == [v, v] and (w[0] is w[1] is v or not isinstance(v, (dict, list)))"), json!(true));
    }
}
