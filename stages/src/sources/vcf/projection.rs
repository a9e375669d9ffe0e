//! What a `vcf` source reads of each record, resolved from its options: the columns and how each is decoded.

use vardelta_engine::{contract::options::NamedTexts, diagnostics::Diagnostics};
use vardelta_schemas::{Column, ColumnType, Number, Schema};

use crate::{
    columns::check_names,
    sources::vcf::{
        calls,
        kind::{Field, Shape, ValueKind, number_to_text},
        options::{FieldOption, Samples, VcfOptions},
        reserved,
    },
};

/// What to decode.
#[derive(Clone, Debug)]
pub(super) struct Projection {
    /// INFO fields, in the order of their columns.
    pub info: Vec<Field>,
    /// FORMAT fields in the order of their columns, GT, DP, GQ and AD first; `None` where samples are left out.
    pub format: Option<Vec<Field>>,
    /// Keys of header lines, in the order of their columns, which are the last.
    pub header: Vec<String>,
    /// The columns.
    pub schema: Schema,
}

impl Projection {
    /// Resolves the options; reports names that would be columns twice and FORMAT fields that nobody would read.
    pub fn resolve(options: &VcfOptions, diagnostics: &mut Diagnostics) -> Option<Projection> {
        let mut columns = fixed_columns();
        let mut sound = true;
        let mut fields = |list: Vec<&FieldOption>, prefix: &str, what: &str, columns: &mut Vec<Column>| -> Vec<Field> {
            let mut fields = Vec::new();
            for option in list {
                let field = resolve_field(option, what);
                let name = column_name(option, prefix);
                // Databases ignore the case of column names.
                if columns.iter().any(|column| column.name.eq_ignore_ascii_case(&name)) {
                    sound = false;
                    let span = option.column.as_ref().map_or(&option.name.span, |column| &column.span);
                    diagnostics
                        .error(span.clone(), format!("there already is a column `{name}`"))
                        .label("named again here")
                        .hint(format!(
                            "Give the column another name: `{{ name = \"{}\", as = \"{prefix}{}_2\" }}`.",
                            field.key,
                            field.key.to_lowercase()
                        ));
                }
                columns.push(field.shape.column(name, field_doc(&field, what)));
                fields.push(field);
            }
            fields
        };
        let info = fields(options.info.iter().collect(), "info_", "INFO", &mut columns);
        let format = match options.samples {
            Samples::None => None,
            Samples::Long => {
                columns.push(
                    Column::required("sample", ColumnType::Text)
                        .with_doc("sample name, as the file's header writes it or `rename_samples` says"),
                );
                columns.extend(calls::columns(options.ped.is_some()));
                // A table about one of these says how its column is read; it makes none of its own.
                let (about_these, others): (Vec<_>, Vec<_>) =
                    options.format.iter().partition(|option| is_about_always_read(option));
                let mut format: Vec<Field> = Vec::new();
                for key in ALWAYS_READ {
                    let option = about_these.iter().find(|option| option.name.value == key);
                    let reserved = || Field { key: key.into(), shape: reserved::format(key).unwrap_or(Shape::RAW) };
                    let field = option.map_or_else(reserved, |option| resolve_field(option, "FORMAT"));
                    columns.push(field.shape.column(key.to_lowercase(), field_doc(&field, "FORMAT")));
                    format.push(field);
                }
                format.extend(fields(others, "", "FORMAT", &mut columns));
                Some(format)
            }
        };
        if let (Samples::None, Some(first)) = (options.samples, options.format.first()) {
            sound = false;
            diagnostics
                .error(first.name.span.clone(), "FORMAT fields are read per sample, and samples are left out")
                .hint("Add `samples = \"long\"`, or remove `format`.");
        }
        let NamedTexts(header) = &options.header_columns;
        let names: Vec<_> = header.iter().map(|(name, _)| name.clone()).collect();
        sound &= check_names(&names, diagnostics);
        for (name, key) in header {
            if columns.iter().any(|column| column.name.eq_ignore_ascii_case(&name.value)) {
                sound = false;
                diagnostics
                    .error(name.span.clone(), format!("there already is a column `{}`", name.value))
                    .hint("Give the header's value another name.");
            }
            columns.push(
                Column::nullable(name.value.clone(), ColumnType::Text)
                    .with_doc(format!("##{} of the file's header", key.value)),
            );
        }
        let header = header.iter().map(|(_, key)| key.value.clone()).collect();
        sound.then(|| Projection { info, format, header, schema: Schema::new(columns) })
    }
}

