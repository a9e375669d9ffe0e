//! Messages that name the cause, not a symptom of it.

use vardelta_tests::project::Project;

use super::pipeline;

fn refusal(bytes: &[u8]) -> String {
    let project = Project::new(&pipeline("samples = \"long\""));
    project.write("drops/odd.vcf", bytes);
    project.vardelta("run", &[]).expect(4).stderr
}

const TEXT: &str = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n1\t5\t.\tA\tC\t9\tPASS\t.\n";

#[test]
fn utf_16_is_called_utf_16() {
    for is_little in [true, false] {
        for mark in ["\u{feff}", ""] {
            let bytes = |unit: u16| if is_little { unit.to_le_bytes() } else { unit.to_be_bytes() };
            let file: Vec<u8> = format!("{mark}{TEXT}").encode_utf16().flat_map(bytes).collect();
            let said = refusal(&file);
            assert!(said.contains("is UTF-16 text, not UTF-8") && said.contains("iconv"), "{said}");
        }
    }
}

#[test]
fn a_spreadsheet_is_called_a_spreadsheet() {
    let quoted = "##fileformat=VCFv4.2\t\t\r\n\"##INFO=<ID=DP,Number=1,Type=Integer,Description=\"\"d\"\">\"\t\t\r\n";
    let said = refusal(quoted.as_bytes());
    assert!(said.contains("line 2 is a header line in quotation marks, as a spreadsheet saves it"), "{said}");
    assert!(said.contains("original file"), "{said}");
}

#[test]
fn an_encoding_is_not_called_a_repetition() {
    let columns =
        b"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tM\xfcller\tM\xf6ller\n";
    let said = refusal(columns);
    assert!(!said.contains("twice") && said.contains("UTF-8"), "{said}");
    let said = refusal(b"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS\tS\n");
    assert!(said.contains("names the sample `S` twice"), "{said}");
}

#[test]
fn an_unknown_function_is_answered_with_those_that_there_are() {
    let text = pipeline("").replace(
        "[stages.variants]",
        "[stages.chosen]\ntype = \"filter\"\ninput = \"alleles\"\nwhere = \"group_concat_ws_xyz(ref) = 'A'\"\n\n[stages.variants]",
    );
    let said = Project::new(&text).vardelta("validate", &[]).expect(3).stderr;
    assert!(said.contains("`vardelta stages expressions` lists the functions"), "{said}");
    let manual =
        vardelta_tests::project::vardelta_in(std::path::Path::new("."), &["stages", "expressions"]).expect(0).stdout;
    assert!(["coalesce", "upper", "locate"].iter().all(|name| manual.contains(name)), "{manual}");
}

#[test]
fn a_table_that_is_too_wide_is_refused_before_anything_is_read() {
    let columns = |count: usize| -> String {
        let names: Vec<String> = (0..count).map(|at| format!("\"F{at}\"")).collect();
        format!("info = [{}]", names.join(", "))
    };
    let sqlite = Project::new(&pipeline(&columns(2_100)));
    sqlite.write_drop("one", "", &["1 5 . A C 9 PASS ."]);
    sqlite.vardelta("run", &[]).expect(3).says(&["SQLite keeps at most 2000", "select"]);
    let server = |count: usize| {
        let (head, _) = pipeline(&columns(count))
            .split_once("type = \"sqlite\"")
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .expect("a sink");
        Project::new(&format!("{head}type = \"mysql\"\nurl = \"mysql://me@127.0.0.1:1/w\"\ntables = [\"variants\"]\n"))
    };
    server(600).vardelta("validate", &[]).expect(3).says(&["bytes of a row", "8126 in a page", "several tables"]);
    server(1_100).vardelta("validate", &[]).expect(3).says(&["keeps at most 1017"]);
    server(250).vardelta("validate", &[]).expect(0);
}
