//! CAST: the types that can be asked for.

use sqlparser::ast::{DataType, ExactNumberInfo};

use super::*;

impl Planner<'_> {
    pub(super) fn cast(&self, expr: &Expr, data_type: &DataType, mode: Mode, span: Span) -> Result<Typed, Problem> {
        let target = target(data_type).map_err(|(message, hint)| Problem::new(span, message, hint))?;
        let value = self.plan(expr)?;
        let from = value.of.clone();
        convert(value, &target, mode).ok_or_else(|| {
            let hint = match (&from, &target.of) {
                (Type::List(_), _) => "Make a text of it with list_join(list, ','), or take an item with list[1].",
                (Type::Date | Type::DateTime, _) => {
                    "Write year(date), datediff(date, '2000-01-01') or date_format(date, '%Y%m%d')."
                }
                _ => "`vardelta stages expressions` lists the conversions.",
            };
            Problem::new(span, format!("{from} cannot be made {}", target.of), hint)
        })
    }
}

/// The type that is asked for, or what is wrong with it and what to do.
pub(super) fn target(data_type: &DataType) -> Result<Target, (String, String)> {
    use DataType as D;
    let ranged = |low: i64, high: i64| Ok(Target { of: Type::Int, range: Some((low, high)) });
    match data_type {
        D::Signed | D::SignedInteger | D::BigInt(_) | D::Int(_) | D::Integer(_) | D::Int8(_) | D::Int64 => {
            Ok(Target::from(Type::Int))
        }
        D::Unsigned | D::UnsignedInteger => ranged(0, i64::MAX),
        D::TinyInt(_) => ranged(i8::MIN.into(), i8::MAX.into()),
        D::SmallInt(_) => ranged(i16::MIN.into(), i16::MAX.into()),
        D::MediumInt(_) => ranged(-8_388_608, 8_388_607),
        D::Char(None)
        | D::Character(None)
        | D::Varchar(None)
        | D::Nvarchar(None)
        | D::CharVarying(None)
        | D::CharacterVarying(None)
        | D::Text
        | D::String(None) => Ok(Target::from(Type::Text)),
        D::Char(_)
        | D::Character(_)
        | D::Varchar(_)
        | D::Nvarchar(_)
        | D::CharVarying(_)
        | D::CharacterVarying(_)
        | D::String(_) => Err((
            format!("{data_type} would cut longer texts"),
            "Write CAST(… AS CHAR), and left(…, 10) around it where it is to be cut.".into(),
        )),
        D::Double(_) | D::DoublePrecision | D::Float(_) | D::Real | D::Float8 | D::Float64 => {
            Ok(Target::from(Type::Float))
        }
        D::Bool | D::Boolean => Ok(Target::from(Type::Bool)),
        D::Date => Ok(Target::from(Type::Date)),
        D::Datetime(_) | D::Timestamp(..) => Ok(Target::from(Type::DateTime)),
        D::Decimal(digits) | D::Numeric(digits) | D::Dec(digits) => {
            let (precision, scale) = match digits {
                ExactNumberInfo::None => (10, 0),
                ExactNumberInfo::Precision(precision) => (*precision, 0),
                ExactNumberInfo::PrecisionAndScale(precision, scale) => (*precision, *scale),
            };
            match (u8::try_from(precision), u8::try_from(scale)) {
                (Ok(precision @ 1..=38), Ok(scale)) if scale <= precision.min(30) || scale == precision => {
                    Ok(Target::from(Type::Decimal { precision, scale }))
                }
                _ => Err((
                    format!("{data_type} has digits that no column can hold"),
                    "At most 38 digits, and none of them beyond those: DECIMAL(38, 4), say.".into(),
                )),
            }
        }
        other => Err((
            format!("there is no type {other} to cast to"),
            "Types are SIGNED, UNSIGNED, DOUBLE, DECIMAL(10, 2), CHAR, DATE, DATETIME and BOOLEAN.".into(),
        )),
    }
}
