//! What is known of a run's way, and how quick it is now.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use vardelta_engine::{
    event::RunEvent,
    report::{BusyProgress, FileProgress, Progress},
};

/// Earlier figures that are kept.
const SAMPLES: u32 = 16;
/// After so long without news of reading, the run does something else.
const SILENCE: Duration = Duration::from_millis(700);

/// What is known of a run's way.
pub struct Figures {
    /// How far it is.
    pub progress: Progress,
    /// Since when it runs.
    started: Instant,
    /// When it is looked at.
    now: Instant,
    /// When there was news last.
    heard: Option<Instant>,
    workers: usize,
    /// Why the database is waited for, in its words.
    pub waiting: Option<String>,
    is_committed: bool,
    /// Records of finished dataflows.
    chunk_records: u64,
    /// Whether warnings are reported for good.
    is_warned: bool,
    /// Over which time rates are measured.
    span: Duration,
    /// Earlier figures, the oldest first.
    window: VecDeque<(Instant, Progress)>,
}

/// What a stage did lately.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StageRate {
    /// Rows that it took in a second.
    pub rows_per_s: f64,
    /// The share of the workers' time that it was busy.
    pub busy: f64,
    /// The share that it waited.
    pub waiting: f64,
}

impl Figures {
    /// Of a run that begins now. Rates are those of the last `span`.
    pub fn new(now: Instant, span: Duration) -> Figures {
        Figures {
            progress: Progress { phase: "looking for drops", ..Progress::default() },
            started: now,
            now,
            heard: None,
            workers: 1,
            waiting: None,
            is_committed: false,
            chunk_records: 0,
            is_warned: false,
            span,
            window: VecDeque::new(),
        }
    }

