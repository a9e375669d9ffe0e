//! A small story over the gene summary: what is loaded first, and what then changes. The crash tests tell it again
//! and again.

use std::path::Path;

use crate::{
    database::{Tables, read_tables},
    drop_file::{self, Packing},
    pipelines::{GENE_SUMMARY, Pipeline},
    project::Project,
    random::Random,
    record::Line,
};

/// The pipeline of the story.
pub const PIPELINE: &Pipeline = &GENE_SUMMARY;

/// A drop of records that pass the story's filter more often than not.
pub fn lines(seed: u64, count: usize) -> Vec<Line> {
    let mut random = Random::new(seed);
    let mut lines: Vec<Line> = (0..count).map(|_| Line::random(&mut random)).collect();
    for line in &mut lines {
        if let Line::Call(call) = line {
            call.filter = Some("PASS".to_owned());
            call.quality = Some(format!("{}.5", 20 + random.below(70)));
        }
    }
    lines
}

/// Writes a drop of the story.
pub fn write_drop(project: &Project, name: &str, lines: &[Line]) {
    drop_file::write(&project.path("drops"), name, &drop_file::text(lines, 0), Packing::Bgzf);
}

/// The story's tables as they are now.
pub fn tables(directory: &Path) -> Tables {
    read_tables(&directory.join(PIPELINE.database), PIPELINE.keys)
}

/// A drop of many records, in version `version`: a tenth of them differs from one version to the next.
pub fn big_drop(records: usize, version: usize) -> String {
    let mut text = drop_file::HEADER.to_owned();
    for record in 0..records {
        let changed = if record % 10 == version % 10 { version } else { 0 };
        let (position, gene, quality) = (record + 1, record % 97, 20 + (record + changed) % 80);
        text.push_str(&format!(
            "7\t{position}\t.\tA\tC\t{quality}\tPASS\tDP=30;CLNSIG=Benign;ANN=C|missense_variant|MODERATE|GENE{gene}|\
             ID{gene}|transcript|T{gene}|protein_coding|1/1|c.{position}A>C|p.{position}|||||\n"
        ));
    }
    text
}
