//! The closing report of `run`, `withdraw` and `rebuild`: what happened, at a glance.

use std::collections::BTreeMap;

use vardelta_engine::{
    contract::lookup::LookupFigures,
    edge::escape,
    report::{Action, DropReport, LookupReport, RunReport},
};
use vardelta_schemas::ledger::{Epoch, FirstPlace, WarningRow};

use crate::report::{Table, grouped, stages};

/// Unchanged drops that are named one by one.
const UNCHANGED_NAMED: usize = 20;

/// The report in two parts: what comes before the changed rows, and what comes after them.
pub fn run_report(report: &RunReport, verbose: bool) -> (String, String) {
    let mut head = format!("{}\n", headline(report));
    head += &section("drops", drops(&report.drops, verbose));
    head += &section("tables", tables(report));
    let mut tail = section("rejects", counts(&report.rejects));
    if report.committed && !report.rejects.is_empty() {
        tail += "  (each with its place and text in the table vardelta_rejects)\n";
    }
    tail += &section("lookups", lookups(&report.lookups));
    tail += &section("warnings", warnings(&report.warnings, verbose));
    let retried = (report.retries > 0).then(|| {
        let times = if report.retries == 1 { "once" } else { &format!("{} times", report.retries) };
        format!("the transaction was run again {times}, after other clients' locks or a lost connection")
    });
    let notices = report.notices.iter().chain(&retried);
    tail += &section("notices", notices.map(|notice| format!("  {notice}\n")).collect());
    if verbose {
        tail += &section("stages", stages::figures(&report.stages));
    }
    (head, tail)
}

fn headline(report: &RunReport) -> String {
    let RunReport { pipeline, epoch, seconds, workers, .. } = report;
    let time = format!("{seconds:.2} s, {workers} worker{}", if *workers == 1 { "" } else { "s" });
    if report.committed {
        format!("{pipeline}: epoch {epoch} committed ({time})")
    } else if report.dry_run {
        format!("{pipeline}: dry run on top of epoch {epoch}; nothing was written ({time})")
    } else if *epoch == Epoch::NONE {
        format!("{pipeline}: nothing to do, and nothing is loaded yet ({time})")
    } else {
        format!("{pipeline}: nothing to do, still at epoch {epoch} ({time})")
    }
}

fn section(title: &str, body: String) -> String {
    if body.is_empty() { body } else { format!("\n{title}\n{body}") }
}

fn drops(drops: &[DropReport], verbose: bool) -> String {
    let unchanged = drops.iter().filter(|drop| drop.action == Action::Unchanged).count();
    let named = |drop: &&DropReport| verbose || unchanged <= UNCHANGED_NAMED || drop.action != Action::Unchanged;
    let mut table = Table::default();
    for drop in drops.iter().filter(named) {
        table.row().text(&drop.name).text(drop.action.as_str());
        match drop.action {
            Action::Added | Action::Replaced | Action::Rebuilt | Action::Migrated => table.text(accounting(drop)),
            Action::Withdrawn | Action::SampleWithdrawn | Action::Erased | Action::Unchanged | Action::Completed => {
                table.text(&drop.reason)
            }
        };
    }
    let mut text = table.render();
    if !verbose && unchanged > UNCHANGED_NAMED {
        text += &format!("  {} drops unchanged\n", grouped(unchanged as u64));
    }
    text
}

fn accounting(drop: &DropReport) -> String {
    let s = if drop.duplicates == 1 { "" } else { "s" };
    let [read, loaded, filtered, rejected, duplicates] =
        [drop.read, drop.loaded, drop.filtered, drop.rejected, drop.duplicates].map(grouped);
    let mut text = format!(
        "{read} read = {loaded} loaded + {filtered} filtered + {rejected} rejected + {duplicates} duplicate{s}"
    );
    if drop.no_alternate > 0 {
        text += &format!(" ({} of the filtered have no alternate allele", grouped(drop.no_alternate));
        if drop.reference_blocks > 0 {
            text += &format!(", {} of those are reference blocks", grouped(drop.reference_blocks));
        }
        text.push(')');
    }
    text
}

fn tables(report: &RunReport) -> String {
    let mut table = Table::default();
    for counts in &report.tables {
        table.row().text(&counts.name);
        table.figure(format!("{} inserted,", grouped(counts.inserted)));
        table.figure(format!("{} updated,", grouped(counts.updated)));
        table.figure(format!("{} deleted,", grouped(counts.deleted)));
        table.figure(format!("{} left alone", grouped(counts.unchanged)));
    }
    table.render()
}

