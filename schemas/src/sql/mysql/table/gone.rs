//! Rows that go by the thousand: their keys are loaded into a temporary table, which is joined with the table itself.
//!
//! A list of keys in the statement is not only longer; MariaDB's optimiser takes a time for it that grows with the square of
//! the keys where an index of the table begins with one of the key's columns.

use super::{MySqlTable, RowValue, declare};
use crate::sql::mysql::layout::{KEY_HASH, TableLayout};

/// The temporary table. Tables of this prefix are vardelta's own.
const GONE: &str = "vardelta_gone";

impl MySqlTable<'_> {
    /// Makes the temporary table for keys; it ends with the session. Does not commit.
    pub fn create_gone(&self) -> String {
        let mut lines: Vec<String> = self.key().iter().map(|value| self.gone_line(*value)).collect();
        // Some servers refuse tables without a primary key, and in this one's order the rows lie where they are read.
        lines.push(format!("PRIMARY KEY ({})", self.primary_key().join(", ")));
        format!("CREATE TEMPORARY TABLE {GONE} ({}) ENGINE = InnoDB ROW_FORMAT = DYNAMIC", lines.join(", "))
    }

    fn gone_line(&self, value: RowValue) -> String {
        match value {
            RowValue::Column(index) => {
                let null = if self.table.schema.columns()[index].nullable { "NULL" } else { "NOT NULL" };
                format!("{} {} {null}", self.column(index), declare(&self.layout.declared_type(self.table, index)))
            }
            _ => format!("{} {} NOT NULL", self.quoted(KEY_HASH), declare(TableLayout::HASH_TYPE)),
        }
    }

    /// Drops the temporary table, if it is there. Does not commit.
    pub fn drop_gone(&self) -> String {
        format!("DROP TEMPORARY TABLE IF EXISTS {GONE}")
    }

    /// Fills the temporary table with a text of keys, values as [`MySqlTable::key`] says, laid out as for
    /// [`MySqlTable::load_data`].
    pub fn load_gone(&self) -> String {
        let columns: Vec<String> = self.key().iter().map(|value| self.key_column(*value)).collect();
        self.load_data_into(GONE, &columns)
    }

    fn key_column(&self, value: RowValue) -> String {
        match value {
            RowValue::Column(index) => self.column(index),
            _ => self.quoted(KEY_HASH),
        }
    }

    /// Deletes the rows whose keys the temporary table holds, or marks them. Where [`MySqlTable::is_marking`], the epoch and
    /// its time are bound. Each key is looked up in the primary key, in order.
    pub fn delete_gone(&self) -> String {
        let name = self.quoted(self.name);
        let same = |value: &RowValue| {
            let column = self.key_column(*value);
            let nullable = matches!(value, RowValue::Column(index) if self.table.schema.columns()[*index].nullable);
            format!("{name}.{column} {} {GONE}.{column}", if nullable { "<=>" } else { "=" })
        };
        let same: Vec<String> = self.key().iter().map(same).collect();
        let joined = format!("{GONE} STRAIGHT_JOIN {name} FORCE INDEX (PRIMARY) ON {}", same.join(" AND "));
        let live = self.live().map(|live| format!(" WHERE {live}")).unwrap_or_default();
        match self.is_marking() {
            true => format!("UPDATE {joined} SET {}{live}", self.mark()),
            false => format!("DELETE {name} FROM {joined}{live}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Column, ColumnType, Schema, TableSchema,
        sql::{Dialect, marks::Marks, mysql::layout::TextCharacters},
    };

    #[test]
    fn rows_that_go_are_joined_by_the_primary_key() {
        let columns = vec![
            Column::required("chromosome", ColumnType::Text),
            Column::required("position", ColumnType::Int64),
            Column::nullable("alternate", ColumnType::Text),
            Column::nullable("quality", ColumnType::Float64),
        ];
        let table = TableSchema { name: "va`r".into(), schema: Schema::new(columns), key: vec![0, 1, 2] };
        let layout = TableLayout::new(Dialect::MariaDb, &table, &TextCharacters::new(), &[]);
        let sql = MySqlTable::new(&table, &layout);
        assert_eq!(
            sql.create_gone(),
            "CREATE TEMPORARY TABLE vardelta_gone (`chromosome` varchar(255) CHARACTER SET utf8mb4 COLLATE \
             utf8mb4_nopad_bin NOT NULL, `position` bigint NOT NULL, `alternate` longtext CHARACTER SET utf8mb4 COLLATE \
             utf8mb4_nopad_bin NULL, `key_hash` char(22) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, PRIMARY KEY \
             (`chromosome`, `position`, `key_hash`)) ENGINE = InnoDB ROW_FORMAT = DYNAMIC"
        );
        assert!(sql.load_gone().ends_with(" (`chromosome`, `position`, `alternate`, `key_hash`)"));
        let on = "`va``r`.`chromosome` = vardelta_gone.`chromosome` AND `va``r`.`position` = vardelta_gone.`position` AND \
                  `va``r`.`alternate` <=> vardelta_gone.`alternate` AND `va``r`.`key_hash` = vardelta_gone.`key_hash`";
        let joined = format!("vardelta_gone STRAIGHT_JOIN `va``r` FORCE INDEX (PRIMARY) ON {on}");
        assert_eq!(sql.delete_gone(), format!("DELETE `va``r` FROM {joined}"));
        let marked = layout.clone().marking(Marks::Kept);
        assert_eq!(
            MySqlTable::new(&table, &marked).delete_gone(),
            format!(
                "UPDATE {joined} SET `va``r`.`changed_epoch` = ?, `va``r`.`deleted_at` = ? \
                 WHERE `va``r`.`deleted_at` IS NULL"
            )
        );
        let left_over = layout.marking(Marks::LeftOver);
        assert_eq!(
            MySqlTable::new(&table, &left_over).delete_gone(),
            format!("DELETE `va``r` FROM {joined} WHERE `va``r`.`deleted_at` IS NULL")
        );
    }
}
