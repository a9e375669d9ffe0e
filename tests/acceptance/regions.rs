//! Variants against a gene model: random changes of either side, and every row compared with a rule that looks at each base.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
};

use rusqlite::Connection;
use vardelta_engine::{
    failpoint::{Effect, points},
    run::RunOptions,
};
use vardelta_tests::{
    drop_file::{self, Packing},
    in_process::Warehouse,
    project::{Project, finish},
    random::{Random, from_environment, seed},
    shared::{has_tool, shared, tool_output},
};

/// Histories by default.
const HISTORIES: u64 = 24;
const UPSTREAM_BP: i64 = 40;
const DOWNSTREAM_BP: i64 = 25;
const SPLICE_BP: i64 = 3;

const HEADER: &str = "##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";

/// Both sides come as records. `KEY` is how the table of variants is keyed.
const PIPELINE: &str = r#"
[pipeline]
name = "regions"
max_reject_share = 1.0

[stages.calls]
type = "vcf"
path = "drops/variants/*.vcf"
info = [{ name = "VEND", type = "Integer", number = "1" }]
[stages.rows]
type = "select"
input = "calls"
[stages.rows.columns]
name = "coalesce(id, '')"
chromosome = "chrom"
position = "pos"
reference = "ref"
end_pos = "info_vend"
[stages.variants]
type = "table"
input = "rows"
key = KEY

[stages.features]
type = "vcf"
path = "drops/genes/*.vcf"
info = [
    { name = "FEND", type = "Integer", number = "1" }, { name = "FEATURE", type = "String", number = "1" },
    { name = "GENE", type = "String", number = "1" }, { name = "TRANSCRIPT", type = "String", number = "1" },
    { name = "STRAND", type = "String", number = "1" }, { name = "BIOTYPE", type = "String", number = "1" },
]
[stages.feature_rows]
type = "select"
input = "features"
[stages.feature_rows.columns]
feature_key = "coalesce(id, '')"
chrom = "chrom"
start = "pos"
end = "coalesce(info_fend, pos)"
strand = "info_strand"
feature = "coalesce(info_feature, '')"
gene_id = "info_gene"
gene_symbol = "info_gene"
transcript_id = "info_transcript"
biotype = "info_biotype"
[stages.gene_model]
type = "table"
input = "feature_rows"
key = ["feature_key"]

[stages.located]
type = "regions"
inputs = ["variants", "gene_model"]
end = "end_pos"
upstream_bp = 40
downstream_bp = 25
splice_bp = 3
pick = PICK

[stages.per_region]
type = "aggregate"
input = "located"
group_by = ["region"]
[stages.per_region.columns]
variants = "count(*)"

[stages.warehouse]
type = "sqlite"
path = "regions.sqlite"
tables = ["variants", "gene_model", "located", "per_region"]
"#;

const ORDER: [&str; 8] = ["splice", "CDS", "utr5", "utr3", "exon", "intron", "upstream", "downstream"];

#[test]
fn a_process_that_dies_while_the_stored_side_is_written_leaves_the_state_before() {
    let project = Project::new(&PIPELINE.replace("KEY", "[\"name\"]").replace("PICK", "\"all\""));
    for side in ["genes", "variants"] {
        std::fs::create_dir_all(project.path("drops").join(side)).expect("a folder");
    }
    let gene = |name: &str| {
        format!("{HEADER}1\t100\t{name}\tA\t.\t.\t.\tFEND=200;FEATURE=gene;GENE={name};TRANSCRIPT={name};STRAND=+\n")
    };
    let variant = |pos: i64| format!("{HEADER}1\t{pos}\tv{pos}\tA\tC\t.\t.\tVEND={pos}\n");
    let located = |project: &Project| {
        let database = Connection::open(project.path("regions.sqlite")).expect("the database opens");
        let mut statement = database.prepare("SELECT name, gene_symbol FROM located ORDER BY 1, 2").expect("a table");
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
        rows.collect::<rusqlite::Result<Vec<(String, Option<String>)>>>().expect("texts")
    };
    let pair = |pos: i64, gene: &str| (format!("v{pos}"), Some(gene.to_owned()));
    for point in points(Effect::Dies, &["resident"]) {
        project.write("drops/genes/g.vcf", gene("A").as_bytes());
        project.write("drops/variants/a.vcf", variant(150).as_bytes());
        project.vardelta("run", &[]).expect(0);
        assert_eq!(located(&project), [pair(150, "A")]);
        project.write("drops/genes/g.vcf", gene("B").as_bytes());
        project.write("drops/variants/a.vcf", variant(160).as_bytes());
        let died = finish(project.command("run", &[]).env("VARDELTA_FAILPOINT", point));
        assert_eq!(died.code, -1, "no run came by {point}: {}", died.stderr);
        assert_eq!(located(&project), [pair(150, "A")]);
        project.vardelta("run", &[]).expect(0);
        assert_eq!(located(&project), [pair(160, "B")]);
        project.vardelta("verify", &[]).expect(0);
    }
}

