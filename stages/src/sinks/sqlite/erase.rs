//! Forgetting drops: their rows in histories, rejects and ledger, and the bytes that SQLite leaves of rows that are gone.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};
use vardelta_engine::{
    contract::{
        erasure::{Erasure, Place, Removed, Search, texts_in_file},
        sink::{SinkError, SinkErrorKind},
    },
    failpoint,
};
use vardelta_schemas::{
    ledger::Epoch,
    sql::{
        Dialect,
        erase::{self as sql, ERASING, ERASING_SAMPLE, HistoryErasure, sqlite},
    },
};

use crate::sinks::{
    shared::{marks::OnDelete, tables::check_nothing_is_left_over},
    sqlite::{
        constraints::Kept,
        error::explain,
        layout::Layout,
        ledger::{integer, lax, unsigned},
        marks,
    },
};

/// How often the log is tried to be emptied, each time as long as the connection waits for others.
const TRUNCATIONS: u32 = 10;

/// Takes drops out of histories, rejects and ledger, inside the epoch's transaction.
pub(super) fn erase(
    path: &Path,
    connection: &Connection,
    on_delete: OnDelete,
    erasure: &Erasure,
) -> Result<Removed, SinkError> {
    let failed = explain(path, "erase from");
    connection.execute_batch(sqlite::SECURE_DELETE).map_err(failed)?;
    let (pipeline, expected_epoch) = (erasure.pipeline.as_str(), erasure.epoch);
    let layout = Layout { path, connection, pipeline, expected_epoch, on_delete, kept: &Kept::default() };
    let lax_columns = |table: &str| lax(connection, table).map_err(failed);
    let mut owned = Vec::new();
    for name in layout.owned()? {
        if layout.object(&name)?.is_some_and(|(kind, _)| kind == "table") {
            owned.push(name);
        }
    }
    check_nothing_is_left_over(erasure, &owned, lax_columns)?;
    let mut removed = remove(connection, erasure).map_err(failed)?;
    for table in &erasure.tables {
        if marks::found(path, connection, on_delete, &table.table)?.may_be_there() {
            let delete = sql::delete_marked_in(Dialect::Sqlite, &table.table.name, erasure.marked_in(table));
            removed.marked += connection.execute(&delete, []).map_err(failed)? as u64;
        }
    }
    Ok(removed)
}

/// Looks for marked rows that should be gone.
pub(super) fn search_marked(
    path: &Path,
    connection: &Connection,
    on_delete: OnDelete,
    erasure: &Erasure,
    search: &mut Search,
) -> Result<(), SinkError> {
    for table in &erasure.tables {
        if marks::found(path, connection, on_delete, &table.table)?.may_be_there() {
            let count = sql::count_marked_in(Dialect::Sqlite, &table.table.name, erasure.marked_in(table));
            let rows = connection.query_row(&count, [], |row| unsigned(row, 0)).map_err(explain(path, "search"))?;
            search.found(Place::Tables, rows, format!("marked rows of `{}` of epochs of the drops", table.table.name));
        }
    }
    Ok(())
}

fn remove(connection: &Connection, erasure: &Erasure) -> rusqlite::Result<Removed> {
    let mut removed = Removed::default();
    let pipeline = erasure.pipeline.as_str();
    let first = erasure.first_epoch;
    for (table, history) in erasure.histories() {
        let statements = HistoryErasure::new(Dialect::Sqlite, history);
        let mut delete = |text: &str| -> rusqlite::Result<()> {
            removed.history += connection.execute(text, [])? as u64;
            Ok(())
        };
        if table.hides_values {
            delete(&statements.delete_from(first))?;
            continue;
        }
        // What is of unknown origin is recognised by rows that the other statement may delete.
        for since in blind_epochs(connection, erasure, &history.name)? {
            delete(&statements.delete_of_unknown_origin(since, first))?;
        }
        delete(&statements.delete_changed_in(&erasure.revealing_epochs, first))?;
    }
    let (first, last) = (integer(first.number())?, integer(erasure.epoch.number())?);
    removed.rejects += connection.execute(sql::DELETE_REJECTS_OF_NO_DROP, (pipeline, first, last))? as u64;
    removed.ledger += connection.execute(sql::DELETE_WARNINGS_OF_NO_DROP, (pipeline, first, last))? as u64;
    for drop in &erasure.drops {
        let id = integer(drop.drop_id.number())?;
        removed.ledger += connection.execute(sql::DELETE_WARNINGS, (pipeline, id))? as u64;
        removed.rejects += connection.execute(sql::DELETE_REJECTS, (pipeline, id))? as u64;
        if erasure.member.is_some() {
            continue;
        }
        removed.ledger += connection.execute(sql::RENAME_EVENTS, (drop.neutral_name(), pipeline, id))? as u64;
        removed.ledger += connection.query_row(sql::COUNT_DROPS, (pipeline, id), |row| unsigned(row, 0))?;
        if let Some(name) = &drop.name {
            removed.ledger += connection.execute(sql::WIDEN_MEMBERS, (pipeline, &drop.source, name))? as u64;
        }
    }
    Ok(removed)
}

