//! Records of random drops: what is in them, how they are written as VCF, and how they change.

use crate::random::Random;

/// Three names, so that rows collide, and groups vanish and come back.
const CONTIGS: &[&str] = &["1", "2", "X"];
/// Bases before which there are records; few, for the same reason.
const POSITIONS: i64 = 9;
/// REF and the ALTs to choose from: substitutions, and pairs that have to be trimmed.
const SITES: &[(&str, &[&str])] = &[
    ("A", &["C", "G", "T", "*"]),
    ("C", &["A", "T", "CA", "C"]),
    ("CA", &["C", "CT", "CAA", "TA"]),
    ("GTT", &["GT", "G", "GTTT", "GAT"]),
    ("T", &["<DEL>", "C", "G", "TG"]),
];
/// QUAL as it is written. None has a tie when it is rounded to three decimals, and their sums need more bits than a
/// double has.
const QUALITIES: &[&str] =
    &["19.99", "20", "29.95", "45.67", "0.1", "0.2", "99.99", "100.25", "1e15", "12345.678", "0.001", "777"];
/// Consequences, the worst first.
pub const CONSEQUENCES: &[&str] = &["stop_gained", "missense_variant", "synonymous_variant", "intron_variant"];
/// Genotypes, some of them of alleles that few records have.
const GENOTYPES: &[&str] =
    &["0/0", "0/1", "1|0", "1/1", "./.", ".", "./1", "./0", "1", "0", "1/2", "2|2", "0/0/1", "0/3"];
const GENES: &[&str] = &["BRCA1", "TP53", "EGFR", "KRAS"];
const SIGNIFICANCES: &[&str] = &["Pathogenic", "Benign", "Likely_benign", "Uncertain_significance"];
/// Lines that no reader can make a record of.
const BROKEN: &[&str] = &[
    "1\tten\t.\tA\tC\t50\tPASS\t.",
    "1\t10\t.\tA",
    "\t10\t.\tA\tC\t50\tPASS\t.",
    "2\t10\t.\tA\tC-\t50\tPASS\t.",
    "2\t11\t.\t\tC\t50\tPASS\t.",
    "2\t11\t.\tA\tC\tgood\tPASS\t.",
];

/// A data line of a drop.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Line {
    /// A record.
    Call(Call),
    /// A line that is rejected.
    Broken(String),
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// CHROM.
    pub contig: String,
    /// POS, 1-based.
    pub position: i64,
    /// REF.
    pub reference: String,
    /// ALT; empty for `.`.
    pub alternates: Vec<String>,
    /// QUAL as written; `None` for `.`.
    pub quality: Option<String>,
    /// FILTER; `None` for `.`.
    pub filter: Option<String>,
    /// INFO/DP.
    pub depth: Option<i64>,
    /// INFO/CLNSIG.
    pub significance: Option<String>,
    /// INFO/AF: a value for each ALT, as written, `.` included.
    pub frequencies: Option<Vec<String>>,
    /// FORMAT/GT of both samples; `None` where FORMAT has no GT.
    pub genotypes: Option<Box<[String; 2]>>,
    /// INFO/ANN: allele, consequence, gene.
    pub annotations: Vec<(String, String, String)>,
}

