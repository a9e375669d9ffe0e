//! The ledger: what is loaded, what every epoch did, what was rejected. Tables in the sink's own database, written in the
//! same transaction as the rows; the only judge of what has happened.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};

use crate::Identity;

/// The number of a drop: its place in ledger order. A replacement keeps it, and none is given twice. 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DropId(u64);

impl DropId {
    /// The drop of this number.
    pub const fn new(number: u64) -> DropId {
        DropId(number)
    }

    /// Its number, as databases, states and reports have it.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The number that is given next.
    pub const fn next(self) -> DropId {
        DropId(self.0 + 1)
    }
}

impl fmt::Display for DropId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of an epoch: its place among the epochs of its pipeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(u64);

impl Epoch {
    /// Before the first.
    pub const NONE: Epoch = Epoch(0);
    /// The first.
    pub const FIRST: Epoch = Epoch(1);

    /// The epoch of this number.
    pub const fn new(number: u64) -> Epoch {
        Epoch(number)
    }

    /// Its number, as databases, states and rows have it.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The one after it.
    pub const fn next(self) -> Epoch {
        Epoch(self.0 + 1)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which epoch is meant: its number, and what tells it from another epoch of the same number. State and ledger agree when
/// theirs are equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EpochId {
    /// Its number; 0 before the first.
    pub number: Epoch,
    /// Its identity. Epochs that were written before there were identities have none.
    pub identity: Option<Identity>,
    /// The pipeline's identity, made with its first epoch.
    pub pipeline: Option<Identity>,
}

impl EpochId {
    /// An epoch of before there were identities.
    pub const fn numbered(number: Epoch) -> EpochId {
        EpochId { number, identity: None, pipeline: None }
    }
}

/// The ledger of one pipeline at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The last committed epoch; 0 before the first.
    pub epoch: Epoch,
    /// The identity of that epoch; `None` before the first, and where it was written before there were identities.
    pub identity: Option<Identity>,
    /// The identity of the pipeline in this database; `None` as for the epoch.
    pub pipeline_identity: Option<Identity>,
    /// The greatest number that a drop was ever given, whether it stands or not; 0 for none.
    pub last_drop_id: DropId,
    /// The stages' definitions as of that epoch, as JSON text (see the engine's plan); empty before the first.
    pub definition: String,
    /// The drops that stand, in ledger order.
    pub drops: Vec<DropRow>,
    /// The tables as the last epoch left them.
    pub tables: Vec<TableCounts>,
    /// The members of drops that were taken back by themselves, in the order of their epochs.
    pub withdrawn_members: Vec<WithdrawnMember>,
}

/// A member of a source's drops (a sample) that was taken back by itself: no delivery brings it in again until it is readmitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WithdrawnMember {
    /// The source stage.
    pub source: String,
    /// The one drop that it is kept out of; `None` for all of them, whenever they are delivered.
    pub drop: Option<String>,
    /// The member's name.
    pub name: String,
    /// The epoch that took it back.
    pub epoch: Epoch,
}

impl Snapshot {
    /// The last committed epoch.
    pub fn id(&self) -> EpochId {
        EpochId { number: self.epoch, identity: self.identity, pipeline: self.pipeline_identity }
    }

    /// The names of the members that are kept out of a drop of a source.
    pub fn left_out(&self, source: &str, drop: &str) -> BTreeSet<String> {
        let is_meant = |member: &&WithdrawnMember| {
            member.source == source && member.drop.as_deref().is_none_or(|of_member| of_member == drop)
        };
        self.withdrawn_members.iter().filter(is_meant).map(|member| member.name.clone()).collect()
    }
}

/// A drop that stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DropRow {
    /// Its number, which is its place in ledger order. A replacement keeps it.
    pub drop_id: DropId,
    /// What tells it from every other drop, also from one that was given the same number in a copy of the database.
    /// Drops of before there were identities have none.
    pub identity: Option<Identity>,
    /// The source stage it was delivered to.
    pub source: String,
    /// The logical name.
    pub name: String,
    /// The file it was read from, as an absolute path.
    pub path: String,
    /// xxh3-128 of the file's bytes, 32 hexadecimal digits.
    pub bytes_digest: String,
    /// The content digest, 32 hexadecimal digits.
    pub content_digest: String,
    /// The epoch that added it.
    pub added_epoch: Epoch,
    /// The epoch that last replaced it, or `added_epoch`.
    pub loaded_epoch: Epoch,
    /// The accounting of its records.
    pub counts: RecordCounts,
}

