//! Names of files: bytes that are no UTF-8, one name in many folders, sidecars and copies that are not complete.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt as _, process::Stdio};

use vardelta_tests::{
    database::Cell,
    project::{Project, finish},
};

use super::{drops, pipeline, positions, project, rows, vcf, write_drop};

#[test]
fn names_that_differ_in_bytes_that_are_no_utf8_are_different_drops() {
    let project = project();
    let write = |name: &[u8], number: u64| {
        let path = project.path("drops").join(OsStr::from_bytes(name));
        fs::write(path, vcf([number])).expect("a file");
    };
    write(b"M\xfcller.vcf", 1);
    write(b"M\xf6ller.vcf", 2);
    write(br"M\xfcller.vcf", 3);
    write(b"R\xe9sum\xe9.txt", 4);
    project.vardelta("run", &[]).expect(0).says(&[r"M\xfcller", r"M\xf6ller"]);
    let mut names = drops(&project);
    names.sort();
    assert_eq!(names, [r"M\\xfcller", r"M\xf6ller", r"M\xfcller"]);
    assert_eq!(positions(&project), [1, 2, 3]);
    // The same files again are the same drops, also where one is named on the command line.
    let again = project.vardelta("run", &["--json"]).expect(0).json();
    assert_eq!(again["committed"], false);
    let mut command = project.command("run", &["--json"]);
    command.arg(OsStr::from_bytes(b"drops/M\xfcller.vcf")).stdin(Stdio::null());
    assert_eq!(finish(&mut command).expect(0).json()["drops"][0]["action"], "unchanged");
    write(b"M\xfcller.vcf", 5);
    project.vardelta("run", &[]).expect(0);
    project.vardelta("withdraw", &[r"M\xf6ller"]).expect(0);
    assert_eq!(positions(&project), [3, 5]);
    fs::remove_file(project.path("drops").join(OsStr::from_bytes(b"M\xfcller.vcf"))).expect("removed");
    fs::remove_file(project.path("drops").join(OsStr::from_bytes(b"M\xf6ller.vcf"))).expect("removed");
    project.vardelta("run", &["--prune-all"]).expect(0);
    assert_eq!(positions(&project), [3]);
    project.vardelta("verify", &[]).expect(0);
}

#[test]
fn files_of_one_name_are_told_apart_by_their_folders() {
    let project = Project::new(&pipeline("path = \"runs/*/snps.vcf\"\ndrop_column = \"sample_run\""));
    for number in 1..=3 {
        write_drop(&project, &format!("runs/S{number}/snps.vcf"), number);
    }
    project.vardelta("run", &[]).expect(4).says(&["would both be drop `snps`", "drop_name = \"{parent}_{stem}\""]);
    project.write(
        "pipeline.toml",
        pipeline("path = \"runs/*/snps.vcf\"\ndrop_name = \"{parent}_{stem}\"\ndrop_column = \"sample_run\"")
            .as_bytes(),
    );
    project.vardelta("run", &[]).expect(0);
    assert_eq!(drops(&project), ["S1_snps", "S2_snps", "S3_snps"]);
    let of = |position: u64| {
        let found = rows(project.directory(), "sample_run");
        found.into_iter().find(|(at, _)| *at == position as i64).map(|(_, cell)| cell)
    };
    assert_eq!(of(11), Some(Cell::Text("S1_snps".into())));
    assert_eq!(of(30), Some(Cell::Text("S2_snps".into())));
    // A row that two drops assert says which one stands, and says so again when that one goes.
    project.write("runs/S3/snps.vcf", vcf(20..=35).as_bytes());
    project.vardelta("run", &[]).expect(0);
    assert_eq!(of(30), Some(Cell::Text("S3_snps".into())));
    project.vardelta("withdraw", &["S3_snps"]).expect(0);
    assert_eq!((of(30), of(31)), (Some(Cell::Text("S2_snps".into())), None));
    // Loaded by name, and under a name.
    project.vardelta("run", &["runs/S3/snps.vcf"]).expect(0);
    assert_eq!(of(35), Some(Cell::Text("S3_snps".into())));
    project.vardelta("run", &["runs/S3/snps.vcf", "--as", "third"]).expect(0);
    assert_eq!(of(35), Some(Cell::Text("third".into())));
    project.vardelta("verify", &[]).expect(0);
    // Another rule names new files; those that are loaded keep their names.
    let by_match = "path = \"runs/*/*.vcf\"\ndrop_name = { match = 'runs/S(\\d+)/', name = \"{stem}.{1}\" }\n\
        drop_column = \"sample_run\"";
    project.write("pipeline.toml", pipeline(by_match).as_bytes());
    write_drop(&project, "runs/S4/snps.vcf", 4);
    project.vardelta("withdraw", &["third"]).expect(0);
    project.vardelta("run", &[]).expect(0).says(&["stays drop `S1_snps`"]);
    assert_eq!(drops(&project), ["S1_snps", "S2_snps", "S3_snps", "snps.4"]);
    write_drop(&project, "runs/other/snps.vcf", 5);
    project.vardelta("run", &[]).expect(4).says(&["runs/other/snps.vcf", "no name"]);
}

#[test]
fn sidecars_and_copies_that_are_not_complete_are_told_of_and_never_loaded() {
    let project = project();
    write_drop(&project, "drops/good.vcf", 1);
    for name in ["big.vcf.part", "c.vcf.filepart", "d.vcf.tmp", "e.vcf.gz.crdownload", "good.vcf.md5", "good.vcf.idx"] {
        project.write(&format!("drops/{name}"), vcf([500]).as_bytes());
    }
    let report = project.vardelta("run", &["--json"]).expect(0).json();
    let notices: Vec<&str> = report["notices"].as_array().expect("notices").iter().filter_map(|n| n.as_str()).collect();
    let [notice] = notices[..] else { panic!("{notices:?}") };
    for said in ["left alone", "big.vcf.part", "still being copied", "good.vcf.md5", "good.vcf.idx", "1 more"] {
        assert!(notice.contains(said), "{notice}");
    }
    assert_eq!(drops(&project), ["good"]);
    project.vardelta("run", &["drops/big.vcf.part"]).expect(4).says(&["is no drop by its name", "still being copied"]);
    assert_eq!(positions(&project), (11..=20).collect::<Vec<_>>());
}

#[test]
fn what_people_write_for_a_path_gets_an_answer() {
    let project = Project::new(&pipeline("path = \"drops/*.{vcf,vcf.gz}\""));
    write_drop(&project, "drops/a.vcf", 1);
    project.vardelta("run", &[]).expect(0);
    assert_eq!(drops(&project), ["a"]);
    for (path, said) in [
        ("drops", "it is a directory"),
        ("~/drops/*.vcf", "${HOME}/drops/*.vcf"),
        ("s3://bucket/*.vcf", "aws s3"),
        ("gs://bucket/*.vcf", "gcloud"),
        ("https://example.org/a.vcf", "not fetched from the network"),
        ("file:///data/*.vcf", "`/data/*.vcf`"),
        ("drops/*.{vcf", "a `{` is not closed"),
    ] {
        let set = format!("stages.calls.path={path}");
        project.vardelta("validate", &["--set", &set]).expect(3).says(&[said, "--set"]);
    }
    project.vardelta("validate", &["--set", "stages.calls.path=[\"a/*.vcf\", \"b/*.vcf\"]"]).expect(3).says(&["{a,b}"]);
    let said = project.vardelta("run", &["--set", "stages.calls.path=drops/2026/*.vcf"]).expect(0);
    said.says(&["no file matches drops/2026/*.vcf", "drops/2026 is not there; the nearest folder is"]);
}
