//! Which keys wait for an answer, and whose answers have grown old: an index beside the answers, so that a run that has
//! nothing to ask does not read them all.

use std::sync::Arc;

use arrow_array::{Array as _, StringArray};

use super::{kept::Kept, wishes::key_converter};
use crate::{
    error::RunError,
    relational::{LookupStatus, spaces},
    state::{SHARDS, Session},
};

/// Before the key of one that waits.
const WAITING: u8 = 0;
/// Before the time and the key of one whose answer grows old.
const GROWS_OLD: u8 = 1;

/// The entry of a key that is wanted, if it has one: an answer that stays fresh for ever has none.
pub(super) fn entry(key: &[u8], kept: Option<&Kept>) -> Option<Vec<u8>> {
    let mut entry = match kept {
        None => vec![WAITING],
        Some(kept) => {
            let mut entry = vec![GROWS_OLD];
            entry.extend_from_slice(&kept.until_s?.to_be_bytes());
            entry
        }
    };
    entry.extend_from_slice(key);
    Some(entry)
}

/// A key that is due to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// The key.
    pub key: Arc<str>,
    /// What is known of it.
    pub status: LookupStatus,
}

/// The keys of a look-up that wait, or whose answers have grown old by now.
pub(crate) fn scan_due(session: &Arc<Session>, stage: &str, now_s: u64) -> Result<Vec<Due>, RunError> {
    let damaged = || RunError::damaged_state(stage, "cannot be read");
    let keys = key_converter()?;
    let parser = keys.parser();
    let mut all = Vec::new();
    for shard in 0..SHARDS {
        let (mut rows, mut statuses): (Vec<Vec<u8>>, Vec<LookupStatus>) = (Vec::new(), Vec::new());
        let mut answers = session.reader(&spaces::answers(stage), shard)?;
        let mut reader = session.reader(&spaces::due(stage), shard)?;
        let mut scan = reader.scan(&[])?;
        while let Some((entry, _)) = scan.next_borrowed()? {
            let (sort, rest) = entry.split_first().ok_or_else(damaged)?;
            if *sort == WAITING {
                rows.push(rest.to_vec());
                statuses.push(LookupStatus::Waiting);
                continue;
            }
            let (until_s, key) = rest.split_first_chunk().ok_or_else(damaged)?;
            if u64::from_be_bytes(*until_s) > now_s {
                break;
            }
            let kept = answers.get(key)?.and_then(|bytes| Kept::from_bytes(&bytes)).ok_or_else(damaged)?;
            rows.push(key.to_vec());
            statuses.push(kept.status());
        }
        if rows.is_empty() {
            continue;
        }
        let arrays = keys.convert_rows(rows.iter().map(|row| parser.parse(row))).map_err(RunError::internal)?;
        let texts =
            arrays.first().and_then(|array| array.as_any().downcast_ref::<StringArray>()).ok_or_else(damaged)?;
        let due = |(at, status): (usize, LookupStatus)| Due { key: texts.value(at).into(), status };
        all.extend(statuses.into_iter().enumerate().map(due));
    }
    Ok(all)
}

/// How many keys of a look-up wait for an answer.
pub(crate) fn count_waiting(session: &Arc<Session>, stage: &str) -> Result<u64, RunError> {
    let mut waiting = 0;
    for shard in 0..SHARDS {
        let mut reader = session.reader(&spaces::due(stage), shard)?;
        let mut scan = reader.scan(&[])?;
        while let Some((entry, _)) = scan.next_borrowed()?
            && entry.first() == Some(&WAITING)
        {
            waiting += 1;
        }
    }
    Ok(waiting)
}

/// Every key that is wanted, and what is known of it.
pub(crate) fn each_wanted(
    session: &Arc<Session>,
    stage: &str,
    fingerprint: u128,
    each: &mut dyn FnMut(&str, LookupStatus),
) -> Result<(), RunError> {
    let damaged = || RunError::damaged_state(stage, "cannot be read");
    let keys = key_converter()?;
    let parser = keys.parser();
    for shard in 0..SHARDS {
        let mut answers = session.reader(&spaces::answers(stage), shard)?;
        let mut wanted = session.reader(&spaces::wanted(stage), shard)?;
        let mut scan = wanted.scan(&[])?;
        while let Some((key, _)) = scan.next_borrowed()? {
            let kept = Kept::current(answers.get(key)?.as_deref(), fingerprint).ok_or_else(damaged)?;
            let arrays = keys.convert_rows([parser.parse(key)]).map_err(RunError::internal)?;
            let text = arrays.first().and_then(|array| array.as_any().downcast_ref::<StringArray>());
            each(text.ok_or_else(damaged)?.value(0), kept.map_or(LookupStatus::Waiting, |kept| kept.status()));
        }
    }
    Ok(())
}