impl Line {
    /// The line without its end. `padding` bytes of an INFO field that nobody reads make it long.
    pub fn text(&self, padding: usize) -> String {
        let call = match self {
            Line::Call(call) => call,
            Line::Broken(text) => return text.clone(),
        };
        let dot = |text: &Option<String>| text.clone().unwrap_or_else(|| ".".to_owned());
        let alternates = if call.alternates.is_empty() { ".".to_owned() } else { call.alternates.join(",") };
        let mut info = Vec::new();
        info.extend(call.depth.map(|depth| format!("DP={depth}")));
        info.extend(call.frequencies.as_ref().map(|values| format!("AF={}", values.join(","))));
        info.extend(call.significance.as_ref().map(|significance| format!("CLNSIG={significance}")));
        if !call.annotations.is_empty() {
            let entry = |(allele, consequence, gene): &(String, String, String)| {
                format!(
                    "{allele}|{consequence}|LOW|{gene}|{gene}-id|transcript|{gene}-t|protein_coding|1/1|c.1|p.1|||||"
                )
            };
            info.push(format!("ANN={}", call.annotations.iter().map(entry).collect::<Vec<_>>().join(",")));
        }
        if padding > 0 {
            info.push(format!("PAD={}", "x".repeat(padding)));
        }
        let info = if info.is_empty() { ".".to_owned() } else { info.join(";") };
        let samples = match &call.genotypes {
            Some(genotypes) => format!("GT:DP\t{}:5\t{}", genotypes[0], genotypes[1]),
            None => "DP\t5\t.".to_owned(),
        };
        format!(
            "{}\t{}\t.\t{}\t{alternates}\t{}\t{}\t{info}\t{samples}",
            call.contig,
            call.position,
            call.reference,
            dot(&call.quality),
            dot(&call.filter)
        )
    }

    /// A random line.
    pub fn random(random: &mut Random) -> Line {
        if random.percent(4) {
            return Line::Broken((*random.pick(BROKEN)).to_owned());
        }
        let (reference, choices) = *random.pick(SITES);
        let mut alternates = vec![(*random.pick(choices)).to_owned()];
        if random.percent(25) {
            alternates.push((*random.pick(choices)).to_owned());
            alternates.dedup();
        }
        if random.percent(3) {
            alternates.clear();
        }
        let mut call = Call {
            contig: (*random.pick(CONTIGS)).to_owned(),
            position: 10 * (1 + random.below(POSITIONS as usize) as i64),
            reference: reference.to_owned(),
            alternates,
            quality: None,
            filter: None,
            depth: None,
            significance: None,
            frequencies: None,
            genotypes: None,
            annotations: Vec::new(),
        };
        for _ in 0..5 {
            call.change(random);
        }
        call.genotype(random);
        call.annotate(random);
        Line::Call(call)
    }
}

impl Call {
    /// Gives one of the columns outside the key another value.
    pub fn change(&mut self, random: &mut Random) {
        let maybe =
            |random: &mut Random, choices: &[&str]| (!random.percent(15)).then(|| (*random.pick(choices)).to_owned());
        match random.below(7) {
            0 => self.quality = maybe(random, QUALITIES),
            1 => self.filter = maybe(random, &["PASS", "PASS", "PASS", "q10", "q10;s50"]),
            2 => self.depth = (!random.percent(15)).then(|| random.below(40) as i64),
            3 => self.significance = maybe(random, SIGNIFICANCES),
            4 => {
                let values = ["0.5", "0.25", "1", "0.1", "0.7", "."];
                let wrong_number = usize::from(random.percent(10));
                let count = self.alternates.len() + wrong_number;
                self.frequencies = (count > 0 && random.percent(70))
                    .then(|| (0..count).map(|_| (*random.pick(&values)).to_owned()).collect());
            }
            5 => self.genotype(random),
            _ => self.annotate(random),
        }
    }

    /// Gives both samples a genotype, or none.
    fn genotype(&mut self, random: &mut Random) {
        self.genotypes =
            (!random.percent(10)).then(|| Box::new([(); 2].map(|()| (*random.pick(GENOTYPES)).to_owned())));
    }

    /// Annotates every allele, or none.
    fn annotate(&mut self, random: &mut Random) {
        self.annotations.clear();
        if random.percent(20) {
            return;
        }
        for alternate in &self.alternates {
            for _ in 0..1 + random.below(3) {
                let consequence = (*random.pick(CONSEQUENCES)).to_owned();
                self.annotations.push((alternate.clone(), consequence, (*random.pick(GENES)).to_owned()));
            }
        }
    }
}
