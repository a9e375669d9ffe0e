//! What a run says of alerts.

use std::collections::BTreeMap;

use vardelta_engine::{
    plan::{AlertOptions, Plan},
    report::DropReport,
};

use super::{
    alert::{Alert, Detail, Verdict},
    slow::{self, PastRun},
};
use crate::operate::ended::{Ended, Failure};

/// Warnings that a word of a file is not known.
pub const VOCABULARY_REASONS: [&str; 2] = ["unknown_term", "consequence_unknown"];
/// Words that a message names, at the most.
const WORDS_NAMED: usize = 5;

/// How long a run took for how many records; `None` where it read none.
pub fn pace(ended: &Ended) -> Option<PastRun> {
    let records = ended.read().iter().map(|drop| drop.read).sum();
    (records > 0).then_some(PastRun { seconds: ended.seconds, records })
}

/// What a run says of each alert that is about runs.
pub fn judge(plan: &Plan, options: &AlertOptions, ended: &Ended, before: &[PastRun]) -> BTreeMap<Alert, Verdict> {
    BTreeMap::from([
        (Alert::RunFailed, failed(ended)),
        // Whoever has run to the end was not kept from it.
        (Alert::CannotLoad, if ended.failure.is_none() { Verdict::Fine } else { Verdict::Unknown }),
        (Alert::RejectShare, rejects(plan, options, ended)),
        (Alert::SlowRun, slow(options, ended, before)),
        (Alert::LookupDegraded, lookups(options, ended)),
        (Alert::UnknownVocabulary, vocabulary(ended)),
    ])
}

fn failed(ended: &Ended) -> Verdict {
    let Some(Failure { kind, message, hint }) = &ended.failure else { return Verdict::Fine };
    let kind = format!("{} (exit code {})", kind.as_str(), kind.exit_code());
    let hint = hint.as_deref().map(|hint| format!("\n{hint}")).unwrap_or_default();
    Verdict::Firing(Detail { whole: format!("{kind}: {message}{hint}"), bare: kind })
}

fn rejects(plan: &Plan, options: &AlertOptions, ended: &Ended) -> Verdict {
    let limit = options.reject_share.map_or(plan.pipeline.max_reject_share / 2.0, |share| share.0);
    let read = ended.read();
    if read.is_empty() {
        return Verdict::Unknown;
    }
    let share = |drop: &DropReport| drop.rejected as f64 / drop.read as f64;
    let mut above: Vec<&DropReport> = read.into_iter().filter(|drop| share(drop) > limit).collect();
    above.sort_by(|a, b| share(b).total_cmp(&share(a)));
    let Some(worst) = above.first() else { return Verdict::Fine };
    let figures = format!("{} of {} records ({:.1} %)", worst.rejected, worst.read, share(worst) * 100.0);
    let others = if above.len() > 1 { format!("; {} drops are above the limit", above.len()) } else { String::new() };
    let limit = format!("{} % are worth a warning", round(limit * 100.0));
    Verdict::Firing(Detail {
        bare: format!("{figures} of a drop were rejected, {limit}{others}"),
        whole: format!("{figures} of drop {} were rejected, {limit}{others}", worst.name),
    })
}

fn slow(options: &AlertOptions, ended: &Ended, before: &[PastRun]) -> Verdict {
    let Some(now) = pace(ended) else { return Verdict::Unknown };
    match slow::judge(now, before, options.slow_factor, options.slow_seconds) {
        Some(Ok(())) => Verdict::Fine,
        Some(Err(why)) => Verdict::Firing(Detail::plain(why)),
        None => Verdict::Unknown,
    }
}

fn lookups(options: &AlertOptions, ended: &Ended) -> Verdict {
    let Some(report) = ended.report.as_ref().filter(|_| ended.failure.is_none()) else { return Verdict::Unknown };
    let asked: Vec<_> = report.lookups.iter().filter(|lookup| lookup.figures.wanted > 0).collect();
    let share = |failed: u64, wanted: u64| failed as f64 / wanted as f64;
    let limit = options.lookup_failed_share.0;
    let bad = asked.iter().filter(|lookup| share(lookup.figures.failed, lookup.figures.wanted) > limit);
    let said: Vec<String> = bad
        .map(|lookup| {
            let (failed, wanted) = (lookup.figures.failed, lookup.figures.wanted);
            format!("look-up {}: {failed} of {wanted} keys got no answer, {} wait", lookup.stage, lookup.waiting)
        })
        .collect();
    let is_quiet = report.lookups.iter().all(|lookup| lookup.waiting == 0);
    match said.is_empty() {
        false => Verdict::Firing(Detail::plain(said.join("; "))),
        true if is_quiet || !asked.is_empty() => Verdict::Fine,
        // Keys wait, and nobody was asked.
        true => Verdict::Unknown,
    }
}

