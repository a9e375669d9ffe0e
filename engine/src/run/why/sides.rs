//! Walking back through operators with two sides: joins, and stages that hold a model.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
};

use arrow_array::{Array as _, RecordBatch, UInt32Array, cast::AsArray as _, types::Int64Type};

use super::{
    walk::{Each, Leaf, Walk, batch, concat, lax, take},
    wanted::{Equal, Wanted, encode, mask, of_input},
};
use crate::{
    error::RunError,
    plan::StageIndex,
    relational::{How, JoinSpec, Reach, ResidentSpec},
};

/// Rows whose parts in a model are reported one by one, at the most.
const MODEL_ROWS_TOLD: usize = 100;

impl Walk<'_> {
    pub(super) fn join(
        &self,
        stage: StageIndex,
        spec: &JoinSpec,
        wanted: &Wanted,
        each: &mut Each<'_>,
    ) -> Result<bool, RunError> {
        let [left, right] = self.plan.stages[stage].inputs[..] else {
            return Err(RunError::internal("a join has not two inputs"));
        };
        let width = self.plan.stages[left].schema.columns().len();
        let left_rows = self.find(left, &of_input(wanted, |column| (column < width).then_some(column)))?;
        let mut asked = BTreeSet::new();
        for rows in &left_rows.rows {
            asked.extend(Equal::of(rows, &spec.left.on, false).map_err(RunError::internal)?);
        }
        let equal = Equal { columns: spec.right.on.clone(), values: Arc::new(asked) };
        let right_rows = self.find(right, &vec![equal])?;
        let all_right = concat(&self.plan.stages[right].schema.to_arrow(), &right_rows.rows)?;
        let mut partners: BTreeMap<Box<[u8]>, Vec<u32>> = BTreeMap::new();
        if all_right.num_rows() > 0 {
            let encoded = encode(&all_right, &spec.right.on).map_err(RunError::internal)?;
            for row in 0..all_right.num_rows() {
                partners.entry(encoded.row(row).data().into()).or_default().push(row as u32);
            }
        }
        let kept: Vec<usize> = (0..all_right.num_columns()).filter(|column| !spec.right.on.contains(column)).collect();
        let is_partial = left_rows.is_partial || right_rows.is_partial;
        let schema = if is_partial { lax(&spec.schema.to_arrow()) } else { spec.schema.to_arrow() };
        let mut done = 0;
        for rows in &left_rows.rows {
            let encoded = encode(rows, &spec.left.on).map_err(RunError::internal)?;
            let (mut left_at, mut right_at, mut parts) = (Vec::new(), Vec::new(), Vec::new());
            for row in 0..rows.num_rows() {
                let is_null = spec.left.on.iter().any(|column| rows.column(*column).is_null(row));
                let of_row = partners.get(encoded.row(row).data()).filter(|_| !is_null);
                let own = &left_rows.parts[done + row];
                for partner in of_row.into_iter().flatten() {
                    left_at.push(row);
                    right_at.push(Some(*partner));
                    parts.push(own.iter().chain(&right_rows.parts[*partner as usize]).cloned().collect());
                }
                if of_row.is_none() && spec.how == How::Left {
                    left_at.push(row);
                    right_at.push(None);
                    parts.push(own.clone());
                }
            }
            done += rows.num_rows();
            let right_at = UInt32Array::from(right_at);
            let mut columns = take(rows, &left_at)?.columns().to_vec();
            for column in &kept {
                let taken = arrow_select::take::take(all_right.column(*column), &right_at, None);
                columns.push(taken.map_err(RunError::internal)?);
            }
            each(batch(&schema, columns, left_at.len())?, parts)?;
        }
        Ok(is_partial)
    }

    pub(super) fn resident(
        &self,
        stage: StageIndex,
        spec: &ResidentSpec,
        wanted: &Wanted,
        each: &mut Each<'_>,
    ) -> Result<bool, RunError> {
        let [left, right] = self.plan.stages[stage].inputs[..] else {
            return Err(RunError::internal("a stage with a model has not two inputs"));
        };
        let name = &self.plan.stages[stage].name;
        let model = self.find(right, &Wanted::new())?;
        let model_rows = concat(&self.plan.stages[right].schema.to_arrow(), &model.rows)?;
        let index = spec.resident.index(&model_rows).map_err(|error| RunError::stage(name, error))?;
        let width = spec.schema.columns().len() - spec.added;
        let schema = spec.schema.to_arrow();
        let mut told = 0;
        self.each(left, &of_input(wanted, |column| (column < width).then_some(column)), &mut |rows, parts| {
            let annotations = index.annotate(&rows).map_err(|error| RunError::stage(name, error))?;
            let mut columns = take(&rows, &annotations.rows)?.columns().to_vec();
            columns.extend(annotations.columns);
            let mut of_rows: Vec<Vec<Rc<Leaf>>> = annotations.rows.iter().map(|row| parts[*row].clone()).collect();
            let annotated = batch(&schema, columns, of_rows.len())?;
            // Which features had a part in it, of the rows that are meant.
            let is_meant = mask(wanted, &annotated).map_err(RunError::internal)?;
            for (row, of_row) in of_rows.iter_mut().enumerate().filter(|(row, _)| is_meant.value(*row)) {
                told += 1;
                if told > MODEL_ROWS_TOLD {
                    break;
                }
                let place = take(&rows, &[annotations.rows[row]])?;
                for feature in 0..model_rows.num_rows() {
                    let one = take(&model_rows, &[feature])?;
                    let reaches = index.reaches(&one).map_err(|error| RunError::stage(name, error))?;
                    if reaches.iter().any(|reach| holds(reach, &place, spec.place)) {
                        of_row.extend(model.parts[feature].iter().cloned());
                    }
                }
            }
            each(annotated, of_rows)
        })?;
        if told > MODEL_ROWS_TOLD {
            self.note(format!("of `{name}` the rows of its model are listed for {MODEL_ROWS_TOLD} rows alone"));
        }
        Ok(false)
    }
}

/// Whether a stretch holds the only row of a batch.
fn holds(reach: &Reach, row: &RecordBatch, [contig, position]: [usize; 2]) -> bool {
    let contigs = row.column(contig).as_string_opt::<i32>();
    let positions = row.column(position).as_primitive_opt::<Int64Type>();
    let is_contig = contigs.is_some_and(|contigs| contigs.value(0) == reach.contig);
    is_contig && positions.is_some_and(|positions| (reach.from..=reach.to).contains(&positions.value(0)))
}
