//! How a sink table is laid out in MySQL and MariaDB: which text is bounded, and what the primary key is.
//!
//! InnoDB keeps rows in the order of the primary key, of at most 3,072 bytes, and a key over a part of a long text would
//! take two alleles with the same beginning for one. So:
//!
//! - Text in front of the key (before its first column of another type, all of it where there is none) and text in an
//!   index is `VARCHAR(n)`, 255 characters unless the pipeline says otherwise. A longer value is an error, never cut.
//! - Other text is `LONGTEXT`, in the key too. Where the key has such a column, one that may be NULL, or no column at
//!   all, the table gets the column `key_hash`, a 128-bit hash of the whole key, and the primary key is what of the key
//!   has a bound and is never NULL, in order, then the hash. Rows lie in key order all the same: chromosome, position,
//!   then the hash among the alleles of one position.
//! - Two keys with the same hash are never taken for one: every insert says how many rows it replaced, and every update
//!   and delete compares the key's own columns too.

use std::collections::BTreeMap;

use super::{
    super::form::{ColumnForm, TableForm},
    constraint::{Constraint, Letter, Rule},
    partition::{Partition, Partitioning},
    text_collation,
};
use crate::{
    Column, ColumnType, TableSchema,
    sql::{
        Dialect,
        marks::{self, DELETED_AT, Marks},
        unique::Unique,
    },
};

/// The column that stands for the whole key.
pub const KEY_HASH: &str = "key_hash";
/// Characters of a [`KEY_HASH`]: 128 bits in base 64, without padding.
pub const KEY_HASH_CHARACTERS: usize = 22;
/// Bytes of an index in InnoDB (row format DYNAMIC, pages of 16 KiB).
const INDEX_BYTES: usize = 3072;
/// Bytes of a character of utf8mb4 at the most.
const CHARACTER_BYTES: usize = 4;
/// The bound of text in front of a key, or in an index, that the pipeline says nothing about.
const DEFAULT_CHARACTERS: usize = 255;

/// How many characters the text columns of these names hold, in all tables of a sink; 0 means any number.
pub type TextCharacters = BTreeMap<String, usize>;

/// How a table is laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableLayout {
    /// The server.
    pub dialect: Dialect,
    /// For each column: how many characters it holds, for bounded text.
    pub characters: Vec<Option<usize>>,
    /// Whether there is a column [`KEY_HASH`].
    pub has_hash: bool,
    /// The key's columns that are in the primary key, in order; [`KEY_HASH`], if there is one, comes after them.
    pub primary_key: Vec<usize>,
    /// What the server holds true of every row.
    pub constraints: Vec<Constraint>,
    /// Unique indexes beside the primary key.
    pub unique: Vec<Unique>,
    /// The last letter of the constraints' names.
    pub letter: Letter,
    /// How its rows are partitioned, if they are.
    pub partitioning: Option<Partitioning>,
    /// The column that decides about partitions.
    pub partition_column: Option<usize>,
    /// What it has to do with marked rows.
    pub marks: Marks,
}

impl TableLayout {
    /// The layout of a table with these indexes (lists of columns).
    pub fn new(dialect: Dialect, table: &TableSchema, said: &TextCharacters, indexes: &[Vec<usize>]) -> TableLayout {
        let columns = table.schema.columns();
        let is_text = |index: &usize| columns[*index].column_type == ColumnType::Text;
        let front = table.key.iter().take_while(|index| is_text(index)).count();
        let in_front = &table.key[..front];
        // What the other columns of the key leave of the index, shared by the text in front.
        let other_bytes: usize = table.key.iter().map(|index| fixed_bytes(&columns[*index])).sum();
        let said_bytes: usize = in_front.iter().filter_map(|index| said.get(&columns[*index].name)).sum::<usize>();
        let unsaid = in_front.iter().filter(|index| !said.contains_key(&columns[**index].name)).count();
        let left = (INDEX_BYTES - KEY_HASH_CHARACTERS).saturating_sub(other_bytes) / CHARACTER_BYTES;
        let share = left.saturating_sub(said_bytes).checked_div(unsaid).unwrap_or(0).min(DEFAULT_CHARACTERS);
        let characters: Vec<Option<usize>> = columns
            .iter()
            .enumerate()
            .map(|(index, column)| match said.get(&column.name) {
                _ if column.column_type != ColumnType::Text => None,
                Some(0) => None,
                Some(said) => Some(*said),
                None if in_front.contains(&index) => Some(share),
                None if indexes.iter().any(|columns| columns.contains(&index)) => Some(DEFAULT_CHARACTERS),
                None => None,
            })
            .collect();
        let can_be_in_primary_key =
            |index: &usize| !columns[*index].nullable && (!is_text(index) || characters[*index].is_some());
        let primary_key: Vec<usize> = table.key.iter().copied().filter(can_be_in_primary_key).collect();
        let has_hash = table.key.is_empty() || primary_key.len() < table.key.len();
        TableLayout {
            dialect,
            characters,
            has_hash,
            primary_key,
            constraints: Vec::new(),
            unique: Vec::new(),
            letter: Letter::A,
            partitioning: None,
            partition_column: None,
            marks: Marks::None,
        }
    }

