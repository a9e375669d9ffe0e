//! `select`: makes named columns from SQL expressions.

use std::sync::Arc;

use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::SchemaRef;
use vardelta_engine::options;
use vardelta_engine::{
    contract::{
        algebra::Algebra,
        batch::Batch,
        options::NamedTexts,
        reason::Reason,
        stage::{Emit, Kind, PlanRequest, Planned, StageDoc, StageError, StageType, Transform, TransformRun},
    },
    diagnostics::Diagnostics,
    expression::{self, Expression, Failure},
};
use vardelta_schemas::{Column, Schema};

use crate::columns::check_names;

/// The stage type.
pub static SELECT: Select = Select;

/// The stage type `select`.
pub struct Select;

options! {
    /// Options of `select`.
    pub struct SelectOptions {
        /// The columns, in this order: name = SQL expression over the input's columns. A name is made of letters, digits
        /// and `_`, does not begin with a digit, and is unique even when case is ignored.
        "columns" => columns: NamedTexts,
    }
}

impl StageType for Select {
    fn name(&self) -> &'static str {
        "select"
    }

    fn kind(&self) -> Kind {
        Kind::Transform
    }

    fn doc(&self) -> StageDoc {
        StageDoc {
            manual: include_str!("select/manual.md"),
            example: example_of_alleles!("select", "select/example_stages.toml", "variants"),
            options: SelectOptions::DOCS,
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
        let options_span = request.options.span.clone();
        let options = SelectOptions::read(request.options, diagnostics);
        let [input] = request.inputs.as_slice() else { return None };
        let NamedTexts(wanted) = options?.columns;
        if wanted.is_empty() {
            diagnostics
                .error(options_span, format!("stage `{}` (select) selects no column", request.name))
                .hint("Name at least one in `columns`, for example `chromosome = \"chrom\"`.");
            return None;
        }
        let names: Vec<_> = wanted.iter().map(|(name, _)| name.clone()).collect();
        let names_are_right = check_names(&names, diagnostics);
        let compiled: Vec<Option<Selected>> = wanted
            .into_iter()
            .map(|(name, sql)| {
                let expression = Expression::compile_with(request.functions, &sql, input.schema, diagnostics)?;
                Some(Selected { column: output_column(name.value, &expression, input.schema), expression })
            })
            .collect();
        let selected: Vec<Selected> = compiled.into_iter().collect::<Option<_>>()?;
        if !names_are_right {
            return None;
        }
        let schema = Schema::new(selected.iter().map(|selected| selected.column.clone()).collect());
        let arrow_schema = schema.to_arrow();
        Some(Planned::Transform(Arc::new(PlannedSelect { selected: selected.into(), schema, arrow_schema })))
    }
}

/// The column an expression makes; a plain column keeps its meaning and its number of values.
fn output_column(name: String, expression: &Expression, input: &Schema) -> Column {
    let source = expression.as_column().map(|at| &input.columns()[at]);
    Column {
        name,
        column_type: expression.column_type.clone(),
        nullable: expression.nullable,
        doc: source.map(|column| column.doc.clone()).unwrap_or_default(),
        number: source.and_then(|column| column.number),
    }
}

/// One column that leaves the stage.
struct Selected {
    column: Column,
    expression: Expression,
}

/// A select of a plan; the same at work, since it keeps nothing between batches.
#[derive(Clone)]
struct PlannedSelect {
    selected: Arc<[Selected]>,
    schema: Schema,
    arrow_schema: SchemaRef,
}

impl Transform for PlannedSelect {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn passes_through(&self, column: usize) -> Option<usize> {
        self.selected.iter().position(|selected| selected.expression.as_column() == Some(column))
    }

    fn reads(&self, column: usize) -> bool {
        self.selected.iter().any(|selected| selected.expression.reads(column))
    }

    fn algebra(&self) -> Option<Algebra<'_>> {
        Some(Algebra::Select(self.selected.iter().map(|selected| (&selected.column, &selected.expression)).collect()))
    }

    fn start(&self) -> Result<Box<dyn TransformRun>, StageError> {
        Ok(Box::new(self.clone()))
    }
}

