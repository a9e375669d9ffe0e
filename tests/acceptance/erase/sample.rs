//! One sample of drops is forgotten: nothing of it is anywhere, the others stand, and no later delivery brings it back.

use vardelta_engine::{
    failpoint::{Effect, points},
    state::{SHARDS, State},
};
use vardelta_tests::project::finish;

use super::dump::holds;
use crate::unique::shelf::{Shelf, on_each_with};

/// The sample. Its name and its values are nowhere else.
const SAMPLE: &str = "ZZMARK-7";
/// A genotype's depth that is the sample's alone.
const DEPTH: &str = "987654";

const PIPELINE: &str = r#"
[pipeline]
name = "family"
max_reject_share = 0.9
[stages.calls]
type = "vcf"
path = "drops/*.vcf"
samples = "long"
[stages.alleles]
type = "normalize"
input = "calls"
[stages.named]
type = "select"
input = "alleles"
columns = { position = "pos", alternate = "alt", sample = "sample", copies = "allele_count", depth = "dp" }
[stages.genotypes]
type = "table"
input = "named"
key = ["position", "alternate", "sample"]
[stages.carriers]
type = "aggregate"
input = "genotypes"
group_by = ["position"]
columns = { samples = "count(*)", copies = "sum(copies)", deepest = "max(depth)" }
[stages.store]
tables = ["genotypes", "carriers"]
history = ["genotypes", "carriers"]
type = "sqlite"
path = "things.sqlite"
"#;

/// A drop; records as `pos genotypes…`.
fn write(shelf: &Shelf, name: &str, samples: &str, records: &[&str]) {
    write_in(shelf, "drops", name, samples, records);
}

fn write_in(shelf: &Shelf, folder: &str, name: &str, samples: &str, records: &[&str]) {
    let columns = format!("#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT {samples}");
    let lines = records.iter().map(|record| {
        let (position, genotypes) = record.split_once(' ').expect("a record");
        format!("1 {position} . A C . . . GT:DP {genotypes}")
    });
    let text: Vec<String> = std::iter::once(columns).chain(lines).map(|line| line.replace(' ', "\t")).collect();
    let header = "##fileformat=VCFv4.2\n##FORMAT=<ID=GT,Number=1,Type=String,Description=\"g\">\n##FORMAT=<ID=DP,Number=1,\
                  Type=Integer,Description=\"d\">\n";
    shelf.project.write(&format!("{folder}/{name}.vcf"), format!("{header}{}\n", text.join("\n")).as_bytes());
}

/// Two drops with the sample, one of them with a record that is rejected, and one without it.
fn load(shelf: &Shelf) {
    let marked = format!("0/1:{DEPTH}");
    let first = [format!("100 0/1:10 {marked}"), format!("200 1/1:11 {marked}"), format!("ten 1/1:11 {marked}")];
    write(shelf, "first", &format!("other {SAMPLE}"), &first.each_ref().map(String::as_str));
    shelf.run("run", &[], 0);
    write(shelf, "second", SAMPLE, &[&format!("300 {marked}"), &format!("100 1/1:{DEPTH}")]);
    write(shelf, "third", "third", &["100 0/1:5"]);
    shelf.run("run", &[], 0);
}

/// The rows of the tables as they are without the sample.
const LEFT: [&str; 5] = ["100|C|other|1|10", "100|C|third|1|5", "200|C|other|2|11", "100|2|2|10", "200|1|2|11"];

fn rows(shelf: &Shelf) -> Vec<String> {
    let columns = "position, alternate, sample, copies, depth";
    let mut rows = shelf.sql(&format!("select {columns} from genotypes order by position, sample"));
    rows.extend(shelf.sql("select position, samples, copies, deepest from carriers order by position"));
    rows
}

