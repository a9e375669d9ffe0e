//! A second decoder of annotations, plain and slow, written from the manual of the stage.

use std::{cmp::Reverse, collections::HashMap};

use vardelta_tests::binary::root;

/// Sequence Ontology terms from the worst to the mildest, as the Ensembl project lists them.
pub const ENSEMBL: &[&str] = &[
    "transcript_ablation",
    "splice_acceptor_variant",
    "splice_donor_variant",
    "stop_gained",
    "frameshift_variant",
    "stop_lost",
    "start_lost",
    "transcript_amplification",
    "feature_elongation",
    "feature_truncation",
    "inframe_insertion",
    "inframe_deletion",
    "missense_variant",
    "protein_altering_variant",
    "splice_donor_5th_base_variant",
    "splice_region_variant",
    "splice_donor_region_variant",
    "splice_polypyrimidine_tract_variant",
    "incomplete_terminal_codon_variant",
    "start_retained_variant",
    "stop_retained_variant",
    "synonymous_variant",
    "coding_sequence_variant",
    "mature_miRNA_variant",
    "5_prime_UTR_variant",
    "3_prime_UTR_variant",
    "non_coding_transcript_exon_variant",
    "intron_variant",
    "NMD_transcript_variant",
    "non_coding_transcript_variant",
    "coding_transcript_variant",
    "upstream_gene_variant",
    "downstream_gene_variant",
    "TFBS_ablation",
    "TFBS_amplification",
    "TF_binding_site_variant",
    "regulatory_region_ablation",
    "regulatory_region_amplification",
    "regulatory_region_variant",
    "intergenic_variant",
    "sequence_variant",
];

/// What the stage adds to a row; empty for NULL.
pub type Row = [String; 8];

/// A row of the documented table.
pub struct Term<'a> {
    pub name: &'a str,
    pub impact: &'a str,
    pub by: &'a str,
}

fn cells(line: &str) -> Vec<&str> {
    line.split('|').map(|cell| cell.trim().trim_matches('`')).collect()
}

/// The table of terms on the page of the documentation, in its order.
pub fn table(page: &str) -> Vec<Term<'_>> {
    let rows = page.lines().filter(|line| line.starts_with("| ") && cells(line).len() == 6).map(cells);
    rows.skip(1).map(|cells| Term { name: cells[2], impact: cells[3], by: cells[4] }).collect()
}

/// An entry, taken apart.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    text: String,
    gene: String,
    gene_id: String,
    feature: String,
    biotype: String,
    consequence: String,
    impact: String,
    hgvs_c: String,
    hgvs_p: String,
    severity: usize,
    /// 0 MANE Select, 1 MANE Plus Clinical, 2 canonical, 3 others.
    mark: u8,
    canonical: bool,
    allele: Option<String>,
    number: Option<usize>,
}

impl Entry {
    pub fn row(&self) -> Row {
        [
            &self.gene,
            &self.gene_id,
            &self.feature,
            &self.biotype,
            &self.consequence,
            &self.impact,
            &self.hgvs_c,
            &self.hgvs_p,
        ]
        .map(Clone::clone)
    }

    /// What tells genes apart.
    fn of_gene(&self) -> &str {
        if self.gene.is_empty() { &self.gene_id } else { &self.gene }
    }
}

/// Decodes one field of one file.
pub struct Decoder {
    field: String,
    names: Vec<String>,
    /// Terms and other names, with rank and impact of the term they stand for.
    ranks: HashMap<String, (usize, String)>,
    /// SnpEff's old effects.
    effects: HashMap<String, String>,
}

impl Decoder {
    /// Reads the header of a file's text, and the page of the documentation.
    pub fn new(text: &str, field: &str) -> Decoder {
        let page = std::fs::read_to_string(root().join("docs/consequences.md")).expect("the page is there");
        let mut ranks: HashMap<String, (usize, String)> = HashMap::new();
        for (place, term) in table(&page).into_iter().enumerate() {
            ranks.insert(term.name.to_owned(), (place, term.impact.to_owned()));
        }
        let mut effects = HashMap::new();
        for line in page.lines().filter(|line| line.starts_with("| `")) {
            let (name, terms) = (cells(line)[1], cells(line)[2]);
            if name.chars().any(char::is_lowercase) {
                let of_term = ranks[terms].clone();
                ranks.insert(name.to_owned(), of_term);
            } else {
                effects.insert(name.to_owned(), terms.to_owned());
            }
        }
        let start = format!("##INFO=<ID={field},");
        let declared = text.lines().find(|line| line.starts_with(&start)).unwrap_or("");
        let list = declared.split("Format:").nth(1).or_else(|| declared.split('\'').nth(1)).unwrap_or("");
        let list = if field == "BCSQ" { "consequence|gene|transcript|biotype" } else { list };
        let clean = |name: &str| name.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        let names = list.split(['|', '(']).map(clean).collect();
        Decoder { field: field.to_owned(), names, ranks, effects }
    }

