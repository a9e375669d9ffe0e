//! SQL text to syntax tree, with column names that are SQL keywords (`filter`, `end`, …) taken as columns.

use std::ops::Range;

use sqlparser::{
    ast::{Expr, OrderByExpr},
    keywords::Keyword,
    parser::{Parser, ParserError},
    tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer},
};
use vardelta_schemas::Schema;

use super::{
    depth::{DEPTH_MAX, balance, depth},
    dialect::Vardelta,
    spans::Source,
    syntax,
};
use crate::diagnostics::Diagnostics;

/// Expressions longer than this are refused before they are parsed.
const TOKENS_MAX: usize = 20_000;

/// Parses one expression; reports what cannot be read at the place where it is. Call it
/// [with room](super::depth::with_room).
pub(crate) fn parse(source: &Source<'_>, schema: &Schema, diagnostics: &mut Diagnostics) -> Option<Expr> {
    read(source, schema, diagnostics, |parser| Ok((parser.parse_expr()?, ()))).map(|(expr, ())| expr)
}

/// As [`parse`], of what rows are ordered by: an expression, and the direction after it.
pub(crate) fn parse_order(source: &Source<'_>, schema: &Schema, diagnostics: &mut Diagnostics) -> Option<OrderByExpr> {
    let read_order = |parser: &mut Parser<'_>| {
        let by = parser.parse_order_by_expr()?;
        Ok((by.expr.clone(), by))
    };
    let (expr, by) = read(source, schema, diagnostics, read_order)?;
    Some(OrderByExpr { expr, ..by })
}

/// Parses a text that is an expression and something more.
fn read<More>(
    source: &Source<'_>,
    schema: &Schema,
    diagnostics: &mut Diagnostics,
    read: impl FnOnce(&mut Parser<'_>) -> Result<(Expr, More), ParserError>,
) -> Option<(Expr, More)> {
    let dialect = Vardelta;
    let mut tokens = match Tokenizer::new(&dialect, source.text()).tokenize_with_location() {
        Ok(tokens) => tokens,
        Err(error) => {
            let place = place_of(source, &[], error.location);
            syntax::refuse(place, syntax::unreadable(&error.message), diagnostics);
            return None;
        }
    };
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
    if tokens.is_empty() {
        diagnostics
            .error(source.whole(), "this expression is empty")
            .hint("Write a column's name or an SQL expression.");
        return None;
    }
    if tokens.len() > TOKENS_MAX {
        diagnostics
            .error(source.whole(), format!("this expression has {} words, more than {TOKENS_MAX}", tokens.len()))
            .hint("Split it over several `select` stages, or use IN (…) instead of a chain of OR.");
        return None;
    }
    quote_columns(&mut tokens, schema);
    let mut parser = Parser::new(&dialect).with_tokens_with_locations(tokens.clone());
    let parsed = read(&mut parser).and_then(|parsed| {
        let next = parser.peek_token();
        match next.token {
            Token::EOF => Ok(parsed),
            token => {
                let found = format!("Expected: an operator or the end, found: {token}{}", next.span.start);
                Err(ParserError::ParserError(found))
            }
        }
    });
    match parsed {
        Ok((expr, more)) => {
            let expr = balance(expr);
            if depth(&expr) > DEPTH_MAX {
                too_deep(source, diagnostics);
                return None;
            }
            Some((expr, more))
        }
        Err(ParserError::RecursionLimitExceeded) => {
            too_deep(source, diagnostics);
            None
        }
        Err(ParserError::ParserError(message) | ParserError::TokenizerError(message)) => {
            let (message, location) = split_location(&message);
            let at = location.and_then(|location| tokens.iter().position(|token| token.span.start == location));
            // The parser names the token at fault, or has nothing more to name.
            let place = match (at, location) {
                (Some(at), _) => source.place(tokens[at].span),
                (None, Some(location)) => place_of(source, &tokens, location),
                (None, None) => source.whole(),
            };
            syntax::refuse(place, syntax::problem(message, &tokens, at), diagnostics);
            None
        }
    }
}

fn too_deep(source: &Source<'_>, diagnostics: &mut Diagnostics) {
    diagnostics
        .error(source.whole(), "this expression is nested too deeply")
        .hint("Split it over several `select` stages.");
}

/// Splits the parser's own " at Line: 1, Column: 5" from its message.
fn split_location(message: &str) -> (&str, Option<Location>) {
    let Some(at) = message.rfind(" at Line: ") else { return (message, None) };
    let mut numbers = message[at..].split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok());
    match (numbers.next(), numbers.next()) {
        (Some(line), Some(column)) => (&message[..at], Some(Location::new(line, column))),
        _ => (message, None),
    }
}

