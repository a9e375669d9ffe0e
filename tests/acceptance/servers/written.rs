//! Only what changed is written, as the server itself counts it.

use std::collections::BTreeMap;

use mysql::prelude::Queryable;
use vardelta_test_servers::{Flavor, Server};
use vardelta_tests::{
    drop_file::{self, Packing},
    server_project::ServerProject,
    story,
};

use super::on_both;

/// Genes in the tables.
const GENES: usize = 200;
/// Variants of each gene.
const VARIANTS: usize = 5;

/// A drop: each record is gene, place among the gene's variants, QUAL.
fn text(records: impl Iterator<Item = (usize, usize, usize)>) -> String {
    let mut text = drop_file::HEADER.to_owned();
    for (gene, variant, quality) in records {
        let position = 1 + gene * 1_000 + variant;
        text.push_str(&format!(
            "3\t{position}\t.\tA\tC\t{quality}\tPASS\tANN=C|missense_variant|MODERATE|GENE{gene}|ID{gene}|transcript|T{gene}|\
             protein_coding|1/1|c.1|p.1|||||\n"
        ));
    }
    text
}

/// Rows of a table that were written so far, as the server counts them.
fn rows_written(server: &Server, database: &str) -> BTreeMap<String, u64> {
    let query = match server.flavor {
        Flavor::MariaDb => {
            "SELECT table_name, rows_changed FROM information_schema.table_statistics WHERE table_schema = ?"
        }
        Flavor::MySql => {
            "SELECT object_name, count_update + count_delete FROM performance_schema.table_io_waits_summary_by_table \
             WHERE object_schema = ?"
        }
    };
    let rows: Vec<(String, u64)> = server.root().exec(query, (database,)).expect("the server counts");
    rows.into_iter().collect()
}

fn written(server: &'static Server) {
    if server.flavor == Flavor::MariaDb {
        server.root().query_drop("SET GLOBAL userstat = 1").expect("the server can be told to count");
    }
    let project = ServerProject::new(server, story::PIPELINE, "");
    let deliver = |name: &str, text: &str| {
        drop_file::write(&project.project.path("drops"), name, text, Packing::Plain);
        let before = rows_written(server, &project.database);
        let report = project.vardelta("run", &["--json"]).expect(0).json();
        let after = rows_written(server, &project.database);
        let written = |table: &str| {
            after.get(table).copied().unwrap_or_default() - before.get(table).copied().unwrap_or_default()
        };
        let reported = |table: usize, what: &str| report["tables"][table][what].as_u64().expect("a number");
        let all = ["inserted", "updated", "deleted"];
        let of = |table: usize| all.map(|what| reported(table, what));
        (written("variants"), written("mutation_summary"), of(0), of(1))
    };
    let all = (0..GENES).flat_map(|gene| (0..VARIANTS).map(move |variant| (gene, variant, 50)));
    let (.., variants, genes) = deliver("all", &text(all));
    assert_eq!((variants, genes), ([GENES as u64 * VARIANTS as u64, 0, 0], [GENES as u64, 0, 0]));

    // One variant of each of three genes gets another quality; a hundred other records say what is known.
    let three = [7, 70, 170];
    let changed = three.into_iter().map(|gene| (gene, 2, 60));
    let known = (0..100).map(|gene| (gene, 3, 50));
    let (variants, genes, of_variants, of_genes) = deliver("three", &text(changed.chain(known)));
    assert_eq!((of_variants, of_genes), ([0, 3, 0], [0, 3, 0]), "what the report says");
    assert_eq!((variants, genes), (3, 3), "what the server counts");

    let mut connection = server.root_in(&project.database);
    let touched: Vec<String> = connection
        .query("SELECT gene_symbol FROM mutation_summary WHERE changed_epoch = 2 ORDER BY gene_symbol")
        .expect("the summary can be read");
    assert_eq!(touched, ["GENE170", "GENE7", "GENE70"]);
    // The same again writes nothing at all, not even into the ledger.
    let ledger = rows_written(server, &project.database);
    project.vardelta("run", &[]).expect(0);
    assert_eq!(rows_written(server, &project.database), ledger, "a run over known drops writes nothing");
}

on_both!(written: a_drop_that_changes_three_genes_on_mariadb_writes_three_rows, a_drop_that_changes_three_genes_on_mysql_writes_three_rows);
