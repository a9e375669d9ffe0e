//! What the pipeline file says about the server, resolved: how to reach it, and how to show it without its password.

use std::{collections::HashMap, net::IpAddr, path::PathBuf, time::Duration};

use mysql::{Opts, OptsBuilder};
use vardelta_engine::contract::sink::Namespace;
use vardelta_schemas::{
    TableSchema,
    history::{HISTORY_TEXT_CHARACTERS, history_name},
    sql::{
        Dialect,
        marks::Marks,
        mysql::{
            constraint::{Constraint, Rule},
            layout::{TableLayout, TextCharacters},
            partition::Partition,
        },
    },
};

use crate::sinks::{
    mysql::tls::Tls,
    shared::{
        constraints::{OnConstraint, PlannedConstraint},
        marks::OnDelete,
        unique::{self, PlannedUnique},
    },
};

/// An index: its table and columns, and its name in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PlannedIndex {
    pub(super) table: String,
    pub(super) columns: Vec<usize>,
    pub(super) name: String,
}

/// How tables are partitioned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PartitionBy {
    pub(super) column: String,
    pub(super) partitions: Vec<Partition>,
}

/// A planned sink's settings. No `Debug`: the options hold the password.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) options: OptsBuilder,
    /// The database without the password: `mysql://user@host:port/database`.
    pub(super) location: String,
    pub(super) tls: Tls,
    pub(super) tls_ca: Option<PathBuf>,
    pub(super) local_infile: bool,
    pub(super) lock_wait_seconds: u64,
    pub(super) reconnect_timeout: Duration,
    pub(super) retries: u32,
    pub(super) text_characters: TextCharacters,
    pub(super) indexes: Vec<PlannedIndex>,
    /// Columns that are unique beside the keys.
    pub(super) unique: Vec<PlannedUnique>,
    /// How tables are partitioned that have the column in their primary keys.
    pub(super) partition_by: Option<PartitionBy>,
    /// The tables of which a history is kept.
    pub(super) history: Vec<String>,
    pub(super) constraints: Vec<PlannedConstraint>,
    pub(super) on_constraint: OnConstraint,
    pub(super) on_delete: OnDelete,
}

/// How long a server may take to answer the first call.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

impl Settings {
    /// The client's options: with TLS as asked, or without where it is only preferred and the server has none.
    pub(super) fn client_options(&self, without_tls: bool) -> Opts {
        let ssl = if without_tls { None } else { self.tls.options(self.tls_ca.as_deref()) };
        // What is sent is measured by the server's limit; what comes may be a row that went in under a higher one.
        self.options.clone().ssl_opts(ssl).max_allowed_packet(Some(RECEIVED_BYTES_MAX)).into()
    }

    /// The database as lineage names it: neither user nor password is part of it.
    pub(super) fn namespace(&self) -> Namespace {
        let opts: Opts = self.options.clone().into();
        let host = opts.get_ip_or_hostname();
        Namespace {
            location: format!("mysql://{host}:{}", opts.get_tcp_port()),
            database: opts.get_db_name().map(str::to_owned),
        }
    }