/// What was asked for, and where the answers came from; nothing of look-ups that neither asked nor wait.
fn lookups(lookups: &[LookupReport]) -> String {
    let mut table = Table::default();
    for lookup in lookups.iter().filter(|lookup| lookup.figures.wanted > 0 || lookup.waiting > 0) {
        let LookupFigures {
            wanted,
            memory,
            disk,
            database,
            redis,
            answered,
            absent,
            failed,
            requests,
            tier_errors,
            ..
        } = &lookup.figures;
        let from = [("memory", memory), ("disk", disk), ("database", database), ("redis", redis)];
        let kept: Vec<String> = from
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(tier, count)| format!("{} {tier} + ", grouped(**count)))
            .collect();
        table.row().text(&lookup.stage).text(format!(
            "{} wanted = {}{} answered + {} absent + {} failed ({} request{}); {} wait{}",
            grouped(*wanted),
            kept.concat(),
            grouped(*answered),
            grouped(*absent),
            grouped(*failed),
            grouped(*requests),
            if *requests == 1 { "" } else { "s" },
            grouped(lookup.waiting),
            match tier_errors {
                0 => String::new(),
                1 => "; a cache tier failed once".into(),
                errors => format!("; cache tiers failed {} times", grouped(*errors)),
            }
        ));
    }
    table.render()
}

fn counts(counts: &BTreeMap<String, u64>) -> String {
    let mut table = Table::default();
    for (reason, count) in counts {
        table.row().text(reason).number(*count);
    }
    table.render()
}

/// The warnings by reason; verbosely each with its drop, stage, field and first place.
fn warnings(rows: &[WarningRow], verbose: bool) -> String {
    if !verbose {
        let mut by_reason: BTreeMap<String, u64> = BTreeMap::new();
        rows.iter().for_each(|row| *by_reason.entry(row.reason.clone()).or_default() += row.count);
        return counts(&by_reason);
    }
    let mut table = Table::default();
    for row in rows {
        table.row().text(&row.reason).number(row.count).text(row.drop.as_deref().unwrap_or("-")).text(&row.stage);
        table.text(escape::cut(row.field.as_deref().unwrap_or("-"))).text(first(row));
    }
    table.render()
}

fn first(row: &WarningRow) -> String {
    let Some(FirstPlace { line, contig, pos }) = &row.first else { return String::new() };
    let line = line.map(|line| format!("line {line}"));
    let place = contig.as_ref().map(|contig| match pos {
        Some(pos) => format!("{}:{pos}", escape::cut(contig)),
        None => escape::cut(contig).into_owned(),
    });
    match line.into_iter().chain(place).collect::<Vec<_>>().join(", ") {
        place if place.is_empty() => place,
        place => format!("first at {place}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use vardelta_engine::report::{Action, DropReport, RunReport};
    use vardelta_schemas::ledger::{Epoch, FirstPlace, RecordCounts, TableCounts, WarningRow};

    use super::run_report;

    #[test]
    fn a_run_at_a_glance() {
        let counts = RecordCounts {
            read: 1_017,
            loaded: 1_000,
            filtered: 15,
            rejected: 1,
            duplicates: 1,
            no_alternate: 12,
            reference_blocks: 11,
        };
        let table = TableCounts { name: "variants".into(), inserted: 1_001, unchanged: 7, ..TableCounts::default() };
        let report = RunReport {
            committed: true,
            drops: vec![
                DropReport::new("day1", "calls", Action::Unchanged, "the same bytes", counts),
                DropReport::new("day2_long", "calls", Action::Added, "a new name", counts),
            ],
            tables: vec![table],
            rejects: BTreeMap::from([("bad_position".into(), 1)]),
            warnings: vec![
                WarningRow {
                    reason: "undeclared_filter".into(),
                    drop: Some("day2_long".into()),
                    stage: "calls".into(),
                    field: Some("weird\u{1b}".into()),
                    count: 1,
                    first: Some(FirstPlace { line: Some(12), contig: Some("chr1".into()), pos: Some(7) }),
                    ..WarningRow::default()
                },
                WarningRow {
                    reason: "undeclared_filter".into(),
                    stage: "calls".into(),
                    count: 1_000,
                    ..WarningRow::default()
                },
            ],
            notices: vec!["something".into()],
            retries: 2,
            seconds: 0.126,
            ..RunReport::new("genes", Epoch::new(2), 4)
        };
        let (head, tail) = run_report(&report, false);
        let expected = "\
genes: epoch 2 committed (0.13 s, 4 workers)

drops
  day1       unchanged  the same bytes
  day2_long  added      1,017 read = 1,000 loaded + 15 filtered + 1 rejected + 1 duplicate (12 of the filtered have no alternate allele, 11 of those are reference blocks)

tables
  variants  1,001 inserted,  0 updated,  0 deleted,  7 left alone
";
        assert_eq!(head, expected);
        let expected = "
rejects
  bad_position  1
  (each with its place and text in the table vardelta_rejects)

warnings
  undeclared_filter  1,001

notices
  something
  the transaction was run again 2 times, after other clients' locks or a lost connection
";
        assert_eq!(tail, expected);
        let (_, tail) = run_report(&report, true);
        let expected = "
warnings
  undeclared_filter      1  day2_long  calls  weird\\u{1b}  first at line 12, chr1:7
  undeclared_filter  1,000  -          calls  -
";
        assert!(tail.contains(expected), "{tail}");
    }
}
