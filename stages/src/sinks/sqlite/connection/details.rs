//! What pages show of epochs and look-ups, from a file.

use vardelta_engine::contract::sink::{DetailLimits, Details, SinkError};
use vardelta_schemas::ledger::{Epoch, EpochDetails, LookupCount};

use super::{SqliteSink, ledger_in};

impl Details for SqliteSink {
    fn epoch_details(&mut self, pipeline: &str, epoch: Epoch, limits: DetailLimits) -> Result<EpochDetails, SinkError> {
        self.on_snapshot("read the ledger of", |path, connection| {
            ledger_in(path, connection).epoch_details(pipeline, epoch, limits)
        })
    }

    fn lookup_counts(&mut self, pipeline: &str) -> Result<Vec<LookupCount>, SinkError> {
        self.on_snapshot("read the ledger of", |path, connection| ledger_in(path, connection).lookup_counts(pipeline))
    }
}
