//! Instructions per record, counted by callgrind: the figure that does not depend on the machine's hour.
//!
//! A dry run with one worker is counted over a short drop and a long one; what the difference costs is the work per record,
//! without what a process costs anyway. How well workers share one file is reported the same way: by what the busiest thread has
//! to do, which is what is waited for where every thread has a core.

use std::{fs, path::Path, process::Command};

use crate::{
    failure::Result,
    fixtures::{Drop, Fixtures, text_of},
    generate::Packing,
    process,
    report::{Row, Section, decimals, grouped},
};

/// Records of the short drop and of the long one.
const RECORDS: [u64; 2] = [3_000, 30_000];
/// The same where only the working is checked.
const RECORDS_SMALL: [u64; 2] = [1_000, 2_000];
/// How much more the busiest thread does with one worker than with two.
const AIM_BALANCE: f64 = 1.7;

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
    if let Some(ceiling) = ceiling.filter(|ceiling| per_record > *ceiling) {
        return Err(format!("a record takes {per_record} instructions, more than {ceiling}").into());
    }
    let mut section = Section::new("Instructions, dry run, one worker, by callgrind");
    let mut row =
        Row::new(format!("per record, between {} and {} records", grouped(short), grouped(long)), grouped(per_record));
    if let Some(ceiling) = ceiling {
        row = row.aim(&format!("at most {}", grouped(ceiling)), per_record <= ceiling);
    }
    section.add(row);
    let of_process = of_short.saturating_sub(per_record * short);
    section.add(Row::new("of the process, without any record", format!("{:.1} million", of_process as f64 / 1e6)));
    let drop = fixtures.history(long, Packing::Bgzf)?;
    let [one, two] = [longest_thread(fixtures, &drop, 1)?, longest_thread(fixtures, &drop, 2)?];
    let ratio = one as f64 / two as f64;
    let what = "the busiest thread of one worker on one BGZF file, against that of two";
    section.add(Row::new(what, format!("{} x", decimals(ratio))).aim("at least 1.7 x", ratio >= AIM_BALANCE));
    Ok(Some(section))
}

/// Counts a dry run; what is counted lies in the directory.
fn profile(fixtures: &Fixtures, drop: &Drop, workers: usize, directory: &Path) -> Result<String> {
    let warehouse = fixtures.warehouse()?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--separate-threads=yes"])
        .arg(format!("--callgrind-out-file={}", text_of(&directory.join("callgrind.out"))?))
        .arg(fixtures.binary()?.path())
        .arg("run")
        .arg(warehouse.pipeline())
        .arg(text_of(&drop.path)?)
        .args(["--dry-run", "--quiet", "--workers", &workers.to_string()])
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    match output.status.success() {
        true => Ok(said),
        false => Err(format!("the run under valgrind failed ({}): {said}", output.status).into()),
    }
}

/// The instructions of the thread that has most.
fn longest_thread(fixtures: &Fixtures, drop: &Drop, workers: usize) -> Result<u64> {
    let directory = fixtures.scratch()?;
    profile(fixtures, drop, workers, directory.path())?;
    let mut longest = 0;
    for file in fs::read_dir(directory.path())? {
        let counted = fs::read_to_string(file?.path())?;
        let of_thread = counted.lines().find_map(|line| line.strip_prefix("summary: ")?.trim().parse().ok());
        longest = longest.max(of_thread.unwrap_or(0));
    }
    if longest == 0 { Err("valgrind does not say what each thread did".into()) } else { Ok(longest) }
}

fn count(fixtures: &Fixtures, records: u64) -> Result<u64> {
    let drop = fixtures.history(records, Packing::Plain)?;
    let directory = fixtures.scratch()?;
    let said = profile(fixtures, &drop, 1, directory.path())?;
    let count =
        said.lines().find_map(|line| line.split_once("Collected :")).and_then(|(_, count)| count.trim().parse().ok());
    count.ok_or_else(|| format!("valgrind does not say how many instructions it counted: {said}").into())
}
