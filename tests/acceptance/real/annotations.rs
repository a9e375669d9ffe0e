//! What `annotations` makes of every annotated file, under every pick, is what a second decoder makes of it that shares
//! nothing with the first but the documented table of consequences; and the entries are those that bcftools splits.

mod oracle;

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use vardelta_tests::{
    binary::root,
    database,
    project::Project,
    shared::{has_tool, skipped, tool_output},
};

use self::oracle::{Decoder, Row};
use super::{FIELD, Key, Known, argument, for_each, is_observed, key, known};

/// Every file with an annotation, the field that holds it, and at least how many of its alleles must be annotated.
/// Of `gemini_test-vep-extra.vcf` the last record stands, which has none. `snpeff_examples_cancer.ann.vcf` is not among them: it starts with lines of a log, and is refused.
const FILES: &[(&str, &str, usize)] = &[
    ("vcf_annotated/bcftools_split-vep_CSQ.vcf", "CSQ", 700),
    ("vcf_annotated/gemini_query_CSQ_EFF_60samples.vcf", "CSQ", 800),
    ("vcf_annotated/gemini_query_CSQ_EFF_60samples.vcf", "EFF", 800),
    ("vcf_annotated/gemini_test-vep-extra.vcf", "CSQ", 0),
    ("vcf_annotated/gemini_test.family.vcf", "CSQ", 7),
    ("vcf_annotated/gemini_test.family.vcf", "EFF", 7),
    ("vcf_annotated/gemini_test.multiple-alts.decomp.snpeff.vcf", "EFF", 25),
    ("vcf_annotated/gemini_test.region.vep.vcf", "CSQ", 9),
    ("vcf_annotated/gemini_test.somatic.vcf", "CSQ", 7),
    ("vcf_annotated/gemini_test1.snpeff.vcf", "CSQ", 7),
    ("vcf_annotated/gemini_test1.snpeff.vcf", "EFF", 7),
    ("vcf_annotated/gemini_test4.vep.snpeff.vcf", "CSQ", 9),
    ("vcf_annotated/gemini_test4.vep.snpeff.vcf", "EFF", 9),
    ("vcf_annotated/glow_loftee_2504samples.vcf", "CSQ", 1),
    ("vcf_annotated/glow_snpeff.vcf", "ANN", 1),
    ("vcf_annotated/glow_vep.vcf", "CSQ", 2),
    ("vcf_annotated/slivar_test_ANN_CSQ.vcf", "ANN", 80),
    ("vcf_annotated/slivar_test_ANN_CSQ.vcf", "CSQ", 80),
    ("vcf_annotated/snpeff_ANN_EML4-ALK_fusion.vcf", "ANN", 100),
    ("vcf_annotated/snpeff_ANN_chr22_subset.vcf", "ANN", 150),
    ("vcf_annotated/snpeff_EFF_chr1_65k.vcf.gz", "EFF", 65_000),
    ("vcf_annotated/snpeff_EFF_quartet_17k.vcf.gz", "EFF", 17_000),
    ("vcf_annotated/snpeff_test.chr22.ann.filter_missense.vcf", "ANN", 20),
    ("vcf_annotated/snpeff_vcf_ann_plus_sign.vcf", "ANN", 1),
    ("vcf_annotated/vatools_input_multiallelic.vcf.gz", "CSQ", 2),
    ("vcf_annotated/vatools_vep_input.vcf.gz", "CSQ", 70),
    ("vcf_annotated/vcf2db_error_test.vcf.gz", "ANN", 1),
    ("vcf_clinvar/clinvar_20191007_72.vcf.gz", "GENEINFO", 70),
    ("vcf_clinvar/clinvar_2000_CLNSIG_GENEINFO.vcf.gz", "GENEINFO", 1900),
    ("vcf_clinvar/gemini_test.clinvar.vcf", "GENEINFO", 1),
    ("vcf_cohort/ashk_trio_BCSQ.vcf.gz", "BCSQ", 8000),
    ("vcf_mito/gnomad.chrM.vcf", "vep", 1),
    ("vcf_population/dbsnp_brca1.vcf", "GENEINFO", 10),
    ("vcf_population/dbsnp_common_head.vcf", "GENEINFO", 10),
    ("vcf_population/exac_CSQ.vcf.gz", "CSQ", 140),
    ("vcf_population/gnomad_exomes_r2.1.1_chr1.vcf.gz", "vep", 90),
    ("vcf_population/gnomad_exomes_v4_chr1.vcf.bgz", "vep", 90),
    ("vcf_population/gnomad_genomes_v2.1_X.vcf", "vep", 1),
    ("vcf_population/gnomad_genomes_v3.1.vcf", "vep", 5),
    ("vcf_population/gnomad_mtdna.vcf", "vep", 3),
    ("vcf_sv/genmod_sv_CSQ.vcf.gz", "CSQ", 5),
];