#[track_caller]
fn assert_no_trace(shelf: &Shelf, when: &str) {
    let dumped = shelf.everything();
    for text in [SAMPLE, DEPTH] {
        assert!(!dumped.contains(text), "{when}: `{text}` is in the database:\n{dumped}");
        for file in ["things.sqlite", "things.sqlite-wal"] {
            assert!(!holds(&shelf.project.bytes(file), text.as_bytes()), "{when}: `{text}` is in {file}");
        }
    }
    let state = State::open_read(&shelf.project.path(".vardelta/family"), None).expect("the state can be read");
    let session = state.begin().expect("it is finalised");
    for space in state.statistics() {
        for shard in 0..SHARDS {
            let mut reader = session.reader(&space.space, shard).expect("a shard can be read");
            let mut scan = reader.scan(&[]).expect("it can be scanned");
            while let Some((key, value)) = scan.next().expect("an entry can be read") {
                assert!(!holds(&[key, value].concat(), b"ZZMARK-7"), "{when}: the state has it in {}", space.space);
            }
        }
    }
}

#[test]
fn nothing_of_an_erased_sample_is_found_anywhere() {
    on_each_with("nothing_of_an_erased_sample_is_found_anywhere", PIPELINE, |shelf| {
        load(&shelf);
        assert!(shelf.everything().contains(DEPTH) && rows(&shelf).len() > LEFT.len(), "the story has it before");
        let erase = ["--sample", SAMPLE, "--erase"];
        shelf.run("withdraw", &["--sample", "ZZMARK-8", "--erase"], 2).says(&[&format!("Did you mean `{SAMPLE}`?")]);
        shelf.run("withdraw", &["first", "--sample", SAMPLE, "--erase"], 2).says(&["out of every drop"]);
        let said = shelf.run("withdraw", &[&erase[..], &["--json"]].concat(), 0).json();
        assert_eq!((said["erased"]["proven"].as_bool(), said["epoch"].as_u64()), (Some(true), Some(3)), "{said}");
        for place in said["erased"]["places"].as_array().expect("the places are listed") {
            assert_eq!(place["found"], 0, "{said}");
        }
        let notices = said["notices"].to_string();
        assert!(notices.contains("first.vcf is there still and holds the sample"), "{notices}");
        assert_eq!(rows(&shelf), LEFT);
        assert_no_trace(&shelf, "erased");
        let kept = shelf.sql("select name from vardelta_withdrawn_members");
        assert!(kept.len() == 1 && kept[0].starts_with("erased:"), "{kept:?}");
        assert_eq!(shelf.sql("select count(*) from vardelta_drops"), ["3"], "the drops stand");
        shelf.run("verify", &[], 0);
        shelf.run("withdraw", &erase, 2).says(&["erased already"]);
        shelf.run("withdraw", &["--sample", SAMPLE], 2).says(&["erased already"]);
        shelf.run("drops", &[], 0);

        // A file that still holds it is loaded without it, also one of a new name.
        write(&shelf, "fourth", &format!("fourth {SAMPLE}"), &[&format!("400 0/1:7 0/1:{DEPTH}")]);
        shelf.run("run", &[], 0).says(&["that was erased"]);
        assert_eq!(shelf.sql("select sample from genotypes where position = 400"), ["fourth"]);
        assert_no_trace(&shelf, "delivered again");
        shelf.run("rebuild", &[], 0);
        assert_no_trace(&shelf, "rebuilt");
        // Who takes it in again says its name.
        shelf.run("run", &["--readmit", SAMPLE], 0);
        assert_eq!(shelf.sql("select sample from genotypes where position = 400 order by sample"), [SAMPLE, "fourth"]);
        assert_eq!(shelf.sql("select count(*) from vardelta_withdrawn_members"), ["0"]);
        shelf.run("verify", &[], 0);
    });
}

#[test]
fn a_sample_that_was_withdrawn_before_is_forgotten_too() {
    on_each_with("a_sample_that_was_withdrawn_before_is_forgotten_too", PIPELINE, |shelf| {
        load(&shelf);
        shelf.run("withdraw", &["--sample", SAMPLE], 0);
        assert!(shelf.everything().contains(DEPTH), "a withdrawal alone forgets nothing");
        shelf.run("withdraw", &["--sample", SAMPLE, "--erase"], 0).says(&["finds nothing"]);
        assert_eq!(rows(&shelf), LEFT);
        assert_no_trace(&shelf, "withdrawn before");
        shelf.run("run", &[], 0).says(&["nothing to do"]);
        shelf.run("verify", &[], 0);
    });
}

