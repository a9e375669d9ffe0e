//! Columns that come, go, and change their names.

use vardelta_tests::story;

use super::store::{Loaded, Store, is_as_fresh};

/// The story's pipeline with columns more: a constant, one computed from others, one from a field that was not read before,
/// and one of a view.
pub fn more_columns() -> String {
    story::PIPELINE
        .text
        .replace("\"DP\"]", "\"DP\", \"AF\"]")
        .replace(
            "alternate = \"alt\"",
            "build = \"'GRCh37'\"\nalternate = \"alt\"\nbehind = \"pos + 1\"\nfrequency = \"info_af\"",
        )
        .replace("variant_count =", "best_quality = \"max(quality)\"\nvariant_count =")
}

/// The story's pipeline with a column less in each table.
pub fn fewer_columns() -> String {
    story::PIPELINE
        .text
        .replace("clinical_significance = \"info_clnsig\"\n", "")
        .lines()
        .filter(|line| !line.starts_with("pathogenic_count"))
        .map(|line| format!("{line}\n"))
        .collect()
}

#[test]
fn columns_are_gained() {
    for store in Store::all("columns_are_gained") {
        let loaded = Loaded::new(store, story::PIPELINE.text);
        loaded.vardelta("migrate", &[]).expect(0).says(&["nothing to do"]);
        loaded.define(&more_columns());
        let before = loaded.everything();
        loaded.vardelta("run", &[]).expect(6).says(&["annotated", "vardelta migrate"]);
        loaded.vardelta("migrate", &["--plan"]).expect(0).says(&[
            "build",
            "instant",
            "alpha",
            "rows compared",
            "ADD COLUMN",
        ]);
        let plan = loaded.vardelta("migrate", &["--plan", "--json"]).expect(0).json();
        assert_eq!((&plan["backfill"]["from"], &plan["executed"]), (&"files".into(), &false.into()));
        assert_eq!(loaded.everything(), before, "a plan and a refused run change nothing");

        let done = loaded.vardelta("migrate", &["--json"]).expect(0).json();
        let expand: Vec<_> =
            plan["steps"].as_array().expect("steps").iter().filter(|s| s["phase"] == "expand").collect();
        let steps: Vec<_> = done["steps"].as_array().expect("steps").iter().collect();
        assert_eq!(steps, expand, "what was planned was done, with the algorithms that were named");
        assert_eq!((&done["epoch"], &done["run"]["committed"]), (&2.into(), &true.into()));
        loaded.vardelta("migrate", &[]).expect(0).says(&["nothing to do"]);
        assert!(loaded.columns("variants").contains(&("build".into(), true)), "NULL is allowed until it is contracted");
        loaded.vardelta("migrate", &["--contract"]).expect(0);
        assert!(loaded.columns("variants").contains(&("build".into(), false)));
        loaded.vardelta("migrate", &["--contract"]).expect(0).says(&["nothing to do"]);
        is_as_fresh("columns gained", &loaded, &more_columns());
    }
}

#[test]
fn a_column_whose_files_are_gone_is_refused_and_one_of_a_view_is_not() {
    for store in Store::all("a_column_whose_files_are_gone_is_refused_and_one_of_a_view_is_not") {
        let loaded = Loaded::new(store, story::PIPELINE.text);
        std::fs::rename(loaded.project.path("drops"), loaded.project.path("away")).expect("a directory can be moved");
        let before = loaded.everything();
        loaded.define(&more_columns());
        loaded.vardelta("migrate", &[]).expect(4).says(&["alpha", "beta", "nothing was written"]);
        assert_eq!(loaded.everything(), before);

        let text = story::PIPELINE.text.replace("variant_count =", "best_quality = \"max(quality)\"\nvariant_count =");
        loaded.define(&text);
        let done = loaded.vardelta("migrate", &["--json"]).expect(0).json();
        assert_eq!(done["backfill"]["from"], "state");
        let written: Vec<u64> = ["inserted", "updated", "deleted"]
            .iter()
            .map(|what| done["run"]["tables"][0][what].as_u64().expect("a number"))
            .collect();
        assert_eq!(written, [0, 0, 0], "no row of the variants differs");
        std::fs::rename(loaded.project.path("away"), loaded.project.path("drops")).expect("a directory can be moved");
        is_as_fresh("a view's column gained", &loaded, &text);
    }
}

