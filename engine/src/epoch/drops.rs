//! The state's own list of the drops that stand, with their identities, kept so that it can be compared with the ledger's.

use std::{collections::BTreeMap, sync::Arc};

use vardelta_schemas::{
    Identity,
    ledger::{DropId, Snapshot},
};

use crate::{
    error::RunError,
    state::{Session, State},
};

/// The space of the list. No stage has such a name.
const SPACE: &str = "/drops";
/// All of it lies in one shard: it is read as a whole.
const SHARD: u32 = 0;
/// The note that says that a state has the list. States of before have none until their next epoch.
const NOTE: &str = "lists_drops";

/// What an epoch changes about the list: a drop that stands with its identity, or `None` for one that goes.
pub(crate) type Changes = BTreeMap<DropId, Option<Option<Identity>>>;

/// Brings the list to the epoch that is being prepared. `metadata` are that epoch's notes.
pub(crate) fn note(
    session: &Arc<Session>,
    ledger: &Snapshot,
    changes: &Changes,
    metadata: &mut BTreeMap<String, String>,
) -> Result<(), RunError> {
    let mut entries = Changes::new();
    if metadata.insert(NOTE.to_owned(), "1".to_owned()).is_none() {
        entries.extend(ledger.drops.iter().map(|drop| (drop.drop_id, Some(drop.identity))));
    }
    entries.extend(changes.iter().map(|(drop_id, change)| (*drop_id, *change)));
    let mut run = session.run_writer(SPACE, SHARD);
    for (drop_id, entry) in entries {
        let value = entry.map(|identity| identity.map_or(Vec::new(), |identity| identity.as_bytes().to_vec()));
        run.push(&drop_id.number().to_be_bytes(), value.as_deref())?;
    }
    Ok(run.finish()?)
}

/// Lets the list be rebuilt.
pub(crate) fn forget(session: &Session, metadata: &mut BTreeMap<String, String>) {
    session.clear_space(SPACE);
    metadata.remove(NOTE);
}

fn listed(state: &State) -> Result<BTreeMap<DropId, Option<Identity>>, RunError> {
    let session = state.begin()?;
    let mut reader = session.reader(SPACE, SHARD)?;
    let mut scan = reader.scan(&[])?;
    let damaged = || RunError::damaged_state(SPACE, "cannot be read");
    let mut listed = BTreeMap::new();
    while let Some((key, value)) = scan.next_borrowed()? {
        let drop_id = DropId::new(u64::from_be_bytes(key.try_into().map_err(|_| damaged())?));
        let identity = match value {
            [] => None,
            bytes => Some(Identity::from_bytes(bytes.try_into().map_err(|_| damaged())?)),
        };
        listed.insert(drop_id, identity);
    }
    Ok(listed)
}

/// A drop of which state and ledger say different things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Disagreement {
    /// The drop, as far as the ledger names it.
    pub drop: String,
    /// What the state says of it.
    pub state: Option<String>,
    /// What the ledger says of it.
    pub ledger: Option<String>,
}

/// The drops of which state and ledger, which are of one epoch, say different things. A state that has no list yet says
/// nothing.
pub(crate) fn disagreements(state: &State, ledger: &Snapshot) -> Result<Vec<Disagreement>, RunError> {
    if !state.metadata().contains_key(NOTE) {
        return Ok(Vec::new());
    }
    let in_state = listed(state)?;
    let in_ledger: BTreeMap<DropId, _> = ledger.drops.iter().map(|drop| (drop.drop_id, drop)).collect();
    let mut all: Vec<DropId> = in_state.keys().chain(in_ledger.keys()).copied().collect();
    all.sort_unstable();
    all.dedup();
    let shown = |identity: &Option<Identity>| match identity {
        Some(identity) => format!("identity {identity}"),
        None => "without identity".to_owned(),
    };
    let differs = all.into_iter().filter_map(|drop_id| {
        let (state, drop) = (in_state.get(&drop_id), in_ledger.get(&drop_id));
        let ledger = drop.map(|drop| &drop.identity);
        let name = drop.map(|drop| format!(" `{}` of `{}`", drop.name, drop.source)).unwrap_or_default();
        (state != ledger).then(|| Disagreement {
            drop: format!("drop {drop_id}{name}"),
            state: state.map(shown),
            ledger: ledger.map(shown),
        })
    });
    Ok(differs.collect())
}
