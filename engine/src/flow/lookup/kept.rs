//! Answers as the state keeps them.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, RecordBatch, StringArray,
    builder::{BooleanBuilder, Float64Builder, Int64Builder, StringBuilder},
    new_null_array,
};
use vardelta_schemas::ColumnType;

use crate::{
    contract::lookup::{Answer, LookupValue},
    error::RunError,
    relational::{LookupSpec, LookupStatus},
    rows::{Row, RowLayout},
    varint,
};

/// An answer: of a key that the service knows, or does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Of which look-up: see [`LookupSpec::fingerprint`].
    pub fingerprint: u128,
    /// Whether the service knows the key.
    pub is_found: bool,
    /// When it came, in seconds since 1970.
    pub asked_at_s: u64,
    /// Until when it is fresh, in seconds since 1970; `None` for ever.
    pub until_s: Option<u64>,
    /// The release of the service's data.
    pub release: Option<String>,
    /// The look-up's row: all columns but the key, encoded.
    pub value: Row,
}

impl Kept {
    /// The answer in a look-up's space, where it is of the look-up as it is now. `None` where it cannot be read.
    pub fn current(bytes: Option<&[u8]>, fingerprint: u128) -> Option<Option<Kept>> {
        let kept = match bytes {
            Some(bytes) => Some(Kept::from_bytes(bytes)?),
            None => None,
        };
        Some(kept.filter(|kept| kept.fingerprint == fingerprint))
    }

    /// What is known of the key then.
    pub fn status(&self) -> LookupStatus {
        if self.is_found { LookupStatus::Found } else { LookupStatus::Absent }
    }

    /// As it is written.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.fingerprint.to_be_bytes().to_vec();
        varint::push(&mut bytes, u64::from(self.is_found));
        varint::push(&mut bytes, self.asked_at_s);
        varint::push(&mut bytes, self.until_s.map_or(0, |until_s| until_s.saturating_add(1)));
        varint::push(&mut bytes, u64::from(self.release.is_some()));
        varint::push_bytes(&mut bytes, self.release.as_deref().unwrap_or_default().as_bytes());
        bytes.extend_from_slice(&self.value);
        bytes
    }

    /// Undoes [`Kept::to_bytes`]; `None` where that has not written it.
    pub fn from_bytes(bytes: &[u8]) -> Option<Kept> {
        let (fingerprint, rest) = bytes.split_first_chunk()?;
        let mut at = 0;
        let is_found = varint::read(rest, &mut at)? == 1;
        let asked_at_s = varint::read(rest, &mut at)?;
        let until_s = varint::read(rest, &mut at)?.checked_sub(1);
        let has_release = varint::read(rest, &mut at)? == 1;
        let release = String::from_utf8(varint::read_bytes(rest, &mut at)?.to_vec()).ok()?;
        Some(Kept {
            fingerprint: u128::from_be_bytes(*fingerprint),
            is_found,
            asked_at_s,
            until_s,
            release: has_release.then_some(release),
            value: rest[at..].into(),
        })
    }
}

/// The row of a key that waits: all columns but the key, encoded.
pub(super) fn waiting_row(spec: &LookupSpec, layout: &RowLayout) -> Result<Row, RunError> {
    let columns = spec.schema.columns();
    let mut row = vec![text("")];
    row.extend(columns[1..columns.len() - 1].iter().map(|column| new_null_array(&column.column_type.to_arrow(), 1)));
    row.push(text(LookupStatus::Waiting.as_str()));
    let row = RecordBatch::try_new(Arc::clone(layout.schema()), row).map_err(RunError::internal)?;
    Ok(layout.encode(&row).map_err(RunError::internal)?.value(0).into())
}

fn text(text: &str) -> ArrayRef {
    Arc::new(StringArray::from(vec![text]))
}