    /// The same with, or without, marked rows.
    pub fn marking(self, marks: Marks) -> TableLayout {
        TableLayout { marks, ..self }
    }

    /// The same with these constraints.
    pub fn constrained(self, constraints: Vec<Constraint>) -> TableLayout {
        TableLayout { constraints, ..self }
    }

    /// The same with these unique indexes.
    pub fn with_unique(self, unique: Vec<Unique>) -> TableLayout {
        TableLayout { unique, ..self }
    }

    /// The same, partitioned by a column, if that is in the primary key: the servers ask for it.
    pub fn partitioned(mut self, table: &TableSchema, column: &str, partitions: &[Partition]) -> TableLayout {
        self.partition_column = table.schema.index_of(column).filter(|place| self.primary_key.contains(place));
        self.partitioning = self.partition_column.map(|_| Partitioning::by(self.dialect, column, partitions));
        self
    }

    /// The same with references to tables under other names, and the names of constraints with another letter: for a
    /// table that is beside the one whose place it takes.
    pub fn beside(mut self, letter: Letter, renamed: impl Fn(&str) -> Option<String>) -> TableLayout {
        self.letter = letter;
        for constraint in &mut self.constraints {
            if let Rule::Reference { table, .. } = &mut constraint.rule
                && let Some(name) = renamed(table)
            {
                *table = name;
            }
        }
        self
    }

    /// Bytes of an index over these columns; `None` where one of them is text without a bound.
    pub fn index_bytes(&self, table: &TableSchema, columns: &[usize]) -> Option<usize> {
        columns
            .iter()
            .map(|index| {
                let column = &table.schema.columns()[*index];
                match column.column_type {
                    ColumnType::Text => self.characters[*index].map(|characters| characters * CHARACTER_BYTES + 2),
                    _ => Some(fixed_bytes(column)),
                }
            })
            .sum()
    }

    /// What is wrong with the primary key or with a bound, in words; `None` where all fits.
    pub fn problem(&self, table: &TableSchema) -> Option<String> {
        let bytes = self.index_bytes(table, &self.primary_key).unwrap_or(0) + KEY_HASH_CHARACTERS;
        let columns = table.schema.columns();
        if bytes > INDEX_BYTES + 2 * self.primary_key.len() {
            return Some(format!("its primary key would take {bytes} bytes, and the servers allow {INDEX_BYTES}"));
        }
        let wide =
            columns.iter().find(|column| matches!(column.column_type, ColumnType::Decimal { scale, .. } if scale > 30));
        wide.map(|column| {
            format!("column `{}` is {}, and the servers keep 30 places at the most", column.name, column.column_type)
        })
    }

    /// The most bytes that an index can have.
    pub const INDEX_BYTES: usize = INDEX_BYTES;

    /// The declared type of a column, as the server shows it, and after it what must be said of it beside.
    pub fn declared_type(&self, table: &TableSchema, index: usize) -> String {
        match &table.schema.columns()[index].column_type {
            ColumnType::Bool => "tinyint(1)".into(),
            ColumnType::Int64 => "bigint".into(),
            ColumnType::Float64 => "double".into(),
            ColumnType::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
            ColumnType::Date => "date".into(),
            ColumnType::Text => {
                let declared = match self.characters[index] {
                    Some(characters) => format!("varchar({characters})"),
                    None => "longtext".into(),
                };
                format!("{declared} COLLATE {}", text_collation(self.dialect))
            }
            ColumnType::List(_) => unreachable!("the planner lets no list reach a table"),
        }
    }

    /// The declared type of [`KEY_HASH`].
    pub const HASH_TYPE: &'static str = "char(22) COLLATE ascii_bin";

    /// The form of the table as the server describes it.
    pub fn form(&self, table: &TableSchema) -> TableForm {
        let place = |index: usize| {
            (1_u32..).zip(&self.primary_key).find(|(_, key)| **key == index).map_or(0, |(place, _)| place)
        };
        let form = |(index, column): (usize, &Column)| ColumnForm {
            name: column.name.clone(),
            declared_type: self.declared_type(table, index),
            not_null: !column.nullable,
            key_place: place(index),
        };
        let mut columns: Vec<ColumnForm> = table.schema.columns().iter().enumerate().map(form).collect();
        if self.has_hash {
            columns.push(ColumnForm {
                name: KEY_HASH.into(),
                declared_type: Self::HASH_TYPE.into(),
                not_null: true,
                key_place: self.primary_key.len() as u32 + 1,
            });
        }
        columns.push(ColumnForm {
            name: TableSchema::CHANGED_EPOCH.into(),
            declared_type: "bigint".into(),
            not_null: true,
            key_place: 0,
        });
        if self.marks == Marks::Kept {
            columns.push(ColumnForm {
                name: DELETED_AT.into(),
                declared_type: marks::SERVER_TYPE.into(),
                not_null: false,
                key_place: 0,
            });
        }
        TableForm { kind: "of the engine InnoDB".into(), columns, partitioning: self.partitioning.clone() }
    }
}

