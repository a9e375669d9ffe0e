//! Rows that go by the thousand: their keys are loaded into a temporary table, and one statement joins it with the table.
//! Fewer, or where the server does not allow that, are named in statements.

use mysql::{Error, prelude::Queryable};
use vardelta_engine::contract::sink::{
    Op, SinkError,
    SinkErrorKind::{ConnectionLost, Contention, Locked},
};

use crate::sinks::mysql::{
    apply::{Sent, Writer},
    error::explain,
    local_infile,
};

/// Fewer rows are named in a statement sooner than a table is made for them.
const JOINED_ROWS_MIN: usize = 100;

/// What became of rows that were to go by a join.
enum Joined {
    /// They went.
    All,
    /// Not all of them went.
    Fewer,
    /// The temporary table does not hold the keys as they were sent.
    Altered,
    /// The server makes no such table, or does not fill it.
    NotAllowed(Error),
    /// It does not let the rows go.
    Refused(Error),
}

impl Writer<'_> {
    /// Whether these rows go by a join. Not where one of them is about as long as a packet: such a key has a way of its own.
    pub(super) fn goes_by_join(&self, sent: &Sent<'_, '_>) -> bool {
        let bytes_max = self.target.link.packet_bytes / 2;
        *self.target.local_infile
            && self.target.link.temporary_tables
            && sent.rows.len() >= JOINED_ROWS_MIN
            && sent.rows.iter().all(|(batch, row)| sent.readers[*batch].bytes(*row) < bytes_max)
    }

    /// Deletes rows, or marks them, by a join with their keys.
    pub(super) fn join(&mut self, sent: &Sent<'_, '_>) -> Result<(), SinkError> {
        self.write_text(&self.target.sql.key(), sent);
        self.savepoint()?;
        let joined = self.join_with_keys(sent);
        // Whatever became of it. Where the connection is gone, so is the table.
        let dropped = self.target.link.conn.query_drop(self.target.sql.drop_gone());
        match joined {
            Joined::All => dropped.map_err(explain(self.target.location, "write to")),
            Joined::Fewer => Err(self.disagreement(Op::Delete, sent)),
            Joined::Altered => self.statements(Op::Delete, sent),
            Joined::Refused(error) => self.refused(Op::Delete, sent, error),
            Joined::NotAllowed(error) => {
                let told = explain(self.target.location, "write to")(error);
                if matches!(told.kind, Contention | ConnectionLost | Locked) {
                    return Err(told);
                }
                self.target.notices.push(format!(
                    "the keys of rows that go were named in statements, which is slower than a temporary table: {}",
                    told.message
                ));
                self.target.link.temporary_tables = false;
                self.statements(Op::Delete, sent)
            }
        }
    }

    fn join_with_keys(&mut self, sent: &Sent<'_, '_>) -> Joined {
        let (sql, rows) = (self.target.sql, sent.rows.len() as u64);
        let statements = [sql.drop_gone(), sql.create_gone()];
        let made = statements.iter().try_for_each(|statement| self.target.link.conn.query_drop(statement));
        let filled = made.and_then(|()| local_infile::load(self.target.link, &sql.load_gone(), &mut self.text));
        match filled {
            Err(error) => return Joined::NotAllowed(error),
            Ok(filled) if filled.records != rows || filled.affected != rows || filled.warnings > 0 => {
                return Joined::Altered;
            }
            Ok(_) => {}
        }
        let marking = self.marking();
        match self.target.link.conn.exec_drop(sql.delete_gone(), marking) {
            Err(error) => Joined::Refused(error),
            Ok(()) if self.target.link.conn.affected_rows() == rows => Joined::All,
            Ok(()) => Joined::Fewer,
        }
    }
}
