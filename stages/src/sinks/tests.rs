//! The contract: what every sink must do, as one suite over the `Sink` trait. A sink runs it with [`contract`] on each of its
//! databases; what only one database can do or suffer is tested beside that sink.

#![allow(clippy::unwrap_used)]

pub(crate) mod epochs;
pub(crate) mod trouble;
pub(crate) mod values;

use vardelta_engine::contract::sink::{Access, Sink, SinkError};
use vardelta_schemas::TableSchema;

use crate::sinks::shared::fixtures::{Change, PIPELINE, apply, numbers, record, scan_numbers, starting};

/// An empty database, as the suite reaches it.
pub(crate) trait Db {
    /// A connection of the sink.
    fn connect(&self, access: Access) -> Result<Box<dyn Sink>, SinkError>;

    /// How messages name the database.
    fn place(&self) -> String;

    /// The rows a query yields, each as text, past the sink.
    fn query(&self, query: &str) -> Vec<String>;

    /// How [`Db::query`] shows a text.
    fn text(&self, text: &str) -> String;

    /// Every table with its rows: what must be the same before and after a run that failed.
    fn dump(&self) -> Vec<String>;

    /// Whether two pipelines may write at the same time.
    fn has_room_for_two_writers(&self) -> bool;

    /// The spellings that name the table `t`.
    fn spellings_of_t(&self) -> &'static [&'static str];

    /// A connection that writes.
    fn open(&self) -> Box<dyn Sink> {
        self.connect(Access::Write).unwrap()
    }

    /// Commits one epoch with these changes.
    fn load(&self, epoch: u64, changes: &[Change]) {
        let table = numbers("t");
        let mut sink = self.open();
        sink.begin(&starting(PIPELINE, epoch - 1, std::slice::from_ref(&table), false)).unwrap();
        apply(sink.as_mut(), &table, epoch, changes).unwrap();
        sink.commit(&record(PIPELINE, epoch)).unwrap();
        sink.settle(PIPELINE, &[table]).unwrap();
    }

    /// The rows of a table of [`numbers`], in order of their names.
    fn contents(&self, table: &TableSchema) -> Vec<(String, Option<i64>)> {
        scan_numbers(self.connect(Access::Read).unwrap().as_mut(), table)
    }
}

/// Makes a test of everything that the contract has, run by `on_each(name, |db| …)` on empty databases of a sink.
macro_rules! contract {
    ($on_each:path) => {
        $crate::sinks::tests::contract! { @ $on_each;
            epochs: an_empty_database_reads_as_epoch_0_and_stays_empty rows_are_inserted_updated_deleted_and_left_alone names_are_told_apart_byte_by_byte the_ledger_keeps_drops_events_rejects_and_counts pipelines_share_a_database_and_not_their_tables a_second_run_is_told_that_the_first_holds_the_lock readers_do_not_wait_for_a_run_and_see_nothing_of_it only_the_next_epoch_can_be_committed a_definition_is_kept_with_the_epoch_that_brought_it_alone a_digest_is_refreshed_outside_of_epochs files_are_set_aside_outside_of_epochs;
            values: every_type_comes_back_bit_for_bit values_are_kept_in_the_declared_forms every_type_can_be_a_key a_row_of_the_same_epoch_is_updated_by_its_last_bit a_table_without_key_has_one_row alleles_of_any_length_are_told_apart large_tables_come_in_batches what_a_column_cannot_hold_is_refused_with_table_and_key;
            trouble: a_disagreement_with_the_state_is_an_error_at_that_key changes_that_do_not_fit_the_table_are_refused;
        }
    };
    (@ $on_each:path; $($module:ident: $($test:ident)*;)*) => {
        $($(
            #[test]
            fn $test() {
                $on_each(stringify!($test), |db| $crate::sinks::tests::$module::$test(&db));
            }
        )*)*
    };
}
pub(crate) use contract;
