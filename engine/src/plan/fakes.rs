//! Small stage types for the planner's tests, so that they do not depend on the real ones.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vardelta_schemas::{
    Column, ColumnType, Schema, TableSchema,
    sql::{
        Dialect,
        marks::Marks,
        view::{Place, Relation, Statement, Unsayable},
    },
};

use crate::options;
use crate::{
    contract::{
        emit::StageError,
        options::{NamedTexts, Spanned},
        sink::{Access, Server, Sink, SinkError, SinkErrorKind, SinkStage},
        source::{ChunkReader, Discovered, InputFile, Parser, Source},
        stage::{Kind, PlanRequest, Planned, StageDoc, StageType, Transform, TransformRun},
    },
    diagnostics::{Diagnostics, render},
    plan::Plan,
    relational::{AggregateSpec, DISTINCT, JOIN, Relational, TABLE, UNION},
    spec::SpecFile,
};

/// The registry of the tests.
pub(crate) const REGISTRY: &[&dyn StageType] = &[&Events, &Keep, &TABLE, &CountBy, &UNION, &JOIN, &DISTINCT, &Memory];

/// Parses and resolves a pipeline file; the plan, or what is wrong as it would be printed.
pub(crate) fn resolve(text: &str) -> Result<Plan, String> {
    resolve_with(text, &[], &|_| None)
}

/// The same with overrides and variables.
pub(crate) fn resolve_with(
    text: &str,
    overrides: &[&str],
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Plan, String> {
    let mut diagnostics = Diagnostics::default();
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    let spec = SpecFile::parse("p.toml".into(), text.to_owned(), &overrides, environment, &mut diagnostics);
    let plan = Plan::resolve(&spec, REGISTRY, &mut diagnostics);
    let found = diagnostics.into_sorted();
    match plan {
        Some(plan) if found.is_empty() => Ok(plan),
        plan => {
            assert!(plan.is_none(), "a plan in spite of problems");
            assert!(!found.is_empty(), "no plan and no problem");
            Err(render(&spec, &found, false))
        }
    }
}

/// What is wrong with a pipeline file, as it would be printed.
pub(crate) fn problems(text: &str) -> String {
    match resolve(text) {
        Ok(_) => panic!("nothing is wrong with it"),
        Err(problems) => problems,
    }
}

options! {
    /// Options of `events`.
    pub struct EventsOptions {
        /// Files.
        "path" => path: Option<String> = None, "none",
        /// Name and type of each column.
        "columns" => columns: NamedTexts,
    }
}

/// A source whose columns the file spells out: `columns = { id = "int64", note = "text?" }`.
pub(crate) struct Events;

impl StageType for Events {
    fn name(&self) -> &'static str {
        "events"
    }
    fn kind(&self) -> Kind {
        Kind::Source
    }
    fn doc(&self) -> StageDoc {
        StageDoc { manual: "Reads events.\nMore.", example: "", options: EventsOptions::DOCS }
    }
    fn inert_options(&self) -> &'static [&'static str] {
        &["path"]
    }
    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        let options = EventsOptions::read(request.options, diagnostics)?;
        let column = |(name, text): (Spanned<String>, Spanned<String>)| {
            let nullable = text.value.ends_with('?');
            let column_type = match text.value.trim_end_matches('?') {
                "int64" => ColumnType::Int64,
                "text" => ColumnType::Text,
                "float64" => ColumnType::Float64,
                "list" => ColumnType::List(Box::new(ColumnType::Text)),
                other => {
                    diagnostics.error(text.span.clone(), format!("no type `{other}`"));
                    return None;
                }
            };
            Some(Column { nullable, ..Column::required(name.value, column_type) })
        };
        let columns: Option<Vec<Column>> = options.columns.0.into_iter().map(column).collect();
        Some(Planned::Source(Arc::new(FakeSource { schema: Schema::new(columns?), path: options.path })))
    }
}

struct FakeSource {
    schema: Schema,
    path: Option<String>,
}

impl Source for FakeSource {
    fn schema(&self) -> &Schema {
        &self.schema
    }
    fn discover(&self) -> Result<Discovered, StageError> {
        Ok(Discovered::default())
    }
    fn pattern(&self) -> Option<String> {
        self.path.clone()
    }
    fn drop_name(&self, path: &Path) -> Result<String, StageError> {
        Ok(path.display().to_string())
    }
    fn open(&self, _: &InputFile, _: usize) -> Result<Box<dyn ChunkReader>, StageError> {
        Err(StageError::new("a fake opens nothing"))
    }
    fn parser(&self) -> Box<dyn Parser> {
        unreachable!("a fake parses nothing")
    }
}

options! {
    /// Options of `keep`.
    pub struct KeepOptions {
        /// The columns to keep; all where there are none.
        "columns" => columns: Vec<Spanned<String>> = Vec::new(), "[]",
        /// Whether it needs the drop's records.
        "provenance" => provenance: bool = false, "false",
        /// Whether it may yield several rows for one.
        "multiplies" => multiplies: bool = false, "false",
    }
}

