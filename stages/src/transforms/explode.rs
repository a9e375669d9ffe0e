//! `explode`: one row per item of a list.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, StringArray, UInt64Array, builder::StringBuilder};
use arrow_schema::SchemaRef;
use arrow_select::take::take;
use vardelta_engine::options;
use vardelta_engine::{
    contract::{
        batch::Batch,
        options::Spanned,
        stage::{
            Emit, Kind, PlanRequest, Planned, PlannedInput, StageDoc, StageError, StageType, Transform, TransformRun,
        },
    },
    diagnostics::Diagnostics,
};
use vardelta_schemas::{Column, ColumnType, Number, Schema};

use crate::columns;

/// The stage type.
pub static EXPLODE: Explode = Explode;

/// The stage type `explode`.
pub struct Explode;

options! {
    /// Options of `explode`.
    pub struct ExplodeOptions {
        /// The column whose items become rows: a list, or with `separator` a text.
        "column" => column: Spanned<String>,
        /// The text between two items, for a text column such as `A;B;C`. Items are not trimmed.
        "separator" => separator: Option<Spanned<String>> = None, "none: the column is a list",
        /// Whether a row without items stays, as one row that has NULL there. Otherwise it counts as filtered.
        "keep_empty" => keep_empty: bool = false, "false",
    }
}

impl StageType for Explode {
    fn name(&self) -> &'static str {
        "explode"
    }

    fn kind(&self) -> Kind {
        Kind::Transform
    }

    fn doc(&self) -> StageDoc {
        StageDoc {
            manual: include_str!("explode/manual.md"),
            example: example_of_alleles!("explode", "explode/example_stages.toml", "variant_filters"),
            options: ExplodeOptions::DOCS,
        }
    }

    fn plan(&self, request: PlanRequest<'_>, diagnostics: &mut Diagnostics) -> Option<Planned> {
        let options = ExplodeOptions::read(request.options, diagnostics);
        let [input] = request.inputs.as_slice() else { return None };
        let options = options?;
        let separator = match options.separator {
            Some(separator) if separator.value.is_empty() => {
                diagnostics
                    .error(separator.span, "`separator` is empty")
                    .hint("Give the text between two items, for example \";\".");
                return None;
            }
            separator => separator.map(|separator| separator.value),
        };
        let (column, item) = find_column(input, &options.column, separator.is_some(), diagnostics)?;
        let mut output = input.schema.columns().to_vec();
        let number = output[column].number.map(|_| Number::Count(1));
        output[column] = Column { column_type: item, nullable: true, number, ..output[column].clone() };
        let schema = Schema::new(output);
        let arrow_schema = schema.to_arrow();
        let keep_empty = options.keep_empty;
        Some(Planned::Transform(Arc::new(PlannedExplode { column, separator, keep_empty, schema, arrow_schema })))
    }
}

/// The column to explode and the type of its items.
fn find_column(
    input: &PlannedInput<'_>,
    name: &Spanned<String>,
    separated: bool,
    diagnostics: &mut Diagnostics,
) -> Option<(usize, ColumnType)> {
    let Some(at) = input.schema.index_of(&name.value) else {
        diagnostics
            .error(name.span.clone(), format!("`{}` has no column `{}`", input.name, name.value))
            .label("unknown column")
            .hint(columns::suggestion(&name.value, input.schema.columns()));
        return None;
    };
    match (&input.schema.columns()[at].column_type, separated) {
        (ColumnType::List(item), false) => Some((at, (**item).clone())),
        (ColumnType::Text, true) => Some((at, ColumnType::Text)),
        (found, _) => {
            let hint = match found {
                ColumnType::Text => "Give the `separator` between its items.",
                ColumnType::List(_) => "Leave out `separator`: the column is a list already.",
                _ => "It holds one value per row: there is nothing to explode.",
            };
            let expected = if separated { "a text" } else { "a list" };
            diagnostics
                .error(name.span.clone(), format!("column `{}` is {found}, not {expected}", name.value))
                .hint(hint);
            None
        }
    }
}

/// An explode of a plan; the same at work, since it keeps nothing between batches.
#[derive(Clone)]
struct PlannedExplode {
    column: usize,
    separator: Option<String>,
    keep_empty: bool,
    schema: Schema,
    arrow_schema: SchemaRef,
}

impl Transform for PlannedExplode {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn carries(&self, column: usize) -> Vec<usize> {
        if column == self.column { Vec::new() } else { vec![column] }
    }

    fn start(&self) -> Result<Box<dyn TransformRun>, StageError> {
        Ok(Box::new(self.clone()))
    }
}