    /// Takes how far the run is.
    pub fn take(&mut self, progress: &Progress, now: Instant) {
        self.heard = Some(now);
        self.progress = progress.clone();
        // The last one before the window stays, so that it is whole.
        while self.window.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= self.span) {
            self.window.pop_front();
        }
        if self.window.back().is_none_or(|(at, _)| now.duration_since(*at) >= self.span / SAMPLES) {
            self.window.push_back((now, progress.clone()));
        }
    }

    /// Takes what happened.
    pub fn event(&mut self, event: &RunEvent) {
        match event {
            RunEvent::Started { workers, .. } => self.workers = (*workers).max(1),
            RunEvent::Waiting { cause } => self.waiting = Some(cause.clone()),
            RunEvent::Retry { .. } => self.waiting = None,
            RunEvent::Committed { .. } => self.is_committed = true,
            RunEvent::ChunkDone { records, .. } => self.chunk_records = *records,
            RunEvent::Rejected { reason, count } => drop(self.progress.rejects.insert(reason.clone(), *count)),
            RunEvent::Warned(warning) => {
                // These are all of them; what was seen meanwhile was a part.
                if !std::mem::replace(&mut self.is_warned, true) {
                    self.progress.warnings.clear();
                }
                *self.progress.warnings.entry(warning.reason.clone()).or_default() += warning.count;
            }
            _ => {}
        }
    }

    /// Looks at it now.
    pub fn look(&mut self, now: Instant) {
        self.now = now;
    }

    /// What is being done, in a word or two.
    pub fn phase(&self) -> &'static str {
        let is_silent = self.heard.is_some_and(|heard| self.now.saturating_duration_since(heard) > SILENCE);
        match self.progress.phase {
            _ if self.is_committed => "settling",
            _ if self.waiting.is_some() => "waiting for the database",
            "loading" if is_silent => "writing",
            "loading" if self.is_read() => "computing",
            phase => phase,
        }
    }

    /// Whether files are being read, or what was read of them is being computed.
    pub fn is_reading(&self) -> bool {
        matches!(self.phase(), "loading" | "computing")
    }

    /// Whether every file is read to its end.
    fn is_read(&self) -> bool {
        !self.progress.files.is_empty() && self.position_bytes() >= self.bytes()
    }

    /// How long it has run.
    pub fn elapsed(&self) -> Duration {
        self.now.saturating_duration_since(self.started)
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.sum(|file| file.bytes)
    }

    /// Bytes read.
    pub fn position_bytes(&self) -> u64 {
        self.sum(|file| file.position_bytes)
    }

    /// Records parsed.
    pub fn records(&self) -> u64 {
        self.sum(|file| file.records).max(self.chunk_records)
    }

    fn sum(&self, value: fn(&FileProgress) -> u64) -> u64 {
        self.progress.files.iter().map(value).sum()
    }

    /// Seconds and figures of the window.
    fn window(&self) -> Option<(f64, &Progress)> {
        let ((first, progress), last) = (self.window.front()?, self.heard?);
        let seconds = last.duration_since(*first).as_secs_f64();
        (seconds > 0.0).then_some((seconds, progress))
    }

    fn rate(&self, value: fn(&FileProgress) -> u64) -> f64 {
        let Some((seconds, before)) = self.window() else { return 0.0 };
        let before: u64 = before.files.iter().map(value).sum();
        self.sum(value).saturating_sub(before) as f64 / seconds
    }

    /// Bytes that are read in a second.
    pub fn bytes_per_s(&self) -> f64 {
        self.rate(|file| file.position_bytes)
    }

    /// Records that are parsed in a second.
    pub fn records_per_s(&self) -> f64 {
        self.rate(|file| file.records)
    }

    /// How long reading will still take, as far as bytes show. What comes after the last byte is not in it.
    pub fn left(&self) -> Option<Duration> {
        // The mean of the whole is steadier than that of a moment.
        let mean = self.position_bytes() as f64 / self.elapsed().as_secs_f64().max(0.001);
        let rate = (mean + self.bytes_per_s()) / 2.0;
        let left = self.bytes().saturating_sub(self.position_bytes());
        (left > 0 && self.position_bytes() > 0 && rate > 0.0)
            .then(|| Duration::try_from_secs_f64(left as f64 / rate).ok())
            .flatten()
    }

    /// What a stage did lately, by its place.
    pub fn stage(&self, at: usize) -> StageRate {
        let Some((seconds, before)) = self.window() else { return StageRate::default() };
        let (Some(now), Some(before)) = (self.progress.stages.get(at), before.stages.get(at)) else {
            return StageRate::default();
        };
        let of_workers = seconds * self.workers as f64;
        StageRate {
            rows_per_s: now.rows_in.saturating_sub(before.rows_in) as f64 / seconds,
            busy: ((now.times.busy_s - before.times.busy_s) / of_workers).clamp(0.0, 1.0),
            waiting: ((now.times.wait_s - before.times.wait_s) / of_workers).clamp(0.0, 1.0),
        }
    }

    /// The shares of their time that readers and workers waited lately; `None` before anything can be said.
    pub fn waits(&self) -> Option<(f64, f64)> {
        let (_, before) = self.window()?;
        let share = |now: BusyProgress, before: BusyProgress| {
            let (busy, waiting) = (now.busy_s - before.busy_s, now.wait_s - before.wait_s);
            (busy + waiting > 0.0).then(|| (waiting / (busy + waiting)).clamp(0.0, 1.0))
        };
        let readers = share(self.progress.readers, before.readers).unwrap_or_default();
        Some((readers, share(self.progress.workers, before.workers)?))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use vardelta_engine::report::StageProgress;

    use super::*;

    pub fn progress(position_bytes: u64, records: u64) -> Progress {
        let times = |busy_s, wait_s| BusyProgress { busy_s, wait_s };
        let share = position_bytes as f64 / 1_000.0;
        let stage = |name: &str, busy| StageProgress {
            name: name.into(),
            rows_in: records,
            rows_out: records / 2,
            times: times(share * busy, share * (1.0 - busy)),
        };
        Progress {
            phase: "loading",
            files: vec![FileProgress { name: "day1".into(), bytes: 10_000, position_bytes, records, rejected: 3 }],
            rejects: [("bad_ref".to_owned(), 2), ("bad_alt".to_owned(), 1)].into(),
            warnings: [("half_call".to_owned(), 1_200)].into(),
            stages: vec![stage("calls", 0.75), stage("variants", 0.25)],
            readers: times(share * 0.2, share * 0.8),
            workers: times(share * 0.9, share * 0.1),
            queue: Some((5, 6)),
            filling: None,
        }
    }

    /// A run of which 2 s are seen: 1,000 bytes and 500 records a second.
    pub fn figures() -> Figures {
        let now = Instant::now();
        let mut figures = Figures::new(now, Duration::from_secs(4));
        for second in 0..=2 {
            figures.take(&progress(second * 1_000, second * 500), now + Duration::from_secs(second));
        }
        figures.look(now + Duration::from_secs(2));
        figures
    }

    #[test]
    fn rates_are_those_of_the_last_seconds() {
        let figures = figures();
        assert_eq!((figures.bytes_per_s(), figures.records_per_s()), (1_000.0, 500.0));
        assert_eq!(figures.left(), Some(Duration::from_secs(8)));
        assert_eq!(figures.stage(0), StageRate { rows_per_s: 500.0, busy: 0.75, waiting: 0.25 });
        assert_eq!(
            figures.waits().map(|(readers, workers)| ((readers * 10.0).round(), (workers * 10.0).round())),
            Some((8.0, 1.0))
        );
    }

    #[test]
    fn few_samples_are_kept_however_often_figures_come() {
        let now = Instant::now();
        let mut figures = Figures::new(now, Duration::from_secs(4));
        for tenth in 0..200 {
            figures.take(&progress(tenth * 10, tenth * 5), now + Duration::from_millis(tenth * 100));
        }
        assert!(figures.window.len() <= SAMPLES as usize + 2, "{}", figures.window.len());
        assert!((figures.records_per_s() - 50.0).abs() < 0.001, "{}", figures.records_per_s());
    }

    #[test]
    fn what_is_done_is_told_by_what_is_heard() {
        let now = Instant::now();
        let mut figures = Figures::new(now, Duration::from_secs(4));
        assert_eq!(figures.phase(), "looking for drops");
        figures.take(&progress(10, 1), now);
        assert_eq!(figures.phase(), "loading");
        figures.take(&progress(10_000, 1), now);
        assert_eq!(figures.phase(), "computing");
        figures.look(now + Duration::from_secs(2));
        assert_eq!(figures.phase(), "writing");
        figures.event(&RunEvent::Waiting { cause: "a lock".into() });
        assert_eq!(figures.phase(), "waiting for the database");
    }
}
