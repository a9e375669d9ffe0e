use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::symlink},
};

use super::*;

fn settings(base: &Path) -> PipelineSettings {
    PipelineSettings { base_dir: base.into(), ..PipelineSettings::default() }
}

fn plan(path: &str, base: &Path) -> Result<Files, (String, String)> {
    let mut problems = Diagnostics::default();
    let options = FileOptions { path: Some(Spanned { value: PathGlob(path.into()), span: 0..0 }), drop_name: None };
    let files = Files::plan(options, &[".vcf"], &settings(base), &mut problems);
    files.ok_or_else(|| {
        let problem = problems.into_sorted().remove(0);
        (problem.message, problem.hint.unwrap_or_default())
    })
}

/// A folder whose own name holds what means something in a glob, with these files in it.
fn folder(files: &[&[u8]]) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a folder");
    let base = directory.path().join("run [1] {a,b}");
    for file in files {
        let path = base.join(OsStr::from_bytes(file));
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, "").expect("a file");
    }
    (directory, base)
}

fn found(path: &str, base: &Path) -> (Vec<String>, Vec<String>) {
    let discovered = plan(path, base).expect("a glob").discover().expect("readable folders");
    let inside = |path: &PathBuf| to_text(path.strip_prefix(base).unwrap_or(path));
    (discovered.paths.iter().map(inside).collect(), discovered.notices)
}

#[test]
fn finds_files_by_name_and_leaves_hidden_ones_alone() {
    let (_keep, base) = folder(&[
        b"drops/a/2.vcf",
        b"drops/b/1.vcf",
        b"drops/a/.3.vcf",
        b"drops/a/4.txt",
        b"drops/a/2.vcf.gz.tbi",
        b"drops/d.vcf/x",
        b"drops/a/.c/5.vcf",
    ]);
    for (pattern, expected) in [
        ("drops/*/*.vcf", &["drops/b/1.vcf", "drops/a/2.vcf"][..]),
        ("drops/a/*.vcf*", &["drops/a/2.vcf"]),
        ("drops/a/2.vcf", &["drops/a/2.vcf"]),
        ("./drops//a/2.vcf", &["drops/a/2.vcf"]),
        ("drops/a/.*.vcf", &["drops/a/.3.vcf"]),
        ("drops/**/*.vcf", &["drops/b/1.vcf", "drops/a/2.vcf"]),
        ("drops/{a,b}/*.{vcf,txt}", &["drops/b/1.vcf", "drops/a/2.vcf", "drops/a/4.txt"]),
        ("{drops,drops}/a/2*.vcf", &["drops/a/2.vcf"]),
        ("drops/**", &["drops/b/1.vcf", "drops/a/2.vcf", "drops/a/4.txt", "drops/d.vcf/x"]),
        ("drops/a/../b/1.vcf", &["drops/a/../b/1.vcf"]),
        ("drops/*.vcf", &[]),
        ("nowhere/*", &[]),
    ] {
        assert_eq!(found(pattern, &base).0, expected, "{pattern}");
    }
    let absolute = format!("{}/drops/a/*.vcf", base.display()).replace('[', "[[]").replace('{', "[{]");
    assert_eq!(found(&absolute, &base).0, ["drops/a/2.vcf"]);
}

#[test]
fn names_that_are_not_utf8_are_files_as_any_other() {
    let (_keep, base) =
        folder(&[b"drops/M\xfcller.vcf", b"drops/M\xf6ller.vcf", b"drops/R\xe9sum\xe9.txt", b"a\xff/b.vcf"]);
    assert_eq!(found("drops/*.vcf", &base).0, [r"drops/M\xf6ller.vcf", r"drops/M\xfcller.vcf"]);
    assert_eq!(found("*/b.vcf", &base).0, [r"a\xff/b.vcf"]);
    assert_eq!(found("**/b.vcf", &base).0, [r"a\xff/b.vcf"]);
}

