//! Shell source with parameters in it.
//!
//! No text of a parameter ever becomes source: each is an environment variable of the shell, and its placeholder becomes a
//! reference to that variable, written as the quotes around it ask for:
//!
//! | where | becomes |
//! |---|---|
//! | `echo {x}` | `echo "${VAR}"` |
//! | `echo "a {x}"` | `echo "a ${VAR}"` |
//! | `echo 'a {x}'` | `echo 'a '"${VAR}"''` |
//!
//! Where a reference would be read as code again, or would not be read as one, the placeholder is refused: in the code of
//! another program (`sh -c '…'`, `awk '…'`), in a here-document, in a substitution, in arithmetic, in a comment, as the name
//! of a program or of a variable; and everywhere in source that has a variable whose values bash computes (`declare -i`,
//! `RANDOM`), because computing `a[$(…)]` runs what stands there. What the source itself does with the variables is its own affair.

mod lexer;
pub(crate) mod nested;
mod programs;
mod quotes;
pub(crate) mod words;

use words::{Hole, Word};

/// Shell source that can be run, whatever the parameters are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The source, in which parameters are references to variables.
    pub text: String,
    /// Parameters whose value must not begin with `-`, because the program would take it for an option.
    pub guarded: Vec<String>,
}

/// A place in shell source that cannot stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The parameter whose placeholder it is; `None` for what is wrong with the source itself.
    pub parameter: Option<String>,
    /// Where it is in the text, in bytes.
    pub at: usize,
    /// What is wrong, for a person.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// Rewrites shell source. `variable` gives the variable of a parameter, and `None` for what is no parameter.
///
/// # Errors
/// Every placeholder that cannot be written safely, and quotes that are never closed.
pub fn rewrite(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Source, Vec<Refusal>> {
    lexer::Lexer::new(text, variable).read()
}

/// What is wrong with a program and its arguments, where it is started without a shell. The place of a refusal is the number
/// of the argument, 0 for the program.
pub fn check_arguments(program: &str, arguments: &[String], is_parameter: &dyn Fn(&str) -> bool) -> Vec<Refusal> {
    let texts = std::iter::once(program).chain(arguments.iter().map(String::as_str));
    let words: Vec<_> = texts.enumerate().map(|(index, text)| Word::of_argument(text, index, is_parameter)).collect();
    let own = words[0].holes.first().map(|hole| Refusal {
        help: "name the program itself; where there are several to choose from, make a skill of each".to_owned(),
        ..refusal(hole, "is the name of the program", None)
    });
    let nested = nested::check(&words).into_iter().map(|finding| refusal(&finding.hole, &finding.reason, None));
    own.into_iter().chain(nested).collect()
}

/// The refusal of a placeholder. `variable` is what its author can use instead.
fn refusal(hole: &Hole, reason: &str, variable: Option<&str>) -> Refusal {
    let message = format!("`{{{}}}` {reason}", hole.name);
    let help = match variable {
        Some(variable) => format!(
            "give the value as an argument of its own; or read the variable `{variable}`, which holds it, in code of your own"
        ),
        None => {
            "give the value as an argument of its own, behind the code; or as JSON by `\"stdin\": \"json\"`".to_owned()
        }
    };
    Refusal { parameter: Some(hole.name.clone()), at: hole.at, message, help }
}
