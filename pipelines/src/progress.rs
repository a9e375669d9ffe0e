//! Progress on the terminal: one line for the whole run, one for each file that is being read. All of it is gone when
//! the run is over.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{HumanCount, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use vardelta_engine::edge::escape;
use vardelta_engine::report::{FileProgress, Filling, Progress};

/// Frames per second, at the most.
const FRAMES_PER_SECOND: u8 = 8;

/// Lines on standard error.
pub struct ProgressLines {
    lines: MultiProgress,
    whole: ProgressBar,
    files: Mutex<BTreeMap<usize, ProgressBar>>,
    started: Instant,
}

impl ProgressLines {
    /// No lines yet.
    pub fn new() -> ProgressLines {
        let lines = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(FRAMES_PER_SECOND));
        let whole = lines.add(ProgressBar::new(0));
        whole.set_style(style("{bar:24} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left  {msg}"));
        ProgressLines { lines, whole, files: Mutex::default(), started: Instant::now() }
    }

    /// Shows how far the run is.
    pub fn show(&self, progress: &Progress) {
        if let Some(filling) = &progress.filling {
            self.whole.set_style(style("{bar:24} {msg}"));
            self.whole.set_length(filling.of);
            self.whole.set_position(filling.rows);
            self.whole.set_message(filled(filling));
            return;
        }
        let (bytes, position_bytes) = (sum(progress, |file| file.bytes), sum(progress, |file| file.position_bytes));
        self.whole.set_length(bytes);
        self.whole.set_position(position_bytes);
        self.whole.set_message(message(progress, self.started.elapsed()));
        let mut bars = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        for (at, file) in progress.files.iter().enumerate() {
            if file.position_bytes == 0 || file.position_bytes >= file.bytes {
                // Not begun, or done: a line for each of thousands of files would help nobody.
                if let Some(bar) = bars.remove(&at) {
                    bar.finish_and_clear();
                }
                continue;
            }
            let bar = bars.entry(at).or_insert_with(|| {
                let bar = self.lines.add(ProgressBar::new(file.bytes));
                bar.set_style(style("  {bar:22} {percent:>3} %  {msg}"));
                bar
            });
            bar.set_position(file.position_bytes);
            bar.set_message(format!(
                "{}: {} records, {} rejected",
                escape::line(&file.name),
                HumanCount(file.records),
                HumanCount(file.rejected)
            ));
        }
    }
}

impl Drop for ProgressLines {
    fn drop(&mut self) {
        let bars = std::mem::take(&mut *self.files.lock().unwrap_or_else(PoisonError::into_inner));
        bars.into_values().for_each(|bar| bar.finish_and_clear());
        self.whole.finish_and_clear();
    }
}

fn sum(progress: &Progress, value: fn(&FileProgress) -> u64) -> u64 {
    progress.files.iter().map(value).sum()
}

/// What the line for the whole run says: records, their rate, and the rejects by reason, the most frequent first.
fn message(progress: &Progress, elapsed: Duration) -> String {
    /// More reasons would not fit a line; the report has them all.
    const REASONS_SHOWN: usize = 3;
    let records = sum(progress, |file| file.records);
    let rate = records as f64 / elapsed.as_secs_f64().max(0.001);
    // Behind the last byte come the last rows, the views and the database.
    let is_read = sum(progress, |file| file.position_bytes) >= sum(progress, |file| file.bytes);
    let phase = if is_read { "finishing" } else { progress.phase };
    let rejected: u64 = progress.rejects.values().sum();
    let mut text = format!(
        "{phase}: {} records, {}/s, {} rejected",
        HumanCount(records),
        HumanCount(rate as u64),
        HumanCount(rejected)
    );
    let mut reasons: Vec<(&String, &u64)> = progress.rejects.iter().collect();
    reasons.sort_by_key(|(reason, count)| (Reverse(**count), *reason));
    let shown: Vec<String> =
        reasons.iter().take(REASONS_SHOWN).map(|(reason, count)| format!("{reason} {}", HumanCount(**count))).collect();
    if !shown.is_empty() {
        let more = if reasons.len() > REASONS_SHOWN { ", …" } else { "" };
        text += &format!(" ({}{more})", shown.join(", "));
    }
    text
}

/// What the line says while new columns are filled.
fn filled(filling: &Filling) -> String {
    format!("filling {}: {} of {} rows", filling.table, HumanCount(filling.rows), HumanCount(filling.of))
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is written above")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(rejects: &[(&str, u64)], position_bytes: u64) -> Progress {
        let file = FileProgress { name: "a".into(), bytes: 100, position_bytes, records: 30_000, rejected: 0 };
        Progress {
            phase: "loading",
            files: vec![file],
            rejects: rejects.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect(),
            filling: None,
        }
    }

    #[test]
    fn batches_are_shown_by_rows() {
        let filling = Filling { table: "variants".into(), rows: 20_000, of: 1_000_000 };
        assert_eq!(filled(&filling), "filling variants: 20,000 of 1,000,000 rows");
    }

    #[test]
    fn rejects_are_shown_by_reason_the_most_frequent_first() {
        let of = |rejects: &[(&str, u64)], position| message(&progress(rejects, position), Duration::from_secs(2));
        assert_eq!(of(&[], 50), "loading: 30,000 records, 15,000/s, 0 rejected");
        assert_eq!(
            of(&[("bad_alt", 2), ("bad_ref", 1_200)], 50),
            "loading: 30,000 records, 15,000/s, 1,202 rejected (bad_ref 1,200, bad_alt 2)"
        );
        assert_eq!(
            of(&[("a", 1), ("b", 1), ("c", 1), ("d", 5)], 100),
            "finishing: 30,000 records, 15,000/s, 8 rejected (d 5, a 1, b 1, …)"
        );
    }
}
