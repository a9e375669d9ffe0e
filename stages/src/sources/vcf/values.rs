//! Typed Arrow builders that take values as a VCF line writes them.

use std::{borrow::Cow, ops::RangeInclusive, sync::Arc};

use arrow_array::{
    Array as _, ArrayRef, BinaryArray,
    builder::{BinaryBuilder, BooleanBuilder, Float64Builder, Int64Builder, ListBuilder},
};

use crate::sources::{
    shared::text::decode,
    vcf::{
        checks::{Checks, texts},
        kind::{Shape, ValueKind},
        percent,
        reasons::{Tally, Warning},
    },
};

/// How text of a file is decoded.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TextRules {
    /// Whether values are percent-encoded: since VCF 4.3.
    pub percent_encoded: bool,
}

/// A column being built from values of one field.
pub(super) enum ValueBuilder {
    Flag(BooleanBuilder),
    Integer(Int64Builder),
    Float(Float64Builder),
    Text(BinaryBuilder),
    Integers(ListBuilder<Int64Builder>),
    Floats(ListBuilder<Float64Builder>),
    Texts(ListBuilder<BinaryBuilder>),
}

impl ValueBuilder {
    /// An empty column of this shape.
    pub fn new(shape: Shape) -> ValueBuilder {
        match (shape.kind, shape.is_list()) {
            (ValueKind::Flag, _) => ValueBuilder::Flag(BooleanBuilder::new()),
            (ValueKind::Integer, false) => ValueBuilder::Integer(Int64Builder::new()),
            (ValueKind::Integer, true) => ValueBuilder::Integers(ListBuilder::new(Int64Builder::new())),
            (ValueKind::Float, false) => ValueBuilder::Float(Float64Builder::new()),
            (ValueKind::Float, true) => ValueBuilder::Floats(ListBuilder::new(Float64Builder::new())),
            (ValueKind::Character | ValueKind::String, false) => ValueBuilder::Text(BinaryBuilder::new()),
            (ValueKind::Character | ValueKind::String, true) => {
                ValueBuilder::Texts(ListBuilder::new(BinaryBuilder::new()))
            }
        }
    }

    /// Appends that the field is not there: NULL, and false for a flag.
    pub fn append_absent(&mut self) {
        match self {
            ValueBuilder::Flag(builder) => builder.append_value(false),
            ValueBuilder::Integer(builder) => builder.append_null(),
            ValueBuilder::Float(builder) => builder.append_null(),
            ValueBuilder::Text(builder) => builder.append_null(),
            ValueBuilder::Integers(builder) => builder.append_null(),
            ValueBuilder::Floats(builder) => builder.append_null(),
            ValueBuilder::Texts(builder) => builder.append_null(),
        }
    }

    /// Appends that the key has no value: true for a flag, otherwise NULL, counted as `bad`.
    pub fn append_bare(&mut self, bad: Warning, tally: &mut Tally) {
        match self {
            ValueBuilder::Flag(builder) => builder.append_value(true),
            _ => {
                tally.count(bad);
                self.append_absent();
            }
        }
    }

    /// Appends a value as the line writes it. `.` is NULL; a value that does not fit is NULL and counted as `bad`.
    pub fn append<C: Checks>(&mut self, value: &[u8], rules: TextRules, bad: Warning, tally: &mut Tally) {
        if let ValueBuilder::Flag(builder) = self {
            tally.count(Warning::FlagWithValue);
            builder.append_value(true);
            return;
        }
        if value.is_empty() {
            tally.count(bad);
            self.append_absent();
            return;
        }
        if value == b"." {
            self.append_absent();
            return;
        }
        match self {
            ValueBuilder::Flag(_) => {}
            ValueBuilder::Integer(builder) => {
                builder.append_option(whole::<C>(value, bad, tally));
            }
            ValueBuilder::Float(builder) => {
                let float = finite(value);
                if float.is_none() {
                    tally.count(bad);
                }
                builder.append_option(float);
            }
            ValueBuilder::Text(builder) => append_text(builder, value, rules, tally),
            ValueBuilder::Integers(builder) => {
                each_item(value, |item| {
                    builder.values().append_option(item.and_then(|item| whole::<C>(item, bad, tally)));
                });
                builder.append(true);
            }
            ValueBuilder::Floats(builder) => {
                each_item(value, |item| {
                    let float = item.and_then(finite);
                    if float.is_none() && item.is_some() {
                        tally.count(bad);
                    }
                    builder.values().append_option(float);
                });
                builder.append(true);
            }
            ValueBuilder::Texts(builder) => {
                each_item(value, |item| match item {
                    Some(item) => append_text(builder.values(), item, rules, tally),
                    None => builder.values().append_null(),
                });
                builder.append(true);
            }
        }
    }