#[test]
fn a_sample_that_only_histories_hold_is_forgotten_too() {
    on_each_with("a_sample_that_only_histories_hold_is_forgotten_too", PIPELINE, |shelf| {
        let erase = ["--sample", SAMPLE, "--erase"];
        for all_withdrawn in [false, true] {
            let shelf = shelf.beside();
            load(&shelf);
            if all_withdrawn {
                shelf.run("withdraw", &["first", "second", "third"], 0);
            } else {
                write(&shelf, "first", "other", &["100 0/1:10", "200 1/1:11"]);
                write(&shelf, "second", "second", &["300 0/1:3"]);
                shelf.run("run", &[], 0);
            }
            let what = format!("all drops withdrawn: {all_withdrawn}");
            let before = rows(&shelf);
            assert_eq!(
                shelf.sql(&format!("select count(*) from genotypes where sample = '{SAMPLE}'")),
                ["0"],
                "{what}"
            );
            assert!(shelf.everything().contains(SAMPLE), "{what}: histories have it");
            shelf.run("withdraw", &["--sample", "ZZMARK-8", "--erase"], 2).says(&["no row of a sample `ZZMARK-8`"]);
            let said = shelf.run("withdraw", &[&erase[..], &["--json"]].concat(), 0).json();
            assert_eq!(said["erased"]["proven"], true, "{what}: {said}");
            assert_eq!(rows(&shelf), before, "{what}");
            assert_no_trace(&shelf, &what);
            shelf.run("withdraw", &erase, 2).says(&["erased already"]);
            shelf.run("verify", &[], 0);
            // It stays out. The rejects of a file that is read again would quote its lines.
            let gone: &[&str] = if all_withdrawn { &["first", "second", "third"] } else { &[] };
            for name in gone {
                std::fs::remove_file(shelf.project.path(&format!("drops/{name}.vcf"))).expect("it is there");
            }
            write(&shelf, "fourth", &format!("fourth {SAMPLE}"), &[&format!("400 0/1:7 0/1:{DEPTH}")]);
            shelf.run("run", &[], 0).says(&["that was erased"]);
            assert_no_trace(&shelf, &format!("{what}, delivered again"));
        }
    });
}

/// A source that a later definition of the pipeline has.
const LATER: &str = r#"
[stages.later]
type = "vcf"
path = "later/*.vcf"
samples = "long"
[stages.later_named]
type = "select"
input = "later"
columns = { position = "pos", sample = "sample", depth = "dp" }
[stages.later_genotypes]
type = "table"
input = "later_named"
key = ["position", "sample"]
[stages.store]
tables = ["genotypes", "carriers", "later_genotypes"]
"#;

#[test]
fn an_erasure_is_of_the_sources_that_it_was_asked_of() {
    on_each_with("an_erasure_is_of_the_sources_that_it_was_asked_of", PIPELINE, |shelf| {
        // No record is rejected: the migration reads the file again, and would quote it.
        write(&shelf, "first", &format!("other {SAMPLE}"), &[&format!("100 0/1:10 0/1:{DEPTH}")]);
        shelf.run("run", &[], 0);
        let erase = ["--sample", SAMPLE, "--erase", "--json"];
        shelf.run("withdraw", &erase, 0);
        let text = String::from_utf8(shelf.project.bytes("pipeline.toml")).expect("UTF-8");
        let old = "[stages.store]\ntables = [\"genotypes\", \"carriers\"]\n";
        assert!(text.contains(old), "{text}");
        shelf.project.write("pipeline.toml", text.replace(old, LATER.trim_start()).as_bytes());
        shelf.run("migrate", &[], 0);
        std::fs::create_dir(shelf.project.path("later")).expect("a folder can be made");
        write_in(&shelf, "later", "fifth", &format!("fifth {SAMPLE}"), &[&format!("500 0/1:7 0/1:{DEPTH}")]);
        shelf.run("run", &[], 0);
        assert_eq!(shelf.sql("select count(*) from later_genotypes"), ["2"], "the new source keeps nobody out");
        let said = shelf.run("withdraw", &erase, 0).json();
        let drops: Vec<&str> =
            said["drops"].as_array().expect("drops").iter().filter_map(|drop| drop["name"].as_str()).collect();
        assert_eq!((drops, &said["erased"]["proven"]), (vec!["fifth"], &true.into()), "{said}");
        assert_eq!(shelf.sql("select sample from later_genotypes"), ["fifth"]);
        assert_no_trace(&shelf, "erased out of the other source");
        shelf.run("withdraw", &erase, 2).says(&["erased already"]);
        shelf.run("verify", &[], 0);
    });
}

