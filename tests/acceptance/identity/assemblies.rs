//! One canonical contig name per assembly, and files of another assembly.

use std::fs;

use vardelta_tests::{
    database::texts,
    project::Project,
    report::warnings_of,
    shared::{shared, skipped},
};

use super::{pipeline, project, rows};

const GRCH38: &str = "assembly = \"GRCh38\"";

#[test]
fn every_spelling_is_one_contig() {
    let project = project(
        &pipeline(GRCH38, ""),
        &[
            ("a", "##contig=<ID=chr1,length=248956422>\n", &["chr1 5 . A C 9 PASS .", "chrM 7 . A C 9 PASS ."]),
            ("b", "", &["1 5 . A C 8 PASS .", "chr1 5 . A C 9 PASS .", "MT 7 . A C 9 PASS ."]),
            ("c", "", &["NC_000001.11 5 . A C 9 PASS .", "CM000663.2 6 . G T 9 PASS .", "M 7 . A C 9 PASS ."]),
        ],
    );
    let report = project.vardelta("run", &["--json"]).expect(0).json();
    assert_eq!(rows(&project), ["chr1:5 A>C", "chr1:6 G>T", "chrM:7 A>C"]);
    assert_eq!(report["drops"][1]["duplicates"], 1, "two spellings in one file are one key");
    // Without an assembly every name means itself.
    let as_written = self::project(&pipeline("", ""), &[("a", "", &["1 5 . A C 9 PASS .", "chr1 5 . A C 9 PASS ."])]);
    as_written.vardelta("run", &[]).expect(0);
    assert_eq!(rows(&as_written), ["1:5 A>C", "chr1:5 A>C"]);
}

#[test]
fn canonical_names_are_those_of_the_assembly() {
    for (assembly, expected) in
        [("GRCh37", ["1:5 A>C", "MT:7 A>C", "X:6 A>C"]), ("hs1", ["chr1:5 A>C", "chrM:7 A>C", "chrX:6 A>C"])]
    {
        let settings = format!("assembly = \"{assembly}\"");
        let records = ["chr1 5 . A C 9 PASS .", "X 6 . A C 9 PASS .", "chrM 7 . A C 9 PASS ."];
        let project = project(&pipeline(&settings, ""), &[("a", "", &records)]);
        project.vardelta("run", &[]).expect(0);
        assert_eq!(rows(&project), expected, "{assembly}");
    }
}

#[test]
fn mates_of_breakends_are_spelled_alike() {
    let project = project(
        &pipeline(GRCH38, ""),
        &[
            ("a", "", &["chr2 321 . G G]17:198982] 6 PASS SVTYPE=BND", "13 5 . T [CHR2:5[T 6 PASS ."]),
            ("b", "", &["2 321 . G G]chr17:198982] 6 PASS SVTYPE=BND"]),
        ],
    );
    project.vardelta("run", &[]).expect(0);
    assert_eq!(rows(&project), ["chr13:5 T>[CHR2:5[T", "chr2:321 G>G]chr17:198982]"]);
}

#[test]
fn what_has_no_place_in_the_assembly_is_counted() {
    let records =
        ["chrUn 5 . A C 9 PASS .", "21 46709985 . A C 9 PASS .", "21 46709984 . A C 9 PASS .", "21 5 . A C 9 PASS ."];
    let kept = project(&pipeline(GRCH38, ""), &[("a", "", &records)]);
    let report = kept.vardelta("run", &["--json"]).expect(0).json();
    assert_eq!(rows(&kept), ["chr21:46709984 A>C", "chr21:5 A>C", "chrUn:5 A>C"]);
    assert_eq!(warnings_of(&report, "unknown_contig_kept"), 1);
    assert_eq!(report["rejects"]["position_beyond_contig"], 1);

    let strict = project(&pipeline(GRCH38, "unknown_contigs = \"reject\""), &[("a", "", &records)]);
    let report = strict.vardelta("run", &["--json"]).expect(0).json();
    assert_eq!(rows(&strict), ["chr21:46709984 A>C", "chr21:5 A>C"]);
    assert_eq!(report["rejects"]["unknown_contig"], 1);
    // Rejects are reported as the file writes them.
    let places = "SELECT contig || ':' || pos || ' ' || line || ' ' || reason FROM vardelta_rejects ORDER BY line";
    let expected = ["chrUn:5 3 unknown_contig", "21:46709985 4 position_beyond_contig"];
    assert_eq!(texts(&strict.path("identity.sqlite"), places), expected);
}

