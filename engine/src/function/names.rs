//! The names of host functions: what every language can write, and none has taken.

use crate::Error;
use skills_core::ErrorKind;

/// Rhai's keywords and reserved words, and the functions of its standard packages that are called by themselves rather
/// than as methods: there, they win over a host's. From `src/types/token.rs` and `src/packages` of rhai 1.27.
const RHAI: &str = "\
    as async await break call case catch const continue curry debug default do else eval exit export false fn Fn for \
    global go goto if import in is is_def_fn is_def_var is_shared let loop match module new nil null package print \
    private protected public return shared spawn static super switch sync this thread throw true try type_of until \
    use var void while with yield \
    E PI abs acos acosh asin asinh atan atanh blob ceiling cos cosh exp floor fraction hypot int is_finite \
    is_infinite is_nan len ln log max min parse_decimal parse_float parse_int parse_json range round sign sin sinh \
    sleep sqrt tan tanh timestamp to_debug to_float to_int to_string";

/// Python's keywords and built-in names: `keyword.kwlist` and `dir(builtins)` of Python 3.14, but for those of `site`.
const PYTHON: &str = "\
    ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup BlockingIOError BrokenPipeError \
    BufferError BytesWarning ChildProcessError ConnectionAbortedError ConnectionError ConnectionRefusedError \
    ConnectionResetError DeprecationWarning EOFError Ellipsis EncodingWarning EnvironmentError Exception \
    ExceptionGroup False FileExistsError FileNotFoundError FloatingPointError FutureWarning GeneratorExit IOError \
    ImportError ImportWarning IndentationError IndexError InterruptedError IsADirectoryError KeyError \
    KeyboardInterrupt LookupError MemoryError ModuleNotFoundError NameError None NotADirectoryError NotImplemented \
    NotImplementedError OSError OverflowError PendingDeprecationWarning PermissionError ProcessLookupError \
    PythonFinalizationError RecursionError ReferenceError ResourceWarning RuntimeError RuntimeWarning \
    StopAsyncIteration StopIteration SyntaxError SyntaxWarning SystemError SystemExit TabError TimeoutError True \
    TypeError UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError \
    UnicodeWarning UserWarning ValueError Warning ZeroDivisionError abs aiter all and anext any as ascii assert \
    async await bin bool break breakpoint bytearray bytes callable chr class classmethod compile complex continue \
    def del delattr dict dir divmod elif else enumerate eval except exec filter finally float for format from \
    frozenset getattr global globals hasattr hash hex id if import in input int is isinstance issubclass iter lambda \
    len list locals map max memoryview min next nonlocal not object oct open or ord pass pow print property raise \
    range repr return reversed round set setattr slice sorted staticmethod str sum super try tuple type vars while \
    with yield zip";

/// JavaScript's reserved words, those of modules and strict code included, and the global names that its scripts see:
/// ECMA-262, sections 12.7.2, 13.1.1 and 19, and `languages/javascript/src/bridge/harden.js`.
const JAVASCRIPT: &str = "\
    arguments await break case catch class const continue debugger default delete do else enum eval export extends \
    false finally for function if implements import in instanceof interface let new null package private protected \
    public return static super switch this throw true try typeof var void while with yield \
    AggregateError Array ArrayBuffer AsyncDisposableStack BigInt BigInt64Array BigUint64Array Boolean DataView Date \
    DisposableStack Error EvalError Float16Array Float32Array Float64Array Function Infinity Int16Array Int32Array \
    Int8Array Iterator JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp Set \
    String SuppressedError Symbol SyntaxError TextDecoder TextEncoder TypeError URIError Uint16Array Uint32Array \
    Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet clearInterval clearTimeout console decodeURI \
    decodeURIComponent encodeURI encodeURIComponent escape globalThis isFinite isNaN parseFloat parseInt \
    queueMicrotask setInterval setTimeout structuredClone undefined unescape";

