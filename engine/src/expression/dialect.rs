//! How the text of an expression is read: MySQL's operators and their precedence, with standard SQL's quotes.
//!
//! Double quotes and backticks quote a column's name, single quotes a text, and a backslash in a text is a backslash
//! (MySQL: `ANSI_QUOTES`, `NO_BACKSLASH_ESCAPES`). `||` joins texts (MySQL: `PIPES_AS_CONCAT`).

use std::any::TypeId;

use sqlparser::{
    ast::{BinaryOperator, Expr, UnaryOperator},
    dialect::{Dialect, GenericDialect, Precedence},
    keywords::Keyword,
    parser::{Parser, ParserError},
    tokenizer::Token,
};

/// The dialect.
#[derive(Debug)]
pub(crate) struct Vardelta;

/// `||`: closer than any arithmetic, as in MySQL and SQLite.
const CONCAT: u8 = 46;

/// Unary minus and plus.
const SIGN: u8 = 47;

/// `<<` and `>>`.
const SHIFT: u8 = 27;

impl Dialect for Vardelta {
    // Where the parser asks which dialect it reads, it takes the one that refuses least; what is too much is refused
    // later, with better words.
    fn dialect(&self) -> TypeId {
        TypeId::of::<GenericDialect>()
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        matches!(ch, '"' | '`')
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || matches!(ch, '_' | '#' | '@')
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch.is_ascii_digit() || matches!(ch, '_' | '#' | '@' | '$')
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_bitwise_shift_operators(&self) -> bool {
        true
    }

    fn supports_data_type_signed_suffix(&self) -> bool {
        true
    }

    fn require_interval_qualifier(&self) -> bool {
        true
    }

    fn allow_extract_custom(&self) -> bool {
        true
    }

    /// MySQL's order, where the parser's own differs from it.
    fn prec_value(&self, precedence: Precedence) -> u8 {
        match precedence {
            Precedence::Period => 100,
            Precedence::DoubleColon => 50,
            // `->` and `->>`.
            Precedence::PgOther => 48,
            Precedence::Caret => 45,
            Precedence::AtTz => 41,
            Precedence::MulDivModOp => 40,
            Precedence::PlusMinus => 30,
            Precedence::Ampersand => 23,
            Precedence::Pipe | Precedence::Colon => 22,
            Precedence::Between | Precedence::Like => 21,
            Precedence::Eq => 20,
            Precedence::Is => 17,
            Precedence::UnaryNot => 15,
            Precedence::And => 10,
            Precedence::Xor => 7,
            Precedence::Or => 5,
        }
    }

    fn get_next_precedence(&self, parser: &Parser<'_>) -> Option<Result<u8, ParserError>> {
        let precedence = match &parser.peek_token_ref().token {
            Token::ShiftLeft | Token::ShiftRight => SHIFT,
            Token::StringConcat => CONCAT,
            Token::Word(word) if is_mod(word.keyword) => self.prec_value(Precedence::MulDivModOp),
            _ => return None,
        };
        Some(Ok(precedence))
    }

    fn parse_prefix(&self, parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        let op = match parser.peek_token_ref().token {
            Token::Minus => UnaryOperator::Minus,
            Token::Plus => UnaryOperator::Plus,
            _ => return None,
        };
        parser.advance_token();
        Some(parser.parse_subexpr(SIGN).map(|expr| Expr::UnaryOp { op, expr: Box::new(expr) }))
    }

    fn parse_infix(&self, parser: &mut Parser<'_>, expr: &Expr, precedence: u8) -> Option<Result<Expr, ParserError>> {
        let op = match &parser.peek_token_ref().token {
            Token::Word(word) if word.keyword == Keyword::DIV => BinaryOperator::MyIntegerDivide,
            Token::Word(word) if is_mod(word.keyword) => BinaryOperator::Modulo,
            _ => return None,
        };
        parser.advance_token();
        let right = parser.parse_subexpr(precedence);
        Some(right.map(|right| Expr::BinaryOp { left: Box::new(expr.clone()), op, right: Box::new(right) }))
    }
}

fn is_mod(keyword: Keyword) -> bool {
    keyword == Keyword::MOD
}
