//! `--rejects FILE` replaces a list of rejects and nothing else.

use std::{fs, os::unix::fs::symlink};

use super::{positions, project, write_drop};

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
