//! Where the state holds the sides of the operator: in spaces of its own, or in those of the tables that they are.

use std::cell::{RefCell, RefMut};

use super::{ResidentRow, spec};
use crate::{
    error::RunError,
    flow::{Mode, WorkerContext, table},
    plan::StageIndex,
    relational::{Conflict, spaces},
    rows::Row,
    state::Reader,
    varint,
};

/// The stored rows of one side, as they were before the chunk.
pub(super) struct Store {
    worker: WorkerContext,
    space: String,
    /// Where the side is a table: which of its assertions stands.
    table: Option<Conflict>,
    /// The reader of the shard that was read last.
    reader: RefCell<Option<(u32, Reading)>>,
}

/// What is open of a shard.
enum Reading {
    Own(Reader),
    Table(table::Stored),
}

impl Store {
    /// The rows of one input.
    pub fn new(worker: &WorkerContext, stage: StageIndex, port: usize) -> Result<Store, RunError> {
        let (plan, spec) = (&worker.run.plan, spec(&worker.run, stage)?);
        let is_shared = if port == 0 { spec.is_left_shared } else { spec.is_right_shared };
        let input = &plan.stages[plan.stages[stage].inputs[port]];
        let (space, table) = match (input.as_table(), worker.run.mode) {
            // While tables are replayed they do not grow by chunks; so the operator keeps such a side for as long.
            (Some(table), Mode::Load) if is_shared => (input.name.clone(), Some(table.conflict)),
            _ => (spaces::side(&plan.stages[stage].name, port), None),
        };
        Ok(Store { worker: worker.clone(), space, table, reader: RefCell::new(None) })
    }

    /// The space to be written, where it is the operator's own.
    pub fn own_space(&self) -> Option<&str> {
        self.table.is_none().then_some(&self.space)
    }

    /// A reader of the shard: stretch after stretch of it costs as many seeks, not as many openings.
    fn reader(&self, shard: u32) -> Result<RefMut<'_, Reading>, RunError> {
        let mut kept = self.reader.borrow_mut();
        if kept.as_ref().is_none_or(|(of, _)| *of != shard) {
            let before = &self.worker.before;
            let reading = match self.table {
                None => Reading::Own(before.reader(&self.space, shard)?),
                Some(conflict) => Reading::Table(table::Stored::open(before, &self.space, shard, conflict)?),
            };
            *kept = Some((shard, reading));
        }
        RefMut::filter_map(kept, |kept| kept.as_mut().map(|(_, reader)| reader))
            .map_err(|_| RunError::internal("a reader that was made is gone"))
    }

    /// What is written for a row where the space is the operator's own: how many bytes of the entry are the place, then the
    /// value.
    pub fn bytes(row: &ResidentRow) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(row.value.len() + 1);
        varint::push(&mut bytes, u64::from(row.place));
        bytes.extend_from_slice(&row.value);
        bytes
    }

    /// Undoes [`Store::bytes`].
    fn row(&self, shard: u32, entry: &[u8], bytes: &[u8]) -> Result<ResidentRow, RunError> {
        let mut at = 0;
        let place = varint::read(bytes, &mut at).filter(|place| *place <= entry.len() as u64);
        let place = place.ok_or_else(|| RunError::internal(format!("the space `{}` cannot be read", self.space)))?;
        Ok(ResidentRow { shard, entry: entry.into(), place: place as u32, value: bytes[at..].into(), diff: 1 })
    }

    /// The row of an entry.
    pub fn get(&self, shard: u32, entry: &[u8]) -> Result<Option<ResidentRow>, RunError> {
        match &mut *self.reader(shard)? {
            Reading::Table(table) => Ok(table.standing(entry)?.map(|value| of_table(shard, entry.into(), value))),
            Reading::Own(reader) => reader.get(entry)?.map(|bytes| self.row(shard, entry, &bytes)).transpose(),
        }
    }

    /// Adds the rows of a shard from one entry up to another, which is left out; all that follow where there is none. So many
    /// at the most: the entry to go on from, where there may be more.
    pub fn read(
        &self,
        shard: u32,
        (from, before): (&[u8], Option<&[u8]>),
        limit: usize,
        rows: &mut Vec<ResidentRow>,
    ) -> Result<Option<Vec<u8>>, RunError> {
        let mut reading = self.reader(shard)?;
        let reader = match &mut *reading {
            Reading::Own(reader) => reader,
            Reading::Table(table) => {
                let mut found = Vec::new();
                let more = table.standing_rows((from, before), limit, &mut found)?;
                rows.extend(found.into_iter().map(|(key, value)| of_table(shard, key, value)));
                return Ok(more);
            }
        };
        let mut scan = reader.scan_range(from, before)?;
        for taken in 0.. {
            match scan.next_borrowed()? {
                Some((entry, _)) if taken == limit => return Ok(Some(entry.to_vec())),
                Some((entry, bytes)) => rows.push(self.row(shard, entry, bytes)?),
                None => break,
            }
        }
        Ok(None)
    }
}

/// A row of a table: its entry is its key.
fn of_table(shard: u32, key: Row, value: Row) -> ResidentRow {
    ResidentRow { shard, entry: key, place: 0, value, diff: 1 }
}
