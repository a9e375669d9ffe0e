//! The `[pipeline]` table.

use std::{ops::Range, path::PathBuf, thread::available_parallelism};

use crate::options;
use crate::{
    contract::{
        options::{OptionReader, OptionValue, Spanned, wrong_type},
        stage::PipelineSettings,
    },
    diagnostics::Diagnostics,
    spec::{Entry, Node, SpecFile, Value},
};

options! {
    /// Options of `[pipeline]`.
    pub struct PipelineOptions {
        /// The pipeline's name in the ledger: letters, digits, `_` and `-`. Two pipelines may share a database under
        /// different names.
        "name" => name: PipelineName,
        /// The assembly the coordinates refer to: `GRCh37`, `hg19`, `GRCh38` or `T2T-CHM13v2.0`, or the path of a `.fai`,
        /// a `.dict` or a table of names and lengths. With it `vcf` gives every contig one name and refuses files of
        /// another assembly.
        "assembly" => assembly: Option<Spanned<String>> = None, "none",
        /// Worker threads, 1 to 1024. Default: the machine's cores.
        "workers" => workers: Option<Workers> = None, "the machine's cores",
        /// Records per dataflow, at least 1. Memory follows it: 250,000 measured better than 1,000,000, because memory
        /// stays lower.
        "chunk_records" => chunk_records: ChunkRecords = ChunkRecords(250_000), "250_000",
        /// Share of rejected records above which nothing is written, 0 to 1.
        "max_reject_share" => max_reject_share: Share = Share(0.01), "0.01",
        /// Share of a source's drops above which `run --prune` withdraws none of them, 0 to 1: a folder that is not there
        /// looks like one whose files were all deleted. `--prune-all` lifts it.
        "max_prune_share" => max_prune_share: Share = Share(0.2), "0.2",
        /// Share of a drop's records above which a new delivery that has fewer is refused, 0 to 1: a file that was cut off
        /// looks like one that was corrected. `--accept-smaller` lifts it.
        "max_shrink_share" => max_shrink_share: Share = Share(0.5), "0.5",
        /// Directory of the state. Default: beside the sink's file, else beside the pipeline file.
        "state_dir" => state_dir: Option<PathBuf> = None, "beside the sink's file",
    }
}

/// Reads the `[pipeline]` table; reports what is missing only where it could be read whole.
pub(super) fn read(
    spec: &SpecFile,
    entry: Option<&Entry>,
    stages: Option<&Entry>,
    problems: &mut Diagnostics,
) -> Option<PipelineSettings> {
    let Some(entry) = entry else {
        if spec.syntax_errors.is_empty() {
            problems
                .error(0..0, "the file has no [pipeline] table")
                .hint("Start the file with `[pipeline]` and `name = \"…\"`.");
        }
        return None;
    };
    let Value::Table(entries) = &entry.node.value else {
        problems
            .error(entry.node.span.clone(), format!("`pipeline` is {}, not a table", entry.node.value.type_name()))
            .hint("Write `[pipeline]` on a line of its own, and the options below it.");
        return None;
    };
    // A name that seems to be missing may be on the line that is not TOML.
    let stages = stages.map_or(&[][..], |stages| match &stages.node.value {
        Value::Table(stages) => stages,
        _ => &[],
    });
    if spec.damaged(std::iter::once(entry).chain(stages))[0] {
        return None;
    }
    let span: Range<usize> = entry.node.span.clone();
    let options = PipelineOptions::read(OptionReader::new("[pipeline]".into(), span, entries.iter()), problems)?;
    let parent = spec.path.parent().filter(|parent| !parent.as_os_str().is_empty());
    Some(PipelineSettings {
        name: options.name.0,
        assembly: options.assembly,
        workers: options
            .workers
            .map_or_else(|| available_parallelism().map_or(1, |cores| cores.get()), |workers| workers.0),
        chunk_records: options.chunk_records.0,
        max_reject_share: options.max_reject_share.0,
        max_prune_share: options.max_prune_share.0,
        max_shrink_share: options.max_shrink_share.0,
        state_dir: options.state_dir,
        base_dir: parent.map_or_else(|| PathBuf::from("."), |parent| parent.to_path_buf()),
        file: spec.path.clone(),
    })
}

/// The pipeline's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineName(pub String);

impl OptionValue for PipelineName {
    const EXPECTS: &'static str = "a name of letters, digits, `_` and `-`";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let name = String::read(node, diagnostics)?;
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
        if name.is_empty() || !name.chars().all(allowed) {
            diagnostics
                .error(node.span.clone(), format!("`{name}` is not a pipeline name"))
                .label("other characters than letters, digits, `_` and `-`, or none at all")
                .hint("The name goes into the ledger and into paths: use ASCII letters, digits, `_` and `-`.");
            return None;
        }
        Some(PipelineName(name))
    }
    fn json_schema() -> String {
        r#"{"type":"string","pattern":"^[A-Za-z0-9_-]+$"}"#.into()
    }
}

/// Worker threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workers(pub usize);

impl OptionValue for Workers {
    const EXPECTS: &'static str = "a whole number from 1 to 1024";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let count = u64::read(node, diagnostics)?;
        let workers = usize::try_from(count).ok().filter(|workers| (1..=1024).contains(workers));
        if workers.is_none() {
            diagnostics
                .error(node.span.clone(), format!("{count} is no number of worker threads"))
                .hint("Use 1 to 1024, or leave `workers` out to use every core.");
        }
        workers.map(Workers)
    }
    fn json_schema() -> String {
        r#"{"type":"integer","minimum":1,"maximum":1024}"#.into()
    }
}

/// Records per dataflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkRecords(pub u64);

impl OptionValue for ChunkRecords {
    const EXPECTS: &'static str = "a whole number, 1 or more";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let records = u64::read(node, diagnostics)?;
        if records == 0 {
            diagnostics
                .error(node.span.clone(), "a dataflow takes at least 1 record")
                .hint("Leave `chunk_records` out for 250,000, or lower it to use less memory.");
            return None;
        }
        Some(ChunkRecords(records))
    }
    fn json_schema() -> String {
        r#"{"type":"integer","minimum":1}"#.into()
    }
}

/// A share of a whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(pub f64);

impl OptionValue for Share {
    const EXPECTS: &'static str = "a number from 0 to 1";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match node.value {
            Value::Float(value) if (0.0..=1.0).contains(&value) => Some(Share(value)),
            Value::Integer(value) if (0..=1).contains(&value) => Some(Share(value as f64)),
            Value::Float(_) | Value::Integer(_) => {
                diagnostics
                    .error(node.span.clone(), "the share does not lie between 0 and 1")
                    .hint("Write a share, not a percentage: 1 % is `0.01`.");
                None
            }
            _ => wrong_type(node, Self::EXPECTS, diagnostics),
        }
    }
    fn json_schema() -> String {
        r#"{"type":"number","minimum":0,"maximum":1}"#.into()
    }
}
