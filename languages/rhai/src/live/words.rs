//! The words of the language, and the functions that come with it, as completion offers them.

/// Words of the language that a script can begin an expression or a statement with.
pub(super) const KEYWORDS: &[&str] = &[
    "break", "catch", "const", "continue", "do", "else", "false", "fn", "for", "if", "in", "let", "loop", "private",
    "return", "switch", "this", "throw", "true", "try", "until", "while",
];

/// Functions that are called with everything as an argument.
pub(super) const GLOBAL: &[&str] = &[
    "Fn",
    "PI",
    "E",
    "blob",
    "call",
    "debug",
    "exit",
    "is_def_fn",
    "is_def_var",
    "max",
    "min",
    "parse_float",
    "parse_int",
    "parse_json",
    "print",
    "range",
    "sleep",
    "timestamp",
    "type_of",
];

/// What every value has.
const ANY: &[&str] = &["tag", "to_debug", "to_string", "type_of"];

const INTEGER: &[&str] =
    &["abs", "is_even", "is_odd", "is_zero", "sign", "to_binary", "to_float", "to_hex", "to_int", "to_octal"];

const FLOAT: &[&str] = &[
    "abs",
    "acos",
    "asin",
    "atan",
    "ceiling",
    "cos",
    "exp",
    "floor",
    "fraction",
    "int",
    "is_finite",
    "is_infinite",
    "is_nan",
    "is_zero",
    "ln",
    "log",
    "round",
    "sign",
    "sin",
    "sqrt",
    "tan",
    "to_degrees",
    "to_float",
    "to_int",
    "to_radians",
];

const TEXT: &[&str] = &[
    "append",
    "bytes",
    "chars",
    "clear",
    "contains",
    "crop",
    "ends_with",
    "get",
    "index_of",
    "is_empty",
    "len",
    "make_lower",
    "make_upper",
    "pad",
    "pop",
    "remove",
    "replace",
    "set",
    "split",
    "split_rev",
    "starts_with",
    "sub_string",
    "to_blob",
    "to_chars",
    "to_lower",
    "to_upper",
    "trim",
    "truncate",
];

const ARRAY: &[&str] = &[
    "all",
    "append",
    "chop",
    "clear",
    "contains",
    "dedup",
    "drain",
    "extract",
    "filter",
    "find",
    "find_map",
    "for_each",
    "get",
    "index_of",
    "insert",
    "is_empty",
    "len",
    "map",
    "pad",
    "pop",
    "push",
    "reduce",
    "reduce_rev",
    "remove",
    "retain",
    "reverse",
    "set",
    "shift",
    "some",
    "sort",
    "splice",
    "split",
    "to_json",
    "truncate",
    "zip",
];

const MAP: &[&str] = &[
    "clear",
    "contains",
    "drain",
    "fill_with",
    "filter",
    "get",
    "is_empty",
    "keys",
    "len",
    "mixin",
    "remove",
    "retain",
    "set",
    "to_json",
    "values",
];

const BLOB: &[&str] = &[
    "append",
    "as_string",
    "chop",
    "clear",
    "contains",
    "drain",
    "extract",
    "get",
    "insert",
    "is_empty",
    "len",
    "pad",
    "pop",
    "push",
    "remove",
    "retain",
    "reverse",
    "set",
    "shift",
    "splice",
    "split",
    "to_array",
    "truncate",
];

const FUNCTION: &[&str] = &["call", "curry", "is_anonymous", "name"];

/// The members of a value, by the name of its type.
pub(super) fn members(type_name: &str) -> impl Iterator<Item = &'static str> {
    let own: &[&str] = match type_name {
        "i64" => INTEGER,
        "f64" => FLOAT,
        "string" => TEXT,
        "array" => ARRAY,
        "map" => MAP,
        "blob" => BLOB,
        "Fn" => FUNCTION,
        "timestamp" => &["elapsed"],
        "char" => &["to_int", "to_lower", "to_upper"],
        _ => &[],
    };
    own.iter().chain(ANY).copied()
}
