//! What one would write without vardelta: `bcftools query` into `sqlite3 .import`, one table with the same key. It splits no
//! alleles, decodes no annotation, keeps no summaries and no history, so it does a part of the work.

use std::{
    fs,
    process::{Command, Stdio},
    time::Instant,
};

use crate::{
    failure::{Result, expect_equal},
    fixtures::{Drop, Fixtures, text_of},
    process::{self, Output},
    report::median,
};

const FIELDS: &str = "%CHROM\\t%POS\\t%REF\\t%ALT\\t%QUAL\\t%FILTER\\t%INFO/DP\\t%INFO/CLNSIG\\t%INFO/ANN\\n";

/// The median time of an import, in seconds; `None`, and a line that says so, where the tools are missing.
///
/// # Errors
/// When a tool fails, or imports another number of rows.
pub fn measure(fixtures: &Fixtures, drop: &Drop) -> Result<Option<f64>> {
    let comparison = "the comparison with `bcftools query | sqlite3`";
    if !["bcftools", "sqlite3"].iter().all(|tool| process::has_tool(tool, comparison)) {
        return Ok(None);
    }
    let mut seconds = Vec::new();
    for _ in 0..fixtures.sizes.loads {
        seconds.push(import(fixtures, drop)?);
    }
    Ok(Some(median(&mut seconds)))
}

fn import(fixtures: &Fixtures, drop: &Drop) -> Result<f64> {
    let directory = fixtures.scratch()?;
    let (database, script) = (directory.path().join("import.sqlite"), directory.path().join("import.sql"));
    fs::write(&script, include_str!("sqlite_import.sql"))?;
    let started = Instant::now();
    let mut query = Command::new("bcftools")
        .args(["query", "-f", FIELDS, text_of(&drop.path)?])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let rows = query.stdout.take().ok_or("bcftools has no standard output")?;
    let mut import = Command::new("sqlite3");
    import.arg("-batch").arg(&database).arg(format!(".read {}", text_of(&script)?)).stdin(rows);
    let imported = process::run(&mut import, Output::Discarded);
    let queried = query.wait()?;
    let seconds = started.elapsed().as_secs_f64();
    imported?;
    if !queried.success() {
        return Err(format!("bcftools query failed ({queried})").into());
    }
    let mut count = Command::new("sqlite3");
    let count =
        process::run(count.arg(&database).arg("SELECT count(*) FROM variants").stdin(Stdio::null()), Output::Captured)?;
    let count = String::from_utf8_lossy(&count.output).trim().to_owned();
    expect_equal("rows imported by sqlite3", drop.expected.records.to_string(), count)?;
    Ok(seconds)
}
