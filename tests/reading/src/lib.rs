//! The reading path over arbitrary bytes: container, header, chunks, parser, normalize, annotations. For the fuzz target and
//! its bounded version among the tests; no pipeline uses it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use vardelta_engine::{
    contract::{
        batch::Batch,
        source::{Chunk, InputFile, Source},
        stage::{Emit, Planned, StageError},
    },
    diagnostics::Diagnostics,
    plan::{Plan, StageIndex},
    spec::SpecFile,
};

use vardelta_stages::REGISTRY;

/// What became of the bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Records read.
    pub records: u64,
    /// Rows that left the last stage.
    pub rows: u64,
    /// Records and rows rejected.
    pub rejects: u64,
}

/// Reads bytes as files, through several pipelines.
pub struct Reader {
    directory: PathBuf,
    plans: Vec<Plan>,
}

/// The reference that some of the pipelines left-align against: contig 1, with repeats to shift along.
const REFERENCE: &str = ">1\nGATTACAGGGGGGGGTCATCATCATCATCATTTTTTTTTAAAAAAAACACACACACAGATC\n";
const REFERENCE_INDEX: &str = "1\t60\t3\t60\t61\n";

/// The option lines of the vcf, normalize and annotations stages of each pipeline.
const PIPELINES: [[&str; 3]; 5] = [
    ["", "fasta = \"reference.fa\"", "field = \"ANN\"\npick = \"all\""],
    ["", "keep_star = true", "field = \"CSQ\"\npick = \"worst\""],
    ["", "", "field = \"BCSQ\"\npick = \"worst\""],
    ["", "fasta = \"reference.fa\"", "field = \"GENEINFO\"\npick = \"all\""],
    [
        "samples = \"long\"\nformat = [\"PL\", \"FT\"]\nallow_missing_eof = true",
        "",
        "field = \"ANN\"\npick = \"worst\"",
    ],
];

impl Reader {
    /// Plans the pipelines; `directory` holds the file being read and the reference.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn new(directory: &Path) -> io::Result<Reader> {
        fs::write(directory.join("reference.fa"), REFERENCE)?;
        fs::write(directory.join("reference.fa.fai"), REFERENCE_INDEX)?;
        let plans = PIPELINES.iter().map(|options| plan(directory, options)).collect::<Result<_, _>>()?;
        Ok(Reader { directory: directory.to_path_buf(), plans })
    }

    /// Reads the bytes. Refusals are an answer as good as rows; memory and time follow the decompressed bytes.
    ///
    /// # Panics
    /// When a record is neither used nor accounted for: that is what a fuzzer is to find.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn read(&self, bytes: &[u8]) -> io::Result<Seen> {
        let file = self.directory.join("fuzzed");
        fs::write(&file, bytes)?;
        // One pipeline with samples and one without: the length chooses among them, as it changes with most mutations.
        let mut seen = Seen::default();
        for plan in [&self.plans[bytes.len() % (self.plans.len() - 1)], &self.plans[self.plans.len() - 1]] {
            let _: Result<(), StageError> = through(plan, &file, &mut seen);
        }
        Ok(seen)
    }
}

