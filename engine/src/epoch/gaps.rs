//! Epochs that are not in a history: those before it was begun, and those in which the pipeline did not ask for it.

use std::ops::RangeInclusive;

use vardelta_schemas::{
    TableSchema,
    ledger::{Accounts, Epoch, Snapshot, TableCounts},
};

use crate::{contract::sink::Sink, error::RunError, plan::Plan};

/// The epochs that filled a table without its history, in order, as ranges. Of epochs after the history was made whose ledger does
/// not say whether they kept it, it is taken that they did.
pub(crate) fn gaps(accounts: &Accounts, table: &str, history: &str) -> Vec<RangeInclusive<Epoch>> {
    let made = accounts.made.iter().find(|(name, _)| name.eq_ignore_ascii_case(history)).map(|(_, epoch)| *epoch);
    let mut gaps: Vec<RangeInclusive<Epoch>> = Vec::new();
    for (epoch, counts) in &accounts.epochs {
        // Where there was no table, nothing is missing.
        let Some(counts) = counts.iter().find(|counts| counts.name == table) else { continue };
        if made.is_some_and(|made| *epoch >= made) && counts.history != Some(false) {
            continue;
        }
        match gaps.last_mut() {
            Some(last) if last.end().next() == *epoch => *last = *last.start()..=*epoch,
            _ => gaps.push(*epoch..=*epoch),
        }
    }
    gaps
}

/// What is to be said where an epoch begins a history, or takes it up again: what is not in it.
///
/// # Errors
/// When the ledger cannot be read.
pub(crate) fn notices(plan: &Plan, sink: &mut dyn Sink, before: &Snapshot) -> Result<Vec<String>, RunError> {
    // As far as the epoch before says so, its histories go on.
    let went_on = |name: &String| before.tables.iter().any(|it| it.name == *name && it.history == Some(true));
    if before.epoch == Epoch::NONE || plan.sink().history().iter().all(went_on) {
        return Ok(Vec::new());
    }
    let epoch = before.epoch.next();
    let accounts = sink.accounts(&plan.pipeline.name)?;
    let kept = kept(plan);
    Ok(kept
        .iter()
        .filter_map(|(table, history)| {
            let gaps = gaps(&accounts, &table.name, &history.name);
            let last = gaps.last().filter(|gap| gap.end().next() == epoch)?;
            let begins = if *last.start() == Epoch::FIRST || gaps.len() == 1 && made(&accounts, history) == Some(epoch)
            {
                "begins"
            } else {
                "begins again"
            };
            Some(format!("the history of `{}` {begins} with epoch {epoch}: {}", table.name, missing(last)))
        })
        .collect())
}

/// That an epoch or several are not in a history, in words.
pub fn missing(gap: &RangeInclusive<Epoch>) -> String {
    match gap.start() == gap.end() {
        true => format!("what epoch {} did is not in it", gap.start()),
        false => format!("what epochs {} to {} did is not in it", gap.start(), gap.end()),
    }
}

/// The tables with a history, each with its history.
pub(crate) fn kept(plan: &Plan) -> Vec<(TableSchema, TableSchema)> {
    let tables = plan.tables().into_iter().zip(plan.histories());
    tables.filter_map(|(table, history)| Some((table, history?))).collect()
}

/// A table's counts as the ledger keeps them: with whether the epoch kept its history.
pub(crate) fn with_history(plan: &Plan, counts: &TableCounts) -> TableCounts {
    TableCounts { history: Some(plan.sink().history().contains(&counts.name)), ..counts.clone() }
}

fn made(accounts: &Accounts, history: &TableSchema) -> Option<Epoch> {
    accounts.made.iter().find(|(name, _)| name.eq_ignore_ascii_case(&history.name)).map(|(_, epoch)| *epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(made: Option<Epoch>, kept: &[Option<bool>]) -> Accounts {
        let counts = |history: &Option<bool>| {
            vec![TableCounts { name: "t".into(), inserted: 1, history: *history, ..TableCounts::default() }]
        };
        Accounts {
            epochs: (1..).map(Epoch::new).zip(kept.iter().map(counts)).collect(),
            made: made.map(|epoch| ("T_history".to_owned(), epoch)).into_iter().collect(),
        }
    }

    #[test]
    fn epochs_that_kept_no_history_are_told_as_ranges() {
        let of = |made: Option<u64>, kept: &[Option<bool>]| {
            let gaps = gaps(&accounts(made.map(Epoch::new), kept), "t", "t_history");
            gaps.iter().map(|gap| gap.start().number()..=gap.end().number()).collect::<Vec<_>>()
        };
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(of(Some(1), &[yes, no, no, yes, no, yes]), [2..=3, 5..=5]);
        assert_eq!(of(Some(3), &[None, no, yes]), [1..=2]);
        assert_eq!(of(Some(2), &[None, None, None]), [1..=1], "an older ledger does not say");
        assert_eq!(of(None, &[None, no]), [1..=2]);
        assert_eq!(gaps(&accounts(None, &[None]), "other", "other_history"), [], "there was no such table");
    }
}
