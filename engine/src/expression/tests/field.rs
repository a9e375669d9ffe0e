//! What people write (`../shared/field/EXPRESSIONS.txt`, where it is there): each expression answered as MariaDB answers it,
//! or different for a reason that is given here.

use std::path::Path;

use super::*;

/// Why an expression answers something else than MariaDB did, by a part of its text; the first that fits.
const REASONS: &[(&str, &str)] = &[
    // Where MariaDB errs silently or depends on its settings.
    ("dp / 0", "a division by zero rejects the row; MariaDB gives NULL"),
    ("CAST('abc' AS INTEGER)", "a text that is no number is refused; MariaDB gives 0"),
    ("CAST('7.9' AS INTEGER)", "a text that is no integer is refused; MariaDB cuts it"),
    ("CAST('' AS INTEGER)", "a text that is no number is refused; MariaDB gives 0"),
    ("format('%d', dp)", "a text that is no number is refused; MariaDB takes it for 0"),
    ("||", "joins texts, as in SQLite and in MySQL's PIPES_AS_CONCAT; MariaDB's default is OR"),
    ("LIKE '%PATHOGENIC%'", "texts compare byte by byte, as the tables' collations do; ILIKE does not"),
    ("regexp_like", "MySQL has it"),
    ("'a' = 'A'", "texts compare byte by byte, as the tables' collations do"),
    ("'a' = 'a '", "texts compare byte by byte, as the tables' collations do"),
    ("'10' = 10", "text and number are not mixed: CAST"),
    ("dp = '7'", "text and number are not mixed: CAST"),
    ("coalesce(nul, 'x')", "text and number are not mixed: CAST"),
    ("(dp > 5) + 1", "a condition is no number: CAST"),
    ("\"abc\"", "double quotes are for names, as in ANSI_QUOTES"),
    ("CAST(d AS DATE) - DATE", "days, not the difference of two numbers such as 20260315"),
    ("~dp", "with a sign, as in SQLite"),
    ("NULL", "a column needs a type: CAST(NULL AS CHAR)"),
    ("rand()", "the value must depend on the row alone"),
    ("now()", "the value must depend on the row alone"),
    ("current_date", "the value must depend on the row alone"),
    ("curdate()", "the value must depend on the row alone"),
    ("uuid()", "the value must depend on the row alone"),
    ("version()", "the value must depend on the row alone"),
    ("count(*)", "an aggregate's"),
    ("OVER (", "an expression sees one row"),
    ("(SELECT 1)", "an expression sees one row"),
    ("pi()", "a double; MariaDB shows 6 digits of it"),
];

fn fields() -> Schema {
    let text = |name: &str| Column::required(name, ColumnType::Text);
    let int = |name: &str| Column::required(name, ColumnType::Int64);
    Schema::new(vec![
        text("chrom"),
        int("pos"),
        text("ref"),
        text("alt"),
        Column::nullable("filter", ColumnType::Text),
        Column::nullable("qual", ColumnType::Float64),
        int("dp"),
        int("n"),
        text("s"),
        text("d"),
        Column::nullable("g", ColumnType::List(Box::new(ColumnType::Text))),
        Column::nullable("nul", ColumnType::Int64),
    ])
}

fn row() -> RecordBatch {
    let text = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text])) };
    let int = |value: Option<i64>| -> ArrayRef { Arc::new(Int64Array::from(vec![value])) };
    let mut list = ListBuilder::new(StringBuilder::new());
    list.append_value([Some("BRCA1"), Some("TP53")]);
    let columns = vec![
        text("chr1"),
        int(Some(100)),
        text("A"),
        text("C"),
        text("PASS"),
        Arc::new(Float64Array::from(vec![50.5])) as ArrayRef,
        int(Some(7)),
        int(Some(2)),
        text("Likely_pathogenic|risk_factor"),
        text("2026-03-15"),
        Arc::new(list.finish()),
        int(None),
    ];
    RecordBatch::try_new(fields().to_arrow(), columns).unwrap()
}

/// Our answer as MariaDB's client prints it; None where it is refused.
fn answer(sql: &str) -> Option<String> {
    let expression = compile_over(sql, &fields()).ok()?;
    let evaluated = expression.evaluate(&row());
    if !evaluated.failures.is_empty() {
        return None;
    }
    Some(match value_text(&evaluated.values, 0) {
        text if text == "true" => "1".into(),
        text if text == "false" => "0".into(),
        text => text,
    })
}

fn same(one: &str, other: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok().filter(|value| value.is_finite());
    // The file separates its columns by blanks, and a copy of it may have folded them: how many blanks an answer of
    // blanks alone has is not in it.
    let blank = |text: &str| text.trim().is_empty();
    one == other
        || blank(one) && blank(other)
        || matches!((number(one), number(other)), (Some(one), Some(other)) if (one - other).abs() <= one.abs() * 1e-15)
}

#[test]
fn what_people_write_is_answered_as_mariadb_does_or_different_for_a_reason() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/field/EXPRESSIONS.txt");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: what people write: ../shared/field/EXPRESSIONS.txt is not there");
        return;
    };
    let (mut equal, mut different, mut ours_alone, mut neither) = (0, 0, 0, 0);
    let mut wrong = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut parts = line.split('¦').map(|part| part.strip_prefix(' ').unwrap_or(part));
        let (Some(sql), Some(_), Some(theirs)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let (sql, theirs) = (sql.trim(), theirs.strip_suffix(' ').unwrap_or(theirs));
        match (answer(sql), theirs) {
            (None, "(no)") => neither += 1,
            (Some(_), "(no)") => ours_alone += 1,
            (Some(ours), theirs) if same(&ours, theirs) => equal += 1,
            (ours, theirs) => match REASONS
                .iter()
                .find(|(part, _)| *part == sql || (part.len() > 4 || *part == "||") && sql.contains(part))
            {
                Some(_) => different += 1,
                None => wrong.push(format!("{sql}: {ours:?}, MariaDB {theirs:?}")),
            },
        }
    }
    eprintln!(
        "{equal} equal, {different} different for a reason, {ours_alone} that MariaDB has not, {neither} that neither has"
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(equal > 100, "{equal}");
}
