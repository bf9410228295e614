//! `_` as the name of the last value.
//!
//! To Rhai it is a symbol, which only the default case of a `switch` has: everywhere else a session's own engine reads
//! it as a name.

use rhai::Token;

/// The name.
pub(crate) const NAME: &str = "_";

/// Follows the tokens of a source.
#[derive(Debug, Default)]
pub(crate) struct LastValue {
    open: Vec<Open>,
    /// Where a `switch` has been read whose cases have not begun: how many brackets were open there.
    switches: Vec<usize>,
    before: Before,
}

#[derive(Debug, PartialEq, Eq)]
enum Open {
    Cases,
    Other,
}

/// The token before.
#[derive(Debug, Default, PartialEq, Eq)]
enum Before {
    /// One that a case can follow.
    Case,
    Switch,
    #[default]
    Other,
}

impl LastValue {
    /// The token as the parser is to see it.
    pub(crate) fn name(&mut self, token: Token) -> Token {
        let before = std::mem::take(&mut self.before);
        match token {
            Token::Switch => {
                self.switches.push(self.open.len());
                self.before = Before::Switch;
            }
            Token::LeftBrace if before != Before::Switch && self.switches.last() == Some(&self.open.len()) => {
                self.switches.pop();
                self.open.push(Open::Cases);
                self.before = Before::Case;
            }
            Token::LeftBrace | Token::MapStart | Token::LeftParen | Token::LeftBracket | Token::QuestionBracket => {
                self.open.push(Open::Other);
            }
            Token::RightBrace => {
                self.open.pop();
                self.before = Before::Case;
            }
            Token::RightParen | Token::RightBracket => {
                self.open.pop();
            }
            Token::Comma => self.before = Before::Case,
            Token::Underscore if before != Before::Case || self.open.last() != Some(&Open::Cases) => {
                return Token::Identifier(Box::new(NAME.into()));
            }
            _ => {}
        }
        token
    }
}
