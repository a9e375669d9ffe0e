//! What the INFO column says of genes, as SnpEff (`ANN`) and VEP (`CSQ`) lay it out.

use super::{
    alleles::{Allele, Few},
    genome::{Gene, genes},
    random::Random,
    sites::{Alternates, Site},
    text::{five, number, padded, put},
};

/// Which annotation fields are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Annotations {
    /// SnpEff's `ANN`.
    Ann,
    /// VEP's `CSQ`.
    Csq,
    /// Both.
    Both,
    /// None.
    None,
}

impl Annotations {
    /// Whether `ANN` is written.
    pub fn ann(self) -> bool {
        matches!(self, Annotations::Ann | Annotations::Both)
    }

    /// Whether `CSQ` is written.
    pub fn csq(self) -> bool {
        matches!(self, Annotations::Csq | Annotations::Both)
    }
}

/// The parts of an entry of `ANN` (SnpEff's annotation format 1.0).
pub const ANN_PARTS: &str = "Allele | Annotation | Annotation_Impact | Gene_Name | Gene_ID | Feature_Type | Feature_ID | \
    Transcript_BioType | Rank | HGVS.c | HGVS.p | cDNA.pos / cDNA.length | CDS.pos / CDS.length | AA.pos / AA.length | \
    Distance | ERRORS / WARNINGS / INFO";
/// The parts of an entry of `CSQ` (VEP's defaults with --symbol, --biotype, --numbers, --hgvs and --af_gnomade).
pub const CSQ_PARTS: &str =
    "Allele|Consequence|IMPACT|SYMBOL|Gene|Feature_type|Feature|BIOTYPE|EXON|INTRON|HGVSc|HGVSp|gnomADe_AF";

/// A consequence and its impact, between the bars of an entry.
type Effect = &'static str;

const EXONIC: [(u32, Effect); 7] = [
    (52, "|missense_variant|MODERATE|"),
    (30, "|synonymous_variant|LOW|"),
    (5, "|3_prime_UTR_variant|MODIFIER|"),
    (4, "|5_prime_UTR_variant|MODIFIER|"),
    (3, "|splice_region_variant&synonymous_variant|LOW|"),
    (4, "|stop_gained|HIGH|"),
    (2, "|start_lost|HIGH|"),
];
const EXONIC_INDELS: [(u32, Effect); 3] = [
    (60, "|frameshift_variant|HIGH|"),
    (25, "|inframe_deletion|MODERATE|"),
    (15, "|splice_region_variant&intron_variant|LOW|"),
];
const INTRONIC: [(u32, Effect); 3] = [
    (94, "|intron_variant|MODIFIER|"),
    (5, "|splice_region_variant&intron_variant|LOW|"),
    (1, "|splice_donor_variant&intron_variant|HIGH|"),
];
const STRUCTURAL: [(u32, Effect); 2] = [(3, "|transcript_ablation|HIGH|"), (7, "|feature_truncation|MODERATE|")];

/// One entry of either field.
struct Entry<'a> {
    allele: &'a Allele,
    effect: Effect,
    gene: u64,
    transcript: u8,
    position: u64,
    reference: &'a Allele,
    frequency: Option<f64>,
    /// Whether VEP leaves out the first base, which all alleles of the record share.
    trims: bool,
}

/// Appends `;ANN=` and `;CSQ=` as they are wanted.
pub fn write(line: &mut Vec<u8>, annotations: Annotations, site: &Site) {
    if annotations.ann() {
        put(line, ";ANN=");
        entries(line, site, ann_entry);
    }
    if annotations.csq() {
        put(line, ";CSQ=");
        entries(line, site, csq_entry);
    }
}