/// The epochs from which on a history does not say where rows came from, though the drops were there already.
fn blind_epochs(connection: &Connection, erasure: &Erasure, history: &str) -> rusqlite::Result<Vec<Epoch>> {
    let created: Option<u64> =
        connection.query_row(sql::SELECT_CREATED_EPOCH, [history], |row| unsigned(row, 0)).optional()?;
    let late = created.map(Epoch::new).filter(|created| *created > erasure.first_epoch);
    Ok(late.into_iter().chain(erasure.blind_epochs.iter().copied()).collect())
}

/// Whether an erasure is committed and not proven.
pub(super) fn is_erasing(connection: &Connection, pipeline: &str) -> rusqlite::Result<bool> {
    let is_there = |action: &str| {
        connection.query_row(sql::COUNT_EVENTS_OF_ACTION, (pipeline, action), |row| Ok(unsigned(row, 0)? > 0))
    };
    Ok(is_there(ERASING)? || is_there(ERASING_SAMPLE)?)
}

/// Rewrites the file, without what deleted rows have left in it, and empties the log.
pub(super) fn scrub(path: &Path, connection: &Connection) -> Result<(), SinkError> {
    let failed = explain(path, "erase from");
    for statement in [sqlite::SECURE_DELETE, sqlite::TEMPORARY_FILES, sqlite::VACUUM] {
        connection.execute_batch(statement).map_err(failed)?;
    }
    failpoint::hit("erase:vacuumed");
    truncate_log(path, connection)
}

fn truncate_log(path: &Path, connection: &Connection) -> Result<(), SinkError> {
    for _ in 0..TRUNCATIONS {
        let busy: bool = connection
            .query_row(sqlite::TRUNCATE_LOG, [], |row| row.get(0))
            .map_err(explain(path, "empty the log of"))?;
        if !busy {
            return Ok(());
        }
    }
    Err(SinkError::new(
        SinkErrorKind::Locked,
        format!(
            "other programs have {} open and keep its write-ahead log from being emptied, so that erased rows are still in it",
            path.display()
        ),
    )
    .with_hint("Close them, or let their transactions end."))
}

/// Writes down that an erasure is proven; the log holds nothing of its marks then.
pub(super) fn finish(path: &Path, connection: &Connection, erasure: &Erasure) -> Result<(), SinkError> {
    let failed = explain(path, "write to the ledger of");
    connection.execute_batch(sqlite::SECURE_DELETE).map_err(failed)?;
    let transaction = connection.unchecked_transaction().map_err(failed)?;
    for drop in &erasure.drops {
        let id = integer(drop.drop_id.number()).map_err(failed)?;
        let ((erasing, _), (erased, name)) = (erasure.pending(drop), erasure.proven(drop));
        let values = (erased, name, &erasure.pipeline, id, erasing);
        transaction.execute(sql::UPDATE_EVENT_OF_ACTION, values).map_err(failed)?;
    }
    transaction.commit().map_err(failed)?;
    truncate_log(path, connection)
}

