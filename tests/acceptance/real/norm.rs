//! The cases of bcftools' own tests of `norm`, and those of Glow: every one that splits, trims or left-aligns gives what is
//! expected there; every other is reported with the reason why it does not apply.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
};

use vardelta_tests::{
    database,
    project::Project,
    report::warnings_of,
    shared::{has_tool, shared, tool_output},
};

use super::argument;

/// Steps of bcftools that `normalize` has no counterpart for, named by its arguments, and why.
const OTHERS: &[(&[&str], &str)] = &[
    (&["-m +", "-m+"], "joins records: a table has one row per allele"),
    (
        &["-a ", "--atomize"],
        "breaks a substitution of several bases into single ones: that loses which belong together",
    ),
    (
        &["-d "],
        "removes duplicates of the records' positions: the table stage resolves alleles by key, and counts them",
    ),
    (
        &["-c s", "-Nc s"],
        "swaps or sets alleles that disagree with the FASTA: such a record is rejected, never changed",
    ),
];

/// Records that differ from what bcftools expects, by case, and why that is right.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    ("norm.symbolic.3.1.out", "1 26 G <DUP>", SYMBOLIC),
    ("norm.symbolic.3.1.out", "1 11 G <DUP>", SYMBOLIC),
    ("norm.symbolic.1.out", "20 24 A <DEL>", SYMBOLIC),
    ("norm.symbolic.1.out", "20 98 A <DEL>", SYMBOLIC),
    ("norm.symbolic.1.out", "20 15 T <DEL>", SYMBOLIC),
    ("norm.symbolic.1.out", "20 93 C <DEL>", SYMBOLIC),
    ("norm.string-tags.1.out", "12 888 CC GG . .", COUNTS),
    ("norm.string-tags.1.out", "12 888 CC GG bbb .", COUNTS),
];
const COUNTS: &str =
    "one value for two alternates may be of either: NULL and counted, where bcftools gives it to the first";
const SYMBOLIC: &str = "bcftools moves <DEL> and <DUP> as if END and SVLEN were exact; callers give them with confidence \
                        intervals (CIPOS), so here symbolic alleles stay where the file has them";

/// INFO fields by name.
type Fields = BTreeMap<String, (char, String)>;

/// A case: records, FASTA, what is expected, and the arguments bcftools had.
struct Case {
    input: String,
    fasta: String,
    expected: String,
    arguments: String,
}

fn cases(table: &str) -> Vec<Case> {
    let row = |line: &str| {
        let mut cells = line.split('\t').map(str::to_owned);
        let mut next = || cells.next().unwrap_or_default();
        Case { input: next(), fasta: next(), expected: next(), arguments: next() }
    };
    table.lines().skip(1).map(row).collect()
}

/// Writes a FASTA with a line per contig, in capitals, and its index.
fn write_fasta(project: &Project, bases: &str) {
    let (mut fasta, mut index) = (String::new(), String::new());
    for contig in bases.split('>').skip(1) {
        let (name, bases) = contig.split_once('\n').expect("a contig has a name line");
        let name = name.split_whitespace().next().expect("a contig has a name");
        let bases: String = bases.split_whitespace().collect::<String>().to_uppercase();
        let _ = writeln!(fasta, ">{name}");
        let (length, offset, width) = (bases.len(), fasta.len(), bases.len() + 1);
        let _ = writeln!(index, "{name}\t{length}\t{offset}\t{length}\t{width}");
        let _ = writeln!(fasta, "{bases}");
    }
    project.write("reference.fa", fasta.as_bytes());
    project.write("reference.fa.fai", index.as_bytes());
}

/// INFO fields with a value per allele, by the header: their Number and Type.
fn fields(header: &str) -> Fields {
    let part = |line: &str, name: &str| {
        line.split(',').find_map(|part| part.strip_prefix(&format!("{name}="))).map(str::to_owned)
    };
    let lines = header.lines().filter_map(|line| line.strip_prefix("##INFO=<"));
    let number = |line: &str| part(line, "Number").filter(|number| ["A", "R", "G"].contains(&number.as_str()));
    lines
        .filter_map(|line| Some((part(line, "ID")?, (number(line)?.chars().next()?, part(line, "Type")?))))
        .filter(|(name, _)| name != "AC" && name != "AN")
        .collect()
}

