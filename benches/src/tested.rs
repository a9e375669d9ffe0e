//! `test`: a hundred tests in one pipeline file, as their author waits for them.

use std::{fs, path::Path, process::Command};

use crate::{
    failure::{Result, expect_equal},
    fixtures::Fixtures,
    process::{self, Output},
    report::{Row, Section, decimals, median},
};

/// Tests of a file.
const TESTS: usize = 100;
/// Seconds for all of them, at most.
const AIM_S: f64 = 2.0;
/// Where a test begins.
const HEAD: &str = "\n[[tests]]\n";

/// Measures shipped pipelines whose own tests are repeated until there are a hundred.
///
/// # Errors
/// When a test fails.
pub fn measure(fixtures: &Fixtures) -> Result<Section> {
    let mut section = Section::new(format!("{TESTS} tests of a pipeline file"));
    let tests = if fixtures.sizes.small { 4 } else { TESTS };
    for name in ["gene_summary", "cohort", "clinical"] {
        let directory = fixtures.scratch()?;
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipelines");
        let fragments = directory.path().join("fragments");
        fs::create_dir(&fragments)?;
        for fragment in fs::read_dir(shipped.join("fragments"))? {
            let fragment = fragment?;
            fs::copy(fragment.path(), fragments.join(fragment.file_name()))?;
        }
        let (text, steps) = repeated(&fs::read_to_string(shipped.join(format!("{name}.toml")))?, tests)?;
        let file = directory.path().join(format!("{name}.toml"));
        fs::write(&file, text)?;
        let (mut seconds, mut cpu_seconds) = (Vec::new(), Vec::new());
        for _ in 0..fixtures.sizes.loads {
            let mut command = Command::new(fixtures.binary()?.path());
            let outcome = process::run(command.arg("test").arg(&file).arg("--json"), Output::Captured)?;
            let report: serde_json::Value = serde_json::from_slice(&outcome.output)?;
            expect_equal("tests that passed", report["passed"].as_u64(), Some(tests as u64))?;
            seconds.push(outcome.seconds);
            cpu_seconds.push(outcome.cpu_seconds);
        }
        let (seconds, cpu_seconds) = (median(&mut seconds), median(&mut cpu_seconds));
        let figure = format!("{} s, {} s of processors", decimals(seconds), decimals(cpu_seconds));
        let row = Row::new(format!("{tests} tests of `{name}`, {steps} steps"), figure);
        section.add(row.aim("under 2 s", seconds < AIM_S));
    }
    Ok(section)
}

/// A pipeline file with so many tests, made of its own with other names, and how many steps they have.
fn repeated(text: &str, tests: usize) -> Result<(String, usize)> {
    let (pipeline, written) = text.split_once(HEAD).ok_or("the pipeline has no tests")?;
    let written: Vec<&str> = written.split(HEAD).collect();
    let mut file = pipeline.to_owned();
    for at in 0..tests {
        let test = written[at % written.len()].replacen("name = \"", &format!("name = \"{at}: "), 1);
        file += &format!("{HEAD}{test}\n");
    }
    let steps = file.matches("[[tests.steps]]").count();
    Ok((file, steps))
}
