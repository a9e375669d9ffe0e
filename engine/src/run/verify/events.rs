//! The ledger compared with itself: what its events say of the drops that stand, and whether every epoch has some.

use std::collections::BTreeSet;

use vardelta_schemas::ledger::{Accounts, Epoch, Event, Snapshot};

/// Something of the ledger of which its events say nothing, or something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Untold {
    /// The drop or the epoch.
    pub(super) key: String,
    /// What the rest of the ledger says.
    pub(super) expected: String,
    /// What the events say, if anything.
    pub(super) found: Option<String>,
}

/// What the events do not bear out: of every drop that stands the epoch that added it and the one that loaded it last, under its
/// name; and of every epoch that changed rows that there is one.
pub(super) fn untold(ledger: &Snapshot, events: &[Event], accounts: &Accounts) -> Vec<Untold> {
    let mut untold = Vec::new();
    for drop in &ledger.drops {
        let wanted = format!("`{}` of `{}`", drop.name, drop.source);
        for epoch in BTreeSet::from([drop.added_epoch, drop.loaded_epoch]) {
            let of_drop = events.iter().filter(|event| event.epoch == epoch && event.drop_id == Some(drop.drop_id));
            let found: Vec<String> = of_drop.map(|event| format!("`{}` of `{}`", event.name, event.source)).collect();
            if !found.contains(&wanted) {
                untold.push(Untold {
                    key: format!("drop {}, event of epoch {epoch}", drop.drop_id),
                    expected: wanted.clone(),
                    found: found.first().cloned(),
                });
            }
        }
    }
    let told: BTreeSet<Epoch> = events.iter().map(|event| event.epoch).collect();
    for (epoch, counts) in accounts.epochs.iter().filter(|(epoch, _)| !told.contains(epoch)) {
        if counts.iter().any(|table| table.changed_rows() > 0) {
            untold.push(Untold { key: format!("epoch {epoch}"), expected: "an event".to_owned(), found: None });
        }
    }
    untold
}

#[cfg(test)]
mod tests {
    use vardelta_schemas::ledger::{DropId, DropRow, RecordCounts, TableCounts};

    use super::*;

    fn event(epoch: u64, drop_id: u64, name: &str) -> Event {
        Event {
            epoch: Epoch::new(epoch),
            committed_at: String::new(),
            drop_id: Some(DropId::new(drop_id)),
            source: "s".into(),
            name: name.into(),
            action: "added".into(),
            counts: RecordCounts::default(),
        }
    }

    #[test]
    fn a_drop_and_an_epoch_without_their_events_are_found() {
        let drop = DropRow {
            drop_id: DropId::new(1),
            identity: None,
            source: "s".into(),
            name: "a".into(),
            path: "a.vcf".into(),
            bytes_digest: String::new(),
            content_digest: String::new(),
            added_epoch: Epoch::FIRST,
            loaded_epoch: Epoch::new(2),
            counts: RecordCounts::default(),
        };
        let ledger = Snapshot { epoch: Epoch::new(3), drops: vec![drop], ..Snapshot::default() };
        let changed = vec![TableCounts { name: "t".into(), deleted: 1, ..TableCounts::default() }];
        let accounts = Accounts {
            epochs: vec![(Epoch::FIRST, Vec::new()), (Epoch::new(2), Vec::new()), (Epoch::new(3), changed)],
            made: Vec::new(),
        };
        let keys = |events: &[Event]| -> Vec<String> {
            untold(&ledger, events, &accounts).into_iter().map(|untold| untold.key).collect()
        };
        assert_eq!(keys(&[event(1, 1, "a"), event(2, 1, "a"), event(3, 7, "b")]), [""; 0]);
        assert_eq!(keys(&[event(1, 1, "a"), event(2, 1, "other"), event(3, 7, "b")]), ["drop 1, event of epoch 2"]);
        assert_eq!(keys(&[event(1, 1, "a"), event(2, 1, "a")]), ["epoch 3"]);
        assert_eq!(keys(&[]), ["drop 1, event of epoch 1", "drop 1, event of epoch 2", "epoch 3"]);
    }
}
