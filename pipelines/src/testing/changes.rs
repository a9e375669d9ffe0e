//! Expected changes, written as reports print them, against those that happened.

use super::{
    rows::{Difference, pair},
    tables::{Cell, TableRows},
};

/// A row that changed.
#[derive(Debug)]
struct Change<'a> {
    old: Option<&'a Vec<Cell>>,
    new: Option<&'a Vec<Cell>>,
}

/// What a line asks for.
#[derive(Debug, Default)]
struct Wanted {
    sign: char,
    /// Columns with the value that the row has.
    values: Vec<(usize, String)>,
    /// Columns with the values before and after.
    moves: Vec<(usize, String, String)>,
}

/// Compares what became of a table's rows with what is expected; columns that a line does not name do not matter.
pub fn compare(expected: &[String], before: &TableRows, after: &TableRows) -> Difference {
    let changes = changes(before, after);
    let mut unknown = Vec::new();
    let wanted: Vec<Option<Wanted>> = expected
        .iter()
        .map(|line| match parse(line, after) {
            Ok(wanted) => Some(wanted),
            Err(problem) => {
                unknown.push(format!("`{line}`: {problem}"));
                None
            }
        })
        .collect();
    if !unknown.is_empty() {
        return Difference { unknown, ..Difference::default() };
    }
    let fits =
        |wanted: &Option<Wanted>, change: &Change<'_>| wanted.as_ref().is_some_and(|wanted| fits(wanted, change));
    let (missing, unexpected) = pair(&wanted, &changes, fits);
    Difference {
        missing: missing.into_iter().map(|at| expected[at].clone()).collect(),
        unexpected: unexpected.into_iter().map(|at| line(&changes[at], after)).collect(),
        unknown,
    }
}

/// What happened, as reports print it.
pub fn lines(before: &TableRows, after: &TableRows) -> Vec<String> {
    changes(before, after).iter().map(|change| line(change, after)).collect()
}

fn changes<'a>(before: &'a TableRows, after: &'a TableRows) -> Vec<Change<'a>> {
    let mut changes = Vec::new();
    for (key, old) in &before.rows {
        let new = after.rows.get(key);
        if new != Some(old) {
            changes.push(Change { old: Some(old), new });
        }
    }
    let inserted = after.rows.iter().filter(|(key, _)| !before.rows.contains_key(*key));
    changes.extend(inserted.map(|(_, new)| Change { old: None, new: Some(new) }));
    changes
}

fn line(change: &Change<'_>, table: &TableRows) -> String {
    match (change.old, change.new) {
        (Some(old), Some(new)) => {
            let key = table.table.key.iter().map(|at| format!("{}={}", table.column(*at), new[*at].text));
            let moved = (0..new.len()).filter(|at| old[*at] != new[*at]);
            let moves = moved.map(|at| format!("{} {} -> {}", table.column(at), old[at].text, new[at].text));
            format!("~ {} {}", key.collect::<Vec<_>>().join(" "), moves.collect::<Vec<_>>().join(", "))
        }
        (None, Some(new)) => format!("+ {}", table.line(new)),
        (Some(old), None) => format!("- {}", table.line(old)),
        (None, None) => String::new(),
    }
}

fn fits(wanted: &Wanted, change: &Change<'_>) -> bool {
    let sign = match (change.old, change.new) {
        (Some(_), Some(_)) => '~',
        (None, _) => '+',
        (_, None) => '-',
    };
    let is = |row: Option<&Vec<Cell>>, at: usize, value: &str| {
        row.is_some_and(|row| row[at].text == value || row[at].json.as_str() == Some(value))
    };
    let row = change.new.or(change.old);
    sign == wanted.sign
        && wanted.values.iter().all(|(at, value)| is(row, *at, value))
        && wanted.moves.iter().all(|(at, old, new)| is(change.old, *at, old) && is(change.new, *at, new))
}

/// Reads a line: a sign, then `column=value` and, for an update, `column old -> new`.
fn parse(line: &str, table: &TableRows) -> Result<Wanted, String> {
    let mut letters = line.trim().chars();
    let sign = letters.next().filter(|sign| matches!(sign, '+' | '~' | '-'));
    let mut wanted = Wanted { sign: sign.ok_or("a change begins with `+`, `~` or `-`")?, ..Wanted::default() };
    let mut rest = letters.as_str().trim_start();
    while !rest.is_empty() {
        let end = rest.find(|letter: char| letter == '=' || letter.is_whitespace()).unwrap_or(rest.len());
        let name = &rest[..end];
        let at = table.place(name).ok_or_else(|| format!("the table has no column `{name}`"))?;
        rest = &rest[end..];
        match rest.strip_prefix('=') {
            Some(after) => {
                let value;
                (value, rest) = take_value(after)?;
                wanted.values.push((at, value));
            }
            None => {
                let (old, after) = take_value(rest.trim_start())?;
                let after = after
                    .trim_start()
                    .strip_prefix("->")
                    .ok_or_else(|| format!("`{name}` is followed by `=` or by `old -> new`"))?;
                let new;
                (new, rest) = take_value(after.trim_start())?;
                wanted.moves.push((at, old, new));
            }
        }
        rest = rest.trim_start().trim_start_matches(',').trim_start();
    }
    Ok(wanted)
}

/// A value at the start of a text, plain or quoted, and what comes after it.
fn take_value(text: &str) -> Result<(String, &str), String> {
    if text.starts_with('"') {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
        let value = values.next().and_then(Result::ok).ok_or("a quote has no end")?;
        let end = values.byte_offset();
        return Ok((value, &text[end..]));
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let value = text[..end].trim_end_matches(',');
    Ok((value.to_owned(), &text[end..]))
}