/// A row of the model as the table has it.
#[derive(Clone, Debug)]
struct Feature {
    chrom: String,
    start: i64,
    end: i64,
    is_reverse: bool,
    kind: String,
    gene: String,
    transcript: Option<String>,
    is_coding: bool,
}

/// For each base of each chromosome the genes that have a part in it, with the place of the region in [`ORDER`].
type Bases = BTreeMap<(String, i64), BTreeSet<(usize, String)>>;

/// The rule, base by base.
fn bases(features: &[Feature]) -> (Bases, BTreeSet<String>) {
    let mut bases = Bases::new();
    let mut genes: BTreeMap<(String, String), Vec<&Feature>> = BTreeMap::new();
    for feature in features {
        genes.entry((feature.chrom.clone(), feature.gene.clone())).or_default().push(feature);
    }
    let coding = features.iter().filter(|feature| feature.is_coding).map(|feature| feature.gene.clone()).collect();
    for ((chrom, gene), features) in genes {
        let mut mark = |from: i64, to: i64, region: &str| {
            let rank = ORDER.iter().position(|name| *name == region).expect("a region");
            for base in from.max(1)..=to {
                bases.entry((chrom.clone(), base)).or_default().insert((rank, gene.clone()));
            }
        };
        let of = |kind: &str| features.iter().filter(|feature| feature.kind == kind).copied().collect::<Vec<_>>();
        let mut spans: Vec<(i64, i64, bool)> =
            of("gene").iter().map(|row| (row.start, row.end, row.is_reverse)).collect();
        if spans.is_empty() {
            let start = features.iter().map(|row| row.start).min().expect("a feature");
            let end = features.iter().map(|row| row.end).max().expect("a feature");
            spans.push((start, end, features[0].is_reverse));
        }
        let is_reverse = spans[0].2;
        let has_exons = features.iter().any(|row| row.kind == "exon" || row.kind == "CDS");
        for (start, end, is_reverse) in spans {
            mark(start, end, if has_exons { "intron" } else { "exon" });
            let (before, after) = if is_reverse { (DOWNSTREAM_BP, UPSTREAM_BP) } else { (UPSTREAM_BP, DOWNSTREAM_BP) };
            let (left, right) = if is_reverse { ("downstream", "upstream") } else { ("upstream", "downstream") };
            mark(start - before, start - 1, left);
            mark(end + 1, end + after, right);
        }
        let transcripts: BTreeSet<Option<String>> = features.iter().map(|row| row.transcript.clone()).collect();
        for transcript in transcripts {
            let own = |kind: &str| -> Vec<(i64, i64)> {
                let mut rows: Vec<(i64, i64)> = of(kind)
                    .iter()
                    .filter(|row| row.transcript == transcript)
                    .map(|row| (row.start, row.end))
                    .collect();
                rows.sort_unstable();
                rows
            };
            let (exons, cds) = (own("exon"), own("CDS"));
            let coding = cds.iter().map(|row| row.0).min().zip(cds.iter().map(|row| row.1).max());
            for (start, end) in &exons {
                for base in *start..=*end {
                    let region = match coding {
                        Some((first, _)) if base < first => {
                            if is_reverse {
                                "utr3"
                            } else {
                                "utr5"
                            }
                        }
                        Some((_, last)) if base > last => {
                            if is_reverse {
                                "utr5"
                            } else {
                                "utr3"
                            }
                        }
                        _ => "exon",
                    };
                    mark(base, base, region);
                }
            }
            cds.iter().for_each(|(start, end)| mark(*start, *end, "CDS"));
            for pair in exons.windows(2) {
                let (from, to) = (pair[0].1 + 1, pair[1].0 - 1);
                (from..=to)
                    .filter(|base| base - from < SPLICE_BP || to - base < SPLICE_BP)
                    .for_each(|base| mark(base, base, "splice"));
            }
        }
    }
    (bases, coding)
}

