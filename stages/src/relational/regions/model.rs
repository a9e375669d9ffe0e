//! The gene model in memory, and what it says of variants.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use vardelta_engine::{
    contract::stage::{PlannedInput, StageError},
    diagnostics::Diagnostics,
    relational::{Annotations, Reach, Resident, ResidentIndex},
};
use vardelta_schemas::ColumnType;

use super::{
    column,
    options::{Pick, RegionsOptions},
    overlaps::{Indexed, Overlaps},
    parts::{Feature, Reaches, Stretch, parts},
    region::Region,
};
use crate::columns::require;

/// A variant that spans more base pairs is found by its key rather than by its position when the model changes.
const LONG_BP: i64 = 10_000;

/// Where the variants' columns lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct VariantColumns {
    pub chromosome: usize,
    pub position: usize,
    end: Option<usize>,
    reference: usize,
}

impl VariantColumns {
    pub fn find(
        variants: &PlannedInput<'_>,
        options: &RegionsOptions,
        diagnostics: &mut Diagnostics,
    ) -> Option<VariantColumns> {
        let chromosome = column(variants, &options.chromosome, &ColumnType::Text, diagnostics);
        let position = column(variants, &options.position, &ColumnType::Int64, diagnostics);
        let reference = column(variants, &options.reference, &ColumnType::Text, diagnostics);
        let end = match &options.end {
            Some(end) => Some(column(variants, end, &ColumnType::Int64, diagnostics)?),
            None => None,
        };
        Some(VariantColumns { chromosome: chromosome?, position: position?, end, reference: reference? })
    }

    /// Chromosome and stretch of a row; `None` where one of them is NULL.
    fn place<'a>(&self, rows: &Variants<'a>, row: usize) -> Option<(&'a str, Stretch)> {
        if rows.chromosome.is_null(row) || rows.position.is_null(row) {
            return None;
        }
        let start = rows.position.value(row);
        let end = match rows.end.filter(|end| end.is_valid(row)) {
            Some(end) => end.value(row),
            // A reference that is missing is one base long.
            None if rows.reference.is_null(row) => start,
            None => start.saturating_add(rows.reference.value(row).len() as i64 - 1),
        };
        Some((rows.chromosome.value(row), (start, end.max(start))))
    }

    fn of<'a>(&self, batch: &'a RecordBatch) -> Result<Variants<'a>, StageError> {
        Ok(Variants {
            chromosome: typed(batch, self.chromosome)?,
            position: typed(batch, self.position)?,
            end: self.end.map(|end| typed(batch, end)).transpose()?,
            reference: typed(batch, self.reference)?,
        })
    }
}

/// The columns of a batch of variants.
struct Variants<'a> {
    chromosome: &'a StringArray,
    position: &'a Int64Array,
    end: Option<&'a Int64Array>,
    reference: &'a StringArray,
}

fn typed<T: 'static>(batch: &RecordBatch, at: usize) -> Result<&T, StageError> {
    let found = batch.column(at).as_any().downcast_ref();
    found.ok_or_else(|| StageError::new(format!("column {at} is not of the planned type")))
}

/// Where the model's columns lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct ModelColumns {
    chrom: usize,
    start: usize,
    end: usize,
    strand: usize,
    feature: usize,
    gene_id: usize,
    gene_symbol: usize,
    transcript_id: usize,
    biotype: usize,
}

impl ModelColumns {
    pub fn find(genes: &PlannedInput<'_>, diagnostics: &mut Diagnostics) -> Option<ModelColumns> {
        const HINT: &str = "The second input is a table of the rows of a `gff3` source.";
        let mut find = |name: &str, column_type: ColumnType| require(genes, name, &column_type, HINT, diagnostics);
        let (start, end) = (find("start", ColumnType::Int64), find("end", ColumnType::Int64));
        let mut text = |name: &str| find(name, ColumnType::Text);
        let (chrom, strand, feature) = (text("chrom"), text("strand"), text("feature"));
        let (gene_id, gene_symbol) = (text("gene_id"), text("gene_symbol"));
        let (transcript_id, biotype) = (text("transcript_id"), text("biotype"));
        if genes.key.is_none() {
            diagnostics
                .error(genes.span.clone(), format!("`{}` has no key", genes.name))
                .label("not keyed")
                .hint("Put a `table` between: key = [\"feature_key\"].");
            return None;
        }
        Some(ModelColumns {
            chrom: chrom?,
            start: start?,
            end: end?,
            strand: strand?,
            feature: feature?,
            gene_id: gene_id?,
            gene_symbol: gene_symbol?,
            transcript_id: transcript_id?,
            biotype: biotype?,
        })
    }
}

/// A planned use of `regions`.
#[derive(Clone, Debug)]
pub(super) struct Regions {
    variants: VariantColumns,
    model: ModelColumns,
    reaches: Reaches,
    picks_all: bool,
}

