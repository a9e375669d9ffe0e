//! How long each worker and each relational operator was busy, from timely's own log.
//!
//! Differential's operators carry their stage's name. An operator is also scheduled when nothing has come for it: such an
//! activation is busy time, but no batch. Parked time is waiting.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::{Duration, Instant},
};

use timely::{
    logging::{ParkEvent, StartStop, TimelyEvent, TimelyEventBuilder},
    worker::Worker,
};

use crate::{
    flow::meter::Meters,
    plan::{Plan, StageIndex},
};

/// What the log says; ends with [`Activity::end`].
pub(crate) struct Activity {
    parked: Rc<Cell<Duration>>,
}

impl Activity {
    /// Listens to a worker's log from now on.
    pub fn of(worker: &mut Worker, plan: &Plan, meters: &Meters) -> Activity {
        let parked = Rc::new(Cell::new(Duration::ZERO));
        let mut listener = Listener {
            stages: plan.stages.indexed().map(|(at, stage)| (format!("stage:{}", stage.name), at)).collect(),
            meters: meters.clone(),
            parked: Rc::clone(&parked),
            origin: worker.timer(),
            ..Listener::default()
        };
        if let Some(mut registry) = worker.log_register() {
            registry.insert::<TimelyEventBuilder, _>("timely", move |_, events| {
                for (time, event) in events.iter_mut().flat_map(|events| events.drain(..)) {
                    listener.hear(time, event);
                }
            });
        }
        Activity { parked }
    }

    /// How long the worker was parked so far, as far as its log says.
    pub fn parked(&self) -> Duration {
        self.parked.get()
    }

    /// Stops listening: what was logged is in the meters now. Yields how long the worker was parked.
    pub fn end(self, worker: &mut Worker) -> Duration {
        if let Some(mut registry) = worker.log_register() {
            registry.remove("timely");
        }
        self.parked.get()
    }
}

#[derive(Default)]
struct Listener {
    /// The stages by the names of their operators.
    stages: BTreeMap<String, StageIndex>,
    meters: Meters,
    parked: Rc<Cell<Duration>>,
    parked_since: Option<Duration>,
    /// When the log's time began.
    origin: Option<Instant>,
    /// Operators by address, and the stages of those that have one.
    operators: BTreeMap<Vec<usize>, usize>,
    stage_of: BTreeMap<usize, StageIndex>,
    /// For each channel the addresses of the operators at its ends.
    channels: BTreeMap<usize, [Vec<usize>; 2]>,
    started: BTreeMap<usize, Duration>,
    /// Operators that took or gave rows since they were scheduled last.
    with_rows: BTreeSet<usize>,
}

impl Listener {
    fn hear(&mut self, time: Duration, event: TimelyEvent) {
        match event {
            TimelyEvent::Operates(operates) => {
                if let Some(stage) = self.stages.get(operates.name.trim_start_matches("Arrange: ")) {
                    self.stage_of.insert(operates.id, *stage);
                }
                self.operators.insert(operates.addr, operates.id);
            }
            TimelyEvent::Channels(channel) => {
                let address = |operator: usize| [&channel.scope_addr[..], &[operator]].concat();
                self.channels.insert(channel.id, [address(channel.source.0), address(channel.target.0)]);
            }
            TimelyEvent::Messages(messages) if messages.record_count > 0 => {
                let end = usize::from(!messages.is_send);
                let operator = self.channels.get(&messages.channel).and_then(|ends| self.operators.get(&ends[end]));
                self.with_rows.extend(operator);
            }
            TimelyEvent::Schedule(schedule) => match schedule.start_stop {
                StartStop::Start => {
                    self.started.insert(schedule.id, time);
                    self.with_rows.remove(&schedule.id);
                }
                StartStop::Stop => {
                    let (start, stage) = (self.started.remove(&schedule.id), self.stage_of.get(&schedule.id));
                    if let (Some(start), Some(stage)) = (start, stage) {
                        let had_rows = self.with_rows.contains(&schedule.id);
                        let began = self.origin.map(|origin| origin + start);
                        self.meters.worked_from(*stage, began, time.saturating_sub(start), had_rows);
                    }
                }
            },
            TimelyEvent::Park(ParkEvent::Park(_)) => self.parked_since = Some(time),
            TimelyEvent::Park(ParkEvent::Unpark) => {
                if let Some(since) = self.parked_since.take() {
                    self.parked.set(self.parked.get() + time.saturating_sub(since));
                }
            }
            _ => {}
        }
    }
}
