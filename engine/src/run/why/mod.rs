//! `why`: where a row comes from. The drops that assert it and the one that stands; of a view's row the rows of tables that it
//! is made of, by drop; and, where the sink keeps histories, which changed rows moved it at which epoch. All of it from state and
//! sink; no drop's file is read.

mod aggregates;
mod happened;
mod key;
mod looked_up;
mod sides;
mod top;
mod walk;
mod wanted;

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use arrow_array::{Array as _, ArrayRef, RecordBatch};
use vardelta_schemas::{
    TableSchema,
    ledger::{DropId, Epoch, Snapshot},
};

pub use self::happened::{Because, Happened};
use self::{
    happened::Histories,
    walk::{Found, Leaf, Walk},
    wanted::{Equal, mask},
};
use crate::{
    contract::sink::{Access, Sink},
    epoch::{context::Context, open},
    error::{RunError, RunErrorKind},
    flow::table::assertions_of,
    locks::Locked as _,
    plan::{Plan, StageIndex, content::Wanted},
    suggest::nearest,
};

/// Columns of one row: each with its name and an array of one value.
pub type Cells = Vec<(String, ArrayRef)>;

/// Which row is asked about.
#[derive(Clone, Debug, Default)]
pub struct WhyRequest {
    /// The sink's table.
    pub table: String,
    /// The columns of its key and their values, as people write them; NULL is the word.
    pub key: Vec<(String, String)>,
    /// Rows of each table and drop that are named, at the most; the others are counted.
    pub rows: usize,
}

/// Where a row comes from.
#[derive(Debug)]
pub struct Why {
    /// The pipeline.
    pub pipeline: String,
    /// The epoch that was looked at.
    pub epoch: Epoch,
    /// The table.
    pub table: String,
    /// The row's key.
    pub key: Cells,
    /// The whole row; `None` where there is none.
    pub row: Option<Cells>,
    /// The stages between the drops and the table, in order.
    pub stages: Vec<(String, &'static str)>,
    /// Of a row of a table: what each drop asserts, in ledger order.
    pub assertions: Vec<Asserted>,
    /// Of a row of a view: the rows of tables that it is made of, by table and drop.
    pub contributions: Vec<Contribution>,
    /// What became of the row, epoch by epoch, where its table has a history.
    pub happened: Vec<Happened>,
    /// Things worth saying.
    pub notices: Vec<String>,
}

/// A drop as the ledger knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DropName {
    /// Its number, which is its place in ledger order.
    pub drop_id: DropId,
    /// Its name.
    pub name: String,
    /// The source.
    pub source: String,
    /// Whether origins are numbers of records rather than lines.
    pub is_binary: bool,
}

/// What one drop asserts of a key.
#[derive(Debug)]
pub struct Asserted {
    /// The drop.
    pub drop: DropName,
    /// Its record: the line, or the number of a record of a binary format. 1-based.
    pub origin: u64,
    /// The epoch that loaded it.
    pub loaded_epoch: Epoch,
    /// Whether it is the one that stands.
    pub stands: bool,
    /// The row that it asserts.
    pub row: Cells,
}

/// What one drop contributes through one table.
#[derive(Debug)]
pub struct Contribution {
    /// The table.
    pub table: String,
    /// The drop whose rows are there.
    pub drop: DropName,
    /// How many rows.
    pub rows: u64,
    /// The first of them in key order: the key, and the record in the drop.
    pub first: Vec<(Cells, u64)>,
}

/// Explains a row.
///
/// # Errors
/// When there is no such table, key or row, or for sink or state trouble.
pub fn why(context: Context<'_>, request: &WhyRequest) -> Result<Why, RunError> {
    let plan = context.plan;
    let (stage, table) = table_named(plan, &request.table)?;
    let key = key::parse(&table, &request.key)?;
    let mut opened = open::open(plan, Access::Read)?;
    open::check_epochs(plan, &opened)?;
    open::check_definition(plan, &opened.ledger, Wanted::AfterTables)?;
    let mut why = Why {
        pipeline: plan.pipeline.name.clone(),
        epoch: opened.ledger.epoch,
        table: table.name.clone(),
        key: cells(&key, 0),
        row: None,
        stages: stages_to(plan, stage),
        assertions: Vec::new(),
        contributions: Vec::new(),
        happened: Vec::new(),
        notices: Vec::new(),
    };
    let session = opened.state.locked().begin()?;
    let before = session.snapshot();
    let mut walk = Walk {
        plan,
        before: &before,
        abort: context.abort,
        notices: Mutex::default(),
        instead: BTreeMap::new(),
        aggregates: None,
        needs_aggregates: AtomicBool::default(),
    };
    let values = Equal::of(&key, &(0..table.key.len()).collect::<Vec<_>>(), true).map_err(RunError::internal)?;
    let equal = Equal { columns: table.key.clone(), values: Arc::new(values) };
    if let Some(spec) = plan.stages[stage].as_table() {
        let rows = plan.stages[stage].layout()?;
        for bytes in equal.values.iter() {
            for (assertion, stands) in assertions_of(&before, &table.name, spec.conflict, bytes)? {
                let value = spec.conflict.row(&assertion.value);
                let row = rows.decode(std::iter::once((&**bytes, value))).map_err(RunError::internal)?;
                if stands {
                    why.row = Some(cells(&row, 0));
                }
                why.assertions.push(Asserted {
                    drop: drop_name(&opened.ledger, DropId::new(assertion.place)),
                    origin: assertion.origin,
                    loaded_epoch: Epoch::new(assertion.version),
                    stands,
                    row: cells(&row, 0),
                });
            }
        }
    } else {
        let found = match walk.find(stage, &vec![equal.clone()]) {
            Err(_) if walk.needs_aggregates.load(Ordering::Relaxed) => {
                walk.aggregates = Some(Arc::new(aggregates::recompute(context, &opened, stage)?));
                walk.find(stage, &vec![equal.clone()])?
            }
            found => found?,
        };
        why.row = match found.is_partial {
            // What an aggregate computed is in the sink.
            true => row_in_sink(opened.sink.as_mut(), &table, &equal)?,
            false => found.rows.first().map(|rows| cells(rows, 0)),
        };
        why.contributions = contributions(plan, &opened.ledger, &found, request.rows)?;
    }
    let histories = Histories::of(plan, &opened);
    why.happened = histories.of_row(opened.sink.as_mut(), &walk, (stage, &table), &equal, &mut why.notices)?;
    why.notices.append(&mut walk.notices.locked());
    if why.row.is_none() && why.happened.is_empty() && why.assertions.is_empty() {
        let words: Vec<String> = request.key.iter().map(|(column, value)| format!("{column}={value}")).collect();
        let message = format!("`{}` has no row {}", table.name, words.join(" "));
        return Err(RunError::new(RunErrorKind::Usage, message)
            .with_hint("Values are compared as they are in the table, upper and lower case included."));
    }
    Ok(why)
}

