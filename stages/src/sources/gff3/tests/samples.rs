//! The gene models of the shared data are read whole, or each of their lines is accounted for.

use std::path::{Path, PathBuf};

use super::*;

/// The gene models below a folder of the shared data, sorted.
fn models(folder: &str) -> Vec<PathBuf> {
    let (mut found, mut open) =
        (Vec::new(), vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(folder)]);
    while let Some(folder) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if path.is_dir() {
                open.push(path);
            } else if [".gff", ".gff3", ".gtf"].iter().any(|end| name.trim_end_matches(".gz").ends_with(end)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The lines that are no comments, each with its number, by another way than the source's.
fn record_lines(path: &Path) -> Vec<(usize, String)> {
    let bytes = std::fs::read(path).expect("readable");
    let mut text = Vec::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(bytes.as_slice()), &mut text).expect("gzip");
    } else {
        text = bytes;
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    let before_sequences = text.lines().take_while(|line| !line.starts_with("##FASTA") && !line.starts_with('>'));
    let numbered = before_sequences.enumerate().map(|(index, line)| (index + 1, line.to_owned()));
    numbered.filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty()).collect()
}

/// What a source must refuse: models that were cut out of a genome write starts before the first base.
fn before_the_contig((number, line): &(usize, String)) -> Option<String> {
    let start: i64 = line.split('\t').nth(3)?.parse().ok()?;
    (start < 1).then(|| format!("{number} bad_position"))
}

#[test]
fn every_line_of_the_samples_is_accounted_for() {
    let mut seen = 0;
    for path in models("genes").into_iter().chain(models("conformance/bcftools-csq")) {
        // They are of several assemblies and organisms.
        let source = testing::plan(&GFF3, "", Path::new("/")).expect("sound options");
        let outcome =
            testing::read(source.as_ref(), &path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let lines = record_lines(&path);
        assert_eq!(outcome.digest.records, lines.len() as u64, "{}", path.display());
        let beyond = |reject: &&String| reject.ends_with("position_beyond_contig");
        let rejected = outcome.rejected();
        let other: Vec<&String> = rejected.iter().filter(|reject| !beyond(reject)).collect();
        let expected: Vec<String> = lines.iter().filter_map(before_the_contig).collect();
        assert_eq!(other, expected.iter().collect::<Vec<_>>(), "{}", path.display());
        assert!(outcome.row_count() > 0, "{}", path.display());
        // Whatever is a part of a gene says so, also where the gene's own line is rejected.
        let nameless = outcome
            .cells(&["feature", "parent", "gene_id"])
            .iter()
            .filter(|row| row.contains(" CDS ") && row.ends_with("NULL"))
            .count();
        assert_eq!(nameless, 0, "{}", path.display());
        seen += 1;
    }
    if seen == 0 {
        eprintln!("skipped: the gene models of shared/data are not there");
    }
}
