//! What a stage is: its type (registered, documented), and what planning makes of one use of it.
//!
//! Stage authors see batches and options; never time, workers or state.

use std::{
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::Arc,
};

use vardelta_schemas::Schema;

use crate::{
    contract::{
        algebra::Algebra,
        batch::Batch,
        options::{OptionDoc, OptionReader, Spanned},
        reason::Reason,
        side_input::SideInput,
        sink::SinkStage,
        source::Source,
    },
    diagnostics::Diagnostics,
    expression::functions::{Function, Functions},
    relational::Relational,
};

pub use crate::contract::emit::{Emit, Reject, StageError};

/// The four kinds of stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A drop to batches and rejects.
    Source,
    /// Batch in, batch and rejects out; no memory of earlier batches.
    Transform,
    /// Native to the engine; its state is arranged, persistent, incremental.
    Relational,
    /// Applies one epoch's changes and the ledger row in one transaction.
    Sink,
}

impl Kind {
    /// The kind as reports and manuals print it.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Source => "source",
            Kind::Transform => "transform",
            Kind::Relational => "relational",
            Kind::Sink => "sink",
        }
    }
}

/// What a type of stage says of itself.
#[derive(Clone, Copy, Debug)]
pub struct StageDoc {
    /// The manual: the first line is the summary.
    pub manual: &'static str,
    /// A whole pipeline file that uses the stage; tests validate and run it.
    pub example: &'static str,
    /// The options, for the manual and the JSON Schema (`type`, `input`, `inputs` and `tables` apart).
    pub options: &'static [OptionDoc],
}

/// A type of stage, as the registry lists it.
pub trait StageType: Send + Sync {
    /// What `type = "…"` says.
    fn name(&self) -> &'static str;

    /// The kind of stage.
    fn kind(&self) -> Kind;

    /// What it says of itself.
    fn doc(&self) -> StageDoc;

    /// See [`StageDoc::manual`].
    fn manual(&self) -> &'static str {
        self.doc().manual
    }

    /// See [`StageDoc::example`].
    fn example(&self) -> &'static str {
        self.doc().example
    }

    /// See [`StageDoc::options`].
    fn options(&self) -> &'static [OptionDoc] {
        self.doc().options
    }

    /// Every reason for which it rejects a row or counts a warning.
    fn reasons(&self) -> Vec<&'static Reason> {
        Vec::new()
    }

    /// Functions that expressions can call beside the built-in ones, in every stage of a pipeline.
    fn functions(&self) -> &'static [Function] {
        &[]
    }

    /// How many stages one use of it reads. Default: none for a source, any number from one for a sink, else one.
    fn inputs(&self) -> RangeInclusive<usize> {
        match self.kind() {
            Kind::Source => 0..=0,
            Kind::Transform | Kind::Relational => 1..=1,
            Kind::Sink => 1..=usize::MAX,
        }
    }

    /// Grows when the stage computes something else from the same options, so that state made by the older code is
    /// not mixed with the newer code's.
    fn version(&self) -> u32 {
        1
    }

    /// Options that do not change what is computed (where files lie, how many threads): they are left out of the
    /// stage's fingerprint.
    fn inert_options(&self) -> &'static [&'static str] {
        &[]
    }

    /// Reads the options of one use of the stage and types it. Reports everything that is wrong; `None` when something
    /// was.
    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned>;
}

/// One use of a stage type, to be planned.
pub struct PlanRequest<'a> {
    /// The stage's name in the pipeline file.
    pub name: &'a str,
    /// Its inputs, in the order in which they are written. Sources have none; the planner has checked the number:
    /// one for transforms, `table` and `aggregate`; one or more for `union` and sinks.
    pub inputs: Vec<PlannedInput<'a>>,
    /// Its options (`type`, `input`, `inputs`, `tables` already taken out).
    pub options: OptionReader<'a>,
    /// Settings of the whole pipeline.
    pub pipeline: &'a PipelineSettings,
    /// The functions that its expressions can call: the built-in ones and those of the registered stage types.
    pub functions: &'a Functions,
}

/// An input of a stage that is being planned.
#[derive(Clone, Debug)]
pub struct PlannedInput<'a> {
    /// The input stage's name.
    pub name: &'a str,
    /// The columns it yields.
    pub schema: &'a Schema,
    /// Its key, if it is keyed: indexes into the schema's columns.
    pub key: Option<&'a [usize]>,
    /// Whether it is a `table` itself, whose state holds its rows by its key.
    pub is_table: bool,
    /// Where the pipeline file names it as an input.
    pub span: std::ops::Range<usize>,
}

