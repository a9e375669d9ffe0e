//! Drops that are loaded as they arrive: whole and once, whatever else lies there, and across the ends of the process.

mod alerts;
mod arrival;
mod deliveries;
mod ends;
mod flat;
mod http;
mod kills;
mod many;
mod mounts;
mod overflow;
mod probes;

use vardelta_tests::project::Project;

/// A pipeline that keeps alleles in SQLite.
const PIPELINE: &str = r#"
[pipeline]
name = "watched"

[stages.calls]
type = "vcf"
path = "drops/*.vcf*"

[stages.alleles]
type = "normalize"
input = "calls"

[stages.variants]
type = "table"
input = "alleles"
key = ["chrom", "pos", "ref", "alt"]

[stages.warehouse]
type = "sqlite"
path = "watched.sqlite"
tables = ["variants"]

[operate.health]
disk_free_gb = 0
memory_available_gb = 0
"#;

/// What makes `watch` quick enough for a test, and lets it be asked.
const QUICK: [&str; 6] = ["--settle", "200ms", "--every", "100ms", "--listen", "127.0.0.1:0"];

fn project() -> Project {
    Project::new(PIPELINE)
}

/// The text of a drop with records at these positions.
fn drop_text(positions: std::ops::Range<u32>) -> String {
    let records = positions.map(|position| format!("1\t{position}\t.\tA\tC\t50\tPASS\t.\n"));
    format!("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n{}", records.collect::<String>())
}

/// How many rows stand, and at how many epochs the ledger is.
fn rows_and_epochs(project: &Project) -> (u64, u64) {
    let path = project.path("watched.sqlite");
    let opened = rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY);
    let Ok(connection) = opened else { return (0, 0) };
    let count = |query: &str| connection.query_row(query, [], |row| row.get::<_, u32>(0)).map_or(0, u64::from);
    (count("SELECT COUNT(*) FROM variants"), count("SELECT COUNT(*) FROM vardelta_epochs"))
}
