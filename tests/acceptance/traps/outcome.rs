//! What became of a case: rows by SQL over the database, counts from the report, or the refusal.

use std::{fmt::Write as _, path::Path};

use rusqlite::Connection;
use serde_json::Value;
use vardelta_engine::{error::RunError, report::RunReport, run::RunOptions};
use vardelta_tests::{in_process::Warehouse, project::Project, report::warned};

use super::cases::Case;

/// Rows that are shown one by one.
const ROWS_SHOWN: usize = 4;
/// Characters of a row that are shown.
const ROW_CHARACTERS: usize = 110;

/// What was seen.
pub struct Outcome {
    pub rows: String,
    pub counts: String,
}

/// Loads a file under its own name.
pub fn of_file(path: &Path, case: &Case) -> Outcome {
    let name = path.file_name().expect("a file has a name").to_string_lossy();
    of_bytes(&name, &std::fs::read(path).expect("a shared file can be read"), case)
}

/// Loads bytes as a file of this name.
pub fn of_bytes(name: &str, bytes: &[u8], case: &Case) -> Outcome {
    let warehouse = Warehouse::new(&pipeline(case));
    std::fs::write(warehouse.drops().join(name), bytes).expect("a drop can be written");
    match warehouse.run(0, &RunOptions::default()) {
        Ok(report) => {
            let counts = counts(&serde_json::to_value(&report).expect("a report is JSON"));
            Outcome { rows: rows(&warehouse.directory.path().join("traps.sqlite"), &report, case), counts }
        }
        Err(error) => refused(&error, warehouse.directory.path()),
    }
}

/// Loads bytes from the standard input of the real program.
pub fn of_pipe(bytes: &[u8], case: &Case) -> Outcome {
    let project = Project::new(&pipeline(case));
    let said = project.vardelta_reading("run", &["-", "--as", "piped", "--json"], bytes);
    if said.code != 0 {
        let message = said.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
        return Outcome { rows: format!("refused (exit {}): {message}", said.code), counts: String::new() };
    }
    let connection = Connection::open(project.path("traps.sqlite")).expect("a database");
    let shown = lines(&connection, case);
    Outcome { rows: shown.join("; "), counts: counts(&said.json()) }
}

fn refused(error: &RunError, directory: &Path) -> Outcome {
    let place = format!("{}/drops/", directory.display());
    // Directories of this machine are no part of the message.
    let message = error.message.replace(&place, "").lines().next().unwrap_or_default().to_owned();
    Outcome { rows: format!("refused (exit {}): {message}", error.kind.exit_code()), counts: String::new() }
}

fn counts(report: &Value) -> String {
    let mut text = String::new();
    let rejects = report["rejects"].as_object().into_iter().flatten();
    let rejects = rejects.map(|(code, count)| (code.clone(), count.as_u64().unwrap_or_default())).collect();
    for (counts, verb) in [(rejects, "rejected"), (warned(report), "")] {
        for (code, count) in counts {
            let _ = write!(
                text,
                "{}{code} {count}{verb}",
                if text.is_empty() { "" } else { "; " },
                verb = if verb.is_empty() { String::new() } else { format!(" {verb}") }
            );
        }
    }
    let drop = &report["drops"][0];
    for key in ["filtered", "duplicates"] {
        if let Some(count @ 1..) = drop[key].as_u64() {
            let _ = write!(text, "{}{count} {key}", if text.is_empty() { "" } else { "; " });
        }
    }
    text
}

fn rows(database: &Path, report: &RunReport, case: &Case) -> String {
    let drop = &report.drops[0];
    assert_eq!(drop.read, drop.loaded + drop.filtered + drop.rejected + drop.duplicates, "{}", case.name);
    let connection = Connection::open(database).expect("a database");
    let lines = lines(&connection, case);
    match lines.len() {
        0 if drop.read == 0 => "nothing: no records".to_owned(),
        0 => "nothing".to_owned(),
        more if more > ROWS_SHOWN => format!("{more} rows of {} records", drop.read),
        _ => lines.join("; "),
    }
}