fn pipeline(fields: &Fields, has_fasta: bool) -> String {
    let declare = |(name, (number, kind)): (&String, &(char, String))| {
        format!("{{ name = \"{name}\", type = \"{kind}\", number = \"{number}\" }}")
    };
    let names: Vec<String> = fields.iter().map(declare).collect();
    let select: String = fields
        .keys()
        .map(|name| format!("f_{0} = \"coalesce(CAST(info_{0} AS VARCHAR), '.')\"\n", name.to_lowercase()))
        .collect();
    let key: String = fields.keys().map(|name| format!(", \"f_{}\"", name.to_lowercase())).collect();
    let fasta = if has_fasta { "fasta = \"reference.fa\"\n" } else { "" };
    format!(
        "[pipeline]\nname = \"norm\"\nmax_reject_share = 1.0\n\n[stages.calls]\ntype = \"vcf\"\ninfo = [{}]\n\n\
         [stages.alleles]\ntype = \"normalize\"\ninput = \"calls\"\nkeep_star = true\n{fasta}\n\
         [stages.named]\ntype = \"select\"\ninput = \"alleles\"\n[stages.named.columns]\nchrom = \"chrom\"\npos = \"pos\"\n\
         ref = \"ref\"\nalt = \"alt\"\nwritten_pos = \"orig_pos\"\nwritten_ref = \"orig_ref\"\nwritten_alt = \"orig_alt\"\n{select}\n\
         [stages.variants]\ntype = \"table\"\ninput = \"named\"\n\
         key = [\"chrom\", \"pos\", \"ref\", \"alt\", \"written_pos\", \"written_ref\", \"written_alt\"{key}]\n\n\
         [stages.warehouse]\ntype = \"sqlite\"\npath = \"norm.sqlite\"\ntables = [\"variants\"]\n",
        names.join(", ")
    )
}

/// Numbers as numbers, however they are written.
fn plain(value: &str) -> String {
    let item = |item: &str| item.parse::<f64>().map_or(item.to_owned(), |number| number.to_string());
    value.split(',').map(item).collect::<Vec<_>>().join(",")
}

/// A field of an expected record whose alleles are split, as one allele's row has it.
fn of_allele(value: &str, number: char) -> String {
    let value = if number == 'R' { value.rsplit(',').next().unwrap_or(value) } else { value };
    // Of Number=G nothing is known where all three are missing.
    if value.split(',').all(|item| item == ".") { ".".to_owned() } else { plain(value) }
}

/// The alleles of a table, spelled as they are stored or as the file writes them, with their fields.
fn found(project: &Project, is_written: bool, fields: &Fields) -> BTreeSet<String> {
    let prefix = if is_written { "written_" } else { "" };
    let columns: String = fields.keys().map(|name| format!(", f_{}", name.to_lowercase())).collect();
    let connection = database::open(&project.path("norm.sqlite"));
    let statement = format!("SELECT chrom, {prefix}pos, {prefix}ref, {prefix}alt{columns} FROM variants");
    let mut statement = connection.prepare(&statement).expect("the statement is valid SQL");
    let rows = statement.query_map([], |row| {
        let mut text = format!("{} {}", row.get::<_, String>(0)?, row.get::<_, i64>(1)?);
        for at in 2..4 + fields.len() {
            let value: String = row.get(at)?;
            let value = match at {
                2 => value.to_uppercase(),
                3 if value.starts_with(|c: char| c.is_ascii_alphabetic()) => value.to_uppercase(),
                3 => value,
                _ if value.split(',').all(|item| item == ".") => ".".to_owned(),
                _ => plain(&value),
            };
            let _ = write!(text, " {value}");
        }
        Ok(text)
    });
    rows.expect("the table can be read").map(|row| row.expect("the row can be read")).collect()
}

/// Records with an alternate that is an allele: contig, position, REF, ALT and INFO.
fn records(vcf: &str) -> impl Iterator<Item = [&str; 5]> {
    vcf.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .map(|columns| [columns[0], columns[1], columns[3], columns[4], columns[7]])
        .filter(|[_, _, _, alternates, _]| ![".", "<*>", "<NON_REF>", "I"].contains(alternates))
}

/// The alleles that are expected where bcftools split and did no more.
fn split(vcf: &str, fields: &Fields) -> BTreeSet<String> {
    let row = |[contig, position, reference, alternate, info]: [&str; 5]| {
        let is_word = alternate.starts_with(|c: char| c.is_ascii_alphabetic());
        let alternate = if is_word { alternate.to_uppercase() } else { alternate.to_owned() };
        let mut text = format!("{contig} {position} {} {alternate}", reference.to_uppercase());
        for (name, (number, _)) in fields {
            let value = info.split(';').find_map(|field| field.strip_prefix(&format!("{name}="))).unwrap_or(".");
            let _ = write!(text, " {}", of_allele(value, *number));
        }
        text
    };
    records(vcf).map(row).collect()
}

