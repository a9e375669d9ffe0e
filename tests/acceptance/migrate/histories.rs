//! Histories follow their tables: columns that come, go, and change their names.

use vardelta_tests::story;

use super::{
    columns::{fewer_columns, more_columns},
    store::{Loaded, Store, is_as_fresh},
};

/// The definition with histories of both tables.
fn kept(text: &str) -> String {
    text.replace("tables = [\"variants\"", "history = [\"variants\", \"mutation_summary\"]\ntables = [\"variants\"")
}

const HISTORIES: [&str; 2] = ["variants_history", "mutation_summary_history"];

/// Every row of the histories, in the columns that both have.
fn entries(loaded: &Loaded, columns: [&str; 2]) -> Vec<Vec<String>> {
    HISTORIES
        .iter()
        .zip(columns)
        .map(|(table, columns)| {
            let mut rows = loaded.query(&format!("SELECT {columns} FROM {table}"));
            rows.sort();
            rows
        })
        .collect()
}

const ALIKE: [&str; 2] = [
    "chromosome, position, reference, alternate, epoch, operation, old_quality, new_quality, drops, changed_at",
    "gene_symbol, epoch, operation, old_variant_count, new_variant_count, old_avg_quality, new_avg_quality, changed_at",
];

fn has(loaded: &Loaded, table: &str, column: &str) -> bool {
    loaded.columns(table).iter().any(|(name, _)| name == column)
}

#[test]
fn columns_of_histories_are_gained_and_old_entries_stay() {
    for store in Store::all("columns_of_histories_are_gained_and_old_entries_stay") {
        let loaded = Loaded::new(store, &kept(story::PIPELINE.text));
        let before = entries(&loaded, ALIKE);
        assert!(before.iter().all(|rows| !rows.is_empty()));
        let text = kept(&more_columns());
        loaded.define(&text);
        loaded.vardelta("migrate", &["--plan"]).expect(0).says(&["variants_history", "old_build", "new_best_quality"]);
        loaded.vardelta("migrate", &["--contract"]).expect(0);
        loaded.vardelta("migrate", &["--contract"]).expect(0).says(&["nothing to do"]);
        assert_eq!(entries(&loaded, ALIKE), before, "first values of a column are nothing that happened to a row");
        for (table, column) in [(0, "build"), (0, "behind"), (1, "best_quality")] {
            let filled = format!("{} WHERE old_{column} IS NOT NULL OR new_{column} IS NOT NULL", HISTORIES[table]);
            assert_eq!(loaded.query(&format!("SELECT epoch FROM {filled}")), [""; 0]);
        }
        // From now on they are kept too.
        story::write_drop(&loaded.project, "gamma", &story::lines(12, 30));
        loaded.vardelta("run", &[]).expect(0);
        let inserted = "FROM variants_history WHERE epoch = 3 AND operation = 'insert'";
        let all = loaded.query(&format!("SELECT position {inserted}"));
        assert!(!all.is_empty());
        assert_eq!(loaded.query(&format!("SELECT position {inserted} AND new_behind = position + 1")), all);
        loaded.vardelta("withdraw", &["gamma"]).expect(0);
        let deleted =
            "SELECT position FROM variants_history WHERE epoch = 4 AND operation = 'delete' AND old_build = 'GRCh37'";
        assert_eq!(loaded.query(deleted).len(), all.len());
        std::fs::remove_file(loaded.project.path("drops/gamma.vcf.gz")).expect("gamma can go");
        is_as_fresh("histories with more columns", &loaded, &text);
    }
}

#[test]
fn a_row_whose_old_columns_change_too_has_an_entry() {
    for store in Store::all("a_row_whose_old_columns_change_too_has_an_entry") {
        let loaded = Loaded::new(store, &kept(story::PIPELINE.text));
        let text = kept(&more_columns()).replace("least(qual, 100.0)", "least(qual, 60.0)");
        let key = "chromosome, position, reference, alternate";
        let expected = loaded.query(&format!("SELECT {key}, quality FROM variants WHERE quality > 60 ORDER BY {key}"));
        assert!(!expected.is_empty());
        loaded.define(&text);
        loaded.vardelta("migrate", &["--batch-rows", "7"]).expect(0);
        let found = loaded.query(&format!(
            "SELECT {key}, old_quality FROM variants_history WHERE epoch = 2 AND operation = 'update' AND new_quality = 60 \
             AND old_build IS NULL AND new_build = 'GRCh37' ORDER BY {key}"
        ));
        assert_eq!(found, expected);
        let others = loaded.query("SELECT COUNT(*) FROM variants_history WHERE epoch = 2");
        assert_eq!(others, loaded.query(&format!("SELECT {}", expected.len())), "and no other row has");
        is_as_fresh("an old column changed too", &loaded, &text);
    }
}

