//! Assemblies: the contigs that coordinates refer to, each with one canonical name, its length and its other spellings.
//!
//! Known are the assembled chromosomes and the mitochondrion of the human assemblies that clinics use, by their own
//! tables; for everything else a `.fai`, a `.dict` or a list of names and lengths says what the contigs are.

mod chm13;
mod file;
mod grch37;
mod grch38;
mod hg19;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use vardelta_engine::{
    contract::{
        side_input::SideInput,
        stage::{PipelineSettings, StageError},
    },
    diagnostics::Diagnostics,
    suggest::nearest,
};

/// The option of `[pipeline]` that names the assembly.
pub const OPTION: &str = "assembly";

/// The assemblies that vardelta knows by name.
const KNOWN: [&Table; 4] = [&grch37::TABLE, &hg19::TABLE, &grch38::TABLE, &chm13::TABLE];

/// An assembly that vardelta knows by name.
struct Table {
    /// The name that reports and fingerprints have.
    name: &'static str,
    /// Other names of it, in lower case.
    aliases: &'static [&'static str],
    /// What is before the names of its chromosomes.
    prefix: &'static str,
    /// Its contigs.
    contigs: fn() -> Vec<TableContig>,
}

/// A contig of a known assembly.
struct TableContig {
    /// The canonical name.
    name: String,
    /// Length in base pairs.
    length: u64,
    /// Every other spelling.
    spellings: Vec<String>,
}

/// Numbers 1 to 22, X and Y: length in base pairs, version of the RefSeq accession, GenBank accession.
type Chromosomes = [(u64, &'static str, &'static str); 24];

/// The contigs of an assembly whose chromosomes are these.
fn chromosomes(prefix: &str, chromosomes: &Chromosomes) -> Vec<TableContig> {
    let names = (1..=22).map(|number| number.to_string()).chain(["X".to_owned(), "Y".to_owned()]);
    names
        .zip(chromosomes)
        .map(|(bare, (length, refseq, genbank))| {
            let other = if prefix.is_empty() { format!("chr{bare}") } else { bare.clone() };
            TableContig {
                name: format!("{prefix}{bare}"),
                length: *length,
                spellings: vec![other, (*refseq).to_owned(), (*genbank).to_owned()],
            }
        })
        .collect()
}

/// A contig under this name, with these other spellings.
fn contig(name: &str, length: u64, spellings: &[&str]) -> TableContig {
    let spellings = spellings.iter().map(|spelling| (*spelling).to_owned()).collect();
    TableContig { name: name.to_owned(), length, spellings }
}

/// The revised Cambridge Reference Sequence of the mitochondrion, in base pairs (NC_012920.1).
const RCRS_LENGTH: u64 = 16_569;

/// A contig of an [`Assembly`]: its place in it.
pub type ContigAt = usize;

/// What an assembly says of a spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// It is this contig.
    Contig(ContigAt),
    /// It is none of its contigs.
    Unknown,
    /// It is the name of this contig, but the length that comes with it is another one.
    OtherLength(ContigAt),
}

/// The contigs that coordinates refer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assembly {
    name: String,
    contigs: Vec<(String, u64)>,
    /// Every spelling, the canonical ones too.
    spellings: HashMap<String, ContigAt>,
    /// Two contigs that files write by each other's names: in hg19 the two mitochondria, told apart by their lengths.
    twins: Option<(ContigAt, ContigAt)>,
}

impl Assembly {
    /// A known assembly by one of its names, in any case, with or without its patch level (`GRCh38.p14`).
    pub fn known(name: &str) -> Option<Assembly> {
        let lower = name.trim().to_ascii_lowercase();
        let bare = match lower.rsplit_once(".p") {
            Some((bare, patch)) if !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit()) => bare,
            _ => &lower,
        };
        let is_named = |table: &&&Table| table.name.eq_ignore_ascii_case(bare) || table.aliases.contains(&bare);
        KNOWN.iter().find(is_named).map(|table| Assembly::from_table(table))
    }

    fn from_table(table: &Table) -> Assembly {
        let mut assembly =
            Assembly { name: table.name.to_owned(), contigs: Vec::new(), spellings: HashMap::new(), twins: None };
        for contig in (table.contigs)() {
            let at = assembly.contigs.len();
            for spelling in contig.spellings {
                assembly.spellings.insert(spelling, at);
            }
            assembly.spellings.insert(contig.name.clone(), at);
            assembly.contigs.push((contig.name, contig.length));
        }
        let at = |name: &str| assembly.spellings.get(name).copied();
        assembly.twins = at("chrM").zip(at("chrMT")).filter(|(one, other)| one != other);
        assembly
    }

    /// The assembly's name; for one that a file describes, the file's.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The canonical names of all its contigs, in order.
    pub fn contig_names(&self) -> impl Iterator<Item = &str> {
        self.contigs.iter().map(|(name, _)| name.as_str())
    }

    /// A contig's canonical name.
    pub fn contig_name(&self, contig: ContigAt) -> &str {
        &self.contigs[contig].0
    }

    /// A contig's length in base pairs.
    pub fn contig_length(&self, contig: ContigAt) -> u64 {
        self.contigs[contig].1
    }

    /// The contig that a spelling means where nothing is known of its length.
    pub fn contig(&self, spelling: &str) -> Option<ContigAt> {
        self.spellings.get(spelling).copied()
    }

    /// The contig that a spelling means in a file that gives it this length.
    pub fn resolve(&self, spelling: &str, length: Option<u64>) -> Resolution {
        let Some(at) = self.contig(spelling) else { return Resolution::Unknown };
        match (length, self.twins) {
            (None, _) => Resolution::Contig(at),
            (Some(length), _) if length == self.contig_length(at) => Resolution::Contig(at),
            (Some(length), Some((one, other))) if at == one && length == self.contig_length(other) => {
                Resolution::Contig(other)
            }
            (Some(length), Some((one, other))) if at == other && length == self.contig_length(one) => {
                Resolution::Contig(one)
            }
            _ => Resolution::OtherLength(at),
        }
    }
}

