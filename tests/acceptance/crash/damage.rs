//! State and database that somebody has damaged: `verify` finds it, `rebuild` mends it.

use vardelta_tests::story;

use super::backups::Backup;
use crate::history::place::{Place, on_each_place};

const HISTORY: &str = "history = [\"variants\"]";

/// Two drops, one of them replaced, in two epochs.
fn load(place: &Place) {
    story::write_drop(&place.project, "alpha", &story::lines(1, 40));
    place.vardelta("run", &[]).expect(0);
    let mut lines = story::lines(1, 40);
    lines.truncate(30);
    lines.extend(story::lines(4, 8));
    story::write_drop(&place.project, "alpha", &lines);
    story::write_drop(&place.project, "beta", &story::lines(2, 30));
    place.vardelta("run", &[]).expect(0);
    place.vardelta("verify", &[]).expect(0);
}

#[test]
fn verify_finds_what_was_done_to_ledger_and_histories() {
    on_each_place("verify_finds_what_was_done_to_ledger_and_histories", HISTORY, |place| {
        load(&place);
        let sound = Backup::of(&place);
        let lowest = place.query("SELECT min(position) FROM variants_history").remove(0).remove(0);
        for (change, table) in [
            ("DELETE FROM vardelta_drops WHERE name = 'beta'", "vardelta_drops"),
            ("DELETE FROM vardelta_drops", "vardelta_drops"),
            (
                "UPDATE vardelta_drops SET identity = '0123456789abcdef0123456789abcdef' WHERE drop_id = 1",
                "vardelta_drops",
            ),
            (&format!("DELETE FROM variants_history WHERE position = {lowest}"), "variants_history"),
            ("DELETE FROM variants_history", "variants_history"),
            ("UPDATE variants_history SET new_gene_symbol = 'X' WHERE operation <> 'delete'", "variants_history"),
            ("UPDATE variants_history SET operation = 'delete'", "variants_history"),
            ("UPDATE variants_history SET epoch = 7 WHERE epoch = 2", "variants_history"),
        ] {
            place.execute(change);
            let report = place.vardelta("verify", &["--json"]).expect(7).json();
            let differing = report["tables"].as_array().expect("a list").iter().filter(|it| it["differences"] != 0);
            let differing: Vec<&str> = differing.map(|it| it["name"].as_str().expect("a name")).collect();
            assert_eq!(differing, [table], "{change}");
            assert!(
                report["difference_count"].as_u64() > Some(0)
                    && !report["differences"].as_array().expect("a list").is_empty()
            );
            sound.put_back(&place);
        }
        place.vardelta("verify", &[]).expect(0);
    });
}

#[test]
fn a_ledger_without_its_drops_is_not_gone_on_with() {
    on_each_place("a_ledger_without_its_drops_is_not_gone_on_with", HISTORY, |place| {
        load(&place);
        let sound = Backup::of(&place);
        for change in [
            "DELETE FROM vardelta_drops WHERE name = 'beta'",
            "DELETE FROM vardelta_drops",
            "UPDATE vardelta_drops SET identity = '0123456789abcdef0123456789abcdef' WHERE drop_id = 1",
        ] {
            place.execute(change);
            for (verb, arguments) in [("run", &[][..]), ("withdraw", &["alpha"]), ("migrate", &[])] {
                let said = place.vardelta(verb, arguments).expect(6);
                assert!(said.stderr.contains("hold different drops"), "{change}, {verb}: {}", said.stderr);
            }
            sound.put_back(&place);
        }
        place.execute("DELETE FROM vardelta_drops WHERE name = 'beta'");
        // A rebuild takes the ledger's word, and not the state's.
        place.vardelta("rebuild", &[]).expect(0).says(&["rebuilt from the drops' files"]);
        place.vardelta("verify", &[]).expect(0);
        place.vardelta("run", &[]).expect(0);
        place.vardelta("verify", &[]).expect(0);
    });
}