/// Looks for what should be gone from histories, rejects and ledger.
pub(super) fn search(connection: &Connection, erasure: &Erasure) -> rusqlite::Result<Search> {
    let mut search = Search::default();
    let pipeline = erasure.pipeline.as_str();
    let count = |text: &str, values: &[&dyn rusqlite::ToSql]| -> rusqlite::Result<u64> {
        connection.query_row(text, values, |row| unsigned(row, 0))
    };
    let (first, last) = (integer(erasure.first_epoch.number())?, integer(erasure.epoch.number())?);
    for (table, history) in erasure.histories() {
        let (name, statements) = (&history.name, HistoryErasure::new(Dialect::Sqlite, history));
        let of_epochs = match table.hides_values {
            true => count(&statements.count_between(erasure.first_epoch, erasure.epoch), &[])?,
            false => count(&statements.count_changed_in(&erasure.revealing_epochs), &[])?,
        };
        search.found(Place::History, of_epochs, format!("rows of `{name}` of epochs that touched the drops"));
        let mut named = connection.prepare(&statements.count_named())?;
        for drop in &erasure.drops {
            let Some(json) = drop.json_name() else { continue };
            let rows = named.query_map([json], |row| Ok((unsigned(row, 0)?, unsigned(row, 1)?)))?;
            for row in rows {
                let (epoch, rows) = row?;
                if erasure.own_epochs.contains(&Epoch::new(epoch)) {
                    search.found(Place::History, rows, format!("rows of `{name}` that name the drop"));
                }
            }
        }
    }
    let without_drop = count(sql::COUNT_REJECTS_OF_NO_DROP, params![pipeline, first, last])?;
    search.found(Place::Rejects, without_drop, "rejects of the drops' time that name no drop");
    let without_drop = count(sql::COUNT_WARNINGS_OF_NO_DROP, params![pipeline, first, last])?;
    search.found(Place::Ledger, without_drop, "warnings of the drops' time that name no drop");
    if let Some(name) = erasure.member.as_ref().and_then(|member| member.name.as_ref()) {
        let named = count(sql::COUNT_MEMBERS_NAMED, params![pipeline, name])?;
        search.found(Place::Ledger, named, "withdrawn samples of the name");
    }
    for drop in &erasure.drops {
        let id = integer(drop.drop_id.number())?;
        search.found(Place::Rejects, count(sql::COUNT_REJECTS, params![pipeline, id])?, "rejects of the drop");
        search.found(Place::Ledger, count(sql::COUNT_WARNINGS, params![pipeline, id])?, "warnings of the drop");
        if erasure.member.is_some() {
            continue;
        }
        search.found(Place::Ledger, count(sql::COUNT_DROPS, params![pipeline, id])?, "the drop's row");
        let otherwise = count(sql::COUNT_EVENTS_NAMED_OTHERWISE, params![pipeline, id, drop.neutral_name(), last])?;
        search.found(Place::Ledger, otherwise, "events of the drop under another name");
        if let Some(name) = &drop.name {
            let named = count(sql::COUNT_EVENTS_NAMED, params![pipeline, drop.source, name, last])?;
            search.found(Place::Ledger, named, "events that name the drop");
            let members = count(sql::COUNT_MEMBERS, params![pipeline, drop.source, name])?;
            search.found(Place::Ledger, members, "withdrawn samples that name the drop");
        }
    }
    Ok(search)
}

/// Whether a text is a value of a row of the tables or histories.
pub(super) fn has_value(connection: &Connection, erasure: &Erasure, text: &str) -> rusqlite::Result<bool> {
    for table in erasure.tables_and_histories() {
        let Some((query, parameters)) = sql::has_value(Dialect::Sqlite, table) else { continue };
        let values = params_from_iter(std::iter::repeat_n(text, parameters));
        if connection.query_row(&query, values, |row| row.get(0))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Which texts are in the bytes of the database's files. No connection of this process may have them open: closing a file
/// gives up the locks that the process has on it.
pub(super) fn texts_in_files(path: &Path, texts: &[String]) -> Result<Vec<bool>, SinkError> {
    let mut found = vec![false; texts.len()];
    for suffix in ["", "-wal", "-journal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let file = PathBuf::from(name);
        let in_file = texts_in_file(&file, texts).map_err(|cause| {
            SinkError::new(SinkErrorKind::Unavailable, format!("{} cannot be searched: {cause}", file.display()))
        })?;
        found.iter_mut().zip(in_file).for_each(|(found, here)| *found |= here);
    }
    Ok(found)
}

/// Says what it means that these texts are in the files: where a row of somebody else holds one, nothing.
pub(super) fn judge(
    path: &Path,
    connection: &Connection,
    texts: &[String],
    search: &mut Search,
) -> rusqlite::Result<()> {
    let mut tables: Vec<(String, Vec<String>)> = Vec::new();
    let mut statement = connection.prepare(sqlite::SELECT_ALL_COLUMNS)?;
    let columns = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    for column in columns {
        let (table, column) = column?;
        match tables.last_mut() {
            Some((last, columns)) if *last == table => columns.push(column),
            _ => tables.push((table, vec![column])),
        }
    }
    for text in texts {
        let mut holder = None;
        for (table, columns) in &tables {
            if connection.query_row(&sqlite::holds(table, columns), [text], |row| row.get(0))? {
                holder = Some(table);
                break;
            }
        }
        match holder {
            Some(table) => {
                search.notices.push(format!("`{text}` is in `{table}` too, in rows that are not the drop's"))
            }
            None => search.found(Place::Files, 1, format!("`{text}` is in the bytes of {}", path.display())),
        }
    }
    Ok(())
}
