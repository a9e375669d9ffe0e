//! What pages show of epochs and look-ups.

use vardelta_engine::contract::sink::{DetailLimits, SinkError};
use vardelta_schemas::{
    ledger::{DropId, Epoch, EpochDetails, FirstPlace, LookupCount, RejectCount, RejectRow, WarningRow},
    sql::{details as sql, ledger::VERSION_WITH_LOOKUPS},
};

use super::{Cell, Database, Ledger, Taking, number};

impl<D: Database> Ledger<D> {
    /// What was rejected and adapted in an epoch.
    pub(crate) fn epoch_details(
        &mut self,
        pipeline: &str,
        epoch: Epoch,
        limits: DetailLimits,
    ) -> Result<EpochDetails, SinkError> {
        let Some(version) = self.version()? else { return Ok(EpochDetails::default()) };
        let of_epoch = [pipeline.into(), number(epoch.number())?];
        let limited = |limit: u32| [pipeline.into(), of_epoch[1].clone(), Cell::Integer(i64::from(limit))];
        let mut details = EpochDetails {
            rejects: self.all(sql::SELECT_REJECT_COUNTS, &of_epoch, |row| {
                Ok(RejectCount { stage: row.text()?, reason: row.text()?, count: row.number()? })
            })?,
            ..EpochDetails::default()
        };
        if !details.rejects.is_empty() {
            details.first_rejects = self.all(sql::SELECT_FIRST_REJECTS, &limited(limits.rejects_each), reject)?;
        }
        if version >= sql::VERSION_WITH_WARNINGS {
            let counted = self.all(sql::SELECT_WARNING_COUNT, &of_epoch, |row| row.number())?;
            details.warning_rows = counted.into_iter().sum();
            details.warnings = self.all(sql::SELECT_WARNINGS, &limited(limits.warnings), warning)?;
        }
        Ok(details)
    }

    /// How many looked-up keys are in which status.
    pub(crate) fn lookup_counts(&mut self, pipeline: &str) -> Result<Vec<LookupCount>, SinkError> {
        if self.version()?.is_none_or(|version| version < VERSION_WITH_LOOKUPS) {
            return Ok(Vec::new());
        }
        self.all(sql::SELECT_LOOKUP_COUNTS, &[pipeline.into()], |row| {
            Ok(LookupCount {
                stage: row.text()?,
                status: row.text()?,
                count: row.number()?,
                asked_at: row.optional_text()?,
                next_try: row.optional_text()?,
                last_error: row.optional_text()?,
            })
        })
    }
}

fn reject(row: &mut Taking<'_>) -> Result<RejectRow, SinkError> {
    Ok(RejectRow {
        drop_id: row.optional_number()?.map(DropId::new),
        drop_name: row.optional_text()?,
        stage: row.text()?,
        line: row.optional_number()?,
        contig: row.optional_text()?,
        pos: row.optional_integer()?,
        reason: row.text()?,
        detail: row.text()?,
        raw: row.optional_text()?,
    })
}

fn warning(row: &mut Taking<'_>) -> Result<WarningRow, SinkError> {
    let mut warning = WarningRow {
        reason: row.text()?,
        drop: row.optional_text()?,
        drop_id: row.optional_number()?.map(DropId::new),
        stage: row.text()?,
        field: row.optional_text()?,
        count: row.number()?,
        first: None,
    };
    let first = FirstPlace { line: row.optional_number()?, contig: row.optional_text()?, pos: row.optional_integer()? };
    warning.first = (first != FirstPlace::default()).then_some(first);
    Ok(warning)
}
