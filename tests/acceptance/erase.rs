//! `withdraw --erase`: a drop full of values that nobody else has is loaded among others, replaced, rejected in part and
//! erased; then every table is dumped by SQL, every file read as bytes, and nothing of it may be there. On SQLite, MariaDB and
//! MySQL alike.

mod deaths;
mod dump;
mod limits;
mod sample;

use std::collections::{BTreeMap, BTreeSet};

use vardelta_tests::drop_file::{self, HEADER, Packing};

use self::dump::{assert_no_trace, file_entries, rows_of};
use crate::history::place::{Place, Row, on_each_place};

const HISTORIES: &str = "history = [\"variants\", \"mutation_summary\"]";
/// The drop's name. Every value that only it brings has this in it, or is a run of bases that stands for it.
const MARK: &str = "ZZMARK";
const MARKED_DROP: &str = "ZZMARK-patient-77";
const MARKED_ALLELE: &str = "GATTACAGATTACATTAGA";

/// A record: contig, position, REF, ALT, QUAL, significance, gene.
type Record<'a> = (&'a str, u64, &'a str, &'a str, u32, &'a str, &'a str);

fn line((contig, position, reference, alternate, quality, significance, gene): Record<'_>) -> String {
    format!(
        "{contig}\t{position}\t.\t{reference}\t{alternate}\t{quality}\tPASS\tDP=30;CLNSIG={significance};\
         ANN={alternate}|missense_variant|MODERATE|{gene}|ID|transcript|T|protein_coding|1/1|c.1A>C|p.1|||||\n"
    )
}