fn table_named(plan: &Plan, name: &str) -> Result<(StageIndex, TableSchema), RunError> {
    let tables = plan.tables();
    let inputs = &plan.stages[plan.sink].inputs;
    if let Some(at) = tables.iter().position(|table| table.name == name) {
        return Ok((inputs[at], tables[at].clone()));
    }
    let error = RunError::new(RunErrorKind::Usage, format!("the sink keeps no table `{name}`"));
    let names = || tables.iter().map(|table| table.name.as_str());
    Err(match nearest(name, names()) {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        None => error.with_hint(format!("Its tables are {}.", names().collect::<Vec<_>>().join(", "))),
    })
}

/// The stages that lead to one, itself included.
fn stages_to(plan: &Plan, stage: StageIndex) -> Vec<(String, &'static str)> {
    let (mut reached, mut open) = (BTreeSet::from([stage]), vec![stage]);
    while let Some(at) = open.pop() {
        open.extend(plan.stages[at].inputs.iter().copied().filter(|input| reached.insert(*input)));
    }
    // The joins of a chain are one stage to whoever wrote it.
    let written = reached.into_iter().map(|at| &plan.stages[at]).filter(|stage| !stage.name.contains('#'));
    written.map(|stage| (stage.name.clone(), stage.type_name)).collect()
}

fn drop_name(ledger: &Snapshot, drop_id: DropId) -> DropName {
    let known = ledger.drops.iter().find(|drop| drop.drop_id == drop_id);
    DropName {
        drop_id,
        name: known.map_or_else(|| format!("drop {drop_id}"), |drop| drop.name.clone()),
        source: known.map(|drop| drop.source.clone()).unwrap_or_default(),
        is_binary: known.is_some_and(|drop| drop.path.to_ascii_lowercase().ends_with(".bcf")),
    }
}

fn contributions(plan: &Plan, ledger: &Snapshot, found: &Found, limit: usize) -> Result<Vec<Contribution>, RunError> {
    // A row of a table may have a part in several rows.
    let mut leaves: BTreeMap<(StageIndex, DropId), BTreeMap<&[u8], u64>> = BTreeMap::new();
    for leaf in found.parts.iter().flatten() {
        let Leaf { stage, key, drop_id, origin } = Rc::as_ref(leaf);
        leaves.entry((*stage, *drop_id)).or_default().insert(key, *origin);
    }
    let mut contributions = Vec::new();
    for ((stage, drop_id), rows) in leaves {
        let of_table = plan.stages[stage].layout()?;
        let key_columns = plan.stages[stage].key.clone().unwrap_or_default();
        let mut first = Vec::new();
        for (key, origin) in rows.iter().take(limit) {
            let arrays = of_table.decode_keys(std::iter::once(*key)).map_err(RunError::internal)?;
            let names = key_columns.iter().map(|column| plan.stages[stage].schema.columns()[*column].name.clone());
            first.push((names.zip(arrays).collect(), *origin));
        }
        contributions.push(Contribution {
            table: plan.stages[stage].name.clone(),
            drop: drop_name(ledger, drop_id),
            rows: rows.len() as u64,
            first,
        });
    }
    Ok(contributions)
}

/// A row of a table as the sink has it.
fn row_in_sink(sink: &mut dyn Sink, table: &TableSchema, equal: &Equal) -> Result<Option<Cells>, RunError> {
    let mut row = None;
    let wanted = [equal.clone()];
    sink.scan(table, &mut |rows| {
        if row.is_none()
            && let Ok(found) = mask(&wanted, &rows)
            && let Some(at) = (0..rows.num_rows()).find(|at| found.value(*at))
        {
            row = Some(cells(&rows, at));
        }
        Ok(())
    })?;
    Ok(row)
}

/// One row of a batch, column by column.
pub(super) fn cells(rows: &RecordBatch, at: usize) -> Cells {
    let columns = rows.schema_ref().fields().iter().zip(rows.columns());
    columns.map(|(field, column)| (field.name().clone(), column.slice(at, 1))).collect()
}
