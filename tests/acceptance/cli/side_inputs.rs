//! Files beside the drops: a run refuses to go on with another content than the one the tables were made with.

use std::fs::{remove_file, rename};

use vardelta_tests::project::Project;

const PIPELINE: &str = r#"
[pipeline]
name = "aligned"

[stages.calls]
type = "vcf"
path = "drops/*.vcf"

[stages.alleles]
type = "normalize"
input = "calls"
fasta = "reference.fa"

[stages.variants]
type = "table"
input = "alleles"
key = ["chrom", "pos", "ref", "alt"]

[stages.warehouse]
type = "sqlite"
path = "aligned.sqlite"
tables = ["variants"]
"#;

/// A FASTA of one contig, with its index.
fn write_reference(project: &Project, name: &str, bases: &str) {
    project.write(name, format!(">1\n{bases}\n").as_bytes());
    project.write(&format!("{name}.fai"), format!("1\t{0}\t3\t{0}\t{1}\n", bases.len(), bases.len() + 1).as_bytes());
}

fn write_drop(project: &Project, name: &str, record: &str) {
    let header = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
    project.write(&format!("drops/{name}.vcf"), format!("{header}{record}\n").as_bytes());
}

fn loaded() -> Project {
    let project = Project::new(PIPELINE);
    write_reference(&project, "reference.fa", "ACGTACGTAC");
    write_drop(&project, "alpha", "1\t3\t.\tG\tT\t50\tPASS\t.");
    write_drop(&project, "beta", "1\t5\t.\tA\tT\t50\tPASS\t.");
    project.vardelta("run", &[]).expect(0);
    project
}

#[test]
fn another_content_is_a_changed_definition() {
    let project = loaded();
    let before = project.bytes("aligned.sqlite");
    write_drop(&project, "gamma", "1\t7\t.\tG\tT\t50\tPASS\t.");
    // As long as before, so that neither the size nor the index shows it.
    write_reference(&project, "reference.fa", "ACGTACGTAG");
    let said = project.vardelta("run", &[]).expect(6);
    said.says(&["stage `alleles` changed: the content of `fasta`", "reference.fa", "rebuild"]);
    assert_eq!(project.bytes("aligned.sqlite"), before, "nothing was written");

    let report = project.vardelta("rebuild", &["--json"]).expect(0).json();
    assert_eq!(report["drops"][0]["action"], "rebuilt", "the files were read again");
    project.vardelta("run", &[]).expect(0);
    project.vardelta("verify", &[]).expect(0);
}

#[test]
fn another_place_and_another_time_are_none() {
    let project = loaded();
    for file in ["reference.fa", "reference.fa.fai"] {
        std::fs::copy(project.path(file), project.path(&format!("copy-{file}"))).expect("a copy can be made");
        remove_file(project.path(file)).expect("the original can be removed");
        rename(project.path(&format!("copy-{file}")), project.path(&file.replace("reference", "moved")))
            .expect("a file can be renamed");
    }
    project.write("pipeline.toml", PIPELINE.replace("reference.fa", "moved.fa").as_bytes());
    let report = project.vardelta("run", &["--json"]).expect(0).json();
    assert_eq!((&report["epoch"], &report["drops"][0]["action"]), (&1.into(), &"unchanged".into()));
}

#[test]
fn what_is_gone_is_missed_only_where_it_is_read() {
    let project = loaded();
    remove_file(project.path("reference.fa")).expect("it is there");
    project.vardelta("run", &[]).expect(4).says(&["reference.fa", "`fasta` of stage `alleles`"]);
    project.vardelta("validate", &[]).expect(0);
    project.vardelta("withdraw", &["alpha"]).expect(0);
    project.vardelta("verify", &[]).expect(0);
    // What the withdrawal wrote down still knows the reference.
    write_reference(&project, "reference.fa", "ACGTACGTAC");
    remove_file(project.path("drops/alpha.vcf")).expect("it is there");
    project.vardelta("run", &[]).expect(0);
    write_reference(&project, "reference.fa", "ACGTACGTAG");
    project.vardelta("run", &[]).expect(6);
}

#[test]
fn a_reference_that_came_or_went_is_named() {
    let project = loaded();
    project.write("pipeline.toml", PIPELINE.replace("fasta = \"reference.fa\"\n", "").as_bytes());
    project.vardelta("run", &[]).expect(6).says(&["stage `alleles` changed: option `fasta` (removed)"]);
}
