//! `bcftools norm` as the oracle, on random records and on files.

use std::fs;

use vardelta_engine::spec::Value;
use vardelta_testrandom::{Random, seed};

use crate::{
    test_support::{output_of, read_vcf, rows, shared, text, vcf},
    transforms::normalize::tests::{normalize, write_fasta},
};

/// The columns CHROM POS REF ALT of VCF text, sorted.
fn variants(vcf: &str) -> Vec<String> {
    let mut variants: Vec<String> = vcf
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            format!("{} {} {} {}", fields[0], fields[1], fields[3], fields[4])
        })
        .collect();
    variants.sort();
    variants
}

/// Bases of a small alphabet, so that repeats abound.
fn random_bases(random: &mut Random, alphabet: &[u8], length: usize) -> String {
    (0..length).map(|_| char::from(*random.pick(alphabet))).collect()
}

/// Records whose REF is what the contigs have, with one to three alternates.
fn random_records(random: &mut Random, contigs: &[(&str, &str)], count: usize) -> Vec<String> {
    let mut records = Vec::new();
    for (name, bases) in contigs {
        let mut places: Vec<usize> = (0..count).map(|_| random.below(bases.len() - 12)).collect();
        places.sort_unstable();
        for start in places {
            let reference = &bases[start..start + 1 + random.below(8)];
            let mut alternates: Vec<String> = Vec::new();
            for _ in 0..1 + random.below(3) {
                let kept = random.below(reference.len() + 1);
                let length = random.below(4);
                let mut alternate = format!("{}{}", &reference[..kept], random_bases(random, b"AC", length));
                if random.below(2) == 0 {
                    alternate.push_str(&reference[reference.len() - random.below(reference.len() + 1)..]);
                }
                if !alternate.is_empty() && alternate != reference && !alternates.contains(&alternate) {
                    alternates.push(alternate);
                }
            }
            if !alternates.is_empty() {
                records.push(format!("{name} {} {reference} {}", start + 1, alternates.join(",")));
            }
        }
    }
    records
}

#[test]
fn agrees_with_bcftools_norm_on_random_records() {
    let directory = tempfile::tempdir().expect("has a place for files");
    let mut random = Random::new(seed(1));
    let contigs = [
        ("1", random_bases(&mut random, b"AC", 400)),
        ("2", format!("{}{}", "A".repeat(300), random_bases(&mut random, b"ACGT", 300))),
    ];
    let contigs = contigs.each_ref().map(|(name, bases)| (*name, bases.as_str()));
    let fasta = write_fasta(directory.path(), &contigs);
    let records = random_records(&mut random, &contigs, 1500);
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let file = directory.path().join("records.vcf");
    let file = file.display().to_string();
    let input = vcf(&["##contig=<ID=1>", "##contig=<ID=2>"], &records);
    fs::write(&file, &input).expect("writes");

    let Some(expected) = output_of("bcftools", &["norm", "-m", "-any", "-f", &fasta, &file]) else { return };
    let emit = normalize(&read_vcf(&input, &[]), &[("fasta", text(&fasta))]);
    let mut found = rows(&emit, &["chrom", "pos", "ref", "alt"]);
    found.sort();
    assert!(found.len() > 4000 && emit.rejects.is_empty());
    assert_eq!(found, variants(&expected));

    // Trimmed without a FASTA it is the same variant, so bcftools brings both to the same spelling, and as short as its.
    let emit = normalize(&read_vcf(&input, &[]), &[]);
    let trimmed = rows(&emit, &["chrom", "pos", "ref", "alt"]);
    let trimmed_vcf =
        vcf(&["##contig=<ID=1>", "##contig=<ID=2>"], &trimmed.iter().map(String::as_str).collect::<Vec<_>>());
    fs::write(&file, trimmed_vcf).expect("writes");
    let again = output_of("bcftools", &["norm", "-f", &fasta, &file]).expect("is installed");
    assert_eq!(variants(&again), variants(&expected));
    let lengths = |rows: &[String]| {
        let mut lengths: Vec<(usize, usize)> = rows
            .iter()
            .map(|row| row.split(' ').skip(2).map(str::len).collect::<Vec<_>>())
            .map(|lengths| (lengths[0], lengths[1]))
            .collect();
        lengths.sort_unstable();
        lengths
    };
    assert_eq!(lengths(&trimmed), lengths(&variants(&expected)));
}

