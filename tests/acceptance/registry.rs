//! What every registered stage owes its users. A stage is one file and one line in the registry; the case in
//! [`cases`] is evidence, not wiring.

mod cases;
mod reasons;

use std::{collections::BTreeSet, path::Path};

use mysql::prelude::Queryable;
use rusqlite::Connection;
use vardelta_engine::{
    contract::stage::{Kind, StageType},
    run::RunOptions,
};
use vardelta_test_servers::{Server, each};
use vardelta_tests::{
    binary::root,
    drop_file::Packing,
    in_process::{Warehouse, resolve},
};

/// A table that the examples can be run on.
const TABLE: &str =
    "# gene and drug\ngene_name\tdrug_name\tinteraction_score\nEGFR\tGEFITINIB\t8.5\nKRAS\tSOTORASIB\tNA\n";

/// A gene model that the examples can be run on.
const MODEL: &str =
    "##gff-version 3\n12\tx\tgene\t25205246\t25250936\t.\t-\t.\tID=gene:ENSG00000133703;Name=KRAS;hgnc_id=6407\n";

/// A drop that the examples can be run on.
const SAMPLE: &str = "##fileformat=VCFv4.3\n\
    ##INFO=<ID=DP,Number=1,Type=Integer,Description=\"Depth\">\n\
    ##INFO=<ID=AF,Number=A,Type=Float,Description=\"Frequency\">\n\
    ##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n\
    #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tone\n\
    1\t100\trs1\tA\tC,G\t50\tPASS\tDP=30;AF=0.5,0.1;CLNSIG=Pathogenic;\
    ANN=C|stop_gained|HIGH|TP53|G1|transcript|T1|protein_coding|1/1|c.1|p.1,G|missense_variant|MODERATE|TP53|G1\tGT\t0/1\n\
    2\t200\t.\tGT\tG\t99\tPASS\tDP=20;CLNSIG=Benign;ANN=G|frameshift_variant|HIGH|KRAS|G2\tGT\t0/1\n\
    3\t300\t.\tC\tT\t60\tPASS\tDP=25;ANN=T|intron_variant|MODIFIER|EGFR|G3\tGT\t1/1\n";

fn stages() -> &'static [&'static dyn StageType] {
    vardelta_stages::REGISTRY
}

/// Whether a stage keeps its rows in a server rather than in a file: its example and its cases need one.
fn needs_a_server(stage: &dyn StageType) -> bool {
    stage.example().contains("${VARDELTA_MYSQL_URL}")
}

/// The example of a stage, with an address for what would come from the environment.
fn example(stage: &dyn StageType) -> String {
    stage.example().replace("${VARDELTA_MYSQL_URL}", "mysql://nobody@127.0.0.1:1/nothing")
}

#[test]
fn names_are_unique_words() {
    let names: BTreeSet<&str> = stages().iter().map(|stage| stage.name()).collect();
    assert_eq!(names.len(), stages().len(), "a name is registered twice");
    let is_word = |name: &&str| {
        name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
    };
    assert!(names.iter().all(is_word), "{names:?}");
    for kind in [Kind::Source, Kind::Transform, Kind::Relational, Kind::Sink] {
        assert!(stages().iter().any(|stage| stage.kind() == kind), "there is a {}", kind.as_str());
    }
}

#[test]
fn every_stage_has_a_manual_and_documented_options() {
    for stage in stages() {
        let name = stage.name();
        let (summary, rest) = stage.manual().split_once('\n').unwrap_or((stage.manual(), ""));
        assert!(summary.ends_with(['.', ':']) && summary.len() < 140, "{name}: the summary is one sentence: {summary}");
        assert!(rest.trim().len() > 80, "{name}: the manual says more than its summary");
        for option in stage.options() {
            assert!(option.doc.trim().len() > 20, "{name}: `{}` is explained", option.name);
            assert!(!option.expects.is_empty(), "{name}: `{}` says what it expects", option.name);
            let schema: serde_json::Value = serde_json::from_str(&(option.json_schema)()).expect("a JSON Schema");
            assert!(schema.is_object(), "{name}: `{}` has a JSON Schema", option.name);
        }
    }
}