    /// The column; the builder is empty again. Undecodable text is counted.
    pub fn finish<C: Checks>(&mut self, tally: &mut Tally) -> ArrayRef {
        match self {
            ValueBuilder::Flag(builder) => Arc::new(builder.finish()),
            ValueBuilder::Integer(builder) => Arc::new(builder.finish()),
            ValueBuilder::Float(builder) => Arc::new(builder.finish()),
            ValueBuilder::Text(builder) => C::text(finish_with_room(builder), tally),
            ValueBuilder::Integers(builder) => Arc::new(builder.finish()),
            ValueBuilder::Floats(builder) => Arc::new(builder.finish()),
            ValueBuilder::Texts(builder) => texts::<C>(builder.finish(), tally),
        }
    }
}

/// The column; the builder is empty again, with room for as much as there was and an eighth more: chunks are alike, and a
/// buffer that grows is copied as often as it grows.
pub(super) fn finish_with_room(builder: &mut BinaryBuilder) -> BinaryArray {
    let column = builder.finish();
    let (rows, bytes) = (column.len(), column.value_data().len());
    *builder = BinaryBuilder::with_capacity(rows + rows / 8, bytes + bytes / 8);
    column
}

/// Calls `append` for each item of a comma-separated value, with `None` for `.`.
fn each_item(value: &[u8], mut append: impl FnMut(Option<&[u8]>)) {
    for item in value.split(|byte| *byte == b',') {
        append(Some(item).filter(|item| *item != b"."));
    }
}

/// Appends a value as text; percent-encoding is undone where the file has it.
fn append_text(builder: &mut BinaryBuilder, value: &[u8], rules: TextRules, tally: &mut Tally) {
    if rules.percent_encoded && memchr::memchr(b'%', value).is_some() {
        builder.append_value(percent::decode(utf8(value, tally)).as_bytes());
    } else {
        builder.append_value(value);
    }
}

/// Bytes as text: undecodable ones are shown as such and counted.
pub(super) fn utf8<'a>(value: &'a [u8], tally: &mut Tally) -> Cow<'a, str> {
    match std::str::from_utf8(value) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            tally.count(Warning::InvalidUtf8);
            decode(value)
        }
    }
}

/// The integers that stand for missing values in BCF, and are therefore disallowed in VCF too (VCF 4.3, section 1.3).
const RESERVED: RangeInclusive<i64> = -2_147_483_648..=-2_147_483_641;

/// A whole number; unchecked, whatever its characters would be as digits.
fn whole<C: Checks>(value: &[u8], bad: Warning, tally: &mut Tally) -> Option<i64> {
    if C::ON { integer(value, bad, tally) } else { Some(assumed_digits(value)) }
}

/// A whole number of which nothing is checked.
pub(super) fn assumed_digits(value: &[u8]) -> i64 {
    let (negative, digits) = match value {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let number = digits
        .iter()
        .fold(0_i64, |number, digit| number.wrapping_mul(10).wrapping_add(i64::from(digit.wrapping_sub(b'0'))));
    if negative { number.wrapping_neg() } else { number }
}

/// A whole number, with an optional sign; what is none, or is reserved, is counted as `bad`. A decimal that is whole (`5.0`,
/// `1e3`) is read and counted, as nothing is lost.
pub(super) fn integer(value: &[u8], bad: Warning, tally: &mut Tally) -> Option<i64> {
    /// Above this a double no longer holds every whole number.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let integer = digits(value).or_else(|| {
        let float = finite(value).filter(|float| float.fract() == 0.0 && float.abs() <= EXACT)?;
        tally.count(Warning::DecimalInteger);
        Some(float as i64)
    });
    let usable = integer.filter(|integer| !RESERVED.contains(integer));
    if usable.is_none() {
        tally.count(bad);
    }
    usable
}