#[test]
fn columns_of_histories_change_their_names_with_their_tables() {
    let text = kept(story::PIPELINE.text)
        .replace("gene_symbol = \"gene_symbol\"", "gene = \"gene_symbol\"")
        .replace("group_by = [\"gene_symbol\"]", "group_by = [\"gene\"]");
    for store in Store::all("columns_of_histories_change_their_names_with_their_tables") {
        let loaded = Loaded::new(store, &kept(story::PIPELINE.text));
        let named = |gene: &str| {
            let renamed = |columns: &str| columns.replace("gene_symbol", gene);
            let variants = format!("position, epoch, operation, old_{gene}, new_{gene}");
            entries(&loaded, [variants.as_str(), renamed(ALIKE[1]).as_str()])
        };
        let before = named("gene_symbol");
        loaded.define(&text);
        let renames = ["--rename", "variants.gene_symbol=gene", "--rename", "mutation_summary.gene_symbol=gene"];
        loaded.vardelta("migrate", &renames).expect(0).says(&["old_gene_symbol", "new_gene"]);
        assert_eq!(named("gene"), before);
        assert!(!has(&loaded, HISTORIES[0], "old_gene_symbol") && !has(&loaded, HISTORIES[1], "gene_symbol"));
        loaded.vardelta("migrate", &renames).expect(0).says(&["nothing to do"]);
        is_as_fresh("histories with other names", &loaded, &text);
    }
}

#[test]
fn columns_of_histories_go_only_when_asked() {
    for store in Store::all("columns_of_histories_go_only_when_asked") {
        let loaded = Loaded::new(store, &kept(story::PIPELINE.text));
        let before = entries(&loaded, ALIKE);
        loaded.define(&kept(&fewer_columns()));
        loaded.vardelta("migrate", &["--plan"]).expect(0).says(&["old_clinical_significance", "--contract"]);
        loaded.vardelta("migrate", &[]).expect(0);
        assert!(has(&loaded, HISTORIES[0], "old_clinical_significance"));
        story::write_drop(&loaded.project, "gamma", &story::lines(12, 30));
        loaded.vardelta("run", &[]).expect(0);
        loaded.vardelta("withdraw", &["gamma"]).expect(0);
        std::fs::remove_file(loaded.project.path("drops/gamma.vcf.gz")).expect("gamma can go");
        loaded.vardelta("migrate", &["--contract"]).expect(0).says(&["DROP COLUMN"]);
        assert!(!has(&loaded, HISTORIES[0], "new_clinical_significance"));
        assert!(!has(&loaded, HISTORIES[1], "old_pathogenic_count"));
        loaded.vardelta("migrate", &["--contract"]).expect(0).says(&["nothing to do"]);
        let old: Vec<Vec<String>> = entries(&loaded, ALIKE);
        assert!(before.iter().zip(&old).all(|(before, now)| before.iter().all(|row| now.contains(row))));
        is_as_fresh("histories with fewer columns", &loaded, &kept(&fewer_columns()));
    }
}

#[test]
fn a_history_that_begins_or_ends_is_no_migration_of_rows() {
    for store in Store::all("a_history_that_begins_or_ends_is_no_migration_of_rows") {
        let loaded = Loaded::new(store, story::PIPELINE.text);
        loaded.define(&kept(story::PIPELINE.text));
        loaded.vardelta("migrate", &[]).expect(0).says(&["nothing to do"]);
        story::write_drop(&loaded.project, "gamma", &story::lines(12, 30));
        loaded.vardelta("run", &[]).expect(0);
        assert!(has(&loaded, HISTORIES[0], "old_quality"));
        loaded.define(story::PIPELINE.text);
        loaded.vardelta("migrate", &[]).expect(0);
        assert!(has(&loaded, HISTORIES[0], "old_quality"), "it stays until it is asked for");
        loaded.vardelta("migrate", &["--contract"]).expect(0).says(&["variants_history"]);
        assert!(!has(&loaded, HISTORIES[0], "old_quality"));
        loaded.vardelta("verify", &[]).expect(0);
    }
}
