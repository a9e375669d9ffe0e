//! Two benches side by side: ratios, how far they can be trusted, and what follows.

use serde::Serialize;

use super::result::Bench;

/// However alike the repeats are: what the machine does otherwise from one minute to the next.
const NOISE_MIN: f64 = 0.05;

/// Seconds that come and go with how threads are scheduled.
const GRAIN_S: f64 = 0.01;

/// What follows from two benches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Verdict {
    /// The runs take less time, by more than the noise.
    #[serde(rename = "faster")]
    Faster,
    /// The runs take more time, by more than the noise.
    #[serde(rename = "slower")]
    Slower,
    /// Nothing.
    #[serde(rename = "no verdict: within the noise")]
    None,
}

impl Verdict {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Faster => "faster",
            Verdict::Slower => "slower",
            Verdict::None => "no verdict: within the noise",
        }
    }
}

/// One figure of both.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// What it is of.
    pub name: String,
    /// Worker threads; 0 where that means nothing.
    pub workers: usize,
    /// What it was.
    pub before: f64,
    /// What it is.
    pub now: f64,
    /// Now over before.
    pub ratio: f64,
    /// By how much the ratio may differ from 1 for no reason.
    pub noise: f64,
    /// What follows.
    pub verdict: Verdict,
    /// Whether it decides.
    decides: bool,
}

/// Two benches side by side.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The figures of both.
    pub figures: Vec<Figure>,
    /// What follows for the whole: a figure of whole runs went one way, and none the other.
    pub verdict: Verdict,
    /// What makes the two hard to compare.
    pub notices: Vec<String>,
}

/// A figure: the median and the least and most of its repeats.
type Spread = [f64; 3];

/// Repeats that are few have found neither the least nor the most: their range is widened by this much.
fn widening(repeat: usize) -> f64 {
    1.0 + 3.0 / repeat.max(1) as f64
}

fn figure(
    name: String,
    workers: usize,
    before: (Spread, usize),
    now: (Spread, usize),
    decides: bool,
) -> Option<Figure> {
    let range = |([median, least, most], repeat): (Spread, usize)| widening(repeat) * (most - least) / median;
    if before.0[0] <= 0.0 || now.0[0] <= 0.0 {
        return None;
    }
    let ratio = now.0[0] / before.0[0];
    // Of a single run nothing is known about its noise.
    let noise = match before.1.min(now.1) {
        0 | 1 => f64::INFINITY,
        _ => NOISE_MIN.max(range(before) + range(now)).max(GRAIN_S / before.0[0].min(now.0[0])),
    };
    let verdict = match ratio {
        ratio if ratio < 1.0 / (1.0 + noise) => Verdict::Faster,
        ratio if ratio > 1.0 + noise => Verdict::Slower,
        _ => Verdict::None,
    };
    Some(Figure { name, workers, before: before.0[0], now: now.0[0], ratio, noise, verdict, decides })
}

/// Puts two benches side by side.
pub fn compare(before: &Bench, now: &Bench) -> Comparison {
    let mut figures = Vec::new();
    for run in &now.runs {
        let Some(old) = before.runs.iter().find(|old| old.workers == run.workers) else { continue };
        let of = |run: &super::result::Run| [run.seconds, run.seconds_min, run.seconds_max];
        let workers = run.workers;
        figures.extend(figure("seconds".into(), workers, (of(old), before.repeat), (of(run), now.repeat), true));
        for stage in &run.stages {
            let Some(known) = old.stages.iter().find(|known| known.name == stage.name) else { continue };
            let of = |stage: &super::result::Stage| [stage.busy_s, stage.busy_s_min, stage.busy_s_max];
            let name = format!("busy_s of {}", stage.name);
            figures.extend(figure(name, workers, (of(known), before.repeat), (of(stage), now.repeat), false));
        }
    }
    for delta in &now.delta {
        let Some(old) = before.delta.iter().find(|old| old.history_records == delta.history_records) else { continue };
        let of = |delta: &super::result::Delta| [delta.seconds, delta.seconds_min, delta.seconds_max];
        let name = format!("seconds of {} on {}", delta.drop_records, delta.history_records);
        figures.extend(figure(name, 0, (of(old), before.repeat), (of(delta), now.repeat), true));
    }
    let any = |verdict| figures.iter().any(|figure: &Figure| figure.decides && figure.verdict == verdict);
    let verdict = match (any(Verdict::Faster), any(Verdict::Slower)) {
        (true, false) => Verdict::Faster,
        (false, true) => Verdict::Slower,
        _ => Verdict::None,
    };
    Comparison { figures, verdict, notices: notices(before, now) }
}

fn notices(before: &Bench, now: &Bench) -> Vec<String> {
    let mut notices = Vec::new();
    let mut differ = |what: &str, before: String, now: String| {
        if before != now {
            notices.push(format!("the two are not of the same {what}: {before} before, {now} now"));
        }
    };
    differ("pipeline", before.pipeline.clone(), now.pipeline.clone());
    let stage = |bench: &Bench| bench.stage.clone().unwrap_or_else(|| "the whole pipeline".into());
    differ("part", stage(before), stage(now));
    differ("sink", before.sink.clone(), now.sink.clone());
    differ("number of records", before.input.records.to_string(), now.input.records.to_string());
    differ("text", before.input.text_bytes.to_string(), now.input.text_bytes.to_string());
    if before.repeat.min(now.repeat) < 2 {
        notices.push("a single run says nothing of its noise: take --repeat 3 or more".into());
    }
    notices
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(before: Spread, now: Spread, repeat: usize) -> Option<Verdict> {
        figure("seconds".into(), 1, (before, repeat), (now, repeat), true).map(|figure| figure.verdict)
    }

    #[test]
    fn the_noise_forbids_a_verdict() {
        assert_eq!(of([1.0, 0.99, 1.01], [1.04, 1.03, 1.05], 3), Some(Verdict::None));
        assert_eq!(of([1.0, 0.99, 1.01], [1.5, 1.49, 1.51], 3), Some(Verdict::Slower));
        assert_eq!(of([1.0, 0.99, 1.01], [0.5, 0.49, 0.51], 3), Some(Verdict::Faster));
        assert_eq!(of([1.0, 0.9, 1.1], [1.5, 1.4, 1.6], 3), Some(Verdict::None), "so few and so far apart");
        assert_eq!(of([1.0, 0.98, 1.02], [1.3, 1.29, 1.31], 30), Some(Verdict::Slower));
        assert_eq!(of([1.0, 1.0, 1.0], [9.0, 9.0, 9.0], 1), Some(Verdict::None), "a single run");
        assert_eq!(of([0.002, 0.002, 0.002], [0.004, 0.004, 0.004], 9), Some(Verdict::None), "a few milliseconds");
        assert_eq!(of([0.0, 0.0, 0.0], [9.0, 9.0, 9.0], 3), None, "nothing was measured");
    }
}
