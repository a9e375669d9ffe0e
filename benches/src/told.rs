//! What reporting costs: a first load that writes its log as JSON, metrics to a file, lineage and alerts, against one that
//! makes nothing but its report. By callgrind, since the clock of a shared machine does not show a few in a hundred.

use std::{fs, path::Path, process::Command};

use crate::{
    failure::Result,
    fixtures::{Drop, Fixtures, text_of},
    generate::Packing,
    process,
    report::{Row, Section},
};

/// Records of the load; the same where only the working is checked.
const RECORDS: [u64; 2] = [30_000, 2_000];
/// More than nothing reported, at the most.
const AIM: f64 = 1.03;
/// All there is to report.
const OPERATE: &str = "\n[operate]\nlog = \"json\"\ntextfile = \"metrics.prom\"\nopenlineage = \"file:lineage.ndjson\"\n\
                       [operate.alerts]\n[operate.health]\ndisk_free_gb = 0\n";

/// Counts both; `None`, with a line that says so, where valgrind is missing.
///
/// # Errors
/// When a run fails.
pub fn measure(fixtures: &Fixtures) -> Result<Option<Section>> {
    if !process::has_tool("valgrind", "what reporting costs") {
        return Ok(None);
    }
    let records = RECORDS[usize::from(fixtures.sizes.small)];
    let drop = fixtures.history(records, Packing::Plain)?;
    let (silent, told) = (count(fixtures, &drop, "")?, count(fixtures, &drop, OPERATE)?);
    let mut section = Section::new(format!("Telling, first load of {records} records, one worker, by callgrind"));
    let millions = |count: u64| format!("{:.1} million instructions", count as f64 / 1e6);
    section.add(Row::new("the report alone", millions(silent)));
    let ratio = told as f64 / silent as f64;
    let row = Row::new("JSON log, metrics, lineage and alerts too", millions(told));
    section.add(row.ratio(ratio, "the report alone").aim("at most 1.03 x", ratio <= AIM));
    Ok(Some(section))
}

/// Instructions of a first load with this after the pipeline file.
fn count(fixtures: &Fixtures, drop: &Drop, operate: &str) -> Result<u64> {
    let (warehouse, directory) = (fixtures.warehouse()?, fixtures.scratch()?);
    let pipeline = warehouse.pipeline();
    let text = fs::read_to_string(&pipeline)? + operate;
    fs::write(&pipeline, text)?;
    let counts = directory.path().join("callgrind.out");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", &format!("--callgrind-out-file={}", text_of(&counts)?)])
        .arg(fixtures.binary()?.path())
        .arg("run")
        .args([&pipeline, Path::new(text_of(&drop.path)?)])
        .args(["--quiet", "--workers", "1"])
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("the load under valgrind failed ({}): {said}", output.status).into());
    }
    if !operate.is_empty() {
        for file in ["metrics.prom", "lineage.ndjson"] {
            let path = pipeline.with_file_name(file);
            fs::metadata(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    let count =
        said.lines().find_map(|line| line.split_once("Collected :")).and_then(|(_, count)| count.trim().parse().ok());
    count.ok_or_else(|| format!("valgrind does not say how many instructions it counted: {said}").into())
}
