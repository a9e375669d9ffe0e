//! What epochs did to the rows of a table, read back from its history in the sink.

mod missing;
mod moved;
mod print;

use std::ops::RangeInclusive;

use arrow_array::RecordBatch;
use serde_json::{Map, Value as Json, json};
use vardelta_engine::{
    abort::Abort,
    contract::sink::{Access, SinkError, SinkErrorKind},
    error::{RunError, RunErrorKind},
    plan::Plan,
    suggest::nearest,
};
use vardelta_schemas::{ColumnType, TableSchema, history::HISTORY_PREFIXES, ledger::Epoch};

pub use self::missing::Missing;
use self::moved::number;
pub use self::print::{csv, text};
use crate::changes::cells;

/// A value as people and as programs read it.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// As reports print it.
    pub text: String,
    /// As `--json` has it.
    pub json: Json,
}

/// What became of a row in an epoch.
#[derive(Clone, Debug)]
pub struct Happened {
    /// The table, an index into [`Histories::tables`].
    pub table: usize,
    /// The epoch.
    pub epoch: Epoch,
    /// `insert`, `update` or `delete`.
    pub operation: String,
    /// The row's key, in the order of the table's key.
    pub key: Vec<Cell>,
    /// The values of the other columns before and after the epoch.
    pub values: Vec<(Cell, Cell)>,
    /// The names of the epoch's drops.
    pub drops: Vec<String>,
    /// When the epoch was written.
    pub changed_at: String,
}

/// Tables whose sink keeps a history.
pub struct Histories {
    /// Each table with its history.
    pub tables: Vec<(TableSchema, TableSchema)>,
}

impl Histories {
    /// The histories of a plan; of one table where one is named.
    ///
    /// # Errors
    /// When there is none.
    pub fn of(plan: &Plan, table: Option<&str>) -> Result<Histories, RunError> {
        let all = plan.tables().into_iter().zip(plan.histories());
        let kept: Vec<(TableSchema, TableSchema)> =
            all.filter_map(|(table, history)| history.map(|history| (table, history))).collect();
        let names: Vec<&str> = kept.iter().map(|(table, _)| table.name.as_str()).collect();
        let usage = |message: String| RunError::new(RunErrorKind::Usage, message);
        if kept.is_empty() {
            return Err(usage("the sink of this pipeline keeps no history".into()).with_hint(
                "Name tables in the sink's stage, `history = [\"…\"]`, and run `vardelta migrate`; changes are known from then on.",
            ));
        }
        let Some(table) = table else { return Ok(Histories { tables: kept }) };
        match kept.iter().find(|(known, _)| known.name == table) {
            Some(found) => Ok(Histories { tables: vec![found.clone()] }),
            None => {
                let error = usage(format!("the sink keeps no history of `{table}`"));
                Err(match nearest(table, names.iter().copied()) {
                    Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
                    None => error.with_hint(format!("There are histories of: {}.", names.join(", "))),
                })
            }
        }
    }

    /// What happened in these epochs, in the order of epochs, tables and keys.
    ///
    /// # Errors
    /// When the sink cannot be read.
    pub fn read(&self, plan: &Plan, epochs: RangeInclusive<Epoch>) -> Result<Vec<Happened>, RunError> {
        self.read_first(plan, epochs, usize::MAX, &Abort::default()).map(|(happened, _)| happened)
    }

    /// The same, of each table no more than the first so many rows that are found; and how many there are of each table.
    ///
    /// # Errors
    /// When the sink cannot be read, or `abort` is raised meanwhile.
    pub fn read_first(
        &self,
        plan: &Plan,
        epochs: RangeInclusive<Epoch>,
        each: usize,
        abort: &Abort,
    ) -> Result<(Vec<Happened>, Vec<u64>), RunError> {
        let mut sink = plan.sink().connect(Access::Read)?;
        let (mut happened, mut counts) = (Vec::new(), vec![0_u64; self.tables.len()]);
        for (at, (table, history)) in self.tables.iter().enumerate() {
            let places = Places::of(table, history)?;
            sink.scan(history, &mut |batch| {
                abort.check().map_err(|error| SinkError::new(SinkErrorKind::Unavailable, error.message))?;
                for row in 0..batch.num_rows() {
                    let unreadable = |what| {
                        let message = format!("table `{}` holds what no epoch writes: {what}", history.name);
                        SinkError::new(SinkErrorKind::Unreadable, message)
                    };
                    let epoch = places.epoch(&batch, row).map_err(unreadable)?;
                    if epochs.contains(&epoch) {
                        counts[at] += 1;
                        // What nobody wants to see is counted, and not read: a row may name thousands of drops.
                        if counts[at] <= each as u64 {
                            happened.push(places.read(at, epoch, &batch, row).map_err(unreadable)?);
                        }
                    }
                }
                Ok(())
            })?;
        }
        happened.sort_by(|a, b| (a.epoch, a.table).cmp(&(b.epoch, b.table)).then_with(|| compare(&a.key, &b.key)));
        Ok((happened, counts))
    }

