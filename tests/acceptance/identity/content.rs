//! What makes a delivery the same as an earlier one, and what makes two things in a file one: order, names, headers.

use std::fs;

use vardelta_tests::{database::texts, project::Project};

use super::{HEADER, pipeline, project, rows};

/// What a run did with its only drop.
fn action(project: &Project) -> String {
    let report = project.vardelta("run", &["--json"]).expect(0).json();
    report["drops"][0]["action"].as_str().expect("an action").to_owned()
}

fn qualities(project: &Project) -> Vec<String> {
    texts(&project.path("identity.sqlite"), "SELECT pos || ' ' || qual FROM variants ORDER BY pos")
}

#[test]
fn another_order_of_one_key_is_another_content() {
    let records = ["1 10 . A C 9 PASS .", "1 20 . A C 5 PASS .", "1 20 . A C 6 PASS ."];
    let project = project(&pipeline("", ""), &[("a", "", &records)]);
    assert_eq!(action(&project), "added");
    assert_eq!(qualities(&project), ["10 9.0", "20 6.0"]);
    // Compressed, and with another comment, it is the same.
    project.write_drop("a", "##source=again\n", &records);
    assert_eq!(action(&project), "unchanged");
    // The last record of a key stands, and it is another now.
    project.write_drop("a", "", &[records[0], records[2], records[1]]);
    assert_eq!(action(&project), "replaced");
    assert_eq!(qualities(&project), ["10 9.0", "20 5.0"]);
    project.vardelta("verify", &[]).expect(0);
}

#[test]
fn another_order_of_other_keys_is_the_same_content() {
    let records = ["1 10 . A C 9 PASS .", "1 20 . A C 5 PASS .", "2 20 . A C 6 PASS ."];
    let project = project(&pipeline("", ""), &[("a", "", &records)]);
    assert_eq!(action(&project), "added");
    project.write_drop("a", "", &[records[2], records[1], records[0]]);
    assert_eq!(action(&project), "unchanged");
}

#[test]
fn a_second_header_may_only_repeat_the_first() {
    let header = "##contig=<ID=chr1,length=248956422>\n##INFO=<ID=DP,Number=1,Type=Integer,Description=\"d\">\n";
    let project = project(&pipeline("assembly = \"GRCh38\"", "info = [\"DP\"]"), &[]);
    let first = format!("##fileformat=VCFv4.2\n{header}{HEADER}chr1\t10\t.\tA\tC\t9\tPASS\tDP=5\n");
    let second = |header: &str| format!("##fileformat=VCFv4.2\n{header}{HEADER}chr1\t20\t.\tA\tC\t9\tPASS\tDP=6\n");
    for (other, line, what) in [
        (header.replace("248956422", "249250621"), 7, "another contig"),
        (header.replace("Integer", "String"), 8, "lays out a field otherwise"),
        (format!("{header}##reference=GRCh37.fa\n"), 9, "another reference"),
    ] {
        project.write("drops/a.vcf", format!("{first}{}", second(&other)).as_bytes());
        let said = project.vardelta("run", &[]).expect(4);
        said.says(&[&format!("a.vcf: line {line} "), what, "two files were joined into one"]);
    }
    project.write("drops/a.vcf", format!("{first}{}", second(header)).as_bytes());
    project.vardelta("run", &[]).expect(0);
    assert_eq!(rows(&project), ["chr1:10 A>C", "chr1:20 A>C"]);
}

#[test]
fn names_that_are_not_utf8_are_never_made_one() {
    let long = pipeline("", "samples = \"long\"").replace("\"alt\"]", "\"alt\", \"sample\"]");
    let line = |name: &[u8]| {
        [HEADER.trim_end().as_bytes(), b"\tFORMAT\t", name, b"\n1\t5\t.\tA\tC\t9\tPASS\t.\tGT\t0/1\n"].concat()
    };
    let both = project(&long, &[]);
    for (file, name) in [("a", b"M\xfcller"), ("b", b"M\xf6ller")] {
        both.write(&format!("drops/{file}.vcf"), &[b"##fileformat=VCFv4.2\n".to_vec(), line(name)].concat());
    }
    // One worker reads one file after the other.
    let said = both.vardelta("run", &["--workers", "1"]).expect(4);
    said.says(&["line 2", "`M\\xfcller` is not UTF-8", "0xfc, byte 48 of the line", "Latin-1", "iconv"]);

    // A sites-only pipeline does not read them.
    both.write("pipeline.toml", pipeline("", "").as_bytes());
    both.vardelta("run", &[]).expect(0);

    let contigs = project(&pipeline("", ""), &[]);
    let records = b"chr\xfc\t5\t.\tA\tC\t9\tPASS\t.\nchr\xf6\t5\t.\tA\tC\t9\tPASS\t.\n1\t5\t.\tA\tC\t9\tq\xfc\t.\n";
    contigs.write("drops/a.vcf", &[HEADER.as_bytes(), records].concat());
    let report = contigs.vardelta("run", &["--json"]).expect(0).json();
    assert_eq!(report["rejects"]["bad_contig"], 2, "{report}");
    assert_eq!(report["rejects"]["bad_filter"], 1, "{report}");
    let declared = b"##contig=<ID=chr\xfc,length=5>\n".to_vec();
    contigs.write("drops/a.vcf", &[declared, HEADER.as_bytes().to_vec()].concat());
    contigs.vardelta("run", &[]).expect(4).says(&["a.vcf: line 1: the ID `chr\\xfc` is not UTF-8"]);
}

#[test]
fn a_header_line_without_end_costs_no_more_than_it_is_long() {
    let project = project(&pipeline("", ""), &[]);
    let path = project.write("drops/a.vcf", b"##fileformat=VCFv4.2\n##comment=");
    let file = fs::File::options().write(true).open(path).expect("a file");
    // Zeros: no line ends among them. Far more than any header has.
    file.set_len(600 << 20).expect("a sparse file");
    let started = std::time::Instant::now();
    project.vardelta("run", &[]).expect(4).says(&["no #CHROM line in its first"]);
    // Searching again from the line's beginning after each piece took minutes.
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}
