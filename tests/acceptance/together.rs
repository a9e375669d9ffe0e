//! One pipeline with everything at once, through its whole life: history, marked rows, constraints, partitions, indexes; drops
//! loaded, replaced, withdrawn, loaded again and erased; migrated forth and back, and rebuilt. After every step the summary is
//! what SQL makes of the rows, and in the end all is as in a fresh run.

use std::fs;

use vardelta_test_servers::{Server, each};
use vardelta_tests::{
    database,
    project::{Project, Said, finish},
    server_database::literals,
    server_project::URL_VARIABLE,
};

const STAGES: &str = r#"
[pipeline]
name = "together"
assembly = "GRCh38"
max_reject_share = 0.5
chunk_records = 3
[stages.calls]
type = "vcf"
path = "drops/*.vcf"
info = ["GENE", { name = "DP", type = "Integer", number = "1" }]
[stages.alleles]
type = "normalize"
input = "calls"
[stages.named]
type = "select"
input = "alleles"
[stages.named.columns]
chromosome = "chrom"
position = "pos"
reference = "ref"
alternate = "alt"
quality = "qual"
gene = "coalesce(info_gene, '-')"
[stages.variants]
type = "table"
input = "named"
key = ["chromosome", "position", "reference", "alternate"]
conflict = "latest_drop"
[stages.summary]
type = "aggregate"
input = "variants"
group_by = ["gene"]
[stages.summary.columns]
variants = "count(*)"
best = "max(quality)"
[stages.warehouse]
tables = ["variants", "summary"]
history = ["variants", "summary"]
checks = { variants = ["quality BETWEEN 0 AND 100"] }
"#;
const MARK: &str = "on_delete = \"mark\"\n";
const ON_SERVER: &str = "type = \"mysql\"\ntext_characters = { chromosome = 32, gene = 32 }\n\
                         indexes = [[\"chromosome\", \"quality\", \"gene\"]]\n";
const PARTITIONED: &str = "partition_by = \"chromosome\"\n";