/// The FORMAT fields that have a column whether or not they are named. What GT says is read from its text.
const ALWAYS_READ: [&str; 4] = ["GT", "DP", "GQ", "AD"];

/// Whether an option says how the column of a field that is always read is to be read.
fn is_about_always_read(option: &FieldOption) -> bool {
    let key = option.name.value.as_str();
    ALWAYS_READ[1..].contains(&key)
        && (option.kind.is_some() || option.number.is_some())
        && column_name(option, "") == key.to_lowercase()
}

/// The name of a field's column.
fn column_name(option: &FieldOption, prefix: &str) -> String {
    match &option.column {
        Some(column) => column.value.clone(),
        None => format!("{prefix}{}", option.name.value.to_lowercase()),
    }
}

/// The pipeline file's word first, then the specification's reserved keys, then raw text.
fn resolve_field(option: &FieldOption, what: &str) -> Field {
    let key = option.name.value.clone();
    let reserved = if what == "INFO" { reserved::info(&key) } else { reserved::format(&key) };
    let shape = match (option.kind, option.number) {
        (None, None) => reserved.unwrap_or(Shape::RAW),
        (Some(ValueKind::Flag), _) => Shape { kind: ValueKind::Flag, number: Some(Number::Count(0)) },
        (Some(kind), number) => {
            let of_reserved = reserved.filter(|shape| shape.kind == kind).and_then(|shape| shape.number);
            Shape { kind, number: Some(number.or(of_reserved).unwrap_or(Number::Count(1))) }
        }
        (None, Some(Number::Count(0))) => Shape { kind: ValueKind::Flag, number: Some(Number::Count(0)) },
        (None, Some(number)) => {
            let kind = reserved.map(|shape| shape.kind).filter(|kind| *kind != ValueKind::Flag);
            Shape { kind: kind.unwrap_or(ValueKind::String), number: Some(number) }
        }
    };
    Field { key, shape }
}

fn field_doc(field: &Field, what: &str) -> String {
    match field.shape.number {
        None => format!("{what} {}, the raw text", field.key),
        Some(number) => {
            format!("{what} {} ({}, Number={})", field.key, field.shape.kind.as_str(), number_to_text(number))
        }
    }
}