#[test]
fn a_file_of_another_assembly_is_refused() {
    let project = project(&pipeline(GRCH38, ""), &[("a", "", &["1 5 . A C 9 PASS ."])]);
    project.vardelta("run", &[]).expect(0);
    let before = project.bytes("identity.sqlite");
    project.write_drop("b", "##contig=<ID=1,length=249250621>\n", &["1 6 . A C 9 PASS ."]);
    project.write_drop("c", "", &["1 7 . A C 9 PASS ."]);
    let said = project.vardelta("run", &[]).expect(4);
    said.says(&["b.vcf", "249250621", "248956422", "GRCh37 or hg19", "lift it over"]);
    assert_eq!(project.bytes("identity.sqlite"), before, "nothing was written");
    // A known drop that comes again as such a file is refused as well.
    fs::rename(project.path("drops/b.vcf"), project.path("drops/a.vcf")).expect("a file can be renamed");
    project.vardelta("run", &[]).expect(4).says(&["a.vcf", "249250621"]);
    assert_eq!(project.bytes("identity.sqlite"), before, "nothing was written");
}

#[test]
fn the_assembly_is_part_of_the_definition() {
    let project = project(&pipeline(GRCH38, ""), &[("a", "", &["1 5 . A C 9 PASS ."])]);
    project.vardelta("run", &[]).expect(0);
    project.write("pipeline.toml", pipeline("assembly = \"hg38\"", "").as_bytes());
    project.vardelta("run", &[]).expect(0).says(&["unchanged"]);
    project.write("pipeline.toml", pipeline("assembly = \"GRCh37\"", "").as_bytes());
    project.vardelta("run", &[]).expect(6).says(&["stage `calls` changed: its assembly", "rebuild"]);
    project.vardelta("rebuild", &[]).expect(0);
    assert_eq!(rows(&project), ["1:5 A>C"]);
}

#[test]
fn unknown_assemblies_are_found_before_anything_runs() {
    let said = Project::new(&pipeline("assembly = \"GRCh83\"", "")).vardelta("validate", &[]).expect(3);
    said.says(&["pipeline.toml:5:", "`GRCh83` is no assembly", "Did you mean `GRCh38`?", "`T2T-CHM13v2.0`", ".fai"]);
    let said = Project::new(&pipeline("", "unknown_contigs = \"reject\"")).vardelta("validate", &[]).expect(3);
    said.says(&["without an assembly no contig is known"]);
}

#[test]
fn a_file_may_say_what_the_contigs_are() {
    let records = ["1 5 . A C 9 PASS .", "chr1 6 . A C 9 PASS .", "chr1 99 . A C 9 PASS ."];
    let project = project(&pipeline("assembly = \"yeast.fa.fai\"", ""), &[("a", "", &records)]);
    project.vardelta("run", &[]).expect(4).says(&["yeast.fa.fai"]);
    project.write("yeast.fa.fai", b"1\t50\t3\t60\t61\n");
    let report = project.vardelta("run", &["--json"]).expect(0).json();
    assert_eq!(rows(&project), ["1:5 A>C", "1:6 A>C"]);
    assert_eq!(report["rejects"]["position_beyond_contig"], 1);
    project.write("yeast.fa.fai", b"chr1\t50\t3\t60\t61\n");
    project.vardelta("run", &[]).expect(6).says(&["the content of `assembly`", "yeast.fa.fai"]);
}

