//! What pages show of one epoch: its rejects by reason, the first of each, and its warnings; and how many looked-up keys wait.
//! The statements are the same in every dialect.

/// Parameters: pipeline, epoch. Yields stage, reason and how many rejects of each there are.
pub const SELECT_REJECT_COUNTS: &str = "SELECT stage, reason, COUNT(*) FROM vardelta_rejects WHERE pipeline = ? \
    AND epoch = ? GROUP BY stage, reason ORDER BY stage, reason";

/// Parameters: pipeline, epoch, how many of each stage and reason. Yields drop_id, drop_name, stage, line, contig, pos, reason,
/// detail and raw of the rejects that were written first.
pub const SELECT_FIRST_REJECTS: &str = "SELECT rejects.drop_id, rejects.drop_name, rejects.stage, rejects.line, \
    rejects.contig, rejects.pos, rejects.reason, rejects.detail, rejects.raw FROM vardelta_rejects AS rejects JOIN (SELECT \
    reject_id, ROW_NUMBER() OVER (PARTITION BY stage, reason ORDER BY reject_id) AS place FROM vardelta_rejects \
    WHERE pipeline = ? AND epoch = ?) AS placed ON placed.reject_id = rejects.reject_id WHERE placed.place <= ? \
    ORDER BY rejects.stage, rejects.reason, rejects.reject_id";

/// Parameters: pipeline, epoch. Yields how many rows of warnings there are.
pub const SELECT_WARNING_COUNT: &str = "SELECT COUNT(*) FROM vardelta_warnings WHERE pipeline = ? AND epoch = ?";

/// Parameters: pipeline, epoch, how many. Yields reason, drop_name, drop_id, stage, field, occurrences, first_line,
/// first_contig and first_pos, what occurred most often first.
pub const SELECT_WARNINGS: &str = "SELECT reason, drop_name, drop_id, stage, field, occurrences, first_line, first_contig, \
    first_pos FROM vardelta_warnings WHERE pipeline = ? AND epoch = ? ORDER BY occurrences DESC, ordinal LIMIT ?";

/// The first version of the ledger that keeps warnings.
pub const VERSION_WITH_WARNINGS: u32 = 4;

/// Parameter: pipeline. Yields stage, status, how many keys, the latest asked_at, the earliest next_try and one last_error.
pub const SELECT_LOOKUP_COUNTS: &str = "SELECT stage, status, COUNT(*), MAX(asked_at), MIN(next_try), MAX(last_error) \
    FROM vardelta_lookups WHERE pipeline = ? GROUP BY stage, status ORDER BY stage, status";
