//! How long each stage took.

use vardelta_engine::report::StageReport;

use crate::report::{Table, grouped};

/// The stages' figures, and which of them took longest. Seconds are summed over threads.
pub fn figures(stages: &[StageReport]) -> String {
    if stages.is_empty() {
        return String::new();
    }
    let mut table = Table::titled(["stage", "rows in", "rows out", "seconds", "rows/s", "p50", "p99"]);
    for stage in stages {
        table.row().text(&stage.name).number(stage.rows_in).number(stage.rows_out);
        table.figure(format!("{:.3}", stage.seconds)).figure(rate(stage));
        table.figure(duration(stage.p50_us)).figure(duration(stage.p99_us));
    }
    let mut text = table.render();
    let all: f64 = stages.iter().map(|stage| stage.seconds).sum();
    if let Some(slowest) = stages.iter().max_by(|a, b| a.seconds.total_cmp(&b.seconds))
        && all > 0.0
    {
        let share = 100.0 * slowest.seconds / all;
        text += &format!("  slowest: {} ({share:.0} % of the busy time; p50 and p99 are of a batch)\n", slowest.name);
    }
    text
}

fn rate(stage: &StageReport) -> String {
    if stage.seconds > 0.0 { grouped((stage.rows_in as f64 / stage.seconds) as u64) } else { "-".into() }
}

fn duration(microseconds: u64) -> String {
    match microseconds {
        0..1_000 => format!("{microseconds} us"),
        1_000..1_000_000 => format!("{:.1} ms", microseconds as f64 / 1e3),
        _ => format!("{:.2} s", microseconds as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use vardelta_engine::report::StageReport;

    use super::figures;

    #[test]
    fn the_slowest_is_named() {
        let stage = |name: &str, seconds| StageReport {
            name: name.into(),
            rows_in: 1_000,
            rows_out: 900,
            seconds,
            p50_us: 900,
            p99_us: 1_500,
        };
        let expected = [
            "  STAGE     ROWS IN  ROWS OUT  SECONDS  ROWS/S     P50     P99",
            "  calls       1,000       900    0.500   2,000  900 us  1.5 ms",
            "  variants    1,000       900    1.500     666  900 us  1.5 ms",
            "  slowest: variants (75 % of the busy time; p50 and p99 are of a batch)",
        ];
        let figures = figures(&[stage("calls", 0.5), stage("variants", 1.5)]);
        assert_eq!(figures.lines().collect::<Vec<_>>(), expected);
    }
}
