//! Inserting rows by `LOAD DATA LOCAL`, in slices that are ready in memory before their statement is sent: a slice that
//! came slowly would run into the server's patience.

use std::{io::Write as _, sync::Arc};

use mysql::{Error, LocalInfileHandler, prelude::Queryable};

use crate::sinks::mysql::link::Link;

/// What the server says of one slice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Loaded {
    /// Lines read.
    pub(super) records: u64,
    /// Rows that had to give way.
    pub(super) deleted: u64,
    /// Lines left out.
    pub(super) skipped: u64,
    /// Warnings, notes included.
    pub(super) warnings: u64,
    /// Rows touched.
    pub(super) affected: u64,
}

/// Sends one slice. The text is given back, to be filled again.
pub(super) fn load(link: &mut Link, statement: &str, text: &mut Vec<u8>) -> Result<Loaded, Error> {
    let data = Arc::new(std::mem::take(text));
    let sent = Arc::clone(&data);
    let handler = LocalInfileHandler::new(move |_, server| {
        // An error that the handler returned would leave the conversation half-way. A connection that is gone is found by
        // the next read, and the server counts what it was sent.
        let _ = server.write_all(&sent);
        Ok(())
    });
    // Set each time: a server asks for a file whenever it likes, and gets nothing but the slice of this very statement.
    link.conn.set_local_infile_handler(Some(handler));
    let result = link.conn.query_drop(statement);
    link.conn.set_local_infile_handler(None);
    if let Ok(mut data) = Arc::try_unwrap(data) {
        data.clear();
        *text = data;
    }
    result?;
    let loaded = Loaded { affected: link.conn.affected_rows(), ..parse_info(&link.conn.info_str()) };
    Ok(loaded)
}

/// Reads `Records: 3  Deleted: 0  Skipped: 0  Warnings: 0`.
fn parse_info(info: &str) -> Loaded {
    let mut loaded = Loaded::default();
    let mut words = info.split_whitespace();
    while let (Some(name), Some(number)) = (words.next(), words.next()) {
        let number = number.parse().unwrap_or(u64::MAX);
        match name {
            "Records:" => loaded.records = number,
            "Deleted:" => loaded.deleted = number,
            "Skipped:" => loaded.skipped = number,
            "Warnings:" => loaded.warnings = number,
            _ => {}
        }
    }
    loaded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_says_is_read() {
        let expected = Loaded { records: 12, deleted: 1, skipped: 2, warnings: 3, affected: 0 };
        assert_eq!(parse_info("Records: 12  Deleted: 1  Skipped: 2  Warnings: 3"), expected);
        assert_eq!(parse_info(""), Loaded::default());
    }
}