/// The accounting of a drop's records: `read` is the sum of the other four, always. `no_alternate` is a
/// part of `filtered`, `reference_blocks` a part of `no_alternate`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordCounts {
    /// Records read.
    pub read: u64,
    /// Records of which at least one row is in a table.
    pub loaded: u64,
    /// Records whose rows passed no filter, or that had no alternate allele.
    pub filtered: u64,
    /// Records that were rejected, or all of whose alleles were.
    pub rejected: u64,
    /// Records all of whose rows were superseded inside their own drop.
    pub duplicates: u64,
    /// Of the filtered ones, those without alternate allele.
    pub no_alternate: u64,
    /// Of those, the gVCF reference blocks: records whose only alternates are `<NON_REF>` or `<*>`.
    #[serde(default)]
    pub reference_blocks: u64,
}

/// What an epoch did with one drop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The epoch.
    pub epoch: Epoch,
    /// The UTC time of the commit, RFC 3339, to the second.
    pub committed_at: String,
    /// The drop's number; `None` for an epoch that is about no drop (a rebuild).
    pub drop_id: Option<DropId>,
    /// The source stage.
    pub source: String,
    /// The drop's name.
    pub name: String,
    /// `added`, `replaced`, `withdrawn`, `sample_withdrawn`, or `rebuilt`.
    pub action: String,
    /// The accounting of the records read (zeros for a withdrawal).
    pub counts: RecordCounts,
}

/// What an epoch did with one table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TableCounts {
    /// The table.
    pub name: String,
    /// Rows inserted.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows deleted.
    pub deleted: u64,
    /// Rows of the table that were left alone.
    pub unchanged: u64,
    /// Whether the epoch kept the table's history. The ledger alone has it, and none of before it was written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<bool>,
}

impl TableCounts {
    /// Rows that changed.
    pub fn changed_rows(&self) -> u64 {
        self.inserted + self.updated + self.deleted
    }
}

/// What the ledger says that was written, for whoever compares it with what is there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Accounts {
    /// What every epoch did with the tables, in order of epoch.
    pub epochs: Vec<(Epoch, Vec<TableCounts>)>,
    /// The pipeline's tables and histories, with the epoch that made each.
    pub made: Vec<(String, Epoch)>,
}

/// Everything the ledger learns at a commit.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochRecord {
    /// The pipeline.
    pub pipeline: String,
    /// The new epoch.
    pub epoch: Epoch,
    /// Its identity.
    pub identity: Identity,
    /// The pipeline's identity: that of the ledger, or a new one where the ledger has none.
    pub pipeline_identity: Identity,
    /// The UTC time, RFC 3339, to the second.
    pub committed_at: String,
    /// The stages' definitions, as JSON text.
    pub definition: String,
    /// The drops that stand after this epoch and were added or replaced by it.
    pub upserted_drops: Vec<DropRow>,
    /// The numbers of drops that this epoch withdrew.
    pub withdrawn_drops: Vec<DropId>,
    /// The members of drops that this epoch took back.
    pub withdrawn_members: Vec<WithdrawnMember>,
    /// The members that may come in again from this epoch on.
    pub readmitted_members: Vec<WithdrawnMember>,
    /// What happened, drop by drop.
    pub events: Vec<Event>,
    /// What happened, table by table.
    pub tables: Vec<TableCounts>,
    /// What was adapted.
    pub warnings: Vec<WarningRow>,
    /// What became of looked-up keys.
    pub lookups: LookupChanges,
}

/// What an epoch changes about `vardelta_lookups`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookupChanges {
    /// Whether all rows of the pipeline go first: everything was recomputed.
    pub replaces_all: bool,
    /// Rows that are put in place, or in the place of the one with the same stage and key.
    pub put: Vec<LookupRow>,
    /// Stages and keys whose rows go.
    pub gone: Vec<(String, String)>,
}