#[test]
fn the_fasta_may_spell_contigs_in_its_own_way() {
    let fasta = "[stages.alleles]\ntype = \"normalize\"\nfasta = \"reference.fa\"";
    let text = pipeline("assembly = \"lengths.tsv\"", "").replace("[stages.alleles]\ntype = \"normalize\"", fasta);
    // A deletion of one of three repeats: left-aligned only where the FASTA is found.
    let records: &[&str] = &["1 5 . ACAC AC 9 PASS .", "chr1 1 . T A 9 PASS ."];
    for (name, in_fasta) in [("1", "chr1"), ("chr1", "1"), ("chr1", "chr1")] {
        let project = project(&text, &[("a", "", records)]);
        project.write("lengths.tsv", format!("{name}\t12\n").as_bytes());
        project.write("reference.fa", format!(">{in_fasta}\nTGACACACTTTT\n").as_bytes());
        project.write("reference.fa.fai", format!("{in_fasta}\t12\t{}\t12\t13\n", in_fasta.len() + 2).as_bytes());
        let report = project.vardelta("run", &["--json"]).expect(0).json();
        assert_eq!(warnings_of(&report, "contig_not_in_fasta"), 0);
        assert_eq!(rows(&project), [format!("{name}:1 T>A"), format!("{name}:2 GAC>G")]);
        project.write("lengths.tsv", format!("{name}\t13\n").as_bytes());
        project.vardelta("rebuild", &[]).expect(4).says(&["reference.fa", "of another assembly"]);
    }
}

/// Files from the field: refused under another assembly, and the same rows however their contigs are spelled.
#[test]
fn real_files_in_either_spelling_are_the_same_rows() {
    for (file, assembly, other) in [
        ("data/vcf_pgx/pharmcat_positions.vcf", "GRCh38", "GRCh37"),
        ("data/vcf_cohort/mini_50samples_b37.vcf", "GRCh37", "GRCh38"),
        ("data/vcf_sv/gridss-na12878.vcf", "hg19", "T2T-CHM13v2.0"),
    ] {
        let Some(path) = shared("contig names of real files", file) else { continue };
        let text = fs::read_to_string(&path).expect("the file is text");
        let project = Project::new(&pipeline(&format!("assembly = \"{assembly}\""), ""));
        project.write("drops/a.vcf", text.as_bytes());
        project.vardelta("run", &[]).expect(0);
        let written = rows(&project);
        assert!(!written.is_empty(), "{file}");
        let respelled: Vec<String> = text.lines().map(respell).collect();
        assert_ne!(respelled.join("\n"), text.trim_end());
        project.write("drops/b.vcf", format!("{}\n", respelled.join("\n")).as_bytes());
        let report = project.vardelta("run", &["--json"]).expect(0).json();
        assert_eq!(rows(&project), written, "{file}: one row per variant");
        assert_eq!(report["tables"][0]["inserted"], 0, "{file}");

        let refused = Project::new(&pipeline(&format!("assembly = \"{other}\""), ""));
        refused.write("drops/a.vcf", text.as_bytes());
        if text.contains("##contig=<ID") && (text.contains("length=") || text.contains("assembly=GRCh")) {
            refused.vardelta("run", &[]).expect(4).says(&["a.vcf", other]);
        } else {
            skipped(file, "its header says nothing of its assembly");
        }
    }
}

/// A line with the other spelling of its contig, also in breakends.
fn respell(line: &str) -> String {
    let other = |name: &str| name.strip_prefix("chr").map_or_else(|| format!("chr{name}"), str::to_owned);
    if line.starts_with('#') {
        return line.to_owned();
    }
    let mut columns: Vec<String> = line.split('\t').map(str::to_owned).collect();
    columns[0] = other(&columns[0]);
    for bracket in ['[', ']'] {
        let parts: Vec<String> = columns[4].split(bracket).map(str::to_owned).collect();
        if let [before, mate, after] = parts.as_slice() {
            columns[4] = format!("{before}{bracket}{}{bracket}{after}", other(mate));
        }
    }
    columns.join("\t")
}