/// The place of the token at a location.
fn place_of(source: &Source<'_>, tokens: &[TokenWithSpan], location: Location) -> Range<usize> {
    match tokens.iter().find(|token| token.span.start == location) {
        Some(token) => source.place(token.span),
        None => source.place(Span::new(location, Location::new(location.line, location.column + 1))),
    }
}

/// Quotes the words that name a column and are where an operand is expected, so that the parser does not take
/// `filter`, `ref`, `end` or `position` for keywords. A word before `(` is a function, one before a text is a type
/// (`DATE '2024-01-31'`).
fn quote_columns(tokens: &mut [TokenWithSpan], schema: &Schema) {
    let mut operand_expected = true;
    for at in 0..tokens.len() {
        let next_is_call_or_literal =
            matches!(tokens.get(at + 1).map(|next| &next.token), Some(Token::LParen | Token::SingleQuotedString(_)));
        operand_expected = match &mut tokens[at].token {
            Token::Word(word) if word.quote_style.is_none() => {
                let names_a_column = operand_expected
                    && !next_is_call_or_literal
                    && !STRUCTURAL.contains(&word.keyword)
                    && schema.index_of(&word.value).is_some();
                if names_a_column {
                    word.quote_style = Some('"');
                    word.keyword = Keyword::NoKeyword;
                    false
                } else {
                    OPERAND_FOLLOWS.contains(&word.keyword)
                }
            }
            Token::Word(_)
            | Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::RParen
            | Token::RBracket
            | Token::DoubleColon
            | Token::Period => false,
            _ => true,
        };
    }
}

/// Words after which an operand is expected.
const OPERAND_FOLLOWS: &[Keyword] = &[
    Keyword::AND,
    Keyword::OR,
    Keyword::NOT,
    Keyword::CASE,
    Keyword::WHEN,
    Keyword::THEN,
    Keyword::ELSE,
    Keyword::BETWEEN,
    Keyword::LIKE,
    Keyword::ILIKE,
    Keyword::REGEXP,
    Keyword::RLIKE,
    Keyword::XOR,
    Keyword::DIV,
    Keyword::MOD,
    Keyword::INTERVAL,
    Keyword::ESCAPE,
    Keyword::BOTH,
    Keyword::LEADING,
    Keyword::TRAILING,
    Keyword::BY,
    Keyword::TO,
    Keyword::IN,
    Keyword::DISTINCT,
    Keyword::ALL,
    Keyword::FROM,
    Keyword::FOR,
    Keyword::WHERE,
    Keyword::PLACING,
];

/// Words that are never a column unless they are quoted.
const STRUCTURAL: &[Keyword] = &[
    Keyword::AND,
    Keyword::OR,
    Keyword::NOT,
    Keyword::NULL,
    Keyword::TRUE,
    Keyword::FALSE,
    Keyword::CASE,
    Keyword::WHEN,
    Keyword::THEN,
    Keyword::ELSE,
    Keyword::BETWEEN,
    Keyword::LIKE,
    Keyword::ILIKE,
    Keyword::REGEXP,
    Keyword::RLIKE,
    Keyword::XOR,
    Keyword::IN,
    Keyword::IS,
    Keyword::AS,
    Keyword::CAST,
    Keyword::DISTINCT,
    Keyword::FROM,
];
