//! The same expressions as vardelta says them in each database's SQL, which is what `verify` relies on: the answers are ours, and
//! where we reject a row the database errs. What might be answered otherwise must not be said at all.

use vardelta_engine::expression::functions::Database;
use vardelta_schemas::{
    Column, TableSchema,
    sql::{
        Dialect,
        marks::Marks,
        view::{Place, Relation, Scalar, Statement, Unsayable},
    },
};

use super::{
    super::{Judge, Tally},
    Bench, Sample, compile, evaluate,
    generate::Generator,
    judged,
    rows::{ROWS, Rows},
};

/// The statement that selects the rows' numbers and the values.
fn statement(sample: &Sample, rows: &Rows, dialect: Dialect) -> Result<Statement, Unsayable> {
    let expression = compile(sample, rows).map_err(Unsayable)?;
    let table = TableSchema { name: "t".into(), schema: rows.schema.clone(), key: vec![0] };
    let id = rows.schema.columns()[0].clone();
    let columns = vec![
        (id.clone(), Scalar::column("id", id.column_type)),
        (Column::nullable("x", expression.column_type.clone()), expression.scalar(&rows.schema)?),
    ];
    let relation = Relation::Select { input: Box::new(Relation::Table(table)), columns };
    relation.statement(dialect, &|table| Place { name: table.name.clone(), marks: Marks::None })
}

fn dialect(database: Database) -> Dialect {
    match database {
        Database::Sqlite => Dialect::Sqlite,
        Database::MySql => Dialect::MySql,
        Database::MariaDb => Dialect::MariaDb,
    }
}

#[test]
fn what_is_said_in_sql_is_answered_as_we_answer() {
    let Bench { count, mut random, rows, mut judges } = Bench::new("what_is_said_in_sql_is_answered_as_we_answer", 600);
    judges.iter_mut().for_each(Judge::become_vardelta_s);
    let (mut tally, mut wrong, mut said) = (Tally::default(), Vec::new(), vec![0; judges.len()]);
    for at in 0..count {
        let sample = Generator::new(&mut random).sample();
        let Ok(ours) = evaluate(&sample, &rows) else { continue };
        for (judge, said) in judges.iter_mut().zip(&mut said) {
            let name = judge.database().name();
            let Ok(statement) = statement(&sample, &rows, dialect(judge.database())) else {
                tally.add(format!("{name} not said"));
                continue;
            };
            *said += 1;
            let text = statement.text;
            let mut complain = |why: String| wrong.push(format!("{at}: {} in {name}: {text}: {why}", sample.sql));
            let quoted = dialect(judge.database()).identifier("x");
            let rejected = ours.iter().position(Result::is_err);
            match (judge.column(&format!("SELECT {quoted} FROM ({text}) AS q ORDER BY id")), rejected) {
                (None, Some(_)) => tally.add(format!("{name} error where rows are rejected")),
                // A part that is not needed for a row may be computed all the same. Then the replay is asked.
                (None, None) => tally.add(format!("{name} error")),
                (Some(_), Some(row)) => {
                    complain(format!("row {row} is rejected, there no error ({})", rows.shown(row)))
                }
                (Some(theirs), None) if theirs.len() == ROWS => {
                    tally.add(format!("{name} equal"));
                    for (row, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
                        if let Err(why) = judged(&sample, ours, Some(theirs)) {
                            complain(format!("row {row} ({}): {why}", rows.shown(row)));
                            break;
                        }
                    }
                }
                (Some(theirs), None) => complain(format!("{} rows", theirs.len())),
            }
        }
        assert!(wrong.len() < 25, "{}", wrong.join("\n"));
    }
    eprintln!("{tally}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // The test says something only where something is said.
    for (judge, said) in judges.iter().zip(said) {
        assert!(said * 10 > count, "{}: {said} of {count} are said", judge.database().name());
    }
}
