//! Unique indexes that come and go.

use super::shelf::{Shelf, on_each};

const NONE: &str = "# unique";

#[test]
fn unique_indexes_come_and_go() {
    on_each("unique_indexes_come_and_go", "", |shelf| {
        shelf.define(NONE);
        shelf.write("a", "1,x,s,1\n2,y,s,2\n3,x,s,3\n4,,s,4\n5,,s,5\n");
        shelf.run("run", &[], 0);
        assert_eq!(shelf.indexes(), [""; 0]);

        shelf.define(Shelf::UNIQUE);
        shelf.write("b", "6,z,s,6\n");
        shelf.run("run", &[], 6).says(&["is not the one the pipeline declares", "vardelta migrate"]);
        // Two rows share a tag: nothing is changed, and the rows are reported.
        let before = (shelf.rows(), shelf.indexes());
        for arguments in [vec!["--plan"], vec![]] {
            let said = shelf.run("migrate", &arguments, 6);
            said.says(&["(tag) of table `things`", "tag = 'x' in the row id = '1'", "tag = 'x' in the row id = '3'"])
                .says(&["Nothing was changed"]);
        }
        assert_eq!((shelf.rows(), shelf.indexes()), before);

        shelf.define(NONE);
        shelf.write("a", "1,x,s,1\n2,y,s,2\n3,w,s,3\n4,,s,4\n5,,s,5\n");
        shelf.run("run", &[], 0);
        shelf.define(Shelf::UNIQUE);
        shelf.run("migrate", &["--plan"], 0).says(&["UNIQUE"]);
        assert_eq!(shelf.indexes(), [""; 0], "a plan builds nothing");
        shelf.run("migrate", &[], 0);
        assert_eq!(shelf.indexes().len(), 2);
        shelf.run("migrate", &[], 0).says(&["nothing to do"]);
        shelf.write("b", "6,x,s,6\n1,z,s,1\n");
        shelf.run("run", &[], 0);
        shelf.write("b", "6,y,s,6\n1,z,s,1\n");
        shelf.run("run", &[], 6).says(&["(tag) must be unique"]);

        // Rebuilt, the table has them again, and rows of before differ as those of later.
        shelf.write("b", "6,x,s,6\n1,z,s,1\n");
        shelf.run("rebuild", &[], 0);
        assert_eq!(shelf.indexes().len(), 2);
        shelf.write("b", "6,z,s,1\n1,x,s,6\n");
        shelf.run("run", &[], 0);

        shelf.define("unique = { things = [[\"shelf\", \"place\"]] }");
        shelf.write("c", "7,z,s,7\n");
        shelf.run("run", &[], 6).says(&["is not the one the pipeline declares", "vardelta migrate"]);
        shelf.run("migrate", &[], 0).says(&["DROP INDEX"]);
        assert_eq!(shelf.indexes().len(), 1);
        shelf.run("run", &[], 0);
        assert_eq!(shelf.rows().last().map(String::as_str), Some("7|z|s|7"));
        shelf.run("verify", &[], 0);
    });
}

#[test]
fn a_rebuild_whose_rows_share_values_changes_nothing() {
    on_each("a_rebuild_whose_rows_share_values_changes_nothing", "", |shelf| {
        shelf.define(NONE);
        shelf.write("a", "1,x,s,1\n2,x,s,2\n");
        shelf.run("run", &[], 0);
        shelf.define(Shelf::UNIQUE);
        shelf.run("rebuild", &[], 6).says(&["(tag) must be unique", "'x'"]);
        assert_eq!(shelf.rows(), ["1|x|s|1", "2|x|s|2"]);
        shelf.define(NONE);
        shelf.run("run", &[], 0);
        shelf.run("verify", &[], 0);
    });
}