fn features(connection: &Connection) -> Vec<Feature> {
    let query = "SELECT chrom, start, \"end\", strand, feature, gene_id, transcript_id, biotype FROM gene_model \
                 WHERE gene_id IS NOT NULL AND start <= \"end\" ORDER BY feature_key";
    let mut statement = connection.prepare(query).expect("valid SQL");
    let rows = statement.query_map([], |row| {
        Ok(Feature {
            chrom: row.get(0)?,
            start: row.get(1)?,
            end: row.get(2)?,
            is_reverse: row.get::<_, Option<String>>(3)?.as_deref() == Some("-"),
            kind: row.get(4)?,
            gene: row.get(5)?,
            transcript: row.get(6)?,
            is_coding: row.get::<_, Option<String>>(7)?.as_deref() == Some("protein_coding"),
        })
    });
    rows.expect("the query runs").collect::<Result<_, _>>().expect("rows")
}

/// What the rule says of the variants that the sink holds: name, gene, region.
fn expected(connection: &Connection, picks_all: bool) -> BTreeSet<String> {
    let (bases, coding) = bases(&features(connection));
    let query = "SELECT name, chromosome, position, reference, end_pos FROM variants";
    let mut statement = connection.prepare(query).expect("valid SQL");
    let mut rows = statement.query([]).expect("the query runs");
    let mut expected = BTreeSet::new();
    while let Some(row) = rows.next().expect("a row") {
        let name: String = row.get(0).expect("a name");
        let (chromosome, position): (String, i64) = (row.get(1).expect("a text"), row.get(2).expect("a number"));
        let (reference, end): (String, Option<i64>) = (row.get(3).expect("a text"), row.get(4).expect("a number"));
        let end = end.unwrap_or(position + reference.len() as i64 - 1).max(position);
        let mut genes: BTreeMap<String, usize> = BTreeMap::new();
        for ((_, _), parts) in bases.range((chromosome.clone(), position)..=(chromosome.clone(), end)) {
            for (rank, gene) in parts {
                genes.entry(gene.clone()).and_modify(|worst| *worst = (*worst).min(*rank)).or_insert(*rank);
            }
        }
        let mut found: Vec<(usize, bool, String)> =
            genes.into_iter().map(|(gene, rank)| (rank, !coding.contains(&gene), gene)).collect();
        found.sort();
        if !picks_all {
            found.truncate(1);
        }
        if found.is_empty() {
            expected.insert(format!("{position} {name} - -"));
        }
        expected.extend(found.iter().map(|(rank, _, gene)| format!("{position} {name} {gene} {}", ORDER[*rank])));
    }
    expected
}

fn located(connection: &Connection) -> BTreeSet<String> {
    let query =
        "SELECT position || ' ' || name || ' ' || ifnull(gene_id, '-') || ' ' || ifnull(region, '-') FROM located";
    let mut statement = connection.prepare(query).expect("valid SQL");
    let rows = statement.query_map([], |row| row.get(0)).expect("the query runs");
    rows.collect::<Result<_, _>>().expect("texts")
}

fn variant_drop(random: &mut Random) -> String {
    let line = |_| {
        let position = 1 + random.below(900) as i64;
        let reference = *random.pick(&["A", "AC", "ACGTA"]);
        let end = match random.below(12) {
            0 => format!("VEND={}", position + 10 + random.below(400) as i64),
            // Longer than what is found by its place.
            1 => format!("VEND={}", position + 15_000 + random.below(9_000) as i64),
            _ => ".".to_owned(),
        };
        let place = if random.percent(8) { position + 20_000 } else { position };
        format!("{}\t{place}\tv{}\t{reference}\tT\t.\t.\t{end}\n", random.pick(&["1", "2"]), random.below(60))
    };
    format!("{HEADER}{}", (0..10 + 5).map(line).collect::<String>())
}

