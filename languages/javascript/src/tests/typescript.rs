use super::support::*;
use serde_json::json;
use skills_core::{Interpreter, Language};

#[test]
fn types_are_taken_off() {
    let source = r#"
interface Options { a: number; b?: string }
type Pair<T> = [T, T];
export type Id = string | number;
import type { Foo } from "somewhere";
import skill, { type Bar } from "skill";
declare const unused: number;
declare function outside(x: number): void;
enum Level { Low, Mid = 5, High, Twice = Mid * 2, Name = "n" }
abstract class Base<T> implements Iterable<T> {
  private readonly items: T[] = [];
  declare extra: number;
  protected count?: number;
  static total: number = 0;
  constructor(public label: string, readonly size = 2) {}
  abstract area(): number;
  public add(item: T): this { this.items.push(item); return this; }
  get first(): T { return this.items[0]!; }
  *[Symbol.iterator](): Iterator<T> { yield* this.items; }
  [key: string]: unknown;
}
class Box extends Base<number> {
  constructor(label: string, private extra2: number) { super(label); }
  override area(): number { return this.size * this.extra2; }
}
function over(a: string): string;
function over(a: number): number;
function over(this: unknown, a: any, ...rest: any[]): any { return a; }
const identity = <T,>(x: T): T => x;
const cast = (5 as unknown) as number;
const checked = { a: 1 } satisfies Options;
const old = <number>cast;
let later!: number;
later = 1;
const m = new Map<string, Pair<number>>([["k", [1, 2] as Pair<number>]]);
try { JSON.parse("{") } catch (e: unknown) { later = 2 }
export default async function ({ a, b = "x" }: Options, c?: number): Promise<unknown> {
  const box = new Box("L", 4).add(a);
  return [a, b, c ?? null, Level.High, Level[6], Level.Twice, Level.Name, box.label, box.area(), box.first, [...box],
    over(3), identity<number>(4), cast, checked.a, old, later, m.get("k")!, typeof skill.echo];
}
"#;
    assert_eq!(
        ts(source, json!({"a": 1})).result.unwrap(),
        json!([1, "x", null, 6, "High", 10, "n", "L", 8, 1, [1], 3, 4, 5, 1, 5, 2, [1, 2], "function"])
    );
}

#[test]
fn lines_and_columns_stay() {
    let failure = ts(
        "interface A {\n  x: number\n}\nfunction f(a: A): never { throw new Error('x' as string) }\nf({ x: 1 })",
        json!({}),
    )
    .result
    .unwrap_err();
    assert_eq!(failure.language, Some(Language::TypeScript));
    assert_eq!(failure.frames.iter().map(|f| f.line).collect::<Vec<_>>(), [4, 5]);
    assert_eq!(failure.frames[0].file, "skill.ts");
    assert_eq!(failure.frames[1].column, 1);
    let plain = failure_column("function f(a   ) { throw new Error('x') }\nf(1)");
    let typed = ts("function f(a: A) { throw new Error('x') }\nf(1)", json!({})).result.unwrap_err().frames[0].column;
    assert_eq!(plain, typed);
}

fn failure_column(source: &str) -> u32 {
    failure(source).frames[0].column
}

#[test]
fn what_is_not_supported_says_so() {
    let failure = ts("let a = 1;\nnamespace N { export const x = 1 }", json!({})).result.unwrap_err();
    assert!(failure.message.contains("namespaces are not supported"));
    assert_eq!(failure.frames[0].line, 2);
}

#[test]
fn statements_do_not_run_together() {
    assert_eq!(
        ts("const a = [1] as number[]\n;[2].forEach((x) => a.push(x))\na", json!({})).result.unwrap(),
        json!([1, 2])
    );
    assert_eq!(ts("let a = 1\ntype T = number\n(a)", json!({})).result.unwrap(), json!(1));
}