impl PlannedExplode {
    /// The items in order, and for each the row it comes from; rows without items are NULL or filtered.
    fn items(&self, batch: &Batch, emit: &mut Emit) -> Result<(ArrayRef, Vec<u64>), StageError> {
        let mut rows: Vec<u64> = Vec::with_capacity(batch.rows());
        match &self.separator {
            Some(separator) => {
                let texts: &StringArray = columns::text(&batch.columns, self.column);
                let mut items = StringBuilder::new();
                for row in 0..batch.rows() {
                    if texts.is_valid(row) && !texts.value(row).is_empty() {
                        for item in texts.value(row).split(separator.as_str()) {
                            rows.push(row as u64);
                            items.append_value(item);
                        }
                    } else if self.keep_empty {
                        rows.push(row as u64);
                        items.append_null();
                    } else {
                        emit.filter(batch, row);
                    }
                }
                Ok((Arc::new(items.finish()), rows))
            }
            None => {
                let lists = columns::list(&batch.columns, self.column);
                let mut items: Vec<Option<u64>> = Vec::with_capacity(batch.rows());
                for row in 0..batch.rows() {
                    let range = lists.value_offsets()[row]..lists.value_offsets()[row + 1];
                    if lists.is_valid(row) && !range.is_empty() {
                        rows.extend(range.clone().map(|_| row as u64));
                        items.extend(range.map(|item| Some(item as u64)));
                    } else if self.keep_empty {
                        rows.push(row as u64);
                        items.push(None);
                    } else {
                        emit.filter(batch, row);
                    }
                }
                Ok((take(lists.values(), &UInt64Array::from(items), None)?, rows))
            }
        }
    }
}

impl TransformRun for PlannedExplode {
    fn apply(&mut self, batch: &Batch, emit: &mut Emit) -> Result<(), StageError> {
        let (items, rows) = self.items(batch, emit)?;
        if rows.is_empty() {
            return Ok(());
        }
        let indexes = UInt64Array::from(rows.clone());
        let output = (0..batch.columns.num_columns())
            .map(
                |at| if at == self.column { Ok(items.clone()) } else { take(batch.columns.column(at), &indexes, None) },
            )
            .collect::<Result<Vec<_>, _>>()?;
        emit.batch(batch.derive(RecordBatch::try_new(self.arrow_schema.clone(), output)?, &rows));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use vardelta_engine::spec::Value;

    use super::EXPLODE;
    use crate::test_support::{plan, read_vcf, rows, run, text, vcf};

    const HEADER: [&str; 1] = ["##INFO=<ID=G,Number=.,Type=String,Description=\"x\">"];
    const RECORDS: [&str; 4] = ["1 1 A C,G G=a;b", "1 2 A . G=c|d||e", "1 3 A T .", "1 4 A T G=f"];

    fn check(options: &[(&str, Value)], expected: &[&str], filtered: &[u64]) {
        let input = read_vcf(&vcf(&HEADER, &RECORDS), &["G"]);
        let emit = run(&*plan(&EXPLODE, options, &input.schema).expect("plans"), &input.batch);
        assert_eq!(rows(&emit, &["pos", "alt", "info_g"]), expected);
        assert_eq!(emit.filtered, filtered);
    }

    #[test]
    fn one_row_per_item_of_a_list() {
        check(&[("column", text("alt"))], &["1 C a", "1 G a", "3 T NULL", "4 T f"], &[2]);
        let options = [("column", text("alt")), ("keep_empty", Value::Bool(true))];
        check(&options, &["1 C a", "1 G a", "2 NULL c|d||e", "3 T NULL", "4 T f"], &[]);
    }

    #[test]
    fn one_row_per_item_of_a_text() {
        let options = [("column", text("info_g")), ("separator", text("|"))];
        check(&options, &["1 [C,G] a", "2 [] c", "2 [] d", "2 [] ", "2 [] e", "4 [T] f"], &[3]);
    }

    #[test]
    fn the_column_takes_the_type_of_its_items_and_may_be_null() {
        let input = read_vcf(&vcf(&HEADER, &RECORDS), &["G"]).schema;
        let transform = plan(&EXPLODE, &[("column", text("alt"))], &input).expect("plans");
        assert!(transform.schema().to_string().contains("ref text, alt text?, qual"), "{}", transform.schema());
        assert_eq!(transform.passes_through(0), None);
    }

    #[test]
    fn refuses_what_has_no_items() {
        let input = read_vcf(&vcf(&HEADER, &RECORDS), &["G"]).schema;
        let problem = |options: &[(&str, Value)]| {
            plan(&EXPLODE, options, &input).err().expect("is refused").swap_remove(0).message
        };
        assert_eq!(problem(&[("column", text("info_g"))]), "column `info_g` is text, not a list");
        assert_eq!(problem(&[("column", text("pos"))]), "column `pos` is int64, not a list");
        let separator = ("separator", text(";"));
        assert_eq!(problem(&[("column", text("alt")), separator.clone()]), "column `alt` is list<text>, not a text");
        assert_eq!(problem(&[("column", text("nowhere")), separator]), "`input` has no column `nowhere`");
        assert_eq!(problem(&[("column", text("info_g")), ("separator", text(""))]), "`separator` is empty");
    }
}
