//! Where a drop's records lie and which alleles they have: shared with every other drop of the seed, or its own.

use super::{
    Settings,
    alleles::{Allele, Few},
    frequency::frequency,
    genome::{Gene, base, genes, other_base},
    random::Random,
};

/// A site and what is seen there.
#[derive(Clone, Debug)]
pub struct Site {
    /// A number that no other site of the seed has.
    pub id: u64,
    /// The gene it lies in.
    pub gene: Gene,
    /// The first base of `reference`, 1-based.
    pub position: u64,
    /// The reference allele.
    pub reference: Allele,
    /// What is seen instead.
    pub alternates: Alternates,
    /// How often each alternate is seen in a population.
    pub frequencies: Few<f64>,
}

/// Alternate alleles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alternates {
    /// Spelled alleles.
    Spelled(Few<Allele>),
    /// A structural variant: its type (`DEL`, `DUP`, `INV`, `INS`) and its length in bases.
    Symbolic(&'static str, u64),
}

impl Alternates {
    /// How many.
    pub fn count(&self) -> usize {
        match self {
            Alternates::Spelled(alleles) => alleles.len(),
            Alternates::Symbolic(..) => 1,
        }
    }
}

/// The shapes of records, in parts of a thousand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Snv,
    TwoSnvs,
    Insertion,
    Deletion,
    InsertionAndSnv,
    Mnv,
    Symbolic,
}

const SHAPES: [(u32, Shape); 7] = [
    (850, Shape::Snv),
    (25, Shape::TwoSnvs),
    (55, Shape::Insertion),
    (50, Shape::Deletion),
    (5, Shape::InsertionAndSnv),
    (10, Shape::Mnv),
    (5, Shape::Symbolic),
];

/// Site number `index` of `settings.records`. Sites are in the order of the genome.
pub fn site(settings: &Settings, index: u64) -> Site {
    let shared = Random::of(&[20, settings.seed, index]).chance(settings.overlap);
    let owner = if shared { 0 } else { settings.drop + 1 };
    let mut random = Random::of(&[21, settings.seed, index, owner]);
    // A jitter of less than one step keeps the order.
    let along = (index as f64 + random.unit()) * genes() as f64 / settings.records as f64;
    let gene = Gene::new((along as u64).min(genes() - 1));
    let position = gene.position(along - along as u64 as f64);
    let at = |offset: u64| base(gene.contig, position + offset);
    let first = at(0);
    let stretch = |length: u64| (0..length).map(at).collect::<Allele>();
    let (alone, other) = (Allele::of(first), |choice: u64| Allele::of(other_base(first, choice)));
    let (reference, alternates) = match random.weighted(&SHAPES) {
        Shape::Snv => (alone, Few::one(other(random.below(3)))),
        Shape::TwoSnvs => {
            let one = random.below(3);
            (alone, Few::two(other(one), other(one + 1)))
        }
        Shape::Insertion => {
            let length = 1 + random.below(12);
            let inserted = (0..length).map(|_| random.pick(b"ACGT"));
            (alone, Few::one([first].into_iter().chain(inserted).collect()))
        }
        Shape::Deletion => (stretch(2 + random.below(12)), Few::one(alone)),
        Shape::InsertionAndSnv => {
            let inserted = [first, random.pick(b"ACGT"), random.pick(b"ACGT")].into_iter().collect();
            (alone, Few::two(inserted, other(random.below(3))))
        }
        Shape::Mnv => {
            let changed = [other_base(first, random.below(3)), other_base(at(1), random.below(3))];
            (stretch(2), Few::one(changed.into_iter().collect()))
        }
        Shape::Symbolic => {
            let kind = random.weighted(&[(5, "DEL"), (3, "DUP"), (1, "INV"), (2, "INS")]);
            // Log-uniform from 50 bases to 100,000.
            let length = (50.0 * (random.unit() * 2_000_f64.ln()).exp()) as u64;
            let frequencies = Few::one(frequency(&mut random));
            let alternates = Alternates::Symbolic(kind, length);
            return Site { id: id(settings, index, owner), gene, position, reference: alone, alternates, frequencies };
        }
    };
    let one = frequency(&mut random);
    let frequencies = if alternates.len() == 1 { Few::one(one) } else { Few::two(one, frequency(&mut random)) };
    let alternates = Alternates::Spelled(alternates);
    Site { id: id(settings, index, owner), gene, position, reference, alternates, frequencies }
}

fn id(settings: &Settings, index: u64, owner: u64) -> u64 {
    owner * settings.records + index + 1
}
