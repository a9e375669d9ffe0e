//! A small drop on a long history, as whole processes: the cost of a run follows the change, not the history.

use crate::{
    binary::Run,
    failure::{Result, expect_equal},
    fixtures::{Drop, Fixtures, Warehouse},
    generate::{Expected, Packing, Spread},
    pipeline,
    report::{Row, Section, decimals, grouped, mebibytes, median},
};

/// The share of a first load's time that a delta may take.
const AIM_SHARE: f64 = 1.0 / 20.0;
/// How much longer a delta may take on a history ten times as long.
const AIM_GROWTH: f64 = 1.5;

/// Measures a small drop on a history.
///
/// # Errors
/// When a run fails or changes something else than was generated.
pub fn measure(fixtures: &Fixtures) -> Result<Section> {
    let mut section =
        Section::new(format!("A drop of {} records on a history", grouped(fixtures.sizes.change_records)));
    let short = history(fixtures, fixtures.sizes.records, &mut section)?;
    if let Some(longer) = fixtures.sizes.longer {
        let long = history(fixtures, longer, &mut section)?;
        let times = longer as f64 / fixtures.sizes.records as f64;
        let ratio = long.delta_seconds / short.delta_seconds;
        let row = Row::new(format!("delta on {times:.0} x the history"), format!("{} s", decimals(long.delta_seconds)));
        section.add(row.ratio(ratio, "the delta on the shorter one").aim("at most 1.5 x", ratio <= AIM_GROWTH));
        let row = Row::new("withdrawal on it", format!("{} s", decimals(long.withdrawal_seconds)));
        section.add(row.ratio(long.withdrawal_seconds / short.withdrawal_seconds, "the withdrawal on the shorter one"));
    }
    Ok(section)
}

/// Medians of one history.
struct Measured {
    delta_seconds: f64,
    withdrawal_seconds: f64,
}

fn history(fixtures: &Fixtures, records: u64, section: &mut Section) -> Result<Measured> {
    let drop = fixtures.history(records, Packing::Plain)?;
    let (history, first) = fixtures.load(&drop, &[])?;
    let of = format!("{} records", grouped(records));
    section.add(Row::new(format!("first load of {of}"), format!("{} s", decimals(first.seconds))));
    let change = fixtures.change(Spread::Genome, records)?;
    let (mut deltas, mut withdrawals, mut peaks) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..fixtures.sizes.deltas {
        let copy = fixtures.copy(&history)?;
        let (delta, withdrawal) = round_trip(fixtures, &copy, &change)?;
        deltas.push(delta.seconds);
        peaks.push(delta.peak_bytes);
        withdrawals.push(withdrawal.seconds);
        if fixtures.sizes.small {
            fixtures.binary()?.silent("verify", &copy.pipeline(), &[])?;
        }
    }
    let measured = Measured { delta_seconds: median(&mut deltas), withdrawal_seconds: median(&mut withdrawals) };
    let Measured { delta_seconds, withdrawal_seconds } = measured;
    let share = delta_seconds / first.seconds;
    let row = Row::new(format!("delta on {of}, spread over the genome"), format!("{} s", decimals(delta_seconds)));
    section.add(row.ratio(share, "the first load").aim("at most 1/20", share <= AIM_SHARE));
    let peak = peaks.into_iter().max().unwrap_or_default();
    section.add(Row::new("its peak memory", mebibytes(peak)));
    let row = Row::new(format!("withdrawal of it from {of}"), format!("{} s", decimals(withdrawal_seconds)));
    section.add(row.ratio(withdrawal_seconds / delta_seconds, "the delta"));
    let panel = fixtures.change(Spread::Panel, records)?;
    let mut panels = Vec::new();
    for _ in 0..fixtures.sizes.deltas {
        panels.push(round_trip(fixtures, &fixtures.copy(&history)?, &panel)?.0.seconds);
    }
    let panel_seconds = median(&mut panels);
    let row = Row::new(format!("delta on {of}, in stretches, as a panel"), format!("{} s", decimals(panel_seconds)));
    let share = panel_seconds / first.seconds;
    section.add(row.ratio(share, "the first load").aim("at most 1/20", share <= AIM_SHARE));
    let again = history.run(fixtures.binary()?, &drop, &[])?;
    expect_equal("the same drop again", "unchanged", again.report["drops"][0]["action"].as_str().unwrap_or_default())?;
    section.add(Row::new(format!("the same {of} again"), format!("{} s", decimals(again.seconds))));
    std::fs::remove_file(&drop.path)?;
    Ok(measured)
}

/// Loads a change and withdraws it.
fn round_trip(fixtures: &Fixtures, warehouse: &Warehouse, change: &Drop) -> Result<(Run, Run)> {
    let Expected { records, filtered, inserted, updated, .. } = change.expected;
    let delta = warehouse.run(fixtures.binary()?, change, &[])?;
    expect_equal("records read", records, delta.of_drop("read")?)?;
    expect_equal("records filtered", filtered, delta.of_drop("filtered")?)?;
    delta.expect_changes(pipeline::VARIANTS, inserted, updated, 0)?;
    let name = change.path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    let withdrawal = fixtures.binary()?.report("withdraw", &warehouse.pipeline(), &[name])?;
    withdrawal.expect_changes(pipeline::VARIANTS, 0, updated, inserted)?;
    Ok((delta, withdrawal))
}
