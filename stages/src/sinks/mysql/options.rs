//! The options of the sink.

use std::path::PathBuf;

use vardelta_engine::{contract::options::Spanned, options};

use crate::sinks::{
    mysql::{
        option_values::{NamedNumbers, Partitions, References},
        tls::Tls,
    },
    shared::{
        constraints::{Checks, OnConstraint},
        index_columns::Indexes,
        marks::OnDelete,
    },
};

options! {
    /// Options of `mysql`.
    pub struct MySqlOptions {
        /// The server and the database: `mysql://user:password@host:port/database`, best as `${VARDELTA_MYSQL_URL}`, so that
        /// the password is in no file. It is never shown. Letters that mean something in an address are written as in one:
        /// `%40` for `@`.
        "url" => url: String,
        /// Encryption. "off": none. "preferred": where the server offers it, else plain text, and the report says so of
        /// another machine's. "required": always, whoever the server is. "verify_ca": with a server whose certificate a known
        /// authority has signed. "verify_identity": and the certificate names the host of `url`. A socket is not encrypted.
        "tls" => tls: Tls = Tls::Preferred, "\"preferred\"",
        /// A file of certificates in PEM form, relative to the pipeline file: authorities to trust beside the public ones. Only
        /// with "verify_ca" and "verify_identity".
        "tls_ca" => tls_ca: Option<PathBuf> = None, "\"\"",
        /// The server's socket, relative to the pipeline file, instead of the host and port of `url`.
        "socket" => socket: Option<PathBuf> = None, "\"\"",
        /// How many characters text columns hold, by name, in all tables of the sink: `{ chromosome = 64 }`. A longer value
        /// is an error. 0 means any number, kept as LONGTEXT. Text in front of a key and text in an index holds 255
        /// characters if nothing is said; other text holds any number.
        "text_characters" => text_characters: NamedNumbers = NamedNumbers::default(), "{}",
        /// Indexes that are built once a table is first filled: lists of columns, `[["chromosome", "quality"]]`, for every
        /// table that has all of them, or by table, `{ variants = [["chromosome", "quality"]] }`.
        "indexes" => indexes: Indexes = Indexes::default(), "[]",
        /// Columns whose values no two rows may share, beside the key: lists as those of `indexes`. NULL is no value: any number of
        /// rows may have it.
        "unique" => unique: Indexes = Indexes::default(), "[]",
        /// The column by whose value rows are parted: `"chromosome"`. Every table whose primary key has it is partitioned
        /// (LIST COLUMNS), so that a query for one chromosome reads one partition; the others are left as they are.
        "partition_by" => partition_by: Option<Spanned<String>> = None, "\"\"",
        /// The values that get a partition each, `["chr1", "chr2"]`, or one together, `[["chrX", "chrY"]]`. Default: the
        /// contigs of the pipeline's `assembly`, if that is one that vardelta knows by name. MariaDB keeps all other values
        /// in one further partition; MySQL takes no row with another value.
        "partitions" => partitions: Option<Spanned<Partitions>> = None, "[]",
        /// Tables of which a history is kept: `["mutation_summary"]` gives `mutation_summary_history`, with a row for every
        /// row that an epoch inserted, updated or deleted.
        "history" => history: Vec<Spanned<String>> = Vec::new(), "[]",
        /// What becomes of a row that goes: "delete"; or "mark", it stays with its last values, `deleted_at` is the time of the
        /// epoch (UTC, as in the ledger), and the view `<table>_live` shows the rows whose `deleted_at` is NULL. The user then
        /// needs the right CREATE VIEW as well.
        "on_delete" => on_delete: OnDelete = OnDelete::Delete, "\"delete\"",
        /// CHECK constraints: SQL conditions over a table's columns, `{ variants = ["position >= 0"] }`. They may use
        /// comparisons, AND, OR, NOT, + - *, BETWEEN, IN, IS NULL and length(). A NULL passes, as in SQL.
        "checks" => checks: Checks = Checks::default(), "{}",
        /// FOREIGN KEYs, always ON DELETE RESTRICT: `{ variants = [{ columns = ["gene"], table = "genes", to = ["symbol"] }] }`.
        /// The other table is one of this sink, referred to by its key, or any other of the same database.
        "references" => references: References = References::default(), "{}",
        /// What happens to a row that the database does not take (a constraint, a value that its column cannot hold): "abort",
        /// nothing is written; "quarantine", the row becomes a reject with the server's message, and the rest is written.
        "on_constraint" => on_constraint: OnConstraint = OnConstraint::Abort, "\"abort\"",
        /// Whether new rows go by LOAD DATA LOCAL where the server permits it (`local_infile = ON` there). It needs no FILE
        /// right. Otherwise they go by multi-row INSERT, which takes about twice as long.
        "local_infile" => local_infile: bool = true, "true",
        /// Seconds to wait for a row or table that another client has locked, before the transaction is run again.
        "lock_wait_seconds" => lock_wait_seconds: u64 = 50, "50",
        /// How often a transaction that met a deadlock, waited for too long or lost its connection is run again.
        "retries" => retries: u64 = 8, "8",
        /// Milliseconds to wait for a server that is gone, a restarting one for instance.
        "reconnect_timeout_ms" => reconnect_timeout_ms: u64 = 30_000, "30_000",
    }
}