/// A row of `vardelta_lookups`: a key that rows want, and what is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookupRow {
    /// The look-up stage.
    pub stage: String,
    /// The key.
    pub key: String,
    /// `found`, `absent`, or `waiting`: there is no answer yet.
    pub status: String,
    /// How often it was asked for in vain since the last answer.
    pub attempts: u64,
    /// Before when it is not asked for again, UTC, RFC 3339; `None` where the next run does.
    pub next_try: Option<String>,
    /// Why there was no answer last time.
    pub last_error: Option<String>,
    /// When it was last asked for, UTC, RFC 3339; `None` where it never was.
    pub asked_at: Option<String>,
}

/// A row of `vardelta_set_aside`: a file that could not be loaded, and is tried again later while others go on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SetAsideRow {
    /// The source stage.
    pub source: String,
    /// The file, as the ledger keeps the paths of drops.
    pub path: String,
    /// The name that its drop would have.
    pub drop: String,
    /// Which file it was (size, times, inode), so that another one in its place is known.
    pub stamp: String,
    /// How often it was tried in vain.
    pub attempts: u64,
    /// The sort of failure, as errors name it: `input`, `reject_share`.
    pub kind: String,
    /// What was wrong last time.
    pub reason: String,
    /// When it was set aside first, UTC, RFC 3339.
    pub since: String,
    /// When it is tried again, UTC, RFC 3339, unless it changes before.
    pub next_try: String,
}

/// A row of `vardelta_warnings`: something was adapted rather than refused, so often.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WarningRow {
    /// The reason code.
    pub reason: String,
    /// The drop's name; `None` after a table.
    pub drop: Option<String>,
    /// The drop's number.
    #[serde(skip)]
    pub drop_id: Option<DropId>,
    /// The stage that adapted it.
    pub stage: String,
    /// What it is about: an INFO or FORMAT key, a column, the name of a contig, filter or sample; `None` where the reason
    /// says it all.
    pub field: Option<String>,
    /// How often.
    pub count: u64,
    /// Where first; `None` where it is about no record.
    pub first: Option<FirstPlace>,
}

/// The place of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstPlace {
    /// Line in the decompressed text, 1-based.
    pub line: Option<u64>,
    /// The contig as the file writes it.
    pub contig: Option<String>,
    /// The position, 1-based.
    pub pos: Option<i64>,
}

/// What the ledger keeps of one epoch beside its events and counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EpochDetails {
    /// Rejects by stage and reason.
    pub rejects: Vec<RejectCount>,
    /// The first rejects of each stage and reason.
    pub first_rejects: Vec<RejectRow>,
    /// Rows of warnings that there are.
    pub warning_rows: u64,
    /// Some of them: those that occurred most often.
    pub warnings: Vec<WarningRow>,
}

/// How often a stage rejected for a reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RejectCount {
    /// The stage.
    pub stage: String,
    /// The reason code.
    pub reason: String,
    /// How often.
    pub count: u64,
}

/// How many keys of a look-up stage are in one status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookupCount {
    /// The look-up stage.
    pub stage: String,
    /// `found`, `absent` or `waiting`.
    pub status: String,
    /// How many keys.
    pub count: u64,
    /// When one of them was asked for last, UTC, RFC 3339.
    pub asked_at: Option<String>,
    /// When the first of them may be asked for again, UTC, RFC 3339.
    pub next_try: Option<String>,
    /// Why there was no answer, of one of them.
    pub last_error: Option<String>,
}

impl EpochRecord {
    /// The new epoch.
    pub fn id(&self) -> EpochId {
        EpochId { number: self.epoch, identity: Some(self.identity), pipeline: Some(self.pipeline_identity) }
    }
}

/// A row of `vardelta_rejects`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RejectRow {
    /// The drop's number; `None` for a row rejected after a table.
    pub drop_id: Option<DropId>,
    /// The drop's name.
    pub drop_name: Option<String>,
    /// The stage that rejected it.
    pub stage: String,
    /// Line in the decompressed text, 1-based.
    pub line: Option<u64>,
    /// The contig as the file writes it.
    pub contig: Option<String>,
    /// The position, 1-based.
    pub pos: Option<i64>,
    /// The reason code.
    pub reason: String,
    /// What exactly was wrong.
    pub detail: String,
    /// The raw text, at most 4 KiB of it.
    pub raw: Option<String>,
}
