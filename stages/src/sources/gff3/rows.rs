//! The columns of a gene model, and the rows that are being gathered.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, RecordBatch,
    builder::{Int64Builder, StringBuilder},
};
use arrow_schema::ArrowError;
use vardelta_engine::{contract::options::Spanned, diagnostics::Diagnostics};
use vardelta_schemas::{Column, ColumnType, Schema};

use super::{
    feature::Feature,
    ids::without_version,
    lineage::{Lineage, Resolved},
};
use crate::columns::check_names;

/// The columns of the rows.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// All of them.
    pub schema: Schema,
    /// The attributes after the fixed columns, as files write them.
    attributes: Vec<String>,
}

impl Layout {
    /// The fixed columns, and one for each of these attributes; reports what cannot be a column.
    pub fn plan(attributes: &[Spanned<String>], diagnostics: &mut Diagnostics) -> Option<Layout> {
        let text = ColumnType::Text;
        let mut columns = vec![
            Column::required("feature_key", text.clone())
                .with_doc("names the row: the id without version, or its place"),
            Column::required("chrom", text.clone()).with_doc("contig"),
            Column::required("start", ColumnType::Int64).with_doc("first base, 1-based"),
            Column::required("end", ColumnType::Int64).with_doc("last base, 1-based"),
            Column::nullable("strand", text.clone()).with_doc("+ or -"),
            Column::required("feature", text.clone()).with_doc("kind of feature"),
            Column::nullable("id", text.clone()).with_doc("as the file writes it"),
            Column::nullable("parent", text.clone()).with_doc("id of what it is a part of, as the file writes it"),
            Column::nullable("gene_id", text.clone()).with_doc("without prefix and version"),
            Column::nullable("gene_symbol", text.clone()),
            Column::nullable("transcript_id", text.clone()).with_doc("without prefix and version"),
            Column::nullable("biotype", text.clone()),
        ];
        let names: Vec<Spanned<String>> = attributes
            .iter()
            .map(|attribute| Spanned { value: attribute.value.to_ascii_lowercase(), span: attribute.span.clone() })
            .collect();
        let mut sound = check_names(&names, diagnostics);
        for name in &names {
            if columns.iter().any(|column| column.name == name.value) {
                sound = false;
                diagnostics
                    .error(name.span.clone(), format!("`{}` is a column of every gene model", name.value))
                    .hint("Remove it from `attributes`.");
            }
        }
        columns.extend(names.into_iter().map(|name| Column::nullable(name.value, text.clone())));
        let attributes = attributes.iter().map(|attribute| attribute.value.clone()).collect();
        sound.then(|| Layout { schema: Schema::new(columns), attributes })
    }
}

/// Rows that are being gathered.
pub(super) struct Rows {
    layout: Arc<Layout>,
    arrow_schema: Arc<arrow_schema::Schema>,
    /// The text columns, in the order of the schema.
    texts: Vec<StringBuilder>,
    start: Int64Builder,
    end: Int64Builder,
}

impl Rows {
    /// No rows yet.
    pub fn new(layout: Arc<Layout>) -> Rows {
        let columns = layout.schema.columns();
        let texts = columns.iter().filter(|column| column.column_type == ColumnType::Text);
        Rows {
            texts: texts.map(|_| StringBuilder::new()).collect(),
            arrow_schema: layout.schema.to_arrow(),
            layout,
            start: Int64Builder::new(),
            end: Int64Builder::new(),
        }
    }

    /// Appends a feature as a part of this parent.
    pub fn append(
        &mut self,
        feature: &Feature,
        parent: Option<&str>,
        chrom: &str,
        resolved: &Resolved,
        lineage: &Lineage,
    ) {
        let key = key(feature, parent, chrom, lineage);
        let fixed = [
            Some(key.as_str()),
            Some(chrom),
            feature.strand,
            Some(feature.kind.as_str()),
            feature.id.as_deref(),
            parent,
            resolved.gene_id.as_deref(),
            resolved.gene_symbol.as_deref(),
            resolved.transcript_id.as_deref(),
            resolved.biotype.as_deref(),
        ];
        let (of_fixed, of_attributes) = self.texts.split_at_mut(fixed.len());
        of_fixed.iter_mut().zip(fixed).for_each(|(builder, value)| builder.append_option(value));
        for (builder, attribute) in of_attributes.iter_mut().zip(&self.layout.attributes) {
            builder.append_option(feature.joined(attribute));
        }
        self.start.append_value(feature.start);
        self.end.append_value(feature.end);
    }

    /// The rows as a batch; gathering starts afresh.
    pub fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let mut arrays: Vec<ArrayRef> =
            self.texts.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef).collect();
        // Start and end follow the contig.
        arrays.insert(2, Arc::new(self.start.finish()));
        arrays.insert(3, Arc::new(self.end.finish()));
        RecordBatch::try_new(Arc::clone(&self.arrow_schema), arrays)
    }
}

/// What names a row: its id, where that names one row alone.
fn key(feature: &Feature, parent: Option<&str>, chrom: &str, lineage: &Lineage) -> String {
    let id = feature.id.as_deref();
    if let Some(id) = id.filter(|id| feature.parents.len() < 2 && !lineage.is_repeated(id)) {
        return without_version(id).into_owned();
    }
    let Feature { kind, start, end, strand, .. } = feature;
    let parent = parent.map(without_version).unwrap_or_default();
    let place = format!("{kind}|{parent}|{chrom}:{start}-{end}:{}", strand.unwrap_or("."));
    match id {
        Some(id) => format!("{place}|{}", without_version(id)),
        None => place,
    }
}
