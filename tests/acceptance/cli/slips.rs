//! What a user can break by a slip: a mistyped path, a folder that is not mounted, a file that was cut off.

mod later;
mod moved;
mod names;
mod nothing;
mod order;
mod prune;
mod rejects;
mod shrink;

use std::{
    fs,
    path::{Path, PathBuf},
};

use vardelta_tests::{
    database::{Cell, read_tables},
    project::Project,
};

/// A pipeline whose source has these further options, over `drops/`.
fn pipeline(options: &str) -> String {
    format!(
        "[pipeline]\nname = \"slips\"\n\
         [stages.calls]\ntype = \"vcf\"\n{options}\n\
         [stages.alleles]\ntype = \"normalize\"\ninput = \"calls\"\n\
         [stages.rows]\ntype = \"table\"\ninput = \"alleles\"\nkey = [\"chrom\", \"pos\", \"ref\", \"alt\"]\n\
         [stages.warehouse]\ntype = \"sqlite\"\npath = \"slips.sqlite\"\ntables = [\"rows\"]\n"
    )
}

fn project() -> Project {
    Project::new(&pipeline("path = \"drops/*.vcf*\""))
}

/// A file of records at these positions.
fn vcf(positions: impl IntoIterator<Item = u64>) -> String {
    let records = positions.into_iter().map(|pos| format!("1\t{pos}\t.\tA\tC\t{pos}\tPASS\t.\n"));
    format!("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n{}", records.collect::<String>())
}

/// Writes a drop of ten records, each at ten times its number and below.
fn write_drop(project: &Project, path: &str, number: u64) -> PathBuf {
    let place = project.path(path);
    fs::create_dir_all(place.parent().expect("a folder")).expect("a folder can be made");
    project.write(path, vcf(number * 10 + 1..=number * 10 + 10).as_bytes())
}

/// The rows: position, and the column of this name.
fn rows(directory: &Path, column: &str) -> Vec<(i64, Cell)> {
    let path = directory.join("slips.sqlite");
    let tables = read_tables(&path, &[("rows", &["pos", column])]);
    let rows = &tables.rows["rows"];
    let number = |cell: &Cell| match cell {
        Cell::Integer(number) => *number,
        other => panic!("{other:?} is no position"),
    };
    rows.keys().map(|key| (number(&key[0]), key[1].clone())).collect()
}

fn positions(project: &Project) -> Vec<i64> {
    rows(project.directory(), "alt").into_iter().map(|(position, _)| position).collect()
}

/// The names of the drops that are loaded, in ledger order.
fn drops(project: &Project) -> Vec<String> {
    let said = project.vardelta("drops", &["--json"]).expect(0).json();
    let drops = said["drops"].as_array().expect("drops are listed");
    drops.iter().map(|drop| drop["name"].as_str().expect("a name").to_owned()).collect()
}
