//! Instructions per record, counted by callgrind: the figure that does not depend on the machine's hour.
//!
//! A dry run with one worker is counted over a short drop and a long one; what the difference costs is the work per record,
//! without what a process costs anyway.

use std::process::Command;

use crate::{
    failure::Result,
    fixtures::{Fixtures, text_of},
    generate::Packing,
    process,
    report::{Row, Section, grouped},
};

/// Records of the short drop and of the long one.
const RECORDS: [u64; 2] = [3_000, 30_000];
/// The same where only the working is checked.
const RECORDS_SMALL: [u64; 2] = [1_000, 2_000];

/// Counts the instructions of a dry run; `None`, with a line that says so, where valgrind is missing.
///
/// # Errors
/// When a run fails, or takes more instructions per record than `ceiling`.
pub fn measure(fixtures: &Fixtures, ceiling: Option<u64>) -> Result<Option<Section>> {
    if !process::has_tool("valgrind", "instructions per record") {
        return Ok(None);
    }
    let [short, long] = if fixtures.sizes.small { RECORDS_SMALL } else { RECORDS };
    let of_short = count(fixtures, short)?;
    let per_record = count(fixtures, long)?.saturating_sub(of_short) / (long - short);
    let mut section = Section::new("Instructions, dry run, one worker, by callgrind");
    let mut row =
        Row::new(format!("per record, between {} and {} records", grouped(short), grouped(long)), grouped(per_record));
    if let Some(ceiling) = ceiling {
        row = row.aim(&format!("at most {}", grouped(ceiling)), per_record <= ceiling);
    }
    section.add(row);
    let of_process = of_short.saturating_sub(per_record * short);
    section.add(Row::new("of the process, without any record", format!("{:.1} million", of_process as f64 / 1e6)));
    match ceiling {
        Some(ceiling) if per_record > ceiling => {
            Err(format!("a record takes {per_record} instructions, more than {ceiling}").into())
        }
        _ => Ok(Some(section)),
    }
}

fn count(fixtures: &Fixtures, records: u64) -> Result<u64> {
    let drop = fixtures.history(records, Packing::Plain)?;
    let (warehouse, profile) = (fixtures.warehouse()?, fixtures.scratch()?);
    let output = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg(format!("--callgrind-out-file={}", text_of(&profile.path().join("callgrind.out"))?))
        .arg(fixtures.binary()?.path())
        .arg("run")
        .arg(warehouse.pipeline())
        .arg(text_of(&drop.path)?)
        .args(["--dry-run", "--workers", "1", "--quiet"])
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("the run under valgrind failed ({}): {said}", output.status).into());
    }
    let count =
        said.lines().find_map(|line| line.split_once("Collected :")).and_then(|(_, count)| count.trim().parse().ok());
    count.ok_or_else(|| format!("valgrind does not tell how many instructions it counted: {said}").into())
}