impl Regions {
    pub fn new(variants: VariantColumns, model: ModelColumns, options: &RegionsOptions) -> Regions {
        // No chromosome is longer than that.
        let bp = |bp: u64| i64::try_from(bp).unwrap_or(i64::MAX).min(1 << 30);
        let reaches = Reaches {
            upstream_bp: bp(options.upstream_bp),
            downstream_bp: bp(options.downstream_bp),
            splice_bp: bp(options.splice_bp),
        };
        Regions { variants, model, reaches, picks_all: options.pick.value == Pick::All }
    }

    /// The gene that a row of the model belongs to: chromosome and gene_id, or gene_symbol where that is missing.
    fn gene<'a>(&self, rows: &GeneRows<'a>, row: usize) -> Option<(&'a str, &'a str)> {
        let name = text(rows.gene_id, row).or_else(|| text(rows.gene_symbol, row))?;
        Some((text(rows.chrom, row)?, name))
    }

    fn gene_rows<'a>(&self, batch: &'a RecordBatch) -> Result<GeneRows<'a>, StageError> {
        let model = &self.model;
        Ok(GeneRows {
            chrom: typed(batch, model.chrom)?,
            start: typed(batch, model.start)?,
            end: typed(batch, model.end)?,
            strand: typed(batch, model.strand)?,
            feature: typed(batch, model.feature)?,
            gene_id: typed(batch, model.gene_id)?,
            gene_symbol: typed(batch, model.gene_symbol)?,
            transcript_id: typed(batch, model.transcript_id)?,
            biotype: typed(batch, model.biotype)?,
        })
    }
}

/// The columns of rows of a model.
struct GeneRows<'a> {
    chrom: &'a StringArray,
    start: &'a Int64Array,
    end: &'a Int64Array,
    strand: &'a StringArray,
    feature: &'a StringArray,
    gene_id: &'a StringArray,
    gene_symbol: &'a StringArray,
    transcript_id: &'a StringArray,
    biotype: &'a StringArray,
}

