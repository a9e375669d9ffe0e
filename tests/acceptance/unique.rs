//! Columns that are unique beside the key: what `validate` says of them, swaps and chains, violations, migrations.

mod histories;
mod migrations;
pub(crate) mod shelf;

use shelf::{Shelf, on_each};

#[test]
fn rows_exchange_their_values() {
    on_each("rows_exchange_their_values", "", |shelf| {
        shelf.write("a", "1,x,s,1\n2,y,s,2\n3,z,s,3\n4,,s,\n5,,s,\n");
        shelf.run("run", &[], 0);
        assert_eq!(shelf.rows(), ["1|x|s|1", "2|y|s|2", "3|z|s|3", "4|NULL|s|NULL", "5|NULL|s|NULL"]);
        // A swap, and a chain whose end is new.
        shelf.write("b", "1,y,s,2\n2,x,s,1\n3,w,s,3\n4,z,s,4\n");
        let report = shelf.run("run", &["--json"], 0).json();
        let things = &report["tables"][0];
        assert_eq!((&things["updated"], &things["inserted"], &things["deleted"]), (&4.into(), &0.into(), &0.into()));
        assert_eq!(shelf.rows(), ["1|y|s|2", "2|x|s|1", "3|w|s|3", "4|z|s|4", "5|NULL|s|NULL"]);
        // A replacement that turns a ring of three, lets one row go and gives its values to a new one.
        shelf.write("b", "1,z,s,4\n2,y,s,2\n3,x,s,1\n9,w,s,3\n");
        shelf.write("a", "1,x,s,1\n2,y,s,2\n3,z,s,3\n5,,s,\n");
        shelf.run("run", &[], 0);
        assert_eq!(shelf.rows(), ["1|z|s|4", "2|y|s|2", "3|x|s|1", "5|NULL|s|NULL", "9|w|s|3"]);
        shelf.run("verify", &[], 0);
        // Everything back.
        shelf.withdraw("b", 0);
        assert_eq!(shelf.rows(), ["1|x|s|1", "2|y|s|2", "3|z|s|3", "5|NULL|s|NULL"]);
        assert_eq!(shelf.history().len(), 5 + 4 + 5 + 3, "what became of each row, once: {:#?}", shelf.history());
    });
}

#[test]
fn many_rows_exchange_their_values_and_one_too_many_ends_the_run() {
    on_each("many_rows_exchange_their_values_and_one_too_many_ends_the_run", "", |shelf| {
        let lines =
            |tag: &dyn Fn(u32) -> u32| (0..700).map(|id| format!("{id},t{},s,{id}\n", tag(id))).collect::<String>();
        shelf.write("a", &lines(&|id| id));
        shelf.run("run", &["--workers", "2"], 0);
        shelf.write("b", &lines(&|id| (id + 350) % 700));
        shelf.run("run", &["--workers", "2"], 0);
        assert_eq!(shelf.rows()[3], "102|t452|s|102");
        let before = shelf.rows();
        // Rows 690 to 699 take what rows of the first drop have and keep.
        shelf.write("c", &(700..900).map(|id| format!("{id},t{},s,{id}\n", id - 10)).collect::<String>());
        let said = shelf.run("run", &[], 6);
        for text in ["table `things`", "id = 700", "(tag)", "'t690'", "the row id = '340'", "on_constraint"] {
            assert!(said.stderr.contains(text), "{text}: {}", said.stderr);
        }
        assert_eq!(shelf.rows(), before, "nothing was written");
        std::fs::remove_file(shelf.project.path("drops/c.csv")).expect("it is there");
        shelf.run("run", &[], 0);
        shelf.run("verify", &[], 0);
    });
}

#[test]
fn a_long_value_is_cut_in_what_is_said() {
    on_each("a_long_value_is_cut_in_what_is_said", "", |shelf| {
        let long = "v".repeat(200);
        shelf.write("a", &format!("1,{long},s,1\n2,{long},s,2\n"));
        let said = shelf.run("run", &[], 6);
        assert!(said.stderr.contains("…' (200 bytes)") && !said.stderr.contains(&long), "{}", said.stderr);
        assert!(
            said.stderr.contains("(tag) must be unique") && said.stderr.contains("the row id = '1'"),
            "{}",
            said.stderr
        );
    });
}