/// The pipeline's directory and its database.
struct Place {
    project: Project,
    server: Option<(&'static Server, String)>,
    /// Where the sink is, and what it does with rows that the database refuses.
    sink: String,
}

impl Place {
    fn new(server: Option<(&'static Server, String)>, option: &str) -> Place {
        let sink = match &server {
            None => format!("type = \"sqlite\"\npath = \"x.sqlite\"\n{option}"),
            Some((server, database)) => {
                server.allow_views(database);
                format!("url = \"${{{URL_VARIABLE}}}\"\n{ON_SERVER}{option}")
            }
        };
        Place { project: Project::new(STAGES), server, sink }
    }

    /// Another one, empty, on the same database system.
    fn fresh(&self, option: &str) -> Place {
        Place::new(self.server.as_ref().map(|(server, _)| (*server, server.new_database())), option)
    }

    fn is_server(&self) -> bool {
        self.server.is_some()
    }

    /// Writes the pipeline file.
    fn define(&self, more_of_the_sink: &str, is_wide: bool) {
        let mut stages = STAGES.to_owned();
        if is_wide {
            stages = stages.replace("gene = \"coalesce", "depth = \"info_dp\"\ngene = \"coalesce");
            stages = stages.replace("best = \"max(quality)\"", "best = \"max(quality)\"\ndeepest = \"max(depth)\"");
        }
        self.project.write("pipeline.toml", format!("{stages}{}{more_of_the_sink}", self.sink).as_bytes());
    }

    #[track_caller]
    fn vardelta(&self, verb: &str, arguments: &[&str]) -> Said {
        let mut command = self.project.command(verb, arguments);
        if let Some((server, database)) = &self.server {
            command.env(URL_VARIABLE, server.url(database));
        }
        finish(&mut command)
    }

    fn sql(&self, query: &str) -> Vec<String> {
        match &self.server {
            None => database::rows(&database::open(&self.project.path("x.sqlite")), query),
            Some((server, name)) => literals(&mut server.root_in(name), query),
        }
    }

    /// A drop with a record for each number; every gene, chromosome and depth follows from it, the quality from `modulus` too.
    #[track_caller]
    fn deliver(&self, name: &str, numbers: std::ops::RangeInclusive<u32>, modulus: u32) {
        let mut text = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n".to_owned();
        for n in numbers {
            let (chromosome, quality, gene) = (n % 5 + 1, n * 7 % modulus, n % 4);
            let info = format!("GENE=G{gene};DP={n}");
            text += &format!("chr{chromosome}\t{}\t.\tA\tC\t{quality}\tPASS\t{info}\n", n * 10);
        }
        self.project.write(&format!("drops/{name}.vcf"), text.as_bytes());
        self.vardelta("run", &[]).expect(0);
    }

    /// The summary is what SQL makes of the rows, and vardelta agrees.
    #[track_caller]
    fn check(&self, live: &str) {
        self.vardelta("verify", &[]).expect(0);
        let grouped = format!("select gene, count(*), max(quality) from variants{live} group by gene order by gene");
        let summary = format!("select gene, variants, best from summary{live} order by gene");
        assert_eq!(self.sql(&summary), self.sql(&grouped));
    }
}

/// A whole life; `refused` is how many of the second drop's records the database does not take.
fn live(place: &Place, modulus: u32, refused: usize) {
    let mark = format!("{MARK}{}", if place.is_server() { PARTITIONED } else { "" });
    place.define(&mark, false);
    place.deliver("a", 1..=40, 98);
    place.deliver("b", 20..=60, modulus);
    place.check("_live");
    let rejects = place.sql("select * from vardelta_rejects");
    assert_eq!(rejects.len(), refused);
    place.deliver("a", 5..=30, 90);
    place.check("_live");
    place.vardelta("withdraw", &["b"]).expect(0);
    place.check("_live");
    assert_eq!(place.sql("select count(*) from variants_live"), place.sql("select 26"));
    assert_ne!(place.sql("select count(*) from variants where deleted_at is not null"), place.sql("select 0"));
    place.vardelta("run", &[]).expect(0);
    place.check("_live");

    place.define(&mark, true);
    place.vardelta("run", &[]).expect(6).says(&["vardelta migrate"]);
    place.vardelta("migrate", &["--batch-rows", "7"]).expect(0);
    place.check("_live");
    place.deliver("c", 1..=25, 99);
    place.check("_live");

    place.vardelta("withdraw", &["b", "--erase"]).expect(0).says(&["the search finds nothing"]);
    place.check("_live");
    fs::remove_file(place.project.path("drops/b.vcf")).expect("it is there");
    place.vardelta("run", &[]).expect(0);

    place.define("", true);
    place.vardelta("migrate", &[]).expect(0);
    place.vardelta("migrate", &["--contract"]).expect(0);
    place.check("");
    place.vardelta("rebuild", &[]).expect(0);
    place.check("");

    let fresh = place.fresh("");
    fresh.define("", true);
    fresh.deliver("a", 5..=30, 90);
    fresh.deliver("c", 1..=25, 99);
    for query in [
        "select chromosome, position, reference, alternate, quality, depth, gene from variants order by position",
        "select gene, variants, best, deepest from summary order by gene",
    ] {
        assert_eq!(place.sql(query), fresh.sql(query));
    }
}

fn on_each(test: &str, option: &str, modulus: u32, refused: usize) {
    eprintln!("{test}: on SQLite");
    live(&Place::new(None, option), modulus, refused);
    each(test, |server, database| live(&Place::new(Some((server, database.to_owned())), option), modulus, refused));
}

#[test]
fn everything_at_once_lives_a_whole_life() {
    on_each("everything_at_once_lives_a_whole_life", "", 100, 0);
}

#[test]
fn everything_at_once_lives_a_whole_life_with_quarantine() {
    // 7n modulo 110 is above 100 for three of the numbers.
    on_each("everything_at_once_lives_a_whole_life_with_quarantine", "on_constraint = \"quarantine\"\n", 110, 3);
}
