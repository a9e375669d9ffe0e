//! `vardelta report`: one file that says what `history` and `drops` say.

use std::{fs, path::Path, process::Command};

use serde_json::Value;
use vardelta_tests::{
    binary::binary,
    project::{Project, Said, finish, vardelta_in},
    shipped::copied,
};

use super::{HOSTILE, between, hostile, is_sound, shown};

fn report(project: &Project) -> String {
    project.vardelta("report", &["--out", "report.html"]).expect(0);
    String::from_utf8(project.bytes("report.html")).expect("a report is UTF-8")
}

/// The cells of the rows of a table, found by its region's label.
fn rows(html: &str, label: &str) -> Vec<Vec<String>> {
    let begin = format!("aria-label=\"{label}\"");
    let table = between(html, &begin, "</table>").next().unwrap_or_else(|| panic!("there is no table `{label}`"));
    let body = table.split("<tbody>").nth(1).expect("a table has a body");
    let cells = |row: &str| {
        let cells = row.replace("<th", "<td");
        cells
            .split("<td")
            .skip(1)
            .map(|cell| shown(&format!("<td{cell}")).split_whitespace().collect::<Vec<_>>().join(" "))
            .collect()
    };
    between(body, "<tr>", "</tr>").map(cells).collect()
}

fn number(text: &str) -> u64 {
    text.replace(',', "").parse().unwrap_or_else(|_| panic!("`{text}` is no number"))
}

#[test]
fn the_report_of_the_shipped_pipeline_says_what_the_command_line_says() {
    let directory = copied(&["clinical", "cohort", "gene_summary", "fragments"], &["clinical.toml"]);
    let place = directory.path();
    let vardelta = |arguments: &[&str]| vardelta_in(place, arguments);
    vardelta(&["run", "clinical.toml"]).expect(0);
    vardelta(&["run", "clinical.toml", "--into", "clinvar_rows", "clinical/later/clinvar.vcf"]).expect(0);
    vardelta(&["run", "clinical.toml", "--into", "calls", "gene_summary/later/day2.vcf"]).expect(0);
    vardelta(&["withdraw", "clinical.toml", "day2"]).expect(0);
    let told = vardelta(&["report", "clinical.toml", "--out", "report.html", "--json"]).expect(0).json();
    let html = fs::read_to_string(place.join("report.html")).expect("a report");
    assert_eq!((told["epoch"].as_u64(), told["bytes"].as_u64()), (Some(4), Some(html.len() as u64)));
    is_sound(&html);
    assert!(!html.contains("http://") && !html.contains("https://"), "it names no other place");

    // The runs, and the accounting of each.
    let events = vardelta(&["history", "clinical.toml", "--json"]).expect(0).json();
    let events = events["events"].as_array().expect("events");
    let runs = rows(&html, "Runs that committed an epoch");
    assert_eq!(runs.iter().map(|run| number(&run[0])).collect::<Vec<_>>(), [4, 3, 2, 1]);
    for run in &runs {
        let at = events.iter().find(|event| event["epoch"] == number(&run[0])).expect("the epoch");
        let at = at["committed_at"].as_str().expect("a time").replace('T', " ").replace('Z', " UTC");
        assert_eq!(run[1], at);
        assert!(run[2].ends_with('s'), "its duration is known: {run:?}");
    }
    for epoch in 1..=4_u64 {
        let place = format!("id=\"run-{epoch}\"");
        let section = between(&html, &place, "</details><").next().expect("the run has a place");
        let of_epoch: Vec<&Value> = events.iter().filter(|event| event["epoch"] == epoch).collect();
        let listed = rows(section, "Records by drop");
        assert_eq!(listed.len(), of_epoch.len());
        for (row, event) in listed.iter().zip(of_epoch) {
            assert_eq!(
                (row[0].as_str(), row[2].as_str()),
                (event["name"].as_str().expect("a name"), event["action"].as_str().expect("an action"))
            );
            let counts = ["read", "loaded", "filtered", "rejected", "duplicates"];
            for (cell, count) in row[3..8].iter().zip(counts) {
                assert_eq!(Some(number(cell)), event[count].as_u64(), "{count} of {}", row[0]);
            }
            assert_eq!(number(&row[3]), row[4..8].iter().map(|cell| number(cell)).sum::<u64>(), "{row:?}");
        }
    }
    assert!(
        shown(&html).contains("17 read = 14 loaded + 1 filtered + 1 rejected + 1 duplicate")
            || events.iter().filter(|event| event["epoch"] == 1).count() > 1
    );

    // The drops: those that stand, in ledger order, and the one that was withdrawn.
    let drops = vardelta(&["drops", "clinical.toml", "--json"]).expect(0).json();
    let drops = drops["drops"].as_array().expect("drops");
    let listed = rows(&html, "Drops");
    assert_eq!(listed.len(), drops.len() + 1);
    for (row, drop) in listed.iter().zip(drops) {
        assert_eq!(row[0], drop["name"].as_str().expect("a name"));
        assert_eq!(Some(number(&row[5])), drop["read"].as_u64());
        assert_eq!(Some(number(&row[8])), drop["rejected"].as_u64());
    }
    let gone = listed.last().expect("a drop");
    assert_eq!((gone[0].as_str(), gone[2].as_str()), ("day2", "withdrawn"));
    assert!(gone[3].contains("added in 3") && gone[3].contains("withdrawn in 4"), "{gone:?}");

    // Rejects with their samples, the stages, the changed rows and where they come from.
    let text = shown(&html);
    for said in
        ["bad_position", "1.17559E+08", "clinvar_classified", "mutation_summary", "pathogenic_count", "Made of:"]
    {
        assert!(text.contains(said), "`{said}` is not shown");
    }
    let tables = rows(&html, "Tables");
    let database = rusqlite::Connection::open(place.join("clinical.sqlite")).expect("the database");
    for table in &tables {
        let count: i64 = database
            .query_row(&format!("SELECT COUNT(*) FROM \"{}\"", table[0]), [], |row| row.get(0))
            .expect("a count");
        assert_eq!(number(&table[1]), count.unsigned_abs(), "rows of {}", table[0]);
    }
    assert_eq!(tables.len(), 14);
    for href in between(&html, "href=\"#", "\"") {
        assert!(html.contains(&format!("id=\"{href}\"")), "#{href} leads nowhere");
    }
}

