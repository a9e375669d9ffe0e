//! How fast, how small, how incremental: figures of vardelta on this machine, with their ratios, as Markdown.
//!
//! Loads and deltas are judged as whole processes of the real binary, stages and the state by library. Everything lies in one
//! temporary directory. With `--small` the same code runs on a few thousand records and checks what the runs report, so
//! that a benchmark cannot rot: the crate's test does so.
//!
//! Seconds are those of a machine and an hour; the ratios are what is worth comparing.

mod annotation;
mod baseline;
mod binary;
mod delta;
mod failure;
mod fixtures;
mod generate;
mod genome;
mod instructions;
mod load;
mod lookups;
mod made;
mod mysql;
mod pipeline;
mod probes;
mod process;
mod read;
mod report;
mod sizes;
mod sqlite_import;
mod stages;
mod state;
mod tested;
mod told;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, ValueEnum};

use vardelta_test_servers::Flavor;

use crate::{failure::Result, fixtures::Fixtures, report::Section, sizes::Sizes};

/// Measures vardelta: first loads, deltas, stages, the state.
#[derive(Debug, Parser)]
#[command(name = "bench", max_term_width = 100)]
pub struct Arguments {
    /// What to measure.
    #[arg(value_enum, default_value_t = What::All)]
    pub what: What,

    /// Records of the history. With more than 1,000,000 the main figures are of a tenth of them, and figures are added of
    /// how time and memory grow from that tenth to the whole.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    pub records: Option<u64>,

    /// A few thousand records, everything once: checks that the benchmarks work, measures nothing.
    #[arg(long, conflicts_with = "records")]
    pub small: bool,

    /// Where the temporary directory is made. Needs about 1 GB per 1,000,000 records. Default: the system's.
    #[arg(long, value_name = "DIRECTORY")]
    pub dir: Option<PathBuf>,

    /// Fail when a record takes more instructions than this.
    #[arg(long, value_name = "INSTRUCTIONS")]
    pub at_most: Option<u64>,

    /// The vardelta binary to judge. Default: the one that cargo builds from this tree, with this program's profile.
    #[arg(long, value_name = "FILE")]
    pub vardelta: Option<PathBuf>,
}

/// What to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// First loads: throughput, memory, workers, dry runs, and `bcftools query | sqlite3` beside them.
    Load,
    /// A small drop on a long history, and its withdrawal.
    Delta,
    /// Reading with validation, against reading without.
    Read,
    /// Stages one by one on one thread, and a plain loop beside them.
    Stages,
    /// The state store alone.
    State,
    /// Instructions per record, counted by callgrind; skipped where valgrind is not installed.
    Instructions,
    /// 10,000 keys of a slow service: in batches, one by one, from the cache. Takes about two minutes.
    Lookups,
    /// As many keys as records: of a service that answers at once, and from the cache; time and memory.
    Keys,
    /// What a JSON log, metrics, lineage and alerts cost a first load, in instructions; skipped where valgrind is not installed.
    Told,
    /// What 200 probes of `/health` a second cost.
    Probes,
    /// A gene model and classifications beside a load, their new releases, and a gene with all variants.
    Annotation,
    /// Making drops with `generate`, on one core, and what noodles would take to write them.
    Generate,
    /// A hundred tests of a pipeline file.
    Test,
    /// MariaDB and MySQL, on private servers; a server that is not installed is skipped.
    Mysql,
    /// Loads, deltas, reading, stages and the state, in one table.
    Compare,
    /// The same, a table each, printed as they come.
    All,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let measurements: &[fn(&Fixtures) -> Result<Section>] = match arguments.what {
        What::Load => &[load::measure],
        What::Mysql | What::Instructions | What::Told => &[],
        What::Delta => &[delta::measure],
        What::Read => &[read::measure],
        What::Stages => &[stages::measure],
        What::State => &[state::measure],
        What::Lookups => &[lookups::measure],
        What::Keys => &[lookups::many],
        What::Probes => &[probes::measure],
        What::Generate => &[made::measure],
        What::Test => &[tested::measure],
        What::Annotation => &[annotation::measure],
        What::Compare | What::All => &[load::measure, delta::measure, read::measure, stages::measure, state::measure],
    };
    let fixtures = Fixtures::new(arguments, Sizes::new(arguments.records, arguments.small))?;
    println!("{}\n", report::conditions(&fixtures.sizes));
    if arguments.what == What::Mysql {
        for flavor in Flavor::ALL {
            if let Some(section) = mysql::measure(&fixtures, flavor)? {
                println!("{section}");
            }
        }
    }
    if arguments.what == What::Instructions
        && let Some(section) = instructions::measure(&fixtures, arguments.at_most)?
    {
        println!("{section}");
    }
    if arguments.what == What::Told
        && let Some(section) = told::measure(&fixtures)?
    {
        println!("{section}");
    }
    let mut sections = Vec::new();
    for measure in measurements {
        let section = measure(&fixtures)?;
        if arguments.what != What::Compare {
            println!("{section}");
        }
        sections.push(section);
    }
    if arguments.what == What::Compare {
        println!("{}", report::one_table(&sections));
    }
    Ok(())
}
