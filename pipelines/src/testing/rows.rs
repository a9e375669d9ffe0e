//! Expected rows against those that are there.

use serde_json::Value as Json;
use vardelta_engine::spec::{Entry, Value};

use super::tables::{Cell, TableRows};

/// What does not fit: expected rows that are not there, and rows that nobody expected, as reports print them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Expected, not there.
    pub missing: Vec<String>,
    /// There, not expected.
    pub unexpected: Vec<String>,
    /// Columns that the table does not have.
    pub unknown: Vec<String>,
}

impl Difference {
    /// Whether everything fits.
    pub fn is_none(&self) -> bool {
        *self == Difference::default()
    }
}

/// Pairs expected items with found ones, each with one of its own, where `fits` says that they may be (augmenting paths); the
/// items of either side that stay alone.
pub fn pair<E, F>(expected: &[E], found: &[F], fits: impl Fn(&E, &F) -> bool) -> (Vec<usize>, Vec<usize>) {
    fn seek(at: usize, edges: &[Vec<usize>], tried: &mut [bool], owner: &mut [Option<usize>]) -> bool {
        for found in &edges[at] {
            if std::mem::replace(&mut tried[*found], true) {
                continue;
            }
            if owner[*found].is_none_or(|other| seek(other, edges, tried, owner)) {
                owner[*found] = Some(at);
                return true;
            }
        }
        false
    }
    let edges: Vec<Vec<usize>> =
        expected.iter().map(|expected| (0..found.len()).filter(|at| fits(expected, &found[*at])).collect()).collect();
    let mut owner = vec![None; found.len()];
    let alone = (0..expected.len())
        .filter(|at| !seek(*at, &edges, &mut vec![false; found.len()], &mut owner))
        .collect::<Vec<_>>();
    (alone, (0..found.len()).filter(|at| owner[*at].is_none()).collect())
}

/// Compares the rows of a table with those that are expected; columns that an expected row does not name do not matter.
pub fn compare(expected: &[Vec<Entry>], table: &TableRows) -> Difference {
    let found: Vec<&Vec<Cell>> = table.rows.values().collect();
    let names = expected.iter().flatten().map(|entry| entry.key.as_str());
    let mut unknown: Vec<String> = names.filter(|name| table.place(name).is_none()).map(str::to_owned).collect();
    unknown.sort();
    unknown.dedup();
    if !unknown.is_empty() {
        return Difference { unknown, ..Difference::default() };
    }
    let fits = |row: &Vec<Entry>, cells: &&Vec<Cell>| {
        row.iter().all(|entry| table.place(&entry.key).is_some_and(|at| is(&entry.node.value, &cells[at])))
    };
    let (missing, unexpected) = pair(expected, &found, fits);
    Difference {
        missing: missing.into_iter().map(|at| written(&expected[at])).collect(),
        unexpected: unexpected.into_iter().map(|at| table.line(found[at])).collect(),
        unknown,
    }
}

/// Whether a cell is what is expected. `"NULL"` is NULL, as in reports; a number is compared by its value, so that 66 is the
/// decimal 66.000000.
fn is(expected: &Value, cell: &Cell) -> bool {
    let number = |value: f64| match &cell.json {
        Json::Number(found) => found.as_f64() == Some(value),
        Json::String(found) => found.parse::<f64>().ok() == Some(value),
        _ => false,
    };
    match expected {
        Value::Text(text) => cell.text == *text || cell.json.as_str() == Some(text),
        Value::Integer(value) => match &cell.json {
            Json::Number(found) if found.is_i64() => found.as_i64() == Some(*value),
            _ => number(*value as f64),
        },
        Value::Float(value) => number(*value),
        Value::Bool(value) => cell.json.as_bool() == Some(*value),
        Value::Array(_) | Value::Table(_) => false,
    }
}

/// An expected row as reports would print it.
fn written(row: &[Entry]) -> String {
    let value = |value: &Value| match value {
        Value::Text(text) if text.chars().any(char::is_whitespace) || text.is_empty() => {
            Json::from(text.as_str()).to_string()
        }
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Array(_) | Value::Table(_) => "…".into(),
    };
    let pairs = row.iter().map(|entry| format!("{}={}", entry.key, value(&entry.node.value)));
    pairs.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::pair;

    #[test]
    fn an_item_gives_way_to_one_that_fits_nothing_else() {
        // `0` fits both, `1` only the first.
        let (alone, unexpected) = pair(&[0, 1], &["a", "b"], |expected, found| *expected == 0 || *found == "a");
        assert_eq!((alone, unexpected), (vec![], vec![]));
        let (alone, unexpected) = pair(&[1, 1], &["a", "b"], |_, found| *found == "a");
        assert_eq!((alone, unexpected), (vec![1], vec![1]));
    }
}