#[test]
fn whatever_names_and_values_hold_is_text() {
    let project = hostile();
    for (at, name) in HOSTILE.iter().enumerate() {
        let name = name.replace('/', "\u{2215}");
        let value = HOSTILE[at].replace('"', "\u{201d}");
        project.write(&format!("drops/{name}.tsv"), format!("id\tword\n{at}\t{value}\nx\t{value}\n1\n").as_bytes());
    }
    project.vardelta("run", &[]).expect(0);
    let html = report(&project);
    is_sound(&html);
    let text = shown(&html);
    assert!(text.contains("<script>alert(1)<\u{2215}script>") && text.contains("<script>alert(1)</script>"), "{text}");
    assert!(text.contains("esc\\u{1b}[2J\\u{202e}x") && text.contains("&lt;b&gt;&amp;"), "{text}");
}

#[test]
fn ten_thousand_drops_are_told_in_folded_blocks() {
    let project = hostile();
    // A history names all drops of its epoch in every row.
    let pipeline = String::from_utf8(project.bytes("pipeline.toml")).expect("text");
    project.write("pipeline.toml", pipeline.replace("history = [\"words\"]", "").as_bytes());
    for drop in 0..10_000 {
        project.write(&format!("drops/d{drop}.tsv"), format!("id\tword\n{drop}\tw\n").as_bytes());
    }
    project.vardelta("run", &["-q"]).expect(0);
    let html = report(&project);
    is_sound(&html);
    assert_eq!(rows(&html, "Drops").len(), 200);
    assert!(html.contains("<summary>Drops 9,801 to 10,000</summary>"));
    assert_eq!(between(&html, "<details><summary>Drops ", "<").count(), 49);
    assert!(html.len() < 16 << 20, "{} bytes", html.len());
}

#[test]
fn nothing_but_a_report_is_overwritten() {
    let project = hostile();
    project.write("drops/a.tsv", b"id\tword\n1\tw\n");
    project.vardelta("run", &[]).expect(0);
    project.write("mine.html", b"<!DOCTYPE html><html></html>");
    for path in ["mine.html", "pipeline.toml", "drops/a.tsv", "hostile.sqlite", "drops", "/dev/null"] {
        let before = project.bytes(path);
        project.vardelta("report", &["--out", path]).expect(2).says(&["would overwrite what is not its own"]);
        assert_eq!(project.bytes(path), before, "{path} is as it was");
    }
    let first = report(&project);
    project.write("drops/b.tsv", b"id\tword\n2\tw\n");
    project.vardelta("run", &[]).expect(0);
    assert_ne!(report(&project), first, "a report is replaced by a newer one");
    project.vardelta("report", &["--out", "no/such/folder/r.html"]).expect(6).says(&["cannot be written"]);
}

#[test]
fn a_report_says_so_where_nothing_is_known() {
    let project = hostile();
    project.write("drops/a.tsv", b"id\tword\n1\tw\n");
    project.vardelta("run", &[]).expect(0);
    // The figures of runs lie beside the state; without them the rest is reported all the same.
    fs::remove_dir_all(project.path(".vardelta/hostile/runs")).expect("the figures are there");
    let text = shown(&report(&project));
    assert!(text.contains("The times of this run were not kept") && text.contains("No run has left figures"), "{text}");
    fs::create_dir_all(project.path(".vardelta/hostile/runs")).expect("a folder");
    project.write(".vardelta/hostile/runs/figures.ndjson", b"{\"epoch\": 1}\nnonsense\n\xff\n");
    assert!(shown(&report(&project)).contains("The times of this run were not kept"));
    // A run that fails leaves its figures, without a word of what it was about.
    project.write("drops/b.tsv", b"");
    project.write("drops/secret_name.tsv", b"nonsense\n");
    let failed = project.vardelta("run", &[]);
    assert_ne!(failed.code, 0, "{failed:?}");
    let figures = String::from_utf8(
        project.bytes(".vardelta/hostile/runs/figures.ndjson").into_iter().filter(u8::is_ascii).collect(),
    )
    .expect("text");
    assert!(!figures.contains("secret_name"), "{figures}");
    assert!(shown(&report(&project)).contains("Runs that failed"));
}

/// Where there is no ledger yet, a report says so or the command says what is missing.
#[test]
fn a_pipeline_without_a_run_has_a_report_or_an_error_in_words() {
    let project = hostile();
    let mut command = Command::new(binary());
    command.args(["report", "pipeline.toml", "--out", "r.html"]).current_dir(project.directory());
    let said: Said = finish(&mut command);
    match said.code {
        0 => assert!(
            shown(&fs::read_to_string(project.path("r.html")).expect("a report"))
                .contains("Nothing has been loaded yet")
        ),
        _ => {
            said.expect(6).says(&["hint"]);
            assert!(!Path::new(&project.path("r.html")).exists());
        }
    }
}
