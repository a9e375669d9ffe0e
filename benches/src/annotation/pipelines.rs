//! The pipelines that annotation is measured with.

/// Variants alone.
pub const PLAIN: &str = r#"
[pipeline]
name = "annotation"
[stages.calls]
type = "vcf"
path = "calls/*.vcf"
[stages.alleles]
type = "normalize"
input = "calls"
[stages.named]
type = "select"
input = "alleles"
columns = { chromosome = "chrom", position = "pos", reference = "ref", alternate = "alt", quality = "qual" }
[stages.variants]
type = "table"
input = "named"
key = ["chromosome", "position", "reference", "alternate"]
[stages.warehouse]
type = "sqlite"
path = "annotation.sqlite"
tables = ["variants"]
"#;

/// Each variant with its gene, where it lies in it, and what it is classified as.
pub const ANNOTATED: &str = r#"
[pipeline]
name = "annotation"
[stages.calls]
type = "vcf"
path = "calls/*.vcf"
[stages.alleles]
type = "normalize"
input = "calls"
[stages.named]
type = "select"
input = "alleles"
columns = { chromosome = "chrom", position = "pos", reference = "ref", alternate = "alt", quality = "qual" }
[stages.variants]
type = "table"
input = "named"
key = ["chromosome", "position", "reference", "alternate"]
[stages.gene_rows]
type = "gff3"
path = "genes/*.gff3"
[stages.gene_model]
type = "table"
input = "gene_rows"
key = ["feature_key"]
[stages.located]
type = "regions"
inputs = ["variants", "gene_model"]
upstream_bp = 0
downstream_bp = 0
[stages.class_rows]
type = "delimited"
path = "classes/*.tsv"
columns = { chrom = "text", pos = "int64", ref = "text", alt = "text", clnsig = "text" }
[stages.class_known]
type = "select"
input = "class_rows"
[stages.class_known.columns]
chrom = "coalesce(chrom, '')"
pos = "coalesce(pos, 0)"
ref = "coalesce(ref, '')"
alt = "coalesce(alt, '')"
clnsig = "clnsig"
[stages.classes]
type = "table"
input = "class_known"
key = ["chrom", "pos", "ref", "alt"]
[stages.annotated]
type = "join"
inputs = ["located", "classes"]
how = "left"
on = [["chromosome", "chrom"], ["position", "pos"], ["reference", "ref"], ["alternate", "alt"]]
prefix = "class_"
[stages.warehouse]
type = "sqlite"
path = "annotation.sqlite"
tables = ["annotated"]
"#;

/// All variants in one gene.
pub const ONE_GENE: &str = r#"
[pipeline]
name = "annotation"
[stages.calls]
type = "vcf"
path = "calls/*.vcf"
[stages.alleles]
type = "normalize"
input = "calls"
[stages.named]
type = "select"
input = "alleles"
columns = { chromosome = "chrom", position = "pos", reference = "ref", alternate = "alt", gene = "'ALL'" }
[stages.variants]
type = "table"
input = "named"
key = ["chromosome", "position", "reference", "alternate"]
[stages.gene_lines]
type = "delimited"
path = "genes/*.tsv"
columns = { symbol = "text", score = "int64" }
[stages.gene_known]
type = "select"
input = "gene_lines"
columns = { symbol = "coalesce(symbol, '')", score = "score" }
[stages.genes]
type = "table"
input = "gene_known"
key = ["symbol"]
[stages.scored]
type = "join"
inputs = ["variants", "genes"]
how = "left"
on = [["gene", "symbol"]]
prefix = "gene_"
[stages.warehouse]
type = "sqlite"
path = "annotation.sqlite"
tables = ["scored"]
"#;