fn fixed_columns() -> Vec<Column> {
    vec![
        Column::required("chrom", ColumnType::Text)
            .with_doc("contig: its canonical name by the pipeline's assembly, else as the file writes it"),
        Column::required("pos", ColumnType::Int64).with_doc("position of REF's first base, 1-based; 0 is the telomere"),
        Column::nullable("id", ColumnType::Text).with_doc("identifiers, separated by semicolons"),
        Column::required("ref", ColumnType::Text).with_doc("reference allele, upper case"),
        Column::required("alt", ColumnType::List(Box::new(ColumnType::Text)))
            .with_doc("alternate alleles; empty where the record has none"),
        Column::nullable("qual", ColumnType::Float64).with_doc("Phred-scaled quality"),
        Column::nullable("filter", ColumnType::Text).with_doc("`PASS`, or the failed filters separated by semicolons"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use vardelta_engine::contract::options::Spanned;

    fn field(name: &str, kind: Option<ValueKind>, number: Option<Number>) -> FieldOption {
        FieldOption { name: Spanned { value: name.into(), span: 0..1 }, kind, number, column: None }
    }

    fn named(name: &str, kind: Option<ValueKind>, column: &str) -> FieldOption {
        FieldOption { column: Some(Spanned { value: column.into(), span: 2..3 }), ..field(name, kind, None) }
    }

    fn resolve(info: Vec<FieldOption>, samples: Samples, format: Vec<FieldOption>) -> Result<Projection, Vec<String>> {
        let options = VcfOptions { info, samples, format, ..VcfOptions::default() };
        let mut diagnostics = Diagnostics::default();
        Projection::resolve(&options, &mut diagnostics)
            .ok_or_else(|| diagnostics.into_sorted().into_iter().map(|d| d.message).collect())
    }

    #[test]
    fn types_come_from_the_option_then_the_reserved_keys_then_text() -> Result<(), Vec<String>> {
        let info = vec![
            field("AF", None, None),
            field("DP", Some(ValueKind::Float), None),
            field("CSQ", None, None),
            field("DB", None, None),
            field("X", None, Some(Number::Unknown)),
            field("AC", Some(ValueKind::Integer), None),
        ];
        let projection = resolve(info, Samples::None, vec![])?;
        let schema = projection.schema.to_string();
        assert_eq!(
            schema,
            "chrom text, pos int64, id text?, ref text, alt list<text>, qual float64?, filter text?, \
             info_af list<float64>?, info_dp float64?, info_csq text?, info_db bool, info_x list<text>?, \
             info_ac list<int64>?"
        );
        let number = |name: &str| projection.schema.column(name).and_then(|column| column.number);
        assert_eq!(number("info_af"), Some(Number::PerAlternate));
        assert_eq!(number("info_csq"), None);
        Ok(())
    }

    /// How many columns come before the first INFO column.
    const FIXED_COLUMNS: usize = 7;

    #[test]
    fn long_form_adds_sample_columns() -> Result<(), Vec<String>> {
        let projection = resolve(vec![], Samples::Long, vec![field("PL", None, None), field("XX", None, None)])?;
        let names: Vec<String> = projection.schema.columns()[FIXED_COLUMNS..].iter().map(|c| c.name.clone()).collect();
        assert_eq!(
            names,
            ["sample", "zygosity", "ploidy", "phased", "allele_count", "gt", "dp", "gq", "ad", "pl", "xx"]
        );
        assert_eq!(projection.schema.column("ad").and_then(|column| column.number), Some(Number::PerAllele));
        Ok(())
    }

    #[test]
    fn columns_may_have_other_names() -> Result<(), Vec<String>> {
        let info = vec![field("DP", None, None), named("dp", None, "info_dp_lower")];
        let format = vec![
            named("ID", None, "call_id"),
            named("QUAL", Some(ValueKind::Float), "call_qual"),
            field("GQ", Some(ValueKind::Float), None),
            named("DP", Some(ValueKind::String), "dp_text"),
        ];
        let projection = resolve(info, Samples::Long, format)?;
        for (column, expected) in [
            ("info_dp", ColumnType::Int64),
            ("info_dp_lower", ColumnType::Text),
            ("call_id", ColumnType::Text),
            ("call_qual", ColumnType::Float64),
            ("gq", ColumnType::Float64),
            ("dp", ColumnType::Int64),
            ("dp_text", ColumnType::Text),
        ] {
            assert_eq!(projection.schema.column(column).map(|column| &column.column_type), Some(&expected), "{column}");
        }
        let named_so = resolve(vec![], Samples::Long, vec![named("GQ", Some(ValueKind::Float), "gq")])?;
        assert_eq!(named_so.schema.column("gq").map(|column| &column.column_type), Some(&ColumnType::Float64));
        Ok(())
    }

    #[test]
    fn reports_clashes() {
        let clash = resolve(vec![field("DP", None, None), field("dp", None, None)], Samples::None, vec![]);
        assert_eq!(clash.expect_err("clash"), ["there already is a column `info_dp`"]);
        let clash = resolve(vec![], Samples::Long, vec![field("ID", None, None)]);
        assert_eq!(clash.expect_err("clash"), ["there already is a column `id`"]);
        let clash = resolve(vec![], Samples::Long, vec![field("GQ", None, None)]);
        assert_eq!(clash.expect_err("clash"), ["there already is a column `gq`"]);
        let clash = resolve(vec![], Samples::Long, vec![field("GT", Some(ValueKind::Integer), None)]);
        assert_eq!(clash.expect_err("clash"), ["there already is a column `gt`"]);
        let clash = resolve(vec![named("A", None, "x"), named("B", None, "X")], Samples::None, vec![]);
        assert_eq!(clash.expect_err("clash"), ["there already is a column `X`"]);
        let unread = resolve(vec![], Samples::None, vec![field("PL", None, None)]);
        assert_eq!(unread.expect_err("unread"), ["FORMAT fields are read per sample, and samples are left out"]);
    }
}