#[test]
fn agrees_with_bcftools_norm_on_its_own_cases() {
    // The last word: `x` leaves out records whose REF disagrees with the FASTA, but also breakends, which `w` keeps.
    for (records, fasta, check) in [
        ("norm.vcf", "norm.fa", "x"),
        ("norm.split.vcf", "norm.fa", "x"),
        ("norm.6.vcf", "norm.2.fa", "w"),
        ("norm.atom-split-norm.vcf", "norm.atom-split-norm.fa", "w"),
        ("norm.breakend.1.vcf", "norm.breakend.1.fa", "w"),
        ("norm.telomere.vcf", "norm.fa", "w"),
    ] {
        let folder = "data/conformance/bcftools-norm";
        let (Some(input), Some(bases)) = (shared(&format!("{folder}/{records}")), shared(&format!("{folder}/{fasta}")))
        else {
            return;
        };
        let directory = tempfile::tempdir().expect("has a place for files");
        let contigs: Vec<(String, String)> = bases
            .split('>')
            .skip(1)
            .map(|contig| {
                let (name, bases) = contig.split_once('\n').expect("has a name line");
                (name.split_whitespace().next().unwrap_or("").to_owned(), bases.split_whitespace().collect())
            })
            .collect();
        let fasta = write_fasta(
            directory.path(),
            &contigs.iter().map(|(name, bases)| (name.as_str(), bases.as_str())).collect::<Vec<_>>(),
        );
        // Sites alone. Without alternate there is nothing to compare; an ALT that is no allele at all is left out by bcftools
        // and kept as it is here.
        let sites: Vec<String> = input
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split('\t').take(5).collect::<Vec<_>>())
            .filter(|fields| fields[4] != "." && fields[4] != "I")
            .map(|fields| format!("{} {} {} {}", fields[0], fields[1], fields[3], fields[4]))
            .collect();
        let header: Vec<String> = contigs.iter().map(|(name, _)| format!("##contig=<ID={name}>")).collect();
        let text_of_sites = vcf(
            &header.iter().map(String::as_str).collect::<Vec<_>>(),
            &sites.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        let file = directory.path().join("sites.vcf").display().to_string();
        fs::write(&file, &text_of_sites).expect("writes");
        let Some(expected) = output_of("bcftools", &["norm", "-m", "-any", "-c", check, "-f", &fasta, &file]) else {
            return;
        };
        let emit =
            normalize(&read_vcf(&text_of_sites, &[]), &[("fasta", text(&fasta)), ("keep_star", Value::Bool(true))]);
        let mut found = rows(&emit, &["chrom", "pos", "ref", "alt"]);
        found.sort();
        // bcftools takes over what is lower-case in the FASTA.
        let upper = |rows: Vec<String>| rows.into_iter().map(|row| row.to_uppercase()).collect::<Vec<_>>();
        assert_eq!(upper(found), upper(variants(&expected)), "{records}");
    }
}

#[test]
fn splits_fields_as_bcftools_does() {
    for (file, fields) in [
        ("data/conformance/bcftools-norm/norm.split.vcf", &["XAF", "XAI", "XAS", "XRI", "XRS"][..]),
        ("data/vcf_cohort/1kg_chr22_100samples_multiallelic.vcf", &["AC", "MLEAC"]),
    ] {
        let Some(input) = shared(file) else { return };
        let directory = tempfile::tempdir().expect("has a place for files");
        let path = directory.path().join("input.vcf").display().to_string();
        // One of the files does not declare its contig, without which bcftools writes nothing.
        fs::write(&path, input.replacen("#CHROM", "##contig=<ID=22>\n#CHROM", 1)).expect("writes");
        let split = directory.path().join("split.vcf").display().to_string();
        if output_of("bcftools", &["norm", "-m", "-any", "-o", &split, &path]).is_none() {
            return;
        }
        let read = read_vcf(&input, fields);
        let emit = normalize(&read, &[("keep_star", Value::Bool(true))]);
        for field in fields {
            let column = format!("info_{}", field.to_lowercase());
            let mut found = rows(&emit, &["chrom", "orig_pos", "orig_ref", "orig_alt", &column]);
            let number_is_r = field.starts_with("XR");
            // What bcftools writes of Number=R holds the value of REF before that of ALT.
            let last_item = |value: &str| value.rsplit(',').next().filter(|_| number_is_r).unwrap_or(value).to_owned();
            let format = format!("%CHROM %POS %REF %ALT %INFO/{field}\n");
            let listed =
                output_of("bcftools", &["query", "-e", "ALT=\".\"", "-f", &format, &split]).expect("is installed");
            let mut expected: Vec<String> = listed
                .lines()
                .map(|line| line.rsplit_once(' ').expect("has five values"))
                .map(|(site, value)| match last_item(value).as_str() {
                    "." => format!("{site} NULL"),
                    value => format!("{site} {}", value.parse::<f64>().map_or(value.to_owned(), |v| v.to_string())),
                })
                .collect();
            found.sort();
            expected.sort();
            assert_eq!(found, expected, "{file} {field}");
        }
    }
}
