//! Tables partitioned by chromosome: filled, queried, rebuilt, migrated, and values that no partition lists.

use vardelta_test_servers::{Flavor, Server};
use vardelta_tests::{server_database::literals, server_project::ServerProject, story};

use super::on_both;

const PARTITIONED: &str = "partition_by = \"chromosome\"\npartitions = [\"1\", [\"2\", \"3\"], \"X\"]";

fn query(project: &ServerProject<'_>, query: &str) -> Vec<String> {
    literals(&mut project.server.root_in(&project.database), query)
}

/// Changes the sink's options, in which the pipeline has `from`.
fn define(project: &ServerProject<'_>, from: &str, to: &str) {
    let text = String::from_utf8(project.project.bytes("pipeline.toml")).expect("the pipeline is text");
    assert!(text.contains(from), "{from}\n{text}");
    project.project.write("pipeline.toml", text.replace(from, to).as_bytes());
}

/// The partitions that a query for one chromosome reads.
fn read_by(project: &ServerProject<'_>, chromosome: &str) -> Vec<String> {
    let explain = match project.server.flavor {
        Flavor::MariaDb => "EXPLAIN PARTITIONS",
        Flavor::MySql => "EXPLAIN FORMAT=TRADITIONAL",
    };
    let statement = "SELECT gene_symbol, COUNT(*), AVG(quality) FROM variants WHERE chromosome";
    let rows: Vec<mysql::Row> = mysql::prelude::Queryable::query(
        &mut project.server.root_in(&project.database),
        format!("{explain} {statement} = '{chromosome}' AND quality > 50 GROUP BY gene_symbol"),
    )
    .expect("the query can be explained");
    rows.iter().map(|row| row.get::<String, _>("partitions").expect("partitions are listed")).collect()
}

fn delivered<'s>(server: &'s Server, options: &str) -> ServerProject<'s> {
    let project = ServerProject::new(server, story::PIPELINE, options);
    story::write_drop(&project.project, "alpha", &story::lines(1, 60));
    story::write_drop(&project.project, "beta", &story::lines(2, 60));
    project
}

/// Adds a record on a contig that no partition lists.
fn deliver_odd(project: &ServerProject<'_>) {
    let line = "chr1_KI270706v1_random\t7\t.\tA\tC\t50\tPASS\tDP=3;ANN=C|missense_variant|MODERATE|ODD|ODD|transcript|T|\
                protein_coding|1/1|c.7A>C|p.7|||||\n";
    let text = format!("{}{line}1\t11\t.\tA\tC\t50\tPASS\tDP=3\n", vardelta_tests::drop_file::HEADER);
    let drops = project.project.path("drops");
    vardelta_tests::drop_file::write(&drops, "odd", &text, vardelta_tests::drop_file::Packing::Bgzf);
}

fn partitions_are_no_difference(server: &'static Server) {
    let (plain, parted) = (delivered(server, ""), delivered(server, PARTITIONED));
    let compare = |what: &str| {
        assert_eq!(parted.contents().tables, plain.contents().tables, "{what}");
        parted.vardelta("verify", &[]).expect(0);
    };
    let both = |verb: &str, arguments: &[&str]| {
        for project in [&plain, &parted] {
            project.vardelta(verb, arguments).expect(0);
        }
    };
    both("run", &[]);
    compare("a first load");
    assert_eq!(read_by(&parted, "2"), ["2"]);
    assert_eq!(read_by(&parted, "X"), ["X"]);
    let of_two = query(&parted, "SELECT COUNT(*) FROM variants PARTITION (`2`)");
    assert_eq!(of_two, query(&plain, "SELECT COUNT(*) FROM variants WHERE chromosome = '2'"));
    assert_eq!(query(&parted, "SELECT COUNT(*) FROM variants PARTITION (`2`) WHERE chromosome <> '2'"), ["0"]);
    both("withdraw", &["beta"]);
    compare("a withdrawal");
    both("rebuild", &[]);
    compare("a rebuild");
    assert_eq!(read_by(&parted, "1"), ["1"]);
    parted.vardelta("explain", &[]).expect(0).says(&["PARTITION BY LIST COLUMNS (`chromosome`)"]);

    // From the one to the other and back, without a rebuild.
    define(&parted, PARTITIONED, "");
    story::write_drop(&parted.project, "alpha", &story::lines(3, 30));
    parted.vardelta("run", &[]).expect(6).says(&["is partitioned by `chromosome`", "vardelta migrate"]);
    story::write_drop(&plain.project, "alpha", &story::lines(3, 30));
    parted.vardelta("migrate", &["--plan"]).expect(0).says(&["REMOVE PARTITIONING", "copying", "backfill: none"]);
    parted.vardelta("migrate", &[]).expect(0);
    both("run", &[]);
    compare("without partitions");
    define(&parted, "tables = [", &format!("{PARTITIONED}\ntables = ["));
    parted.vardelta("migrate", &[]).expect(0).says(&["PARTITION BY LIST COLUMNS"]);
    parted.vardelta("migrate", &[]).expect(0).says(&["nothing to do"]);
    story::write_drop(&parted.project, "gamma", &story::lines(4, 30));
    story::write_drop(&plain.project, "gamma", &story::lines(4, 30));
    both("run", &[]);
    compare("with partitions again");
    assert_eq!(read_by(&parted, "2"), ["2"]);
}
on_both!(partitions_are_no_difference: partitions_are_no_difference_on_mariadb, partitions_are_no_difference_on_mysql);

