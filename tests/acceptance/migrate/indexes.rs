//! Indexes that come and go, on the servers.

use vardelta_tests::story;

use super::store::{Loaded, Store, is_as_fresh};

#[test]
fn indexes_are_built_and_dropped() {
    let with_indexes = story::PIPELINE.text.replace(
        "tables = [\"variants\"",
        "indexes = { variants = [[\"chromosome\", \"gene_symbol\"], [\"quality\"]] }\ntables = [\"variants\"",
    );
    for store in Store::all("indexes_are_built_and_dropped") {
        if matches!(store, Store::Sqlite) {
            continue;
        }
        let loaded = Loaded::new(store, story::PIPELINE.text);
        loaded.query("CREATE INDEX by_hand ON variants (position)");
        loaded.define(&with_indexes);
        loaded.vardelta("run", &[]).expect(0);
        assert_eq!(loaded.indexes(), ["by_hand"], "a run builds no index");
        loaded.vardelta("migrate", &["--plan"]).expect(0).says(&["by_chromosome_gene_symbol", "backfill: none"]);
        assert_eq!(loaded.indexes(), ["by_hand"]);
        let done = loaded.vardelta("migrate", &["--json"]).expect(0).json();
        assert_eq!(done["epoch"], 1, "an index is no epoch");
        assert_eq!(loaded.indexes(), ["by_chromosome_gene_symbol", "by_hand", "by_quality"]);
        loaded.vardelta("migrate", &[]).expect(0).says(&["nothing to do"]);
        is_as_fresh("with an index", &loaded, &with_indexes);

        loaded.define(story::PIPELINE.text);
        loaded.vardelta("migrate", &[]).expect(0);
        // Text of any length, as it is again, cannot stay in an index; the other one can.
        assert_eq!(loaded.indexes(), ["by_hand", "by_quality"]);
        loaded.vardelta("migrate", &["--contract"]).expect(0).says(&["DROP INDEX"]);
        assert_eq!(loaded.indexes(), ["by_hand"], "what somebody else made stays");
        loaded.vardelta("migrate", &["--contract"]).expect(0).says(&["nothing to do"]);
        loaded.vardelta("verify", &[]).expect(0);
    }
}