fn vocabulary(ended: &Ended) -> Verdict {
    let Some(report) = ended.committed().filter(|_| !ended.read().is_empty()) else { return Verdict::Unknown };
    let unknown = report.warnings.iter().filter(|warning| VOCABULARY_REASONS.contains(&warning.reason.as_str()));
    let (mut count, mut words) = (0, Vec::new());
    for warning in unknown {
        count += warning.count;
        words.extend(warning.field.clone().filter(|word| !words.contains(word)));
    }
    if count == 0 {
        return Verdict::Fine;
    }
    let bare = format!("{count} values hold terms that vardelta does not know: they rank as nothing");
    let more = if words.len() > WORDS_NAMED { ", …" } else { "" };
    words.truncate(WORDS_NAMED);
    let named = if words.is_empty() { String::new() } else { format!(" ({}{more})", words.join(", ")) };
    Verdict::Firing(Detail { whole: format!("{bare}{named}"), bare })
}

/// A number without a tail of noise.
fn round(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use vardelta_engine::{
        contract::lookup::LookupFigures,
        error::{RunError, RunErrorKind},
        event::RunEvent,
        report::{Action, LookupReport, RunReport},
    };
    use vardelta_schemas::ledger::{Epoch, RecordCounts, WarningRow};

    use super::*;

    fn ended(change: impl FnOnce(&mut RunReport)) -> Ended {
        let mut report = RunReport::new("p", Epoch::FIRST, 1);
        report.committed = true;
        change(&mut report);
        Ended { report: Some(report), failure: None, seconds: 1.0 }
    }

    fn drop(name: &str, read: u64, rejected: u64) -> DropReport {
        DropReport::new(name, "calls", Action::Added, "", RecordCounts { read, rejected, ..RecordCounts::default() })
    }

    fn is_firing(verdict: &Verdict, words: &[&str]) -> bool {
        matches!(verdict, Verdict::Firing(detail) if words.iter().all(|word| detail.whole.contains(word)))
    }

    #[test]
    fn words_that_are_not_known_are_counted_and_named() {
        assert_eq!(vocabulary(&ended(|_| ())), Verdict::Unknown);
        let with = |warnings: &[(&str, &str)]| {
            ended(|report| {
                report.drops.push(drop("a", 10, 0));
                let warning = |(reason, field): &(&str, &str)| WarningRow {
                    reason: (*reason).into(),
                    field: Some((*field).into()),
                    count: 2,
                    ..WarningRow::default()
                };
                report.warnings = warnings.iter().map(warning).collect();
            })
        };
        assert_eq!(vocabulary(&with(&[("bad_info_value", "DP")])), Verdict::Fine);
        let found = vocabulary(&with(&[("unknown_term", "brand new"), ("consequence_unknown", "odd_variant")]));
        assert!(is_firing(&found, &["4 values", "brand new, odd_variant"]), "{found:?}");
        assert!(matches!(found, Verdict::Firing(detail) if !detail.bare.contains("brand new")));
    }

    #[test]
    fn a_look_up_is_degraded_by_its_share_and_fine_when_nothing_waits() -> Result<(), String> {
        let with = |wanted, failed, waiting| {
            ended(|report| {
                let figures = LookupFigures { wanted, failed, ..LookupFigures::default() };
                report.lookups.push(LookupReport { stage: "vep".into(), figures, waiting });
            })
        };
        let options = options()?;
        assert!(is_firing(&lookups(&options, &with(100, 6, 6)), &["look-up vep", "6 of 100"]));
        assert_eq!(lookups(&options, &with(100, 5, 5)), Verdict::Fine);
        assert_eq!(lookups(&options, &with(0, 0, 5)), Verdict::Unknown);
        assert_eq!(lookups(&options, &with(0, 0, 0)), Verdict::Fine);
        Ok(())
    }

    #[test]
    fn a_failure_is_told_with_its_kind_and_only_that_where_nothing_may_be_named() {
        let error = RunError::new(RunErrorKind::Input, "drops/jane.vcf is truncated").with_hint("Copy it again.");
        let events = [RunEvent::failed(&error, 2.0)];
        let ended = Ended::of(&events).map(|ended| failed(&ended));
        let Some(Verdict::Firing(detail)) = ended else { panic!("it failed") };
        assert_eq!(detail.bare, "input (exit code 4)");
        assert_eq!(detail.whole, "input (exit code 4): drops/jane.vcf is truncated\nCopy it again.");
    }

    /// The options of a pipeline file that says nothing of them.
    fn options() -> Result<AlertOptions, String> {
        use vardelta_engine::{contract::options::OptionReader, diagnostics::Diagnostics};
        let reader = OptionReader::new("[operate.alerts]".into(), 0..0, std::iter::empty());
        AlertOptions::read(reader, &mut Diagnostics::default()).ok_or_else(|| "there are defaults".into())
    }
}
