//! How long each stage took.

use vardelta_engine::report::StageReport;

use crate::report::{Table, grouped};

/// The stages' figures, and which of them took longest. Seconds are summed over threads.
pub fn figures(stages: &[StageReport]) -> String {
    if stages.is_empty() {
        return String::new();
    }
    let mut table =
        Table::titled(["stage", "rows in", "rows out", "seconds", "waiting", "rows/s", "p50", "p99", "max"]);
    for stage in stages {
        table.row().text(&stage.name).number(stage.rows_in).number(stage.rows_out);
        let times = &stage.times;
        table.figure(format!("{:.3}", times.seconds)).figure(format!("{:.3}", times.wait_s)).figure(rate(stage));
        table.figure(duration(times.p50_us)).figure(duration(times.p99_us)).figure(duration(times.max_us));
    }
    let mut text = table.render();
    let all: f64 = stages.iter().map(|stage| stage.times.seconds).sum();
    if let Some(slowest) = stages.iter().max_by(|a, b| a.times.seconds.total_cmp(&b.times.seconds))
        && all > 0.0
    {
        let share = 100.0 * slowest.times.seconds / all;
        text +=
            &format!("  slowest: {} ({share:.0} % of the busy time; p50, p99 and max are of batches)\n", slowest.name);
    }
    text
}

fn rate(stage: &StageReport) -> String {
    let seconds = stage.times.seconds;
    if seconds > 0.0 { grouped((stage.rows_in as f64 / seconds) as u64) } else { "-".into() }
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
    use vardelta_engine::report::{StageReport, TimeReport};

    use super::figures;

    #[test]
    fn the_slowest_is_named() {
        let stage = |name: &str, seconds| StageReport {
            name: name.into(),
            rows_in: 1_000,
            rows_out: 900,
            times: TimeReport {
                seconds,
                wait_s: 0.25,
                p50_us: 900,
                p90_us: 1_200,
                p99_us: 1_500,
                max_us: 2_000,
                ..TimeReport::default()
            },
        };
        let expected = [
            "  STAGE     ROWS IN  ROWS OUT  SECONDS  WAITING  ROWS/S     P50     P99     MAX",
            "  calls       1,000       900    0.500    0.250   2,000  900 us  1.5 ms  2.0 ms",
            "  variants    1,000       900    1.500    0.250     666  900 us  1.5 ms  2.0 ms",
            "  slowest: variants (75 % of the busy time; p50, p99 and max are of batches)",
        ];
        let figures = figures(&[stage("calls", 0.5), stage("variants", 1.5)]);
        assert_eq!(figures.lines().collect::<Vec<_>>(), expected);
    }
}