/// The keys, encoded, of answers that came just now, and what is kept of them. A key that got no answer is left out.
///
/// # Errors
/// When a value is not of its column's type, is no number, or their number is not that of the columns: a defect of the stage.
pub(crate) fn keep(
    (name, spec): (&str, &LookupSpec),
    layout: &RowLayout,
    answers: &[(Arc<str>, Answer)],
    now_s: u64,
) -> Result<Vec<(Row, Kept)>, RunError> {
    let known: Vec<(&Arc<str>, &Answer)> = answers
        .iter()
        .filter(|(_, answer)| !matches!(answer, Answer::Failed { .. }))
        .map(|(key, answer)| (key, answer))
        .collect();
    let defect =
        |key: &str, what: String| RunError::internal(format!("stage `{name}`, the answer for `{key}`: {what}"));
    let columns = spec.schema.columns();
    let wanted = columns.len() - 2;
    for (key, answer) in &known {
        if let Answer::Found { values, .. } = answer
            && values.len() != wanted
        {
            return Err(defect(key, format!("{} values for {wanted} columns", values.len())));
        }
    }
    let value = |answer: &Answer, at: usize| match answer {
        Answer::Found { values, .. } => values[at].clone(),
        _ => None,
    };
    let mut arrays: Vec<ArrayRef> = vec![Arc::new(StringArray::from_iter_values(known.iter().map(|(key, _)| &***key)))];
    for (at, column) in columns[1..=wanted].iter().enumerate() {
        let mut cells = Cells::new(&column.column_type, known.len());
        for (key, answer) in &known {
            if !cells.push(value(answer, at)) {
                return Err(defect(key, format!("`{}` is no {}", column.name, column.column_type)));
            }
        }
        arrays.push(cells.finish(&column.column_type, known.len()));
    }
    let is_found = |answer: &Answer| matches!(answer, Answer::Found { .. });
    let status = |answer: &Answer| if is_found(answer) { LookupStatus::Found } else { LookupStatus::Absent };
    arrays.push(Arc::new(StringArray::from_iter_values(known.iter().map(|(_, answer)| status(answer).as_str()))));
    let batch = RecordBatch::try_new(Arc::clone(layout.schema()), arrays).map_err(RunError::internal)?;
    let rows = layout.encode(&batch).map_err(RunError::internal)?;
    let fingerprint = spec.fingerprint();
    let kept = known.iter().enumerate().map(|(row, (_, answer))| {
        let (until_s, release) = match answer {
            Answer::Found { until_s, release, .. } => (*until_s, release.clone()),
            Answer::Absent { until_s } => (*until_s, None),
            Answer::Failed { .. } => (None, None),
        };
        let kept = Kept {
            fingerprint,
            is_found: is_found(answer),
            asked_at_s: now_s,
            until_s: until_s.map(|until_s| until_s.try_into().unwrap_or_default()),
            release,
            value: rows.value(row).into(),
        };
        (Row::from(rows.key(row)), kept)
    });
    Ok(kept.collect())
}

/// A column of answers while it is filled.
enum Cells {
    Text(StringBuilder),
    Int64(Int64Builder),
    Float64(Float64Builder),
    Bool(BooleanBuilder),
    /// Of a type that no value of an answer has.
    Other,
}

impl Cells {
    fn new(column_type: &ColumnType, rows: usize) -> Cells {
        match column_type {
            ColumnType::Text => Cells::Text(StringBuilder::with_capacity(rows, rows * 8)),
            ColumnType::Int64 => Cells::Int64(Int64Builder::with_capacity(rows)),
            ColumnType::Float64 => Cells::Float64(Float64Builder::with_capacity(rows)),
            ColumnType::Bool => Cells::Bool(BooleanBuilder::with_capacity(rows)),
            ColumnType::Decimal { .. } | ColumnType::Date | ColumnType::List(_) => Cells::Other,
        }
    }

    /// False where the value does not belong into the column.
    fn push(&mut self, value: Option<LookupValue>) -> bool {
        match (self, value) {
            (Cells::Text(cells), None) => cells.append_null(),
            (Cells::Text(cells), Some(LookupValue::Text(text))) => cells.append_value(text),
            (Cells::Int64(cells), None) => cells.append_null(),
            (Cells::Int64(cells), Some(LookupValue::Int64(number))) => cells.append_value(number),
            (Cells::Float64(cells), None) => cells.append_null(),
            (Cells::Float64(cells), Some(LookupValue::Float64(number))) if number.is_finite() => {
                cells.append_value(number);
            }
            (Cells::Bool(cells), None) => cells.append_null(),
            (Cells::Bool(cells), Some(LookupValue::Bool(truth))) => cells.append_value(truth),
            (Cells::Other, None) => {}
            _ => return false,
        }
        true
    }

    fn finish(self, column_type: &ColumnType, rows: usize) -> ArrayRef {
        match self {
            Cells::Text(mut cells) => Arc::new(cells.finish()),
            Cells::Int64(mut cells) => Arc::new(cells.finish()),
            Cells::Float64(mut cells) => Arc::new(cells.finish()),
            Cells::Bool(mut cells) => Arc::new(cells.finish()),
            Cells::Other => new_null_array(&column_type.to_arrow(), rows),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_back_as_they_were_kept() {
        for (is_found, until_s, release) in [
            (true, None, None),
            (false, Some(0), Some(String::new())),
            (true, Some(u64::MAX - 1), Some("2026-11".into())),
        ] {
            let value = Row::from(&b"\x01row"[..]);
            let kept =
                Kept { fingerprint: u128::MAX - 7, is_found, asked_at_s: 1_795_000_000, until_s, release, value };
            assert_eq!(Kept::from_bytes(&kept.to_bytes()), Some(kept));
        }
        for broken in [&b""[..], &[0; 15], &[0xff; 40]] {
            assert_eq!(Kept::from_bytes(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn a_value_that_is_not_of_its_column_is_none() {
        let mut cells = Cells::new(&ColumnType::Float64, 2);
        assert!(cells.push(Some(LookupValue::Float64(0.5))) && cells.push(None));
        assert!(!cells.push(Some(LookupValue::Float64(f64::NAN))) && !cells.push(Some(LookupValue::Int64(1))));
        let mut cells = Cells::new(&ColumnType::Date, 1);
        assert!(cells.push(None) && !cells.push(Some(LookupValue::Text("2026-11-28".into()))));
    }
}
