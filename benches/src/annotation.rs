//! Annotation at size: what a gene model and a table of classifications add to a load, what their new releases cost, and a group of a
//! join that is as large as the table. Whole processes; times are processor time, so that they hold on a busy machine. What each run
//! leads to is counted by SQL.

mod data;
mod pipelines;

use std::{fs, path::PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;

use self::data::{Model, Release};
use crate::{
    binary::{Binary, Run},
    failure::{Result, expect_equal},
    fixtures::Fixtures,
    report::{Row, Section, decimals, grouped, mebibytes},
};

/// What a load with annotation may take of one without.
const AIM_ANNOTATED: f64 = 2.0;
/// What a new release, or a model, may take of the first annotation.
const AIM_RELEASE: f64 = 1.0 / 20.0;
/// Bytes that a group of all variants may take above a run's base.
const AIM_GROUP_BYTES: u64 = 250 << 20;

/// A directory with a pipeline file and folders of drops.
struct Place<'a> {
    binary: &'a Binary,
    directory: TempDir,
}

impl<'a> Place<'a> {
    fn new(fixtures: &'a Fixtures, pipeline: &str) -> Result<Place<'a>> {
        let directory = fixtures.scratch()?;
        for folder in ["calls", "genes", "classes"] {
            fs::create_dir(directory.path().join(folder))?;
        }
        fs::write(directory.path().join("pipeline.toml"), pipeline)?;
        Ok(Place { binary: fixtures.binary()?, directory })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn run(&self) -> Result<Run> {
        self.binary.report("run", &self.file("pipeline.toml"), &[])
    }

    /// The one number that a query yields.
    fn count(&self, query: &str) -> Result<u64> {
        let connection = Connection::open(self.file("annotation.sqlite"))?;
        let number: i64 = connection.query_row(query, [], |row| row.get(0))?;
        Ok(u64::try_from(number)?)
    }
}

/// Measures annotation.
///
/// # Errors
/// When a run fails, or leads to something else than was generated.
pub fn measure(fixtures: &Fixtures) -> Result<Section> {
    let records = fixtures.sizes.records;
    let mut section = Section::new(format!("Annotation of {} variants", grouped(records)));
    load_and_releases(fixtures, records, &mut section)?;
    one_group(fixtures, records, &mut section)?;
    Ok(section)
}

fn seconds(run: &Run) -> String {
    format!("{} s", decimals(run.cpu_seconds))
}

fn load_and_releases(fixtures: &Fixtures, records: u64, section: &mut Section) -> Result<()> {
    let plain = Place::new(fixtures, pipelines::PLAIN)?;
    data::variants(&plain.file("calls/all.vcf"), records)?;
    let without = plain.run()?;
    expect_equal("variants", records, plain.count("SELECT count(*) FROM variants")?)?;
    section.add(Row::new("load without annotation, processor time", seconds(&without)));

    let place = Place::new(fixtures, pipelines::ANNOTATED)?;
    let (model, release) = (Model::of(records), Release::of(records));
    data::model(&place.file("genes/model.gff3"), &model, 0)?;
    data::classes(&place.file("classes/release.tsv"), &release, 0)?;
    let sides = place.run()?;
    let rows = format!("{} genes and {} classifications", grouped(model.genes), grouped(release.rows));
    section.add(Row::new(format!("load of {rows}"), seconds(&sides)));
    fs::rename(plain.file("calls/all.vcf"), place.file("calls/all.vcf"))?;
    drop(plain);
    let first = place.run()?;
    let ratio = first.cpu_seconds / without.cpu_seconds;
    let row = Row::new("load of the variants with both", seconds(&first));
    section.add(row.ratio(ratio, "the load without").aim("at most 2 x", ratio <= AIM_ANNOTATED));
    section.add(Row::new("its peak memory", mebibytes(first.peak_bytes)));
    let annotated = "SELECT count(*) FROM annotated WHERE";
    expect_equal("annotated", records, place.count("SELECT count(*) FROM annotated")?)?;
    expect_equal("classified", release.hits, place.count(&format!("{annotated} class_clnsig IS NOT NULL"))?)?;
    let in_genes = place.count(&format!("{annotated} gene_symbol IS NOT NULL"))?;
    expect_equal("in genes", data::in_genes(records, &model, 0), in_genes)?;

    // The whole model again, in which some genes are elsewhere.
    data::model(&place.file("genes/model.gff3"), &model, 1)?;
    let moved = place.run()?;
    let in_genes = place.count(&format!("{annotated} gene_symbol IS NOT NULL"))?;
    expect_equal("in the genes that moved", data::in_genes(records, &model, 1), in_genes)?;
    let ratio = moved.cpu_seconds / first.cpu_seconds;
    let row = Row::new(format!("a model in which {} genes moved", model.moved), seconds(&moved));
    section.add(row.ratio(ratio, "the first annotation").aim("at most 1/20", ratio <= AIM_RELEASE));

    // Rows that a release changes alone, as a drop on top, which goes again.
    data::changed_classes(&place.file("classes/update.tsv"), &release, 2)?;
    let update = place.run()?;
    update.expect_changes("annotated", 0, release.changed_hits, 0)?;
    expect_equal("reclassified", release.changed_hits, place.count(&format!("{annotated} class_clnsig = 'VUS'"))?)?;
    let ratio = update.cpu_seconds / first.cpu_seconds;
    let row = Row::new(format!("{} rows that are reclassified, as a drop", grouped(release.changed)), seconds(&update));
    section.add(row.ratio(ratio, "that load").aim("at most 1/20", ratio <= AIM_RELEASE));
    fs::remove_file(place.file("classes/update.tsv"))?;
    fixtures.binary()?.silent("withdraw", &place.file("pipeline.toml"), &["update"])?;

    // The whole release again, in which they differ: last, since a state that was written again owes merges to the runs after it.
    data::classes(&place.file("classes/release.tsv"), &release, 1)?;
    let again = place.run()?;
    again.expect_changes("annotated", 0, release.changed_hits, 0)?;
    expect_equal("reclassified", release.changed_hits, place.count(&format!("{annotated} class_clnsig = 'Benign'"))?)?;
    let ratio = again.cpu_seconds / first.cpu_seconds;
    let what = format!("a whole release in which {} rows differ", grouped(release.changed));
    section.add(Row::new(what, seconds(&again)).ratio(ratio, "that load").aim("at most 1/20", ratio <= AIM_RELEASE));
    if fixtures.sizes.small {
        fixtures.binary()?.silent("verify", &place.file("pipeline.toml"), &[])?;
    }
    Ok(())
}

/// One gene that all variants are in, and whose row changes.
fn one_group(fixtures: &Fixtures, records: u64, section: &mut Section) -> Result<()> {
    let place = Place::new(fixtures, pipelines::ONE_GENE)?;
    data::variants(&place.file("calls/all.vcf"), records)?;
    let gene = |name: &str, symbol: &str, score: u32| {
        fs::write(place.file(&format!("genes/{name}.tsv")), format!("symbol\tscore\n{symbol}\t{score}\n"))
    };
    gene("all", "ALL", 1)?;
    gene("none", "NONE", 1)?;
    place.run()?;
    gene("none", "NONE", 2)?;
    let base = place.run()?;
    base.expect_changes("scored", 0, 0, 0)?;
    gene("all", "ALL", 7)?;
    let hot = place.run()?;
    hot.expect_changes("scored", 0, records, 0)?;
    expect_equal("scored", records, place.count("SELECT count(*) FROM scored WHERE gene_score = 7")?)?;
    let above = hot.peak_bytes.saturating_sub(base.peak_bytes);
    let row = Row::new(format!("one gene with {} variants changes", grouped(records)), seconds(&hot));
    section.add(row.ratio(hot.cpu_seconds * 1e6 / records as f64, "a microsecond for each variant"));
    let row = Row::new("its peak memory above a run's that changes another gene", mebibytes(above));
    section.add(row.aim("at most 250 MiB", above <= AIM_GROUP_BYTES));
    Ok(())
}
