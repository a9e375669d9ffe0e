CREATE TABLE variants (
  chromosome TEXT, position INTEGER, reference TEXT, alternates TEXT, quality REAL, clinical_significance TEXT, annotation TEXT,
  PRIMARY KEY (chromosome, position, reference, alternates)
) WITHOUT ROWID;
.mode tabs
.import /dev/stdin variants
CREATE TABLE mutation_summary AS
WITH first AS (
  SELECT min(quality, 100.0) AS quality, clinical_significance, 1 + length(alternates) - length(replace(alternates, ',', '')) AS alleles,
    substr(annotation, instr(annotation, '|') + 1) AS rest
  FROM variants
), second AS (
  SELECT quality, clinical_significance, alleles, substr(rest, instr(rest, '|') + 1) AS rest FROM first
), third AS (
  SELECT quality, clinical_significance, alleles, substr(rest, instr(rest, '|') + 1) AS rest FROM second
)
SELECT substr(rest, 1, instr(rest, '|') - 1) AS gene_symbol, sum(alleles) AS variant_count,
  sum(alleles * quality) / sum(alleles) AS avg_quality,
  sum(alleles) FILTER (WHERE clinical_significance = 'Pathogenic') AS pathogenic_count
FROM third WHERE rest LIKE '%|%' GROUP BY 1;