/// The alleles that are expected where bcftools left-aligned. Records of several alternates it aligned together, so it splits
/// and aligns what is expected once more.
fn aligned(project: &Project, vcf: &str, contigs: &BTreeSet<&str>) -> BTreeSet<String> {
    let mut sites = String::from("##fileformat=VCFv4.3\n");
    for contig in contigs {
        let _ = writeln!(sites, "##contig=<ID={contig}>");
    }
    sites.push_str(
        "##INFO=<ID=END,Number=1,Type=Integer,Description=\"x\">\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n",
    );
    for [contig, position, reference, alternates, _] in records(vcf) {
        let _ = writeln!(sites, "{contig}\t{position}\t.\t{reference}\t{alternates}\t.\t.\t.");
    }
    let (path, fasta) = (project.write("expected.vcf", sites.as_bytes()), project.path("reference.fa"));
    let split_again =
        tool_output("bcftools", &["norm", "-m", "-any", "-c", "w", "-f", argument(&fasta), argument(&path)]);
    split(&split_again, &BTreeMap::new())
}

/// Judges a case; returns how many alleles were compared.
fn judge(folder: &Path, case: &Case) -> usize {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("the file can be read");
    let (input, expected, has_fasta) = (read(&case.input), read(&case.expected), !case.fasta.is_empty());
    let fields = if has_fasta { BTreeMap::new() } else { fields(&input) };
    let project = Project::new(&pipeline(&fields, has_fasta));
    let contigs: BTreeSet<&str> = records(&input).chain(records(&expected)).map(|[contig, ..]| contig).collect();
    let expected = if has_fasta {
        write_fasta(&project, &read(&case.fasta));
        aligned(&project, &expected, &contigs)
    } else {
        split(&expected, &fields)
    };
    project.vardelta("run", &[argument(&folder.join(&case.input))]).expect(0);
    let found = found(&project, !has_fasta, &fields);
    let name = format!("{} {}", case.input, case.arguments);
    let known = |row: &&String| {
        DIFFERENCES.iter().any(|(expected, differing, _)| *expected == case.expected && differing == row)
    };
    let differing: Vec<&String> = found.symmetric_difference(&expected).filter(|row| !known(row)).collect();
    assert!(
        differing.is_empty(),
        "{name}: found alone {:#?}\nexpected alone {:#?}",
        found.difference(&expected).collect::<Vec<_>>(),
        expected.difference(&found).collect::<Vec<_>>()
    );
    assert!(!found.is_empty(), "{name}: nothing to compare");
    for (_, row, why) in DIFFERENCES.iter().filter(|(expected, ..)| *expected == case.expected) {
        assert!(found.contains(*row) != expected.contains(*row), "{name}: {row} does not differ any more");
        eprintln!("differs: {name}: {row}: {why}");
    }
    found.len()
}

#[test]
fn the_cases_of_bcftools_norm_give_what_is_expected() {
    let Some(folder) = shared("cases of bcftools norm", "data/conformance/bcftools-norm") else { return };
    if !has_tool("cases of bcftools norm", "bcftools", "--version") {
        return;
    }
    let table = std::fs::read_to_string(folder.join("CASES.tsv")).expect("the table can be read");
    let (mut applied, mut failed) = (0, Vec::new());
    for case in cases(&table) {
        let name = format!("{} {} -> {}", case.input, case.arguments, case.expected);
        let has = |step: &&str| format!(" {} ", case.arguments).contains(&format!(" {step}"));
        match OTHERS.iter().find(|(steps, _)| steps.iter().any(&has)) {
            Some((_, why)) => eprintln!("does not apply: {name}: {why}"),
            None => match std::panic::catch_unwind(|| judge(&folder, &case)) {
                Ok(alleles) => {
                    applied += 1;
                    eprintln!("applies: {name}: {alleles} alleles");
                }
                Err(_) => failed.push(name),
            },
        }
    }
    assert!(failed.is_empty(), "cases that differ: {failed:#?}");
    assert!(applied >= 14, "only {applied} cases apply");
}

#[test]
fn the_cases_of_glow_give_what_is_expected() {
    let Some(folder) = shared("cases of Glow", "data/conformance/glow-normalize") else { return };
    if !has_tool("cases of Glow", "bcftools", "--version") {
        return;
    }
    let case = |fasta: &str, expected: &str| Case {
        input: "01_IN_altered_multiallelic.vcf".to_owned(),
        fasta: fasta.to_owned(),
        expected: format!("01_IN_altered_multiallelic_{expected}.vcf"),
        arguments: String::new(),
    };
    for case in [case("20_altered.fasta", "bcftoolsnormalized"), case("", "vtdecompose")] {
        eprintln!("equal: {}: {} alleles", case.expected, judge(&folder, &case));
    }
}