/// What the stage adds.
const COLUMNS: [&str; 8] =
    ["gene_symbol", "gene_id", "feature_id", "biotype", "consequence", "impact", "hgvs_c", "hgvs_p"];

/// The picks that a field can have.
fn picks(field: &str) -> &'static [&'static str] {
    match field {
        "EFF" | "BCSQ" | "GENEINFO" => &["worst", "worst_per_gene", "all"],
        _ => &["worst", "mane", "canonical", "worst_per_gene", "all"],
    }
}

/// A pipeline with a table per pick.
fn pipeline(field: &str) -> String {
    let mut text = format!(
        "[pipeline]\nname = \"annotated\"\nmax_reject_share = 1.0\n\n[stages.calls]\ntype = \"vcf\"\ninfo = [\"{field}\"]\n\n\
         [stages.alleles]\ntype = \"normalize\"\ninput = \"calls\"\n"
    );
    for pick in picks(field) {
        let columns: String = COLUMNS.iter().map(|name| format!("{name} = \"coalesce({name}, '')\"\n")).collect();
        let more: String = match *pick {
            "all" | "worst_per_gene" => COLUMNS.iter().map(|name| format!(", \"{name}\"")).collect(),
            _ => String::new(),
        };
        text.push_str(&format!(
            "\n[stages.{pick}_entries]\ntype = \"annotations\"\ninput = \"alleles\"\nfield = \"{field}\"\npick = \"{pick}\"\n\n\
             [stages.{pick}_named]\ntype = \"select\"\ninput = \"{pick}_entries\"\n[stages.{pick}_named.columns]\n\
             chrom = \"chrom\"\npos = \"pos\"\nref = \"ref\"\nalt = \"alt\"\n{columns}\n\
             [stages.{pick}_rows]\ntype = \"table\"\ninput = \"{pick}_named\"\nkey = [\"chrom\", \"pos\", \"ref\", \"alt\"{more}]\n"
        ));
    }
    let tables: Vec<String> = picks(field).iter().map(|pick| format!("\"{pick}_rows\"")).collect();
    text.push_str(&format!(
        "\n[stages.warehouse]\ntype = \"sqlite\"\npath = \"annotated.sqlite\"\ntables = [{}]\n",
        tables.join(", ")
    ));
    text
}

/// The rows of each allele in a pick's table.
fn found(connection: &Connection, pick: &str) -> BTreeMap<Key, BTreeSet<Row>> {
    let columns = COLUMNS.join(", ");
    let mut statement = connection
        .prepare(&format!("SELECT chrom, pos, ref, alt, {columns} FROM {pick}_rows"))
        .expect("the statement is valid SQL");
    let mut rows = statement.query([]).expect("the table can be read");
    let mut found: BTreeMap<Key, BTreeSet<Row>> = BTreeMap::new();
    while let Some(row) = rows.next().expect("the row can be read") {
        let text = |at: usize| row.get::<_, String>(at).expect("a text");
        let key = (text(0), row.get(1).expect("a number"), text(2), text(3));
        found.entry(key).or_default().insert(std::array::from_fn(|at| text(at + 4)));
    }
    found
}

