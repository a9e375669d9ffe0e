//! What the model says, against a plain rule base by base, and what it says of borders.

use std::{collections::BTreeMap, sync::Arc};

use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray};
use vardelta_engine::relational::{Relational, ResidentIndex, ResidentSpec};
use vardelta_schemas::{Column, ColumnType, Schema};

use super::{REGIONS, Region};

/// A row of a model: chromosome, start, end, strand, feature, gene_id, transcript_id, biotype.
type Row = (&'static str, i64, i64, &'static str, &'static str, &'static str, &'static str, &'static str);

fn model_schema() -> Schema {
    let text = |name: &str| Column::nullable(name, ColumnType::Text);
    Schema::new(vec![
        Column::required("feature_key", ColumnType::Text),
        Column::required("chrom", ColumnType::Text),
        Column::required("start", ColumnType::Int64),
        Column::required("end", ColumnType::Int64),
        text("strand"),
        Column::required("feature", ColumnType::Text),
        text("gene_id"),
        text("gene_symbol"),
        text("transcript_id"),
        text("biotype"),
    ])
}

fn model_batch(rows: &[Row]) -> RecordBatch {
    let text = |of: fn(&Row) -> &'static str| -> ArrayRef {
        Arc::new(rows.iter().map(|row| Some(of(row)).filter(|text| !text.is_empty())).collect::<StringArray>())
    };
    let keys: ArrayRef = Arc::new(StringArray::from_iter_values((0..rows.len()).map(|at| format!("f{at}"))));
    let number = |of: fn(&Row) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(rows.iter().map(of))) };
    let columns = vec![
        keys,
        text(|row| row.0),
        number(|row| row.1),
        number(|row| row.2),
        text(|row| row.3),
        text(|row| row.4),
        text(|row| row.5),
        text(|row| row.5),
        text(|row| row.6),
        text(|row| row.7),
    ];
    RecordBatch::try_new(model_schema().to_arrow(), columns).expect("columns fit")
}

fn variant_schema() -> Schema {
    Schema::new(vec![
        Column::required("chromosome", ColumnType::Text),
        Column::required("position", ColumnType::Int64),
        Column::required("reference", ColumnType::Text),
        Column::nullable("end_pos", ColumnType::Int64),
    ])
}

fn variants(rows: &[(&str, i64, &str, Option<i64>)]) -> RecordBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0))),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1))),
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.2))),
        Arc::new(rows.iter().map(|row| row.3).collect::<Int64Array>()),
    ];
    RecordBatch::try_new(variant_schema().to_arrow(), columns).expect("columns fit")
}

fn planned(options: &str) -> ResidentSpec {
    use vardelta_engine::{
        contract::stage::{Planned, PlannedInput},
        diagnostics::Diagnostics,
    };
    let (variants, genes) = (variant_schema(), model_schema());
    let inputs = vec![
        PlannedInput { name: "variants", schema: &variants, key: Some(&[0, 1, 2]), is_table: true, span: 0..1 },
        PlannedInput { name: "genes", schema: &genes, key: Some(&[0]), is_table: true, span: 0..1 },
    ];
    let mut diagnostics = Diagnostics::default();
    let planned = crate::test_support::plan_stage(&REGIONS, inputs, options, &mut diagnostics);
    match planned {
        Some(Planned::Relational(Relational::Resident(spec))) => spec,
        _ => panic!("{:?}", diagnostics.into_sorted()),
    }
}

/// Row, gene_id, region of each annotation.
fn annotate(index: &Arc<dyn ResidentIndex>, rows: &RecordBatch) -> Vec<(usize, Option<String>, Option<String>)> {
    let found = index.annotate(rows).expect("the rows are as planned");
    let text = |column: usize, at: usize| {
        let column = found.columns[column].as_any().downcast_ref::<StringArray>().expect("text");
        column.is_valid(at).then(|| column.value(at).to_owned())
    };
    found.rows.iter().enumerate().map(|(at, row)| (*row, text(0, at), text(2, at))).collect()
}

/// A forward gene of two coding exons and one of a reverse strand with a single exon.
const GENES: &[Row] = &[
    ("1", 1000, 2000, "+", "gene", "A", "", "protein_coding"),
    ("1", 1000, 1100, "+", "exon", "A", "A1", "protein_coding"),
    ("1", 1900, 2000, "+", "exon", "A", "A1", "protein_coding"),
    ("1", 1050, 1100, "+", "CDS", "A", "A1", "protein_coding"),
    ("1", 1900, 1950, "+", "CDS", "A", "A1", "protein_coding"),
    ("1", 2500, 2600, "-", "gene", "B", "", "lncRNA"),
    ("1", 2500, 2600, "-", "exon", "B", "B1", "lncRNA"),
    ("2", 10, 20, "", "gene", "C", "", ""),
];

