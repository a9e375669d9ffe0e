//! Another program holds the database: first it writes, then it reads.

use vardelta_tests::{database::texts, project::vardelta_in, shared::shared};

use super::copied;

/// Its own command holds the database for some seconds; here no clock says for how long.
pub const CASE: &str = "73-sqlite-held-open";

#[test]
fn who_writes_is_waited_for_and_said_and_who_reads_is_no_obstacle() {
    let Some(folder) = shared("field cases", "field/cases") else { return };
    let scratch = copied(&folder.join(CASE));
    vardelta_in(scratch.path(), &["run", "pipeline.toml"]).expect(0);
    let database = scratch.path().join("out.sqlite");
    let positions = || texts(&database, "SELECT CAST(pos AS TEXT) FROM variants ORDER BY pos");
    let other = rusqlite::Connection::open(&database).expect("it is there");
    let begin = |how: &str| {
        other.execute_batch(how).expect("nobody else is there");
        let count: i64 = other.query_row("SELECT count(*) FROM variants", [], |row| row.get(0)).expect("a number");
        assert_eq!(count, 1);
    };
    begin("BEGIN IMMEDIATE");
    let said = vardelta_in(scratch.path(), &["run", "pipeline.toml", "later/b.vcf"]).expect(6);
    said.says(&["another run or program is writing to it", "nothing was written", "Wait until that is done"]);
    other.execute_batch("ROLLBACK").expect("its own transaction");
    assert_eq!(positions(), ["100"]);
    begin("BEGIN");
    vardelta_in(scratch.path(), &["run", "pipeline.toml", "later/b.vcf"]).expect(0);
    // The reader still sees what it saw.
    let count: i64 = other.query_row("SELECT count(*) FROM variants", [], |row| row.get(0)).expect("a number");
    assert_eq!(count, 1);
    other.execute_batch("ROLLBACK").expect("its own transaction");
    assert_eq!(positions(), ["100", "200"]);
    vardelta_in(scratch.path(), &["verify", "pipeline.toml"]).expect(0);
}
