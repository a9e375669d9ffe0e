"""The script that people write first: the standard library alone. Arguments: a VCF, the SQLite file to make."""

import sqlite3
import sys


def rows(path):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("#"):
                continue
            chromosome, position, _, reference, alternates, quality, passed, info = line.rstrip("\n").split("\t")[:8]
            if passed != "PASS" or quality == "." or float(quality) < 20:
                continue
            fields = dict(field.partition("=")[::2] for field in info.split(";"))
            genes = {}
            for entry in fields.get("ANN", "").split(","):
                parts = entry.split("|", 4)
                if len(parts) == 5 and parts[3]:
                    # SnpEff writes the most severe consequence of an allele first.
                    genes.setdefault(parts[0], parts[3])
            for alternate in alternates.split(","):
                if alternate in genes:
                    yield (
                        chromosome, int(position), reference, alternate,
                        min(float(quality), 100.0), genes[alternate], fields.get("CLNSIG"),
                    )


def main(source, target):
    database = sqlite3.connect(target)
    database.execute(
        "CREATE TABLE variants (chromosome TEXT, position INTEGER, reference TEXT, alternate TEXT, quality REAL,"
        " gene_symbol TEXT, clinical_significance TEXT,"
        " PRIMARY KEY (chromosome, position, reference, alternate)) WITHOUT ROWID"
    )
    database.executemany("INSERT OR REPLACE INTO variants VALUES (?, ?, ?, ?, ?, ?, ?)", rows(source))
    database.execute(
        "CREATE TABLE mutation_summary AS SELECT gene_symbol, count(*) AS variant_count, avg(quality) AS avg_quality,"
        " count(*) FILTER (WHERE clinical_significance = 'Pathogenic') AS pathogenic_count"
        " FROM variants GROUP BY gene_symbol"
    )
    database.commit()


main(*sys.argv[1:])