#[test]
fn operations_are_counted_in_typescript_too() {
    let limits = skills_core::Limits { operations: Some(100), ..skills_core::Limits::default() };
    let source = "const f = (n: number): number => n > 0 ? f(n - 1) : 0;\nfor (const i of [1, 2] as number[]) f(i);\n'ok' as string";
    let (evaluation, _) = run_in(&mut *open(), Language::TypeScript, source, json!({}), limits);
    assert_eq!(evaluation.result.unwrap(), json!("ok"));
    assert_eq!(evaluation.usage.operations, Some(2 + 2 + 3));
}

fn signature(language: Language, source: &str) -> serde_json::Value {
    let found = crate::JavaScript::new().signature(&script(language, source)).unwrap();
    json!({"description": found.description, "parameters": found.parameters.iter().map(|p| json!([p.name, p.schema, p.required, p.default, p.description])).collect::<Vec<_>>()})
}

#[test]
fn typescript_types_are_a_signature() {
    let source = "interface P {\n  /** how many */\n  a: number;\n  b?: string[];\n  c: 'x' | 'y' | null;\n  d: { e: boolean };\n  f: Record<string, number>\n}\n/** Adds. */\nexport default function ({ a, b, c = 'x', d, f }: P) {}";
    assert_eq!(
        signature(Language::TypeScript, source),
        json!({"description": "Adds.", "parameters": [
            ["a", {"type": "number"}, true, null, "how many"],
            ["b", {"type": "array", "items": {"type": "string"}}, false, null, null],
            ["c", {"enum": ["x", "y", null]}, false, "x", null],
            ["d", {"type": "object", "properties": {"e": {"type": "boolean"}}, "required": ["e"]}, true, null, null],
            ["f", {"type": "object", "additionalProperties": {"type": "number"}}, true, null, null],
        ]})
    );
    let inline = signature(
        Language::TypeScript,
        "type A = number;\nconst run = async ({ x, y = 2 }: { x: A; y?: number }) => x;",
    );
    assert_eq!(
        inline["parameters"],
        json!([["x", {"type": "number"}, true, null, null], ["y", {"type": "number"}, false, 2, null]])
    );
}

#[test]
fn jsdoc_is_a_signature() {
    let source = "/**\n * Greets somebody.\n * Twice.\n *\n * More.\n * @param {object} params\n * @param {string} params.name - who to greet\n * @param {number} [params.times=2] how often,\n *   at most\n * @param {('a'|'b')[]} params.kinds\n */\nfunction run(params) {}";
    assert_eq!(
        signature(Language::JavaScript, source),
        json!({"description": "Greets somebody. Twice.", "parameters": [
            ["name", {"type": "string"}, true, null, "who to greet"],
            ["times", {"type": "number"}, false, 2, "how often, at most"],
            ["kinds", {"type": "array", "items": {"enum": ["a", "b"]}}, true, null, null],
        ]})
    );
    let destructured = "/** Adds.\n * @param {number} a first\n * @param {string} [b='x'] second\n * @param {number} other\n */\nexport function run({ a, b, c }) {}";
    assert_eq!(
        signature(Language::JavaScript, destructured)["parameters"],
        json!([["a", {"type": "number"}, true, null, "first"], ["b", {"type": "string"}, false, "x", "second"],
        ["c", {}, true, null, null]])
    );
    for head in ["params", "{ a, b = 2 }"] {
        let whole = format!("/** @param {{{{a: number, b?: 1 | 2}}}} params */\nfunction run({head}) {{}}");
        let found = signature(Language::JavaScript, &whole);
        assert_eq!(found["parameters"][0], json!(["a", {"type": "number"}, true, null, null]), "{whole}");
        assert_eq!(found["parameters"][1][1], json!({"enum": [1, 2]}), "{whole}");
        assert_eq!(found["parameters"][1][2], json!(false), "{whole}");
    }
    let defaults = signature(Language::JavaScript, "export default ({ a, b = 'x', c = [1], d: e = -1 }) => a");
    assert_eq!(
        defaults["parameters"],
        json!([["a", {}, true, null, null], ["b", {"type": "string"}, false, "x", null],
        ["c", {"type": "array"}, false, [1], null], ["d", {"type": "number"}, false, -1, null]])
    );
    assert!(crate::JavaScript::new().signature(&script(Language::JavaScript, "function (")).is_none());
}
