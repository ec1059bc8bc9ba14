//! From a text to a formula, by recursive descent.

use std::str::FromStr;

use indicator_proto::{Decimal, Excerpt, ParseDecimalError};

use super::{
    BYTES, DEEPEST, Expression, Formula, Operator,
    lexer::{Lexer, Token},
};

/// Why a text is no formula. Places are bytes of the text; the first is 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseFormulaError {
    /// Nothing there.
    #[error("the formula is empty; write such as \"digital-economy-output / gdp * 100\"")]
    Empty,
    /// More bytes than a formula may have.
    #[error("it has {0} bytes, and {BYTES} are allowed; define a part of it as an indicator of its own, and name that")]
    TooLong(usize),
    /// Nothing in it comes from the record.
    #[error("it names no indicator, so there is nothing to compute it from; name at least one by its id")]
    NoIndicator,
    /// A character that formulas do not have.
    #[error("at byte {at} there is {character:?}, which no formula has; {}", remedy(*character))]
    Character {
        /// Where.
        at: usize,
        /// The character.
        character: char,
    },
    /// No value where one must be.
    #[error("at byte {at}, {found}: a number, an indicator or \"(\" is expected here")]
    NoValue {
        /// Where.
        at: usize,
        /// What is there instead.
        found: Found,
    },
    /// No operator after a value.
    #[error("at byte {at}, {found}: one of + - * / is expected here{}", spaces(*.after_minus))]
    NoOperator {
        /// Where.
        at: usize,
        /// What is there instead.
        found: Found,
        /// Whether the word before ends with a minus, which then belongs to it.
        after_minus: bool,
    },
    /// A parenthesis that is closed, but was not opened.
    #[error("the \")\" at byte {at} closes nothing; remove it, or open a \"(\" before it")]
    Unopened {
        /// Where.
        at: usize,
    },
    /// A parenthesis that is opened, but not closed.
    #[error("the \"(\" at byte {at} is never closed; write the \")\" that ends it")]
    Unclosed {
        /// Where.
        at: usize,
    },
    /// A number that no figure could be.
    #[error("at byte {at}: {error}")]
    Number {
        /// Where.
        at: usize,
        /// What is wrong with it.
        error: ParseDecimalError,
    },
    /// Parentheses and signs in each other, too many.
    #[error(
        "at byte {at}, parentheses and signs are nested deeper than {DEEPEST}; define a part of it as an indicator of its own"
    )]
    TooDeep {
        /// Where.
        at: usize,
    },
}

/// What stands where something else should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A word.
    Text(Excerpt),
    /// Nothing more.
    End,
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "before {text}"),
            Self::End => f.write_str("where the formula ends"),
        }
    }
}

/// What to write for a character that people take for a part of a formula.
fn remedy(character: char) -> &'static str {
    match character {
        '×' | '·' | '∙' | '⋅' | '＊' => "write * for a product",
        '÷' | '∕' | '：' | ':' | '／' => "write / for a quotient",
        '−' | '–' | '—' | '－' => "write - for a difference, with spaces around it",
        '＋' => "write +",
        '（' | '[' | '{' | '）' | ']' | '}' => "write ( and )",
        '%' | '％' => "write * 100 for a percentage of what is before it",
        '^' => "write a power as a product",
        ',' | '，' | '\'' => "write the digits of a number without separators, and . before the decimals",
        'A'..='Z' => "ids are in lower case; write the indicator's id",
        character if character.is_alphanumeric() => "write the indicator's id, not its name",
        _ => "it is made of numbers, ids of indicators, + - * / and parentheses",
    }
}

fn spaces(after_minus: bool) -> &'static str {
    if after_minus { "; the minus before it belongs to the id: put spaces around it to subtract" } else { "" }
}

impl FromStr for Formula {
    type Err = ParseFormulaError;

