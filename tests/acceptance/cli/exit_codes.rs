//! Each exit code, provoked for real.

use rusqlite::Connection;
use vardelta_tests::{
    drop_file::{self, Packing},
    project::Project,
    shared::{has_tool, skipped},
    story,
};

fn loaded() -> Project {
    let project = Project::new(story::PIPELINE.text);
    story::write_drop(&project, "alpha", &story::lines(1, 40));
    project.vardelta("run", &[]).expect(0);
    project
}

#[test]
fn usage_is_2() {
    let project = loaded();
    project.vardelta("bogus", &[]).expect(2);
    project.vardelta("run", &["--no-such-flag"]).expect(2);
    project.vardelta("run", &["--workers", "0"]).expect(2);
    project.vardelta("withdraw", &["alfa"]).expect(2).says(&["alfa", "Did you mean `alpha`?"]);
    project.vardelta("run", &["--into", "cals", "drops/alpha.vcf.gz"]).expect(2).says(&["Did you mean `calls`?"]);
    project.vardelta("run", &["--as", "x", "drops/alpha.vcf.gz", "drops/alpha.vcf.gz"]).expect(2);
}

#[test]
fn an_invalid_pipeline_is_3_for_every_verb() {
    let project = Project::new(&story::PIPELINE.text.replace("\"normalize\"", "\"normalise\""));
    for verb in ["validate", "graph", "explain", "run", "drops", "history", "verify", "rebuild"] {
        project.vardelta(verb, &[]).expect(3).says(&["Did you mean \"normalize\"?"]);
    }
    project.vardelta("withdraw", &["x"]).expect(3);
}

/// The ends of the blocks of a BGZF file (SAM 1.6, section 4.1: BSIZE is in the extra field, 16 bytes into the block).
fn block_ends(bytes: &[u8]) -> Vec<usize> {
    let mut ends = vec![0];
    while let Some(block) = bytes.get(ends[ends.len() - 1]..).filter(|rest| rest.len() > 18) {
        let size = usize::from(u16::from_le_bytes([block[16], block[17]])) + 1;
        ends.push(ends[ends.len() - 1] + size);
    }
    ends
}

#[test]
fn unreadable_or_truncated_input_is_4_and_nothing_is_written() {
    let project = loaded();
    let before = project.bytes(story::PIPELINE.database);
    let text = story::big_drop(3_000, 1);
    let whole = Packing::Bgzf.pack(text.as_bytes());
    let ends = block_ends(&whole);
    assert!(ends.len() > 4, "the drop has several blocks");
    let gzip = Packing::Gzip.pack(text.as_bytes());
    let cases: [(&str, &[u8]); 7] = [
        ("a block boundary", &whole[..ends[ends.len() / 2]]),
        ("the end-of-file block", &whole[..whole.len() - 28]),
        ("the middle of a block", &whole[..ends[2] + 100]),
        ("the middle of a gzip file", &gzip[..gzip.len() / 2]),
        ("the checksum of a gzip file", &gzip[..gzip.len() - 3]),
        ("everything", b""),
        ("the header", b"no header at all\n1\t2\t.\tA\tC\t.\t.\t.\n"),
    ];
    for (what, bytes) in cases {
        let path = project.write("drops/cut.vcf.gz", bytes);
        let said = project.vardelta("run", &[]).expect(4);
        assert!(said.stderr.contains("cut.vcf.gz"), "{what} is missing: {}", said.stderr);
        assert_eq!(project.bytes(story::PIPELINE.database), before, "{what} is missing");
        std::fs::remove_file(path).expect("it is there");
    }
    project.vardelta("run", &["no_such_file.vcf"]).expect(4).says(&["no_such_file.vcf"]);
    project.vardelta("run", &["drops"]).expect(4);

    // Complete files whose end-of-file block is missing exist; the user may say so.
    project.write("drops/cut.vcf.gz", &whole[..whole.len() - 28]);
    project.vardelta("run", &["--set", "stages.calls.allow_missing_eof=true"]).expect(0);
    project.vardelta("verify", &[]).expect(0);
}

#[test]
fn a_file_cut_by_another_tool_is_4_too() {
    if !has_tool("a BGZF file by bgzip", "bgzip", "--version") {
        return;
    }
    let project = Project::new(story::PIPELINE.text);
    let plain = project.write("cut.vcf", story::big_drop(3_000, 1).as_bytes());
    let status = std::process::Command::new("bgzip").arg(&plain).status().expect("bgzip can be started");
    if !status.success() {
        skipped("a BGZF file by bgzip", "bgzip failed");
        return;
    }
    let bytes = project.bytes("cut.vcf.gz");
    project.write("cut.vcf.gz", &bytes[..block_ends(&bytes)[3]]);
    project.vardelta("run", &["cut.vcf.gz"]).expect(4);
    project.write("cut.vcf.gz", &bytes);
    project.vardelta("run", &["cut.vcf.gz"]).expect(0);
}

#[test]
fn too_many_rejects_are_5_and_nothing_is_written() {
    let project = Project::new(&story::PIPELINE.text.replace("max_reject_share = 1.0", "max_reject_share = 0.1"));
    let good = "1\t1\t.\tA\tC\t50\tPASS\tANN=C|stop_gained|HIGH|TP53\n".repeat(8);
    let bad = "1\tten\t.\tA\tC\t50\tPASS\t.\n";
    project.write("drops/mixed.vcf", format!("{}{good}{bad}", drop_file::HEADER).as_bytes());
    project.vardelta("run", &[]).expect(5).says(&["bad_position", "max_reject_share"]);
    assert!(story::tables(project.directory()).rows.values().all(|rows| rows.is_empty()));
    assert_eq!(project.vardelta("drops", &["--json"]).expect(0).json()["epoch"], 0);
    // Two good records more, and the share is not above the limit.
    let more = good.clone() + "1\t2\t.\tA\tC\t50\tPASS\t.\n";
    project.write("drops/mixed.vcf", format!("{}{more}{bad}", drop_file::HEADER).as_bytes());
    project.vardelta("run", &[]).expect(0);
}

