//! Sources and the transforms before tables, fused into one operator per worker: takes chunks from the feed, parses them,
//! pushes the batches through the segment after their source, and hands keyed rows to the tables.

use std::{
    collections::{BTreeMap, HashMap},
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use arrow_array::{BooleanArray, cast::AsArray as _};
use timely::{
    container::CapacityContainerBuilder,
    dataflow::{
        Scope, StreamVec,
        operators::generic::{OutputBuilder, builder_rc::OperatorBuilder},
    },
};

use crate::{
    accounting::ChunkLedger,
    contract::{
        batch::Batch,
        emit::Emit,
        source::{Chunk, Parser, add_drop_column},
        stage::Planned,
    },
    error::RunError,
    failpoint,
    flow::{
        INCOMING, RunContext, WorkerContext,
        feed::{Item, Load, Taken},
        segment::{Consumer, SegmentEvents, SegmentRun},
        table::rank,
    },
    locks::Locked as _,
    member_mark,
    plan::{StageIndex, source},
    rows::RowBatch,
    state::{key_hash, shard_of_hash},
};

/// How long the operator waits for a chunk before it lets others of its worker run.
const WAIT: Duration = Duration::from_micros(500);

/// Renders the sources of a plan: for each table stage, the rows that are asserted.
pub(crate) fn render<'scope>(
    scope: Scope<'scope, u64>,
    worker: &WorkerContext,
) -> Result<BTreeMap<StageIndex, StreamVec<'scope, u64, RowBatch>>, RunError> {
    let mut ingest = Ingest::start(worker.clone())?;
    let mut builder = OperatorBuilder::new("ingest".to_owned(), scope);
    let activator = scope.activator_for(builder.operator_info().address);
    let (mut outputs, mut streams) = (Vec::new(), BTreeMap::new());
    for table in &ingest.tables {
        let (output, stream) = builder.new_output::<Vec<RowBatch>>();
        outputs.push(OutputBuilder::<u64, CapacityContainerBuilder<Vec<RowBatch>>>::from(output));
        streams.insert(*table, stream);
    }
    builder.build(move |mut capabilities| {
        for capability in &mut capabilities {
            capability.downgrade(&INCOMING);
        }
        let mut capabilities = Some(capabilities);
        move |_frontiers| {
            let Some(held) = &capabilities else { return };
            match ingest.step() {
                Ok(Some(tables)) => {
                    for ((output, capability), rows) in outputs.iter_mut().zip(held).zip(tables) {
                        if !rows.is_empty() {
                            output.activate().session(capability).give_iterator(rows.drain(..));
                        }
                    }
                    activator.activate();
                }
                Ok(None) => capabilities = None,
                Err(error) => {
                    ingest.worker.run.abort.raise(error);
                    capabilities = None;
                }
            }
        }
    });
    Ok(streams)
}

/// One worker's parsers and segments.
struct Ingest {
    worker: WorkerContext,
    /// By source stage.
    sources: BTreeMap<StageIndex, (Box<dyn Parser>, SegmentRun)>,
    /// The table stages, in order of stage.
    tables: Vec<StageIndex>,
    /// Rows for each of the tables, in one batch for each worker that gets some.
    rows: Vec<Vec<RowBatch>>,
    /// Rows and bytes of the largest batch for each of the tables, so that the next one has room from the start.
    sizes: Vec<(usize, usize)>,
}

impl Ingest {
    fn start(worker: WorkerContext) -> Result<Ingest, RunError> {
        let plan = &worker.run.plan;
        let (mut sources, mut tables) = (BTreeMap::new(), Vec::new());
        for (at, stage) in plan.stages.indexed() {
            match &stage.planned {
                // A withdrawal reads no drop, and needs nothing of what the transforms open.
                Planned::Source(source) if worker.run.loads.iter().any(|load| load.source == at) => {
                    let segment = worker.start(worker.run.segment(at))?;
                    sources.insert(at, (source.parser(), segment));
                }
                _ if stage.is_table() => tables.push(at),
                _ => {}
            }
        }
        let (rows, sizes) = tables.iter().map(|_| (Vec::new(), (0, 0))).unzip();
        Ok(Ingest { worker, sources, tables, rows, sizes })
    }

    /// Does one piece of work; `None` when there is no more for this dataflow.
    fn step(&mut self) -> Result<Option<&mut Vec<Vec<RowBatch>>>, RunError> {
        self.worker.run.abort.check()?;
        let started = Instant::now();
        let taken = self.worker.run.feed.take(WAIT);
        if let Some(source) = self.worker.run.loads.first().map(|load| load.source) {
            self.worker.meters.waited(source, started.elapsed());
        }
        match taken {
            Taken::Item(Item::Chunk { load, chunk }) => {
                let run = std::sync::Arc::clone(&self.worker.run);
                let Load { source, file, .. } = &run.loads[load];
                self.chunk(load, chunk)
                    .map_err(|error| error.while_reading(&run.plan.stages[*source].name, &file.path))?;
            }
            Taken::Item(Item::Rows { .. }) => return Err(RunError::internal("table rows came to the ingest operator")),
            Taken::Nothing => {}
            Taken::Done => return Ok(None),
        }
        Ok(Some(&mut self.rows))
    }