/// A gene with exons, and coding parts of some; or a part of one, or a gene alone.
fn gene_drop(random: &mut Random) -> String {
    let mut lines = String::new();
    for gene in 0..1 + random.below(3) {
        let gene = format!("G{}", gene + random.below(3));
        let chrom = *random.pick(&["1", "2"]);
        let strand = *random.pick(&["+", "-"]);
        let biotype = *random.pick(&["protein_coding", "lncRNA"]);
        let start = 20 + random.below(700) as i64 + if random.percent(10) { 20_000 } else { 0 };
        let mut feature = |kind: &str, from: i64, to: i64, transcript: &str| {
            let key = format!("{gene}-{kind}-{from}-{transcript}");
            let transcript = if transcript.is_empty() { String::new() } else { format!("TRANSCRIPT={transcript};") };
            lines += &format!(
                "{chrom}\t{from}\t{key}\tA\tT\t.\t.\tFEND={to};FEATURE={kind};GENE={gene};{transcript}STRAND={strand};BIOTYPE={biotype}\n"
            );
        };
        let mut at = start;
        let exons = random.below(4) as i64;
        for transcript in 0..exons.min(2) {
            let transcript = format!("{gene}T{transcript}");
            at = start;
            for exon in 0..exons {
                let length = 5 + random.below(30) as i64;
                feature("exon", at, at + length, &transcript);
                if exon == 1 || (exon == 0 && random.percent(50)) {
                    feature("CDS", at + 2, at + length - 1, &transcript);
                }
                at += length + 2 + random.below(40) as i64;
            }
        }
        if random.percent(80) {
            feature("gene", start, at + 30, "");
        }
    }
    format!("{HEADER}{lines}")
}

/// A history of drops of both sides; after each step every row is judged.
fn play(seed: u64) {
    let mut random = Random::new(seed);
    let picks_all = random.percent(30);
    // A key that begins with the place is searched in the table's own state; another is kept by place.
    let key = *random.pick(&["[\"chromosome\", \"position\", \"name\"]", "[\"name\"]"]);
    let text = PIPELINE.replace("KEY", key).replace("PICK", if picks_all { "\"all\"" } else { "\"worst\"" });
    let warehouse = Warehouse::new(&text);
    for directory in ["variants", "genes"] {
        std::fs::create_dir(warehouse.drops().join(directory)).expect("a directory can be made");
    }
    let database = warehouse.directory.path().join("regions.sqlite");
    let mut loaded: BTreeSet<String> = BTreeSet::new();
    for step in 0..8 {
        let workers = Some(*random.pick(&[1, 2, 4]));
        let options = RunOptions { workers, accept_smaller: true, ..RunOptions::default() };
        let chunk_records = *random.pick(&[1, 7, 0]);
        let names: Vec<String> = loaded.iter().cloned().collect();
        if !names.is_empty() && random.percent(25) {
            let name = random.pick(&names).clone();
            loaded.remove(&name);
            let directory = if name.starts_with('g') { "genes" } else { "variants" };
            drop_file::remove(&warehouse.drops().join(directory), &name);
            let erases = random.percent(30);
            let done = match erases {
                true => warehouse.erase(chunk_records, &[name], &options).map(|report| assert!(report.erased.proven)),
                false => warehouse.withdraw(chunk_records, &[name], &options).map(drop),
            };
            done.unwrap_or_else(|error| panic!("seed {seed}, step {step}: {error}"));
        } else {
            for _ in 0..1 + random.below(3) {
                let is_gene = random.percent(50);
                let (directory, name) = match is_gene {
                    true => ("genes", format!("g{}", random.below(3))),
                    false => ("variants", format!("v{}", random.below(4))),
                };
                let text = if is_gene { gene_drop(&mut random) } else { variant_drop(&mut random) };
                drop_file::write(&warehouse.drops().join(directory), &name, &text, Packing::Plain);
                loaded.insert(name);
            }
            warehouse.run(chunk_records, &options).unwrap_or_else(|error| panic!("seed {seed}, step {step}: {error}"));
        }
        let connection = Connection::open(&database).expect("the database is there");
        let (found, expected) = (located(&connection), expected(&connection, picks_all));
        let missing: Vec<&String> = expected.difference(&found).collect();
        let wrong: Vec<&String> = found.difference(&expected).collect();
        assert!(
            missing.is_empty() && wrong.is_empty(),
            "seed {seed}, step {step}: missing {missing:?}, wrong {wrong:?}"
        );
        let summed: i64 = connection
            .query_row("SELECT ifnull(sum(variants), 0) FROM per_region", [], |row| row.get(0))
            .expect("a sum");
        assert_eq!(summed, found.len() as i64, "seed {seed}, step {step}");
        assert_eq!(
            warehouse.verify(&RunOptions::default()).expect("verify works").difference_count,
            0,
            "seed {seed}, step {step}"
        );
    }
}

#[test]
fn every_row_is_what_its_bases_say_whatever_changes() {
    let first = seed(1);
    for seed in first..first + from_environment("VARDELTA_HISTORIES", HISTORIES).min(HISTORIES) {
        play(seed);
    }
}