    fn entry(&self, text: &str) -> Entry {
        let mut parts: Vec<&str> = text.split('|').map(str::trim).collect();
        let effect;
        if self.field == "EFF"
            && let Some((before, inside)) = text.split_once('(')
        {
            effect = before.split('[').next().expect("has a first part").replace('+', "&");
            let inside = inside.strip_suffix(')').unwrap_or(inside);
            parts = std::iter::once(effect.as_str()).chain(inside.split('|').map(str::trim)).collect();
        }
        if self.field == "GENEINFO" {
            let (gene, id) = text.split_once(':').unwrap_or((text, ""));
            return Entry {
                text: text.to_owned(),
                gene: gene.to_owned(),
                gene_id: id.to_owned(),
                mark: 3,
                ..Entry::default()
            };
        }
        let get = |names: &[&str]| -> String {
            let place = names.iter().find_map(|name| self.names.iter().position(|known| known == name));
            place.and_then(|at| parts.get(at)).map_or(String::new(), |part| part.replace("%3D", "="))
        };
        let bcsq = self.field == "BCSQ";
        let mut entry = Entry {
            text: text.to_owned(),
            gene: if bcsq { get(&["gene"]) } else { get(&["symbol", "hgnc", "gene_name"]) },
            gene_id: if bcsq { String::new() } else { get(&["gene", "gene_id"]) },
            feature: get(&["feature", "feature_id", "transcript_id", "transcript"]),
            biotype: get(&["biotype", "transcript_biotype", "gene_biotype"]),
            consequence: get(&["consequence", "annotation", "effect"]),
            impact: get(&["impact", "annotation_impact", "effect_impact"]),
            hgvs_c: get(&["hgvsc", "hgvs.c"]),
            hgvs_p: get(&["hgvsp", "hgvs.p"]),
            ..Entry::default()
        };
        let has = |name: &str| self.names.iter().any(|known| known == name);
        if self.field == "EFF" {
            let terms: Vec<&str> = entry
                .consequence
                .split('&')
                .map(|effect| self.effects.get(effect).map_or(effect, String::as_str))
                .collect();
            entry.consequence = terms.join("&");
            for change in get(&["amino_acid_change"]).split('/') {
                if change.starts_with("p.") {
                    entry.hgvs_p = change.to_owned();
                } else if change.starts_with("c.") || change.starts_with("n.") {
                    entry.hgvs_c = change.to_owned();
                }
            }
            let genotype = get(&["genotype_number", "genotypenum"]);
            entry.number = genotype.parse().ok();
            entry.allele = (!genotype.is_empty()).then_some(genotype);
        } else {
            entry.number = get(&["allele_num"]).parse().ok();
            entry.allele = has("allele").then(|| get(&["allele"]));
        }
        let known = |term: &str| self.ranks.get(term).cloned();
        let worst = entry.consequence.trim_start_matches('*').split(['&', '+']).filter_map(known).min();
        entry.severity = worst.as_ref().map_or(usize::MAX, |(rank, _)| *rank);
        if entry.impact.is_empty() {
            entry.impact = worst.map_or(String::new(), |(_, impact)| impact);
        }
        entry.canonical = get(&["canonical"]) == "YES";
        entry.mark = match (get(&["mane_select"]), get(&["mane_plus_clinical"])) {
            (select, _) if !select.is_empty() => 0,
            (_, plus) if !plus.is_empty() => 1,
            _ if entry.canonical => 2,
            _ => 3,
        };
        entry
    }

