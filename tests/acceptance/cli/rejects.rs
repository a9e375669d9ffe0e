//! `--rejects`: every reject of a run, whatever becomes of the run.

use vardelta_tests::project::Project;

const PIPELINE: &str = "[pipeline]\nname = \"rejects\"\nmax_reject_share = 0.5\n\
    [stages.calls]\ntype = \"vcf\"\npath = \"drops/*.vcf\"\n\
    [stages.alleles]\ntype = \"normalize\"\ninput = \"calls\"\n\
    [stages.rows]\ntype = \"table\"\ninput = \"alleles\"\nkey = [\"chrom\", \"pos\", \"ref\", \"alt\"]\nconflict = \"latest_drop\"\n\
    [stages.warehouse]\ntype = \"sqlite\"\npath = \"rejects.sqlite\"\ntables = [\"rows\"]\n";

const HEADER: &str = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
const COLUMNS: &str = "epoch\tdrop\tstage\tline\tcontig\tpos\treason\tdetail\traw";

fn project() -> Project {
    let project = Project::new(PIPELINE);
    let good: String = (1..=8).map(|pos| format!("1\t{pos}\t.\tA\tC\t.\t.\t.\n")).collect();
    let bad = "1\t9\t.\tA\tA\t.\t.\tX=a\\b\n1\tx\t.\tA\tC\t.\t.\t.\n";
    project.write("drops/b.vcf", format!("{HEADER}{good}{bad}").as_bytes());
    project.write("drops/a.vcf", format!("{HEADER}1\t20\t.\tA\tC\t.\t.\t.\n1\t21\t.\t-\tC\t.\t.\t.\n").as_bytes());
    project
}

fn lines(project: &Project) -> Vec<String> {
    String::from_utf8(project.bytes("rejects.tsv")).expect("UTF-8").lines().map(str::to_owned).collect()
}

#[test]
fn every_reject_is_written_in_the_order_of_drops_and_lines() {
    let expected = [
        COLUMNS,
        "1\ta\tcalls\t4\t1\t21\tbad_ref\tREF `-` holds other characters than bases\t1\\t21\\t.\\t-\\tC\\t.\\t.\\t.",
        "1\tb\talleles\t11\t1\t9\tref_equals_alt\tALT A is the same as REF\t1\\t9\\t.\\tA\\tA\\t.\\t.\\tX=a\\\\b",
        "1\tb\tcalls\t12\t1\t\tbad_position\tPOS `x` is not a position\t1\\tx\\t.\\tA\\tC\\t.\\t.\\t.",
    ];
    for arguments in [&["--dry-run"][..], &["--workers", "1"], &["--workers", "4"]] {
        let project = project();
        let all = [&["--rejects", "rejects.tsv", "--json"], arguments].concat();
        let report = project.vardelta("run", &all).expect(0).json();
        assert_eq!(report["rejects"].to_string(), "{\"bad_position\":1,\"bad_ref\":1,\"ref_equals_alt\":1}");
        assert_eq!(lines(&project), expected, "{arguments:?}");
    }
}

#[test]
fn a_share_that_is_exceeded_still_shows_what_was_wrong() {
    let project = project();
    let said =
        project.vardelta("run", &["--rejects", "rejects.tsv", "--set", "pipeline.max_reject_share=0.1"]).expect(5);
    assert!(said.stderr.contains("more than max_reject_share"), "{}", said.stderr);
    assert_eq!(lines(&project).len(), 4, "the header and three rejects");
    let next = project.vardelta("run", &["--json"]).expect(0).json();
    assert_eq!(next["epoch"], 1, "nothing was written before");
}

#[test]
fn the_list_is_written_whole_or_not_at_all() {
    let project = project();
    let before = b"epoch\tdrop\tstage\tline\tcontig\tpos\treason\tdetail\traw\n1\twas there before\t\t\t\t\t\t\t\n";
    project.write("rejects.tsv", before);
    project.write("drops/c.vcf", b"no VCF");
    project.vardelta("run", &["--rejects", "rejects.tsv"]).expect(4);
    assert_eq!(project.bytes("rejects.tsv"), before);
    std::fs::remove_file(project.path("drops/c.vcf")).expect("a file can be removed");
    project.vardelta("run", &["--rejects", "rejects.tsv"]).expect(0);
    assert_eq!(lines(&project).len(), 4);
    // Nothing is new any more: the list of this run is empty.
    project.vardelta("run", &["--rejects", "rejects.tsv"]).expect(0);
    assert_eq!(lines(&project), [COLUMNS]);
    let left: Vec<_> = std::fs::read_dir(project.directory()).expect("a folder").filter_map(Result::ok).collect();
    assert!(left.iter().all(|entry| !entry.file_name().to_string_lossy().starts_with(".rejects")), "{left:?}");
    project.vardelta("run", &["--rejects", "nowhere/rejects.tsv"]).expect(6).says(&["nowhere/rejects.tsv"]);
}

#[test]
fn standard_output_takes_the_list_alone() {
    let project = project();
    project.vardelta("run", &["--rejects", "-"]).expect(2).says(&["--quiet"]);
    project.vardelta("run", &["--rejects", "-", "--json"]).expect(2);
    let said = project.vardelta("run", &["--rejects", "-", "--quiet"]).expect(0);
    assert_eq!(said.stdout.lines().count(), 4, "{}", said.stdout);
    assert!(said.stdout.starts_with(COLUMNS));
}