/// What the second decoder makes of a file: for each pick the rows of each allele.
fn expected(lines: &str, decoder: &Decoder, picks: &[&'static str]) -> Vec<BTreeMap<Key, BTreeSet<Row>>> {
    let mut expected = vec![BTreeMap::<Key, BTreeSet<Row>>::new(); picks.len()];
    for line in lines.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let columns: Vec<&str> = line.split('\t').collect();
        let (reference, alternates): (&str, Vec<&str>) = (columns[3], columns[4].split(',').collect());
        for (number, alternate) in alternates.iter().enumerate().filter(|(_, alternate)| is_observed(alternate)) {
            let Some(key) = key(columns[0], columns[1], reference, alternate) else { continue };
            let own = decoder.entries(columns[7], reference, &alternates, number);
            for (expected, pick) in expected.iter_mut().zip(picks) {
                let rows = decoder.pick(&own, pick).into_iter().map(|entry| entry.row());
                match *pick {
                    "all" | "worst_per_gene" => expected.entry(key.clone()).or_default().extend(rows),
                    // The last record of a key stands.
                    _ => drop(expected.insert(key.clone(), rows.collect())),
                }
            }
        }
    }
    expected
}

fn judge(file: &Known, field: &str, least: usize) {
    let (name, path) = (&file.name, argument(&file.path));
    let project = Project::new(&pipeline(field));
    let report = project.vardelta("run", &[path, "--json"]).expect(0).json();
    let text = tool_output("gzip", &["-dcf", path]);
    let decoder = Decoder::new(&text, field);
    let connection = database::open(&project.path("annotated.sqlite"));
    for (pick, expected) in picks(field).iter().zip(expected(&text, &decoder, picks(field))) {
        let found = found(&connection, pick);
        assert!(found.keys().eq(expected.keys()), "{name} {field} {pick}: the alleles");
        let differing: Vec<String> = found
            .iter()
            .filter(|(key, rows)| expected[*key] != **rows)
            .map(|(key, rows)| format!("{key:?}\n  expected {:?}\n  found    {rows:?}", expected[key]))
            .collect();
        assert!(
            differing.is_empty(),
            "{name} {field} {pick}: {} of {} alleles differ\n{}",
            differing.len(),
            found.len(),
            differing[..differing.len().min(5)].join("\n")
        );
        let annotated = found.values().filter(|rows| rows.iter().flatten().any(|cell| !cell.is_empty())).count();
        assert!(annotated >= least, "{name} {field} {pick}: only {annotated} alleles are annotated");
        if *pick == "all" {
            eprintln!("{name} {field}: {} alleles, {annotated} annotated; {}", found.len(), report["warnings"]);
        }
    }
}

#[test]
fn annotations_are_what_a_second_decoder_makes_of_them() {
    let Some(files) = known("annotated files", FIELD) else { return };
    if !has_tool("annotated files", "gzip", "--version") {
        return;
    }
    for_each(FILES, |(name, field, least)| match files.iter().find(|file| file.name == *name) {
        Some(file) => judge(file, field, *least),
        None => skipped(name, "it is not among the data"),
    });
}

/// No file with an annotation is left out of the list above.
#[test]
fn every_annotated_file_is_judged() {
    let Some(files) = known("annotated files", FIELD) else { return };
    if !has_tool("annotated files", "gzip", "--version") {
        return;
    }
    let mut forgotten = Vec::new();
    for file in files.iter().filter(|file| file.meant.starts_with("valid")) {
        if !["vcf", "vcf.gz", "vcf.bgz"].iter().any(|ending| file.name.ends_with(ending)) {
            continue;
        }
        let text = tool_output("gzip", &["-dcf", argument(&file.path)]);
        for field in ["ANN", "EFF", "CSQ", "BCSQ", "GENEINFO", "vep"] {
            let has_values = || text.lines().any(|line| line.contains(&format!("{field}=")) && !line.starts_with('#'));
            let declared = text.contains(&format!("##INFO=<ID={field},"));
            let listed = FILES.iter().any(|(name, listed, _)| *name == file.name && *listed == field);
            if declared && !listed && has_values() {
                forgotten.push(format!("{} {field}", file.name));
            }
        }
    }
    assert!(forgotten.is_empty(), "annotated files that no test judges: {forgotten:#?}");
}

