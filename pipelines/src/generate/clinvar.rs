//! A release of clinical significances in the form of ClinVar's VCF: contigs without `chr`, the variation in the ID column,
//! GENEINFO, review status and conditions.

use super::{
    CONTIGS, Settings,
    alleles::{Allele, Few},
    annotation,
    line::{Placed, alternates},
    random::Random,
    sites::{Alternates, Site, site},
    text::{number, put, put_all},
};

/// Terms of CLNSIG with their weights, about as ClinVar has them.
const SIGNIFICANCES: [(u32, &str); 9] = [
    (430, "Uncertain_significance"),
    (270, "Likely_benign"),
    (80, "Benign"),
    (40, "Benign/Likely_benign"),
    (60, "Conflicting_classifications_of_pathogenicity"),
    (60, "Pathogenic"),
    (40, "Likely_pathogenic"),
    (15, "Pathogenic/Likely_pathogenic"),
    (5, "drug_response"),
];
/// Terms of CLNREVSTAT with their weights.
const REVIEWS: [(u32, &str); 5] = [
    (800, "criteria_provided,_single_submitter"),
    (120, "criteria_provided,_multiple_submitters,_no_conflicts"),
    (50, "no_assertion_criteria_provided"),
    (25, "criteria_provided,_conflicting_classifications"),
    (5, "reviewed_by_expert_panel"),
];
const CONDITIONS: [&str; 6] = [
    "not_provided",
    "not_specified",
    "Hereditary_cancer-predisposing_syndrome",
    "Cardiomyopathy",
    "Inborn_genetic_diseases",
    "Hereditary_breast_ovarian_cancer_syndrome|Familial_cancer_of_breast",
];

/// The share of variants that ClinVar knows.
const KNOWN: f64 = 0.3;
/// The share of records that an edition classifies otherwise than the one before.
const RECLASSIFIED: f64 = 0.01;

/// Whether the generated ClinVar has a record of the site's first allele.
pub fn has_record(seed: u64, site: &Site) -> bool {
    matches!(site.alternates, Alternates::Spelled(_)) && Random::of(&[50, seed, site.id]).chance(KNOWN)
}

/// The significance in an edition: that of the edition before, but for one record in a hundred.
pub fn significance(seed: u64, site: &Site, edition: u64) -> &'static str {
    let changed = |edition: &u64| Random::of(&[51, seed, site.id, *edition]).chance(RECLASSIFIED);
    let since = (1..=edition).rev().find(changed).unwrap_or(0);
    Random::of(&[52, seed, site.id, since]).weighted(&SIGNIFICANCES)
}

/// Appends record `index`: the first allele of the site of that number.
pub fn write(line: &mut Vec<u8>, settings: &Settings, index: u64) -> Placed {
    let mut site = site(settings, index);
    match &mut site.alternates {
        Alternates::Spelled(alleles) => *alleles = alleles.first_alone(),
        Alternates::Symbolic(..) => {
            // ClinVar's VCF has spelled alleles only.
            let first = site.reference[0];
            site.alternates = Alternates::Spelled(Few::one(Allele::of(super::genome::other_base(first, 0))));
        }
    }
    let mut random = Random::of(&[53, settings.seed, site.id]);
    put(line, CONTIGS[site.gene.contig].name.trim_start_matches("chr"));
    line.push(b'\t');
    number(line, site.position);
    line.push(b'\t');
    number(line, site.id);
    line.push(b'\t');
    site.reference.put(line);
    line.push(b'\t');
    alternates(line, &site.alternates);
    put(line, "\t.\t.\tALLELEID=");
    number(line, 15_000 + site.id);
    put_all(line, &[";CLNDN=", random.pick(&CONDITIONS)]);
    put_all(line, &[";CLNREVSTAT=", random.weighted(&REVIEWS)]);
    put_all(line, &[";CLNSIG=", significance(settings.seed, &site, settings.edition), ";GENEINFO="]);
    annotation::symbol(line, site.gene.number);
    line.push(b':');
    number(line, site.gene.number + 1);
    put(line, ";RS=");
    number(line, 1_000_000 + site.id);
    line.push(b'\n');
    let end = site.position + site.reference.len() as u64 - 1;
    Placed { contig: site.gene.contig, start: site.position, end, broken: false }
}
