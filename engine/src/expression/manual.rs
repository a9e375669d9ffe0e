//! The manual of expressions, made from the registry: docs/expressions.md and `vardelta stages expressions`.

use std::{fmt::Write as _, sync::Arc};

use arrow_array::{Array as _, RecordBatch, cast::AsArray as _, types::Float64Type, types::Int64Type};
use arrow_schema::DataType;
use vardelta_schemas::{Column, ColumnType, Schema};

pub use super::example::Example;
use super::{
    Expression, exact,
    functions::{Database, Functions, Nulls},
    operators::{CASTS, Form, OPERATORS},
};
use crate::{contract::options::Spanned, diagnostics::Diagnostics, display::value_text, relational::aggregates_manual};

/// Every example of the manual.
pub fn examples(functions: &Functions) -> Vec<Example> {
    let forms = OPERATORS.iter().chain(CASTS).map(|form| (form.form, form.examples, form.elsewhere));
    let functions = functions.all();
    let functions = functions.iter().map(|function| (function.name, function.examples, function.elsewhere));
    let all = forms.chain(functions);
    all.flat_map(|(of, examples, elsewhere)| {
        examples.iter().map(move |(sql, result)| Example { of, sql, result, elsewhere })
    })
    .collect()
}

/// What an expression of the manual answers, written as MySQL writes it: a boolean is 1 or 0, a double its shortest digits.
/// It may name one column, the list `ad` of 3 and 7.
///
/// # Errors
/// What is wrong with it, or why its row is rejected.
pub fn answer(functions: &Functions, sql: &str) -> Result<String, String> {
    let list = ColumnType::List(Box::new(ColumnType::Int64));
    let schema = Schema::new(vec![Column::nullable("ad", list)]);
    let mut diagnostics = Diagnostics::default();
    let text = Spanned { value: sql.to_string(), span: 0..sql.len() + 2 };
    let Some(expression) = Expression::compile_with(functions, &text, &schema, &mut diagnostics) else {
        return Err(diagnostics.into_sorted().into_iter().map(|problem| problem.message).collect());
    };
    let lists = arrow_array::ListArray::from_iter_primitive::<Int64Type, _, _>([Some([Some(3), Some(7)])]);
    let batch = RecordBatch::try_new(schema.to_arrow(), vec![Arc::new(lists)]).map_err(|error| error.to_string())?;
    let evaluated = expression.evaluate(&batch);
    if let Some(failure) = evaluated.failures.first() {
        return Err(format!("{}: {}", failure.reason.code(), failure.detail));
    }
    let values = evaluated.values;
    Ok(match values.data_type() {
        _ if values.is_null(0) => "NULL".into(),
        DataType::Boolean => u8::from(values.as_boolean().value(0)).to_string(),
        DataType::Float64 => {
            let mut text = String::new();
            exact::write_float(values.as_primitive::<Float64Type>().value(0), &mut text);
            text
        }
        _ => value_text(&values, 0),
    })
}

/// The whole manual, in Markdown.
pub fn manual(functions: &Functions) -> String {
    let mut page = PAGE_START.to_string();
    page += "\n## Operators and forms, those that bind closest first\n\n";
    table(&mut page, OPERATORS.iter().map(row_of_form));
    page += "\n## Conversions\n\n";
    table(&mut page, CASTS.iter().map(row_of_form));
    let mut family = None;
    for function in functions.all() {
        if family.replace(function.family) != Some(function.family) {
            let _ = write!(page, "\n## {}\n\n{HEADING}", function.family.title());
        }
        let mut form = format!("`{}`", function.signature());
        if !function.aliases.is_empty() {
            let _ = write!(form, "; also `{}`", function.aliases.join("`, `"));
        }
        let types = format!("→ {}", function.returns.name());
        let nulls = match function.nulls {
            Nulls::Arguments if function.parameters.is_empty() => "never".to_string(),
            Nulls::Arguments => "where an argument is".to_string(),
            Nulls::Also(text) | Nulls::Unless(_, text) => format!("where an argument is, {text}"),
            Nulls::First(text) => format!("where the first argument is; {text}"),
            Nulls::Own(text) => text.to_string(),
            Nulls::Never => "never".to_string(),
        };
        row(
            &mut page,
            [
                form,
                types,
                nulls,
                function.about.into(),
                examples_of(function.examples),
                elsewhere_of(function.elsewhere),
            ],
        );
    }
    page += "\n## Aggregates\n\n";
    page + &aggregates_manual()
}

const HEADING: &str = "| form | types | NULL | meaning | example | elsewhere |\n|---|---|---|---|---|---|\n";

fn table(page: &mut String, rows: impl Iterator<Item = [String; 6]>) {
    page.push_str(HEADING);
    rows.for_each(|cells| row(page, cells));
}

fn row_of_form(form: &Form) -> [String; 6] {
    [
        format!("`{}`", form.form),
        form.types.into(),
        form.nulls.into(),
        form.about.into(),
        examples_of(form.examples),
        elsewhere_of(form.elsewhere),
    ]
}