#[test]
fn trouble_with_sink_or_state_is_6() {
    // A directory where the database should be.
    let project = Project::new(story::PIPELINE.text);
    std::fs::create_dir(project.path(story::PIPELINE.database)).expect("a directory can be made");
    story::write_drop(&project, "alpha", &story::lines(1, 10));
    project.vardelta("run", &[]).expect(6).says(&["gene_summary.sqlite"]);

    // Something that is no database.
    let project = Project::new(story::PIPELINE.text);
    project.write(story::PIPELINE.database, b"not a database, but long enough to look at\n".repeat(100).as_slice());
    story::write_drop(&project, "alpha", &story::lines(1, 10));
    project.vardelta("run", &[]).expect(6).says(&["gene_summary.sqlite"]);

    // A table of the same name that somebody else made.
    let project = Project::new(story::PIPELINE.text);
    let connection = Connection::open(project.path(story::PIPELINE.database)).expect("it can be made");
    connection
        .execute_batch("CREATE TABLE variants (x TEXT); INSERT INTO variants VALUES ('mine')")
        .expect("valid SQL");
    drop(connection);
    story::write_drop(&project, "alpha", &story::lines(1, 10));
    project.vardelta("run", &[]).expect(6).says(&["variants"]);
    let connection = Connection::open(project.path(story::PIPELINE.database)).expect("it is there");
    let mine: String = connection.query_row("SELECT x FROM variants", [], |row| row.get(0)).expect("it is there");
    assert_eq!(mine, "mine");
}

#[test]
fn a_damaged_state_is_6_and_never_wrong_rows() {
    let project = loaded();
    let before = story::tables(project.directory());
    let mut files = Vec::new();
    let mut open = vec![project.path(".vardelta")];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).expect("a directory can be read") {
            let path = entry.expect("a directory can be read").path();
            if path.is_dir() { open.push(path) } else { files.push(path) }
        }
    }
    for path in files {
        let whole = std::fs::read(&path).expect("a file can be read");
        for at in [0, whole.len() / 3, whole.len() / 2, whole.len().saturating_sub(1)] {
            let Some(byte) = whole.get(at) else { continue };
            let mut damaged = whole.clone();
            damaged[at] = !byte;
            std::fs::write(&path, damaged).expect("a file can be written");
            let what = format!("byte {at} of {}", path.display());
            for (verb, arguments) in [("verify", &[][..]), ("withdraw", &["alpha", "--dry-run"])] {
                let said = project.vardelta(verb, arguments);
                assert!(matches!(said.code, 0 | 6 | 7), "{what}: {verb} exits with {}\n{}", said.code, said.stderr);
            }
            assert_eq!(story::tables(project.directory()), before, "{what}");
            std::fs::write(&path, &whole).expect("a file can be written");
        }
    }
    project.vardelta("verify", &[]).expect(0);
}

#[test]
fn a_lost_state_is_6_and_rebuild_reads_the_files_again() {
    let project = loaded();
    let before = story::tables(project.directory());
    std::fs::remove_dir_all(project.path(".vardelta")).expect("the state is there");
    project.vardelta("run", &[]).expect(6).says(&["state", "rebuild"]);
    project.vardelta("rebuild", &[]).expect(0);
    assert_eq!(story::tables(project.directory()).rows, before.rows);
    project.vardelta("verify", &[]).expect(0);
}

#[test]
fn a_mismatch_is_7_and_the_row_is_named() {
    let edits = [
        ("UPDATE mutation_summary SET variant_count = 77 WHERE gene_symbol = 'TP53'", "mutation_summary", "77"),
        ("DELETE FROM mutation_summary WHERE gene_symbol = 'KRAS'", "mutation_summary", "KRAS"),
        ("INSERT INTO mutation_summary VALUES ('NEW1', 5, 1.0, 0, 1)", "mutation_summary", "NEW1"),
        ("UPDATE variants SET quality = 1.25 WHERE rowid_is_none", "variants", "1.25"),
        ("DELETE FROM variants", "variants", "no such row"),
    ];
    for (sql, table, shown) in edits {
        let project = loaded();
        let connection = Connection::open(project.path(story::PIPELINE.database)).expect("it is there");
        let place = "(chromosome, position, reference, alternate) = \
            (SELECT chromosome, position, reference, alternate FROM variants LIMIT 1)";
        let changed = connection.execute(&sql.replace("rowid_is_none", place), []).expect("valid SQL");
        assert!(changed > 0, "{sql}");
        drop(connection);
        project.vardelta("verify", &[]).expect(7).says(&[table, shown]);
        let json = project.vardelta("verify", &["--json"]).expect(7).json();
        assert!(json["difference_count"].as_u64().is_some_and(|count| count > 0), "{json}");
        assert!(json["differences"].as_array().is_some_and(|rows| rows.iter().any(|row| row["table"] == table)));
        project.vardelta("rebuild", &[]).expect(0);
        project.vardelta("verify", &[]).expect(0);
    }
}
