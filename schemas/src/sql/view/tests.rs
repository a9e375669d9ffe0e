use super::*;
use crate::sql::marks::Marks;

fn decimal(precision: u8, scale: i8) -> ColumnType {
    ColumnType::Decimal { precision, scale }
}

fn variants() -> TableSchema {
    let columns = vec![
        Column::required("pos", ColumnType::Int64),
        Column::nullable("gene", ColumnType::Text),
        Column::nullable("quality", decimal(5, 2)),
        Column::nullable("score", ColumnType::Float64),
    ];
    TableSchema { name: "variants".into(), schema: Schema::new(columns), key: vec![0] }
}

fn column(name: &str) -> Scalar {
    let of = variants().schema.column(name).map_or(ColumnType::Int64, |column| column.column_type.clone());
    Scalar::column(name, of)
}

fn literal(literal: Literal, of: ColumnType) -> Scalar {
    Scalar { of, form: Form::Literal(literal) }
}

fn apply(operation: Operation, arguments: Vec<Scalar>, of: ColumnType) -> Scalar {
    Scalar { of, form: Form::Call(operation, arguments) }
}

fn is_pathogenic() -> Scalar {
    let text = literal(Literal::Text(r"it's \".into()), ColumnType::Text);
    apply(Operation::Compare(Comparison::Equal), vec![column("gene"), text], ColumnType::Bool)
}

fn call(name: &str, function: Aggregate, argument: Option<&str>, result: ColumnType) -> Call {
    Call { name: name.into(), function, argument: argument.map(column), filter: None, result }
}

fn summary() -> Relation {
    let calls = vec![
        Call { filter: Some(is_pathogenic()), ..call("c0", Aggregate::Count, None, ColumnType::Int64) },
        call("c1", Aggregate::Average, Some("quality"), decimal(9, 6)),
        call("c2", Aggregate::Sum, Some("quality"), decimal(38, 2)),
    ];
    let columns = [("n", "c0", ColumnType::Int64), ("mean", "c1", decimal(9, 6)), ("total", "c2", decimal(38, 2))];
    let columns: Vec<(Column, Scalar)> = columns
        .into_iter()
        .map(|(name, call, of)| (Column::nullable(name, of.clone()), Scalar::column(call, of)))
        .collect();
    let group = variants().schema.columns()[1].clone();
    let schema = Schema::new([group].into_iter().chain(columns.iter().map(|(column, _)| column.clone())).collect());
    Relation::Aggregate { input: Box::new(Relation::Table(variants())), group_by: vec![1], calls, columns, schema }
}

fn said(relation: &Relation, dialect: Dialect, marks: Marks) -> Result<Statement, String> {
    let place = |table: &TableSchema| Place { name: table.name.clone(), marks };
    relation.statement(dialect, &place).map_err(|error| error.to_string())
}

#[test]
fn a_summary_in_every_dialect() {
    let statement = said(&summary(), Dialect::MySql, Marks::None).expect("it can be said");
    assert_eq!(
        statement.text,
        "SELECT `gene`, COUNT(CASE WHEN (`gene` = 'it''s \\\\') THEN 1 END) AS `n`, CAST(CAST(SUM(`quality`) AS \
         DECIMAL(47, 11)) / COUNT(`quality`) AS DECIMAL(9, 6)) AS `mean`, SUM(`quality`) AS `total`\nFROM `variants` AS \
         `t`\nGROUP BY `t`.`gene`"
    );
    assert!(statement.inexact.is_empty());
    let statement = said(&summary(), Dialect::Sqlite, Marks::Kept).expect("it can be said");
    let units = "CAST(round(\"quality\" * 100.0) AS INTEGER)";
    assert!(
        statement.text.starts_with("SELECT \"gene\", \"n\", \"mean\", CASE WHEN \"total\" IS NOT NULL"),
        "{}",
        statement.text
    );
    assert!(statement.text.contains(&format!("SUM({units}) AS \"total\"")), "{}", statement.text);
    assert!(statement.text.contains(" / 1000000.0) AS \"mean\""), "{}", statement.text);
    assert!(statement.text.contains("WHERE (\"deleted_at\" IS NULL)"), "{}", statement.text);
}

#[test]
fn a_sum_of_doubles_says_by_how_much_it_may_be_off() {
    let of = ColumnType::Float64;
    let columns = vec![(Column::nullable("total", of.clone()), Scalar::column("c0", of.clone()))];
    let schema = Schema::new(vec![columns[0].0.clone()]);
    let sum = |columns: Vec<(Column, Scalar)>| Relation::Aggregate {
        input: Box::new(Relation::Table(variants())),
        group_by: vec![],
        calls: vec![call("c0", Aggregate::Sum, Some("score"), of.clone())],
        columns,
        schema: schema.clone(),
    };
    let relation = sum(columns);
    let statement = said(&relation, Dialect::MariaDb, Marks::None).expect("it can be said");
    assert_eq!(statement.inexact, [0]);
    assert_eq!(
        statement.text,
        "SELECT SUM(`score`) AS `total`, SUM(ABS(`score`)) * (COUNT(`score`) + 2) * 2.3e-16 AS `total +-`\nFROM \
         `variants` AS `t`"
    );
    assert_eq!(statement.schema(&relation.schema()).to_string(), "total float64?, total +- float64?");
    // What is computed from it may be off by anything.
    let negated = apply(Operation::Negate, vec![Scalar::column("c0", of.clone())], of.clone());
    let computed = sum(vec![(Column::nullable("total", of.clone()), negated)]);
    assert!(said(&computed, Dialect::MySql, Marks::None).is_err());
    let above = Relation::Filter {
        input: Box::new(relation),
        condition: apply(Operation::IsNull { negated: false }, vec![Scalar::column("total", of)], ColumnType::Bool),
    };
    assert!(said(&above, Dialect::MySql, Marks::None).is_err());
}

#[test]
fn joins_and_unions_name_their_sides() {
    let both = || Box::new([Relation::Table(variants()), Relation::Table(variants())]);
    let mut columns = variants().schema.columns().to_vec();
    columns.extend(
        variants().schema.columns()[1..]
            .iter()
            .map(|column| Column::nullable(format!("r_{}", column.name), column.column_type.clone())),
    );
    let join = Relation::Join { sides: both(), is_left: true, on: vec![(0, 0)], schema: Schema::new(columns) };
    let text = said(&join, Dialect::MariaDb, Marks::None).expect("it can be said").text;
    assert!(text.contains("`r`.`gene` AS `r_gene`"), "{text}");
    assert!(text.ends_with("FROM `variants` AS `l` LEFT JOIN `variants` AS `r` ON `l`.`pos` = `r`.`pos`"), "{text}");
    assert_eq!(join.tables().len(), 1);
    let columns = [vec![Column::required("of", ColumnType::Text)], variants().schema.columns().to_vec()].concat();
    let tags = Some(vec!["a".to_owned(), "b".to_owned()]);
    let union = Relation::Union { inputs: both().to_vec(), tags, schema: Schema::new(columns) };
    let text = said(&union, Dialect::Sqlite, Marks::None).expect("it can be said").text;
    assert!(
        text.starts_with("SELECT 'a' AS \"of\", \"pos\", \"gene\"") && text.contains("\nUNION ALL\nSELECT 'b'"),
        "{text}"
    );
}

#[test]
fn exact_numbers_are_integers_in_sqlite() {
    let quality = || column("quality");
    let more = apply(Operation::Plus, vec![quality(), literal(Literal::Decimal(5), decimal(1, 1))], decimal(6, 2));
    let units = "CAST(round(\"quality\" * 100.0) AS INTEGER)";
    assert_eq!(more.sql(Dialect::Sqlite), Ok(format!("(({units} + (5 * 10)) / 100.0)")));
    assert_eq!(more.sql(Dialect::MySql).as_deref(), Ok("CAST((`quality` + 0.5) AS DECIMAL(6, 2))"));
    assert_eq!(quality().sql(Dialect::Sqlite).as_deref(), Ok("\"quality\""));
    let wide = apply(Operation::Times, vec![quality(), Scalar::column("w", decimal(20, 0))], decimal(25, 2));
    assert!(wide.sql(Dialect::Sqlite).is_err());
    assert!(wide.sql(Dialect::MySql).is_ok());
}

#[test]
fn what_a_dialect_answers_otherwise_is_not_said() {
    let text = || column("gene");
    let lower = apply(Operation::Function("lower"), vec![text()], ColumnType::Text);
    let start = |at| vec![text(), literal(Literal::Int(at), ColumnType::Int64)];
    let substr = |at| apply(Operation::Function("substr"), start(at), ColumnType::Text);
    for dialect in [Dialect::Sqlite, Dialect::MySql, Dialect::MariaDb] {
        // Servers know the letters of another Unicode.
        assert!(lower.sql(dialect).expect_err("refused").to_string().contains("`lower` in "));
        assert!(substr(2).sql(dialect).is_ok());
        assert_eq!(substr(-2).sql(dialect).is_ok(), dialect != Dialect::Sqlite);
        let per = apply(Operation::Divide, vec![column("quality"), column("quality")], decimal(11, 6));
        assert!(per.sql(dialect).expect_err("refused").to_string().contains("may be 0"));
    }
    // Where no column decides, the connection's collation would.
    let a = || literal(Literal::Text("a".into()), ColumnType::Text);
    let both = apply(Operation::Function("concat"), vec![a(), a()], ColumnType::Text);
    let same = apply(Operation::Compare(Comparison::Equal), vec![both, a()], ColumnType::Bool);
    assert_eq!(same.sql(Dialect::MariaDb).as_deref(), Ok("((CONCAT('a', 'a') COLLATE utf8mb4_nopad_bin) = 'a')"));
    let like = |parts| apply(Operation::Like { parts, negated: false }, vec![text()], ColumnType::Bool);
    let pattern = vec![LikePart::One('_'), LikePart::One('*'), LikePart::AnyOne, LikePart::Any];
    assert_eq!(like(pattern.clone()).sql(Dialect::Sqlite).as_deref(), Ok("(\"gene\" GLOB '_[*]?*')"));
    assert_eq!(like(pattern).sql(Dialect::MySql).as_deref(), Ok("(`gene` LIKE '!_*_%' ESCAPE '!')"));
}