    /// Orders what happened to one table by how far a column rose, what rose most first; a row that is not there, and NULL,
    /// count as 0. Of equal ones the greater new value comes first.
    ///
    /// # Errors
    /// When there is no such column outside the key, or it is no number.
    pub fn sort_by_rise(&self, column: &str, happened: &mut [Happened]) -> Result<(), RunError> {
        let Some((table, _)) = self.tables.first() else { return Ok(()) };
        let names: Vec<String> = others(table).map(|at| name(table, at)).collect();
        let usage = |message: String| RunError::new(RunErrorKind::Usage, message);
        let Some(at) = names.iter().position(|name| name == column) else {
            let error = usage(format!("`{}` has no column `{column}` outside its key", table.name));
            return Err(match nearest(column, names.iter().map(String::as_str)) {
                Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
                None => error.with_hint(format!("It has: {}.", names.join(", "))),
            });
        };
        let of_type = others(table).nth(at).map(|at| &table.schema.columns()[at].column_type);
        if !matches!(of_type, Some(ColumnType::Int64 | ColumnType::Float64 | ColumnType::Decimal { .. })) {
            return Err(usage(format!("`{column}` is no number, so nothing of it rises"))
                .with_hint("Name a column that counts or ranks, for example one made with `clinvar_rank`."));
        }
        let rise = |one: &Happened| {
            let (old, new) = &one.values[at];
            (number(new) - number(old), number(new))
        };
        happened.sort_by(|a, b| {
            let ((a, of_a), (b, of_b)) = (rise(a), rise(b));
            b.total_cmp(&a).then(of_b.total_cmp(&of_a))
        });
        Ok(())
    }

    /// The same for programs.
    pub fn json(&self, happened: &Happened) -> Json {
        let (table, _) = &self.tables[happened.table];
        let object =
            |cells: &mut dyn Iterator<Item = (String, Json)>| Json::Object(cells.collect::<Map<String, Json>>());
        let key = || table.key.iter().zip(&happened.key).map(|(at, cell)| (name(table, *at), cell.json.clone()));
        let side = |is_there: bool, pick: fn(&(Cell, Cell)) -> &Cell| {
            let values =
                others(table).zip(&happened.values).map(|(at, pair)| (name(table, at), pick(pair).json.clone()));
            if is_there { object(&mut key().chain(values)) } else { Json::Null }
        };
        json!({
            "table": table.name,
            "epoch": happened.epoch,
            "operation": happened.operation,
            "key": object(&mut key()),
            "old": side(happened.operation != "insert", |pair| &pair.0),
            "new": side(happened.operation != "delete", |pair| &pair.1),
            "drops": happened.drops,
            "changed_at": happened.changed_at,
        })
    }
}

fn name(table: &TableSchema, at: usize) -> String {
    table.schema.columns()[at].name.clone()
}

/// The columns outside the key.
fn others(table: &TableSchema) -> impl Iterator<Item = usize> {
    (0..table.schema.columns().len()).filter(|at| !table.key.contains(at))
}

/// Keys in the order of their values: numbers by value, all else as text.
fn compare(a: &[Cell], b: &[Cell]) -> std::cmp::Ordering {
    let pairs = a.iter().zip(b).map(|(a, b)| match (a.json.as_f64(), b.json.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => a.text.cmp(&b.text),
    });
    pairs.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
}

/// Where a history's columns are.
struct Places {
    key: Vec<usize>,
    values: Vec<(usize, usize)>,
    epoch: usize,
    operation: usize,
    drops: usize,
    changed_at: usize,
}

impl Places {
    fn of(table: &TableSchema, history: &TableSchema) -> Result<Places, RunError> {
        let place = |wanted: &str| {
            let missing = || RunError::internal(format!("the history `{}` has no column `{wanted}`", history.name));
            history.schema.columns().iter().position(|column| column.name == wanted).ok_or_else(missing)
        };
        let [old, new] = HISTORY_PREFIXES;
        // The key comes first, then the epoch and the operation; a column of the key may be called like either.
        let key = table.key.len();
        let value = |at: usize| {
            let column = name(table, at);
            Ok((place(&format!("{old}{column}"))?, place(&format!("{new}{column}"))?))
        };
        let last = history.schema.columns().len();
        Ok(Places {
            key: (0..key).collect(),
            values: others(table).map(value).collect::<Result<_, RunError>>()?,
            epoch: key,
            operation: key + 1,
            drops: last - 2,
            changed_at: last - 1,
        })
    }

    /// The epoch of a row. What cannot be read is said in words.
    fn epoch(&self, batch: &RecordBatch, row: usize) -> Result<Epoch, String> {
        let column = batch.column(self.epoch);
        let number = cells::json(column, row).as_u64();
        number.map(Epoch::new).ok_or_else(|| format!("epoch `{}`", cells::text(column, row)))
    }

    /// A row of an epoch. What cannot be read is said in words.
    fn read(&self, table: usize, epoch: Epoch, batch: &RecordBatch, row: usize) -> Result<Happened, String> {
        let cell = |at: usize| {
            let column = batch.column(at);
            Cell { text: cells::text(column, row), json: cells::json(column, row) }
        };
        let plain = |at: usize| {
            let found = cell(at);
            found.json.as_str().map(str::to_owned).ok_or_else(|| format!("`{}` where a text belongs", found.text))
        };
        let drops = plain(self.drops)?;
        Ok(Happened {
            table,
            epoch,
            operation: plain(self.operation)?,
            key: self.key.iter().map(|at| cell(*at)).collect(),
            values: self.values.iter().map(|(old, new)| (cell(*old), cell(*new))).collect(),
            drops: serde_json::from_str(&drops)
                .map_err(|error| format!("drops `{drops}` of epoch {epoch}, which are no list of names ({error})"))?,
            changed_at: plain(self.changed_at)?,
        })
    }
}
