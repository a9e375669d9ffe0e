//! The `mysql` sink: tables and ledger in a MySQL or MariaDB database, one transaction per epoch.
//!
//! - [`settings`]: what the pipeline file says. [`link`]: a connection whose server is known,
//!   encrypted as [`tls`] says.
//! - [`sink`]: the life of an epoch's transaction, of its named lock ([`lock`]), and what comes after
//!   a lost connection.
//! - [`tables`] and [`swap`]: tables made, checked, rebuilt, and settled after a commit.
//! - [`constraints`] and [`partitions`]: what the pipeline file declares of CHECKs, FOREIGN
//!   KEYs and partitions, [`unique`] of columns that are unique beside the key. [`marks`]: rows that stay, marked, when they go, and the views of those that live.
//! - [`apply`]: rows on their way in, by [`local_infile`] or statements, and out, by [`gone`];
//!   [`values`]: rows as text and parameters. [`read`]: rows on their way back.

mod answers;
mod apply;
mod begun;
mod constraints;
mod erase;
mod error;
mod gather;
mod gone;
mod index_sense;
mod indexes;
mod ledger;
mod link;
mod local_infile;
mod lock;
mod marks;
mod migrate;
mod option_values;
mod options;
mod partitions;
mod read;
mod scratch;
mod settings;
mod sink;
mod swap;
mod tables;
#[cfg(test)]
mod tests;
mod tls;
mod unique;
mod values;
mod view;

use std::{path::PathBuf, sync::Arc, time::Duration};

use vardelta_engine::{
    contract::{
        reason::Reason,
        sink::{Access, AnswerStore, Check, NamedIndex, Namespace, Server, Sink, SinkError, SinkStage},
        stage::{Kind, PlanRequest, Planned, StageDoc, StageType},
    },
    diagnostics::Diagnostics,
};
use vardelta_schemas::{
    TableSchema,
    sql::{
        Dialect,
        constraint::Rule,
        ledger::RESERVED_PREFIX,
        marks::create_live,
        mysql::{layout::KEY_HASH, table::MySqlTable},
        view::{Place, Relation, Statement, Unsayable},
    },
};

use self::{
    constraints::plan_constraints,
    indexes::{history_indexes, plan_indexes, plan_text_characters},
    link::Link,
    options::MySqlOptions,
    partitions::plan_partitions,
    settings::Settings,
    sink::MySqlSink,
};
use crate::sinks::shared::{
    constraints::judged_checks,
    marks::check_marks,
    tables::{Names, check_tables, plan_history},
    unique::{PlannedUnique, plan_unique},
};

/// The `mysql` sink, as the registry lists it.
pub static MYSQL: MySqlStage = MySqlStage;

/// What MySQL and MariaDB say about names.
static NAMES: Names = Names {
    database: "MySQL",
    reserved_prefixes: &[RESERVED_PREFIX],
    added_columns: &[TableSchema::CHANGED_EPOCH, KEY_HASH],
    characters_max: 64,
    // InnoDB's limits, with pages of 16 KiB: half a page, less what the page itself takes.
    columns_max: 1_017,
    page_row_bytes_max: Some(8_126),
};

/// The `mysql` sink.
pub struct MySqlStage;

impl StageType for MySqlStage {
    fn name(&self) -> &'static str {
        "mysql"
    }

    fn kind(&self) -> Kind {
        Kind::Sink
    }

    fn doc(&self) -> StageDoc {
        StageDoc {
            manual: include_str!("mysql/manual.md"),
            example: include_str!("mysql/example.toml"),
            options: MySqlOptions::DOCS,
        }
    }

    fn reasons(&self) -> Vec<&'static Reason> {
        vardelta_engine::contract::sink::REASONS.to_vec()
    }

    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        let before = diagnostics.len();
        check_tables(&request.inputs, &NAMES, diagnostics);
        // A message about the address points at the stage: the line that holds the address may hold the password.
        let (span, stage_span) = (request.options.span.clone(), request.options.span.clone());
        let options = MySqlOptions::read(request.options, diagnostics)?;
        let socket = options.socket.as_ref().map(|socket| request.pipeline.resolve(socket));
        let address = match settings::read_url(&options.url, socket.as_ref()) {
            Ok(address) => Some(address),
            Err(why) => {
                diagnostics
                    .error(span, format!("the `url` of this sink cannot be used: {why}"))
                    .hint("Write it as mysql://user:password@host:3306/database, best from a variable: `${VARDELTA_MYSQL_URL}`.");
                None
            }
        };
        if options.tls_ca.is_some() && !options.tls.verifies() {
            diagnostics
                .error(
                    stage_span,
                    "`tls_ca` says whom to trust, but `tls` does not have the server's certificate verified",
                )
                .hint("Set `tls = \"verify_identity\"`, or \"verify_ca\"; the others take any certificate.");
        }
        let text_characters = plan_text_characters(&options.text_characters, &request.inputs, diagnostics);
        let mut indexes = plan_indexes(&options.indexes, &request.inputs, &text_characters, diagnostics);
        let unique = plan_unique(&options.unique, &request.inputs, (options.on_delete, false), diagnostics);
        unique::check(&unique, &options, &request.inputs, &text_characters, diagnostics);
        let history = plan_history(&options.history, &request.inputs, &NAMES, diagnostics);
        indexes.extend(history_indexes(&history, &request.inputs, &text_characters));
        let constraints =
            plan_constraints(&options.checks, &options.references, &request.inputs, &text_characters, diagnostics);
        let partition_by = plan_partitions(
            &partitions::Said { options: &options, assembly: request.pipeline.assembly.as_ref() },
            &request.inputs,
            &|table| settings::whole_layout(Dialect::MySql, table, &text_characters, &indexes, &unique, &constraints),
            diagnostics,
        );
        check_marks(options.on_delete, &request.inputs, &NAMES, diagnostics);
        let layout = |table: &TableSchema| {
            settings::whole_layout(Dialect::MySql, table, &text_characters, &indexes, &unique, &constraints)
        };
        index_sense::advise(&options.indexes, &indexes, &request.inputs, &layout, diagnostics);
        let (client, location) = address?;
        let settings = Settings {
            options: client,
            location,
            tls: options.tls,
            tls_ca: options.tls_ca.map(|path| request.pipeline.resolve(&path)),
            local_infile: options.local_infile,
            lock_wait_seconds: options.lock_wait_seconds.max(1),
            reconnect_timeout: Duration::from_millis(options.reconnect_timeout_ms),
            retries: u32::try_from(options.retries).unwrap_or(u32::MAX),
            text_characters,
            indexes,
            unique,
            partition_by,
            history,
            constraints,
            on_constraint: options.on_constraint,
            on_delete: options.on_delete,
        };
        let checks = judged_checks(&options.checks, &request.inputs);
        (diagnostics.len() == before).then(|| Planned::Sink(Arc::new(PlannedMySql { settings, checks })))
    }
}

