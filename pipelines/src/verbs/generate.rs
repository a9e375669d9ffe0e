//! `generate`: a made-up drop of any size.

use std::path::{Path, PathBuf};

use vardelta_engine::error::{RunError, RunErrorKind};

use crate::{
    destination,
    failure::Failure,
    generate::{Annotations, Kind, Settings, generate, is_generated},
    output::Output,
};

/// Arguments of `generate`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Data lines of a VCF; of a gene model or drug table, genes.
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    records: u64,

    /// Everything follows from it: the same options give the same bytes, whatever the number of threads.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,

    /// Sample columns.
    #[arg(long, value_name = "K", default_value_t = 0)]
    samples: u64,

    /// The file; `-` is standard output. A name that ends with `.gz` or `.bgz` is packed as BGZF, with an index beside a VCF.
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: PathBuf,

    /// Which drop of a series: drops of one seed share `--overlap` of their sites.
    #[arg(long, value_name = "D", default_value_t = 0)]
    drop: u64,

    /// How often the file was corrected: the same sites, other values. For ClinVar a later release.
    #[arg(long, value_name = "E", default_value_t = 0)]
    edition: u64,

    /// The share of sites that every drop of the seed has, 0 to 1.
    #[arg(long, value_name = "SHARE", default_value_t = 0.5, value_parser = share)]
    overlap: f64,

    /// The share of records that no reader can use, 0 to 1.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    broken: f64,

    /// What the INFO column says of genes.
    #[arg(long, value_enum, default_value_t = Annotations::Ann)]
    annotations: Annotations,

    /// Clinical significances of the same sites, as ClinVar's VCF has them.
    #[arg(long, conflicts_with_all = ["genes", "drugs"])]
    clinvar: bool,

    /// The gene model that the annotations are of (GFF3).
    #[arg(long, conflicts_with = "drugs")]
    genes: bool,

    /// Drugs of those genes (tab-separated text).
    #[arg(long)]
    drugs: bool,

    /// Threads. Default: the machine's cores.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a share is a number from 0 to 1".into()),
    }
}

/// What may be written over: a made-up file looks like the field's, and a path is easily that of a real one.
const GENERATED: destination::Kind =
    destination::Kind { option: "--out", what: "a file that `vardelta generate` made", is_own: is_generated };

impl Arguments {
    pub fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let settings = Settings {
            kind: match (self.clinvar, self.genes, self.drugs) {
                (true, ..) => Kind::Clinvar,
                (_, true, _) => Kind::Genes,
                (.., true) => Kind::Drugs,
                _ => Kind::Calls,
            },
            records: self.records,
            seed: self.seed,
            drop: self.drop,
            edition: self.edition,
            overlap: self.overlap,
            broken_share: self.broken,
            samples: self.samples,
            annotations: self.annotations,
        };
        let is_piped = self.out == Path::new("-");
        if is_piped && output.is_json() {
            return Err(RunError::new(
                RunErrorKind::Usage,
                "the file and the report cannot both go to standard output",
            )
            .with_hint("Give the file a name with --out FILE, or leave --json out.")
            .into());
        }
        let path = if is_piped { self.out.clone() } else { destination::check_alone(&self.out, &GENERATED)? };
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = self.workers.map_or_else(cores, usize::from);
        let generated = match generate(&settings, &path, threads) {
            Ok(generated) => generated,
            // Who takes only the first lines of it has what they wanted.
            Err(error) if is_piped && error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(0),
            Err(error) => {
                let message = format!("{} cannot be written: {error}", self.out.display());
                let hint = "Check the path, the rights on it and the room on its disk.";
                return Err(RunError::new(RunErrorKind::Sink, message).with_hint(hint).into());
            }
        };
        if output.is_json() {
            output.json(&generated)?;
        } else if !is_piped && !output.is_quiet() {
            let broken = if generated.broken > 0 { format!(", {} broken", generated.broken) } else { String::new() };
            let lines = format!(
                "{}: {} data lines{broken}, {} bytes of text in {} bytes\n",
                self.out.display(),
                generated.records,
                generated.text_bytes,
                generated.file_bytes
            );
            output.text(&lines)?;
        }
        Ok(0)
    }
}
