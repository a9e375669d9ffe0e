//! The acceptance tests: the whole product, judged through the command line and SQL over the sink, by independent
//! means.

/// Measurements: figures that add up, bottlenecks that are named, traces, and nothing of the user's touched.
mod bench;
/// The command line: exit codes, messages, `--json`, and what each verb does and leaves alone.
mod cli;
/// The clinical pipeline: words and releases of ClinVar, random histories of all its sources.
mod clinical;
/// Death at any instant, full disks, lost rights, two runs at once: the state before or the state after, nothing else.
mod crash;
/// Random histories of drops: every table equals a fresh run's and a recomputation, and only changes are written.
mod equivalence;
/// Drops that are forgotten for good: nothing of them is anywhere, however often the process dies on the way.
mod erase;
/// What expressions mean, held against MariaDB, MySQL and SQLite.
mod expressions;
/// Small files made after what people reported of other tools, each with what must come of it.
mod field;
/// Files that `generate` makes, read by others and counted by an independent script.
mod generated;
/// Tables that hold what rows were: on every database, reckoned from the tables as they stood.
mod history;
/// Which place a record means: contig names, assemblies, regions.
mod identity;
/// Joins through their lives: moves, deaths, changed definitions, erasure.
mod joins;
/// Look-ups: answers as rows, whatever fails and however late they come.
mod lookups;
/// Rows that stay marked when they go: what readers see, what is kept, how marks come and go.
mod marks;
/// Schema evolution, on SQLite, MariaDB and MySQL: columns and indexes come and go, also where a migration is killed.
mod migrate;
/// What an older vardelta left is taken over as it is.
mod older;
/// What is reported beside the report: alerts, lineage, the way of a run; and what shells and editors are given.
mod operate;
/// What people look at: the report in one file, and the pages of `watch`.
mod page;
/// What is shipped for Prometheus, Alertmanager and Grafana.
mod prometheus;
/// Rows that the database refuses, on SQLite, MariaDB and MySQL: rejected with its words, and everything else exact.
mod quarantine;
/// Sense about indexes: what `validate` advises, and how databases say that they find rows.
mod query_plans;
/// Files from the field, counted and annotated as other tools count and annotate them.
mod real;
/// Variants against a gene model that changes: every row against a rule that looks at each base.
mod regions;
/// What every registered stage owes its users: a manual, documented options, an example that runs.
mod registry;
/// What is said, and what is not: secrets, terminal commands, warnings with their places, changes, messages that help.
mod said;
/// Tables in MariaDB and MySQL: deaths, cuts, deadlocks, readers, and what exactly is written.
mod servers;
/// Drops that are no variants: tables as text and gene models.
mod sources;
/// How the repository is kept: dependencies, SQL, file sizes, dead files.
mod tidy;
/// One pipeline with everything at once, through its whole life, on SQLite, MariaDB and MySQL.
mod together;
/// Every trap of the field: what is loaded, adapted, rejected or refused, as docs/traps.md says.
mod traps;
/// Columns that are unique beside the key: swaps, violations, migrations, random histories.
mod unique;
/// What `verify` finds, and by what.
mod verify;
/// Drops that are loaded as they arrive, and what a server says of it.
mod watch;
