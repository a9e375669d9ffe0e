//! What each stage did and how long it took, gathered per worker and merged at the end.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use hdrhistogram::Histogram;

use crate::{
    flow::RunContext,
    plan::{Plan, PlannedStage},
    report::StageReport,
};

/// Figures of one stage.
#[derive(Clone)]
pub(crate) struct Meter {
    pub rows_in: u64,
    pub rows_out: u64,
    /// Busy time, summed over workers.
    pub busy: Duration,
    /// Microseconds per batch (or, for a relational operator, per activation).
    pub batch_us: Histogram<u32>,
}

impl Meter {
    fn new() -> Meter {
        // Two significant digits up to an hour; larger values are clamped.
        let batch_us = Histogram::new_with_bounds(1, 3_600_000_000, 2).expect("the bounds are in order");
        Meter { rows_in: 0, rows_out: 0, busy: Duration::ZERO, batch_us }
    }

    fn record(&mut self, busy: Duration) {
        self.busy += busy;
        self.batch_us.saturating_record((busy.as_micros() as u64).max(1));
    }

    fn merge(&mut self, other: &Meter) {
        self.rows_in += other.rows_in;
        self.rows_out += other.rows_out;
        self.busy += other.busy;
        // Both were made with the same bounds, so every value fits.
        let _ = self.batch_us.add(&other.batch_us);
    }
}

/// The meters of one worker, one per stage; cheap to clone.
#[derive(Clone)]
pub(crate) struct Meters {
    stages: Rc<RefCell<Vec<Meter>>>,
}

impl Meters {
    /// Meters at zero.
    pub fn new(stages: usize) -> Meters {
        Meters { stages: Rc::new(RefCell::new((0..stages).map(|_| Meter::new()).collect())) }
    }

    /// Counts rows, and the time of one batch where it was measured.
    pub fn add(&self, stage: usize, rows_in: usize, rows_out: usize, busy: Option<Duration>) {
        let mut stages = self.stages.borrow_mut();
        let meter = &mut stages[stage];
        meter.rows_in += rows_in as u64;
        meter.rows_out += rows_out as u64;
        if let Some(busy) = busy {
            meter.record(busy);
        }
    }

    /// Counts time alone.
    pub fn busy(&self, stage: usize, busy: Duration) {
        self.stages.borrow_mut()[stage].record(busy);
    }

    /// Adds this worker's figures to the run's.
    pub fn merge_into(&self, total: &MeterTotals) {
        let mut total = total.stages.lock().unwrap_or_else(PoisonError::into_inner);
        for (into, from) in total.iter_mut().zip(self.stages.borrow().iter()) {
            into.merge(from);
        }
    }
}

/// The figures of a whole run.
pub(crate) struct MeterTotals {
    stages: Mutex<Vec<Meter>>,
}

impl MeterTotals {
    /// Totals at zero.
    pub fn new(stages: usize) -> MeterTotals {
        MeterTotals { stages: Mutex::new((0..stages).map(|_| Meter::new()).collect()) }
    }

    /// A copy of the figures, one per stage.
    pub fn snapshot(&self) -> Vec<Meter> {
        self.stages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds the time of something that runs on its own thread.
    pub fn busy(&self, stage: usize, rows: u64, busy: Duration) {
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        stages[stage].rows_in += rows;
        stages[stage].record(busy);
    }
}

/// The figures of every stage but the sink.
pub(crate) fn stage_reports(plan: &Plan, run: &RunContext) -> Vec<StageReport> {
    let meters = run.totals.snapshot();
    let report = |(stage, meter): (&PlannedStage, &Meter)| StageReport {
        name: stage.name.clone(),
        rows_in: meter.rows_in,
        rows_out: meter.rows_out,
        seconds: meter.busy.as_secs_f64(),
        p50_us: meter.batch_us.value_at_quantile(0.5),
        p99_us: meter.batch_us.value_at_quantile(0.99),
    };
    plan.stages.iter().zip(&meters).map(report).collect()
}