/// Bytes of a column that is no text, in an index.
fn fixed_bytes(column: &Column) -> usize {
    match column.column_type {
        ColumnType::Bool => 1,
        ColumnType::Int64 | ColumnType::Float64 => 8,
        // Four bytes for nine digits, before and after the point.
        ColumnType::Decimal { precision, .. } => 4 * (usize::from(precision) / 9 + 2),
        ColumnType::Date => 3,
        ColumnType::Text | ColumnType::List(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Schema;

    fn table(columns: Vec<Column>, key: Vec<usize>) -> TableSchema {
        TableSchema { name: "t".into(), schema: Schema::new(columns), key }
    }

    fn variants() -> TableSchema {
        let text = |name| Column::required(name, ColumnType::Text);
        let columns = vec![
            text("chromosome"),
            Column::required("position", ColumnType::Int64),
            text("reference"),
            text("alternate"),
            Column::nullable("gene_symbol", ColumnType::Text),
        ];
        table(columns, vec![0, 1, 2, 3])
    }

    #[test]
    fn text_in_front_of_the_key_is_bounded_and_alleles_are_hashed() {
        let layout = TableLayout::new(Dialect::MySql, &variants(), &TextCharacters::new(), &[]);
        assert_eq!(layout.characters, [Some(255), None, None, None, None]);
        assert_eq!((layout.primary_key.as_slice(), layout.has_hash), ([0, 1].as_slice(), true));
        assert_eq!(layout.problem(&variants()), None);
    }

    #[test]
    fn the_pipeline_decides_about_bounds() {
        let said = TextCharacters::from([
            ("chromosome".into(), 32),
            ("reference".into(), 100),
            ("alternate".into(), 100),
            ("gene_symbol".into(), 50),
        ]);
        let layout = TableLayout::new(Dialect::MySql, &variants(), &said, &[]);
        assert_eq!(layout.characters, [Some(32), None, Some(100), Some(100), Some(50)]);
        assert_eq!((layout.primary_key.as_slice(), layout.has_hash), ([0, 1, 2, 3].as_slice(), false));
        let said = TextCharacters::from([("chromosome".into(), 0)]);
        let layout = TableLayout::new(Dialect::MySql, &variants(), &said, &[]);
        assert_eq!((layout.primary_key.as_slice(), layout.has_hash), ([1].as_slice(), true));
        let said = TextCharacters::from([("chromosome".into(), 800)]);
        let layout = TableLayout::new(Dialect::MySql, &variants(), &said, &[]);
        assert!(layout.problem(&variants()).unwrap_or_default().contains("primary key would take"));
    }

    #[test]
    fn indexed_text_is_bounded() {
        let layout = TableLayout::new(Dialect::MariaDb, &variants(), &TextCharacters::new(), &[vec![0, 4]]);
        assert_eq!(layout.characters[4], Some(255));
        assert_eq!(layout.index_bytes(&variants(), &[0, 1, 4]), Some(2 * (4 * 255 + 2) + 8));
        assert_eq!(layout.index_bytes(&variants(), &[2]), None);
    }

    #[test]
    fn keys_that_may_be_null_and_no_key_are_hashed() {
        let genes =
            table(vec![Column::nullable("gene", ColumnType::Text), Column::required("n", ColumnType::Int64)], vec![0]);
        let layout = TableLayout::new(Dialect::MySql, &genes, &TextCharacters::new(), &[]);
        assert_eq!((layout.primary_key.len(), layout.has_hash), (0, true));
        let one_row = TableSchema { key: Vec::new(), ..genes.clone() };
        assert!(TableLayout::new(Dialect::MySql, &one_row, &TextCharacters::new(), &[]).has_hash);
        let mut required = genes;
        required.schema = Schema::new(vec![Column::required("gene", ColumnType::Text)]);
        let layout = TableLayout::new(Dialect::MySql, &required, &TextCharacters::new(), &[]);
        assert_eq!((layout.primary_key.as_slice(), layout.has_hash), ([0].as_slice(), false));
    }

    #[test]
    fn many_texts_in_front_share_the_key() {
        let text = |name: &str| Column::required(name, ColumnType::Text);
        let many = table(["a", "b", "c", "d", "e"].map(text).to_vec(), vec![0, 1, 2, 3, 4]);
        let layout = TableLayout::new(Dialect::MySql, &many, &TextCharacters::new(), &[]);
        assert_eq!(layout.characters, [Some(152); 5]);
        assert_eq!(layout.problem(&many), None);
    }
}