/// A planned `mysql` sink.
struct PlannedMySql {
    settings: Settings,
    checks: Vec<Check>,
}

impl SinkStage for PlannedMySql {
    fn default_state_dir(&self) -> Option<PathBuf> {
        None
    }

    fn location(&self) -> String {
        self.settings.location.clone()
    }

    fn namespace(&self) -> Namespace {
        self.settings.namespace()
    }

    fn connect(&self, access: Access) -> Result<Box<dyn Sink>, SinkError> {
        Ok(Box::new(MySqlSink::open(&self.settings, access)?))
    }

    fn history(&self) -> &[String] {
        &self.settings.history
    }

    fn checks(&self) -> &[Check] {
        &self.checks
    }

    fn asks_database(&self) -> bool {
        self.settings.constraints.iter().any(|planned| matches!(planned.constraint.rule, Rule::Reference { .. }))
            || !self.settings.unique.is_empty()
    }

    fn indexes(&self) -> Vec<NamedIndex> {
        let of = |index: &settings::PlannedIndex| NamedIndex {
            table: index.table.clone(),
            name: index.name.clone(),
            columns: index.columns.clone(),
        };
        self.settings.indexes.iter().map(of).chain(self.settings.unique.iter().map(PlannedUnique::named)).collect()
    }

    fn open_answers(&self) -> Result<Option<Box<dyn AnswerStore>>, SinkError> {
        Ok(Some(Box::new(answers::MySqlAnswers::open(&self.settings)?)))
    }

    fn make_database(&self, name: &str) -> Result<bool, SinkError> {
        scratch::make(&self.settings, name)?;
        Ok(true)
    }

    fn drop_database(&self, name: &str) -> Result<(), SinkError> {
        scratch::drop(&self.settings, name)
    }

    /// Which server it is is known only at the connection; one that does not answer is taken for MySQL.
    fn server(&self) -> Server {
        match Link::connect(&self.settings, Access::Read) {
            Ok(link) => Server { dialect: link.dialect, words: link.server },
            Err(_) => Server {
                dialect: Dialect::MySql,
                words: "as for MySQL, since no server answers that could say which it is".into(),
            },
        }
    }

    fn view(&self, view: &Relation, dialect: Dialect) -> Result<Statement, Unsayable> {
        let marks = self.settings.on_delete.marks();
        view.statement(dialect, &|table| Place { name: table.name.clone(), marks })
    }

    fn statements(&self, tables: &[TableSchema], dialect: Dialect) -> Vec<String> {
        let of_table = |table: &TableSchema| {
            let layout = self.settings.layout(dialect, table);
            let sql = MySqlTable::new(table, &layout);
            let is_marking = sql.is_marking();
            let view = is_marking.then(|| create_live(dialect, table));
            let load = self.settings.local_infile.then(|| sql.load_data());
            // Rows in the place of marked ones go by statements also where others are loaded.
            let insert = match (&load, is_marking) {
                (_, true) => Some(sql.revive(1)),
                (None, false) => Some(sql.insert(1)),
                (Some(_), false) => None,
            };
            let changes = [view, load, insert].into_iter().flatten();
            let indexes = self.settings.indexes.iter().filter(|index| index.table == table.name);
            let indexes = indexes.map(|index| sql.create_index(&index.name, &index.columns)).collect::<Vec<_>>();
            let rest = [sql.update(1), sql.delete(1)].into_iter().chain(indexes);
            [sql.create()].into_iter().chain(changes).chain(rest).collect::<Vec<_>>()
        };
        tables.iter().flat_map(of_table).collect()
    }
}

/// Answers at an address, for tests of look-ups.
#[cfg(test)]
pub(crate) fn answers_at(url: &str) -> Result<Box<dyn AnswerStore>, SinkError> {
    Ok(Box::new(answers::MySqlAnswers::open(&tests::settings(url))?))
}
