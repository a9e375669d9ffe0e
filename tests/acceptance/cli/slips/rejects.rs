//! `--rejects FILE` replaces a list of rejects and nothing else; so does every other option that names a file to write.

use std::{fs, os::unix::fs::symlink};

use vardelta_tests::project::{Project, vardelta_in};

use super::{pipeline, positions, project, vcf, write_drop};

#[test]
fn nothing_but_a_list_of_rejects_is_overwritten() {
    let project = project();
    write_drop(&project, "drops/a.vcf", 1);
    // Before the first run neither database nor state is there; their places are theirs all the same.
    for path in ["slips.sqlite", "slips.sqlite-wal", "./drops/../slips.sqlite", ".vardelta/slips/MANIFEST"] {
        project.vardelta("run", &["--rejects", path]).expect(2).says(&["would overwrite", "is the place of"]);
    }
    assert!(!project.path("slips.sqlite").exists());
    project.vardelta("run", &[]).expect(0);
    write_drop(&project, "drops/b.vcf", 2);
    project.write("notes.tsv", b"epoch\tof\tmine\n");
    symlink("nowhere.tsv", project.path("dangling.tsv")).expect("a link");
    symlink("drops/a.vcf", project.path("link.tsv")).expect("a link");
    fs::create_dir(project.path("folder")).expect("a folder");
    for path in
        ["drops/a.vcf", "pipeline.toml", "slips.sqlite", "notes.tsv", "dangling.tsv", "link.tsv", "folder", "/dev/null"]
    {
        let before = project.bytes(path);
        let said = project.vardelta("run", &["--rejects", path]).expect(2).says(&["would overwrite"]);
        assert!(said.stderr.contains("hint: "), "{}", said.stderr);
        assert_eq!(project.bytes(path), before, "{path} is as it was");
    }
    assert_eq!(positions(&project), (11..=20).collect::<Vec<_>>(), "and nothing was loaded");
    let is_device = fs::metadata("/dev/null").expect("it is there").file_type();
    assert!(!is_device.is_file(), "/dev/null is a device still");
}

#[test]
fn a_list_of_rejects_is_replaced_also_through_a_link() {
    let project = project();
    write_drop(&project, "drops/a.vcf", 1);
    project.write("empty.tsv", b"");
    project.vardelta("run", &["--rejects", "empty.tsv"]).expect(0);
    let list = project.bytes("empty.tsv");
    assert!(list.starts_with(b"epoch\tdrop"));
    symlink("empty.tsv", project.path("latest.tsv")).expect("a link");
    let mut longer = list.clone();
    longer.extend(b"1\ta\tcalls\t3\t\t\tbad_ref\t\t\n");
    project.write("empty.tsv", &longer);
    project.vardelta("run", &["--rejects", "latest.tsv"]).expect(0);
    assert_eq!(project.bytes("empty.tsv"), list);
    assert!(project.path("latest.tsv").is_symlink(), "the link is a link still");
}

const TESTS: &str = "\n[[tests]]\nname = \"one\"\n[[tests.steps]]\nadd = { calls = \"d\", records = \"chr1 5 . A C . . .\" }\n\
    expect.counts = { read = 1 }\n";

#[test]
fn a_list_of_outcomes_replaces_its_like_alone() {
    let project = Project::new(&format!("{}{TESTS}", pipeline("path = \"drops/*.vcf*\"")));
    write_drop(&project, "drops/a.vcf", 1);
    for path in ["pipeline.toml", "drops/a.vcf", "drops"] {
        let before = project.bytes(path);
        project.vardelta("test", &["--junit", path]).expect(2).says(&["would overwrite what is not its own"]);
        assert_eq!(project.bytes(path), before, "{path} is as it was");
    }
    for _ in 0..2 {
        project.vardelta("test", &["--junit", "outcomes.xml"]).expect(0);
        assert!(project.bytes("outcomes.xml").starts_with(b"<?xml"));
    }
}

#[test]
fn a_made_up_drop_replaces_a_made_up_drop_alone() {
    let project = project();
    write_drop(&project, "drops/a.vcf", 1);
    let packed = vardelta_tests::drop_file::Packing::Bgzf.pack(vcf(1..=500).as_bytes());
    project.write("drops/b.vcf.gz", &packed);
    symlink("drops/a.vcf", project.path("latest.vcf")).expect("a link");
    let generate = |path: &str, edition: &str| {
        let arguments = ["generate", "--records", "50", "--edition", edition, "--out", path];
        vardelta_in(project.directory(), &arguments)
    };
    for path in ["drops/a.vcf", "drops/b.vcf.gz", "latest.vcf", "pipeline.toml", "drops"] {
        let before = project.bytes(path);
        generate(path, "1").expect(2).says(&["would overwrite what is not its own", "nothing else is overwritten"]);
        assert!(project.bytes(path) == before, "{path} is as it was");
    }
    for path in ["day1.vcf", "day1.vcf.gz"] {
        generate(path, "0").expect(0);
        let first = project.bytes(path);
        generate(path, "1").expect(0);
        assert!(project.bytes(path) != first, "{path} was corrected");
    }
}