fn text(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

/// A gene of the model, on one chromosome.
struct Gene {
    chromosome: Arc<str>,
    id: String,
    symbol: Option<String>,
    is_coding: bool,
    /// All its stretches together, flanks included.
    reach: Stretch,
}

/// The model: genes, and of each chromosome the stretches that belong to them.
struct Model {
    regions: Regions,
    /// In order of chromosome and id.
    genes: Vec<Gene>,
    chromosomes: BTreeMap<String, Chromosome>,
}

struct Chromosome {
    index: Box<dyn Overlaps>,
    /// Of each stretch its gene and region.
    parts: Vec<(u32, Region)>,
}

impl Resident for Regions {
    fn index(&self, batch: &RecordBatch) -> Result<Arc<dyn ResidentIndex>, StageError> {
        let rows = self.gene_rows(batch)?;
        let mut by_gene: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
        for row in 0..batch.num_rows() {
            let is_sound =
                rows.start.is_valid(row) && rows.end.is_valid(row) && rows.start.value(row) <= rows.end.value(row);
            if let Some(gene) = self.gene(&rows, row).filter(|gene| is_sound && *gene != ("", "")) {
                by_gene.entry(gene).or_default().push(row);
            }
        }
        let mut by_gene: Vec<((&str, &str), Vec<usize>)> = by_gene.into_iter().collect();
        by_gene.sort_unstable_by_key(|(gene, _)| *gene);
        let mut genes: Vec<Gene> = Vec::with_capacity(by_gene.len());
        let mut stretches: BTreeMap<&str, Vec<(u32, Region, Stretch)>> = BTreeMap::new();
        for ((chromosome, id), of_gene) in by_gene {
            let feature = |row: &usize| Feature {
                kind: text(rows.feature, *row).unwrap_or_default(),
                stretch: (rows.start.value(*row), rows.end.value(*row)),
                is_reverse: text(rows.strand, *row) == Some("-"),
                transcript: text(rows.transcript_id, *row),
            };
            let features: Vec<Feature<'_>> = of_gene.iter().map(feature).collect();
            let parts = parts(&features, self.reaches);
            let number = genes.len() as u32;
            let reach = (
                parts.iter().map(|part| part.1.0).min().unwrap_or_default(),
                parts.iter().map(|part| part.1.1).max().unwrap_or_default(),
            );
            let known = genes.last().filter(|gene| *gene.chromosome == *chromosome);
            genes.push(Gene {
                chromosome: known.map_or_else(|| chromosome.into(), |gene| Arc::clone(&gene.chromosome)),
                id: id.to_owned(),
                symbol: of_gene.iter().filter_map(|row| text(rows.gene_symbol, *row)).min().map(str::to_owned),
                is_coding: of_gene.iter().any(|row| text(rows.biotype, *row) == Some("protein_coding")),
                reach,
            });
            let list = stretches.entry(chromosome).or_default();
            list.extend(parts.into_iter().map(|(region, stretch)| (number, region, stretch)));
        }
        let chromosome = |(name, list): (&str, Vec<(u32, Region, Stretch)>)| {
            let index = Box::new(Indexed::new(list.iter().map(|part| part.2)));
            let parts = list.iter().map(|(gene, region, _)| (*gene, *region)).collect();
            (name.to_owned(), Chromosome { index, parts })
        };
        let chromosomes = stretches.into_iter().map(chromosome).collect();
        Ok(Arc::new(Model { regions: self.clone(), genes, chromosomes }))
    }

    fn is_long(&self, left: &RecordBatch) -> Result<BooleanArray, StageError> {
        let rows = self.variants.of(left)?;
        let is_long = |row: usize| {
            let place = self.variants.place(&rows, row);
            place.is_some_and(|(_, (start, end))| end.saturating_sub(start) > LONG_BP)
        };
        Ok((0..left.num_rows()).map(|row| Some(is_long(row))).collect())
    }

    fn long_bp(&self) -> i64 {
        LONG_BP
    }

    fn touches(&self, left: &RecordBatch, reaches: &[Reach]) -> Result<BooleanArray, StageError> {
        let rows = self.variants.of(left)?;
        let touches = |row: usize| {
            let Some((chromosome, (start, end))) = self.variants.place(&rows, row) else { return false };
            // The first stretch that does not end before the row.
            let at = reaches.partition_point(|reach| (reach.contig.as_str(), reach.to) < (chromosome, start));
            reaches.get(at).is_some_and(|reach| reach.contig == chromosome && reach.from <= end)
        };
        Ok((0..left.num_rows()).map(|row| Some(touches(row))).collect())
    }
}

impl Model {
    /// The genes that a stretch touches, each with its most severe region.
    fn genes_at(&self, chromosome: &str, (start, end): Stretch, found: &mut Vec<u32>) -> BTreeMap<u32, Region> {
        let mut genes: BTreeMap<u32, Region> = BTreeMap::new();
        let Some(chromosome) = self.chromosomes.get(chromosome) else { return genes };
        found.clear();
        chromosome.index.find(start, end, found);
        for part in found {
            let (gene, region) = chromosome.parts[*part as usize];
            genes.entry(gene).and_modify(|worst| *worst = region.min(*worst)).or_insert(region);
        }
        genes
    }
}

impl ResidentIndex for Model {
    fn annotate(&self, left: &RecordBatch) -> Result<Annotations, StageError> {
        let (variants, picks_all) = (&self.regions.variants, self.regions.picks_all);
        let rows = variants.of(left)?;
        let (mut of_row, mut found) = (Vec::with_capacity(left.num_rows()), Vec::new());
        let mut genes: Vec<Option<(&Gene, Region)>> = Vec::with_capacity(left.num_rows());
        for row in 0..left.num_rows() {
            let at = variants.place(&rows, row);
            let at = at.map(|(chromosome, stretch)| self.genes_at(chromosome, stretch, &mut found)).unwrap_or_default();
            let mut at: Vec<(&Gene, Region)> =
                at.into_iter().map(|(gene, region)| (&self.genes[gene as usize], region)).collect();
            if !picks_all {
                let order = |(gene, region): &(&Gene, Region)| (*region, !gene.is_coding, gene.id.clone());
                at = at.into_iter().min_by_key(order).into_iter().collect();
            }
            if at.is_empty() {
                of_row.push(row);
                genes.push(None);
            }
            for gene in at {
                of_row.push(row);
                genes.push(Some(gene));
            }
        }
        let ids: StringArray = genes.iter().map(|gene| gene.map(|(gene, _)| gene.id.as_str())).collect();
        let symbols: StringArray = genes.iter().map(|gene| gene.and_then(|(gene, _)| gene.symbol.as_deref())).collect();
        let regions: StringArray = genes.iter().map(|gene| gene.map(|(_, region)| region.name())).collect();
        let columns: Vec<ArrayRef> = vec![Arc::new(ids), Arc::new(symbols), Arc::new(regions)];
        Ok(Annotations { rows: of_row, columns })
    }

    fn reaches(&self, changed: &RecordBatch) -> Result<Vec<Reach>, StageError> {
        let rows = self.regions.gene_rows(changed)?;
        let genes: BTreeSet<(&str, &str)> =
            (0..changed.num_rows()).filter_map(|row| self.regions.gene(&rows, row)).collect();
        let reach = |(chromosome, id): (&str, &str)| {
            let order = |gene: &Gene| (&*gene.chromosome, &*gene.id).cmp(&(chromosome, id));
            let gene = &self.genes[self.genes.binary_search_by(order).ok()?];
            Some(Reach { contig: chromosome.to_owned(), from: gene.reach.0, to: gene.reach.1 })
        };
        Ok(genes.into_iter().filter_map(reach).collect())
    }
}