    fn chunk(&mut self, at: usize, chunk: std::sync::Arc<Chunk>) -> Result<(), RunError> {
        let run = std::sync::Arc::clone(&self.worker.run);
        let load = &run.loads[at];
        let mut ledger = ChunkLedger::new(chunk.raw.first_origin, chunk.raw.origins);
        let (mut events, mut emit) = (SegmentEvents::default(), Emit::default());
        let Some((parser, segment)) = self.sources.get_mut(&load.source) else {
            return Err(RunError::internal("a chunk came from a stage that is no source"));
        };

        failpoint::panics("worker:chunk");
        let started = Instant::now();
        failpoint::slow("stage", &run.plan.stages[load.source].name);
        let first_origin = chunk.raw.first_origin;
        let digest = parser
            .parse(chunk, &mut emit)
            .map_err(|error| RunError::stage(&run.plan.stages[load.source].name, error))?;
        let mut batches = std::mem::take(&mut emit.batches);
        if let Planned::Source(source) = &run.plan.stages[load.source].planned {
            add_drop_column(source.as_ref(), &load.name, &mut batches)
                .map_err(|error| RunError::stage(&run.plan.stages[load.source].name, error))?;
        }
        let rows_out = batches.iter().map(Batch::rows).sum();
        self.worker.meters.add(load.source, digest.records as usize, rows_out, Some(started.elapsed()));
        load.digests.locked().insert(first_origin, digest);
        load.records_read.fetch_add(digest.records, Ordering::Relaxed);
        let provenance = batches.first().cloned();
        events.absorb(load.source, &mut emit, provenance.as_ref());
        if let Some(Batch { origins: Some(origins), provenance: Some(provenance), .. }) = &provenance
            && let Some(origin) = origins.first()
        {
            let has_lines = provenance.place(*origin).line == Some(*origin);
            load.has_lines.store(has_lines, Ordering::Relaxed);
        }

        if !load.left_out.is_empty() {
            leave_out(&run, load, &mut batches, &mut events)?;
        }

        let tables = &self.tables;
        let peers = self.worker.peers as u32;
        let mut outgoing: Vec<Vec<RowBatch>> = self
            .sizes
            .iter()
            .map(|(rows, bytes)| {
                (0..peers).map(|to| RowBatch::of_drop(to, load.drop_id.number(), *rows, *bytes)).collect()
            })
            .collect();
        let leaves = &run.segment(load.source).leaves;
        let mut ranked = Vec::new();
        for batch in batches {
            segment.push(batch, &mut events, &mut |leaf, batch| {
                let Consumer::Table(table) = leaves[leaf].consumer else {
                    return Err(RunError::internal("rows of a drop left past every table"));
                };
                let Some(origins) = &batch.origins else {
                    return Err(RunError::internal("a transform lost the origins of its rows"));
                };
                let Some(slot) = tables.iter().position(|known| *known == table) else {
                    return Err(RunError::internal(format!(
                        "rows of drop `{}` go to stage `{}`, which is no table of this dataflow",
                        load.name, self.worker.run.plan.stages[table].name
                    )));
                };
                let encoded = run.layout(table)?.encode(&batch.columns).map_err(RunError::internal)?;
                // The rows of one record keep the order in which they come.
                for (row, origin) in origins.iter().enumerate() {
                    ledger.arrived(*origin);
                    let key = encoded.key(row);
                    let hash = key_hash(key);
                    let to = shard_of_hash(hash) % peers;
                    let value = match encoded.rank(row) {
                        None => encoded.value(row),
                        Some(rank) => {
                            ranked.clear();
                            rank::put(&mut ranked, rank, encoded.value(row));
                            &ranked
                        }
                    };
                    outgoing[slot][to as usize].assert(hash, *origin, key, value);
                }
                Ok(())
            })?;
        }
        for ((rows, size), outgoing) in self.rows.iter_mut().zip(&mut self.sizes).zip(outgoing) {
            for batch in outgoing.into_iter().filter(|batch| !batch.is_empty()) {
                *size = (size.0.max(batch.len()), size.1.max(batch.bytes()));
                rows.push(batch);
            }
        }
        events.filtered.iter().for_each(|origin| ledger.filtered(*origin));
        events.no_alternate.iter().for_each(|origin| ledger.no_alternate(*origin));
        events.reference_blocks.iter().for_each(|origin| ledger.reference_block(*origin));
        for (_, reject) in &events.rejects {
            reject.origin.into_iter().for_each(|origin| ledger.rejected(origin));
        }
        load.rejected.fetch_add(events.rejects.len() as u64, Ordering::Relaxed);
        load.records.add(ledger);
        run.note(Some(at), events);
        Ok(())
    }
}

/// Leaves the rows of members that were taken back out, as a filter after the source would.
fn leave_out(
    run: &RunContext,
    load: &Load,
    batches: &mut Vec<Batch>,
    events: &mut SegmentEvents,
) -> Result<(), RunError> {
    let Some(column) = source(&run.plan, load.source)?.member_column() else { return Ok(()) };
    let mut known = HashMap::new();
    for batch in batches.iter_mut() {
        let Some(names) = batch.columns.column(column).as_string_opt::<i32>() else {
            return Err(RunError::internal("the members of a drop are no texts"));
        };
        let keep: Vec<bool> = names
            .iter()
            .map(|name| name.is_none_or(|name| !member_mark::is_out(&load.left_out, name, &mut known)))
            .collect();
        let gone = keep.iter().filter(|kept| !**kept).count();
        if gone == 0 {
            continue;
        }
        load.rows_left_out.fetch_add(gone as u64, Ordering::Relaxed);
        let origins = batch.origins.iter().flatten().zip(&keep);
        events.filtered.extend(origins.filter(|(_, kept)| !**kept).map(|(origin, _)| *origin));
        *batch = batch.filter(&BooleanArray::from(keep)).map_err(RunError::internal)?;
    }
    batches.retain(|batch| batch.rows() > 0);
    Ok(())
}
