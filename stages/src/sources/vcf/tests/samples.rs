//! The long form: which samples, what their genotypes say, and what sex changes.

use arrow_array::ArrayRef;
use std::path::PathBuf;

use vardelta_engine::contract::options::NamedTexts;

use crate::sources::vcf::tests::*;

fn spanned(text: &str) -> Spanned<String> {
    Spanned { value: text.to_owned(), span: 0..0 }
}

fn options(include: &[&str], rename: &[(&str, &str)], ped: Option<&str>) -> VcfOptions {
    VcfOptions {
        samples: Samples::Long,
        include_samples: include.iter().map(|name| spanned(name)).collect(),
        rename_samples: NamedTexts(rename.iter().map(|(from, to)| (spanned(from), spanned(to))).collect()),
        ped: ped.map(|path| Spanned { value: PathBuf::from(path), span: 0..0 }),
        ..VcfOptions::default()
    }
}

/// A file with these samples; records as `chrom pos ref alt genotypes…`.
fn cohort(samples: &str, records: &[&str]) -> Vec<u8> {
    let mut text = format!(
        "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{}\n",
        samples.replace(' ', "\t")
    );
    for record in records {
        let [chrom, pos, reference, alternates, genotypes] = record.splitn(5, ' ').collect::<Vec<_>>()[..] else {
            panic!("no record: {record}");
        };
        text +=
            &format!("{chrom}\t{pos}\t.\t{reference}\t{alternates}\t.\t.\t.\tGT\t{}\n", genotypes.replace(' ', "\t"));
    }
    text.into_bytes()
}

/// The given columns of all rows.
fn columns(outcome: &Outcome, names: &[&str]) -> Vec<String> {
    let batches = outcome.batches.iter();
    batches
        .flat_map(|batch| {
            let arrays: Vec<&ArrayRef> =
                names.iter().map(|name| batch.columns.column_by_name(name).expect("a column")).collect();
            let rows = 0..batch.rows();
            rows.map(move |row| arrays.iter().map(|array| cell(array, row)).collect::<Vec<_>>().join(" "))
        })
        .collect()
}

#[test]
fn genotypes_are_read_before_anything_is_split() -> Result<(), String> {
    let source = source_of(&options(&[], &[], None), Path::new("/"))?;
    let bytes = cohort(
        "s",
        &["1 1 A C,G 1/2", "1 2 A C,* 1|2", "1 3 A C,<NON_REF> 0/1", "1 4 A . 0/0", "1 5 A C ./1", "1 6 A C 0/2"],
    );
    let outcome = read_bytes(&source, &bytes)?;
    assert_eq!(
        columns(&outcome, &["pos", "zygosity", "ploidy", "phased", "allele_count", "gt"]),
        [
            "1 het 2 false [1,1] 1/2",
            "2 het 2 true [1,1] 1|2",
            "3 het 2 false [1,0] 0/1",
            "4 hom_ref 2 false [] 0/0",
            "5 het 2 false [1] ./1",
            "6 NULL NULL NULL NULL NULL",
        ]
    );
    assert_eq!(outcome.warned(), [("bad_genotype", 1), ("half_call", 1)]);
    Ok(())
}

#[test]
fn a_subset_is_read_under_other_names() -> Result<(), String> {
    let bytes = cohort("a b c", &["1 1 A C 0/0 0/1 1/1", "1 2 A C 1/1 0/0 ./."]);
    let source = source_of(&options(&["c", "x", "a", "y"], &[("a", "patient"), ("b", "c")], None), Path::new("/"))?;
    let outcome = read_bytes(&source, &bytes)?;
    let expected = ["1 patient hom_ref", "1 c hom_alt", "2 patient hom_alt", "2 c missing"];
    assert_eq!(columns(&outcome, &["pos", "sample", "zygosity"]), expected);
    assert_eq!(outcome.warned(), [("sample_not_in_file", 2)]);

    // A file without any of them: its records are accounted for, and make no row.
    let outcome = read_bytes(&source, &cohort("b d", &["1 1 A C 0/0 0/1"]))?;
    assert_eq!((outcome.rows().len(), outcome.digest.records), (0, 1));
    assert_eq!(outcome.warned(), [("sample_not_in_file", 4)]);

    let source = source_of(&options(&[], &[("a", "c")], None), Path::new("/"))?;
    let message = read_bytes(&source, &bytes).err().unwrap_or_default();
    assert!(message.ends_with("`rename_samples` makes one sample `c` of `a` and `c`"), "{message}");
    Ok(())
}

