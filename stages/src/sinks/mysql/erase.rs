//! Forgetting drops: their rows in histories, rejects and ledger. What the server itself keeps of rows that are gone is out
//! of a client's reach.

use mysql::{Error, Params, Row, Value, prelude::Queryable};
use vardelta_engine::contract::{
    erasure::{Erasure, Place, Removed, Search},
    sink::SinkError,
};
use vardelta_schemas::{
    ledger::Epoch,
    sql::{
        erase::{self as sql, ERASING, ERASING_SAMPLE, HistoryErasure},
        migration as migration_sql, mysql as mysql_sql,
    },
};

use crate::sinks::{
    mysql::{error::explain, ledger::integer, link::Link, marks, settings::Settings, swap::Settling},
    shared::tables::check_nothing_is_left_over,
};

/// Takes drops out of histories, rejects and ledger, inside the epoch's transaction.
pub(super) fn erase(settings: &Settings, link: &mut Link, erasure: &Erasure) -> Result<Removed, SinkError> {
    let location = settings.location.as_str();
    let mut owned = Vec::new();
    for name in (Settling { settings, link, pipeline: &erasure.pipeline, tables: &[] }).owned()? {
        let found: Option<Row> = link
            .conn
            .exec_first(mysql_sql::SELECT_OBJECT, (&name,))
            .map_err(explain(location, "read the tables of"))?;
        let kind: Option<String> = found.and_then(|row| row.get(0));
        owned.extend(kind.filter(|kind| kind == "BASE TABLE").map(|_| name));
    }
    check_nothing_is_left_over(erasure, &owned, |table| {
        link.conn.exec(migration_sql::SELECT_LAX, (table,)).map_err(explain(location, "read the tables of"))
    })?;
    let mut removed = remove(link, erasure).map_err(explain(location, "erase from"))?;
    for table in &erasure.tables {
        if marks::found(settings, link, &table.table, &table.table.name)?.may_be_there() {
            let delete = sql::delete_marked_in(link.dialect, &table.table.name, erasure.marked_in(table));
            removed.marked += affected(link, &delete, ()).map_err(explain(location, "erase from"))?;
        }
    }
    Ok(removed)
}

/// Looks for marked rows that should be gone.
pub(super) fn search_marked(
    settings: &Settings,
    link: &mut Link,
    erasure: &Erasure,
    search: &mut Search,
) -> Result<(), SinkError> {
    for table in &erasure.tables {
        if marks::found(settings, link, &table.table, &table.table.name)?.may_be_there() {
            let query = sql::count_marked_in(link.dialect, &table.table.name, erasure.marked_in(table));
            let rows = count(link, &query, ()).map_err(explain(&settings.location, "search"))?;
            search.found(Place::Tables, rows, format!("marked rows of `{}` of epochs of the drops", table.table.name));
        }
    }
    Ok(())
}

fn remove(link: &mut Link, erasure: &Erasure) -> Result<Removed, Error> {
    let mut removed = Removed::default();
    let pipeline = erasure.pipeline.as_str();
    let first = erasure.first_epoch;
    for (table, history) in erasure.histories() {
        let statements = HistoryErasure::new(link.dialect, history);
        if table.hides_values {
            removed.history += affected(link, &statements.delete_from(first), ())?;
            continue;
        }
        // What is of unknown origin is recognised by rows that the other statement may delete.
        for since in blind_epochs(link, erasure, &history.name)? {
            removed.history += affected(link, &statements.delete_of_unknown_origin(since, first), ())?;
        }
        removed.history += affected(link, &statements.delete_changed_in(&erasure.revealing_epochs, first), ())?;
    }
    let (first, last) = (integer(first.number())?, integer(erasure.epoch.number())?);
    removed.rejects += affected(link, sql::DELETE_REJECTS_OF_NO_DROP, (pipeline, first, last))?;
    removed.ledger += affected(link, sql::DELETE_WARNINGS_OF_NO_DROP, (pipeline, first, last))?;
    for drop in &erasure.drops {
        let id = integer(drop.drop_id.number())?;
        removed.ledger += affected(link, sql::DELETE_WARNINGS, (pipeline, id))?;
        removed.rejects += affected(link, sql::DELETE_REJECTS, (pipeline, id))?;
        if erasure.member.is_some() {
            continue;
        }
        removed.ledger += affected(link, sql::RENAME_EVENTS, (drop.neutral_name(), pipeline, id))?;
        removed.ledger += count(link, sql::COUNT_DROPS, (pipeline, id))?;
        if let Some(name) = &drop.name {
            removed.ledger += affected(link, sql::WIDEN_MEMBERS, (pipeline, &drop.source, name))?;
        }
    }
    Ok(removed)
}

fn affected(link: &mut Link, statement: &str, values: impl Into<Params>) -> Result<u64, Error> {
    link.conn.exec_drop(statement, values)?;
    Ok(link.conn.affected_rows())
}

fn count(link: &mut Link, query: &str, values: impl Into<Params>) -> Result<u64, Error> {
    Ok(link.conn.exec_first(query, values)?.unwrap_or_default())
}