/// Every allele has an entry for its gene; four of ten have one for a second transcript, one of ten for the next gene.
fn entries(line: &mut Vec<u8>, site: &Site, mut write: impl FnMut(&mut Vec<u8>, &Entry<'_>)) {
    let mut random = Random::of(&[30, site.id, site.position]);
    let spelled = match &site.alternates {
        Alternates::Spelled(alleles) => *alleles,
        Alternates::Symbolic(kind, _) => Few::one(format!("<{kind}>").bytes().collect()),
    };
    let shares = |allele: &Allele| allele.first() == site.reference.first();
    let is_indel = spelled.iter().any(|allele| allele.len() != site.reference.len());
    let trims = is_indel && spelled.iter().all(shares);
    for (at, allele) in spelled.iter().enumerate() {
        if at > 0 {
            line.push(b',');
        }
        let effect = effect(&mut random, site, allele);
        let mut entry = Entry {
            allele,
            effect,
            gene: site.gene.number,
            transcript: 1,
            position: site.position,
            reference: &site.reference,
            frequency: site.frequencies.get(at).copied(),
            trims,
        };
        write(line, &entry);
        if random.chance(0.4) {
            line.push(b',');
            entry.transcript = 2;
            entry.effect = "|intron_variant|MODIFIER|";
            write(line, &entry);
        }
        if random.chance(0.1) {
            line.push(b',');
            (entry.gene, entry.transcript) = (site.gene.number + 1, 1);
            entry.effect = "|upstream_gene_variant|MODIFIER|";
            write(line, &entry);
        }
    }
}

fn effect(random: &mut Random, site: &Site, allele: &[u8]) -> Effect {
    match &site.alternates {
        Alternates::Symbolic(..) => random.weighted(&STRUCTURAL),
        Alternates::Spelled(_) if !site.gene.is_exonic(site.position) => random.weighted(&INTRONIC),
        Alternates::Spelled(_) if allele.len() == site.reference.len() => random.weighted(&EXONIC),
        Alternates::Spelled(_) => random.weighted(&EXONIC_INDELS),
    }
}

/// Appends a gene's symbol.
pub fn symbol(line: &mut Vec<u8>, gene: u64) {
    put(line, "GENE");
    padded(line, gene + 1, 5);
}

/// Appends a gene's identifier.
pub fn gene_id(line: &mut Vec<u8>, gene: u64) {
    put(line, "G");
    padded(line, gene + 1, 11);
}

/// Appends the identifier of a gene's transcript.
pub fn transcript_id(line: &mut Vec<u8>, gene: u64, transcript: u64) {
    put(line, "T");
    padded(line, gene + 1, 10);
    number(line, transcript);
}

/// Whether a gene codes for a protein: nine of ten do.
pub fn biotype(gene: &Gene) -> &'static str {
    if Random::of(&[31, gene.number]).chance(0.9) { "protein_coding" } else { "lncRNA" }
}

/// What both fields say of gene and transcript. It is put together in one piece, which takes a third of the time of its parts.
fn feature(line: &mut Vec<u8>, entry: &Entry<'_>, kind_letter: u8) {
    const { assert!(genes() < 99_999, "a gene's number has five digits") };
    let start = line.len();
    line.extend_from_slice(b"GENE00000|G00000000000|transcript|T00000000000.1|protein_coding|2/10|");
    let (text, gene) = (&mut line[start..], five(entry.gene + 1));
    for at in [4, 17, 40] {
        text[at..at + 5].copy_from_slice(&gene);
    }
    text[23] = kind_letter;
    text[45] = b'0' + entry.transcript;
}

fn ann_entry(line: &mut Vec<u8>, entry: &Entry<'_>) {
    entry.allele.put(line);
    put(line, entry.effect);
    feature(line, entry, b't');
    coding_change(line, entry);
    put(line, "||||||");
}

fn csq_entry(line: &mut Vec<u8>, entry: &Entry<'_>) {
    vep_allele(line, entry);
    put(line, entry.effect);
    feature(line, entry, b'T');
    line.push(b'|');
    coding_change(line, entry);
    put(line, "||");
    if let Some(frequency) = entry.frequency {
        super::frequency::write(line, frequency);
    }
}

/// VEP leaves out the first base that all alleles share, and writes `-` for nothing; a symbolic allele is named by what it
/// does.
fn vep_allele(line: &mut Vec<u8>, entry: &Entry<'_>) {
    match &**entry.allele {
        b"<DEL>" => put(line, "deletion"),
        b"<DUP>" => put(line, "duplication"),
        b"<INS>" => put(line, "insertion"),
        b"<INV>" => put(line, "inversion"),
        [_] if entry.trims => line.push(b'-'),
        allele if entry.trims => line.extend_from_slice(&allele[1..]),
        allele => line.extend_from_slice(allele),
    }
}

fn coding_change(line: &mut Vec<u8>, entry: &Entry<'_>) {
    put(line, "c.");
    number(line, 1 + entry.position % 3_000);
    entry.reference.put(line);
    line.push(b'>');
    entry.allele.put(line);
}
