//! Random typed expressions over random rows: vardelta, MariaDB, MySQL and SQLite answer alike.
//!
//! Where vardelta rejects a row, the databases may err as the manual says: by an error, a NULL, a number beyond 64 bits. The
//! generator leaves out what the manual names as different: the quotient's hidden digits (it is cast in place), and in
//! SQLite everything with dates, exact numbers and letters beyond ASCII. `VARDELTA_EXPRESSIONS` says how many (10,000 before
//! a release), `VARDELTA_SEED` repeats a run.

mod generate;
mod rows;
mod said;

use vardelta_engine::{
    contract::options::Spanned,
    diagnostics::Diagnostics,
    display::value_text,
    expression::{Expression, functions::Database},
};
use vardelta_tests::random::{Random, from_environment, seed};

use self::{
    generate::{Generator, Kind, Sample},
    rows::{ROWS, Rows},
};
use super::{Judge, Tally, same};

/// What random expressions are tried on.
struct Bench {
    /// How many expressions.
    count: u64,
    random: Random,
    rows: Rows,
    /// The databases, each with the rows.
    judges: Vec<Judge>,
}

impl Bench {
    /// By the environment's seed and count, or `count`; both are printed.
    fn new(test: &str, count: u64) -> Bench {
        let seed = seed(1);
        let count = from_environment("VARDELTA_EXPRESSIONS", count);
        println!("VARDELTA_EXPRESSIONS={count}");
        let mut random = Random::new(seed);
        let rows = Rows::new(&mut random);
        let mut judges = Judge::all(test);
        for judge in &mut judges {
            let statements = rows.statements(judge.database());
            judge.prepare(&statements);
        }
        Bench { count, random, rows, judges }
    }
}

#[test]
fn random_expressions_have_one_answer_everywhere() {
    let Bench { count, mut random, rows, mut judges } =
        Bench::new("random_expressions_have_one_answer_everywhere", 300);
    let (mut tally, mut wrong) = (Tally::default(), Vec::new());
    for at in 0..count {
        let sample = Generator::new(&mut random).sample();
        let ours = match evaluate(&sample, &rows) {
            Ok(ours) => ours,
            // One without columns is rejected before anything runs.
            Err(problems) if problems.contains("fails on every row") => {
                tally.add("refused because every row would be rejected");
                continue;
            }
            Err(problems) => {
                wrong.push(format!("{at}: {} is refused: {problems}", sample.sql));
                continue;
            }
        };
        for judge in judges.iter_mut().filter(|judge| sample.runs_in(judge.database())) {
            let theirs = answers(judge, &sample);
            for (row, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
                match judged(&sample, ours, theirs.as_deref()) {
                    Ok(kind) => tally.add(format!("{} {kind}", judge.database().name())),
                    Err(why) => wrong.push(format!(
                        "{at}: {} in {}, row {row} ({}): {why}",
                        sample.sql_for(judge.database()),
                        judge.database().name(),
                        rows.shown(row)
                    )),
                }
            }
        }
        assert!(wrong.len() < 25, "{}", wrong.join("\n"));
    }
    eprintln!("{tally}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn compile(sample: &Sample, rows: &Rows) -> Result<Expression, String> {
    let mut diagnostics = Diagnostics::default();
    let text = Spanned { value: sample.sql.clone(), span: 0..sample.sql.len() + 2 };
    Expression::compile(&text, &rows.schema, &mut diagnostics)
        .ok_or_else(|| diagnostics.into_sorted().into_iter().map(|problem| problem.message + "; ").collect())
}

/// Our answers: a value, or the reason for which the row is rejected.
fn evaluate(sample: &Sample, rows: &Rows) -> Result<Vec<Result<String, &'static str>>, String> {
    let expression = compile(sample, rows)?;
    let evaluated = expression.evaluate(&rows.batch);
    let answers: Vec<_> = (0..rows.batch.num_rows())
        .map(|row| match evaluated.failures.iter().find(|failure| failure.row == row) {
            Some(failure) => Err(failure.reason.code()),
            None => Ok(value_text(&evaluated.values, row)),
        })
        .collect();
    // The last row holds what no database stores: it may be anything that a table can hold.
    assert!(
        !matches!(&answers[ROWS], Ok(text) if text == "NaN" || text == "inf"),
        "{} is {:?}",
        sample.sql,
        answers[ROWS]
    );
    Ok(answers.into_iter().take(ROWS).collect())
}

/// A database's answer for each row; `None` where it errs.
fn answers(judge: &mut Judge, sample: &Sample) -> Vec<Option<String>> {
    let sql = sample.sql_for(judge.database());
    if let Some(all) = judge.column(&format!("SELECT {sql} FROM t ORDER BY id"))
        && all.len() == ROWS
    {
        return all.into_iter().map(Some).collect();
    }
    // One row that errs takes the others with it.
    (0..ROWS)
        .map(|id| judge.column(&format!("SELECT {sql} FROM t WHERE id = {id}")).and_then(|mut one| one.pop()))
        .collect()
}

/// Whether two answers agree, and how.
fn judged(sample: &Sample, ours: &Result<String, &'static str>, theirs: Option<&str>) -> Result<&'static str, String> {
    match (ours, theirs) {
        (Err(_), None | Some("NULL")) => Ok("rejected and NULL or an error"),
        // There it is a NULL, or another number, of which the rest makes what it will.
        (Err("overflow" | "not_finite" | "bad_cast" | "division_by_zero"), Some(_)) => Ok("rejected"),
        (Err(reason), Some(theirs)) => Err(format!("rejected for {reason}, there {theirs}")),
        // Operators on bits give integers without a sign there, from which no more can be taken than there is.
        (Ok(_), None) if [" ^ ", " & ", " | ", " << ", " >> "].iter().any(|bits| sample.sql.contains(bits)) => {
            Ok("an error of an integer without a sign")
        }
        (Ok(ours), None) => Err(format!("{ours:?}, there an error")),
        (Ok(ours), Some(theirs)) => {
            let ours = match (sample.kind, ours.as_str()) {
                (Kind::Bool, "true") => "1",
                (Kind::Bool, "false") => "0",
                (_, ours) => ours,
            };
            let equal = match sample.kind {
                Kind::Decimal => trimmed(ours) == trimmed(theirs),
                Kind::Float => same(ours, theirs),
                _ => ours == theirs,
            };
            if equal { Ok("equal") } else { Err(format!("{ours:?}, there {theirs:?}")) }
        }
    }
}

/// An exact number without zeros that say nothing.
fn trimmed(text: &str) -> &str {
    let short = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => text,
    };
    // MariaDB knows a negative zero of exact numbers.
    if short == "-0" { "0" } else { short }
}

impl Sample {
    fn runs_in(&self, database: Database) -> bool {
        database != Database::Sqlite || self.sqlite
    }

    /// The expression as a database writes it.
    fn sql_for(&self, database: Database) -> String {
        match database {
            Database::Sqlite => self.sql.replace("greatest(", "max(").replace("least(", "min("),
            _ => self.sql.clone(),
        }
    }
}
