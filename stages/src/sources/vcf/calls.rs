//! The columns that say what genotypes mean, built beside the FORMAT fields.

use std::sync::Arc;

use arrow_array::{
    ArrayRef,
    builder::{BooleanBuilder, Int64Builder, ListBuilder, StringBuilder},
};
use vardelta_schemas::{Column, ColumnType, Number};

use crate::sources::vcf::{genotype::Genotype, sex::Sex};

/// Builds the columns [`columns`] describes.
pub(super) struct CallColumns {
    sex: Option<StringBuilder>,
    zygosity: StringBuilder,
    ploidy: Int64Builder,
    phased: BooleanBuilder,
    allele_count: ListBuilder<Int64Builder>,
}

/// The columns, in their order; `sex` where there is a pedigree.
pub(super) fn columns(with_sex: bool) -> Vec<Column> {
    let mut columns = vec![
        Column::nullable("zygosity", ColumnType::Text).with_doc(
            "what the genotype as a whole says: `hom_ref`, `het`, `hom_alt`, `hemi`, `missing`; NULL without GT",
        ),
        Column::nullable("ploidy", ColumnType::Int64).with_doc("how many alleles GT writes; NULL without GT"),
        Column::nullable("phased", ColumnType::Bool).with_doc("whether every allele of GT is phased; NULL without GT"),
        Column {
            number: Some(Number::PerAlternate),
            ..Column::nullable("allele_count", ColumnType::List(Box::new(ColumnType::Int64)))
        }
        .with_doc("copies of each alternate allele that the sample carries; NULL where the genotype is not known"),
    ];
    if with_sex {
        columns.insert(
            0,
            Column::nullable("sex", ColumnType::Text).with_doc("`male` or `female`, by the PED file; NULL if unknown"),
        );
    }
    columns
}

impl CallColumns {
    /// Empty columns.
    pub fn new(with_sex: bool) -> CallColumns {
        CallColumns {
            sex: with_sex.then(StringBuilder::new),
            zygosity: StringBuilder::new(),
            ploidy: Int64Builder::new(),
            phased: BooleanBuilder::new(),
            allele_count: ListBuilder::new(Int64Builder::new()),
        }
    }

    /// Appends a sample's genotype, if one is known, and its copies of the alternate alleles.
    pub fn append(&mut self, sex: Option<Sex>, genotype: Option<&Genotype>, copies: &[i64]) {
        if let Some(builder) = &mut self.sex {
            builder.append_option(sex.map(Sex::as_str));
        }
        self.zygosity.append_option(genotype.map(|genotype| genotype.zygosity.as_str()));
        self.ploidy.append_option(genotype.and_then(|genotype| genotype.ploidy).map(|ploidy| ploidy as i64));
        self.phased.append_option(genotype.and_then(|genotype| genotype.phased));
        let is_called = genotype.is_some_and(Genotype::is_called);
        if is_called {
            self.allele_count.values().append_slice(copies);
        }
        self.allele_count.append(is_called);
    }

    /// The columns; the builders are empty again.
    pub fn finish(&mut self) -> Vec<ArrayRef> {
        let mut columns: Vec<ArrayRef> = Vec::new();
        if let Some(sex) = &mut self.sex {
            columns.push(Arc::new(sex.finish()));
        }
        columns.extend([
            Arc::new(self.zygosity.finish()) as ArrayRef,
            Arc::new(self.ploidy.finish()),
            Arc::new(self.phased.finish()),
            Arc::new(self.allele_count.finish()),
        ]);
        columns
    }
}