fn plan(directory: &Path, [vcf, normalize, annotations]: &[&str; 3]) -> io::Result<Plan> {
    let text = format!(
        "[pipeline]\nname = \"fuzzing\"\n\
         [stages.calls]\ntype = \"vcf\"\n\
         info = [\"ANN\", \"CSQ\", \"BCSQ\", \"GENEINFO\", \"AF\", \"AC\", \"AD\", \"DP\", \"DB\", \"END\", \"SVLEN\", \"CIPOS\"]\n{vcf}\n\
         [stages.alleles]\ntype = \"normalize\"\ninput = \"calls\"\n{normalize}\n\
         [stages.annotated]\ntype = \"annotations\"\ninput = \"alleles\"\n{annotations}\n\
         [stages.columns]\ntype = \"select\"\ninput = \"annotated\"\n[stages.columns.columns]\nchrom = \"chrom\"\npos = \"pos\"\n\
         [stages.rows]\ntype = \"table\"\ninput = \"columns\"\nkey = [\"chrom\", \"pos\"]\nconflict = \"latest_drop\"\n\
         [stages.warehouse]\ntype = \"sqlite\"\npath = \"never.sqlite\"\ntables = [\"rows\"]\n"
    );
    let mut diagnostics = Diagnostics::default();
    let spec = SpecFile::parse(directory.join("pipeline.toml"), text, &[], &|_| None, &mut diagnostics);
    Plan::resolve(&spec, REGISTRY, &mut diagnostics).ok_or_else(|| {
        let problems: Vec<String> = diagnostics.into_sorted().into_iter().map(|problem| problem.message).collect();
        io::Error::other(problems.join("; "))
    })
}

/// Reads a file through every source and transform of a plan.
fn through(plan: &Plan, file: &Path, seen: &mut Seen) -> Result<(), StageError> {
    for (at, stage) in plan.stages.indexed() {
        let Planned::Source(source) = &stage.planned else { continue };
        let mut runs = BTreeMap::new();
        for (at, stage) in plan.stages.indexed() {
            if let Planned::Transform(transform) = &stage.planned {
                runs.insert(at, transform.start()?);
            }
        }
        parse(source.as_ref(), file, seen, &mut |batches, seen| {
            let mut outputs: BTreeMap<StageIndex, Vec<Batch>> = BTreeMap::from([(at, batches)]);
            for (next, run) in &mut runs {
                let mut emit = Emit::default();
                let inputs = outputs.remove(&plan.stages[*next].inputs[0]).unwrap_or_default();
                inputs.iter().try_for_each(|batch| run.apply(batch, &mut emit))?;
                seen.rejects += emit.rejects.len() as u64;
                outputs.insert(*next, emit.batches);
            }
            seen.rows += outputs.values().flatten().map(|batch| batch.rows() as u64).sum::<u64>();
            Ok(())
        })?;
    }
    Ok(())
}

/// What is done with the batches of a chunk.
type Take<'a> = dyn FnMut(Vec<Batch>, &mut Seen) -> Result<(), StageError> + 'a;

/// Parses a file chunk by chunk, and holds the parser to its contract.
fn parse(source: &dyn Source, file: &Path, seen: &mut Seen, take: &mut Take<'_>) -> Result<(), StageError> {
    let mut reader = source.open(&InputFile::at(file), 1)?;
    let (header, mut parser) = (reader.header(), source.parser());
    while let Some(raw) = reader.next_chunk()? {
        let origins = raw.first_origin..raw.first_origin + raw.origins;
        let chunk = Arc::new(Chunk { raw, header: Arc::clone(&header) });
        let mut emit = Emit::default();
        let alone = parser.digest(&chunk);
        let digest = parser.parse(chunk, &mut emit)?;
        assert_eq!(alone, digest, "the digest alone and with parsing");
        let mut accounted: BTreeSet<u64> = BTreeSet::new();
        for batch in &emit.batches {
            accounted.extend(batch.origins.iter().flatten());
            if let (Some(provenance), Some(first)) = (&batch.provenance, batch.origins.as_ref().and_then(|o| o.first()))
            {
                assert_eq!(provenance.place(*first).line, Some(*first));
            }
        }
        accounted.extend(emit.rejects.iter().filter_map(|reject| reject.origin));
        accounted.extend(emit.filtered.iter().chain(&emit.no_alternate));
        assert_eq!(accounted.len() as u64, digest.records, "every record is used or accounted for");
        assert!(accounted.iter().all(|origin| origins.contains(origin)), "origins lie in their chunk");
        seen.records += digest.records;
        seen.rejects += emit.rejects.len() as u64;
        take(emit.batches, seen)?;
    }
    Ok(())
}
