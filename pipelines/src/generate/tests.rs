//! What generated files are like: the same bytes for any number of threads, readable, and distributed as documented.

use std::{collections::BTreeMap, fs};

use noodles_vcf::variant::{
    io::Write as _,
    record::{AlternateBases as _, Filters as _},
};

use super::{
    Annotations, Kind, Settings, generate,
    genome::{CONTIGS, base, genes},
    is_generated,
    sites::{Alternates, site},
};

fn made(settings: &Settings, name: &str, threads: usize) -> Vec<u8> {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let path = directory.path().join(name);
    generate(settings, &path, threads).expect("it is made");
    fs::read(&path).expect("it is there")
}

fn text(settings: &Settings) -> String {
    String::from_utf8(made(settings, "a.txt", 1)).expect("text")
}

fn kinds() -> [Settings; 4] {
    [Kind::Calls, Kind::Clinvar, Kind::Genes, Kind::Drugs].map(|kind| Settings {
        kind,
        records: 10_000,
        samples: 3,
        annotations: Annotations::Both,
        ..Settings::default()
    })
}

#[test]
fn the_same_options_give_the_same_bytes_for_any_number_of_threads() {
    for settings in kinds() {
        for name in ["a.txt", "a.gz"] {
            let one = made(&settings, name, 1);
            assert!(one == made(&settings, name, 3), "{:?} {name}", settings.kind);
            assert!(
                one != made(&Settings { seed: 2, edition: 3, ..settings.clone() }, name, 1)
                    || settings.kind == Kind::Genes
            );
        }
    }
}

#[test]
fn what_was_made_here_is_told_from_other_files() {
    for settings in kinds() {
        for name in ["a.txt", "a.gz"] {
            let other = Settings { samples: 0, edition: 5, annotations: Annotations::None, ..settings.clone() };
            for settings in [&settings, &other] {
                let bytes = made(settings, name, 1);
                assert!(is_generated(&bytes[..bytes.len().min(1024)]), "{:?} {name}", settings.kind);
            }
        }
    }
    for other in [
        "##fileformat=VCFv4.3\n##INFO=<ID=DP,Number=1,Type=Integer,Description=\"Depth\">\n#CHROM\tPOS\tID\tREF\n",
        "##fileformat=VCFv4.1\n##fileDate=2026-01-01\n##source=ClinVar\n",
        "##gff-version 3\n#description: evidence-based annotation of the human genome\n",
        "gene_name\tdrug_name\tinteraction_type\tinteraction_score\tsource\nTP53\tX\n",
        "GENE0",
        "",
    ] {
        assert!(!is_generated(other.as_bytes()), "{other}");
    }
}

#[test]
fn noodles_reads_every_record_of_a_packed_drop_and_of_its_index() {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let path = directory.path().join("drop.vcf.gz");
    let settings = Settings { records: 20_000, samples: 2, annotations: Annotations::Both, ..Settings::default() };
    let generated = generate(&settings, &path, 2).expect("it is made");
    assert_eq!(generated.records, 20_000);
    assert_eq!(generated.file_bytes, fs::metadata(&path).expect("it is there").len());

    let mut reader = noodles_vcf::io::reader::Builder::default().build_from_path(&path).expect("it opens");
    let header = reader.read_header().expect("a header");
    let (mut count, mut of_chr2) = (0, 0);
    for record in reader.records() {
        let record = record.expect("a record");
        assert!(record.alternate_bases().len() > 0 && record.filters().len() == 1);
        assert!(record.info().iter(&header).all(|field| field.is_ok()));
        record.variant_start().expect("a position").expect("a position");
        count += 1;
        of_chr2 += u64::from(record.reference_sequence_name() == "chr2");
    }
    assert_eq!(count, 20_000);

    let index = noodles_tabix::fs::read(directory.path().join("drop.vcf.gz.tbi")).expect("an index");
    let mut reader =
        noodles_vcf::io::indexed_reader::Builder::default().set_index(index).build_from_path(&path).expect("it opens");
    let header = reader.read_header().expect("a header");
    let found = reader.query(&header, &"chr2".parse().expect("a region")).expect("a query").records().count();
    assert_eq!(found as u64, of_chr2);
}

/// noodles reads every value by its type and writes it by its own rules: the same letters, but for how it spells numbers with a point.
#[test]
fn noodles_writes_every_record_as_it_was_written_here() {
    let written_by_noodles = |text: &str| {
        let mut reader = noodles_vcf::io::Reader::new(text.as_bytes());
        let header = reader.read_header().expect("a header");
        let mut writer = noodles_vcf::io::Writer::new(Vec::new());
        writer.write_header(&header).expect("it is written to memory");
        for record in reader.record_bufs(&header) {
            let record = record.expect("a record of which every value is of its type");
            writer.write_variant_record(&header, &record).expect("it is written to memory");
        }
        String::from_utf8(writer.into_inner()).expect("text")
    };
    for settings in kinds().into_iter().filter(|settings| matches!(settings.kind, Kind::Calls | Kind::Clinvar)) {
        let here = text(&settings);
        let there = written_by_noodles(&here);
        assert_eq!(here.lines().count(), there.lines().count(), "{:?}", settings.kind);
        for (line, other) in here.lines().zip(there.lines()) {
            let parts = |line: &str| line.split(['\t', ';', '=', ',', ':', '|']).map(str::to_owned).collect::<Vec<_>>();
            let (parts, others) = (parts(line), parts(other));
            let is_same = |(part, other): (&String, &String)| {
                part == other || part.parse::<f32>().is_ok_and(|number| other.parse() == Ok(number))
            };
            assert!(parts.len() == others.len() && parts.iter().zip(&others).all(is_same), "{line}\n{other}");
        }
    }
}

