//! The files that a bench writes: percentiles and a picture.

use super::{Bench, array, number, text};

#[test]
fn percentiles_and_a_picture_are_written_and_may_be_written_again() {
    let bench = Bench::new();
    let arguments = ["--records", "2000", "--workers", "1,2", "--repeat", "1", "--hgrm", "plots", "--svg", "bench.svg"];
    let found = bench.json(&arguments);
    bench.json(&arguments);

    let calls = std::fs::read_to_string(bench.path("plots/calls.hgrm")).expect("percentiles of the source");
    let rows: Vec<Vec<f64>> = calls
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<f64>>())
        .filter(|row| row.len() >= 3)
        .collect();
    assert!(!rows.is_empty() && rows.is_sorted_by(|a, b| a[0] <= b[0] && a[1] <= b[1] && a[2] <= b[2]), "{calls}");
    assert!(calls.contains("#[Max") && calls.contains("1/(1-Percentile)"), "{calls}");

    let svg = std::fs::read_to_string(bench.path("bench.svg")).expect("a picture");
    assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"") && svg.trim_end().ends_with("</svg>"));
    assert!(svg.contains("prefers-color-scheme:dark") && !svg.contains("<script") && !svg.contains("href"), "{svg}");
    let last = array(&found, "runs").last().expect("a run");
    for stage in array(last, "stages") {
        assert!(svg.contains(&format!(">{}</text>", text(stage, "name"))), "{stage}");
    }
    let bars = array(last, "stages").len() + array(last, "readers").len();
    assert_eq!(svg.matches("<rect class=\"busy\"").count(), bars);
    assert_eq!(number(last, "workers"), 2.0);
}
