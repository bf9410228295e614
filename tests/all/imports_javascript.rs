//! What JavaScript and TypeScript import of their skill.

use crate::imports::{Files, fails, gives};
use serde_json::json;
use skills::ErrorKind;

#[test]
fn javascript_imports_what_files_of_its_skill_export() {
    let main = "\
import twice, { count, step as next, Shape } from './helper.js'
import * as all from \"./parts/all.mjs\";
import { echo } from './typed.ts';
import './effect.js';
const name = 'x'
twice(1)
export function run() {
  const before = count;
  next(); next()
  const shape = { count, twice: twice(4) };
  return [before, count, shape, new Shape(3).size, all.up(5), Object.keys(all).join(), echo({ n: 1 }), all.state.seen];
}
";
    let helper = "\
import { state } from './parts/state.js';
export let count = 0;
export function step() { count++ }
export class Shape { constructor(size) { this.size = size } }
export default function (n) { if (this !== undefined) throw new Error('this'); return n * 2 }
export { state as inner };
";
    let files: Files<'_> = &[
        ("scripts/main.js", main),
        ("scripts/helper.js", helper),
        ("scripts/parts/all.mjs", "export * from './state.js';\nexport { plus as up } from '../../lib/deep.js';\n"),
        ("scripts/parts/state.js", "export const state = { seen: 0 };\nexport default 1\n"),
        ("lib/deep.js", "export const plus = (n) => n + 1;\n"),
        (
            "scripts/typed.ts",
            "interface N { n: number }\nexport type { N };\nexport const echo = (it: N): number => it.n;\n",
        ),
        ("scripts/effect.js", "import { state } from './parts/state.js'\nstate.seen += 1\n"),
    ];
    gives(files, &json!([0, 2, {"count": 2, "twice": 8}, 3, 6, "state,up", 1, 1]));
    let typed = "import { Shape, area } from './shapes.ts'\nconst s: Shape = { w: 2 };\nawait area(s)";
    let shapes = "export interface Shape { w: number }\nawait null;\nexport async function area(s: Shape) { return s.w * s.w }\n";
    gives(&[("main.ts", typed), ("shapes.ts", shapes)], &json!(4));
    gives(
        &[("main.js", "export { go as run } from './impl.js'"), ("impl.js", "export const go = (p) => Object.keys(p)")],
        &json!([]),
    );
}

#[test]
fn javascript_files_may_import_one_another() {
    let files: Files<'_> = &[
        ("main.js", "import { even } from './even.js';\nimport { odd } from './odd.js';\n[even(4), odd(4), even(7)]"),
        ("even.js", "import { odd } from './odd.js';\nexport function even(n) { return n === 0 || odd(n - 1) }"),
        ("odd.js", "import { even } from './even.js';\nexport const odd = (n) => n !== 0 && even(n - 1);"),
    ];
    gives(files, &json!([true, false, false]));
}

#[test]
fn what_javascript_cannot_import_is_said_where_it_is_asked_for() {
    let kind = ErrorKind::ScriptError;
    for what in ["fs", "node:fs", "npm:left-pad", "https://a.org/x.js", "/etc/passwd.js", "helper.js"] {
        let main = format!("1;\nimport x from '{what}'; x");
        let said = format!("cannot import {what:?}");
        fails(&[("main.js", &main)], kind, &[&said, "can import \"skill\", and files of its skill"], "main.js:2:15");
    }
    let files: Files<'_> = &[("s/main.js", "import { x } from '../../x.js'; x")];
    fails(files, kind, &["not in the skill's own folder"], "s/main.js:1:19");
    let files: Files<'_> = &[("main.js", "import { x } from './helpr.js'; x"), ("helper.js", "")];
    fails(files, kind, &["cannot import \"./helpr.js\"", "there are helper.js, main.js"], "main.js:1:19");
    let files: Files<'_> = &[("main.js", "import { x } from './helper'; x"), ("helper.js", "")];
    fails(files, kind, &["cannot import \"./helper\"", "ends with"], "main.js:1:19");
    let files: Files<'_> = &[("main.js", "import { x } from './helper.py'; x"), ("helper.py", "")];
    fails(files, kind, &["cannot import \"./helper.py\": it is python"], "main.js:1:19");
    let files: Files<'_> = &[
        ("main.js", "import { y } from './a.js'; y"),
        ("a.js", "export * from './b.js'; export let x"),
        ("b.js", "export let z"),
    ];
    fails(files, kind, &["\"./a.js\" does not export \"y\"", "it exports x, z"], "main.js:1:10");
}

#[test]
fn an_error_in_what_javascript_imports_has_its_place_there() {
    let main = "import { fail } from './helper.ts';\n\nexport function run() {\n  return fail(1);\n}\n";
    let helper = "export function fail(n: number): number {\n  throw new Error('no');\n}\n";
    let files: Files<'_> = &[("scripts/main.js", main), ("scripts/helper.ts", helper)];
    fails(files, ErrorKind::ScriptError, &["Error: no", "in fail", "in run"], "scripts/helper.ts:2:13");
    let files: Files<'_> = &[("main.js", "import './helper.js'"), ("helper.js", "let a;\nlet b = ;\n")];
    fails(files, ErrorKind::ScriptError, &["SyntaxError"], "helper.js:2:9");
    let files: Files<'_> = &[("main.js", "import './helper.js'"), ("helper.js", "1;\nnull.x\n")];
    fails(files, ErrorKind::ScriptError, &["TypeError"], "helper.js:2:1");
}