impl TransformRun for PlannedSelect {
    fn apply(&mut self, batch: &Batch, emit: &mut Emit) -> Result<(), StageError> {
        let mut columns = Vec::with_capacity(self.selected.len());
        // For each row that failed, the first column it failed in.
        let mut failed: Vec<(Failure, &str)> = Vec::new();
        for selected in self.selected.iter() {
            let evaluated = selected.expression.evaluate(&batch.columns);
            columns.push(evaluated.values);
            for warning in &evaluated.warnings {
                emit.warn(batch, warning.row, warning.reason, &warning.detail);
            }
            failed.extend(evaluated.failures.into_iter().map(|failure| (failure, selected.column.name.as_str())));
        }
        if failed.is_empty() {
            let columns = RecordBatch::try_new(self.arrow_schema.clone(), columns)?;
            emit.batch(batch.with_columns(columns));
            return Ok(());
        }
        failed.sort_by_key(|(failure, _)| failure.row);
        failed.dedup_by_key(|(failure, _)| failure.row);
        let mut keep = vec![true; batch.rows()];
        for (failure, column) in failed {
            keep[failure.row] = false;
            emit.reject(batch, failure.row, failure.reason, format!("column `{column}`: {}", failure.detail));
        }
        let keep = BooleanArray::from(keep);
        // A failed row holds NULL even where the column is NULL-free, so the schema is applied to what is left.
        let columns =
            columns.iter().map(|column| arrow_select::filter::filter(column, &keep)).collect::<Result<Vec<_>, _>>()?;
        let kept: Vec<u64> = (0..batch.rows()).filter(|row| keep.value(*row)).map(|row| row as u64).collect();
        if !kept.is_empty() {
            emit.batch(batch.derive(RecordBatch::try_new(self.arrow_schema.clone(), columns)?, &kept));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use vardelta_engine::contract::batch::Batch;

    use super::SELECT;
    use crate::test_support::{plan, read_vcf, rows, run, table, vcf};

    const HEADER: [&str; 1] = ["##INFO=<ID=N,Number=1,Type=String,Description=\"x\">"];

    #[test]
    fn makes_columns_and_knows_which_pass_through() {
        let input = read_vcf(&vcf(&HEADER, &["1 7 A C N=4", "2 8 G T ."]), &["N"]);
        let columns = table(&[("position", "pos"), ("next", "pos + 1"), ("n", "CAST(info_n AS BIGINT)")]);
        let transform = plan(&SELECT, &[("columns", columns)], &input.schema).expect("plans");
        assert_eq!(transform.schema().to_string(), "position int64, next int64, n int64?");
        assert_eq!((transform.passes_through(1), transform.passes_through(0)), (Some(0), None));
        let emit = run(&*transform, &input.batch);
        assert_eq!(rows(&emit, &["position", "next", "n"]), ["7 8 4", "8 9 NULL"]);
        assert_eq!(emit.batches[0].origins.as_deref(), Some(&[1, 2][..]));
    }

    #[test]
    fn a_row_that_fails_is_rejected_once_with_its_first_column() {
        let input = read_vcf(&vcf(&HEADER, &["1 7 A C N=4", "1 0 G T N=x", "1 9 G T N=2"]), &["N"]);
        let columns = table(&[("position", "10 / pos"), ("n", "CAST(info_n AS BIGINT)")]);
        let transform = plan(&SELECT, &[("columns", columns)], &input.schema).expect("plans");
        let emit = run(&*transform, &input.batch);
        assert_eq!(rows(&emit, &["position", "n"]), ["1.4286 4", "1.1111 2"]);
        assert_eq!(emit.batches[0].origins.as_deref(), Some(&[1, 3][..]));
        let rejects: Vec<_> = emit.rejects.iter().map(|reject| (reject.origin, reject.reason.code())).collect();
        assert_eq!(rejects, [(Some(2), "division_by_zero")]);
        assert!(emit.rejects[0].detail.starts_with("column `position`: "), "{}", emit.rejects[0].detail);
    }

    #[test]
    fn multiplicities_follow_the_rows() {
        let input = read_vcf(&vcf(&HEADER, &["1 7 A C N=x", "1 8 G T N=2"]), &["N"]);
        let columns = table(&[("n", "CAST(info_n AS BIGINT)")]);
        let transform = plan(&SELECT, &[("columns", columns)], &input.schema).expect("plans");
        let emit = run(&*transform, &Batch::changes(input.batch.columns.clone(), vec![-1, -2]));
        assert_eq!(emit.batches[0].diffs.as_deref(), Some(&[-2][..]));
        assert_eq!((emit.rejects[0].diff, emit.rejects[0].origin), (-1, None));
    }

    #[test]
    fn refuses_names_that_databases_would_mix_up() {
        let input = read_vcf(&vcf(&[], &[]), &[]).schema;
        let problems = |columns: &[(&str, &str)]| -> Vec<String> {
            let problems = plan(&SELECT, &[("columns", table(columns))], &input).err().expect("is refused");
            problems.into_iter().map(|problem| problem.message).collect()
        };
        assert_eq!(problems(&[("a", "pos"), ("A", "pos")]), ["`a` and `A` differ in case alone"]);
        assert_eq!(problems(&[("1st", "pos")]), ["`1st` cannot be the name of a column"]);
        assert_eq!(problems(&[("a b", "pos"), ("ä", "pos")]).len(), 2);
        assert_eq!(problems(&[]), ["stage `under_test` (select) selects no column"]);
        // One wrong expression does not hide the next.
        assert_eq!(problems(&[("a", "nowhere"), ("b", "elsewhere")]).len(), 2);
    }
}