#[test]
fn every_border_is_where_the_manual_says() {
    let spec = planned("upstream_bp = 100\ndownstream_bp = 50\nsplice_bp = 8\nend = \"end_pos\"");
    let index = spec.resident.index(&model_batch(GENES)).expect("a model");
    let cases = [
        (899, "A", None),
        (900, "A", Some("A upstream")),
        (999, "A", Some("A upstream")),
        (1000, "A", Some("A utr5")),
        (1049, "A", Some("A utr5")),
        (1049, "AC", Some("A CDS")),
        (1100, "A", Some("A CDS")),
        (1101, "A", Some("A splice")),
        (1100, "AC", Some("A splice")),
        (1108, "A", Some("A splice")),
        (1109, "A", Some("A intron")),
        (1891, "A", Some("A intron")),
        (1892, "A", Some("A splice")),
        (1950, "A", Some("A CDS")),
        (1951, "A", Some("A utr3")),
        (2000, "A", Some("A utr3")),
        (2001, "A", Some("A downstream")),
        (2050, "A", Some("A downstream")),
        (2051, "A", None),
        // The reverse gene's downstream side lies before it.
        (2449, "A", None),
        (2450, "A", Some("B downstream")),
        (2500, "A", Some("B exon")),
        (2601, "A", Some("B upstream")),
        (2700, "A", Some("B upstream")),
        (2701, "A", None),
    ];
    for (position, reference, expected) in cases {
        let found = annotate(&index, &variants(&[("1", position, reference, None)]));
        let shown = found[0].1.as_ref().map(|gene| format!("{gene} {}", found[0].2.as_deref().unwrap_or("-")));
        assert_eq!(shown.as_deref(), expected, "{position} {reference}");
    }
    // Without exons a gene is one exon; a gene without a strand counts as forward.
    let found = annotate(&index, &variants(&[("2", 15, "A", None), ("2", 9, "A", None), ("3", 15, "A", None)]));
    let regions: Vec<Option<&str>> = found.iter().map(|row| row.2.as_deref()).collect();
    assert_eq!(regions, [Some("exon"), Some("upstream"), None]);
    // A symbolic deletion lies up to its end.
    let found = annotate(&index, &variants(&[("1", 500, "A", Some(1060)), ("1", 500, "A", Some(10))]));
    assert_eq!((found[0].2.as_deref(), found[1].2.as_deref()), (Some("CDS"), None));
}

#[test]
fn worst_prefers_what_is_coding_and_then_the_least_id() {
    let rows: &[Row] = &[
        ("1", 1, 100, "+", "gene", "Z", "", "protein_coding"),
        ("1", 1, 100, "+", "gene", "B", "", "lncRNA"),
        ("1", 1, 100, "+", "gene", "Y", "", "protein_coding"),
    ];
    let index = planned("").resident.index(&model_batch(rows)).expect("a model");
    let place = variants(&[("1", 50, "A", None)]);
    assert_eq!(annotate(&index, &place), [(0, Some("Y".to_owned()), Some("exon".to_owned()))]);
    let all = planned("pick = \"all\"");
    assert_eq!((all.key, all.adds_to_key), (vec![0, 1, 2, 4], true));
    let index = all.resident.index(&model_batch(rows)).expect("a model");
    let mut genes: Vec<String> = annotate(&index, &place).into_iter().filter_map(|row| row.1).collect();
    genes.sort();
    assert_eq!(genes, ["B", "Y", "Z"]);
}

/// Against a rule that looks at every base of every feature.
#[test]
fn a_model_says_what_its_features_say_base_by_base() {
    let spec = planned("upstream_bp = 30\ndownstream_bp = 20\nsplice_bp = 3");
    let index = spec.resident.index(&model_batch(GENES)).expect("a model");
    let mut bases: BTreeMap<i64, Vec<(Region, &str)>> = BTreeMap::new();
    let mut mark = |from: i64, to: i64, region: Region, gene: &'static str| {
        (from..=to).for_each(|base| bases.entry(base).or_default().push((region, gene)));
    };
    mark(970, 999, Region::Upstream, "A");
    mark(1000, 1049, Region::Utr5, "A");
    mark(1050, 1100, Region::Cds, "A");
    mark(1101, 1103, Region::Splice, "A");
    mark(1104, 1896, Region::Intron, "A");
    mark(1897, 1899, Region::Splice, "A");
    mark(1900, 1950, Region::Cds, "A");
    mark(1951, 2000, Region::Utr3, "A");
    mark(2001, 2020, Region::Downstream, "A");
    mark(2480, 2499, Region::Downstream, "B");
    mark(2500, 2600, Region::Exon, "B");
    mark(2601, 2630, Region::Upstream, "B");
    for position in 950..2650 {
        for length in [1, 2, 7] {
            let reference = &"ACGTACG"[..length];
            let touched = (position..position + length as i64).filter_map(|base| bases.get(&base)).flatten();
            let expected = touched.min().map(|(region, gene)| ((*gene).to_owned(), region.name().to_owned()));
            let found = annotate(&index, &variants(&[("1", position, reference, None)]));
            assert_eq!(found[0].1.clone().zip(found[0].2.clone()), expected, "{position} {reference}");
        }
    }
}

#[test]
fn a_changed_feature_reaches_all_that_its_gene_has_a_part_in() {
    let spec = planned("upstream_bp = 100\ndownstream_bp = 50");
    let index = spec.resident.index(&model_batch(GENES)).expect("a model");
    let reaches = index.reaches(&model_batch(&GENES[2..3])).expect("the rows are as planned");
    assert_eq!((reaches.len(), reaches[0].from, reaches[0].to), (1, 900, 2050));
    assert!(index.reaches(&model_batch(&[("9", 1, 2, "", "gene", "NEW", "", "")])).expect("as planned").is_empty());
}
