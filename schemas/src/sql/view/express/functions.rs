//! Functions that give the same everywhere, by their names in docs/expressions.md. One that is not listed is not said.

use super::{Said, Writer};
use crate::{
    ColumnType,
    sql::{
        Dialect,
        view::scalar::{Literal, Scalar},
    },
};

/// Whether it is a text that is written there.
fn is_text(scalar: &Scalar) -> bool {
    matches!(scalar.literal(), Some(Literal::Text(_)))
}

impl Writer {
    pub(super) fn function(&self, name: &str, arguments: &[Scalar], scalar: &Scalar) -> Said {
        let is_sqlite = self.is_sqlite();
        let call = |name: &str| -> Said { Ok(format!("{name}({})", self.list(arguments)?)) };
        // A function that compares texts does so by the collation of what it is given.
        let comparing = |name: &str, order: &[usize]| -> Said {
            let mut texts = Vec::new();
            for at in order {
                let argument = &arguments[*at];
                texts.push(if argument.of == ColumnType::Text { self.text(argument)? } else { self.worked(argument)? });
            }
            Ok(format!("{name}({})", texts.join(", ")))
        };
        match (name, arguments) {
            ("concat", [_, ..]) if is_sqlite => {
                let texts: Result<Vec<String>, _> = arguments.iter().map(|text| self.worked(text)).collect();
                Ok(format!("({})", texts?.join(" || ")))
            }
            ("concat", [_, ..]) => call("CONCAT"),
            ("length" | "octet_length", [text]) if is_sqlite => {
                Ok(format!("length(CAST({} AS BLOB))", self.worked(text)?))
            }
            ("length" | "octet_length", [_]) => call("LENGTH"),
            ("char_length", [_]) => call(if is_sqlite { "length" } else { "CHAR_LENGTH" }),
            ("trim" | "ltrim" | "rtrim", [_]) => call(name),
            // MariaDB leaves an empty text as it is, and SQLite one in which nothing is to be replaced, also where another argument is
            // NULL.
            ("replace", [_, from, to]) if self.dialect != Dialect::MySql && !(is_text(from) && is_text(to)) => {
                Err(self.unsayable("`replace` of texts that may be NULL"))
            }
            ("replace", [_, _, _]) => comparing("replace", &[0, 1, 2]),
            ("instr", [_, _]) => comparing("instr", &[0, 1]),
            ("locate" | "position", [_, _]) => comparing("instr", &[1, 0]),
            ("substr", [_, start, ..]) if is_sqlite => {
                // A start of 0 and a negative count mean something else there.
                let is_plain = start.as_integer().is_some_and(|start| start >= 1)
                    && arguments[2..].iter().all(|count| count.as_integer().is_some_and(|count| count >= 0));
                if is_plain { call("substr") } else { Err(self.unsayable("substr of a start that is not from 1 on")) }
            }
            ("substr", [_, _] | [_, _, _]) => call("SUBSTR"),
            ("left", [text, count]) if is_sqlite => match count.as_integer() {
                Some(count @ 0..) => Ok(format!("substr({}, 1, {count})", self.worked(text)?)),
                _ => Err(self.unsayable("left of a number that is computed")),
            },
            ("left", [_, _]) if !is_sqlite => call("LEFT"),
            ("right", [_, _]) if !is_sqlite => call("RIGHT"),
            ("reverse", [_]) if !is_sqlite => call("REVERSE"),
            ("substring_index", [_, _, _]) if !is_sqlite => comparing("SUBSTRING_INDEX", &[0, 1, 2]),
            ("abs", [_]) => call("abs"),
            ("greatest" | "least", [_, _, ..]) => {
                let order: Vec<usize> = (0..arguments.len()).collect();
                comparing(
                    match (name, is_sqlite) {
                        ("greatest", true) => "max",
                        ("greatest", false) => "GREATEST",
                        (_, true) => "min",
                        (_, false) => "LEAST",
                    },
                    &order,
                )
            }
            ("round", [value, digits @ ..]) if matches!(value.of, ColumnType::Decimal { .. }) => {
                // How many digits are kept is in the type.
                match digits.iter().all(|digits| digits.as_integer().is_some_and(|digits| digits >= 0)) {
                    true => self.rounded(value, scalar.scale()),
                    false => Err(self.unsayable("round to digits that are computed")),
                }
            }
            ("year" | "month" | "day", [date]) if date.of == ColumnType::Date && scalar.of == ColumnType::Int64 => {
                match (is_sqlite, name) {
                    (false, _) => call(name),
                    (true, "year") => Ok(format!("CAST(substr({}, 1, 4) AS INTEGER)", self.worked(date)?)),
                    (true, "month") => Ok(format!("CAST(substr({}, 6, 2) AS INTEGER)", self.worked(date)?)),
                    (true, _) => Ok(format!("CAST(substr({}, 9, 2) AS INTEGER)", self.worked(date)?)),
                }
            }
            _ => Err(self.unsayable(format!("`{name}`"))),
        }
    }
}
