//! The tables: how many rows, how fresh, how often they change.

use maud::{Markup, html};

use crate::{
    operate::clock::seconds_of,
    page::{
        address::Address,
        chart::{Point, sparkline},
        facts::{Facts, Table},
        parts, show,
    },
};

/// Epochs that a sparkline shows.
const SPARK_EPOCHS: usize = 40;

/// All tables of the sink.
pub fn view(facts: &Facts, address: &Address) -> Markup {
    html! {
        p { "In " (show::text(&facts.sink)) ", as of epoch " (show::number(facts.epoch.number())) "." }
        (parts::scrolling("Tables", html! { table {
            thead { tr { th scope="col" { "Table" } th.number scope="col" { "Rows" } th scope="col" { "Key" }
                th.number scope="col" { "Last changed in" } th scope="col" { "At" } th.number scope="col" { "Age" }
                th scope="col" { "Rows changed by epoch" } th scope="col" { "History" } } }
            tbody { @for table in &facts.tables { (row(facts, table, address)) } }
        } }))
    }
}

fn row(facts: &Facts, table: &Table, address: &Address) -> Markup {
    let changed_at = table.changed.as_ref().map(|(_, at)| at.as_str()).unwrap_or_default();
    let age = seconds_of(changed_at).map(|then| facts.read_s.saturating_sub(then));
    let points: Vec<Point> = table.changes[table.changes.len().saturating_sub(SPARK_EPOCHS)..]
        .iter()
        .map(|(epoch, rows)| Point {
            value: *rows as f64,
            words: format!("epoch {epoch}: {}", show::counted(*rows, "row")),
        })
        .collect();
    let key: Vec<String> = table.key.iter().map(|column| show::text(column)).collect();
    html! { tr {
        th scope="row" { (show::text(&table.name)) }
        td.number { @match table.rows { Some(rows) => (show::number(rows)), None => "not loaded" } }
        td { @if key.is_empty() { "none, one row" } @else { (key.join(", ")) } }
        td.number { @if let Some((epoch, _)) = &table.changed { "epoch " (parts::link(address.run(*epoch), &epoch.to_string())) } }
        td.time { (show::time(changed_at)) }
        td.number { @if let Some(age) = age { (show::age(age)) } }
        td { (sparkline(&format!("Rows of {} changed by the last epochs", show::text(&table.name)), &points)) }
        td { @if table.has_history { "kept" } }
    } }
}