/// A whole number written in digits alone, with an optional sign.
pub(super) fn digits(value: &[u8]) -> Option<i64> {
    let (negative, digits) = match value {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut number: i64 = 0;
    if digits.len() <= 18 {
        // Too few digits to leave 64 bits.
        for digit in digits {
            let digit = digit.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            number = number * 10 + i64::from(digit);
        }
        return Some(if negative { -number } else { number });
    }
    for digit in digits {
        let digit = i64::from(digit.wrapping_sub(b'0'));
        if digit > 9 {
            return None;
        }
        // Built up below zero, where there is room for the least integer too.
        number = number.checked_mul(10)?.checked_sub(digit)?;
    }
    if negative { Some(number) } else { number.checked_neg() }
}

/// A decimal number; `None` where it is not one, or not finite.
pub(super) fn finite(value: &[u8]) -> Option<f64> {
    std::str::from_utf8(value).ok()?.parse::<f64>().ok().filter(|float| float.is_finite()).map(positive_zero)
}

/// Minus zero as zero: databases do not keep the difference, and equal rows must have equal bytes.
pub(super) fn positive_zero(value: f64) -> f64 {
    value + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::vcf::checks::Checked;
    use arrow_array::{Array, ListArray, StringArray};
    use vardelta_schemas::Number;

    #[test]
    fn reads_whole_numbers() {
        let cases = [
            ("5", Some(5)),
            ("-7", Some(-7)),
            ("+3", Some(3)),
            ("5.0", Some(5)),
            ("-2147483641", None),
            ("-2147483648", None),
            ("-2147483649", Some(-2_147_483_649)),
            ("-2147483640", Some(-2_147_483_640)),
            ("1e3", Some(1000)),
            ("2147483648", Some(2_147_483_648)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("20.5", None),
            ("", None),
            ("-", None),
            ("5,6", None),
            ("x", None),
            ("nan", None),
        ];
        for (input, expected) in cases {
            let read = integer(input.as_bytes(), Warning::BadInfoValue, &mut Tally::default());
            assert_eq!(read, expected, "{input}");
        }
    }

    #[test]
    fn reads_finite_numbers_only() {
        for (input, expected) in
            [("0.5", Some(0.5)), ("1e-7", Some(1e-7)), ("1e400", None), ("NaN", None), ("-inf", None), ("a", None)]
        {
            assert_eq!(finite(input.as_bytes()), expected, "{input}");
        }
    }

    fn build(shape: Shape, percent_encoded: bool, values: &[&[u8]]) -> (String, Vec<(&'static str, u64)>) {
        let (mut builder, mut tally) = (ValueBuilder::new(shape), Tally::default());
        for value in values {
            builder.append::<Checked>(value, TextRules { percent_encoded }, Warning::BadInfoValue, &mut tally);
        }
        builder.append_bare(Warning::BadInfoValue, &mut tally);
        builder.append_absent();
        let array = builder.finish::<Checked>(&mut tally);
        let mut emit = vardelta_engine::contract::stage::Emit::default();
        tally.report(&mut emit);
        let rows: Vec<String> = (0..array.len())
            .map(|row| match array.as_any().downcast_ref::<StringArray>() {
                Some(texts) if texts.is_valid(row) => format!("{:?}", texts.value(row)),
                _ if array.is_null(row) => "NULL".into(),
                _ => match array.as_any().downcast_ref::<ListArray>() {
                    Some(lists) => format!("{:?}", lists.value(row)).split_whitespace().collect::<Vec<_>>().join(" "),
                    None => format!("{:?}", array.slice(row, 1)).split_whitespace().collect::<Vec<_>>().join(" "),
                },
            })
            .collect();
        (rows.join(" / "), emit.warnings.counts())
    }

    #[test]
    fn raw_text_is_decoded_whole() {
        let (rows, warnings) = build(Shape::RAW, true, &[b"A|p.%3D,B|x", b".", b"caf\xe9"]);
        assert_eq!(rows, r#""A|p.=,B|x" / NULL / "caf�e9" / NULL / NULL"#);
        assert_eq!(warnings, [("bad_info_value", 1), ("invalid_utf8", 1)]);
        assert_eq!(build(Shape::RAW, false, &[b"p.%3D"]).0, r#""p.%3D" / NULL / NULL"#);
    }

    #[test]
    fn lists_keep_missing_items_and_decode_after_splitting() {
        let floats = Shape { kind: ValueKind::Float, number: Some(Number::PerAlternate) };
        let (rows, warnings) = build(floats, false, &[b"0.5,.,x"]);
        assert_eq!(rows, "PrimitiveArray<Float64> [ 0.5, null, null, ] / NULL / NULL");
        assert_eq!(warnings, [("bad_info_value", 2)]);
        let texts = Shape { kind: ValueKind::String, number: Some(Number::Unknown) };
        assert_eq!(build(texts, true, &[b"a%2Cb,c"]).0, "StringArray [ \"a,b\", \"c\", ] / NULL / NULL");
    }

    #[test]
    fn flags_are_never_null() {
        let flag = Shape { kind: ValueKind::Flag, number: Some(Number::Count(0)) };
        let (rows, warnings) = build(flag, false, &[b"1"]);
        assert_eq!(rows, "BooleanArray [ true, ] / BooleanArray [ true, ] / BooleanArray [ false, ]");
        assert_eq!(warnings, [("flag_with_value", 1)]);
    }
}
