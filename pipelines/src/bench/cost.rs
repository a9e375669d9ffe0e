//! What the machinery costs: a plain loop on one thread over the same files, with hash maps, and nothing that vardelta promises.
//! It reads the columns of the first table after each source, keeps the last row of each key, and counts the rows of each group of each
//! aggregate. Filters, state, transactions and exactness it leaves out. Named after "Scalability! But at what COST?" (HotOS 2015).

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::{Path, PathBuf},
    time::Instant,
};

use vardelta_engine::{
    abort::Abort,
    contract::stage::{Kind, Planned},
    plan::{PerStage, Plan, StageIndex},
};

use super::{
    fields::{Field, Reader},
    text,
};
use crate::set_aside::Written;

/// What the loop found out.
#[derive(Clone, Debug, Default)]
pub struct Looped {
    /// Records that it read.
    pub records: u64,
    /// Seconds that it took.
    pub seconds: f64,
    /// Bytes of text, by source stage.
    pub text_bytes: BTreeMap<String, u64>,
    /// Rows that it kept, and groups that it counted, of all tables.
    pub rows: usize,
    /// Groups of all aggregates.
    pub groups: usize,
}

/// What the loop does with the records of one source.
struct Task {
    source: StageIndex,
    key: Vec<Field>,
    row: Vec<Field>,
    groups: Vec<Vec<Field>>,
}