#[test]
fn columns_change_their_names_and_keep_their_values() {
    let text = story::PIPELINE
        .text
        .replace("gene_symbol = \"gene_symbol\"", "gene = \"gene_symbol\"")
        .replace("group_by = [\"gene_symbol\"]", "group_by = [\"gene\"]");
    for store in Store::all("columns_change_their_names_and_keep_their_values") {
        let loaded = Loaded::new(store, story::PIPELINE.text);
        loaded.define(&text);
        let before = loaded.everything();
        loaded.vardelta("migrate", &["--plan"]).expect(6).says(&["group_by", "vardelta rebuild"]);
        for (wrong, code) in [("variants.gene=gene", 2), ("nothing.a=b", 2), ("variants", 2), ("variants.x=gene", 6)] {
            let arguments = ["--rename", wrong, "--rename", "mutation_summary.gene_symbol=gene"];
            loaded.vardelta("migrate", &arguments).expect(code);
        }
        assert_eq!(loaded.everything(), before);
        let renames = ["--rename", "variants.gene_symbol=gene", "--rename", "mutation_summary.gene_symbol=gene"];
        loaded.vardelta("migrate", &renames).expect(0).says(&["RENAME COLUMN", "instant"]);
        for table in ["variants", "mutation_summary"] {
            let epochs = loaded.query(&format!("SELECT MAX(changed_epoch) FROM {table}"));
            assert_eq!(epochs, ["1"], "no row of {table} was written");
        }
        loaded.vardelta("migrate", &renames).expect(0).says(&["nothing to do"]);
        is_as_fresh("columns renamed", &loaded, &text);
    }
}

#[test]
fn columns_go_only_when_asked() {
    for store in Store::all("columns_go_only_when_asked") {
        let loaded = Loaded::new(store, story::PIPELINE.text);
        loaded.define(&fewer_columns());
        loaded.vardelta("migrate", &["--plan"]).expect(0).says(&["--contract", "DROP COLUMN"]);
        loaded.vardelta("migrate", &[]).expect(0);
        for (table, column) in [("variants", "clinical_significance"), ("mutation_summary", "pathogenic_count")] {
            assert!(loaded.columns(table).contains(&(column.into(), true)), "{table} keeps {column}");
        }
        is_as_fresh("columns left over", &loaded, &fewer_columns());
        loaded.vardelta("migrate", &[]).expect(0).says(&["nothing to do"]);
        loaded.vardelta("migrate", &["--contract"]).expect(0).says(&["DROP COLUMN"]);
        for (table, column) in [("variants", "clinical_significance"), ("mutation_summary", "pathogenic_count")] {
            assert!(loaded.columns(table).iter().all(|(name, _)| name != column), "{table} has no {column}");
        }
        loaded.vardelta("verify", &[]).expect(0);
        loaded.vardelta("migrate", &["--contract"]).expect(0).says(&["nothing to do"]);

        let loaded = Loaded::new(store, story::PIPELINE.text);
        loaded.define(&fewer_columns());
        loaded.vardelta("migrate", &["--contract"]).expect(0);
        assert!(loaded.columns("variants").iter().all(|(name, _)| name != "clinical_significance"));
        is_as_fresh("columns dropped", &loaded, &fewer_columns());
        // And back: the column comes again.
        loaded.define(story::PIPELINE.text);
        loaded.vardelta("migrate", &["--contract"]).expect(0);
        loaded.vardelta("verify", &[]).expect(0);
    }
}

#[test]
fn what_a_migration_cannot_do_is_refused() {
    for store in Store::all("what_a_migration_cannot_do_is_refused") {
        let loaded = Loaded::new(store, story::PIPELINE.text);
        let before = loaded.everything();
        for (from, to, expected) in [
            ("group_by = [\"gene_symbol\"]", "group_by = [\"gene_symbol\", \"chromosome\"]", "group_by"),
            ("position = \"pos\"", "position = \"CAST(pos AS TEXT)\"", "variants"),
            ("AS DECIMAL(5,2))", "AS TEXT)", "quality"),
        ] {
            loaded.define(&story::PIPELINE.text.replace(from, to).replace("avg(quality)", "count(quality)"));
            loaded.vardelta("migrate", &[]).expect(6).says(&[expected, "vardelta rebuild"]);
            assert_eq!(loaded.everything(), before);
        }
    }
}