#[test]
fn sex_decides_on_x_and_y() -> Result<(), String> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("f.ped"), "f father 0 0 1 1\nf mother 0 0 2 1\nf child 0 0 0 1\n")
        .expect("a PED file");
    let source = source_of(&options(&[], &[("dad", "father")], Some("f.ped")), folder.path())?;
    let bytes = cohort(
        "dad mother child guest",
        &[
            "chrX 5000000 A C 0/1 0/1 0/1 0/1",
            "chrX 20000 A C 0/1 0/1 1 1/1",
            "Y 5000000 A C 1/1 0/1 1/1 .",
            "MT 10 A C 1/1 0/1 1 0/0",
            "1 10 A C 1 1/1 ./. 0/1",
        ],
    );
    let outcome = read_bytes(&source, &bytes)?;
    let rows = columns(&outcome, &["chrom", "sample", "sex", "zygosity", "allele_count", "gt"]);
    assert_eq!(
        rows,
        [
            "chrX father male hemi [1] 0/1",
            "chrX mother female het [1] 0/1",
            "chrX child NULL het [1] 0/1",
            "chrX guest NULL het [1] 0/1",
            "chrX father male het [1] 0/1",
            "chrX mother female het [1] 0/1",
            "chrX child NULL hemi [1] 1",
            "chrX guest NULL hom_alt [2] 1/1",
            "Y father male hemi [1] 1/1",
            "Y mother female missing NULL 0/1",
            "Y child NULL hom_alt [2] 1/1",
            "Y guest NULL missing NULL NULL",
            "MT father male hemi [1] 1/1",
            "MT mother female het [1] 0/1",
            "MT child NULL hemi [1] 1",
            "MT guest NULL hom_ref [0] 0/0",
            "1 father male hemi [1] 1",
            "1 mother female hom_alt [2] 1/1",
            "1 child NULL missing NULL ./.",
            "1 guest NULL het [1] 0/1",
        ]
    );
    assert_eq!(outcome.warned(), [("female_y", 1), ("sample_not_in_ped", 1)]);
    Ok(())
}

#[test]
fn a_bad_pedigree_is_an_error_with_its_line() -> Result<(), String> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("f.ped"), "f a 0 0 1 1\nf b\n").expect("a PED file");
    let source = source_of(&options(&[], &[], Some("f.ped")), folder.path())?;
    let message = read_bytes(&source, &cohort("a", &["1 1 A C 0/1"])).err().unwrap_or_default();
    assert!(message.ends_with("f.ped:2: 2 columns where a PED file has six"), "{message}");
    Ok(())
}

#[test]
fn options_about_samples_need_samples() {
    for (option, given) in [
        ("include_samples", options(&["a"], &[], None)),
        ("rename_samples", options(&[], &[("a", "b")], None)),
        ("ped", options(&[], &[], Some("f.ped"))),
    ] {
        let given = VcfOptions { samples: Samples::None, ..given };
        let problem = source_of(&given, Path::new("/")).err().unwrap_or_default();
        assert_eq!(problem, format!("`{option}` is about samples, and samples are left out"));
    }
    let problem = source_of(&options(&[], &[("a", " ")], None), Path::new("/")).err().unwrap_or_default();
    assert_eq!(problem, "the new name of `a` is empty");
}

#[test]
fn a_format_key_that_stands_twice_is_counted() -> Result<(), String> {
    let field = |name: &str| FieldOption { name: spanned(name), kind: None, number: None, column: None };
    let mut given = options(&[], &[], None);
    given.format = vec![field("RD")];
    let source = source_of(&given, Path::new("/"))?;
    let text = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n\
                1\t1\t.\tA\tC\t.\t.\t.\tGT:RD:GT:RD\t0/0:5:1/1:50\n1\t2\t.\tA\tC\t.\t.\t.\tGT:RD:XX:XX\t0/1:7:1:1\n\
                1\t3\t.\tA\tC\t.\t.\t.\tGT:RD:RD\t0/1:9:1\n";
    let outcome = read_bytes(&source, text.as_bytes())?;
    assert_eq!(columns(&outcome, &["gt", "rd"]), ["0/0 5", "0/1 7", "0/1 9"]);
    assert!(outcome.warned().contains(&("duplicate_format_key", 3)), "{:?}", outcome.warned());
    Ok(())
}

#[test]
fn local_alleles_stay_text() -> Result<(), String> {
    let field = |name: &str| FieldOption { name: spanned(name), kind: None, number: None, column: None };
    let mut given = options(&[], &[], None);
    given.format = ["LAA", "LAD", "LPL"].map(field).to_vec();
    let source = source_of(&given, Path::new("/"))?;
    let text = "##fileformat=VCFv4.5\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n\
                1\t1\t.\tA\tC,G,T\t.\t.\t.\tGT:LAA:LAD:LPL\t0/2:2:10,7:9,0,9\n";
    let outcome = read_bytes(&source, text.as_bytes())?;
    assert_eq!(columns(&outcome, &["gt", "laa", "lad", "lpl"]), ["0/2 2 10,7 9,0,9"]);
    Ok(())
}
