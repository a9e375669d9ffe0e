//! `filter`: keeps the rows for which an SQL condition is true.

use std::sync::Arc;

use arrow_array::{Array, BooleanArray, RecordBatch};
use arrow_schema::SchemaRef;
use vardelta_engine::options;
use vardelta_engine::{
    contract::{
        algebra::Algebra,
        batch::Batch,
        options::Spanned,
        reason::Reason,
        stage::{Emit, Kind, PlanRequest, Planned, StageDoc, StageError, StageType, Transform, TransformRun},
    },
    diagnostics::Diagnostics,
    expression::{self, Expression, facts::not_null_columns},
};
use vardelta_schemas::{ColumnType, Schema};

/// The stage type.
pub static FILTER: Filter = Filter;

/// The stage type `filter`.
pub struct Filter;

options! {
    /// Options of `filter`.
    pub struct FilterOptions {
        /// An SQL condition over the input's columns. A row is kept where it is true; where it is false or NULL the row
        /// is counted as filtered, and where it cannot be computed the row is rejected.
        "where" => predicate: Spanned<String>,
    }
}

impl StageType for Filter {
    fn name(&self) -> &'static str {
        "filter"
    }

    fn kind(&self) -> Kind {
        Kind::Transform
    }

    fn doc(&self) -> StageDoc {
        StageDoc {
            manual: include_str!("filter/manual.md"),
            example: example_of_alleles!("filter", "filter/example_stages.toml", "variants"),
            options: FilterOptions::DOCS,
        }
    }

    fn reasons(&self) -> Vec<&'static Reason> {
        expression::REASONS.to_vec()
    }

    fn version(&self) -> u32 {
        // 2: expressions mean what MySQL means by them.
        2
    }

    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        let options = FilterOptions::read(request.options, diagnostics);
        let [input] = request.inputs.as_slice() else { return None };
        let predicate_text = options?.predicate;
        let predicate = Expression::compile_with(request.functions, &predicate_text, input.schema, diagnostics)?;
        if predicate.column_type != ColumnType::Bool {
            diagnostics
                .error(predicate_text.span.clone(), format!("`where` is {}, not bool", predicate.column_type))
                .label("not a condition")
                .hint("Compare it with something, for example `qual >= 20` or `gene_symbol IS NOT NULL`.");
            return None;
        }
        let mut columns = input.schema.columns().to_vec();
        for column in not_null_columns(&predicate_text.value, input.schema) {
            columns[column].nullable = false;
        }
        let schema = Schema::new(columns);
        let arrow_schema = schema.to_arrow();
        Some(Planned::Transform(Arc::new(PlannedFilter { predicate, schema, arrow_schema })))
    }
}

/// A filter of a plan; the same at work, since it keeps nothing between batches.
#[derive(Clone)]
struct PlannedFilter {
    predicate: Expression,
    schema: Schema,
    arrow_schema: SchemaRef,
}

impl Transform for PlannedFilter {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn passes_through(&self, column: usize) -> Option<usize> {
        Some(column)
    }

    fn reads(&self, column: usize) -> bool {
        self.predicate.reads(column)
    }

    fn algebra(&self) -> Option<Algebra<'_>> {
        Some(Algebra::Filter(&self.predicate))
    }

    fn start(&self) -> Result<Box<dyn TransformRun>, StageError> {
        Ok(Box::new(self.clone()))
    }
}

impl TransformRun for PlannedFilter {
    fn apply(&mut self, batch: &Batch, emit: &mut Emit) -> Result<(), StageError> {
        let evaluated = self.predicate.evaluate(&batch.columns);
        for warning in &evaluated.warnings {
            emit.warn(batch, warning.row, warning.reason, &warning.detail);
        }
        let keep: &BooleanArray =
            evaluated.values.as_any().downcast_ref().expect("the plan checked that the condition is a bool");
        let mut failures = evaluated.failures.iter().peekable();
        let mut kept_rows = 0;
        for row in 0..batch.rows() {
            if let Some(failure) = failures.next_if(|failure| failure.row == row) {
                emit.reject(batch, row, failure.reason, failure.detail.clone());
                // A row that failed several times is still one row.
                while failures.next_if(|failure| failure.row == row).is_some() {}
            } else if keep.is_valid(row) && keep.value(row) {
                kept_rows += 1;
            } else {
                emit.filter(batch, row);
            }
        }
        if kept_rows == 0 {
            return Ok(());
        }
        let kept = if kept_rows == batch.rows() { batch.clone() } else { batch.filter(keep)? };
        // The columns that the condition proves to be there are NULL-free in the schema that leaves this stage.
        let columns = RecordBatch::try_new(self.arrow_schema.clone(), kept.columns.columns().to_vec())?;
        emit.batch(kept.with_columns(columns));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::FILTER;
    use crate::test_support::{plan, read_vcf, rows, run, text, vcf};

    const HEADER: [&str; 2] = [
        "##INFO=<ID=G,Number=1,Type=String,Description=\"x\">",
        "##INFO=<ID=N,Number=1,Type=String,Description=\"x\">",
    ];
    const RECORDS: [&str; 4] = ["1 1 A C G=a;N=4", "1 2 A C N=x", "1 3 A C G=b;N=7", "1 4 A C G=c"];

    #[test]
    fn keeps_what_is_true_and_rejects_what_fails() {
        let input = read_vcf(&vcf(&HEADER, &RECORDS), &["G", "N"]);
        let transform = plan(&FILTER, &[("where", text("CAST(info_n AS BIGINT) >= 5"))], &input.schema).expect("plans");
        let emit = run(&*transform, &input.batch);
        assert_eq!(rows(&emit, &["pos", "info_g"]), ["3 b"]);
        assert_eq!(emit.filtered, [1, 4]);
        assert_eq!(emit.rejects.len(), 1);
        assert_eq!((emit.rejects[0].origin, emit.rejects[0].reason), (Some(2), vardelta_engine::expression::BAD_CAST));
        assert_eq!(emit.batches[0].origins.as_deref(), Some(&[3][..]));
    }

    #[test]
    fn proves_columns_to_be_there() {
        let input = read_vcf(&vcf(&HEADER, &RECORDS), &["G", "N"]);
        let transform =
            plan(&FILTER, &[("where", text("info_g IS NOT NULL AND pos > 0"))], &input.schema).expect("plans");
        let nullable = |name: &str| transform.schema().column(name).map(|column| column.nullable);
        assert_eq!((nullable("info_g"), nullable("info_n"), nullable("pos")), (Some(false), Some(true), Some(false)));
        assert_eq!(rows(&run(&*transform, &input.batch), &["info_g"]), ["a", "b", "c"]);
        assert_eq!(transform.passes_through(3), Some(3));
    }

    #[test]
    fn a_keyword_can_be_a_column_and_a_batch_can_pass_whole() {
        let input = read_vcf(&vcf(&HEADER, &RECORDS), &[]);
        let transform =
            plan(&FILTER, &[("where", text("filter IS NULL AND ref = 'A'"))], &input.schema).expect("plans");
        let emit = run(&*transform, &input.batch);
        assert_eq!(rows(&emit, &["pos"]), ["1", "2", "3", "4"]);
        assert!(emit.filtered.is_empty());
    }

    #[test]
    fn refuses_what_is_no_condition() {
        let input = read_vcf(&vcf(&[], &[]), &[]).schema;
        let problems = plan(&FILTER, &[("where", text("pos + 1"))], &input).err().expect("is refused");
        assert_eq!(problems[0].message, "`where` is int64, not bool");
        assert!(problems[0].hint.is_some());
        assert!(plan(&FILTER, &[], &input).is_err());
    }
}