#[test]
fn a_row_whose_values_another_row_keeps_is_quarantined() {
    on_each("a_row_whose_values_another_row_keeps_is_quarantined", "on_constraint = \"quarantine\"\n", |shelf| {
        shelf.write("a", "1,x,s,1\n2,y,s,2\n3,z,s,3\n");
        shelf.run("run", &[], 0);
        // 4 wants what 1 keeps; 2 and 3 exchange; 5 wants what 4 would have left free.
        shelf.write("b", "2,z,s,3\n3,y,s,2\n4,x,s,4\n5,u,s,1\n6,v,s,6\n");
        let report = shelf.run("run", &["--json"], 0).json();
        assert_eq!(report["rejects"].to_string(), "{\"constraint\":2}");
        assert_eq!(shelf.rows(), ["1|x|s|1", "2|z|s|3", "3|y|s|2", "6|v|s|6"]);
        let details = shelf.sql("select detail from vardelta_rejects order by detail");
        assert!(
            details[0].contains("id=4: its values of (tag) must be unique") && details[0].contains("'x'"),
            "{details:?}"
        );
        assert!(details[1].contains("id=5: its values of (shelf, place) must be unique"), "{details:?}");
        // A row under a quarantined one stands again, unless its values are taken by then.
        shelf.write("c", "1,v,s,1\n");
        shelf.run("run", &["--set", "pipeline.max_reject_share=1.0"], 0);
        assert_eq!(shelf.rows()[0], "1|x|s|1");
        shelf.run("verify", &[], 0);
    });
}

#[test]
fn rows_of_other_tables_go_ahead() {
    let load = |shelf: &Shelf| {
        for drop in 0..5 {
            let lines: String = (drop * 10..drop * 10 + 10).map(|id| format!("{id},t{id},s,{id}\n")).collect();
            shelf.write(&format!("d{drop}"), &lines);
        }
        shelf.run("run", &["--json"], 0).json()["rows_ahead"].as_u64().expect("a count")
    };
    assert_eq!(load(&Shelf::on_sqlite("")), 0, "rows with unique columns wait for those that leave");
    let without = Shelf::on_sqlite_with(&Shelf::text("").replace("unique =", "# unique ="));
    assert!(load(&without) > 0, "without them nothing is paid");
}

#[test]
fn slips_in_unique_are_told_with_their_places() {
    let shelf = Shelf::on_sqlite("");
    let lists = Shelf::UNIQUE;
    let with = |text: &str| shelf.project.write("pipeline.toml", Shelf::text("").replace(lists, text).as_bytes());
    for (text, said) in [
        ("unique = [[\"tga\"]]", vec!["no table of this sink has a column `tga`", "Did you mean `tag`?"]),
        ("unique = { thing = [[\"tag\"]] }", vec!["`thing` is not a table", "Did you mean `things`?"]),
        ("unique = { per_shelf = [[\"tag\"]] }", vec!["`per_shelf` has no column `tag`"]),
        ("unique = [[\"tag\", \"tag\"]]", vec!["`tag` is listed twice"]),
        ("unique = [[]]", vec!["needs a column"]),
        ("unique = { things = [[\"id\", \"tag\"]] }", vec!["differ in their key already"]),
        ("unique = [[\"tag\", \"things\"]]", vec!["no table of this sink has all of these columns"]),
        ("on_delete = \"mark\"\nunique = [[\"tag\"]]", vec!["marked as gone"]),
    ] {
        with(text);
        shelf.project.vardelta("validate", &[]).expect(3).says(&said).says(&["pipeline.toml:"]);
    }
    with(lists);
    shelf.project.vardelta("validate", &[]).expect(0);
    shelf.project.vardelta("explain", &[]).expect(0).says(&[
        "CREATE UNIQUE INDEX \"vardelta_unique_things_by_tag\" ON \"things\" (\"tag\")",
        "CREATE UNIQUE INDEX \"vardelta_unique_things_by_shelf_place\"",
    ]);
}

#[test]
fn what_servers_do_not_keep_unique_is_told() {
    let shelf = Shelf::on_sqlite("");
    let of_server = "type = \"mysql\"\nurl = \"mysql://u@localhost/d\"\n";
    let with = |options: &str| {
        let text = Shelf::text("").replace("type = \"sqlite\"\npath = \"things.sqlite\"\n", of_server);
        shelf.project.write("pipeline.toml", text.replace(Shelf::UNIQUE, options).as_bytes());
        shelf.project.vardelta("validate", &[])
    };
    with("text_characters = { tag = 0 }\nunique = [[\"tag\"]]").expect(3).says(&["has text of any length"]);
    with("text_characters = { tag = 800 }\nunique = [[\"tag\"]]").expect(3).says(&["the servers allow 3072"]);
    let partitioned = "partition_by = \"id\"\npartitions = [\"1\"]\n";
    with(&format!("{partitioned}unique = [[\"tag\"]]")).expect(3).says(&["`things` is partitioned by `id`"]);
    let referred = "references = { per_shelf = [{ columns = [\"things\"], table = \"things\", to = [\"id\"] }] }\n";
    with(&format!("{referred}unique = [[\"tag\"]]")).expect(3).says(&["other tables refer to `things`"]);
    with(Shelf::UNIQUE).expect(0);
}
