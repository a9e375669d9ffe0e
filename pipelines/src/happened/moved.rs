//! Which rows of a history an epoch moved by a column, the farthest first.

use super::{Cell, Happened, Histories, name, others};

impl Histories {
    /// Of what happened to the first table the rows that stayed and of which this column, a number, was moved, those that it
    /// was moved by most first. With `carriers` only rows whose value of that column is above 0 before or after.
    pub fn moved_by(&self, column: &str, carriers: Option<&str>, happened: Vec<Happened>) -> Vec<Happened> {
        let Some((table, _)) = self.tables.first() else { return Vec::new() };
        let place = |wanted: &str| others(table).position(|at| name(table, at) == wanted);
        let Some(at) = place(column) else { return Vec::new() };
        let carried_at = carriers.and_then(place);
        let is_carried = |one: &Happened| {
            carried_at.is_none_or(|at| {
                let (old, new) = &one.values[at];
                number(old) > 0.0 || number(new) > 0.0
            })
        };
        let is_moved = |one: &Happened| one.operation == "update" && one.values[at].0 != one.values[at].1;
        let far = |one: &Happened| (number(&one.values[at].1) - number(&one.values[at].0)).abs();
        let mut moved: Vec<Happened> = happened.into_iter().filter(|one| is_moved(one) && is_carried(one)).collect();
        moved.sort_by(|a, b| far(b).total_cmp(&far(a)));
        moved
    }
}

/// The number in a cell; NULL counts as 0.
pub(super) fn number(cell: &Cell) -> f64 {
    cell.json.as_f64().or_else(|| cell.json.as_str()?.parse().ok()).unwrap_or(0.0)
}