fn a_contig_without_partition_is_never_lost(server: &'static Server) {
    let project = delivered(server, PARTITIONED);
    project.vardelta("run", &[]).expect(0);
    deliver_odd(&project);
    let before = project.contents();
    let rows = "SELECT chromosome, position FROM variants WHERE chromosome LIKE 'chr%'";
    if server.flavor == Flavor::MariaDb {
        project.vardelta("run", &[]).expect(0);
        assert_eq!(query(&project, rows), ["'chr1_KI270706v1_random', 7"]);
        assert_eq!(query(&project, "SELECT COUNT(*) FROM variants PARTITION (rest)"), ["1"]);
        project.vardelta("verify", &[]).expect(0);
        return;
    }
    let said = project.vardelta("run", &[]).expect(6);
    said.says(&[
        "variants",
        "chromosome = 'chr1_KI270706v1_random'",
        "position = 7",
        "`partitions`",
        "unknown_contigs",
    ]);
    assert_eq!(project.contents(), before, "nothing is written");

    let quarantined = delivered(server, &format!("{PARTITIONED}\non_constraint = \"quarantine\""));
    quarantined.vardelta("run", &[]).expect(0);
    deliver_odd(&quarantined);
    quarantined.vardelta("run", &[]).expect(0).says(&["constraint"]);
    assert_eq!(query(&quarantined, rows), [""; 0]);
    assert_eq!(query(&quarantined, "SELECT variant_count FROM mutation_summary WHERE gene_symbol = 'ODD'"), [""; 0]);
    let rejects = "SELECT reason, detail FROM vardelta_rejects WHERE detail LIKE '%has no partition%'";
    let rejects = query(&quarantined, rejects);
    assert!(rejects.len() == 1 && rejects[0].contains("chr1_KI270706v1_random"), "{rejects:?}");
    quarantined.vardelta("verify", &[]).expect(0);

    define(&project, "\"X\"]", "\"X\", \"chr1_KI270706v1_random\"]");
    project
        .vardelta("run", &[])
        .expect(6)
        .says(&["it has no partition for chr1_KI270706v1_random", "vardelta migrate"]);
    project.vardelta("migrate", &[]).expect(0).says(&["ADD PARTITION", "in place"]);
    project.vardelta("run", &[]).expect(0);
    assert_eq!(query(&project, rows), ["'chr1_KI270706v1_random', 7"]);
    project.vardelta("verify", &[]).expect(0);
}
on_both!(a_contig_without_partition_is_never_lost: a_contig_without_partition_is_never_lost_on_mariadb, a_contig_without_partition_is_never_lost_on_mysql);

#[test]
fn what_cannot_be_partitioned_is_told_with_its_place() {
    let said = |options: &str| {
        let text = story::PIPELINE.on_server(options).replace("${VARDELTA_MYSQL_URL}", "mysql://u@h/d");
        vardelta_tests::project::Project::new(&text).vardelta("validate", &[])
    };
    let by = |column: &str, more: &str| said(&format!("partition_by = \"{column}\"\npartitions = [\"1\"]\n{more}"));
    by("chromosome", "").expect(0);
    let place = "partition_by = \"chromosom\"";
    by("chromosom", "").expect(3).says(&["no table of this sink has a column `chromosom`", "Did you mean", place]);
    by("position", "").expect(3).says(&["`position` of `variants` is no text", "pipeline.toml:"]);
    by("alternate", "").expect(3).says(&["is in no primary key", "text_characters"]);
    let reference =
        "references = { variants = [{ columns = [\"gene_symbol\"], table = \"genes\", to = [\"symbol\"] }] }";
    by("chromosome", reference).expect(3).says(&[
        "`variants` refers to `genes`",
        "foreign keys",
        "Leave out the reference",
    ]);
    by("chromosome", "text_characters = { chromosome = 0 }").expect(3).says(&["is in no primary key"]);
    let with_assembly = |assembly: &str| {
        let options = "partition_by = \"chromosome\"";
        let text = story::PIPELINE.on_server(options).replace("${VARDELTA_MYSQL_URL}", "mysql://u@h/d");
        let text = text.replace("assembly = \"GRCh37\"\n", assembly);
        vardelta_tests::project::Project::new(&text).vardelta("explain", &[])
    };
    with_assembly("").expect(3).says(&["names no `assembly`", "List the values"]);
    said("partitions = [\"1\"]").expect(3).says(&["needs `partition_by`"]);
    let listed = |list: &str| said(&format!("partition_by = \"chromosome\"\npartitions = {list}"));
    listed("[]").expect(3).says(&["a partition needs a value"]);
    listed("[\"1\", [\"2\", \"1\"]]").expect(3).says(&["`1` is listed twice"]);
    listed("[\"it's\"]").expect(3).says(&["quotes"]);
    listed(&format!("[\"{}\"]", "x".repeat(300))).expect(3).says(&["has 300 characters"]);
    let many: Vec<String> = (0..8192).map(|at| format!("\"c{at}\"")).collect();
    listed(&format!("[{}]", many.join(", "))).expect(3).says(&["8192 partitions", "8191 at the most"]);
    listed(&format!("[{}]", many[1..].join(", "))).expect(0);
    listed("[1]").expect(3).says(&["a list of values"]);
    with_assembly("assembly = \"GRCh38\"\n")
        .expect(0)
        .says(&["PARTITION `chr1` VALUES IN ('chr1')", "PARTITION `chrM` VALUES IN ('chrM')"]);
    with_assembly("assembly = \"genome.fa.fai\"\n").expect(3).says(&["none that vardelta knows by name"]);
}