/// The known assemblies that all these contigs, spelling and length, fit; none where not one of them says anything.
pub fn fitting(contigs: &[(&str, u64)]) -> Vec<&'static str> {
    let fits = |assembly: &Assembly| {
        let resolve = |(spelling, length): &(&str, u64)| assembly.resolve(spelling, Some(*length));
        let found: Vec<Resolution> = contigs.iter().map(resolve).collect();
        found.iter().any(|found| matches!(found, Resolution::Contig(_)))
            && !found.iter().any(|found| matches!(found, Resolution::OtherLength(_)))
    };
    KNOWN.iter().filter(|table| fits(&Assembly::from_table(table))).map(|table| table.name).collect()
}

/// The names that can be written, for messages.
fn known_names() -> String {
    KNOWN.iter().map(|table| format!("`{}`", table.name)).collect::<Vec<_>>().join(", ")
}

/// The assembly of a pipeline, before anything is read.
#[derive(Clone, Debug)]
pub enum PlannedAssembly {
    /// One that vardelta knows.
    Known(Arc<Assembly>),
    /// One that a file describes, read when it is first needed.
    File(PathBuf, Arc<OnceLock<Result<Arc<Assembly>, String>>>),
}

impl PlannedAssembly {
    /// The assembly that `[pipeline]` names; the outer `None` after reporting that there is no such assembly.
    pub fn plan(pipeline: &PipelineSettings, diagnostics: &mut Diagnostics) -> Option<Option<PlannedAssembly>> {
        let Some(named) = &pipeline.assembly else { return Some(None) };
        if let Some(assembly) = Assembly::known(&named.value) {
            return Some(Some(PlannedAssembly::Known(Arc::new(assembly))));
        }
        if file::is_path(&named.value) {
            let path = pipeline.resolve(Path::new(&named.value));
            return Some(Some(PlannedAssembly::File(path, Arc::default())));
        }
        let names = KNOWN.iter().flat_map(|table| table.aliases.iter().copied().chain([table.name]));
        let near = nearest(&named.value, names).map(|near| format!("Did you mean `{near}`? ")).unwrap_or_default();
        diagnostics
            .error(named.span.clone(), format!("`{}` is no assembly that vardelta knows", named.value))
            .hint(format!(
                "{near}Known are {}; for others name a file of their contigs, such as `genome.fa.fai` or `genome.dict`.",
                known_names()
            ));
        None
    }

    /// The assembly.
    ///
    /// # Errors
    /// When its file cannot be read or is not one.
    pub fn get(&self) -> Result<Arc<Assembly>, StageError> {
        match self {
            PlannedAssembly::Known(assembly) => Ok(Arc::clone(assembly)),
            PlannedAssembly::File(path, read) => {
                read.get_or_init(|| file::read(path).map(Arc::new)).clone().map_err(|message| {
                    StageError::new(message).of_side_input().with_hint(
                        "`assembly` names a .fai (`samtools faidx`), a .dict (`samtools dict`), or names and lengths \
                         separated by tabs.",
                    )
                })
            }
        }
    }

    /// What of it belongs into a stage's fingerprint beside its file.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        match self {
            PlannedAssembly::Known(assembly) => vec![(OPTION, assembly.name().to_owned())],
            PlannedAssembly::File(..) => Vec::new(),
        }
    }

    /// Its file.
    pub fn side_inputs(&self) -> Vec<SideInput> {
        match self {
            PlannedAssembly::Known(_) => Vec::new(),
            PlannedAssembly::File(path, _) => vec![SideInput::new(OPTION, path.clone())],
        }
    }
}

#[cfg(test)]
mod tests;