/// The epochs from which on a history does not say where rows came from, though the drops were there already.
fn blind_epochs(link: &mut Link, erasure: &Erasure, history: &str) -> Result<Vec<Epoch>, Error> {
    let created: Option<u64> = link.conn.exec_first(sql::SELECT_CREATED_EPOCH, (history,))?;
    let late = created.map(Epoch::new).filter(|created| *created > erasure.first_epoch);
    Ok(late.into_iter().chain(erasure.blind_epochs.iter().copied()).collect())
}

/// Whether an erasure is committed and not proven.
pub(super) fn is_erasing(link: &mut Link, pipeline: &str) -> Result<bool, Error> {
    let mut rows = 0;
    for action in [ERASING, ERASING_SAMPLE] {
        rows += count(link, sql::COUNT_EVENTS_OF_ACTION, (pipeline, action))?;
    }
    Ok(rows > 0)
}

/// Writes down that an erasure is proven.
pub(super) fn finish(link: &mut Link, erasure: &Erasure) -> Result<(), Error> {
    link.conn.query_drop(mysql_sql::BEGIN_WRITE)?;
    for drop in &erasure.drops {
        let ((erasing, _), (erased, name)) = (erasure.pending(drop), erasure.proven(drop));
        let values = (erased, name, &erasure.pipeline, integer(drop.drop_id.number())?, erasing);
        link.conn.exec_drop(sql::UPDATE_EVENT_OF_ACTION, values)?;
    }
    link.conn.query_drop(mysql_sql::COMMIT)
}

/// Whether a text is a value of a row of the tables or histories.
pub(super) fn has_value(link: &mut Link, erasure: &Erasure, text: &str) -> Result<bool, Error> {
    for table in erasure.tables_and_histories() {
        let Some((query, parameters)) = sql::has_value(link.dialect, table) else { continue };
        if count(link, &query, vec![Value::from(text); parameters])? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Looks for what should be gone from histories, rejects and ledger.
pub(super) fn search(location: &str, link: &mut Link, erasure: &Erasure) -> Result<Search, Error> {
    let mut search = Search::default();
    let pipeline = erasure.pipeline.as_str();
    let (first, last) = (integer(erasure.first_epoch.number())?, integer(erasure.epoch.number())?);
    for (table, history) in erasure.histories() {
        let (name, statements) = (&history.name, HistoryErasure::new(link.dialect, history));
        let of_epochs = match table.hides_values {
            true => count(link, &statements.count_between(erasure.first_epoch, erasure.epoch), ())?,
            false => count(link, &statements.count_changed_in(&erasure.revealing_epochs), ())?,
        };
        search.found(Place::History, of_epochs, format!("rows of `{name}` of epochs that touched the drops"));
        for drop in &erasure.drops {
            let Some(json) = drop.json_name() else { continue };
            let rows: Vec<(u64, u64)> = link.conn.exec(statements.count_named(), (json,))?;
            for (_, rows) in rows.into_iter().filter(|(epoch, _)| erasure.own_epochs.contains(&Epoch::new(*epoch))) {
                search.found(Place::History, rows, format!("rows of `{name}` that name the drop"));
            }
        }
    }
    let without_drop = count(link, sql::COUNT_REJECTS_OF_NO_DROP, (pipeline, first, last))?;
    search.found(Place::Rejects, without_drop, "rejects of the drops' time that name no drop");
    let without_drop = count(link, sql::COUNT_WARNINGS_OF_NO_DROP, (pipeline, first, last))?;
    search.found(Place::Ledger, without_drop, "warnings of the drops' time that name no drop");
    if let Some(name) = erasure.member.as_ref().and_then(|member| member.name.as_ref()) {
        let named = count(link, sql::COUNT_MEMBERS_NAMED, (pipeline, name))?;
        search.found(Place::Ledger, named, "withdrawn samples of the name");
    }
    for drop in &erasure.drops {
        let id = integer(drop.drop_id.number())?;
        search.found(Place::Rejects, count(link, sql::COUNT_REJECTS, (pipeline, id))?, "rejects of the drop");
        search.found(Place::Ledger, count(link, sql::COUNT_WARNINGS, (pipeline, id))?, "warnings of the drop");
        if erasure.member.is_some() {
            continue;
        }
        search.found(Place::Ledger, count(link, sql::COUNT_DROPS, (pipeline, id))?, "the drop's row");
        let values: Vec<Value> = vec![pipeline.into(), id.into(), drop.neutral_name().into(), last.into()];
        let otherwise = count(link, sql::COUNT_EVENTS_NAMED_OTHERWISE, values)?;
        search.found(Place::Ledger, otherwise, "events of the drop under another name");
        if let Some(name) = &drop.name {
            let named = count(link, sql::COUNT_EVENTS_NAMED, (pipeline, &drop.source, name, last))?;
            search.found(Place::Ledger, named, "events that name the drop");
            let members = count(link, sql::COUNT_MEMBERS, (pipeline, &drop.source, name))?;
            search.found(Place::Ledger, members, "withdrawn samples that name the drop");
        }
    }
    search.notices.push(format!(
        "{location}: the server's binary logs, undo and redo logs, the freed space of its files, its backups and replicas keep \
         erased rows until they expire or are purged, and lists written with --rejects stay; that is the administrator's \
         (PURGE BINARY LOGS, OPTIMIZE TABLE)"
    ));
    Ok(search)
}