#[test]
fn records_are_in_the_order_of_the_genome() {
    let settings = Settings { records: 30_000, ..Settings::default() };
    let sites: Vec<_> = (0..settings.records).map(|index| site(&settings, index)).collect();
    assert!(sites.is_sorted_by_key(|site| (site.gene.contig, site.position)));
    for site in &sites {
        let expected: Vec<u8> =
            (0..site.reference.len() as u64).map(|at| base(site.gene.contig, site.position + at)).collect();
        assert_eq!(*site.reference, *expected, "the reference is the same for everybody");
        assert!(site.position + site.reference.len() as u64 <= CONTIGS[site.gene.contig].length);
        if let Alternates::Spelled(alleles) = &site.alternates {
            assert!(alleles.iter().all(|allele| *allele != site.reference));
        }
    }
}

#[test]
fn shapes_come_as_often_as_documented() {
    let settings = Settings { records: 100_000, ..Settings::default() };
    let (mut shapes, mut exonic) = (BTreeMap::<&str, f64>::new(), 0.0);
    for index in 0..settings.records {
        let site = site(&settings, index);
        let shape = match &site.alternates {
            Alternates::Symbolic(..) => "symbolic",
            Alternates::Spelled(alleles) if alleles.len() > 1 => "multiallelic",
            Alternates::Spelled(alleles) if alleles[0].len() > site.reference.len() => "insertion",
            Alternates::Spelled(alleles) if alleles[0].len() < site.reference.len() => "deletion",
            Alternates::Spelled(_) if site.reference.len() > 1 => "mnv",
            Alternates::Spelled(_) => "snv",
        };
        *shapes.entry(shape).or_default() += 1.0 / settings.records as f64;
        exonic += f64::from(u8::from(site.gene.is_exonic(site.position))) / settings.records as f64;
    }
    for (shape, share) in [
        ("snv", 0.85),
        ("multiallelic", 0.03),
        ("insertion", 0.055),
        ("deletion", 0.05),
        ("mnv", 0.01),
        ("symbolic", 0.005),
    ] {
        assert!((shapes[shape] - share).abs() < 0.005, "{shape}: {}", shapes[shape]);
    }
    assert!((exonic - 0.6).abs() < 0.02, "{exonic}");
}

#[test]
fn drops_of_a_seed_share_as_many_sites_as_they_are_told_to() {
    let first = Settings { records: 20_000, overlap: 0.3, ..Settings::default() };
    let second = Settings { drop: 1, ..first.clone() };
    let same = (0..first.records).filter(|index| site(&first, *index).id == site(&second, *index).id).count();
    assert!((same as f64 / 20_000.0 - 0.3).abs() < 0.02, "{same}");
}

#[test]
fn broken_records_come_as_often_as_asked_for() {
    let settings = Settings { records: 20_000, broken_share: 0.05, ..Settings::default() };
    let directory = tempfile::tempdir().expect("a scratch directory");
    let generated = generate(&settings, &directory.path().join("a.vcf"), 1).expect("it is made");
    assert!((generated.broken as f64 / 20_000.0 - 0.05).abs() < 0.01, "{}", generated.broken);
}

#[test]
fn a_release_of_clinvar_reclassifies_one_record_in_a_hundred() {
    let lines = |edition| {
        let settings = Settings { kind: Kind::Clinvar, records: 30_000, edition, ..Settings::default() };
        text(&settings).lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>()
    };
    let (first, second) = (lines(0), lines(1));
    let changed = first.iter().zip(&second).filter(|(a, b)| a != b).count();
    // Some are classified again as what they were.
    assert!((0.006..0.011).contains(&(changed as f64 / 30_000.0)), "{changed}");
    assert!(first.iter().all(|line| !line.starts_with("chr") && line.contains(";CLNREVSTAT=")));
}

#[test]
fn the_gene_model_has_every_gene_that_annotations_name() {
    let model = text(&Settings { kind: Kind::Genes, records: u64::MAX, ..Settings::default() });
    let names: Vec<&str> = model
        .lines()
        .filter(|line| line.split('\t').nth(2) == Some("gene"))
        .filter_map(|line| line.split("Name=").nth(1)?.split(';').next())
        .collect();
    assert_eq!(names.len() as u64, genes());
    let drop = text(&Settings { records: 2_000, ..Settings::default() });
    let annotated = drop.lines().filter_map(|line| line.split(";ANN=").nth(1)?.split('|').nth(3));
    let known: std::collections::BTreeSet<&str> = names.into_iter().collect();
    assert_eq!(annotated.filter(|name| !known.contains(name)).count(), 0);
}

#[test]
fn genotypes_follow_the_frequencies() {
    let settings = Settings { records: 5_000, samples: 20, ..Settings::default() };
    let (mut expected, mut seen) = (0.0, 0.0);
    for line in text(&settings).lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        assert_eq!(columns.len(), 29);
        let info = columns[7].split(';').find_map(|field| field.strip_prefix("AF=")).expect("AF");
        let frequency: f64 = info.split(',').map(|value| value.parse::<f64>().expect("a number")).sum();
        for sample in &columns[9..] {
            let genotype = sample.split(':').next().expect("GT");
            if genotype != "./." {
                expected += 2.0 * frequency;
                seen += genotype.split('/').filter(|allele| *allele != "0").count() as f64;
            }
        }
    }
    assert!((seen / expected - 1.0_f64).abs() < 0.05, "{seen} {expected}");
}
