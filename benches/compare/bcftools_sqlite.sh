#!/usr/bin/env bash
# `bcftools query | sqlite3`. Alleles are not split and only the first gene of a record is looked at, which on this input comes to
# the same numbers. Arguments: a VCF, the SQLite file to make.
set -euo pipefail
bcftools query -i 'FILTER="PASS" && QUAL>=20' -f '%CHROM\t%POS\t%REF\t%ALT\t%QUAL\t%INFO/CLNSIG\t%INFO/ANN\n' "$1" |
    sqlite3 -batch "$2" ".read $(dirname "$0")/bcftools_sqlite.sql"
