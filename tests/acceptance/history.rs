//! What the sink keeps of rows as they were, reckoned from the tables as they stood after every epoch. On SQLite, MariaDB and
//! MySQL alike.

mod gaps;
pub mod place;

use std::collections::BTreeMap;

use serde_json::json;
use vardelta_tests::story;

use self::place::{Place, Row, on_each_place};

/// A table: its name, its key's columns, and the others.
struct Table {
    name: &'static str,
    key: &'static [&'static str],
    others: &'static [&'static str],
}

const TABLES: [Table; 2] = [
    Table {
        name: "variants",
        key: &["chromosome", "position", "reference", "alternate"],
        others: &["quality", "gene_symbol", "clinical_significance"],
    },
    Table {
        name: "mutation_summary",
        key: &["gene_symbol"],
        others: &["variant_count", "avg_quality", "pathogenic_count"],
    },
];
const OPTION: &str = "history = [\"variants\", \"mutation_summary\"]";

/// The rows of a table by key, as they are now.
fn rows(place: &Place, table: &Table) -> BTreeMap<Row, Row> {
    let columns = [table.key, table.others].concat().join(", ");
    let rows = place.query(&format!("SELECT {columns} FROM {}", table.name));
    rows.into_iter().map(|row| (row[..table.key.len()].to_vec(), row[table.key.len()..].to_vec())).collect()
}

/// Expected and found history of every table.
struct Reckoning<'a> {
    place: &'a Place,
    before: Vec<BTreeMap<Row, Row>>,
    expected: Vec<Vec<Row>>,
}

impl<'a> Reckoning<'a> {
    fn new(place: &'a Place) -> Reckoning<'a> {
        Reckoning { place, before: vec![BTreeMap::new(); 2], expected: vec![Vec::new(); 2] }
    }

    /// Reckons what an epoch has changed, and compares.
    fn epoch(&mut self, epoch: u64, drops: &[&str]) {
        for (at, table) in TABLES.iter().enumerate() {
            let now = rows(self.place, table);
            let before = std::mem::replace(&mut self.before[at], now.clone());
            let keys: std::collections::BTreeSet<&Row> = before.keys().chain(now.keys()).collect();
            for key in keys {
                let (old, new) = (before.get(key), now.get(key));
                let operation = match (old, new) {
                    (old, new) if old == new => continue,
                    (None, _) => "insert",
                    (_, None) => "delete",
                    _ => "update",
                };
                let mut row = vec![epoch.to_string()];
                row.extend(key.iter().cloned());
                row.push(operation.to_owned());
                for other in 0..table.others.len() {
                    let value = |row: Option<&Row>| row.map_or("NULL".to_owned(), |row| row[other].clone());
                    row.extend([value(old), value(new)]);
                }
                row.push(json!(drops).to_string());
                self.expected[at].push(row);
            }
        }
        self.compare();
    }

    fn compare(&mut self) {
        for (table, expected) in TABLES.iter().zip(&mut self.expected) {
            let others: Vec<String> = table.others.iter().map(|name| format!("old_{name}, new_{name}")).collect();
            let columns = format!("epoch, {}, operation, {}, drops", table.key.join(", "), others.join(", "));
            let mut found = self.place.query(&format!("SELECT {columns} FROM {}_history", table.name));
            found.sort();
            expected.sort();
            assert_eq!(&found, expected, "the history of {}", table.name);
            let other_times = format!(
                "SELECT count(*) FROM {}_history AS h LEFT JOIN vardelta_epochs AS e ON e.epoch = h.epoch \
                 WHERE e.committed_at IS NULL OR e.committed_at <> h.changed_at OR h.changed_epoch <> h.epoch",
                table.name
            );
            assert_eq!(self.place.query(&other_times), [["0"]]);
        }
    }
}

#[test]
fn a_history_says_what_every_epoch_did_to_every_row() {
    on_each_place("a_history_says_what_every_epoch_did_to_every_row", OPTION, |place| {
        let project = &place.project;
        let mut reckoning = Reckoning::new(&place);
        story::write_drop(project, "alpha", &story::lines(1, 60));
        place.vardelta("run", &[]).expect(0);
        reckoning.epoch(1, &["alpha"]);
        story::write_drop(project, "beta", &story::lines(2, 60));
        story::write_drop(project, "alpha", &[story::lines(1, 40), story::lines(3, 20)].concat());
        place.vardelta("run", &[]).expect(0);
        reckoning.epoch(2, &["alpha", "beta"]);
        // Nothing changes, nothing is written.
        place.vardelta("run", &[]).expect(0);
        reckoning.compare();
        // A run that dies in its transaction leaves nothing, and the next one writes everything once.
        let mut dying = place.command("withdraw", &["beta"]);
        dying.env("VARDELTA_FAILPOINT", "commit:before-sink");
        assert_ne!(vardelta_tests::project::finish(&mut dying).code, 0);
        reckoning.compare();
        place.vardelta("withdraw", &["beta"]).expect(0);
        reckoning.epoch(3, &["beta"]);
        // Tables rebuilt say nothing of what became of their rows.
        place.vardelta("rebuild", &[]).expect(0);
        reckoning.compare();
        std::fs::remove_file(project.path("drops/beta.vcf.gz")).expect("it is there");
        story::write_drop(project, "gamma", &story::lines(4, 30));
        place.vardelta("run", &[]).expect(0);
        reckoning.epoch(5, &["gamma"]);
        for (table, operation) in [(0, "insert"), (0, "delete"), (1, "insert"), (1, "update")] {
            let rows = &reckoning.expected[table];
            assert!(rows.iter().any(|row| row.contains(&operation.to_owned())), "the story has no {operation}");
        }
        place.vardelta("verify", &[]).expect(0);
    });
}

#[test]
fn what_cannot_be_kept_is_said_before_anything_is_opened() {
    on_each_place(
        "what_cannot_be_kept_is_said_before_anything_is_opened",
        "history = [\"mutation_sumary\"]",
        |place| {
            let said = place.vardelta("validate", &[]).expect(3);
            said.says(&[
                "pipeline.toml:",
                "`mutation_sumary` is not a table of this sink",
                "Did you mean `mutation_summary`?",
            ]);
        },
    );
}
