//! The shipped cohort: one sample of a drop is withdrawn, and stays out.

use std::fs;

use rusqlite::types::Value as Cell;
use serde_json::{Value, json};

use crate::Copy;

const COHORT: &str = "cohort.toml";
const DATABASE: &str = "cohort.sqlite";

/// The file without one of its samples, made column by column.
fn without(text: &str, sample: &str) -> String {
    let head = text.lines().find(|line| line.starts_with("#CHROM")).expect("a header");
    let gone = head.split('\t').position(|name| name == sample);
    let line = |line: &str| match (gone, line.starts_with("##")) {
        (Some(gone), false) => {
            let cells: Vec<&str> =
                line.split('\t').enumerate().filter(|(at, _)| *at != gone).map(|(_, cell)| cell).collect();
            cells.join("\t") + "\n"
        }
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

/// What a fresh run over the drops without a sample leaves.
fn fresh_without(sample: &str, drops: &[&str]) -> Vec<Vec<Cell>> {
    let copy = Copy::new();
    for drop in drops {
        let path = copy.path(&format!("cohort/drops/{drop}.vcf"));
        let text = fs::read_to_string(&path).expect("drop");
        fs::write(path, without(&text, sample)).expect("drop");
    }
    copy.done(&["run", COHORT]);
    copy.dump_of(DATABASE)
}

fn notices(report: &Value) -> String {
    report["notices"].to_string()
}

#[test]
fn a_withdrawn_sample_leaves_what_a_fresh_run_without_it_leaves() {
    for sample in ["NORTH01", "NORTH02", "NORTH03", "SOUTH01", "SOUTH02"] {
        let copy = Copy::new();
        copy.done(&["run", COHORT]);
        // The files are not needed.
        fs::remove_dir_all(copy.path("cohort/drops")).expect("folder");
        let shown = copy.done(&["withdraw", COHORT, "--sample", sample, "--dry-run"]);
        let report = copy.done(&["withdraw", COHORT, "--sample", sample]);
        assert_eq!(shown["tables"], report["tables"], "a dry run shows what is done");
        let batch = if sample.starts_with("NORTH") { "batch1" } else { "batch2" };
        let drop = &report["drops"][0];
        assert_eq!((&drop["name"], &drop["action"]), (&json!(batch), &json!("sample_withdrawn")), "{report}");
        assert!(copy.dump_of(DATABASE) == fresh_without(sample, &["batch1", "batch2"]), "{sample}");
        assert_eq!(copy.done(&["verify", COHORT])["difference_count"], 0);
        let events = copy.done(&["history", COHORT]);
        let last = events["events"].as_array().and_then(|events| events.last()).expect("an event");
        assert_eq!((&last["action"], &last["read"]), (&json!("sample_withdrawn"), &json!(0)));
    }
}

#[test]
fn no_delivery_and_no_rebuild_brings_it_back_until_it_is_readmitted() {
    let copy = Copy::new();
    copy.done(&["run", COHORT]);
    let whole = copy.dump_of(DATABASE);
    copy.done(&["withdraw", COHORT, "--sample", "NORTH02"]);
    let gone = copy.dump_of(DATABASE);
    assert_eq!(
        copy.done(&["drops", COHORT])["withdrawn_samples"],
        json!([{ "source": "cohort_calls", "drop": null, "name": "NORTH02", "epoch": 2 }])
    );
    // The same file, the same file in other bytes, the same file with a corrected genotype of that sample.
    let path = copy.path("cohort/drops/batch1.vcf");
    let original = fs::read_to_string(&path).expect("drop");
    assert_eq!(copy.done(&["run", COHORT])["committed"], false);
    fs::copy(copy.path("cohort/later/batch1.vcf"), &path).expect("drop");
    let corrected = copy.done(&["run", COHORT]);
    assert!(notices(&corrected).contains("still holds what was withdrawn"), "{corrected}");
    assert!(copy.dump_of(DATABASE) == gone, "only the withdrawn sample differs");
    // Another name, and the drop itself withdrawn and loaded again.
    fs::write(copy.path("cohort/drops/batch3.vcf"), &original).expect("drop");
    copy.done(&["run", COHORT]);
    copy.done(&["withdraw", COHORT, "batch1"]);
    copy.done(&["run", COHORT]);
    assert!(copy.dump_of(DATABASE) == gone, "a drop of another name does not bring it back");
    fs::remove_file(copy.path("cohort/drops/batch3.vcf")).expect("drop");
    copy.done(&["withdraw", COHORT, "batch3"]);
    // A definition that makes the files be read again.
    let rebuilt = copy.done(&["rebuild", COHORT, "--set", "stages.carried.where=allele_count > 0 AND qual >= 10"]);
    assert_eq!(rebuilt["drops"].as_array().map(Vec::len), Some(2), "{rebuilt}");
    assert!(copy.dump_of(DATABASE) == gone, "a rebuild does not bring it back");
    copy.done(&["rebuild", COHORT]);
    assert_eq!(copy.done(&["verify", COHORT])["difference_count"], 0);

    fs::write(&path, &original).expect("drop");
    copy.done(&["run", COHORT]);
    let back = copy.done(&["run", COHORT, "--readmit", "NORTH02"]);
    assert_eq!((&back["drops"][0]["action"], &back["committed"]), (&json!("replaced"), &json!(true)), "{back}");
    assert!(copy.dump_of(DATABASE) == whole, "readmitted, it is as it was");
    assert_eq!(copy.done(&["drops", COHORT])["withdrawn_samples"], json!([]));
    assert_eq!(copy.done(&["verify", COHORT])["difference_count"], 0);
}

#[test]
fn of_named_drops_alone_and_slips_are_told() {
    let copy = Copy::new();
    copy.done(&["run", COHORT]);
    // The same sample in two drops.
    let text = fs::read_to_string(copy.path("cohort/drops/batch2.vcf")).expect("drop").replace("SOUTH01", "NORTH01");
    fs::write(copy.path("cohort/drops/batch2.vcf"), text).expect("drop");
    copy.done(&["run", COHORT]);
    let before = copy.dump_of(DATABASE);
    copy.done(&["withdraw", COHORT, "batch2", "--sample", "NORTH01"]);
    let other = Copy::new();
    let text = fs::read_to_string(copy.path("cohort/drops/batch2.vcf")).expect("drop");
    fs::write(other.path("cohort/drops/batch2.vcf"), without(&text, "NORTH01")).expect("drop");
    other.done(&["run", COHORT]);
    assert!(copy.dump_of(DATABASE) == other.dump_of(DATABASE));
    copy.done(&["run", COHORT, "--readmit", "NORTH01"]);
    assert!(copy.dump_of(DATABASE) == before);

    for (arguments, words) in [
        (&["--sample", "NORTH1"][..], "Did you mean"),
        (&["--sample", "nobody-at-all"], "no row of a sample"),
        (&["batch9", "--sample", "NORTH01"], "no drop `batch9`"),
        (&["batch2", "--sample", "NORTH01", "--erase"], "--erase"),
    ] {
        let (code, said) = copy.json(&[&["withdraw", COHORT][..], arguments].concat());
        assert_eq!(code, 2, "{arguments:?}: {said}");
        assert!(said.to_string().contains(words), "{arguments:?}: {said}");
    }
    copy.done(&["withdraw", COHORT, "--sample", "NORTH01"]);
    let (code, said) = copy.json(&["withdraw", COHORT, "--sample", "NORTH01"]);
    assert_eq!(code, 2);
    assert!(said.to_string().contains("withdrawn already"), "{said}");
    let (code, said) = copy.json(&["run", COHORT, "--readmit", "NORTH9"]);
    assert_eq!(code, 2);
    assert!(said.to_string().contains("no sample `NORTH9` is withdrawn"), "{said}");
}

#[test]
fn a_table_without_the_sample_in_its_key_refuses() {
    let copy = Copy::new();
    let fragment = copy.path("fragments/cohort.toml");
    let text = fs::read_to_string(&fragment).expect("fragment");
    let shared = text.replace(
        "key = [\"chromosome\", \"position\", \"reference\", \"alternate\", \"sample\"]",
        "key = [\"chromosome\", \"position\", \"reference\", \"alternate\"]",
    );
    assert!(shared != text);
    fs::write(fragment, shared).expect("fragment");
    copy.done(&["run", COHORT]);
    let (code, said) = copy.json(&["withdraw", COHORT, "--sample", "NORTH01"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.to_string().contains("the key of `genotypes` does not hold the sample"), "{said}");
    // A source whose drops have no samples.
    copy.done(&["run", "clinical.toml"]);
    let (code, said) = copy.json(&["withdraw", "clinical.toml", "day1", "--sample", "NORTH01"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.to_string().contains("whose rows are no samples'"), "{said}");
}

#[test]
fn the_tests_in_the_pipeline_file_pass() {
    let copy = Copy::new();
    copy.done(&["test", COHORT]);
}

#[test]
fn an_erased_drop_s_name_goes_and_the_sample_stays_out() {
    let copy = Copy::new();
    copy.done(&["run", COHORT]);
    copy.done(&["withdraw", COHORT, "batch1", "--sample", "NORTH01"]);
    let of_drop = copy.done(&["drops", COHORT])["withdrawn_samples"].clone();
    assert_eq!((&of_drop[0]["drop"], &of_drop[0]["name"]), (&json!("batch1"), &json!("NORTH01")));
    let gone = copy.dump_of(DATABASE);
    let text = fs::read(copy.path("cohort/drops/batch1.vcf")).expect("drop");
    fs::remove_file(copy.path("cohort/drops/batch1.vcf")).expect("drop");
    let report = copy.done(&["withdraw", COHORT, "batch1", "--erase"]);
    assert_eq!(report["erased"]["proven"], true, "{report}");
    let of_all = copy.done(&["drops", COHORT])["withdrawn_samples"].clone();
    assert_eq!((&of_all[0]["drop"], &of_all[0]["name"]), (&Value::Null, &json!("NORTH01")));
    fs::write(copy.path("cohort/drops/batch1.vcf"), text).expect("drop");
    let again = copy.done(&["run", COHORT]);
    assert!(notices(&again).contains("still holds what was withdrawn"), "{again}");
    assert!(copy.dump_of(DATABASE) == gone);
}