/// Runs the loop once over the files that each source reads. `None` where one of them is binary.
///
/// # Errors
/// When a file cannot be read.
pub fn run(
    plan: &Plan,
    written: &[Written<'_>],
    files: &BTreeMap<String, Vec<PathBuf>>,
    abort: &Abort,
) -> io::Result<Option<Looped>> {
    let tasks = tasks(plan, written);
    let mut looped = Looped::default();
    for path in files.values().flatten() {
        if text::is_binary(path)? {
            return Ok(None);
        }
    }
    let started = Instant::now();
    for task in &tasks {
        let stage = &plan.stages[task.source];
        let (mut rows, mut groups) = (HashMap::new(), vec![HashMap::new(); task.groups.len()]);
        for path in files.get(&stage.name).into_iter().flatten() {
            let bytes = task.file(stage.type_name, path, abort, (&mut rows, &mut groups), &mut looped.records)?;
            *looped.text_bytes.entry(stage.name.clone()).or_default() += bytes;
        }
        looped.rows += rows.len();
        looped.groups += groups.iter().map(HashMap::len).sum::<usize>();
    }
    looped.seconds = started.elapsed().as_secs_f64();
    Ok(Some(looped))
}

/// The last row of each key.
type Rows = HashMap<Vec<u8>, Vec<u8>>;
/// How many rows each group has.
type Groups = HashMap<Vec<u8>, u64>;

impl Task {
    fn file(
        &self,
        stage_type: &str,
        path: &Path,
        abort: &Abort,
        (rows, groups): (&mut Rows, &mut Vec<Groups>),
        records: &mut u64,
    ) -> io::Result<u64> {
        let mut reader = Reader::new(stage_type);
        let all: Vec<&Field> = self.key.iter().chain(&self.row).chain(self.groups.iter().flatten()).collect();
        let per_sample = all.iter().any(|field| **field == Field::Sample);
        text::lines(path, |line| {
            let Some(record) = reader.record(line) else { return Ok(true) };
            *records += 1;
            record.rows(per_sample, |row| {
                let joined = |fields: &[Field]| {
                    let mut bytes = Vec::new();
                    for field in fields {
                        bytes.extend_from_slice(row.value(field));
                        bytes.push(b'\t');
                    }
                    bytes
                };
                rows.insert(joined(&self.key), joined(&self.row));
                for (fields, counts) in self.groups.iter().zip(groups.iter_mut()) {
                    *counts.entry(joined(fields)).or_insert(0) += 1;
                }
            });
            Ok(!abort.is_raised())
        })
    }
}

/// Follows the columns of every source to the first table after it and the aggregates after that.
fn tasks(plan: &Plan, written: &[Written<'_>]) -> Vec<Task> {
    let mut tasks = Vec::new();
    for (source, stage) in plan.stages.indexed().filter(|(_, stage)| stage.kind == Kind::Source) {
        let mut fields: PerStage<Option<Vec<Option<Field>>>> = PerStage::same(plan.stages.len(), None);
        let options = written.iter().find(|written| written.name == stage.name);
        let columns = stage.schema.columns().iter();
        let of_source = columns.map(|column| Field::of_source(stage.type_name, &column.name, options));
        fields[source] = Some(of_source.collect());
        let mut task: Option<(StageIndex, Task)> = None;
        for (at, stage) in plan.stages.indexed().filter(|(at, _)| *at > source) {
            let [input] = stage.inputs[..] else { continue };
            let Some(before) = &fields[input] else { continue };
            let names = |at: StageIndex| plan.stages[at].schema.columns().iter().map(|column| column.name.as_str());
            let known = |wanted: &[usize], of: &[Option<Field>]| -> Vec<Field> {
                wanted.iter().filter_map(|column| of.get(*column).cloned().flatten()).collect()
            };
            match &stage.planned {
                Planned::Transform(_) => {
                    fields[at] = Some(through(plan, at, input, before, written));
                }
                _ if stage.is_table() && task.is_none() => {
                    let key = known(stage.key.as_deref().unwrap_or_default(), before);
                    let row = before.iter().flatten().cloned().collect();
                    task = Some((at, Task { source, key, row, groups: Vec::new() }));
                    fields[at] = Some(before.clone());
                }
                _ => {
                    let Some(spec) = stage.as_aggregate() else { continue };
                    let group = known(&spec.group_by, before);
                    let is_after = names(at).count() > 0 && leads_to(plan, at, task.as_ref().map(|(at, _)| *at));
                    if let Some((_, task)) = task.as_mut().filter(|_| is_after && !group.is_empty()) {
                        task.groups.push(group);
                    }
                }
            }
        }
        tasks.extend(task.map(|(_, task)| task));
    }
    tasks
}

/// Whether a stage's only inputs lead back to this one.
fn leads_to(plan: &Plan, mut at: StageIndex, table: Option<StageIndex>) -> bool {
    while let [input] = plan.stages[at].inputs[..] {
        if Some(input) == table {
            return true;
        }
        at = input;
    }
    false
}

/// The fields in the columns after a transform.
fn through(
    plan: &Plan,
    at: StageIndex,
    input: StageIndex,
    before: &[Option<Field>],
    written: &[Written<'_>],
) -> Vec<Option<Field>> {
    let stage = &plan.stages[at];
    let mut fields: Vec<Option<Field>> = vec![None; stage.schema.columns().len()];
    if let Planned::Transform(transform) = &stage.planned {
        for (column, field) in before.iter().enumerate() {
            for place in transform.carries(column) {
                if let Some(free) = fields.get_mut(place).filter(|field| field.is_none()) {
                    free.clone_from(field);
                }
            }
        }
    }
    let inputs: Vec<&str> = plan.stages[input].schema.columns().iter().map(|column| column.name.as_str()).collect();
    for (place, column) in
        stage.schema.columns().iter().enumerate().filter(|(place, _)| fields[*place].is_none()).collect::<Vec<_>>()
    {
        let same = inputs.iter().position(|name| *name == column.name);
        fields[place] = match same {
            Some(same) => before.get(same).cloned().flatten(),
            None if stage.type_name == "annotations" => {
                let options = written.iter().find(|written| written.name == stage.name);
                options.and_then(|options| options.text("field")).map(|key| Field::annotation(key, &column.name))
            }
            None => None,
        };
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{bench::shipped, set_aside};

    #[test]
    fn rows_are_kept_by_key_and_groups_counted_as_the_text_has_them() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("calls.vcf");
        let record =
            |place: &str, alleles: &str, genes: &str| format!("{place}\t.\t{alleles}\t50\tPASS\tDP=3;ANN={genes}\n");
        let text = [
            "##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n".to_owned(),
            record("chr1\t1", "A\tC,G", "C|missense_variant|MODERATE|TP53|,G|stop_gained|HIGH|TP53|"),
            record("chr1\t1", "A\tC", "C|missense_variant|MODERATE|TP53|"),
            record("chr2\t5", "T\tA", "A|missense_variant|MODERATE|BRCA1|"),
        ];
        std::fs::write(&file, text.concat()).expect("a file");
        let (plan, mut spec) = shipped("gene_summary.toml");
        let files = BTreeMap::from([("calls".to_owned(), vec![file])]);
        let looped = run(&plan, &set_aside::stages(&mut spec), &files, &Abort::default());
        let looped = looped.expect("readable").expect("text");
        assert_eq!((looped.records, looped.rows, looped.groups), (3, 3, 2));
        assert_eq!(looped.text_bytes["calls"], text.concat().len() as u64);
    }
}
