//! The members of drops (samples) that were taken back by themselves.

use vardelta_engine::contract::sink::SinkError;
use vardelta_schemas::{
    ledger::{Epoch, EpochRecord, WithdrawnMember},
    sql::ledger as sql,
};

use super::{Cell, Database, Ledger, Taking, WRITE, number};

impl<D: Database> Ledger<D> {
    /// Those of a pipeline, in the order of their epochs. A ledger of an earlier version has none.
    pub(super) fn members(&mut self, pipeline: &str, version: u32) -> Result<Vec<WithdrawnMember>, SinkError> {
        match version >= sql::VERSION_WITH_MEMBERS {
            true => self.all(sql::SELECT_MEMBERS, &[pipeline.into()], member_row),
            false => Ok(Vec::new()),
        }
    }

    /// Writes what an epoch took back, and forgets what may come in again.
    pub(super) fn write_members(&mut self, record: &EpochRecord) -> Result<(), SinkError> {
        let pipeline = record.pipeline.as_str();
        for member in &record.readmitted_members {
            let cells = [pipeline.into(), Cell::from(&member.source), Cell::from(&member.name)];
            self.0.execute(WRITE, sql::DELETE_MEMBER, &cells)?;
        }
        for (ordinal, member) in (0_i64..).zip(&record.withdrawn_members) {
            let cells = [
                pipeline.into(),
                number(member.epoch.number())?,
                ordinal.into(),
                Cell::from(&member.source),
                member.drop.as_ref().into(),
                Cell::from(&member.name),
            ];
            self.0.execute(WRITE, sql::INSERT_MEMBER, &cells)?;
        }
        Ok(())
    }
}

fn member_row(row: &mut Taking<'_>) -> Result<WithdrawnMember, SinkError> {
    Ok(WithdrawnMember {
        source: row.text()?,
        drop: row.optional_text()?,
        name: row.text()?,
        epoch: Epoch::new(row.number()?),
    })
}
