//! What is said of a text that is no expression: in the words of the pipeline file, never in the parser's.

use std::ops::Range;

use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::diagnostics::Diagnostics;

/// A problem of the text: what is wrong, and what to do.
pub(crate) struct Problem {
    message: String,
    hint: String,
}

/// Reports a problem.
pub(crate) fn refuse(place: Range<usize>, problem: Problem, diagnostics: &mut Diagnostics) {
    diagnostics.error(place, format!("not an SQL expression: {}", problem.message)).hint(problem.hint);
}

/// What is wrong where not even the words could be told apart.
pub(crate) fn unreadable(message: &str) -> Problem {
    let (message, hint) = if message.contains("nterminated string literal") {
        ("a text is not closed", "Texts are in single quotes, 'PASS'; a quote within one is written twice, 'it''s'.")
    } else if message.contains("expected close delimiter") || message.contains("Expected close delimiter") {
        (
            "a quoted name is not closed",
            "Names are in double quotes or backticks, and need none if they are plain words.",
        )
    } else if message.contains("comment") {
        ("a comment is not closed", "Close it with */, or remove it.")
    } else {
        ("this cannot be read", "Expressions are written as in MySQL; `vardelta stages expressions` is the manual.")
    };
    Problem { message: message.into(), hint: hint.into() }
}

/// What is wrong, from the parser's message and the place of the token that it names.
pub(crate) fn problem(message: &str, tokens: &[TokenWithSpan], at: Option<usize>) -> Problem {
    let expected = expected(message);
    let found = at.map(|at| &tokens[at].token);
    let before = at.unwrap_or(tokens.len()).checked_sub(1).map(|at| &tokens[at].token);
    let opened = tokens.iter().filter(|token| token.token == Token::LParen).count();
    let closed = tokens.iter().filter(|token| token.token == Token::RParen).count();
    let found_text = match found {
        None | Some(Token::EOF) => "the end of the expression".to_string(),
        Some(token) => format!("`{token}`"),
    };
    let hint = match found {
        _ if message.contains("INTERVAL requires a unit") => "Write the unit after the number: INTERVAL 1 DAY.".into(),
        Some(Token::RParen) if closed > opened => "There is one `)` more than there are `(`.".into(),
        None | Some(Token::EOF) if opened > closed => "A `(` is not closed.".into(),
        Some(Token::Word(word)) if word.value.eq_ignore_ascii_case("glob") => {
            "GLOB is SQLite's: write s LIKE 'L%', or s REGEXP '^L'.".into()
        }
        Some(Token::Word(word)) if matches!(before, Some(Token::Word(_) | Token::RParen | Token::Number(..))) => {
            format!(
                "Two values need an operator between them, such as AND, OR, =, <, + or LIKE; `{}` is none. A text is \
                 written in single quotes.",
                word.value
            )
        }
        _ if expected.contains("operator") => {
            "Two values need an operator between them: + - * / % DIV || = <> < <= > >= <=> AND OR XOR LIKE REGEXP IN BETWEEN IS."
                .into()
        }
        _ => "Expressions are written as in MySQL; `vardelta stages expressions` is the manual.".into(),
    };
    Problem { message: format!("expected {expected}, found {found_text}"), hint }
}

/// What may be there. The parser's words are taken only where they are plain.
fn expected(message: &str) -> &str {
    let words = message.strip_prefix("Expected: ").and_then(|rest| rest.split(", found").next()).map(str::trim);
    match words {
        Some("an expression" | "an expression:") => "a value",
        Some("an operator or the end") => "an operator or the end",
        Some(words) if words.len() <= 3 && !words.contains(char::is_alphanumeric) => match words {
            ")" => "`)`",
            "(" => "`(`",
            "," => "`,`",
            "]" => "`]`",
            _ => "something else",
        },
        Some("THEN") => "THEN",
        Some("WHEN") => "WHEN",
        Some("END") => "END",
        Some("AND") => "AND",
        Some("AS") => "AS and a type",
        Some("FROM") => "FROM",
        Some("IN") => "IN",
        Some(words) if words.contains("data type") => "a type, such as SIGNED, DOUBLE, DECIMAL(10, 2), CHAR or DATE",
        Some(words) if words.contains("after IS") => "NULL, TRUE, FALSE, UNKNOWN or their negation with NOT",
        Some(words) if words.contains("after NOT") => "IN, BETWEEN, LIKE or REGEXP",
        Some(words) if words.contains("literal") || words.contains("value") => "a number or a text",
        _ if message.contains("No infix parser") => "an operator or the end",
        _ if message.contains("INTERVAL requires a unit") => "the unit of the interval",
        _ => "something else",
    }
}
