//! What became of a row, by the histories that the sink keeps: its own, and those of the tables that it is made of.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, atomic::AtomicBool},
};

use arrow_array::{Array as _, ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, StringArray, cast::AsArray as _};
use vardelta_schemas::{TableSchema, ledger::Epoch};

use super::{
    Cells, cells,
    walk::{Instead, Walk},
    wanted::{Equal, mask},
};
use crate::{
    contract::sink::{Sink, SinkError, SinkErrorKind},
    epoch::open::Opened,
    error::RunError,
    plan::{Plan, StageIndex},
    rows::lax_table,
};

/// What an epoch did with a row.
#[derive(Debug)]
pub struct Happened {
    /// The epoch.
    pub epoch: Epoch,
    /// `insert`, `update` or `delete`.
    pub operation: String,
    /// The UTC time of the epoch, RFC 3339.
    pub changed_at: String,
    /// The names of the epoch's drops.
    pub drops: Vec<String>,
    /// The columns that moved: name, old and new value; NULL where there is no row.
    pub moved: Vec<(String, ArrayRef, ArrayRef)>,
    /// The changed rows of tables that are part of it, before or after.
    pub because: Vec<Because>,
}

/// A changed row of a table that another row is made of.
#[derive(Debug)]
pub struct Because {
    /// The table.
    pub table: String,
    /// `insert`, `update` or `delete`.
    pub operation: String,
    /// Its key.
    pub key: Cells,
    /// The columns that moved, as of [`Happened::moved`].
    pub moved: Vec<(String, ArrayRef, ArrayRef)>,
}

/// The tables with a history, by stage.
pub(super) struct Histories {
    tables: BTreeMap<StageIndex, (TableSchema, TableSchema)>,
}

/// One row of a history.
struct Entry {
    epoch: Epoch,
    operation: String,
    drops: Vec<String>,
    changed_at: String,
    old: RecordBatch,
    new: RecordBatch,
}

impl Histories {
    pub fn of(plan: &Plan, opened: &Opened) -> Histories {
        let inputs = plan.stages[plan.sink].inputs.iter().copied();
        let kept = inputs.zip(plan.tables().into_iter().zip(plan.histories()));
        // The first epoch makes them.
        let kept = kept.filter(|_| opened.ledger.epoch > Epoch::NONE);
        Histories { tables: kept.filter_map(|(at, (table, history))| Some((at, (table, history?)))).collect() }
    }

    /// What became of a row.
    pub fn of_row(
        &self,
        sink: &mut dyn Sink,
        walk: &Walk<'_>,
        (stage, table): (StageIndex, &TableSchema),
        equal: &Equal,
        notices: &mut Vec<String>,
    ) -> Result<Vec<Happened>, RunError> {
        let Some((_, history)) = self.tables.get(&stage) else {
            notices.push(format!(
                "the sink keeps no history of `{0}`, so what became of the row is not known: `history = [\"{0}\"]`",
                table.name
            ));
            return Ok(Vec::new());
        };
        let is_it = &mut |rows: &RecordBatch| mask(std::slice::from_ref(equal), rows).ok();
        let own = entries(sink, table, history, is_it)?.into_iter().map(|entry| Happened {
            epoch: entry.epoch,
            moved: moved(table, &entry),
            operation: entry.operation,
            changed_at: entry.changed_at,
            drops: entry.drops,
            because: Vec::new(),
        });
        let mut happened: Vec<Happened> = own.collect();
        happened.sort_by_key(|one| one.epoch);
        let epochs: BTreeSet<Epoch> = happened.iter().map(|one| one.epoch).collect();
        if epochs.is_empty() || walk.plan.stages[stage].is_table() {
            return Ok(happened);
        }
        let mut untold = Vec::new();
        for base in base_tables(walk.plan, stage) {
            match self.tables.get(&base) {
                Some((base_table, base_history)) => {
                    let base = (base, base_table, base_history);
                    self.add_because(sink, walk, stage, equal, base, &mut happened)?;
                }
                None => untold.push(format!("`{}`", walk.plan.stages[base].name)),
            }
        }
        if !untold.is_empty() {
            let list = untold.join(", ");
            notices.push(format!(
                "of {list} the sink keeps no history: their part in what became of the row is not shown"
            ));
        }
        Ok(happened)
    }

