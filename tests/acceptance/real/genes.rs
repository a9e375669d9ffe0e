//! The gene of every allele, decoded a second time from what bcftools prints, by Ensembl's published order of
//! consequences.

use std::collections::BTreeMap;

use vardelta_tests::{
    database,
    project::Project,
    shared::{has_tool, skipped, tool_output},
};

use super::{FIELD, Key, argument, is_observed, key, known};

/// Sequence Ontology terms from the worst to the mildest, as the Ensembl project lists them.
const SEVERITY: &[&str] = &[
    "transcript_ablation",
    "splice_acceptor_variant",
    "splice_donor_variant",
    "stop_gained",
    "frameshift_variant",
    "stop_lost",
    "start_lost",
    "transcript_amplification",
    "feature_elongation",
    "feature_truncation",
    "inframe_insertion",
    "inframe_deletion",
    "missense_variant",
    "protein_altering_variant",
    "splice_donor_5th_base_variant",
    "splice_region_variant",
    "splice_donor_region_variant",
    "splice_polypyrimidine_tract_variant",
    "incomplete_terminal_codon_variant",
    "start_retained_variant",
    "stop_retained_variant",
    "synonymous_variant",
    "coding_sequence_variant",
    "mature_miRNA_variant",
    "5_prime_UTR_variant",
    "3_prime_UTR_variant",
    "non_coding_transcript_exon_variant",
    "intron_variant",
    "NMD_transcript_variant",
    "non_coding_transcript_variant",
    "coding_transcript_variant",
    "upstream_gene_variant",
    "downstream_gene_variant",
    "TFBS_ablation",
    "TFBS_amplification",
    "TF_binding_site_variant",
    "regulatory_region_ablation",
    "regulatory_region_amplification",
    "regulatory_region_variant",
    "intergenic_variant",
    "sequence_variant",
];

/// A file, the field that holds its genes, and at least how many of its alleles must have been compared.
const FILES: &[(&str, &str, usize)] = &[
    ("vcf_annotated/snpeff_ANN_chr22_subset.vcf", "ANN", 150),
    ("vcf_annotated/slivar_test_ANN_CSQ.vcf", "ANN", 80),
    ("vcf_annotated/bcftools_split-vep_CSQ.vcf", "CSQ", 700),
    ("vcf_population/exac_CSQ.vcf.gz", "CSQ", 140),
    ("vcf_cohort/ashk_trio_BCSQ.vcf.gz", "BCSQ", 8000),
    ("vcf_clinvar/clinvar_2000_CLNSIG_GENEINFO.vcf.gz", "GENEINFO", 1900),
];

/// Where an entry says what.
struct Parts {
    entries: char,
    parts: char,
    allele: Option<usize>,
    allele_number: Option<usize>,
    consequence: Option<usize>,
    gene: usize,
}

fn parts(field: &str, header: &str) -> Parts {
    let none = Parts { entries: ',', parts: '|', allele: None, allele_number: None, consequence: None, gene: 0 };
    match field {
        "ANN" => Parts { allele: Some(0), consequence: Some(1), gene: 3, ..none },
        "BCSQ" => Parts { consequence: Some(0), gene: 1, ..none },
        "GENEINFO" => Parts { entries: '|', parts: ':', ..none },
        _ => {
            let line = header.lines().find(|line| line.starts_with("##INFO=<ID=CSQ,")).expect("CSQ is declared");
            let format = line.split("Format: ").nth(1).expect("CSQ's parts are declared").trim_end_matches("\">");
            let place = |name: &str| format.split('|').position(|part| part == name);
            Parts {
                allele: place("Allele"),
                allele_number: place("ALLELE_NUM"),
                consequence: place("Consequence"),
                gene: place("SYMBOL").expect("CSQ has SYMBOL"),
                ..none
            }
        }
    }
}

/// A term's place; `None` for one that Ensembl does not list. bcftools writes the terms without `_variant`.
fn severity(term: &str) -> Option<usize> {
    // SnpEff writes a name that the ontology has given up, and one that it never had.
    let term = match term.trim_start_matches('*') {
        "non_coding_exon_variant" => "non_coding_transcript_exon_variant",
        "intergenic_region" => "intergenic_variant",
        term => term,
    };
    let named = |name: &str| SEVERITY.iter().position(|known| known.eq_ignore_ascii_case(name));
    named(term).or_else(|| named(&format!("{term}_variant")))
}

