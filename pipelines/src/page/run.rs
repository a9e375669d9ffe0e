//! One run: the accounting of its drops, its tables, rejects and warnings, and where the time went.

use maud::{Markup, html};
use vardelta_schemas::ledger::{EpochDetails, Event, FirstPlace, RecordCounts, RejectRow};

use crate::page::{
    chart,
    facts::{Facts, Run},
    parts, runs, show, stage_times,
};

/// Drops whose accounting is listed.
const DROPS_LISTED: usize = 200;

/// A run, with what the ledger keeps of its rejects and warnings or why that cannot be read. `heading` is the level of its
/// parts' headings.
pub fn view(facts: &Facts, run: &Run, details: &Result<EpochDetails, String>) -> Markup {
    html! {
        (parts::glance(&[
            ("State", parts::state("good", "committed")),
            ("Committed at", html! { (show::time(&run.committed_at)) }),
            ("Duration", html! { @match &run.figures { Some(figures) => (show::seconds(figures.seconds)), None => "not kept" } }),
            ("Drops", html! { (runs::actions(run)) }),
            ("Rows changed", html! { (show::number(run.rows_changed())) }),
        ]))
        h4 { "Records of its drops" }
        (accounting(&run.events))
        h4 { "Rows of its tables" }
        (tables(run))
        h4 { "Rejects" }
        @match details {
            Ok(details) => (rejects(details)),
            Err(message) => p.trouble { (show::whole(message)) },
        }
        h4 { "Warnings" }
        @match details {
            Ok(details) => (warnings(details)),
            Err(message) => p.trouble { (show::whole(message)) },
        }
        h4 { "Where the time went" }
        (stage_times::view(facts, run))
    }
}

fn accounting(events: &[Event]) -> Markup {
    let of_drops: Vec<&Event> = events.iter().filter(|event| event.drop_id.is_some()).collect();
    if of_drops.is_empty() {
        return parts::nothing("This epoch is about no single drop.");
    }
    let mut all = RecordCounts::default();
    for event in &of_drops {
        all.read += event.counts.read;
        all.loaded += event.counts.loaded;
        all.filtered += event.counts.filtered;
        all.rejected += event.counts.rejected;
        all.duplicates += event.counts.duplicates;
    }
    html! {
        p.identity { (identity(&all)) }
        (chart::accounting(&all))
        ul.legend { li.loaded { "loaded" } li.filtered { "filtered" } li.rejected { "rejected" } li.duplicates { "duplicates" } }
        (parts::scrolling("Records by drop", html! { table {
            caption { "read = loaded + filtered + rejected + duplicates, drop by drop."
                @if of_drops.len() > DROPS_LISTED { " The first " (DROPS_LISTED) " of " (show::number(of_drops.len() as u64)) "." } }
            thead { tr { th scope="col" { "Drop" } th scope="col" { "Source" } th scope="col" { "Action" }
                th.number scope="col" { "Read" } th.number scope="col" { "Loaded" } th.number scope="col" { "Filtered" }
                th.number scope="col" { "Rejected" } th.number scope="col" { "Duplicates" } th scope="col" { "Shares" } } }
            tbody { @for event in of_drops.iter().take(DROPS_LISTED) { @let counts = &event.counts; tr {
                th scope="row" { (show::text(&event.name)) }
                td { (show::text(&event.source)) }
                td { (show::text(&event.action).replace('_', " ")) }
                td.number { (show::number(counts.read)) } td.number { (show::number(counts.loaded)) }
                td.number { (show::number(counts.filtered)) } td.number { (show::number(counts.rejected)) }
                td.number { (show::number(counts.duplicates)) }
                td { @if counts.read > 0 {
                    (chart::accounting(counts))
                } }
            } } }
        } }))
    }
}

/// The sum that always holds, in words; where it does not, that is said.
fn identity(counts: &RecordCounts) -> String {
    let sum = counts.loaded + counts.filtered + counts.rejected + counts.duplicates;
    let sign = if sum == counts.read { "=" } else { "≠ (somebody has changed the ledger)" };
    format!(
        "{} read {sign} {} loaded + {} filtered + {} rejected + {} duplicate{}",
        show::number(counts.read),
        show::number(counts.loaded),
        show::number(counts.filtered),
        show::number(counts.rejected),
        show::number(counts.duplicates),
        if counts.duplicates == 1 { "" } else { "s" }
    )
}