    /// Whether the server is on this machine, as far as the address shows.
    pub(super) fn is_local(&self) -> bool {
        let opts: Opts = self.options.clone().into();
        let host = opts.get_ip_or_hostname();
        let host = host.trim_matches(['[', ']']);
        opts.get_socket().is_some() || host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// How a table is laid out.
    pub(super) fn layout(&self, dialect: Dialect, table: &TableSchema) -> TableLayout {
        let is_history = self.history.iter().any(|of| history_name(of) == table.name);
        let mut characters = self.text_characters.clone();
        characters.extend(HISTORY_TEXT_CHARACTERS.iter().filter(|_| is_history).map(|(name, n)| ((*name).into(), *n)));
        // A history's rows never go.
        let marks = if is_history { Marks::None } else { self.on_delete.marks() };
        let layout =
            whole_layout(dialect, table, &characters, &self.indexes, &self.unique, &self.constraints).marking(marks);
        match &self.partition_by {
            // A history must take whatever its table has ever held, and is read by key.
            Some(by) if !is_history => layout.partitioned(table, &by.column, &by.partitions),
            _ => layout,
        }
    }
}

/// Bytes of a packet that is received, at the most: what the protocol's own limit is.
const RECEIVED_BYTES_MAX: usize = 1 << 30;

/// How a table is laid out, partitions apart.
pub(super) fn whole_layout(
    dialect: Dialect,
    table: &TableSchema,
    characters: &TextCharacters,
    indexes: &[PlannedIndex],
    unique: &[PlannedUnique],
    constraints: &[PlannedConstraint],
) -> TableLayout {
    let indexes = indexes.iter().filter(|index| index.table == table.name);
    let mut indexes: Vec<Vec<usize>> = indexes.map(|index| index.columns.clone()).collect();
    indexes.extend(unique.iter().filter(|unique| unique.table == table.name).map(|unique| unique.columns.clone()));
    let constraints = constraints.iter().filter(|planned| planned.table == table.name);
    let constraints: Vec<Constraint> = constraints.map(|planned| planned.constraint.clone()).collect();
    // The servers index the columns of a reference.
    indexes.extend(constraints.iter().filter_map(|constraint| match &constraint.rule {
        Rule::Reference { columns, .. } => columns.iter().map(|name| table.schema.index_of(name)).collect(),
        Rule::Check(_) => None,
    }));
    TableLayout::new(dialect, table, characters, &indexes)
        .constrained(constraints)
        .with_unique(unique::of(unique, table))
}

/// Reads an address. The error says what is wrong without quoting it.
///
/// # Errors
/// What is wrong, in words.
pub(super) fn read_url(url: &str, socket: Option<&PathBuf>) -> Result<(OptsBuilder, String), String> {
    if !url.starts_with("mysql://") {
        return Err("it does not begin with mysql://".into());
    }
    // What is before the last `@` is user and password. With one of these in it, the client would take a part of the
    // password for the host or the database, and messages would name it.
    let rest = &url["mysql://".len()..];
    if rest.rsplit_once('@').is_some_and(|(user, _)| user.contains(['/', '?', '#', '@'])) {
        return Err("user or password hold a `/`, `?`, `#` or `@`, which are written %2F, %3F, %23 and %40".into());
    }
    // Options after a `?` are the stage's own options; what the client knows beside them is not offered.
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    if !query.is_empty() {
        return Err("it has options after a `?`; options are written in the stage".into());
    }
    let opts = Opts::from_url(address)
        .map_err(|_| "it is not of the form mysql://user:password@host:port/database".to_owned())?;
    let Some(database) = opts.get_db_name().filter(|name| !name.is_empty()) else {
        return Err("it names no database: mysql://user:password@host:port/database".into());
    };
    let (user, host) = (opts.get_user().unwrap_or_default(), opts.get_ip_or_hostname().into_owned());
    let place = match socket {
        Some(socket) => format!("{user}@{}", socket.display()),
        None => format!("{user}@{host}:{}", opts.get_tcp_port()),
    };
    let location = format!("mysql://{place}/{database}");
    let attributes = HashMap::from([("program_name".to_owned(), "vardelta".to_owned())]);
    let mut options = OptsBuilder::from_opts(opts)
        // A socket would be found by itself, past a proxy or a tunnel that the address means.
        .prefer_socket(false)
        .tcp_connect_timeout(Some(CONNECT_TIMEOUT))
        .tcp_keepalive_time_ms(Some(30_000))
        .connect_attrs(Some(attributes));
    if let Some(socket) = socket {
        options = options.socket(Some(socket.display().to_string()));
    }
    Ok((options, location))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_not_part_of_the_place() {
        let (_, location) = read_url("mysql://me:s%40cret@db.example:3307/warehouse", None).unwrap_or_default();
        assert_eq!(location, "mysql://me@db.example:3307/warehouse");
        let (_, location) = read_url("mysql://me@localhost/w", Some(&"/run/my.sock".into())).unwrap_or_default();
        assert_eq!(location, "mysql://me@/run/my.sock/w");
    }

    #[test]
    fn addresses_that_cannot_be_used_are_not_quoted() {
        for url in [
            "postgres://me:secret@h/d",
            "mysql://me:secret@h",
            "mysql://me:secret@h/",
            "mysql://me:secret@h:port/d",
            "mysql://me:secret@h/d?require_ssl=secret",
            "mysql:me:secret",
            "mysql://me:12/secret@h/d",
            "mysql://me:12?secret@h/d",
            "mysql://me:12#secret@h/d",
            "mysql://me:12@secret@h/d",
            "mysql://me:12/secret@h",
            "secret",
            "",
        ] {
            let error = read_url(url, None).err().unwrap_or_default();
            assert!(!error.is_empty() && !error.contains("secret"), "{url}: {error}");
        }
    }
}
