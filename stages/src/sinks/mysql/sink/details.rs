//! What pages show of epochs and look-ups, from a server.

use vardelta_engine::contract::sink::{DetailLimits, Details, SinkError};
use vardelta_schemas::ledger::{Epoch, EpochDetails, LookupCount};

use super::{MySqlSink, ledger_in};

impl Details for MySqlSink {
    fn epoch_details(&mut self, pipeline: &str, epoch: Epoch, limits: DetailLimits) -> Result<EpochDetails, SinkError> {
        self.on_snapshot("read the ledger of", |location, link| {
            ledger_in(location, link).epoch_details(pipeline, epoch, limits)
        })
    }

    fn lookup_counts(&mut self, pipeline: &str) -> Result<Vec<LookupCount>, SinkError> {
        self.on_snapshot("read the ledger of", |location, link| ledger_in(location, link).lookup_counts(pipeline))
    }
}