/// The rows, one text each, in the order of their key.
fn lines(connection: &Connection, case: &Case) -> Vec<String> {
    let columns: &[&str] = match case.samples {
        true => &["sample", "gt", "gq", "ad"],
        false => &["id", "qual", "filter", "dp", "af", "info_ad", "db", "s", "end", "svlen"],
    };
    let list: Vec<String> = columns.iter().map(|column| format!("\"{column}\"")).collect();
    let order = if case.samples { "chrom, pos, ref, alt, sample" } else { "chrom, pos, ref, alt" };
    let query = format!("SELECT chrom, pos, ref, alt, {} FROM calls ORDER BY {order}", list.join(", "));
    let mut statement = connection.prepare(&query).expect("the columns are there");
    let rows = statement.query_map([], |row| {
        let text = |at: usize| -> rusqlite::Result<Option<String>> {
            Ok(match row.get_ref(at)? {
                rusqlite::types::ValueRef::Null => None,
                rusqlite::types::ValueRef::Integer(value) => Some(value.to_string()),
                rusqlite::types::ValueRef::Real(value) => Some(value.to_string()),
                rusqlite::types::ValueRef::Text(value) | rusqlite::types::ValueRef::Blob(value) => {
                    Some(String::from_utf8_lossy(value).into_owned())
                }
            })
        };
        let fixed: Vec<String> = (0..4).map(|at| text(at).map(Option::unwrap_or_default)).collect::<Result<_, _>>()?;
        let mut line = format!("{}:{} {}>{}", fixed[0], fixed[1], fixed[2], fixed[3]);
        for (at, column) in columns.iter().enumerate() {
            if let Some(value) = text(at + 4)?.filter(|value| !(*column == "db" && value == "0")) {
                let _ = write!(line, " {column}={}", value.escape_debug());
            }
        }
        let length = line.chars().count();
        if length > ROW_CHARACTERS {
            line = line.chars().take(ROW_CHARACTERS).chain([' ', '…']).collect();
            let _ = write!(line, " ({length} characters)");
        }
        Ok(line)
    });
    rows.expect("rows").collect::<Result<_, _>>().expect("rows")
}

fn pipeline(case: &Case) -> String {
    let samples = if case.samples { "samples = \"long\"\n" } else { "" };
    let (key, more) = match case.samples {
        true => (", \"sample\"", "sample = \"sample\"\ngt = \"gt\"\ngq = \"gq\"\nad = \"ad\"\n"),
        false => ("", ""),
    };
    format!(
        "[pipeline]\nname = \"traps\"\nworkers = 2\nmax_reject_share = 1.0\n\
         [stages.read]\ntype = \"vcf\"\npath = \"drops/*\"\nallow_missing_eof = {}\n\
         info = [\"DP\", \"AF\", \"AD\", \"DB\", \"S\", \"END\", \"SVLEN\"]\n{samples}\
         [stages.alleles]\ntype = \"normalize\"\ninput = \"read\"\n\
         [stages.named]\ntype = \"select\"\ninput = \"alleles\"\n[stages.named.columns]\n\
         chrom = \"chrom\"\npos = \"pos\"\nref = \"ref\"\nalt = \"alt\"\nid = \"id\"\nqual = \"qual\"\nfilter = \"filter\"\n\
         dp = \"info_dp\"\naf = \"info_af\"\ninfo_ad = \"info_ad\"\ndb = \"info_db\"\ns = \"info_s\"\nend = \"info_end\"\n\
         svlen = \"info_svlen\"\n{more}\
         [stages.calls]\ntype = \"table\"\ninput = \"named\"\nkey = [\"chrom\", \"pos\", \"ref\", \"alt\"{key}]\n\
         conflict = \"latest_drop\"\n\
         [stages.warehouse]\ntype = \"sqlite\"\npath = \"traps.sqlite\"\ntables = [\"calls\"]\n",
        case.allow_missing_eof
    )
}