/// Puts the sample where a pipeline's sources look for it, packed as the name says.
fn deliver_sample(directory: &Path, pipeline: &str) {
    for pattern in pipeline.lines().filter_map(|line| line.strip_prefix("path = \"")?.strip_suffix('"')) {
        let Some((place, name)) = pattern.rsplit_once('/') else { continue };
        std::fs::create_dir_all(directory.join(place)).expect("a directory can be made");
        let packing = if name.ends_with(".gz") { Packing::Bgzf } else { Packing::Plain };
        let name = name.trim_end_matches('*').replace('*', "sample");
        let sample = match name.rsplit('.').next() {
            Some("tsv") => TABLE,
            Some("gff3") => MODEL,
            Some("vcf" | "gz") => SAMPLE,
            // Of a source of another kind, what its case delivers.
            extension => {
                let extension = extension.unwrap_or_default();
                let drops = cases::CASES.iter().flat_map(|case| case.drops);
                let is_of_kind = |(name, _): &&(&str, &str)| name.ends_with(&format!(".{extension}"));
                let (_, text) = drops.copied().find(|drop| is_of_kind(&drop)).unwrap_or_else(|| {
                    panic!("no case in registry/cases.rs delivers a .{extension} file, which the example reads")
                });
                text
            }
        };
        std::fs::write(directory.join(place).join(name), packing.pack(sample.as_bytes()))
            .expect("a file can be written");
    }
}

#[test]
fn every_example_uses_its_stage_and_runs() {
    for stage in stages().iter().filter(|stage| !needs_a_server(**stage)) {
        run_example(*stage, &Warehouse::new(stage.example()));
    }
}

#[test]
fn every_example_that_needs_a_server_runs_on_each() {
    each("every_example_that_needs_a_server_runs_on_each", |server, database| {
        for stage in stages().iter().filter(|stage| needs_a_server(**stage)) {
            run_example(*stage, &Warehouse::at(server.url(database), stage.example()));
        }
    });
}