/// The `[pipeline]` table, resolved.
#[derive(Clone, Debug)]
pub struct PipelineSettings {
    /// The pipeline's name: letters, digits, `_` and `-`.
    pub name: String,
    /// The assembly the coordinates refer to, e.g. `GRCh38`; what it means is up to the stages.
    pub assembly: Option<Spanned<String>>,
    /// Worker threads. Default: the machine's cores.
    pub workers: usize,
    /// Records per dataflow; memory follows it.
    pub chunk_records: u64,
    /// Share of rejected records above which nothing is written, 0 to 1.
    pub max_reject_share: f64,
    /// Share of a source's drops above which `--prune` withdraws none, 0 to 1.
    pub max_prune_share: f64,
    /// Share of a drop's records above which a replacement that lacks them is refused, 0 to 1.
    pub max_shrink_share: f64,
    /// Where the state lies, if the file says so.
    pub state_dir: Option<PathBuf>,
    /// The pipeline file's directory: relative paths start here.
    pub base_dir: PathBuf,
    /// The pipeline file, as it was named.
    pub file: PathBuf,
}

impl Default for PipelineSettings {
    /// The settings of a pipeline that has a name and nothing else.
    fn default() -> PipelineSettings {
        PipelineSettings {
            name: "pipeline".into(),
            assembly: None,
            workers: 1,
            chunk_records: 250_000,
            max_reject_share: 0.01,
            max_prune_share: 0.2,
            max_shrink_share: 0.5,
            state_dir: None,
            base_dir: PathBuf::from("."),
            file: PathBuf::from("pipeline.toml"),
        }
    }
}

impl PipelineSettings {
    /// A path of the pipeline file, made independent of the working directory.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.base_dir.join(path)
    }
}

/// A planned stage: inert, typed, ready to be started on every worker.
#[derive(Clone)]
#[expect(clippy::large_enum_variant, reason = "a plan has a few dozen of them, and they are matched everywhere")]
pub enum Planned {
    /// A source.
    Source(Arc<dyn Source>),
    /// A transform.
    Transform(Arc<dyn Transform>),
    /// A relational operator.
    Relational(Relational),
    /// A sink.
    Sink(Arc<dyn SinkStage>),
}

/// A planned transform.
pub trait Transform: Send + Sync {
    /// The columns it yields.
    fn schema(&self) -> &Schema;

    /// The files beside the drops that decide what it computes.
    fn side_inputs(&self) -> Vec<SideInput> {
        Vec::new()
    }

    /// What it computes with of the settings of the whole pipeline (name and value): part of its fingerprint.
    fn settings(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Whether it needs to know the drop a row came from (its header, its raw text). Such a stage comes before a table.
    fn needs_provenance(&self) -> bool {
        false
    }

    /// Whether each input row yields at most one output row in which input column `column` appears unchanged, and if so
    /// at which place. Keys pass through such columns.
    fn passes_through(&self, column: usize) -> Option<usize> {
        let _ = column;
        None
    }

    /// Where output rows carry input column `column`, best first: unchanged, then changed a little (a position that
    /// normalisation moves). Unlike with [`Transform::passes_through`] an input row may become several. Rejects find the
    /// place of a row's record through such columns.
    fn carries(&self, column: usize) -> Vec<usize> {
        Vec::from_iter(self.passes_through(column))
    }

    /// Whether its output depends on input column `column` beyond where it [carries](Transform::carries) it. What it does not
    /// read, and nobody after it, is NULL in its batches.
    fn reads(&self, column: usize) -> bool {
        let _ = column;
        true
    }

    /// What it does as algebra over its input's columns; `None` where it is more than that. `verify` has a database compute it.
    fn algebra(&self) -> Option<Algebra<'_>> {
        None
    }

    /// An instance for one worker.
    ///
    /// # Errors
    /// When something it needs cannot be opened (a FASTA, say).
    fn start(&self) -> Result<Box<dyn TransformRun>, StageError>;

    /// The same, where nobody reads the output columns that are not `live`: it need not build them, and leaves them NULL.
    ///
    /// # Errors
    /// As [`Transform::start`].
    fn start_live(&self, live: &[bool]) -> Result<Box<dyn TransformRun>, StageError> {
        let _ = live;
        self.start()
    }
}

/// A transform at work on one worker.
pub trait TransformRun {
    /// Turns one batch into any number of batches and rejects. Multiplicities and origins must follow the rows
    /// ([`Batch::take`], [`Batch::filter`], [`Batch::derive`], [`Batch::with_columns`] see to it). The output for a row
    /// depends on that row (and its drop's header) alone, so that a retraction undoes exactly what its assertion did.
    ///
    /// # Errors
    /// When the run cannot go on (an I/O error); a bad row is a reject, not an error.
    fn apply(&mut self, batch: &Batch, emit: &mut Emit) -> Result<(), StageError>;
}

impl Planned {
    /// The files that the stage computes with.
    pub fn side_inputs(&self) -> Vec<SideInput> {
        match self {
            Planned::Source(source) => source.side_inputs(),
            Planned::Transform(transform) => transform.side_inputs(),
            Planned::Relational(_) | Planned::Sink(_) => Vec::new(),
        }
    }

    /// What of the whole pipeline's settings the stage computes with.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        match self {
            Planned::Source(source) => source.settings(),
            Planned::Transform(transform) => transform.settings(),
            Planned::Relational(relational) => relational.relation().settings(),
            Planned::Sink(_) => Vec::new(),
        }
    }
}