fn tables(run: &Run) -> Markup {
    html! {
        @if run.tables.is_empty() { (parts::nothing("The ledger has no counts of this epoch.")) } @else {
            (parts::scrolling("Rows by table", html! { table {
                thead { tr { th scope="col" { "Table" } th.number scope="col" { "Inserted" } th.number scope="col" { "Updated" }
                    th.number scope="col" { "Deleted" } th.number scope="col" { "Left alone" } } }
                tbody { @for counts in &run.tables { tr {
                    th scope="row" { (show::text(&counts.name)) }
                    td.number { (show::number(counts.inserted)) } td.number { (show::number(counts.updated)) }
                    td.number { (show::number(counts.deleted)) } td.number { (show::number(counts.unchanged)) }
                } } }
            } }))
        }
    }
}

fn rejects(details: &EpochDetails) -> Markup {
    if details.rejects.is_empty() {
        return parts::nothing("Nothing was rejected.");
    }
    html! {
        @for counted in &details.rejects {
            @let samples: Vec<&RejectRow> = details.first_rejects.iter()
                .filter(|reject| reject.reason == counted.reason && reject.stage == counted.stage).collect();
            details open {
                summary { code { (show::text(&counted.reason)) } " in " (show::text(&counted.stage)) ": "
                    (show::counted(counted.count, "record")) }
                (parts::scrolling("Rejected records", html! { table {
                    caption { @if (samples.len() as u64) < counted.count { "The first " (samples.len()) ". " }
                        "All are in the table " code { "vardelta_rejects" } "; docs/reasons.md says what to do." }
                    thead { tr { th scope="col" { "Drop" } th.number scope="col" { "Line" } th scope="col" { "Place" }
                        th scope="col" { "What was wrong" } th scope="col" { "Text" } } }
                    tbody { @for reject in samples { tr {
                        td { (show::text(reject.drop_name.as_deref().unwrap_or_default())) }
                        td.number { @if let Some(line) = reject.line { (show::number(line)) } }
                        td { (place(reject.contig.as_deref(), reject.pos)) }
                        td { (show::text(&reject.detail)) }
                        td { code { (show::text(reject.raw.as_deref().unwrap_or_default())) } }
                    } } }
                } }))
            }
        }
    }
}

fn place(contig: Option<&str>, pos: Option<i64>) -> String {
    let contig = contig.map(show::text).unwrap_or_default();
    pos.map_or_else(|| contig.clone(), |pos| format!("{contig}:{pos}"))
}

fn warnings(details: &EpochDetails) -> Markup {
    if details.warnings.is_empty() {
        return parts::nothing("Nothing was adapted.");
    }
    let shown = details.warnings.len() as u64;
    html! {
        (parts::scrolling("Warnings", html! { table {
            caption { "What was adapted rather than refused, what occurred most often first."
                @if shown < details.warning_rows { " The first " (show::number(shown)) " of "
                    (show::number(details.warning_rows)) "; all are in the table " code { "vardelta_warnings" } "." } }
            thead { tr { th scope="col" { "Reason" } th.number scope="col" { "Times" } th scope="col" { "Drop" }
                th scope="col" { "Stage" } th scope="col" { "Field" } th scope="col" { "First at" } } }
            tbody { @for warning in &details.warnings { tr {
                th scope="row" { code { (show::text(&warning.reason)) } }
                td.number { (show::number(warning.count)) }
                td { (show::text(warning.drop.as_deref().unwrap_or_default())) }
                td { (show::text(&warning.stage)) }
                td { (show::text(warning.field.as_deref().unwrap_or_default())) }
                td { @if let Some(FirstPlace { line, contig, pos }) = &warning.first {
                    @if let Some(line) = line { "line " (show::number(*line)) " " }
                    (place(contig.as_deref(), *pos))
                } }
            } } }
        } }))
    }
}
