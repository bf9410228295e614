//! What Rhai imports of its skill.

use crate::imports::{Files, everywhere, fails, gives};
use serde_json::json;
use skills::ErrorKind;

#[test]
fn rhai_imports_functions_and_constants() {
    let main = "\
import \"helper\" as h;
import \"parts/table.rhai\" as table;
fn run() {
    import \"helper\" as again;
    [h::twice(4), h::SIZE, table::rows(), again::twice(1), table::inner::deep()]
}
";
    let files: Files<'_> = &[
        ("scripts/main.rhai", main),
        ("scripts/helper.rhai", "export const SIZE = 3;\nfn twice(n) { n * half(4) }\nprivate fn half(n) { n / 2 }\n"),
        ("scripts/parts/table.rhai", "import \"deep\" as inner;\nfn rows() { inner::deep() + `${1 + 1}` }\n"),
        ("scripts/parts/deep.rhai", "import \"../../lib/base\" as base;\nfn deep() { base::name() }\n"),
        ("lib/base.rhai", "fn name() { `base` }\n"),
    ];
    gives(files, &json!([8, 3, "base2", 2, "base"]));
}

#[test]
fn an_error_in_what_rhai_imports_has_its_place_there() {
    let files: Files<'_> = &[
        ("scripts/main.rhai", "import \"helper\" as h;\nfn run() {\n    h::fail()\n}\n"),
        ("scripts/helper.rhai", "fn fail() {\n    let x = `${1}`; throw \"no\";\n}\n"),
    ];
    fails(files, ErrorKind::ScriptError, &["no", "in fail", "in run"], "scripts/helper.rhai:2:21");
    let files: Files<'_> =
        &[("main.rhai", "1;\nimport \"helper\" as h;\n"), ("helper.rhai", "let a = 1;\nlet b = ;\n")];
    fails(files, ErrorKind::ScriptError, &["syntax error", "main.rhai:2"], "helper.rhai:2:9");
    let files: Files<'_> = &[("main.rhai", "import \"helper\" as h;"), ("helper.rhai", "let a = 1;\nthrow a;\n")];
    fails(files, ErrorKind::ScriptError, &["main.rhai:1"], "helper.rhai:2:1");
}

#[test]
fn what_rhai_cannot_import_is_said_where_it_is_asked_for() {
    let kind = ErrorKind::ScriptError;
    let files: Files<'_> = &[("main.rhai", "1;\nimport \"helpr\" as h;"), ("helper.rhai", "")];
    fails(files, kind, &["cannot import \"helpr\"", "there are helper.rhai, main.rhai"], "main.rhai:2:8");
    for out in ["../x", "/etc/passwd", "../../many/main"] {
        let main = format!("import \"{out}\" as h;");
        fails(&[("main.rhai", &main)], kind, &["not in the skill's own folder"], "main.rhai:1:8");
    }
    let files: Files<'_> =
        &[("main.rhai", "import \"a\" as a;\n1"), ("a.rhai", "import \"b\" as b;"), ("b.rhai", "import \"a\" as a;")];
    fails(files, kind, &["cannot import \"a\"", "a file of its own"], "b.rhai:1:8");
}

#[test]
fn rhai_imports_are_nested_so_deep_only() {
    let chain = |count: usize| {
        let mut files = vec![("main.rhai".to_owned(), "import \"f1\" as f;\n1".to_owned())];
        files.extend((1..count).map(|at| (format!("f{at}.rhai"), format!("import \"f{}\" as f;", at + 1))));
        files.push((format!("f{count}.rhai"), String::new()));
        files
    };
    let (fits, deeper) = (chain(64), chain(65));
    let borrowed = |files: &'static [(String, String)]| -> Vec<(&'static str, &'static str)> {
        files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect()
    };
    gives(&borrowed(fits.leak()), &json!(1));
    let parts = &["cannot import \"f65\"", "nested more than 64 deep"];
    fails(&borrowed(deeper.leak()), ErrorKind::ScriptError, parts, "f64.rhai:1:8");
}

#[test]
fn what_imported_code_does_counts_as_the_runs() {
    let helper = "export const START = 1;\nfn spin(n) { for i in 0..n {} }\nspin(1000);\n";
    let counted = |files: Files<'_>| {
        let counts = std::cell::RefCell::new(Vec::new());
        everywhere(files, |place, outcome| {
            outcome.result.as_ref().unwrap_or_else(|error| panic!("{place}: {}", error.render(false)));
            counts.borrow_mut().push(outcome.usage.operations.unwrap());
        });
        counts.into_inner()
    };
    let all = counted(&[("main.rhai", "import \"helper\" as h;\nh::spin(2000); h::START"), ("helper.rhai", helper)]);
    assert!(all.iter().all(|count| *count == all[0] && *count > 3000), "{all:?}");
}