#[test]
fn an_erasure_that_another_command_carries_on_is_reported_as_what_it_was() {
    on_each_with("an_erasure_that_another_command_carries_on", PIPELINE, |first| {
        let sample = ["--sample", SAMPLE, "--erase"];
        for (killed, then, erased) in [
            (&sample[..], &["third", "--erase", "--json"][..], ["one sample", "erased-3"]),
            (&["third", "--erase"], &["--sample", SAMPLE, "--erase", "--json"], ["erased-3", "one sample"]),
        ] {
            let shelf = first.beside();
            load(&shelf);
            let said = finish(shelf.command("withdraw", killed).env("VARDELTA_FAILPOINT", "erase:committed"));
            assert_eq!(said.code, -1, "it dies: {}", said.stderr);
            let said = shelf.run("withdraw", then, 0).json();
            assert_eq!(said["erased"]["drops"], serde_json::json!(erased), "{said}");
            assert_no_trace(&shelf, "both are erased");
        }
    });
}

#[test]
fn a_killed_erasure_of_a_sample_is_finished_by_the_same_command_or_the_next_run() {
    on_each_with("a_killed_erasure_of_a_sample_is_finished", PIPELINE, |first| {
        let steps = points(Effect::Dies, &["commit", "state", "erase"]);
        let commit = steps.iter().position(|step| *step == "commit:before-sink").expect("a step of the list");
        let mut died = Vec::new();
        let cases = steps.iter().enumerate().flat_map(|(at, step)| [(at, *step, false), (at, *step, true)]);
        for (at, point, next_run) in cases {
            let is_committed = at > commit;
            if next_run && !is_committed || point == "erase:vacuumed" && first.is_on_server() {
                continue;
            }
            let shelf = first.beside();
            load(&shelf);
            let mut dying = shelf.command("withdraw", &["--sample", SAMPLE, "--erase"]);
            let said = finish(dying.env("VARDELTA_FAILPOINT", point));
            if said.code == 0 && !point.starts_with("erase:") {
                continue;
            }
            assert_eq!(said.code, -1, "it dies at {point}: {}", said.stderr);
            died.push(point);
            let erased = shelf.sql("select count(*) from vardelta_events where action = 'sample_erased'");
            assert_eq!(erased[0] != "0", point == "erase:finished", "{point}: nothing says more than is so");
            if point == "erase:finished" {
                shelf.run("withdraw", &["--sample", SAMPLE, "--erase"], 2);
            } else if next_run {
                shelf.run("run", &[], 0).says(&["the erasure of epoch 3, which had been cut short, was carried on"]);
            } else {
                shelf.run("withdraw", &["--sample", SAMPLE, "--erase"], 0).says(&["finds nothing"]);
            }
            let events = shelf.sql("select count(*) from vardelta_events where action = 'erasing_sample'");
            assert_eq!(events, ["0"], "{point}");
            assert_eq!(rows(&shelf), LEFT, "{point}");
            assert_no_trace(&shelf, point);
            shelf.run("verify", &[], 0);
        }
        assert!(died.contains(&"erase:committed") && died.contains(&"state:prepared"), "{died:?}");
    });
}