/// `bcftools +split-vep -d` prints one line per entry, whichever allele it is of: for records of one alternate these are the
/// rows of `pick = "all"`. Of ANN and BCSQ it knows no part named `Consequence` and does not start.
#[test]
fn entries_are_those_that_bcftools_splits() {
    let Some(files) = known("entries as bcftools splits them", FIELD) else { return };
    if !has_tool("entries as bcftools splits them", "bcftools", "--version") {
        return;
    }
    for (name, field, parts) in [
        ("vcf_annotated/bcftools_split-vep_CSQ.vcf", "CSQ", "%SYMBOL\\t%Gene\\t%Feature\\t%BIOTYPE\\t%Consequence"),
        ("vcf_annotated/slivar_test_ANN_CSQ.vcf", "CSQ", "%SYMBOL\\t%Gene\\t%Feature\\t%BIOTYPE\\t%Consequence"),
        ("vcf_population/exac_CSQ.vcf.gz", "CSQ", "%SYMBOL\\t%Gene\\t%Feature\\t%BIOTYPE\\t%Consequence"),
        ("vcf_population/gnomad_exomes_r2.1.1_chr1.vcf.gz", "vep", "%SYMBOL\t%Gene\t%Feature\t%BIOTYPE\t%Consequence"),
    ] {
        let Some(file) = files.iter().find(|file| file.name == name) else {
            skipped(name, "it is not among the data");
            continue;
        };
        let path = argument(&file.path);
        let format = format!("%CHROM\\t%POS\\t%REF\\t%ALT\\t{parts}\\n");
        let listed = tool_output("bcftools", &["+split-vep", path, "-a", field, "-d", "-f", &format]);
        let project = Project::new(&pipeline(field));
        project.vardelta("run", &[path]).expect(0);
        let found = found(&database::open(&project.path("annotated.sqlite")), "all");
        let mut expected: BTreeMap<Key, BTreeSet<[String; 5]>> = BTreeMap::new();
        for line in listed.lines() {
            let columns: Vec<&str> = line.split('\t').collect();
            if columns[3].contains(',') || !is_observed(columns[3]) {
                continue;
            }
            let key = key(columns[0], columns[1], columns[2], columns[3]).expect("an allele");
            let cell = |at: usize| if columns[at + 4] == "." { String::new() } else { columns[at + 4].to_owned() };
            expected.entry(key).or_default().insert(std::array::from_fn(cell));
        }
        let several = expected.keys().filter(|key| !found.contains_key(*key)).count();
        assert_eq!(several, 0, "{name}: alleles that are not in the table");
        let mut compared = 0;
        for (key, entries) in &expected {
            let own: BTreeSet<[String; 5]> =
                found[key].iter().map(|row| std::array::from_fn(|at| row[at].clone())).collect();
            // A site may come in several records.
            assert!(entries.is_subset(&own), "{name} {key:?}\n  bcftools {entries:?}\n  found    {own:?}");
            compared += 1;
        }
        assert!(compared > 10, "{name}: only {compared} alleles compared");
        eprintln!("{name} {field}: {compared} alleles have the entries that bcftools splits");
    }
}

#[test]
fn the_documented_order_of_ensembl_s_terms_is_ensembl_s() {
    let page = std::fs::read_to_string(root().join("docs/consequences.md")).expect("the page is there");
    let listed = oracle::table(&page).into_iter().filter(|term| term.by == "Ensembl").map(|term| term.name);
    assert!(listed.eq(oracle::ENSEMBL.iter().copied()), "docs/consequences.md lists Ensembl's terms in another order");
}