/// Changes bytes of every data file of the state, so that no block is what it was.
fn damage(place: &Place) {
    let directory = place.project.path(".vardelta/gene_summary");
    for entry in std::fs::read_dir(directory).expect("it can be listed") {
        let path = entry.expect("it can be listed").path();
        if path.extension().is_some_and(|extension| extension == "seg") {
            let mut bytes = std::fs::read(&path).expect("it can be read");
            bytes.iter_mut().step_by(24).for_each(|byte| *byte ^= 0x55);
            std::fs::write(&path, bytes).expect("it can be written");
        }
    }
}

#[test]
fn rebuild_of_a_damaged_state_reads_the_files_and_names_those_that_are_missing() {
    let test = "rebuild_of_a_damaged_state_reads_the_files_and_names_those_that_are_missing";
    on_each_place(test, HISTORY, |place| {
        load(&place);
        damage(&place);
        let expected = place.contents().rows;
        let (there, away) = (place.project.path("drops/beta.vcf.gz"), place.project.path("beta.vcf.gz"));
        std::fs::rename(&there, &away).expect("it can be moved");
        let said = place.vardelta("rebuild", &[]).expect(4);
        assert!(said.stderr.contains("the state is damaged") && said.stderr.contains("beta.vcf"), "{}", said.stderr);
        assert!(said.stderr.contains("nothing was written"), "{}", said.stderr);
        assert_eq!(place.contents().rows, expected);
        std::fs::rename(&away, &there).expect("it can be moved");
        place.vardelta("rebuild", &[]).expect(0).says(&["the state is damaged", "rebuilt from the drops' files"]);
        assert_eq!(place.contents().rows, expected);
        place.vardelta("verify", &[]).expect(0);
        place.vardelta("withdraw", &["beta"]).expect(0);
        place.vardelta("verify", &[]).expect(0);
    });
}

/// A statement that makes a trigger on each of these tables, by the database's grammar.
fn make_trigger(place: &Place, name: &str, table: &str, changes: Option<&str>) {
    let statement = match (place.server(), changes) {
        (Some(_), Some(column)) => format!("BEFORE INSERT ON {table} FOR EACH ROW SET NEW.{column} = 'X'"),
        (Some(_), None) => format!("BEFORE INSERT ON {table} FOR EACH ROW SET @seen = 1"),
        (None, Some(column)) => format!("AFTER INSERT ON {table} BEGIN UPDATE {table} SET {column} = 'X'; END"),
        (None, None) => format!("AFTER INSERT ON {table} BEGIN SELECT 1; END"),
    };
    place.execute(&format!("CREATE TRIGGER {name} {statement}"));
}

#[test]
fn triggers_on_the_tables_are_told() {
    on_each_place("triggers_on_the_tables_are_told", HISTORY, |place| {
        load(&place);
        place.execute("CREATE TABLE seen (n INTEGER)");
        make_trigger(&place, "mine", "seen", None);
        // Of the tables, of a history, and of the ledger, whatever they do.
        make_trigger(&place, "alters", "variants", Some("gene_symbol"));
        make_trigger(&place, "remembers", "variants_history", None);
        make_trigger(&place, "counts", "vardelta_events", None);
        if let Some((server, database)) = place.server() {
            server.allow_triggers(database);
        }
        story::write_drop(&place.project, "gamma", &story::lines(3, 35));
        let told = ["trigger `alters`", "trigger `remembers`", "trigger `counts`"];
        let said = place.vardelta("run", &[]).expect(0).says(&told);
        assert!(!said.stdout.contains("`mine`") && !said.stderr.contains("`mine`"), "{}", said.stdout);
        place.vardelta("verify", &[]).expect(7).says(&told);
        // One that changes nothing is reported, and is no difference.
        place.execute("DROP TRIGGER alters");
        place.vardelta("rebuild", &[]).expect(0).says(&told[1..]);
        place.vardelta("verify", &[]).expect(0).says(&told[1..]);
    });
}