/// vcf-validator's cases of REF against a FASTA: a mismatch is a reject, never a swap.
#[test]
fn a_reference_allele_that_disagrees_with_the_fasta_is_rejected() {
    let Some(folder) = shared("REF against a FASTA", "data/conformance/vcf-validator/assembly_checker") else { return };
    // `passed_empty_vcf` has no byte: that is taken for a failed delivery.
    let empty = folder.join("passed/passed_empty_vcf/passed_empty_vcf.vcf");
    drop(Project::new(&pipeline(&Fields::new(), false)).vardelta("run", &[argument(&empty)]).expect(4));
    for (name, rejects) in [
        ("passed/passed_fullsample/passed_fullsample", false),
        ("failed/failed_multiplemismatch_multipleentry/failed_multiplemismatch_multipleentry", true),
    ] {
        let project = Project::new(&pipeline(&Fields::new(), true));
        write_fasta(&project, &std::fs::read_to_string(folder.join(format!("{name}.fa"))).expect("the FASTA is there"));
        let input = folder.join(format!("{name}.vcf"));
        let report = project.vardelta("run", &[argument(&input), "--json"]).expect(0).json();
        eprintln!("{name}: {} {}", report["drops"], report["rejects"]);
        assert_eq!(report["rejects"]["ref_mismatch"].as_u64().is_some(), rejects, "{name}: {}", report["rejects"]);
        let text = std::fs::read_to_string(&input).expect("the file can be read");
        let written: BTreeSet<[&str; 2]> =
            records(&text).map(|[_, _, reference, alternates, _]| [reference, alternates]).collect();
        let stored = found(&project, true, &Fields::new());
        let is_written = |row: &String| {
            let alleles: Vec<&str> = row.split(' ').skip(2).collect();
            written.iter().any(|[reference, alternates]| {
                reference.eq_ignore_ascii_case(alleles[0])
                    && alternates.split(',').any(|own| own.eq_ignore_ascii_case(alleles[1]))
            })
        };
        assert!(stored.iter().all(is_written), "{name}: an allele that no record has");
    }
}

/// Alleles that become one by left-alignment are duplicates of each other; a wrong number of values is NULL and counted.
#[test]
fn duplicates_by_left_alignment_and_wrong_counts_are_counted() {
    let fields = Fields::from([("AF".to_owned(), ('A', "Float".to_owned()))]);
    let project = Project::new(&pipeline(&fields, true).replace(
        "key = [\"chrom\", \"pos\", \"ref\", \"alt\", \"written_pos\", \"written_ref\", \"written_alt\", \"f_af\"]",
        "key = [\"chrom\", \"pos\", \"ref\", \"alt\"]",
    ));
    write_fasta(&project, ">1\nGATTTTTTTTTTTTC\n");
    let vcf = "##fileformat=VCFv4.3\n##INFO=<ID=AF,Number=A,Type=Float,Description=\"x\">\n\
               #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n\
               1\t4\t.\tTT\tT\t.\t.\tAF=0.1\n1\t13\t.\tTT\tT\t.\t.\tAF=0.2\n\
               1\t2\t.\tA\tC,G\t.\t.\tAF=0.5\n1\t2\t.\tT\tA\t.\t.\tAF=0.5\n";
    project.write("drops/calls.vcf", vcf.as_bytes());
    let report = project.vardelta("run", &["drops/calls.vcf", "--json"]).expect(0).json();
    let number = |key: &str| report["drops"][0][key].as_u64();
    assert_eq!(
        [number("read"), number("loaded"), number("duplicates"), number("rejected")],
        [Some(4), Some(2), Some(1), Some(1)],
        "{report}"
    );
    assert_eq!(report["rejects"]["ref_mismatch"].as_u64(), Some(1));
    assert_eq!(warnings_of(&report, "number_mismatch"), 1);
    // Of the two the later counts, with its own position and alleles; the field with too few values is NULL.
    let connection = database::open(&project.path("norm.sqlite"));
    let mut statement = connection
        .prepare("SELECT pos, ref, alt, written_pos, written_ref, written_alt, f_af FROM variants ORDER BY pos, alt")
        .expect("the statement is valid SQL");
    let rows = statement.query_map([], |row| {
        let text = |at: usize| row.get::<_, String>(at);
        let number = |at: usize| row.get::<_, i64>(at);
        Ok(format!("{} {} {} {} {} {} {}", number(0)?, text(1)?, text(2)?, number(3)?, text(4)?, text(5)?, text(6)?))
    });
    let rows: Vec<String> = rows.expect("the table can be read").map(|row| row.expect("the row can be read")).collect();
    assert_eq!(rows, ["2 AT A 13 TT T 0.2", "2 A C 2 A C .", "2 A G 2 A G ."]);
}
