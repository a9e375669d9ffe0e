//! Whether a run was slow, by the pipeline's own history.

use serde::{Deserialize, Serialize};

/// A run that read something.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PastRun {
    /// How long it took.
    pub seconds: f64,
    /// The records that it read.
    pub records: u64,
}

/// Runs that are remembered.
pub const RUNS_KEPT: usize = 20;
/// Before so many runs there is no history to go by.
const RUNS_NEEDED: usize = 5;

/// Whether a run was as quick as those before it; if not, in words. `None` where they are too few.
///
/// It was slow if it took `factor` times their median *and* read so many times fewer records a second than they did: a large
/// drop takes long, and a small one reads few a second, and neither is slow.
pub fn judge(now: PastRun, before: &[PastRun], factor: f64, seconds: f64) -> Option<Result<(), String>> {
    if before.len() < RUNS_NEEDED {
        return None;
    }
    let rate = |run: &PastRun| run.records as f64 / run.seconds.max(1e-6);
    let usual_seconds = median(before.iter().map(|run| run.seconds));
    let usual_rate = median(before.iter().map(rate));
    let is_slow = now.seconds > seconds && now.seconds > factor * usual_seconds && rate(&now) * factor < usual_rate;
    if !is_slow {
        return Some(Ok(()));
    }
    Some(Err(format!(
        "{:.1} s for {} records, {:.0} a second; the median of the last {} runs is {usual_seconds:.1} s and {usual_rate:.0} a \
         second",
        now.seconds,
        now.records,
        rate(&now),
        before.len()
    )))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() % 2 {
        0 => (values[middle - 1] + values[middle]) / 2.0,
        _ => values[middle],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(seconds: f64, records: u64) -> PastRun {
        PastRun { seconds, records }
    }

    #[test]
    fn neither_a_large_drop_nor_a_small_one_is_slow() {
        let before = [run(20.0, 2_000), run(22.0, 2_100), run(18.0, 2_000), run(20.0, 1_900), run(300.0, 2_000)];
        let is_slow = |now| judge(now, &before, 3.0, 10.0).is_some_and(|verdict| verdict.is_err());
        assert!(is_slow(run(70.0, 2_000)));
        assert!(!is_slow(run(70.0, 7_000)), "a large drop");
        assert!(!is_slow(run(15.0, 1)), "a small drop");
        assert!(!is_slow(run(59.0, 2_000)), "within the factor");
        assert_eq!(judge(run(70.0, 2_000), &before[..4], 3.0, 10.0), None);
        let said = judge(run(70.0, 2_000), &before, 3.0, 10.0).and_then(Result::err).unwrap_or_default();
        assert!(
            said.starts_with("70.0 s for 2000 records, 29 a second; the median of the last 5 runs is 20.0 s"),
            "{said}"
        );
    }

    #[test]
    fn what_takes_seconds_at_most_is_never_slow() {
        let before = [run(0.02, 10); 5];
        assert_eq!(judge(run(9.0, 10), &before, 3.0, 10.0), Some(Ok(())));
    }
}
