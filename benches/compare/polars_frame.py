"""The same with polars. Arguments: a VCF, the directory for the two Parquet files."""

import sys

import polars as pl

COLUMNS = ["chromosome", "position", "id", "reference", "alternate", "quality", "filter", "info"]


def main(source, target):
    records = pl.scan_csv(
        source, separator="\t", has_header=False, comment_prefix="#", quote_char=None,
        schema={name: pl.String for name in COLUMNS},
    )
    quality = pl.col("quality").cast(pl.Float64, strict=False)
    variants = (
        records.with_columns(quality)
        .filter((pl.col("filter") == "PASS") & (pl.col("quality") >= 20))
        .with_columns(
            pl.col("position").cast(pl.Int64),
            pl.col("quality").clip(upper_bound=100.0),
            pl.col("info").str.extract(r"(?:^|;)CLNSIG=([^;]*)", 1).alias("clinical_significance"),
            pl.col("info").str.extract(r"(?:^|;)ANN=([^;]*)", 1).str.split(",").alias("entry"),
            pl.col("alternate").str.split(","),
        )
        .drop("info", "id", "filter")
        .explode("alternate")
        .with_row_index("allele")
        .explode("entry")
        .with_columns(pl.col("entry").str.split("|").alias("parts"))
        .filter(pl.col("parts").list.get(0, null_on_oob=True) == pl.col("alternate"))
        .with_columns(pl.col("parts").list.get(3, null_on_oob=True).alias("gene_symbol"))
        .filter(pl.col("gene_symbol").is_not_null() & (pl.col("gene_symbol") != ""))
        # The first entry of an allele is that of its most severe consequence.
        .unique("allele", keep="first", maintain_order=True)
        .drop("allele", "entry", "parts")
        .collect()
    )
    summary = variants.group_by("gene_symbol").agg(
        pl.len().alias("variant_count"),
        pl.col("quality").mean().alias("avg_quality"),
        (pl.col("clinical_significance") == "Pathogenic").sum().alias("pathogenic_count"),
    )
    variants.write_parquet(f"{target}/variants.parquet")
    summary.write_parquet(f"{target}/mutation_summary.parquet")


main(*sys.argv[1:])
