//! Words of a command line as the checks see them: literal text with holes where parameters stand.

use skills_core::template::{self, Piece};

/// What stands for a parameter in the text of a word.
pub(crate) const HOLE: char = '\u{fffc}';

/// A parameter in a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hole {
    /// The parameter.
    pub(crate) name: String,
    /// Where its placeholder stands in the whole text, in bytes; or which argument it stands in.
    pub(crate) at: usize,
}

/// A word without its quotes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Word {
    /// The text, with [`HOLE`] where a parameter stands.
    pub(crate) text: String,
    /// The parameters, in order.
    pub(crate) holes: Vec<Hole>,
    /// Whether the shell puts something in as well, so that the text is not all of it.
    pub(crate) open: bool,
}

impl Word {
    /// An argument of a program that is started without a shell: the one at `index`.
    pub(crate) fn of_argument(template: &str, index: usize, is_parameter: impl Fn(&str) -> bool) -> Word {
        let mut word = Word::default();
        for piece in template::pieces(template, is_parameter) {
            match piece {
                Piece::Text(text) => word.text.push_str(text),
                Piece::Value(name) => word.hole(name, index),
            }
        }
        word
    }

    /// Adds a parameter.
    pub(crate) fn hole(&mut self, name: &str, at: usize) {
        self.text.push(HOLE);
        self.holes.push(Hole { name: name.to_owned(), at });
    }

    /// Whether its text is all of it, whatever the parameters are.
    pub(crate) fn is_literal(&self) -> bool {
        self.holes.is_empty() && !self.open
    }

    /// Whether a parameter stands in it.
    pub(crate) fn has_hole(&self) -> bool {
        !self.holes.is_empty()
    }

    /// Whether it begins with a parameter, so that a value can make an option of it.
    pub(crate) fn starts_with_hole(&self) -> bool {
        self.text.starts_with(HOLE)
    }

    /// Its text, where that is all of it.
    pub(crate) fn literal(&self) -> Option<&str> {
        self.is_literal().then_some(self.text.as_str())
    }

    /// The name of the variable that it sets, where it is an assignment.
    pub(crate) fn assigns(&self) -> Option<&str> {
        let (name, _) = self.text.split_once('=')?;
        let name = name.strip_suffix('+').unwrap_or(name);
        crate::environment::is_name(name).then_some(name)
    }
}
