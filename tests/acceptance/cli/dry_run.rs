//! `--dry-run`: exact changes printed, nothing written.

use std::{collections::BTreeMap, path::Path};

use vardelta_tests::{drop_file, project::Project, story};

/// Every file below a directory, byte for byte.
fn everything(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![directory.to_path_buf()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).expect("a directory can be read") {
            let path = entry.expect("a directory can be read").path();
            match path.is_dir() {
                true => open.push(path),
                false => {
                    let bytes = std::fs::read(&path).expect("a file can be read");
                    files.insert(path.to_string_lossy().into_owned(), bytes);
                }
            }
        }
    }
    files
}

#[test]
fn every_byte_stays_and_the_changes_are_those_of_the_run() {
    let project = Project::new(story::PIPELINE.text);
    story::write_drop(&project, "alpha", &story::lines(1, 40));
    story::write_drop(&project, "gone", &story::lines(3, 10));
    project.vardelta("run", &[]).expect(0);
    let mut lines = story::lines(1, 40);
    lines.truncate(35);
    story::write_drop(&project, "alpha", &lines);
    story::write_drop(&project, "beta", &story::lines(2, 20));
    drop_file::remove(&project.path("drops"), "gone");

    let before = everything(project.directory());
    for (verb, arguments) in
        [("run", &["--dry-run", "--prune-all"][..]), ("withdraw", &["--dry-run", "alpha"]), ("rebuild", &["--dry-run"])]
    {
        project.vardelta(verb, arguments).expect(0);
        let after = everything(project.directory());
        let differing: Vec<&String> =
            before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path)).collect();
        assert!(differing.is_empty(), "{verb} changed {differing:?}");
    }
    let shown = project.vardelta("run", &["--dry-run", "--prune-all", "--json"]).expect(0).json();
    let done = project.vardelta("run", &["--prune-all", "--json"]).expect(0).json();
    assert_eq!(shown["tables"], done["tables"]);
    assert_eq!(shown["drops"], done["drops"]);
    assert_eq!((&shown["dry_run"], &done["dry_run"]), (&true.into(), &false.into()));
    assert_eq!((&shown["epoch"], &done["epoch"]), (&1.into(), &2.into()));
}

#[test]
fn a_dry_run_before_the_first_run_leaves_nothing() {
    let project = Project::new(story::PIPELINE.text);
    story::write_drop(&project, "alpha", &story::lines(1, 40));
    let before = everything(project.directory());
    project.vardelta("run", &["--dry-run"]).expect(0);
    assert_eq!(everything(project.directory()), before);
}

#[test]
fn the_rows_that_would_change_are_printed() {
    let project = Project::new(story::PIPELINE.text);
    let line = |position: u32, quality: u32, gene: &str| {
        format!("1\t{position}\t.\tA\tC\t{quality}\tPASS\tANN=C|stop_gained|HIGH|{gene}\n")
    };
    let write = |lines: &[String]| {
        project.write("drops/one.vcf", format!("{}{}", drop_file::HEADER, lines.concat()).as_bytes());
    };
    write(&[line(1, 30, "TP53"), line(2, 40, "TP53"), line(3, 50, "KRAS")]);
    project.vardelta("run", &[]).expect(0);
    write(&[line(1, 30, "TP53"), line(2, 60, "TP53"), line(4, 70, "BRCA1")]);
    let said = project.vardelta("run", &["--dry-run"]).expect(0);
    let changed: Vec<&str> =
        said.stdout.lines().map(str::trim).filter(|line| line.starts_with(['+', '~', '-'])).collect();
    let expected = [
        "~ chromosome=1 position=2 reference=A alternate=C quality 40.00 -> 60.00",
        "- chromosome=1 position=3 reference=A alternate=C quality=50.00 gene_symbol=KRAS clinical_significance=NULL",
        "+ chromosome=1 position=4 reference=A alternate=C quality=70.00 gene_symbol=BRCA1 clinical_significance=NULL",
        "+ gene_symbol=BRCA1 variant_count=1 avg_quality=70.000000 pathogenic_count=0",
        "- gene_symbol=KRAS variant_count=1 avg_quality=50.000000 pathogenic_count=0",
        "~ gene_symbol=TP53 avg_quality 35.000000 -> 45.000000",
    ];
    assert_eq!(changed, expected, "{}", said.stdout);
}
