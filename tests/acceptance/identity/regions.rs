//! Regions: which records a source reads, judged by `bcftools view`, with and without an index.

use std::fs;

use serde_json::Value;
use vardelta_tests::{
    database::texts,
    project::Project,
    random::Random,
    report::warnings_of,
    shared::{has_tool, tool_output},
};

use super::{pipeline, project, rows};

/// The report of a run with these lines under its source.
fn run(project: &Project) -> Value {
    project.vardelta("run", &["--json"]).expect(0).json()
}

const RECORDS: [&str; 6] = [
    "1 100 . A C 9 PASS .",
    "1 198 . ACGT A 9 PASS .",
    "1 201 . A C 9 PASS .",
    "1 150 . A <DEL> 9 PASS SVTYPE=DEL;END=200",
    "chr2 5 . A C 9 PASS .",
    "3 5 . A C 9 PASS .",
];

#[test]
fn records_that_cover_a_region_are_read() {
    for (source, expected) in [
        ("regions = [\"1:200-200\"]", &["1:150 A><DEL>", "1:198 ACGT>A"][..]),
        ("regions = [\"1:200\", \"2\"]", &["1:150 A><DEL>", "1:198 ACGT>A", "2:5 A>C"]),
        ("regions = [\"chr1:201-\"]", &["1:198 ACGT>A", "1:201 A>C"]),
        ("regions = [\"NC_000001.10:99-101\"]\nregions_file = \"panel.bed\"", &["1:100 A>C", "3:5 A>C"]),
    ] {
        let project = project(&pipeline("assembly = \"GRCh37\"", source), &[("a", "", &RECORDS)]);
        project.write("panel.bed", b"track name=x\nchr3\t4\t5\n");
        let report = run(&project);
        assert_eq!(rows(&project), expected, "{source}");
        let outside = (RECORDS.len() - expected.len()) as u64;
        assert_eq!(warnings_of(&report, "outside_regions"), outside, "{source}");
        assert_eq!(report["drops"][0]["read"], expected.len(), "{source}");
        // What lies outside is no part of the content.
        let mut more = RECORDS.to_vec();
        more.insert(5, "2 900000000 . A C 9 PASS .");
        if !source.contains("\"2\"") {
            project.write_drop("a", "", &more);
            assert_eq!(run(&project)["drops"][0]["action"], "unchanged", "{source}");
        }
    }
}

#[test]
fn nothing_inside_is_said_aloud() {
    let project = project(&pipeline("", "regions = [\"chr9:1-5\"]"), &[("a", "", &RECORDS)]);
    project.vardelta("run", &[]).expect(0).says(&["drop `a` has no records within its regions"]);
}

#[test]
fn other_regions_are_another_definition() {
    let project = project(&pipeline("", "regions_file = \"panel.bed\""), &[("a", "", &RECORDS)]);
    project.vardelta("run", &[]).expect(4).says(&["panel.bed", "`regions_file` of stage `calls`"]);
    project.write("panel.bed", b"1\t99\t100\nx\n");
    project.vardelta("run", &[]).expect(4).says(&["panel.bed:2:", "0-based"]);
    project.write("panel.bed", b"1\t99\t100\n");
    run(&project);
    assert_eq!(rows(&project), ["1:100 A>C"]);
    project.write("panel.bed", b"1\t99\t101\n");
    project.vardelta("run", &[]).expect(6).says(&["stage `calls` changed: the content of `regions_file`", "panel.bed"]);
    project.vardelta("rebuild", &[]).expect(0);
    project.write("pipeline.toml", pipeline("", "regions = [\"1:100-101\"]").as_bytes());
    project.vardelta("run", &[]).expect(6).says(&["option `regions` (added)", "option `regions_file` (removed)"]);
}

#[test]
fn what_is_no_region_is_found_before_anything_runs() {
    let said = Project::new(&pipeline("", "regions = [\"chr7:9-5\"]")).vardelta("validate", &[]).expect(3);
    said.says(&["`chr7:9-5` is no region: it ends at 5 before it starts at 9", "pipeline.toml:10:"]);
}

