//! Progress on the terminal: one line for the whole run, one for each file that is being read. All of it is gone when
//! the run is over.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use indicatif::{HumanCount, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use vardelta_engine::report::{FileProgress, Progress};

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
        let sum = |value: fn(&FileProgress) -> u64| progress.files.iter().map(value).sum::<u64>();
        let records = sum(|file| file.records);
        let rate = records as f64 / self.started.elapsed().as_secs_f64().max(0.001);
        let rejected: u64 = progress.rejects.values().sum();
        let (bytes, position_bytes) = (sum(|file| file.bytes), sum(|file| file.position_bytes));
        self.whole.set_length(bytes);
        self.whole.set_position(position_bytes);
        // Behind the last byte come the last rows, the views and the database.
        let phase = if position_bytes >= bytes { "finishing" } else { progress.phase };
        self.whole.set_message(format!(
            "{phase}: {} records, {}/s, {} rejected",
            HumanCount(records),
            HumanCount(rate as u64),
            HumanCount(rejected)
        ));
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
                file.name,
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

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is written above")
}