/// What the engine itself gives a script, or looks for in it.
const SKILLS: &str = "params run skill";

/// A function's name with those of its parameters, as written: `price(sku, n)`, or just `price`.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct Names {
    pub(super) function: String,
    parameters: Vec<String>,
}

impl Names {
    /// Reads `price(sku, n)`.
    pub(crate) fn parse(text: &str) -> Result<Names, String> {
        let (function, parameters) = match text.split_once('(') {
            None => (text.trim(), Vec::new()),
            Some((function, rest)) => {
                let inside = rest.trim().strip_suffix(')').ok_or("the parenthesis is not closed")?;
                let names = inside.split(',').map(str::trim).filter(|name| !name.is_empty());
                (function.trim(), names.map(str::to_owned).collect())
            }
        };
        let bad = std::iter::once(function).chain(parameters.iter().map(String::as_str)).find(|n| !is_identifier(n));
        match bad {
            Some(name) => Err(format!("`{name}` is not a name that every language can write")),
            None => Ok(Names { function: function.to_owned(), parameters }),
        }
    }

    /// The name of a parameter: the one written, or `arg1` and so on.
    pub(super) fn parameter(&self, index: usize) -> String {
        self.parameters.get(index).cloned().unwrap_or_else(|| format!("arg{}", index + 1))
    }
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Refuses a name of a host function, with or without a dot, that cannot be called in every language.
///
/// # Errors
/// `invalid_arguments`, naming the language that has taken the name.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    let refuse = |why: String, help: String| Err(Error::new(ErrorKind::InvalidArguments, why).with_help(help));
    let mut parts = name.split('.');
    let fits = parts.by_ref().take(2).all(is_identifier) && parts.next().is_none();
    if !fits {
        let help = "use ASCII letters, digits and `_`, with at most one dot: `price` or `shop.price`";
        return refuse(format!("`{name}` is not a name that every language can write"), help.to_owned());
    }
    for part in name.split('.') {
        if part.starts_with("__") || part == "_" {
            let help = "leave the underscores out".to_owned();
            return refuse(format!("`{part}` cannot name a function: such names are kept for the languages"), help);
        }
        let taken_by: Vec<&str> = [("Rhai", RHAI), ("Python", PYTHON), ("JavaScript", JAVASCRIPT), ("skills", SKILLS)]
            .into_iter()
            .filter(|(_, words)| words.split_whitespace().any(|word| word == part))
            .map(|(owner, _)| owner)
            .collect();
        if !taken_by.is_empty() {
            let why = format!("`{part}` cannot name a function: it means something in {}", taken_by.join(" and "));
            return refuse(why, format!("choose another name, such as `my_{part}`"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mean_something_are_refused() {
        let message = |name: &str| check_name(name).unwrap_err().to_string();
        assert_eq!(message("class"), "`class` cannot name a function: it means something in Python and JavaScript");
        assert_eq!(message("fn"), "`fn` cannot name a function: it means something in Rhai");
        assert_eq!(message("run"), "`run` cannot name a function: it means something in skills");
        assert_eq!(message("shop.new"), "`new` cannot name a function: it means something in Rhai and JavaScript");
        assert_eq!(message("__import__"), "`__import__` cannot name a function: such names are kept for the languages");
        for name in ["", ".", "a.b.c", "a.", "a b", "1st", "größe"] {
            assert!(message(name).ends_with("is not a name that every language can write"), "{name}");
        }
        let suggested = check_name("class").unwrap_err().help().map(str::to_owned);
        assert_eq!(suggested.as_deref(), Some("choose another name, such as `my_class`"));
    }

    #[test]
    fn ordinary_names_are_free() {
        for name in
            ["price", "shop.price", "add", "get", "find", "fetch", "lookup", "now", "send_mail", "_private", "Price"]
        {
            assert!(check_name(name).is_ok(), "{name}");
        }
    }
}