/// Records on two contigs, in order, enough for many blocks; deletions that reach into the next region among them.
fn many_records() -> String {
    let mut text = String::from("##fileformat=VCFv4.2\n##contig=<ID=1>\n##contig=<ID=2>\n");
    text += "##INFO=<ID=END,Number=1,Type=Integer,Description=\"x\">\n##INFO=<ID=NOTE,Number=1,Type=String,Description=\"x\">\n";
    text += "##FILTER=<ID=PASS,Description=\"x\">\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
    let mut noise = Random::new(1);
    for contig in ["1", "2"] {
        for at in 1..=30_000u64 {
            // Much that cannot be compressed: an index does not part less than 64 KiB of a file.
            let mut note = String::new();
            for _ in 0..10 {
                note += &format!("{:x}", noise.bits());
            }
            let (reference, alternate, end) = match at % 11 {
                0 => ("ACGTACGT", "A", String::new()),
                1 if at % 7 == 0 => ("A", "<DEL>", format!("END={};", at * 50 + 70_000)),
                _ => ("A", "C", String::new()),
            };
            text += &format!("{contig}\t{}\t.\t{reference}\t{alternate}\t9\tPASS\t{end}NOTE={note}\n", at * 50);
        }
    }
    text
}

#[test]
fn an_index_saves_reading_and_changes_nothing_else() {
    let (what, regions) = ("reading by index", ["1:1000453-1000800", "2:700-900", "2:1499990-"]);
    if !has_tool(what, "bcftools", "--version") {
        return;
    }
    let source = format!("regions = [\"{}\"]", regions.join("\", \""));
    let made = Project::new(&pipeline("", ""));
    let plain = made.write("many.vcf", many_records().as_bytes());
    let plain = plain.to_str().expect("a path of text").to_owned();
    for (name, output, index) in [("a.vcf.gz", "z", "--tbi"), ("a.vcf.gz", "z", "--csi"), ("a.bcf", "b", "--csi")] {
        let project = Project::new(&pipeline("", &source));
        let file = project.path(&format!("drops/{name}")).to_str().expect("a path of text").to_owned();
        tool_output("bcftools", &["view", "--no-version", "-O", output, "-o", &file, &plain]);
        // Without an index first: what is read and what it is.
        let whole = run(&project);
        let without = (rows(&project), digests(&project));
        assert!(warnings_of(&whole, "outside_regions") > 50_000, "{name}");

        let indexed = Project::new(&pipeline("", &source));
        let copy = indexed.path(&format!("drops/{name}")).to_str().expect("a path of text").to_owned();
        fs::copy(&file, &copy).expect("a copy can be made");
        tool_output("bcftools", &["index", index, &copy]);
        let report = run(&indexed);
        assert_eq!((rows(&indexed), digests(&indexed)), without, "{name} {index}");
        assert_eq!(report["drops"][0]["read"], whole["drops"][0]["read"]);
        let seen = warnings_of(&report, "outside_regions");
        // The chunks of larger bins are read from their beginning, for long deletions may reach into a region: here they
        // follow each other so closely that those of one contig are one.
        assert!(seen < 40_000, "{name} {index}: of 60000 records {seen} outside were read");
        // And as bcftools judges.
        let listed = regions.join(",");
        // Not `bcftools query`: it goes by REF alone in text and by END in BCF.
        let expected = tool_output("bcftools", &["view", "-H", "-r", &listed, &copy]);
        let expected: Vec<String> =
            expected.lines().map(|line| line.split('\t').take(2).collect::<Vec<_>>().join(":")).collect();
        let places = texts(
            &indexed.path("identity.sqlite"),
            "SELECT chrom || ':' || orig_pos FROM variants ORDER BY chrom, orig_pos",
        );
        assert_eq!(places, expected, "{name} {index}");
        // A BED file says the same, in its own counting.
        let by_file = Project::new(&pipeline("", "regions_file = \"panel.bed\""));
        let bed = by_file.write("panel.bed", b"1\t1000452\t1000800\n2\t699\t900\n2\t1499989\t2000000\n");
        let again = by_file.path(&format!("drops/{name}")).to_str().expect("a path of text").to_owned();
        fs::copy(&file, &again).expect("a copy can be made");
        tool_output("bcftools", &["index", index, &again]);
        run(&by_file);
        assert_eq!((rows(&by_file), digests(&by_file)), without, "{name} {index}");
        let bed = bed.to_str().expect("a path of text").to_owned();
        let judged = tool_output("bcftools", &["view", "-H", "-R", &bed, &again]);
        assert_eq!(judged.lines().count(), expected.len(), "{name} {index}");
        // The same drop with the index gone is the same drop.
        fs::remove_file(format!("{copy}.{}", &index[2..])).expect("it is there");
        assert_eq!(run(&indexed)["drops"][0]["action"], "unchanged");
    }
}