fn row(page: &mut String, cells: [String; 6]) {
    // A bar would end its cell, also within code.
    let cells = cells.map(|cell| cell.replace('|', "\\|"));
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}

fn examples_of(examples: &[(&str, &str)]) -> String {
    let shown = examples.iter().map(|(sql, result)| match *result {
        "" => format!("`{sql}` is empty"),
        result => format!("`{sql}` = `{result}`"),
    });
    shown.collect::<Vec<_>>().join("<br>")
}

fn elsewhere_of(elsewhere: &[(Database, &str)]) -> String {
    let shown = elsewhere.iter().map(|(database, what)| format!("{}: {what}", database.name()));
    shown.collect::<Vec<_>>().join("<br>")
}

const PAGE_START: &str = "\
# Expressions

<!-- Made from engine/src/expression and stages/src/functions; `VARDELTA_UPDATE=1 cargo test -p vardelta-stages manual` writes it. -->

`where` of a filter, the columns of a select and of an aggregate, and constraints are SQL expressions over the columns of the
stage's input. They mean what MySQL means by them, with these differences, which hold everywhere:

- **Nothing is lost silently.** Where MySQL converts a text that is no number to 0, cuts a text, or gives NULL with a warning
  (a division by zero, the logarithm of a negative number, a date that is none), the row is rejected with the reason, and the
  other rows are loaded. `TRY_CAST`, `nullif` and CASE say where a NULL is wanted instead.
- **Text, numbers, booleans and dates are not converted into each other** by operators: `'10' = 10` and `(a > b) + 1` are
  refused when the pipeline is validated; CAST converts. `||`, `concat` and the functions of texts take any single value, and a
  text in the pipeline may stand for a date (`day >= '2026-01-31'`).
- **Texts compare byte by byte**, as the tables' collations do: `'a' = 'A'` and `'a' = 'a '` are false, LIKE and REGEXP tell upper
  from lower case. `lower()`, `ILIKE` and the flag `'i'` do not. In MySQL and MariaDB the session's collation decides.
- **Quotes.** Texts are in single quotes, names in double quotes or backticks (MySQL's mode ANSI_QUOTES). A name that is a
  keyword needs none: `filter`, `end` and `position` are columns where a value is expected. Upper and lower case of column names
  count.
- **A backslash is a backslash** in a text (NO_BACKSLASH_ESCAPES), so that a regular expression is written as it is; in LIKE it
  escapes.
- **`||` joins texts** (PIPES_AS_CONCAT); there is no `&&`.
- **Exact numbers have at most 38 digits** (MySQL: 65), and integers 64 bits with a sign. A quotient is rounded where it is computed to
  4 digits more than its left side; MySQL keeps up to 9 hidden ones until the expression ends, so `1 / 3 * 3` is 0.9999 here.
- **A number with a point is exact, one with an exponent is a double**, as in MySQL; a column of a VCF that is a Float is a double.
- **The value depends on the row alone**: now(), rand() and their kin are refused.
- SQLite knows no exact numbers and no dates; what that means for a form is in its last column.

A form that is not listed is refused with what says the same here. Every example below is run by the tests, and in MySQL, MariaDB
and SQLite, which give the same unless the last column says otherwise.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_has_its_result() {
        let functions = Functions::built_in();
        let wrong: Vec<String> = examples(functions)
            .into_iter()
            .filter_map(|example| {
                let answer = answer(functions, example.sql);
                (answer.as_deref() != Ok(example.result))
                    .then(|| format!("{}: {answer:?}, not {}", example.sql, example.result))
            })
            .collect();
        assert_eq!(wrong, Vec::<String>::new());
    }

    #[test]
    fn every_function_has_an_example_and_a_name_of_its_own() {
        let functions = Functions::built_in();
        for function in functions.all() {
            assert!(!function.examples.is_empty(), "{} has no example", function.name);
            assert!(
                !function.about.is_empty() && function.about.ends_with('.'),
                "{}: {}",
                function.name,
                function.about
            );
            let last = function.parameters.len().saturating_sub(1);
            let odd = function.parameters.iter().position(|one| one.repeated).is_some_and(|at| at != last);
            assert!(!odd, "{}: only the last argument may be repeated", function.name);
        }
        let mut names: Vec<&str> = super::super::functions::BUILT_IN
            .iter()
            .copied()
            .flatten()
            .flat_map(|function| function.aliases.iter().copied().chain([function.name]))
            .collect();
        names.sort_unstable();
        let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(twice.is_empty(), "{twice:?}");
        let clash = |name: &&&str| functions.find(name).is_some();
        assert_eq!(super::super::functions::VOLATILE.iter().find(clash), None);
        assert_eq!(super::super::functions::AGGREGATES.iter().find(clash), None);
        assert!(
            names.iter().all(|name| super::super::foreign::instead(name).is_none()),
            "a function of ours is foreign"
        );
    }
}
