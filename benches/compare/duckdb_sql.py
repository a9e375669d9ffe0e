"""The same in DuckDB's SQL. Arguments: a VCF, the DuckDB file to make."""

import sys

import duckdb

READ = """
CREATE TABLE variants AS
WITH records AS (
    SELECT * FROM read_csv(?, delim = '\t', header = false, comment = '#', auto_detect = false, quote = '', escape = '',
        columns = {'chromosome': 'VARCHAR', 'position': 'BIGINT', 'id': 'VARCHAR', 'reference': 'VARCHAR',
                   'alternates': 'VARCHAR', 'quality': 'VARCHAR', 'filter': 'VARCHAR', 'info': 'VARCHAR'})
), alleles AS (
    SELECT chromosome, position, reference, unnest(string_split(alternates, ',')) AS alternate,
        try_cast(quality AS DOUBLE) AS quality,
        string_split(regexp_extract(info, '(?:^|;)ANN=([^;]*)', 1), ',') AS entries,
        nullif(regexp_extract(info, '(?:^|;)CLNSIG=([^;]*)', 1), '') AS clinical_significance
    FROM records WHERE filter = 'PASS' AND try_cast(quality AS DOUBLE) >= 20
), annotated AS (
    SELECT * EXCLUDE entries,
        split_part(list_filter(entries, lambda entry: split_part(entry, '|', 1) = alternate)[1], '|', 4) AS gene_symbol
    FROM alleles
)
SELECT chromosome, position, reference, alternate, least(quality, 100)::DECIMAL(5, 2) AS quality, gene_symbol,
    clinical_significance
FROM annotated WHERE gene_symbol <> ''
"""
SUMMARY = """
CREATE TABLE mutation_summary AS
SELECT gene_symbol, count(*) AS variant_count, avg(quality) AS avg_quality,
    count(*) FILTER (WHERE clinical_significance = 'Pathogenic') AS pathogenic_count
FROM variants GROUP BY gene_symbol
"""


def main(source, target):
    database = duckdb.connect(target)
    database.execute(READ, [source])
    database.execute(SUMMARY)
    database.close()


main(*sys.argv[1:])
