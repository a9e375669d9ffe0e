//! What becomes of the ledger with an epoch.

use std::sync::Arc;

use vardelta_schemas::ledger::{DropRow, WithdrawnMember};

use crate::{
    contract::erasure::Erasure,
    epoch::{ahead::Sent, drops},
    plan::content::Definitions,
    report::Action,
};

/// What becomes of the ledger.
pub(crate) struct Outcome {
    /// Drops added, replaced or read again.
    pub upserted: Vec<(Action, DropRow)>,
    /// Drops taken back.
    pub withdrawn: Vec<DropRow>,
    /// Whether the sink's tables are rebuilt.
    pub replace_tables: bool,
    /// What a run over no drop is recorded as.
    pub without_drop: Option<Action>,
    /// Whether the state's list of drops is rebuilt from the ledger's.
    pub lists_all_drops: bool,
    /// What the pipeline computes.
    pub definitions: Definitions,
    /// What the sink's transaction has already.
    pub written: Sent,
    /// The members of drops that are taken back.
    pub withdrawn_members: Vec<WithdrawnMember>,
    /// The members that may come in again.
    pub readmitted_members: Vec<WithdrawnMember>,
    /// The look-up stages that got answers for keys of earlier epochs.
    pub completed: Vec<String>,
    /// Whether everything after the tables was recomputed.
    pub computed_anew: bool,
    /// The drops that are forgotten: those withdrawn, and others of their names.
    pub erasure: Option<Arc<Erasure>>,
}

impl Outcome {
    /// An outcome in which nothing happened to any drop.
    pub fn new(definitions: Definitions) -> Outcome {
        Outcome {
            upserted: Vec::new(),
            withdrawn: Vec::new(),
            withdrawn_members: Vec::new(),
            readmitted_members: Vec::new(),
            replace_tables: false,
            without_drop: None,
            lists_all_drops: false,
            definitions,
            written: Sent::default(),
            completed: Vec::new(),
            computed_anew: false,
            erasure: None,
        }
    }

    /// What the epoch changes about the drops that stand.
    pub(super) fn drop_changes(&self) -> drops::Changes {
        let withdrawn = self.withdrawn.iter().map(|drop| (drop.drop_id, None));
        withdrawn.chain(self.upserted.iter().map(|(_, drop)| (drop.drop_id, Some(drop.identity)))).collect()
    }

    /// The names of the drops that the epoch is about. What is forgotten is not named.
    pub(super) fn drop_names(&self) -> Vec<String> {
        match &self.erasure {
            Some(erasure) => erasure.drops.iter().map(|drop| erasure.proven(drop).1).collect(),
            None => {
                let upserted = self.upserted.iter().map(|(_, drop)| drop.name.clone());
                let withdrawn = self.withdrawn.iter().map(|drop| drop.name.clone());
                upserted.chain(withdrawn).chain(self.completed.iter().map(|stage| lookup_drop(stage))).collect()
            }
        }
    }
}

/// What an epoch is said to be about that brought answers to keys of earlier epochs.
pub(crate) fn lookup_drop(stage: &str) -> String {
    format!("lookup:{stage}")
}
