//! A bench for people.

use super::{
    compare::Comparison,
    result::{Bench, Run},
};
use crate::report::{Table, grouped};

/// The figures as tables.
pub fn text(bench: &Bench) -> String {
    let made_up = if bench.input.generated { ", made up" } else { "" };
    let sink =
        if bench.sink == "none" { "written nowhere".into() } else { format!("into a scratch {} database", bench.sink) };
    let mut text = format!(
        "{}: {} records, {}{made_up}, {sink}; the median of {}\n",
        bench.stage.as_ref().map_or_else(|| bench.pipeline.clone(), |stage| format!("{} of {}", stage, bench.pipeline)),
        grouped(bench.input.records),
        bytes(bench.input.text_bytes),
        bench.repeat
    );
    if bench.stage.is_none() {
        text += &format!("\nruns\n{}", runs(bench));
    }
    if let Some(run) = bench.runs.last() {
        let s = if run.workers == 1 { "" } else { "s" };
        text += &format!("\nstages, with {} worker{s}\n{}", run.workers, stages(run));
    }
    if let Some(cost) = &bench.cost {
        let rate = grouped(cost.loop_records_per_s as u64);
        let beaten = match cost.workers {
            Some(1) => "1 worker beats it".into(),
            Some(workers) => format!("{workers} workers beat it"),
            None => "no measured number of workers beats it".into(),
        };
        text += &format!("\nCOST: a plain loop on one thread reads {rate} records/s; {beaten}\n");
    }
    if !bench.delta.is_empty() {
        let mut table = Table::titled(["history", "drop", "seconds", "ratio"]);
        for delta in &bench.delta {
            table.row().number(delta.history_records).number(delta.drop_records);
            table.figure(seconds(delta.seconds)).figure(format!("{:.2}", delta.ratio));
        }
        text += &format!("\na drop on top of a history\n{}", table.render());
    }
    if let Some(bottleneck) = &bench.bottleneck {
        text += &format!("\nbottleneck: {}\n", bottleneck.why);
    }
    if !bench.notices.is_empty() {
        text += &format!("\nnotices\n  {}\n", bench.notices.join("\n  "));
    }
    text
}

fn runs(bench: &Bench) -> String {
    let mut table = Table::titled([
        "workers",
        "seconds",
        "min",
        "max",
        "records/s",
        "cpu",
        "memory",
        "state",
        "read",
        "written",
        "allocated",
        "speed-up",
        "efficiency",
        "busy",
    ]);
    for run in &bench.runs {
        table.row().number(run.workers as u64).figure(seconds(run.seconds));
        table.figure(seconds(run.seconds_min)).figure(seconds(run.seconds_max)).number(run.records_per_s as u64);
        table.figure(run.cpu_seconds.map_or("-".into(), |cpu| format!("{cpu:.2}")));
        table.figure(run.peak_bytes.map_or("-".into(), bytes)).figure(run.state_bytes.map_or("-".into(), bytes));
        for amount in [run.state_read_bytes, run.state_written_bytes, run.allocated_bytes] {
            table.figure(amount.map_or("-".into(), bytes));
        }
        let speedup = bench.speedup.iter().find(|speedup| speedup.workers == run.workers);
        table.figure(speedup.map_or("-".into(), |speedup| format!("{:.2}", speedup.ratio)));
        table.figure(speedup.map_or("-".into(), |speedup| format!("{:.0} %", 100.0 * speedup.efficiency)));
        let all: f64 = run.worker_times.iter().map(|worker| worker.busy_s + worker.wait_s).sum();
        let busy: f64 = run.worker_times.iter().map(|worker| worker.busy_s).sum();
        table.figure(if all > 0.0 { format!("{:.0} %", 100.0 * busy / all) } else { "-".into() });
    }
    table.render()
}

fn stages(run: &Run) -> String {
    let mut table = Table::titled([
        "stage",
        "rows in",
        "rows out",
        "busy",
        "waiting",
        "rows/s",
        "MB/s",
        "p50",
        "p90",
        "p99",
        "max",
        "allocations/row",
        "bytes/row",
    ]);
    for stage in &run.stages {
        table.row().text(&stage.name).number(stage.rows_in).number(stage.rows_out);
        table.figure(seconds(stage.busy_s)).figure(seconds(stage.wait_s));
        table.figure(stage.records_per_s.map_or("-".into(), |rate| grouped(rate as u64)));
        table.figure(stage.mb_per_s.map_or("-".into(), |rate| format!("{rate:.1}")));
        for us in [stage.p50_us, stage.p90_us, stage.p99_us, stage.max_us] {
            table.figure(duration(us));
        }
        for per_row in [stage.allocations_per_row, stage.allocated_bytes_per_row] {
            table.figure(per_row.map_or("-".into(), |per_row| format!("{per_row:.1}")));
        }
    }
    let mut text = table.render();
    for reader in &run.readers {
        text += &format!(
            "  reading for {}: {} chunks, busy {} s, waiting {} s\n",
            reader.name,
            grouped(reader.chunks),
            seconds(reader.busy_s),
            seconds(reader.wait_s)
        );
    }
    text
}

/// Two benches side by side, for people.
pub fn comparison_text(comparison: &Comparison) -> String {
    let mut table = Table::titled(["figure", "workers", "before", "now", "ratio", "noise", "verdict"]);
    for figure in &comparison.figures {
        table.row().text(&figure.name);
        table.figure(if figure.workers > 0 { figure.workers.to_string() } else { "-".into() });
        table.figure(seconds(figure.before)).figure(seconds(figure.now)).figure(format!("{:.2}", figure.ratio));
        let noise = if figure.noise.is_finite() { format!("{:.0} %", 100.0 * figure.noise) } else { "-".into() };
        table.figure(noise).text(figure.verdict.as_str());
    }
    let notices: String = comparison.notices.iter().map(|notice| format!("  {notice}\n")).collect();
    format!("\nagainst the saved bench\n{}{notices}\nverdict: {}\n", table.render(), comparison.verdict.as_str())
}

fn seconds(seconds: f64) -> String {
    format!("{seconds:.3}")
}

/// Bytes in decimal units.
pub fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

fn duration(microseconds: u64) -> String {
    match microseconds {
        0..1_000 => format!("{microseconds} us"),
        1_000..1_000_000 => format!("{:.1} ms", microseconds as f64 / 1e3),
        _ => format!("{:.2} s", microseconds as f64 / 1e6),
    }
}
