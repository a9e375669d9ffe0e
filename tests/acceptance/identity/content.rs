//! What makes a delivery the same as an earlier one, and what makes two things in a file one: order, names, headers.

use std::{
    fs,
    io::{Seek as _, SeekFrom, Write as _},
};

use vardelta_tests::{cost, database::texts, drop_file::Packing, project::Project};

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

/// `cat a.vcf.gz b.vcf.gz`: members of one compressed file, and an end of file between them.
#[test]
fn so_may_the_header_of_a_second_compressed_member() {
    let header = "##contig=<ID=chr1,length=248956422>\n##INFO=<ID=DP,Number=1,Type=Integer,Description=\"d\">\n";
    for packing in [Packing::Gzip, Packing::Bgzf] {
        let project = project(&pipeline("assembly = \"GRCh38\"", "info = [\"DP\"]"), &[]);
        let part = |header: &str, position: u32| {
            let text = format!("##fileformat=VCFv4.2\n{header}{HEADER}chr1\t{position}\t.\tA\tC\t9\tPASS\tDP=5\n");
            packing.pack(text.as_bytes())
        };
        for (other, line, what) in [
            (header.replace("248956422", "249250621"), 7, "another contig"),
            (header.replace("Integer", "String"), 8, "lays out a field otherwise"),
        ] {
            project.write("drops/a.vcf.gz", &[part(header, 10), part(&other, 20)].concat());
            let said = project.vardelta("run", &[]).expect(4);
            said.says(&[&format!("a.vcf.gz: line {line} "), what, "two files were joined into one"]);
        }
        project.write("drops/a.vcf.gz", &[part(header, 10), part(header, 20)].concat());
        project.vardelta("run", &[]).expect(0);
        assert_eq!(rows(&project), ["chr1:10 A>C", "chr1:20 A>C"], "{packing:?}");
    }
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
    // The keys of INFO and FORMAT and the names of filters too: two of them would be one.
    for (kind, rest) in [
        ("INFO", "Number=1,Type=Integer,Description=\"d\""),
        ("FORMAT", "Number=1,Type=Integer,Description=\"d\""),
        ("FILTER", "Description=\"d\""),
    ] {
        let declared =
            |key: &[u8]| [format!("##{kind}=<ID=").as_bytes(), key, format!(",{rest}>\n").as_bytes()].concat();
        let text = [declared(b"k\xfc"), declared(b"k\xf6"), HEADER.as_bytes().to_vec()].concat();
        contigs.write("drops/a.vcf", &text);
        contigs.vardelta("run", &[]).expect(4).says(&["a.vcf: line 1: the ID `k\\xfc` is not UTF-8", "iconv"]);
    }
}

/// A file of this beginning, then as many zeros as make it this long, then this end: on disk there is next to nothing of it.
fn sparse(project: &Project, start: &str, bytes: u64, end: &str) {
    let path = project.write("drops/a.vcf", start.as_bytes());
    let mut file = fs::File::options().write(true).open(path).expect("a file");
    file.set_len(bytes).and_then(|()| file.seek(SeekFrom::End(0))).expect("a sparse file");
    file.write_all(end.as_bytes()).expect("a file can be written");
}

#[test]
fn a_header_line_without_end_costs_no_more_than_it_is_long() {
    let project = project(&pipeline("", ""), &[]);
    // Searching again from the line's beginning after each piece took minutes.
    cost::is_linear("a header line without end", [120 << 20, 240 << 20], |bytes| {
        // Zeros: no line ends among them.
        sparse(&project, "##fileformat=VCFv4.2\n##comment=", bytes, "");
        let (said, cost) = cost::of(project.command("run", &[]));
        said.expect(4).says(&["no #CHROM line in its"]);
        cost
    });
    // Far more than any header has is not read to its end.
    sparse(&project, "##fileformat=VCFv4.2\n##comment=", 600 << 20, "");
    let (said, cost) = cost::of(project.command("run", &[]));
    said.expect(4).says(&["no #CHROM line in its first"]);
    assert!(cost.peak_bytes < 1_200 << 20, "{} bytes of memory", cost.peak_bytes);
}

#[test]
fn a_record_of_hundreds_of_megabytes_is_rejected_and_costs_no_more_than_it_is_long() {
    let project = project(&pipeline("", "info = [\"X\"]"), &[]);
    let start = format!("##fileformat=VCFv4.2\n{HEADER}1\t5\t.\tA\tC\t9\tPASS\tX=");
    cost::is_linear("a record of hundreds of megabytes", [125_u64 << 20, 250 << 20], |bytes| {
        sparse(&project, &start, bytes, "\n1\t6\t.\tA\tC\t9\tPASS\tX=y\n");
        let (said, cost) = cost::of(project.command("run", &["--json", "--workers", "2"]));
        let report = said.expect(0).json();
        assert_eq!(report["rejects"]["value_too_long"], 1, "{}", report["rejects"]);
        assert_eq!(rows(&project), ["1:6 A>C"]);
        // It took fifteen times its length.
        assert!(cost.peak_bytes < 5 * bytes, "{bytes} bytes took {} of memory", cost.peak_bytes);
        cost
    });
}

/// A cell of exactly as many bytes as a cell may have goes in and comes out whole; one byte more is rejected.
#[test]
fn the_longest_cell_there_may_be_stands_in_the_table() {
    const LONGEST: usize = 1 << 25;
    let project = project(&pipeline("", "info = [\"X\"]"), &[]);
    let value = "GATTACA!".repeat(LONGEST / 8);
    let record = |position: u32, value: &str| format!("1\t{position}\t.\tA\tC\t9\tPASS\tX={value}\n");
    let text = [
        format!("##fileformat=VCFv4.2\n##INFO=<ID=X,Number=1,Type=String,Description=\"d\">\n{HEADER}"),
        record(5, &value),
        record(6, &format!("{value}!")),
        record(7, "short"),
    ];
    project.write("drops/a.vcf", text.concat().as_bytes());
    let report = project.vardelta("run", &["--json"]).expect(0).json();
    assert_eq!(report["rejects"]["value_too_long"], 1, "{}", report["rejects"]);
    let database = project.path("identity.sqlite");
    let lengths = "SELECT pos || ' ' || length(CAST(info_x AS BLOB)) FROM variants ORDER BY pos";
    assert_eq!(texts(&database, lengths), [format!("5 {LONGEST}"), "7 5".to_owned()]);
    assert!(texts(&database, "SELECT info_x FROM variants WHERE pos = 5") == [value], "another value came out");
    project.vardelta("verify", &[]).expect(0);
    project.vardelta("withdraw", &["a"]).expect(0);
    assert_eq!(rows(&project), Vec::<String>::new());
}
