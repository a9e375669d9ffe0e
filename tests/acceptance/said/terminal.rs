//! What files are called and what they hold reaches no terminal and no spreadsheet as it is.

use std::process::Command;

use vardelta_tests::{
    binary::binary,
    project::{Project, finish, vardelta_in},
};

use super::pipeline;

/// ESC, OSC, C1 (in UTF-8), DEL, a right-to-left override, a zero-width joiner.
const STEERING: &str = "\u{1b}]0;x\u{7}\u{1b}[2J\u{9b}31m\u{9d}\u{7f}\u{202e}\u{2066}\u{200d}";

#[track_caller]
fn is_safe(said: &str) {
    let unsafe_ = |letter: char| {
        (letter.is_control() && !matches!(letter, '\n' | '\t')) || "\u{202e}\u{2066}\u{200d}".contains(letter)
    };
    assert!(!said.contains(unsafe_), "{said:?}");
}

#[test]
fn no_output_steers_the_terminal() {
    let project = Project::new(&pipeline("info = [\"X\"]"));
    let name = format!("d{}", STEERING.replace('/', ""));
    let records = [
        format!("1 5 i{STEERING} A C 9 PASS X=v{STEERING}"),
        format!("c{STEERING} 6 . A C 9 f{STEERING} X=1"),
        format!("1 p{STEERING} . A C 9 PASS X=1"),
        format!("1 7 . A{STEERING} C 9 PASS X=1"),
    ];
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    project.write_drop(&name, "##FILTER=<ID=q,Description=\"q\">\n##contig=<ID=1>\n", &records);
    let file = format!("drops/{name}.vcf");
    for (verb, arguments) in [
        ("run", &["--dry-run"][..]),
        ("run", &["--dry-run", "--json"]),
        ("run", &["-q", "--dry-run", "--changes", "-"]),
        ("run", &["-q", "--dry-run", "--rejects", "-"]),
        ("run", &["-v"]),
        ("run", &["--json", "-v"]),
        ("drops", &[]),
        ("drops", &["--json"]),
        ("history", &[]),
        ("changes", &[]),
        ("changes", &["--json"]),
        ("changes", &["--table", STEERING]),
        ("changes", &["--by", STEERING, "--table", "variants"]),
        ("why", &["variants", "chrom=1", "pos=5", "ref=A", "alt=C"]),
        ("why", &["variants", "chrom=1", "pos=5", "ref=A", "alt=C", "--json"]),
        ("why", &["variants", &format!("chrom={STEERING}")]),
        ("why", &[STEERING, "chrom=1"]),
        ("migrate", &["--rename", &format!("variants.{STEERING}={STEERING}")]),
        ("migrate", &["--plan"]),
        ("health", &[]),
        ("health", &["--json"]),
        ("bench", &["--input", &file, "--repeat", "1", "--workers", "1"]),
        ("bench", &["--records", "10", "--stage", STEERING]),
        ("test", &[]),
        ("test", &["--name", STEERING]),
        ("report", &["--out", &file]),
        ("report", &["--out", &format!("{STEERING}/r.html")]),
        ("verify", &[]),
        ("explain", &[]),
        ("withdraw", &[&format!("no{STEERING}")]),
        ("run", &["--into", STEERING, &file]),
        ("run", &[&format!("no{STEERING}.vcf")]),
        ("run", &[&format!("--no{STEERING}")]),
        ("run", &["--json", &format!("--no{STEERING}")]),
        ("run", &["--set", &format!("stages.calls.{STEERING}=1")]),
        ("validate", &["--set", &format!("stages.\"{STEERING}\".type=\"{STEERING}\"")]),
    ] {
        let said = project.vardelta(verb, arguments);
        is_safe(&said.stdout);
        is_safe(&said.stderr);
        assert!(!(said.stdout + &said.stderr).is_empty(), "{verb} {arguments:?}");
    }
    let proposed = vardelta_in(project.directory(), &["new", "-", "--from", &file]);
    is_safe(&proposed.stdout);
    is_safe(&proposed.stderr);
    // A programme reads the name as it is.
    let drops = project.vardelta("drops", &["--json"]).expect(0).json();
    assert_eq!(drops["drops"][0]["name"], name.as_str());
    let missing = finish(Command::new(binary()).args(["run", &format!("{STEERING}.toml")]));
    is_safe(&missing.stderr);
}

#[test]
fn no_cell_of_the_rejects_is_a_formula() {
    let project = Project::new(&pipeline(""));
    project.write_drop(
        "=cmd",
        "",
        &["=1+1 x . A C 9 PASS .", "@SUM(A1) x . A C 9 PASS .", "-1 x . A C 9 PASS .", "+1 -7 . A C 9 PASS ."],
    );
    project.vardelta("run", &["--rejects", "rejects.tsv"]).expect(0);
    let bytes = project.bytes("rejects.tsv");
    let text = std::str::from_utf8(&bytes).expect("UTF-8");
    assert_eq!(text.lines().count(), 5, "{text}");
    for cell in text.split(['\t', '\n']) {
        assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell}");
    }
    assert!(text.contains("\t'=cmd\t") && text.contains("\t'@SUM(A1)\t"), "{text}");
}