    /// The entries of one allele of a record.
    pub fn entries(&self, info: &str, reference: &str, alternates: &[&str], number: usize) -> Vec<Entry> {
        let start = format!("{}=", self.field);
        let value = info.split(';').find_map(|field| field.strip_prefix(&start)).unwrap_or("");
        let separator = if self.field == "GENEINFO" { '|' } else { ',' };
        let entries: Vec<Entry> = value
            .split(separator)
            .filter(|entry| !entry.is_empty() && *entry != "." && !entry.starts_with('@'))
            .map(|entry| self.entry(entry))
            .collect();
        let numbers_fit = entries.iter().all(|entry| entry.number.is_none_or(|stated| stated <= alternates.len()));
        let is_own_number = |entry: &&Entry| entry.number == Some(number + 1);
        if numbers_fit && entries.iter().any(|entry| entry.number.is_some()) {
            let unnumbered = |entry: &&Entry| self.field == "EFF" && entry.allele.is_none();
            return entries.iter().filter(|entry| is_own_number(entry) || unnumbered(entry)).cloned().collect();
        }
        if entries.iter().all(|entry| entry.allele.is_none()) {
            return entries;
        }
        let alternate = alternates[number];
        let named = |allele: &str| -> Vec<Entry> {
            let fits = |entry: &&Entry| entry.allele.as_deref().is_none_or(|own| own.eq_ignore_ascii_case(allele));
            entries.iter().filter(fits).cloned().collect()
        };
        let sequence = |allele: &str| !allele.is_empty() && allele.chars().all(|base| "ACGTNacgtn".contains(base));
        let (mut written, mut short) = (named(alternate), Vec::new());
        if sequence(alternate) {
            // Against another sample's allele SnpEff writes both, and with the other variants of a haplotype their places.
            let prefix = format!("{alternate}-");
            written.extend(
                entries.iter().filter(|e| e.allele.as_ref().is_some_and(|own| own.starts_with(&prefix))).cloned(),
            );
            // VEP leaves out the base that alleles begin with, old releases of SnpEff write nothing for a deletion.
            if alternate[..1].eq_ignore_ascii_case(&reference[..1]) && reference.len().max(alternate.len()) > 1 {
                short = named(if alternate.len() == 1 { "-" } else { &alternate[1..] });
            }
            if alternate.len() < reference.len() {
                short.extend(named(""));
            }
        } else if written.is_empty() {
            let is_word = |entry: &&Entry| entry.allele.as_ref().is_some_and(|own| own.len() > 1 && !sequence(own));
            short = entries.iter().filter(is_word).cloned().collect();
        }
        // VEP shortens either all alleles of a record or none.
        let others = || alternates.iter().filter(|other| **other != "*");
        let vep_shortens =
            others().any(|other| other.len() != reference.len()) && others().all(|other| other[..1] == reference[..1]);
        let is_vep = !matches!(self.field.as_str(), "ANN" | "EFF");
        if written.is_empty() || (is_vep && vep_shortens && !short.is_empty()) { short } else { written }
    }

    /// The entries that become rows; one that is empty where there is none.
    pub fn pick(&self, entries: &[Entry], pick: &str) -> Vec<Entry> {
        let nothing = || Entry::default();
        if entries.is_empty() {
            return vec![nothing()];
        }
        type Ties<'a> = (bool, bool, bool, &'a str, &'a str, &'a str, &'a str);
        fn ties(entry: &Entry) -> Ties<'_> {
            let number = entry.gene.strip_prefix("LOC").filter(|number| !number.is_empty());
            let placeholder = number.is_some_and(|number| number.chars().all(|digit| digit.is_ascii_digit()));
            let coding = entry.biotype == "protein_coding";
            (!coding, entry.of_gene().is_empty(), placeholder, &entry.gene, &entry.gene_id, &entry.feature, &entry.text)
        }
        let worst = |entries: &[Entry]| {
            entries.iter().min_by_key(|e| (e.severity, e.mark, ties(e))).cloned().unwrap_or_else(nothing)
        };
        match pick {
            "all" => entries.to_vec(),
            "worst" => vec![worst(entries)],
            "mane" => entries.iter().min_by_key(|e| (e.mark, e.severity, ties(e))).cloned().into_iter().collect(),
            "canonical" => {
                let key = |e: &&Entry| (Reverse(e.canonical), e.severity, e.mark);
                let least = entries.iter().map(|e| key(&e)).min();
                let equal: Vec<Entry> = entries.iter().filter(|e| Some(key(e)) == least).cloned().collect();
                vec![worst(&equal)]
            }
            "worst_per_gene" => {
                let mut genes: Vec<&str> = entries.iter().map(Entry::of_gene).collect();
                genes.sort_unstable();
                genes.dedup();
                if genes.len() > 1 {
                    genes.retain(|gene| !gene.is_empty());
                }
                let of = |gene: &str| entries.iter().filter(|e| e.of_gene() == gene).cloned().collect::<Vec<_>>();
                genes.into_iter().map(|gene| worst(&of(gene))).collect()
            }
            other => panic!("no pick {other}"),
        }
    }
}