/// The content digests of what is loaded.
fn digests(project: &Project) -> Vec<String> {
    texts(&project.path("identity.sqlite"), "SELECT content_digest FROM vardelta_drops ORDER BY name")
}

#[test]
fn an_index_that_is_none_is_left_alone() {
    if !has_tool("indexes that are none", "bcftools", "--version") {
        return;
    }
    let project = Project::new(&pipeline("", "regions = [\"2:700-900\"]"));
    let plain = project.write("many.vcf", many_records().as_bytes());
    let file = project.path("drops/a.vcf.gz").to_str().expect("a path of text").to_owned();
    let half = project.path("half.vcf.gz").to_str().expect("a path of text").to_owned();
    tool_output("bcftools", &["view", "-O", "z", "-o", &file, plain.to_str().expect("a path of text")]);
    tool_output("bcftools", &["view", "-O", "z", "-o", &half, "-t", "1", &file]);
    tool_output("bcftools", &["index", "--tbi", &half]);
    let index = project.path("drops/a.vcf.gz.tbi");
    for (bytes, stale) in
        [(fs::read(format!("{half}.tbi")).expect("made"), false), (b"no index".to_vec(), false), (vec![], true)]
    {
        fs::write(&index, &bytes).expect("a file can be written");
        if stale {
            let opened = fs::File::options().write(true).open(&index).expect("it is there");
            opened.set_modified(std::time::SystemTime::UNIX_EPOCH).expect("a time can be set");
        }
        let report = project.vardelta("run", &["--json", "--dry-run"]).expect(0).json();
        let code = if stale { "stale_index" } else { "unusable_index" };
        assert_eq!(warnings_of(&report, code), 1, "{report}");
        assert_eq!(report["drops"][0]["read"], 5, "{report}");
    }
}

#[test]
fn rejects_by_index_are_the_same_but_for_their_lines() {
    if !has_tool("rejects by index", "tabix", "--version") {
        return;
    }
    let mut text = String::from("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n");
    for at in 1..=200 {
        // Two records inside and all but one of those outside are sound.
        let alternate = if [50, 60, 150].contains(&at) { "I" } else { "C" };
        text += &format!("1\t{at}\t.\tA\t{alternate}\t9\tPASS\t.\n");
    }
    let declared = pipeline("", "regions = [\"1:48-61\"]");
    let rejected = |with_index: bool| {
        let project = Project::new(&declared);
        let plain = project.write("drops/a.vcf", text.as_bytes()).to_str().expect("a path of text").to_owned();
        tool_output("bgzip", &[&plain]);
        if with_index {
            tool_output("tabix", &["-p", "vcf", &format!("{plain}.gz")]);
        }
        let report = run(&project);
        assert_eq!((&report["drops"][0]["read"], &report["drops"][0]["rejected"]), (&14.into(), &2.into()));
        let file = project.path("identity.sqlite");
        let said = texts(
            &file,
            "SELECT contig || ':' || pos || ' ' || reason || ' ' || raw FROM vardelta_rejects ORDER BY pos",
        );
        (said, texts(&file, "SELECT coalesce(CAST(line AS TEXT), 'unknown') FROM vardelta_rejects ORDER BY pos"))
    };
    let ((whole, lines), (indexed, unknown)) = (rejected(false), rejected(true));
    assert_eq!(whole, indexed);
    assert_eq!((lines, unknown), (vec!["52".to_owned(), "62".into()], vec!["unknown".to_owned(), "unknown".into()]));
}
