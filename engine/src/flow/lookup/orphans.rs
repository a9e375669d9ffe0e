//! Answers where everything else is recomputed: they are taken over, and those go that nobody turns out to want.

use std::sync::Arc;

use crate::{
    error::RunError,
    plan::Plan,
    relational::spaces,
    state::{SHARDS, Session},
};

/// Copies the answers of every look-up into another state.
pub(crate) fn copy_answers(plan: &Plan, from: &Arc<Session>, to: &Arc<Session>) -> Result<(), RunError> {
    for stage in plan.stages.iter().filter(|stage| stage.as_lookup().is_some()) {
        let space = spaces::answers(&stage.name);
        for shard in 0..SHARDS {
            let mut reader = from.reader(&space, shard)?;
            let mut scan = reader.scan(&[])?;
            let mut writer = to.run_writer(&space, shard);
            while let Some((key, value)) = scan.next_borrowed()? {
                writer.push(key, Some(value))?;
            }
            writer.finish()?;
        }
    }
    Ok(())
}

/// Takes the answers out of the state that nobody wants: every one is looked at.
pub(crate) fn forget_orphans(plan: &Plan, session: &Arc<Session>) -> Result<(), RunError> {
    for stage in plan.stages.iter().filter(|stage| stage.as_lookup().is_some()) {
        let space = spaces::answers(&stage.name);
        for shard in 0..SHARDS {
            let mut answers = session.reader(&space, shard)?;
            let mut wanted = session.reader(&spaces::wanted(&stage.name), shard)?;
            let mut writer = session.run_writer(&space, shard);
            let mut scan = answers.scan(&[])?;
            while let Some((key, _)) = scan.next_borrowed()? {
                if wanted.get(key)?.is_none() {
                    writer.push(key, None)?;
                }
            }
            writer.finish()?;
        }
    }
    Ok(())
}