fn write(place: &Place, name: &str, records: &[Record<'_>], broken: &str) {
    let lines: String = records.iter().map(|record| line(*record)).collect();
    drop_file::write(&place.project.path("drops"), name, &format!("{HEADER}{lines}{broken}"), Packing::Bgzf);
}

/// The drops beside the marked one. `first` shares a key with it, `second` another.
const FIRST: &[Record<'_>] = &[
    ("1", 100, "A", "C", 50, "Benign", "GENEA"),
    ("1", 200, "A", "C", 50, "Benign", "GENEB"),
    ("2", 5, "G", "T", 40, "Benign", "GENEC"),
];
const SECOND: &[Record<'_>] =
    &[("1", 150, "A", "C", 61, "Benign", "GENEA"), ("2", 70, "G", "T", 41, "Pathogenic", "GENED")];
const LATER: &[Record<'_>] =
    &[("2", 70, "G", "T", 44, "Pathogenic", "GENED"), ("3", 1, "C", "T", 33, "Benign", "GENEE")];

/// Two versions of the marked drop: the second lacks a record of the first, which then is nowhere but in histories.
fn marked_versions(place: &Place, version: usize) {
    let quality = [77, 78][version];
    let mut records: Vec<Record<'_>> = vec![
        ("1", 100, "A", "C", quality, "ZZMARKSIG", "GENEA"),
        ("1", 300, "A", MARKED_ALLELE, 66, "ZZMARKSIG", "ZZMARKGENE"),
        ("2", 70, "G", "T", 59, "ZZMARKSIG", "GENED"),
    ];
    if version == 0 {
        records.push(("1", 301, "A", MARKED_ALLELE, 66, "ZZMARKOLD", "ZZMARKOLDGENE"));
    }
    write(place, MARKED_DROP, &records, &format!("1\tZZMARKPOS{version}\t.\tA\tC\t50\tPASS\t.\n"));
}

/// The story up to the erasure: four drops, one of them replaced, one that overrides the marked drop after it.
fn load_all(place: &Place) {
    write(place, "first", FIRST, "1\tten\t.\tA\tC\t50\tPASS\t.\n");
    place.vardelta("run", &[]).expect(0);
    marked_versions(place, 0);
    write(place, "second", SECOND, "");
    place.vardelta("run", &[]).expect(0);
    marked_versions(place, 1);
    place.vardelta("run", &[]).expect(0);
    write(place, "later", LATER, "");
    place.vardelta("run", &[]).expect(0);
}

/// The tables' rows as they would be had the other drops come alone.
fn rows_without_marked(place: &Place, test: &str) -> BTreeMap<&'static str, BTreeSet<Row>> {
    let _ = test;
    let fresh = place.beside();
    write(&fresh, "first", FIRST, "");
    fresh.vardelta("run", &[]).expect(0);
    write(&fresh, "second", SECOND, "");
    fresh.vardelta("run", &[]).expect(0);
    write(&fresh, "later", LATER, "");
    fresh.vardelta("run", &[]).expect(0);
    rows_of(&fresh)
}

fn forget_file(place: &Place, name: &str) {
    drop_file::remove(&place.project.path("drops"), name);
}

#[test]
fn nothing_of_an_erased_drop_is_found_anywhere() {
    on_each_place("nothing_of_an_erased_drop_is_found_anywhere", HISTORIES, |place| {
        load_all(&place);
        let dumped = dump::everything(&place);
        for value in [MARKED_DROP, "ZZMARKSIG", "ZZMARKOLDGENE", "ZZMARKPOS0", "ZZMARKPOS1", MARKED_ALLELE] {
            assert!(dumped.contains(value), "the story has `{value}` before");
        }
        assert!(file_entries(&place).iter().any(|entry| dump::holds(entry, b"ZZMARK")), "the state has it before");
        let untouched = "SELECT * FROM variants_history WHERE position IN (200, 5) ORDER BY position, epoch";
        let history = place.query(untouched);
        assert_eq!(history.len(), 2, "keys that the drop never touched");

        let said = place.vardelta("withdraw", &[MARKED_DROP, "--erase", "--json"]).expect(0).json();
        let erased = &said["erased"];
        assert_eq!((erased["proven"].as_bool(), said["epoch"].as_u64()), (Some(true), Some(5)), "{said}");
        assert_eq!(erased["drops"], serde_json::json!(["erased-2"]), "{said}");
        for place in erased["places"].as_array().expect("the places are listed") {
            assert_eq!(place["found"], 0, "{said}");
            let is_counted = place["place"] != "files";
            assert_eq!(place["removed"].as_u64() > Some(0), is_counted, "what was removed is counted: {place}");
        }
        assert_eq!(said["drops"][0]["action"], "erased");

        assert_no_trace(&place, &[MARK, MARKED_ALLELE]);
        assert_eq!(
            rows_of(&place),
            rows_without_marked(&place, "nothing"),
            "the others' rows are those of a fresh load"
        );
        assert_eq!(place.query(untouched), history, "the history of other keys stays");
        let others = place.query("SELECT count(*) FROM vardelta_rejects WHERE drop_name = 'first'");
        assert_eq!(others, [["1"]], "the others' rejects stay");
        place.vardelta("verify", &[]).expect(0);

        // A name that is forgotten is unknown, also to the verb that forgot it.
        let said = place.vardelta("withdraw", &[MARKED_DROP, "--erase"]).expect(2);
        said.says(&["the ledger knows no drop"]);
        // Its file is there still, and is a new drop.
        place.vardelta("run", &[]).expect(0).says(&["added"]);
        place.vardelta("verify", &[]).expect(0);
        let names = place.query("SELECT drop_id, name FROM vardelta_events WHERE action = 'added' ORDER BY drop_id");
        assert_eq!(names.last(), Some(&vec!["5".to_owned(), MARKED_DROP.to_owned()]), "its number is a new one");
        place.vardelta("withdraw", &[MARKED_DROP, "--erase"]).expect(0).says(&["erased-5"]);
        assert_no_trace(&place, &[MARK, MARKED_ALLELE]);
    });
}

#[test]
fn what_is_left_of_a_drop_that_was_withdrawn_is_erased() {
    on_each_place("what_is_left_of_a_drop_that_was_withdrawn_is_erased", HISTORIES, |place| {
        load_all(&place);
        place.vardelta("withdraw", &[MARKED_DROP]).expect(0);
        assert!(dump::everything(&place).contains("ZZMARKSIG"), "a withdrawal alone forgets nothing");
        let near = place.vardelta("withdraw", &["ZZMARK-patient-78", "--erase"]).expect(2);
        near.says(&[&format!("Did you mean `{MARKED_DROP}`?")]);
        forget_file(&place, MARKED_DROP);
        place.vardelta("withdraw", &[MARKED_DROP, "--erase"]).expect(0).says(&["withdrawn before", "finds nothing"]);
        assert_no_trace(&place, &[MARK, MARKED_ALLELE]);
        assert_eq!(rows_of(&place), rows_without_marked(&place, "withdrawn"));
        place.vardelta("verify", &[]).expect(0);
        // The file is gone, and nothing is left to do.
        place.vardelta("run", &[]).expect(0).says(&["nothing to do"]);
    });
}

/// Rows that stay marked when they go are no hiding place.
#[test]
fn marked_rows_of_an_erased_drop_go() {
    let option = format!("on_delete = \"mark\"\n{HISTORIES}");
    on_each_place("marked_rows_of_an_erased_drop_go", &option, |place| {
        load_all(&place);
        assert!(dump::everything(&place).contains("ZZMARKOLDGENE"), "a row of the first version is marked");
        place.vardelta("withdraw", &["first"]).expect(0);
        let of_first =
            "SELECT count(*) FROM variants WHERE deleted_at IS NOT NULL AND gene_symbol IN ('GENEB', 'GENEC')";
        assert_eq!(place.query(of_first), [["2"]]);
        place.vardelta("withdraw", &[MARKED_DROP]).expect(0);
        assert!(dump::everything(&place).contains("|ZZMARKGENE|"), "a withdrawn row is marked");
        forget_file(&place, MARKED_DROP);
        place.vardelta("withdraw", &[MARKED_DROP, "--erase"]).expect(0).says(&["finds nothing"]);
        assert_no_trace(&place, &[MARK, MARKED_ALLELE]);
        assert_eq!(place.query(of_first), [["2"]], "the others' marked rows stay");
        place.vardelta("verify", &[]).expect(0);
        // A standing drop's rows are marked and erased in one epoch.
        marked_versions(&place, 1);
        place.vardelta("run", &[]).expect(0);
        place.vardelta("withdraw", &[MARKED_DROP, "--erase"]).expect(0);
        assert_no_trace(&place, &[MARK, MARKED_ALLELE]);
    });
}

/// A history that began after the drop does not say where its rows came from; one whose drop lay hidden behind another's
/// shows it in an epoch of that one.
#[test]
fn values_that_came_to_light_in_epochs_of_others_go_too() {
    on_each_place("values_that_came_to_light_in_epochs_of_others_go_too", "", |place| {
        write(&place, "first", FIRST, "");
        marked_versions(&place, 0);
        place.vardelta("run", &[]).expect(0);
        let text = std::fs::read_to_string(place.project.path("pipeline.toml")).expect("it can be read");
        place.project.write("pipeline.toml", format!("{text}{HISTORIES}\n").as_bytes());
        // The marked drop's row of this key is overridden in an epoch of another: the history knows it as the old one only.
        write(&place, "later", LATER, "");
        place.vardelta("run", &[]).expect(0);
        assert!(dump::everything(&place).contains("2|70|G|T"), "the key is in the history");
        let old = "SELECT count(*) FROM variants_history WHERE old_clinical_significance = 'ZZMARKSIG'";
        assert_eq!(place.query(old), [["1"]]);
        // It comes to light again, and is hidden again.
        place.vardelta("withdraw", &["later"]).expect(0);
        place.vardelta("run", &[]).expect(0);
        marked_versions(&place, 1);
        forget_file(&place, MARKED_DROP);
        place.vardelta("withdraw", &[MARKED_DROP]).expect(0);
        place.vardelta("withdraw", &[MARKED_DROP, "--erase"]).expect(0);
        assert_no_trace(&place, &[MARK, MARKED_ALLELE]);
        place.vardelta("verify", &[]).expect(0);
    });
}
