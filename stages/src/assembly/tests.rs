use std::io::Write as _;

use super::*;

fn known(name: &str) -> Assembly {
    Assembly::known(name).unwrap_or_else(|| panic!("{name} is known"))
}

fn canonical<'a>(assembly: &'a Assembly, spelling: &str) -> Option<&'a str> {
    assembly.contig(spelling).map(|at| assembly.contig_name(at))
}

#[test]
fn every_table_is_whole_and_names_nothing_twice() {
    for table in KNOWN {
        let contigs = (table.contigs)();
        let chromosomes = contigs.iter().filter(|contig| contig.length > 20_000).count();
        assert_eq!(chromosomes, 24, "{}", table.name);
        let mut spellings: Vec<&String> = contigs.iter().flat_map(|c| c.spellings.iter().chain([&c.name])).collect();
        spellings.sort();
        let count = spellings.len();
        spellings.dedup();
        assert_eq!(spellings.len(), count, "{} spells two contigs alike", table.name);
        // RefSeq numbers chromosomes in order, X and Y being 23 and 24; so does GenBank but for the last of CHM13.
        for (at, contig) in contigs.iter().take(24).enumerate() {
            let number = |accession: &str| accession[3..accession.find('.').unwrap_or(3)].parse::<usize>().unwrap_or(0);
            let first = number(&contigs[0].spellings[1]);
            assert_eq!(number(&contig.spellings[1]), first + at, "{} {}", table.name, contig.name);
        }
    }
}

#[test]
fn assemblies_have_several_names() {
    for (name, expected) in [
        ("GRCh38", "GRCh38"),
        ("hg38", "GRCh38"),
        ("grch38.p14", "GRCh38"),
        ("B37", "GRCh37"),
        ("hg19", "hg19"),
        ("hs1", "T2T-CHM13v2.0"),
        ("chm13v2.0", "T2T-CHM13v2.0"),
    ] {
        assert_eq!(known(name).name(), expected, "{name}");
    }
    for name in ["", "GRCh36", "GRCh38.px", "38", "genome.fa.fai"] {
        assert!(Assembly::known(name).is_none(), "{name}");
    }
}

#[test]
fn contigs_have_one_name_for_all_their_spellings() {
    for (assembly, spellings, expected) in [
        ("GRCh38", &["1", "chr1", "NC_000001.11", "CM000663.2"][..], Some("chr1")),
        ("GRCh38", &["M", "MT", "chrM", "NC_012920.1"], Some("chrM")),
        ("GRCh37", &["X", "chrX", "NC_000023.10", "CM000685.1"], Some("X")),
        ("GRCh37", &["M", "MT", "chrM", "NC_012920.1"], Some("MT")),
        ("hg19", &["M", "chrM", "NC_001807.4"], Some("chrM")),
        ("hg19", &["MT", "chrMT", "NC_012920.1"], Some("chrMT")),
        ("hs1", &["Y", "chrY", "NC_060948.1", "CP086569.2"], Some("chrY")),
        // Accessions of another assembly, numbers of sex chromosomes, another case.
        ("GRCh38", &["NC_000001.10", "CM000663.1", "23", "chr23", "Chr1", "chrUn_KI270302v1", ""], None),
    ] {
        for spelling in spellings {
            assert_eq!(canonical(&known(assembly), spelling), expected, "{assembly} {spelling}");
        }
    }
}

#[test]
fn lengths_contradict_and_tell_twins_apart() {
    let (grch37, hg19) = (known("GRCh37"), known("hg19"));
    let name = |assembly: &Assembly, spelling: &str, length: u64| match assembly.resolve(spelling, Some(length)) {
        Resolution::Contig(at) => assembly.contig_name(at).to_owned(),
        Resolution::Unknown => "unknown".to_owned(),
        Resolution::OtherLength(at) => format!("not {}", assembly.contig_name(at)),
    };
    assert_eq!(name(&grch37, "chr1", 249_250_621), "1");
    assert_eq!(name(&grch37, "chr1", 248_956_422), "not 1");
    assert_eq!(name(&grch37, "chrM", 16_571), "not MT");
    assert_eq!(name(&hg19, "chrM", 16_571), "chrM");
    assert_eq!(name(&hg19, "chrM", 16_569), "chrMT");
    assert_eq!(name(&hg19, "MT", 16_571), "chrM");
    assert_eq!(name(&hg19, "chrM", 1), "not chrM");
    assert_eq!(name(&hg19, "hs37d5", 1), "unknown");
    assert_eq!(fitting(&[("chr1", 248_956_422), ("chrUn", 5)]), ["GRCh38"]);
    assert_eq!(fitting(&[("1", 249_250_621)]), ["GRCh37", "hg19"]);
    assert_eq!(fitting(&[("1", 249_250_621), ("M", 16_571)]), ["hg19"]);
    assert_eq!(fitting(&[("scaffold", 7)]), [""; 0]);
}

fn from_file(text: &str) -> Result<Assembly, String> {
    let mut file = tempfile::NamedTempFile::new().expect("a file can be made");
    file.write_all(text.as_bytes()).expect("a file can be written");
    file::read(file.path()).map_err(|message| message.replace(&file.path().display().to_string(), "x"))
}

#[test]
fn files_describe_other_assemblies() -> Result<(), String> {
    let fai = from_file("1\t100\t3\t60\t61\nchr2\t90\t9\t60\t61\nMT\t16\t9\t60\t61\nU\t5\nchrU\t6\n")?;
    for (spelling, expected) in
        [("chr1", Some("1")), ("2", Some("chr2")), ("chrM", Some("MT")), ("U", Some("U")), ("chrU", Some("chrU"))]
    {
        assert_eq!(canonical(&fai, spelling), expected, "{spelling}");
    }
    assert_eq!(fai.resolve("chr1", Some(99)), Resolution::OtherLength(0));
    let dict = from_file("@HD\tVN:1.6\n@SQ\tSN:CM1\tLN:8\tAN:1,chr1\tM5:x\n@SQ\tSN:CM2\tLN:9\n")?;
    assert_eq!((canonical(&dict, "chr1"), canonical(&dict, "CM2")), (Some("CM1"), Some("CM2")));
    assert_eq!(from_file("a\n").err().as_deref(), Some("x:1: no length of contig a"));
    assert_eq!(from_file("a\t5\na\t6\n").err().as_deref(), Some("x:2: contig a is named for the second time"));
    assert_eq!(from_file("# nothing\n").err().as_deref(), Some("the assembly x names no contigs"));
    Ok(())
}
