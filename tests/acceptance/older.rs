//! A database with its state as the vardelta before manifests of format 2 left them: there a table's state held the assertions
//! of a key in one list, which was rewritten at every touch. `older/format_1` was made by that vardelta from its own drops.

use std::{fs, path::PathBuf};

use vardelta_engine::failpoint::{Effect, points};
use vardelta_tests::{
    binary::root,
    database::texts,
    older::of_these_stages,
    project::{Project, finish},
};

/// The epochs that were loaded: one for each drop.
const DROPS: [&str; 3] = ["a", "b", "c"];
/// Rows of all tables as texts; what epoch last changed a row differs between a fresh run and a grown one.
const ROWS: &str = "SELECT 'latest ' || chrom || ' ' || pos || ' ' || ref || ' ' || alt || ' ' || info_dp FROM latest \
    UNION ALL SELECT 'first ' || chrom || ' ' || pos || ' ' || ref || ' ' || alt || ' ' || info_dp FROM first ORDER BY 1";

fn fixture(path: &str) -> Vec<u8> {
    let path: PathBuf = root().join("tests/acceptance/older/format_1").join(path);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The pipeline and its drops, with nothing loaded.
fn fresh() -> Project {
    let project = Project::new(&String::from_utf8(fixture("pipeline.toml")).expect("text"));
    for name in DROPS {
        project.write(&format!("drops/{name}.vcf"), &fixture(&format!("drops/{name}.vcf")));
    }
    project
}

/// The same with what the older vardelta left.
fn taken_over() -> Project {
    let project = fresh();
    project.write("older.sqlite", &fixture("older.db"));
    of_these_stages(&project.path("older.sqlite"));
    fs::create_dir_all(project.path(".vardelta/older")).expect("a directory can be made");
    for entry in fs::read_dir(root().join("tests/acceptance/older/format_1/state")).expect("the fixture is there") {
        let path = entry.expect("a file").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        project.write(&format!(".vardelta/older/{name}"), &fs::read(&path).expect("it can be read"));
    }
    project
}

/// A project in which this vardelta has loaded the same drops, one after the other.
fn loaded_now() -> Project {
    let project = fresh();
    for name in DROPS {
        project.vardelta("run", &[&format!("drops/{name}.vcf")]).expect(0);
    }
    project
}

fn rows(project: &Project) -> Vec<String> {
    texts(&project.path("older.sqlite"), ROWS)
}

/// A drop: records as contig, position, depth.
fn write_drop(project: &Project, name: &str, records: &[(&str, u64, u64)]) {
    let mut text = String::from(
        "##fileformat=VCFv4.3\n##INFO=<ID=DP,Number=1,Type=Integer,Description=\"Depth\">\n##contig=<ID=chr1>\n\
         ##contig=<ID=chr2>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n",
    );
    for (contig, position, depth) in records {
        text.push_str(&format!("{contig}\t{position}\t.\tA\tG\t50\tPASS\tDP={depth}\n"));
    }
    project.write(&format!("drops/{name}.vcf"), text.as_bytes());
}

/// Keys that older drops assert and ones that are new, over the edges of what each drop has.
fn write_new_drop(project: &Project) {
    let known = (15..45).map(|position| ("chr1", position, 300 + position));
    let records: Vec<_> = known.chain((8..20).map(|position| ("chr2", position, 1))).collect();
    write_drop(project, "d", &records);
}

/// Another content of the first drop: some keys stay, some go, some come.
fn write_correction(project: &Project) {
    let records: Vec<_> = (25..55).map(|position| ("chr1", position, position % 4)).collect();
    write_drop(project, "a", &records);
}

/// In chunks of a few records, so that a key's list and its entries meet within an epoch too.
const IN_CHUNKS: [&str; 4] = ["--set", "pipeline.chunk_records=9", "--workers", "2"];

#[test]
fn it_is_read_as_it_is() {
    let project = taken_over();
    assert_eq!(rows(&project), rows(&loaded_now()));
    project.vardelta("verify", &[]).expect(0);
    let before = fs::read_dir(project.path(".vardelta/older")).expect("a state").count();
    write_new_drop(&project);
    project.vardelta("run", &["--dry-run"]).expect(0);
    project.vardelta("verify", &[]).expect(0);
    assert!(before <= fs::read_dir(project.path(".vardelta/older")).expect("a state").count(), "nothing was deleted");
}

#[test]
fn whatever_happens_next_is_as_if_it_had_been_loaded_now() {
    let (old, now) = (taken_over(), loaded_now());
    let both = |what: &str, verb: &str, arguments: &[&str]| {
        for project in [&old, &now] {
            project.vardelta(verb, &[arguments, &IN_CHUNKS].concat()).expect(0);
        }
        assert_eq!(rows(&old), rows(&now), "{what}");
        old.vardelta("verify", &[]).expect(0);
    };
    [&old, &now].into_iter().for_each(write_new_drop);
    both("a drop over known keys", "run", &[]);
    [&old, &now].into_iter().for_each(write_correction);
    both("another content of the first drop", "run", &[]);
    both("without the second", "withdraw", &["b"]);
    both("the third forgotten", "withdraw", &["c", "--erase"]);
    both("without the fourth", "withdraw", &["d"]);
    both("without any", "withdraw", &["a"]);
    assert!(rows(&old).is_empty());
}

#[test]
fn death_at_any_step_of_the_first_epoch_leaves_before_or_after() {
    let expected = loaded_now();
    let before = rows(&expected);
    write_new_drop(&expected);
    write_correction(&expected);
    expected.vardelta("run", &[]).expect(0);
    let after = rows(&expected);
    for point in points(Effect::Dies, &["commit", "state"]) {
        let project = taken_over();
        write_new_drop(&project);
        write_correction(&project);
        let mut command = project.command("run", &IN_CHUNKS);
        let said = finish(command.env("VARDELTA_FAILPOINT", format!("{point}:1")));
        // Its rows may all have gone ahead: then there is no batch left for the commit.
        if said.code == 0 && point == "commit:batch" {
            continue;
        }
        assert_eq!(said.code, -1, "{point} is not passed\n{}", said.stderr);
        let found = rows(&project);
        assert!(found == before || found == after, "{point}");
        project.vardelta("run", &[]).expect(0);
        assert_eq!(rows(&project), after, "{point}");
        project.vardelta("verify", &[]).expect(0);
    }
}