    /// Which changed rows of one table are part of the row, before or after; what else it is made of is taken as it is now.
    fn add_because(
        &self,
        sink: &mut dyn Sink,
        walk: &Walk<'_>,
        stage: StageIndex,
        equal: &Equal,
        (base, table, history): (StageIndex, &TableSchema, &TableSchema),
        happened: &mut [Happened],
    ) -> Result<(), RunError> {
        let epochs: BTreeSet<Epoch> = happened.iter().map(|one| one.epoch).collect();
        let mut changed = entries(sink, table, history, &mut |rows| Some(vec![true; rows.num_rows()].into()))?;
        changed.retain(|entry| epochs.contains(&entry.epoch));
        let layout = walk.plan.stages[base].layout()?;
        let strict = table.schema.to_arrow();
        let mut instead = Vec::new();
        for (number, entry) in (0_u64..).zip(&changed) {
            for (rows, is_there) in
                [(&entry.old, entry.operation != "insert"), (&entry.new, entry.operation != "delete")]
            {
                let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
                let columns = rows.columns().to_vec();
                // A row of another definition may lack what a column must have today.
                let rows = RecordBatch::try_new_with_options(Arc::clone(&strict), columns, &options);
                if let (true, Ok(rows)) = (is_there, rows) {
                    let encoded = layout.encode(&rows).map_err(RunError::internal)?;
                    instead.push(Instead { key: encoded.key(0).into(), rows, number });
                }
            }
        }
        let other = Walk {
            plan: walk.plan,
            before: walk.before,
            abort: walk.abort,
            notices: Mutex::default(),
            instead: BTreeMap::from([(base, instead)]),
            aggregates: walk.aggregates.clone(),
            needs_aggregates: AtomicBool::default(),
        };
        let found = other.find(stage, &vec![equal.clone()])?;
        let of_base = found.parts.iter().flatten().filter(|leaf| leaf.stage == base);
        let numbers: BTreeSet<u64> = of_base.map(|leaf| leaf.origin).collect();
        for number in numbers {
            let Some(entry) = changed.get(number as usize) else { continue };
            let Some(one) = happened.iter_mut().find(|one| one.epoch == entry.epoch) else { continue };
            let rows = if entry.operation == "delete" { &entry.old } else { &entry.new };
            let key = cells(rows, 0);
            one.because.push(Because {
                table: table.name.clone(),
                operation: entry.operation.clone(),
                key: table.key.iter().map(|at| key[*at].clone()).collect(),
                moved: moved(table, entry),
            });
        }
        Ok(())
    }
}

/// The tables that a stage's rows are made of.
fn base_tables(plan: &Plan, stage: StageIndex) -> BTreeSet<StageIndex> {
    let (mut tables, mut open) = (BTreeSet::new(), plan.stages[stage].inputs.clone());
    while let Some(at) = open.pop() {
        match plan.stages[at].is_table() {
            true => drop(tables.insert(at)),
            false => open.extend(&plan.stages[at].inputs),
        }
    }
    tables
}

/// The columns whose values differ.
fn moved(table: &TableSchema, entry: &Entry) -> Vec<(String, ArrayRef, ArrayRef)> {
    let columns = table.schema.columns().iter().enumerate().filter(|(at, _)| !table.key.contains(at));
    let both = columns
        .map(|(at, column)| (column.name.clone(), Arc::clone(entry.old.column(at)), Arc::clone(entry.new.column(at))));
    both.filter(|(_, old, new)| old.to_data() != new.to_data()).collect()
}

/// Which rows of a history are meant, by the table's rows after the epoch, which have their keys in any case.
type IsMeant<'a> = dyn FnMut(&RecordBatch) -> Option<arrow_array::BooleanArray> + 'a;

/// The rows of a history that are meant.
fn entries(
    sink: &mut dyn Sink,
    table: &TableSchema,
    history: &TableSchema,
    is_meant: &mut IsMeant<'_>,
) -> Result<Vec<Entry>, RunError> {
    let mut found = Vec::new();
    let lax = {
        let mut lax = lax_table(table);
        let columns =
            lax.schema.columns().iter().cloned().map(|column| vardelta_schemas::Column { nullable: true, ..column });
        lax.schema = vardelta_schemas::Schema::new(columns.collect());
        lax.schema.to_arrow()
    };
    let unreadable =
        || SinkError::new(SinkErrorKind::Unreadable, format!("the history of table `{}` cannot be read", table.name));
    sink.scan(history, &mut |rows| {
        let side = |new: usize| {
            let mut others = 0;
            let columns = (0..table.schema.columns().len()).map(|at| {
                let place = match table.key.iter().position(|of_key| *of_key == at) {
                    Some(of_key) => of_key,
                    None => {
                        others += 1;
                        table.key.len() + 2 * others + new
                    }
                };
                Arc::clone(rows.column(place))
            });
            let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
            RecordBatch::try_new_with_options(Arc::clone(&lax), columns.collect(), &options).map_err(|_| unreadable())
        };
        let (old, new) = (side(0)?, side(1)?);
        let Some(meant) = is_meant(&new) else { return Err(unreadable()) };
        let key = table.key.len();
        let last = rows.num_columns();
        let epochs: Option<&Int64Array> = rows.column(key).as_primitive_opt();
        let text =
            |at: usize| -> Result<&StringArray, SinkError> { rows.column(at).as_string_opt().ok_or_else(unreadable) };
        let (operations, drops, times) = (text(key + 1)?, text(last - 2)?, text(last - 1)?);
        for row in (0..rows.num_rows()).filter(|row| meant.value(*row)) {
            found.push(Entry {
                epoch: Epoch::new(
                    epochs.and_then(|epochs| u64::try_from(epochs.value(row)).ok()).ok_or_else(unreadable)?,
                ),
                operation: operations.value(row).to_owned(),
                drops: serde_json::from_str(drops.value(row)).unwrap_or_default(),
                changed_at: times.value(row).to_owned(),
                old: old.slice(row, 1),
                new: new.slice(row, 1),
            });
        }
        Ok(())
    })?;
    Ok(found)
}