/// The gene of an allele; `Err` where the order of its consequences is not Ensembl's to say.
fn gene(value: &str, parts: &Parts, reference: &str, alternates: &[&str], number: usize) -> Result<Option<String>, ()> {
    let alternate = alternates[number];
    // VEP leaves out the base that indels share with the reference.
    let same_start = reference.chars().next() == alternate.chars().next();
    let short = match alternate.get(1..) {
        Some("") if same_start => "-",
        Some(rest) if same_start => rest,
        _ => alternate,
    };
    let entries: Vec<Vec<&str>> = value
        .split(parts.entries)
        .filter(|entry| !entry.is_empty() && *entry != "." && !entry.starts_with('@'))
        .map(|entry| entry.split(parts.parts).map(str::trim).collect())
        .collect();
    let of_allele = |allele: &str| -> Vec<&Vec<&str>> {
        let fits = |entry: &&Vec<&str>| match (parts.allele_number, parts.allele) {
            (Some(at), _) => entry.get(at).copied() == Some((number + 1).to_string().as_str()),
            (None, Some(at)) => entry.get(at).copied() == Some(allele),
            (None, None) => true,
        };
        entries.iter().filter(fits).collect()
    };
    // Old releases of SnpEff write nothing for a deletion.
    let unnamed = if alternate.len() < reference.len() { of_allele("") } else { Vec::new() };
    let candidates = [of_allele(alternate), of_allele(short), unnamed];
    let own = candidates.into_iter().find(|entries| !entries.is_empty()).unwrap_or_default();
    let gene_of =
        |entry: &Vec<&str>| entry.get(parts.gene).filter(|gene| !gene.is_empty()).map(|gene| (*gene).to_owned());
    if own.windows(2).all(|pair| gene_of(pair[0]) == gene_of(pair[1])) {
        return Ok(own.first().and_then(|entry| gene_of(entry)));
    }
    let Some(at) = parts.consequence else { return Ok(gene_of(own[0])) };
    let mut worst: Option<(usize, &Vec<&str>)> = None;
    for entry in own {
        let mut rank = usize::MAX;
        for term in entry.get(at).ok_or(())?.split('&') {
            rank = rank.min(severity(term).ok_or(())?);
        }
        if worst.is_none_or(|(least, _)| rank < least) {
            worst = Some((rank, entry));
        }
    }
    Ok(worst.and_then(|(_, entry)| gene_of(entry)))
}

fn pipeline(field: &str) -> String {
    format!(
        r#"[pipeline]
name = "genes"
max_reject_share = 1.0

[stages.calls]
type = "vcf"
info = ["{field}"]

[stages.alleles]
type = "normalize"
input = "calls"

[stages.consequences]
type = "annotations"
input = "alleles"
field = "{field}"
pick = "worst"

[stages.named]
type = "select"
input = "consequences"
[stages.named.columns]
chrom = "chrom"
pos = "pos"
ref = "ref"
alt = "alt"
gene = "gene_symbol"

[stages.variants]
type = "table"
input = "named"
key = ["chrom", "pos", "ref", "alt"]

[stages.per_gene]
type = "aggregate"
input = "variants"
group_by = ["gene"]
[stages.per_gene.columns]
variants = "count(*)"

[stages.warehouse]
type = "sqlite"
path = "genes.sqlite"
tables = ["variants", "per_gene"]
"#
    )
}

#[test]
fn genes_are_those_of_the_worst_consequence() {
    let Some(files) = known("genes of the worst consequence", FIELD) else { return };
    if !has_tool("genes of the worst consequence", "bcftools", "--version") {
        return;
    }
    for (name, field, least) in FILES {
        let Some(file) = files.iter().find(|file| file.name == *name) else {
            skipped(name, "it is not among the data");
            continue;
        };
        let path = argument(&file.path);
        let project = Project::new(&pipeline(field));
        project.vardelta("run", &[path]).expect(0);

        // The last record of a key stands.
        let parts = parts(field, &tool_output("bcftools", &["view", "-h", path]));
        let format = format!("%CHROM\\t%POS\\t%REF\\t%ALT\\t%INFO/{field}\\n");
        let mut expected: BTreeMap<Key, Result<Option<String>, ()>> = BTreeMap::new();
        for line in tool_output("bcftools", &["query", "-f", &format, path]).lines() {
            let columns: Vec<&str> = line.split('\t').collect();
            let [contig, position, reference, alternates, value] = columns[..] else { panic!("{line}") };
            let alternates: Vec<&str> = alternates.split(',').collect();
            for (number, alternate) in alternates.iter().enumerate().filter(|(_, alternate)| is_observed(alternate)) {
                if let Some(key) = key(contig, position, reference, alternate) {
                    expected.insert(key, gene(value, &parts, reference, &alternates, number));
                }
            }
        }

        let connection = database::open(&project.path("genes.sqlite"));
        let mut statement = connection.prepare("SELECT chrom, pos, ref, alt, gene FROM variants").expect("valid SQL");
        let rows = statement.query_map([], |row| {
            Ok(((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?), row.get::<_, Option<String>>(4)?))
        });
        let found: BTreeMap<Key, Option<String>> =
            rows.expect("the table can be read").map(|row| row.expect("the row can be read")).collect();
        assert!(found.keys().eq(expected.keys()), "{name}: the alleles");
        let mut compared = 0;
        let mut differing = Vec::new();
        for (key, gene) in &found {
            let Ok(expected) = &expected[key] else { continue };
            compared += 1;
            if gene != expected {
                differing.push(format!("{key:?}: expected {expected:?}, found {gene:?}"));
            }
        }
        assert!(differing.is_empty(), "{name}: {} genes differ\n{}", differing.len(), differing.join("\n"));
        assert!(compared >= *least, "{name}: only {compared} of {} alleles can be compared", found.len());

        // The summary is the count of those rows, computed by SQLite.
        let wrong: i64 = connection
            .query_row(
                "SELECT count(*) FROM (SELECT gene, count(*) AS variants FROM variants GROUP BY gene) AS own \
                 FULL JOIN per_gene ON own.gene IS per_gene.gene WHERE own.variants IS NOT per_gene.variants",
                [],
                |row| row.get(0),
            )
            .expect("valid SQL");
        assert_eq!(wrong, 0, "{name}: genes counted otherwise");
        eprintln!("{name}: {compared} of {} alleles compared", found.len());
    }
}