fn run_example(stage: &dyn StageType, warehouse: &Warehouse) {
    let (name, example) = (stage.name(), stage.example());
    assert!(example.contains(&format!("type = \"{name}\"")), "{name}: the example uses it");
    deliver_sample(warehouse.directory.path(), example);
    let report = warehouse.run(0, &RunOptions::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(report.committed, "{name}: the example finds the sample");
    for table in &report.tables {
        assert!(table.inserted > 0, "{name}: the example fills `{}`", table.name);
    }
    let verified = warehouse.verify(&RunOptions::default()).expect("verify works");
    assert_eq!(verified.difference_count, 0, "{name}");
}

#[test]
fn an_unknown_option_is_refused() {
    for stage in stages() {
        let (name, example) = (stage.name(), example(*stage));
        let line = format!("type = \"{name}\"");
        let wrong = example.replacen(&line, &format!("{line}\nno_such_option = 1"), 1);
        let problems = resolve(Path::new("example.toml"), &wrong, &[]).err().unwrap_or_default();
        assert!(problems.iter().any(|problem| problem.contains("no_such_option")), "{name}: {problems:?}");
    }
}

#[test]
fn an_option_of_the_wrong_type_is_refused() {
    for stage in stages() {
        let (name, example) = (stage.name(), example(*stage));
        for option in stage.options() {
            // No option is an empty table within a list.
            let line = format!("type = \"{name}\"");
            let mut wrong = String::new();
            let mut in_stage = false;
            for text in example.lines() {
                in_stage = if text.starts_with('[') { false } else { in_stage || text == line };
                if !(in_stage && text.starts_with(&format!("{} =", option.name))) {
                    wrong += &format!("{text}\n");
                }
                if text == line {
                    wrong += &format!("{} = [[{{}}]]\n", option.name);
                }
            }
            let problems = resolve(Path::new("example.toml"), &wrong, &[]).err().unwrap_or_default();
            assert!(!problems.is_empty(), "{name}: `{}` takes anything", option.name);
        }
    }
}

#[test]
fn a_stage_is_one_file_and_one_line() {
    let directory = root().join("stages/src");
    let registry = std::fs::read_to_string(directory.join("lib.rs")).expect("the registry can be read");
    let kinds = ["sources", "transforms", "relational", "sinks"];
    let entries = kinds.iter().flat_map(|kind| {
        let entries = std::fs::read_dir(directory.join(kind)).expect("the stages are there");
        entries.map(move |entry| (*kind, entry.expect("the stages are there").path()))
    });
    let mut files = 0;
    for (kind, path) in entries {
        let Some(name) = path.file_stem().and_then(|stem| stem.to_str()).filter(|_| path.is_file()) else { continue };
        let text = std::fs::read_to_string(&path).expect("a stage can be read");
        if !text.contains("impl StageType for") {
            continue;
        }
        let modules = std::fs::read_to_string(directory.join(kind).join("mod.rs")).expect("the modules can be read");
        files += 1;
        assert_eq!(text.matches("impl StageType for").count(), 1, "{name}.rs holds one stage");
        assert!(
            text.starts_with(&format!("//! `{name}`")) || text.starts_with(&format!("//! The `{name}`")),
            "{name}.rs says what it is"
        );
        assert_eq!(modules.matches(&format!("mod {name};")).count(), 1, "{name} has one `mod` line");
        assert_eq!(registry.matches(&format!("&{kind}::{name}::")).count(), 1, "{name} has one registry line");
        assert!(stages().iter().any(|stage| stage.name() == name), "{name}.rs is named after its stage");
        // Whatever else names a stage would have to be touched when one is added.
        let elsewhere = ["engine/src", "pipelines/src", "schemas/src"];
        for other in elsewhere {
            let named = std::process::Command::new("grep")
                .args(["-rlE", &format!("vardelta_stages::{name}|stages::{name}::")])
                .arg(root().join(other))
                .output();
            let named = named.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
            assert!(named.is_empty(), "{name} is named in {named}");
        }
    }
    let of_engine = ["table", "aggregate", "top", "union", "join", "distinct"];
    let own = stages().iter().filter(|stage| !of_engine.contains(&stage.name())).count();
    assert_eq!(files, own, "every stage file is registered");
}

#[test]
fn every_stage_has_a_case() {
    let cases: BTreeSet<&str> = cases::CASES.iter().chain(cases::SERVER_CASES).map(|case| case.stage).collect();
    for stage in stages() {
        assert!(cases.contains(stage.name()), "{} has no case in registry/cases.rs", stage.name());
    }
}

#[test]
fn every_case_makes_its_rows() {
    for case in cases::CASES {
        // The case of a sink is about that sink; all others take the file.
        let is_of_sink = stages().iter().any(|stage| stage.kind() == Kind::Sink && stage.name() == case.stage);
        let sink = if is_of_sink { cases::file_of(case.stage) } else { cases::file_of("sqlite") };
        let warehouse = Warehouse::new(&case.pipeline(&sink));
        let what = run_case(case, &warehouse);
        let database = Connection::open(warehouse.directory.path().join("case.sqlite")).expect("the database is there");
        let mut statement = database.prepare(case.query).expect("valid SQL");
        let rows = statement.query_map([], |row| row.get::<_, Option<String>>(0)).expect("the query runs");
        let found: Vec<String> = rows.map(|row| row.expect("a text").unwrap_or_else(|| "NULL".into())).collect();
        assert_eq!(found, case.rows, "{what}");
    }
}

#[test]
fn every_case_of_a_server_makes_its_rows_on_each() {
    each("every_case_of_a_server_makes_its_rows_on_each", |server: &Server, _| {
        for case in cases::SERVER_CASES {
            let database = server.new_database();
            let warehouse = Warehouse::at(server.url(&database), &case.pipeline(cases::SERVER));
            let what = run_case(case, &warehouse);
            let found: Vec<String> = server.root_in(&database).query(case.query).expect("the query runs");
            // MariaDB says how wide a number is shown.
            let found: Vec<String> = found.iter().map(|row| row.replace("bigint(20)", "bigint")).collect();
            assert_eq!(found, case.rows, "{what}");
        }
    });
}

/// Loads a case's drops; returns what the case is about.
fn run_case(case: &cases::Case, warehouse: &Warehouse) -> String {
    for (name, records) in case.drops {
        let header = if name.ends_with(".vcf") { cases::HEADER } else { "" };
        let text = format!("{header}{records}");
        std::fs::write(warehouse.drops().join(name), text).expect("a drop can be written");
    }
    let what = format!("{} ({})", case.stage, case.what);
    warehouse.run(0, &RunOptions::default()).unwrap_or_else(|error| panic!("{what}: {error}"));
    what
}