/// Files of GRCh37 whose variants are looked up among all genes of Ensembl.
const FIELD: &[&str] = &[
    "vcf_annotated/snpeff_EFF_chr1_65k.vcf.gz",
    "vcf_single/NA12878_CEUTrio_b37_20_21.vcf",
    "vcf_annotated/snpeff_ANN_chr22_subset.vcf",
];

/// All pairs of a variant and a gene are those that `bedtools intersect` finds between their stretches.
#[test]
fn genes_are_those_that_bedtools_finds() {
    const WHAT: &str = "genes as bedtools finds them";
    let Some(table) = shared(WHAT, "data/genes/annotables_grch37_ensembl_genes.tsv.gz") else { return };
    if !has_tool(WHAT, "bedtools", "--version") {
        return;
    }
    let text = PIPELINE
        .replace("KEY", "[\"chromosome\", \"position\", \"reference\"]")
        .replace("PICK", "\"all\"")
        .replace("upstream_bp = 40\ndownstream_bp = 25", "upstream_bp = 0\ndownstream_bp = 0")
        .replace("*.vcf", "*.vcf*");
    let warehouse = Warehouse::new(&text);
    let directory = |name: &str| warehouse.drops().join(name);
    for name in ["variants", "genes"] {
        std::fs::create_dir(directory(name)).expect("a directory can be made");
    }
    let mut genes = String::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(table).expect("the table can be read"))
        .read_to_string(&mut genes)
        .expect("it is text");
    let feature = |line: &str| {
        let columns: Vec<&str> = line.split('\t').collect();
        let [gene, _, _, chrom, start, end, strand, biotype, ..] = columns[..] else { panic!("{line}") };
        let strand = if strand == "-1" { "-" } else { "+" };
        format!(
            "{chrom}\t{start}\t{gene}-{chrom}-{start}\tA\tT\t.\t.\tFEND={end};FEATURE=gene;GENE={gene};STRAND={strand};BIOTYPE={biotype}\n"
        )
    };
    let lines: String = genes.lines().skip(1).map(feature).collect();
    drop_file::write(&directory("genes"), "genes", &format!("{HEADER}{lines}"), Packing::Plain);
    for file in FIELD {
        let Some(path) = shared(WHAT, &format!("data/{file}")) else { continue };
        let name = path.file_name().expect("a file has a name");
        std::fs::copy(&path, directory("variants").join(name)).expect("a file can be copied");
    }
    warehouse.run(0, &RunOptions::default()).unwrap_or_else(|error| panic!("{error}"));

    let connection =
        Connection::open(warehouse.directory.path().join("regions.sqlite")).expect("the database is there");
    let lines = |query: &str| -> Vec<String> {
        let mut statement = connection.prepare(query).expect("valid SQL");
        let rows = statement.query_map([], |row| row.get(0)).expect("the query runs");
        rows.collect::<Result<_, _>>().expect("texts")
    };
    // BED begins at 0 and leaves the end out.
    let beds = [
        (
            "variants.bed",
            "SELECT DISTINCT chromosome || char(9) || (position - 1) || char(9) || (position - 1 + length(reference)) FROM variants",
        ),
        (
            "genes.bed",
            "SELECT chrom || char(9) || (start - 1) || char(9) || \"end\" || char(9) || gene_id FROM gene_model",
        ),
    ];
    let paths = beds.map(|(name, query)| {
        let path = warehouse.directory.path().join(name);
        std::fs::write(&path, lines(query).join("\n") + "\n").expect("a file can be written");
        path.to_string_lossy().into_owned()
    });
    let found = tool_output("bedtools", &["intersect", "-a", &paths[0], "-b", &paths[1], "-wa", "-wb"]);
    let expected: BTreeSet<String> = found
        .lines()
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            format!("{} {} {} {}", columns[0], columns[1], columns[2], columns[6])
        })
        .collect();
    let query = "SELECT chromosome || ' ' || (position - 1) || ' ' || (position - 1 + length(reference)) || ' ' || gene_id \
                 FROM located WHERE gene_id IS NOT NULL";
    let own: BTreeSet<String> = lines(query).into_iter().collect();
    assert_eq!(own, expected);
    assert!(own.len() > 10_000, "{} pairs are too few to say much", own.len());
    eprintln!("{} pairs of a variant and a gene are those of bedtools", own.len());
}
