//! What an older vardelta left, made to look as if its stages computed what today's compute: a format is tried by it, not what
//! stages make of records.

use std::path::Path;

use rusqlite::{Connection, params};
use serde_json::Value;
use vardelta_stages::REGISTRY;

/// Gives the stages of every definition in a SQLite ledger the versions that their types have now.
pub fn of_these_stages(database: &Path) {
    let connection = Connection::open(database).expect("the database opens");
    let mut statement =
        connection.prepare("SELECT pipeline, epoch, definition FROM vardelta_epochs").expect("the ledger is there");
    let rows: Vec<(String, i64, String)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .and_then(Iterator::collect)
        .expect("the ledger can be read");
    for (pipeline, epoch, definition) in rows {
        let Ok(mut stages) = serde_json::from_str::<Value>(&definition) else { continue };
        for stage in stages.as_object_mut().into_iter().flat_map(|stages| stages.values_mut()) {
            let known = REGISTRY.iter().find(|known| stage["type"] == known.name());
            if let (Some(known), true) = (known, stage["version"].is_u64()) {
                stage["version"] = known.version().into();
            }
        }
        connection
            .execute(
                "UPDATE vardelta_epochs SET definition = ?3 WHERE pipeline = ?1 AND epoch = ?2",
                params![pipeline, epoch, stages.to_string()],
            )
            .expect("the ledger can be written");
    }
}
