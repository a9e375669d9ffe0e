//! What the state holds of one side: its own space, or that of the table it is.

use super::{
    layout::{SideRow, port},
    spec,
};
use crate::{
    differential::Side,
    error::{RunError, RunErrorKind},
    flow::{Mode, WorkerContext, table},
    plan::StageIndex,
    relational::{Conflict, spaces},
    rows::Row,
    state::Reader,
};

/// Where the rows of a side lie.
#[derive(Clone)]
pub(super) enum Place {
    /// In a space of the join.
    Own(String),
    /// In the state of the table that the side is, by its name.
    Table(String, Conflict),
}

/// What is open of a shard.
enum Reading {
    Own(Reader),
    Table(table::Stored),
}

/// The stored rows of one side, as they were before the chunk. Fast where groups are asked for by shard and in order.
pub(super) struct Stored {
    worker: WorkerContext,
    place: Place,
    /// Whether a group has one row at the most, whose entry is the group itself.
    is_unique: bool,
    reader: Option<(u32, Reading)>,
}

impl Stored {
    pub fn new(stage: StageIndex, side: Side, worker: &WorkerContext) -> Result<Stored, RunError> {
        let (plan, port) = (&worker.run.plan, port(side));
        let spec = spec(&worker.run, stage)?;
        let input = &plan.stages[plan.stages[stage].inputs[port]];
        let own = || Place::Own(spaces::side(&plan.stages[stage].name, port));
        let place = match (input.as_table(), worker.run.mode) {
            // While tables are replayed they do not grow by chunks; so the join keeps such a side for as long.
            (Some(table), Mode::Load) if spec.side(port).is_shared => Place::Table(input.name.clone(), table.conflict),
            _ => own(),
        };
        let is_unique = spec.side(port).own_key.is_empty();
        Ok(Stored { worker: worker.clone(), place, is_unique, reader: None })
    }

    /// Where the rows lie.
    pub fn place(&self) -> &Place {
        &self.place
    }

    fn reading(&mut self, shard: u32) -> Result<&mut Reading, RunError> {
        let before = &self.worker.before;
        let reading = match (self.reader.take(), &self.place) {
            (Some((of, reading)), _) if of == shard => reading,
            (_, Place::Own(space)) => Reading::Own(before.reader(space, shard)?),
            (_, Place::Table(table, conflict)) => Reading::Table(table::Stored::open(before, table, shard, *conflict)?),
        };
        Ok(&mut self.reader.insert((shard, reading)).1)
    }

    /// The value of an entry.
    pub fn get(&mut self, shard: u32, entry: &[u8]) -> Result<Option<Row>, RunError> {
        match self.reading(shard)? {
            Reading::Own(reader) => Ok(reader.get(entry)?.map(Row::from)),
            Reading::Table(table) => table.standing(entry),
        }
    }

    /// Whether a group has no row.
    pub fn is_empty(&mut self, shard: u32, group: &[u8]) -> Result<bool, RunError> {
        let mut found = Vec::new();
        self.read(shard, group, group, 1, &mut found)?;
        Ok(found.is_empty())
    }

    /// Adds rows of a group to `rows`, in order from this entry on, so many at the most. The entry to go on from, where there
    /// may be more.
    pub fn read(
        &mut self,
        shard: u32,
        group: &[u8],
        from: &[u8],
        limit: usize,
        rows: &mut Vec<SideRow>,
    ) -> Result<Option<Vec<u8>>, RunError> {
        let row =
            |entry: Row, value: Row| SideRow { shard, entry, group: group.len() as u32, value: Some(value), diff: 1 };
        if self.is_unique {
            rows.extend(self.get(shard, group)?.map(|value| row(group.into(), value)));
            return Ok(None);
        }
        let Reading::Own(reader) = self.reading(shard)? else {
            return Err(RunError::internal("a table's key names more than one row"));
        };
        let mut scan = reader.scan_prefix(group, from)?;
        for taken in 0.. {
            match scan.next_borrowed()? {
                Some((entry, _)) if taken == limit => return Ok(Some(entry.to_vec())),
                Some((entry, value)) => rows.push(row(entry.into(), value.into())),
                None => break,
            }
        }
        Ok(None)
    }
}

/// The state of a side does not fit its changes.
pub(super) fn damaged(worker: &WorkerContext, stage: StageIndex, side: Side, what: &str) -> RunError {
    let name = match side {
        Side::Left => "left",
        Side::Right => "right",
    };
    let stage = &worker.run.plan.stages[stage].name;
    RunError::new(
        RunErrorKind::Sink,
        format!("the state of the {name} side of stage `{stage}` cannot be right: {what}; nothing was written"),
    )
    .with_hint("Run `vardelta rebuild` to make it from scratch.")
}