#[test]
fn links_are_followed_and_never_in_a_circle() {
    let (_keep, base) = folder(&[b"drops/a/1.vcf"]);
    symlink("..", base.join("drops/a/up")).expect("a link");
    symlink("a/1.vcf", base.join("drops/latest.vcf")).expect("a link");
    symlink("nowhere", base.join("drops/gone.vcf")).expect("a link");
    assert_eq!(found("drops/*.vcf", &base).0, ["drops/gone.vcf", "drops/latest.vcf"]);
    assert_eq!(found("drops/**/1.vcf", &base).0, ["drops/a/1.vcf"]);
}

#[test]
fn what_is_no_drop_is_told_of_once() {
    let (_keep, base) = folder(&[
        b"drops/a.vcf.gz",
        b"drops/a.vcf.gz.tbi",
        b"drops/a.vcf.gz.md5",
        b"drops/big.vcf.part",
        b"drops/c.vcf.idx",
        b"drops/old.vcf/b.vcf",
    ]);
    let (paths, notices) = found("drops/*.vcf*", &base);
    assert_eq!(paths, ["drops/a.vcf.gz"]);
    let [notice] = &notices[..] else { panic!("{notices:?}") };
    for said in
        ["a.vcf.gz.md5 (a checksum", "big.vcf.part (still being copied)", "c.vcf.idx (an index)", "old.vcf (a folder)"]
    {
        assert!(notice.contains(said), "{notice}");
    }
}

#[test]
fn a_glob_that_matches_nothing_is_told_of_with_the_nearest_folder() {
    let (_keep, base) = folder(&[b"drops/a.vcf.gz", b"drops/b.vcf.gz", b"empty/.hidden"]);
    fs::remove_file(base.join("empty/.hidden")).expect("removed");
    for (pattern, said) in [
        ("drops/*.vcf", "the folder {base}/drops is there, and holds 2 of other names, such as a.vcf.gz"),
        ("drops/2026/*/a.vcf", "{base}/drops/2026 is not there; the nearest folder is {base}/drops"),
        ("drops/a.vcf.gz/*", "{base}/drops/a.vcf.gz is no folder; the nearest folder is {base}/drops"),
        ("empty/*.vcf", "the folder {base}/empty is empty"),
    ] {
        let (_, notices) = found(pattern, &base);
        let said = format!("no file matches {pattern}: {}", said.replace("{base}", &base.display().to_string()));
        assert_eq!(notices, [said]);
    }
}

#[test]
fn what_is_no_glob_of_files_gets_its_own_answer() {
    let (_keep, base) = folder(&[b"drops/a.vcf"]);
    for (path, problem, hint) in [
        ("", "it is empty", "drops/*.vcf.gz"),
        ("drops", "it is a directory", "`drops/*.vcf*`"),
        ("nowhere/", "it is a directory", "`nowhere/*.vcf*`"),
        ("~/drops/*.vcf", "`~`", "`${HOME}/drops/*.vcf`"),
        ("~anna/drops/*.vcf", "`~user`", "written"),
        ("s3://bucket/*.vcf.gz", "S3", "aws s3"),
        ("gs://bucket/a.vcf", "Google Cloud", "gcloud"),
        ("https://example.org/a.vcf.gz", "not fetched from the network", "curl"),
        ("file:///data/*.vcf", "it is a URL", "`/data/*.vcf`"),
        ("sftp://host/a.vcf", "another machine", "rsync"),
        ("a[", "`[` is not closed", "`*` stands for"),
        ("*.{vcf", "`{` is not closed", "`*` stands for"),
    ] {
        let (said, advice) = plan(path, &base).expect_err(path);
        assert!(said.contains(problem), "{path}: {said}");
        assert!(advice.contains(hint) || hint == "written", "{path}: {advice}");
    }
    assert!(plan(&"a".repeat(5_000), &base).is_err());
}

#[test]
fn the_column_of_the_drops_name_is_a_new_one() {
    let schema = Schema::new(vec![Column::required("pos", ColumnType::Int64)]);
    let mut problems = Diagnostics::default();
    let name = |value: &str| Spanned { value: value.to_owned(), span: 0..0 };
    let with = with_drop_column(&schema, Some(&name("batch")), &mut problems).expect("a new column");
    assert_eq!(with.index_of("batch"), Some(1));
    assert!(with_drop_column(&schema, Some(&name("pos")), &mut problems).is_none());
    assert_eq!(with_drop_column(&schema, None, &mut problems), Some(schema));
}