/// A transform that keeps some columns.
pub(crate) struct Keep;

impl StageType for Keep {
    fn name(&self) -> &'static str {
        "keep"
    }
    fn kind(&self) -> Kind {
        Kind::Transform
    }
    fn doc(&self) -> StageDoc {
        StageDoc { manual: "Keeps columns.", example: "", options: KeepOptions::DOCS }
    }
    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        let input = request.inputs[0].schema;
        let options = KeepOptions::read(request.options, diagnostics)?;
        let mut from = Vec::new();
        for name in &options.columns {
            match input.index_of(&name.value) {
                Some(at) => from.push(at),
                None => {
                    diagnostics
                        .error(name.span.clone(), format!("there is no column `{}`", name.value))
                        .hint(format!("The columns are: {input}."));
                    return None;
                }
            }
        }
        if options.columns.is_empty() {
            from = (0..input.columns().len()).collect();
        }
        let schema = Schema::new(from.iter().map(|at| input.columns()[*at].clone()).collect());
        Some(Planned::Transform(Arc::new(FakeTransform { schema, from, options })))
    }
}

struct FakeTransform {
    schema: Schema,
    from: Vec<usize>,
    options: KeepOptions,
}

impl Transform for FakeTransform {
    fn schema(&self) -> &Schema {
        &self.schema
    }
    fn needs_provenance(&self) -> bool {
        self.options.provenance
    }
    fn passes_through(&self, column: usize) -> Option<usize> {
        self.from.iter().position(|at| *at == column).filter(|_| !self.options.multiplies)
    }
    fn start(&self) -> Result<Box<dyn TransformRun>, StageError> {
        Err(StageError::new("a fake starts nothing"))
    }
}

options! {
    /// Options of `count_by`.
    pub struct CountByOptions {
        /// The group.
        "group_by" => group_by: Vec<Spanned<String>>,
    }
}

/// A relational operator with a key of its own.
pub(crate) struct CountBy;

impl StageType for CountBy {
    fn name(&self) -> &'static str {
        "count_by"
    }
    fn kind(&self) -> Kind {
        Kind::Relational
    }
    fn doc(&self) -> StageDoc {
        StageDoc { manual: "Counts rows.", example: "", options: CountByOptions::DOCS }
    }
    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        let input = request.inputs[0].schema;
        let options = CountByOptions::read(request.options, diagnostics)?;
        let group_by: Vec<usize> = options.group_by.iter().filter_map(|name| input.index_of(&name.value)).collect();
        let mut columns: Vec<Column> = group_by.iter().map(|at| input.columns()[*at].clone()).collect();
        columns.push(Column::required("rows", ColumnType::Int64));
        Some(Planned::Relational(Relational::from(AggregateSpec {
            key: (0..group_by.len()).collect(),
            schema: Schema::new(columns),
            group_by,
            calls: Vec::new(),
            columns: Vec::new(),
        })))
    }
}

options! {
    /// Options of `memory`.
    pub struct MemoryOptions {
        /// The file.
        "path" => path: PathBuf = PathBuf::from("out"), "\"out\"",
        /// A secret.
        "password" => password: Option<String> = None, "none",
    }
}

/// A sink that keeps nothing.
pub(crate) struct Memory;

impl StageType for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }
    fn kind(&self) -> Kind {
        Kind::Sink
    }
    fn doc(&self) -> StageDoc {
        StageDoc { manual: "Keeps nothing.", example: "", options: MemoryOptions::DOCS }
    }
    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        MemoryOptions::read(request.options, diagnostics).map(|options| Planned::Sink(Arc::new(FakeSink(options))))
    }
}

struct FakeSink(MemoryOptions);

impl SinkStage for FakeSink {
    fn default_state_dir(&self) -> Option<PathBuf> {
        None
    }
    fn location(&self) -> String {
        let login = if self.0.password.is_some() { ", with a password" } else { "" };
        format!("memory {}{login}", self.0.path.display())
    }
    fn connect(&self, _: Access) -> Result<Box<dyn Sink>, SinkError> {
        Err(SinkError::new(SinkErrorKind::Unavailable, "a fake keeps nothing"))
    }
    fn server(&self) -> Server {
        Server { dialect: Dialect::Sqlite, words: "a fake".into() }
    }
    fn view(&self, view: &Relation, dialect: Dialect) -> Result<Statement, Unsayable> {
        view.statement(dialect, &|table| Place { name: table.name.clone(), marks: Marks::None })
    }
    fn statements(&self, tables: &[TableSchema], _: Dialect) -> Vec<String> {
        tables.iter().map(|table| format!("KEEP {} ({})\nBY {:?}", table.name, table.schema, table.key)).collect()
    }
}