    fn from_str(text: &str) -> Result<Self, ParseFormulaError> {
        if text.len() > BYTES {
            return Err(ParseFormulaError::TooLong(text.len()));
        }
        let mut parser = Parser { text, tokens: Lexer::new(text), next: None, end_of_last: 0, depth: 0 };
        parser.advance()?;
        if parser.next.is_none() {
            return Err(ParseFormulaError::Empty);
        }
        let expression = parser.sum()?;
        match parser.next {
            None => {}
            Some((at, Token::Close)) => return Err(ParseFormulaError::Unopened { at }),
            Some((at, _)) => return Err(parser.no_operator(at)),
        }
        let formula = Self(expression);
        if formula.indicators().is_empty() { Err(ParseFormulaError::NoIndicator) } else { Ok(formula) }
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Lexer<'a>,
    /// The word that is read next, and where it is.
    next: Option<(usize, Token<'a>)>,
    /// Where the word before it ends.
    end_of_last: usize,
    depth: usize,
}

impl Parser<'_> {
    fn advance(&mut self) -> Result<(), ParseFormulaError> {
        if let Some((at, token)) = self.next {
            self.end_of_last = at + length(token);
        }
        self.next = self.tokens.next().transpose()?;
        Ok(())
    }

    fn sum(&mut self) -> Result<Expression, ParseFormulaError> {
        self.chain(|operator| matches!(operator, Operator::Add | Operator::Subtract), Self::product)
    }

    fn product(&mut self) -> Result<Expression, ParseFormulaError> {
        self.chain(|operator| matches!(operator, Operator::Multiply | Operator::Divide), Self::value)
    }

    /// Values with operators of one kind between them, grouped from the left.
    fn chain(
        &mut self,
        is_ours: fn(Operator) -> bool,
        part: fn(&mut Self) -> Result<Expression, ParseFormulaError>,
    ) -> Result<Expression, ParseFormulaError> {
        let mut left = part(self)?;
        while let Some((_, Token::Operator(operator))) = self.next
            && is_ours(operator)
        {
            self.advance()?;
            left = Expression::Binary(Box::new(left), operator, Box::new(part(self)?));
        }
        Ok(left)
    }

    fn value(&mut self) -> Result<Expression, ParseFormulaError> {
        let Some((at, token)) = self.next else {
            return Err(ParseFormulaError::NoValue { at: self.text.len(), found: Found::End });
        };
        match token {
            Token::Number(digits) => {
                self.advance()?;
                let number = Decimal::parse_lenient(digits).map_err(|error| ParseFormulaError::Number { at, error })?;
                Ok(Expression::Number(number))
            }
            Token::Indicator(id) => {
                self.advance()?;
                Ok(Expression::Indicator(id.to_owned()))
            }
            Token::Operator(Operator::Subtract) => {
                self.advance()?;
                Ok(Expression::Negate(Box::new(self.deeper(at, Self::value)?)))
            }
            Token::Open => {
                self.advance()?;
                let inner = self.deeper(at, Self::sum)?;
                match self.next {
                    Some((_, Token::Close)) => self.advance()?,
                    None => return Err(ParseFormulaError::Unclosed { at }),
                    Some((at, _)) => return Err(self.no_operator(at)),
                }
                Ok(inner)
            }
            Token::Operator(_) | Token::Close => Err(ParseFormulaError::NoValue { at, found: self.found(at) }),
        }
    }

    fn deeper(
        &mut self,
        at: usize,
        part: fn(&mut Self) -> Result<Expression, ParseFormulaError>,
    ) -> Result<Expression, ParseFormulaError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(ParseFormulaError::TooDeep { at });
        }
        let inner = part(self)?;
        self.depth -= 1;
        Ok(inner)
    }

    fn no_operator(&self, at: usize) -> ParseFormulaError {
        let after_minus = self.text[..self.end_of_last].ends_with('-');
        ParseFormulaError::NoOperator { at, found: self.found(at), after_minus }
    }

    fn found(&self, at: usize) -> Found {
        Found::Text(Excerpt::of(&self.text[at..]))
    }
}

fn length(token: Token<'_>) -> usize {
    match token {
        Token::Number(text) | Token::Indicator(text) => text.len(),
        Token::Operator(_) | Token::Open | Token::Close => 1,
    }
}
