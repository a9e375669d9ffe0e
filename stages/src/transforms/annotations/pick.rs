//! Which of a row's entries become rows. The order is total and looks at what entries say, never at their order in the
//! file.

use std::cmp::Ordering;

use crate::transforms::annotations::{
    Pick,
    consequences::Ranks,
    layout::{BIOTYPE, CONSEQUENCE, FEATURE_ID, GENE_ID, GENE_SYMBOL, Layout},
    tape::{EntryAt, Field},
};

/// How a transcript is marked, the one to report first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    ManeSelect,
    ManePlusClinical,
    Canonical,
    None,
}

/// An entry with the severity of its consequence, which is asked for most.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    entry: EntryAt,
    severity: usize,
}

/// Picks entries of one allele.
#[derive(Debug, Default)]
pub(super) struct Picker {
    ranks: Ranks,
    /// What was picked last.
    pub picked: Vec<EntryAt>,
}

impl Picker {
    /// Picks among these entries. Returns whether one of them has a consequence with a term that is not known.
    pub fn pick(&mut self, field: Field<'_>, entries: &[EntryAt], pick: Pick, layout: &Layout) -> bool {
        self.picked.clear();
        let mut has_unknown = false;
        let ranks = &mut self.ranks;
        let mut candidate = |entry: &EntryAt| {
            let rank = layout.outputs[CONSEQUENCE].map(|at| ranks.rank(field.part(*entry, Some(at))));
            has_unknown |= rank.is_some_and(|rank| rank.has_unknown);
            Candidate { entry: *entry, severity: rank.map_or(0, |rank| rank.severity) }
        };
        let order = Order { field, layout };
        match (pick, entries) {
            (_, [only]) => {
                candidate(only);
                self.picked.push(*only);
            }
            (Pick::All, entries) => {
                for entry in entries {
                    candidate(entry);
                }
                self.picked.extend(entries);
            }
            (Pick::WorstPerGene, entries) => {
                let mut candidates: Vec<Candidate> = entries.iter().map(candidate).collect();
                // What is of no gene is not wanted beside what is.
                if candidates.iter().any(|candidate| !order.gene(candidate.entry).is_empty()) {
                    candidates.retain(|candidate| !order.gene(candidate.entry).is_empty());
                }
                candidates.sort_by(|a, b| {
                    order.gene(a.entry).cmp(order.gene(b.entry)).then_with(|| order.compare(a, b, Pick::Worst))
                });
                candidates.dedup_by(|b, a| order.gene(a.entry) == order.gene(b.entry));
                self.picked.extend(candidates.iter().map(|candidate| candidate.entry));
            }
            (Pick::Worst | Pick::Mane | Pick::Canonical, entries) => {
                let first = entries.iter().map(candidate).min_by(|a, b| order.compare(a, b, pick));
                self.picked.extend(first.map(|first| first.entry));
            }
        }
        has_unknown
    }
}

/// The order of a field's entries, the one to pick first: see the manual of the stage.
#[derive(Clone, Copy)]
struct Order<'a> {
    field: Field<'a>,
    layout: &'a Layout,
}

impl<'a> Order<'a> {
    fn compare(self, a: &Candidate, b: &Candidate, pick: Pick) -> Ordering {
        let severity = a.severity.cmp(&b.severity);
        let marks = || self.mark(a.entry).cmp(&self.mark(b.entry));
        let first = match pick {
            Pick::Mane => marks().then(severity),
            Pick::Canonical => {
                self.is_canonical(b.entry).cmp(&self.is_canonical(a.entry)).then(severity).then_with(marks)
            }
            Pick::Worst | Pick::WorstPerGene | Pick::All => severity.then_with(marks),
        };
        let by_text = |output| self.output(a.entry, output).cmp(self.output(b.entry, output));
        let is_coding = |entry| self.output(entry, BIOTYPE) == "protein_coding";
        let is_named = |entry| !self.gene(entry).is_empty();
        let is_placeholder = |entry| is_placeholder(self.output(entry, GENE_SYMBOL));
        first
            .then_with(|| is_coding(b.entry).cmp(&is_coding(a.entry)))
            .then_with(|| is_named(b.entry).cmp(&is_named(a.entry)))
            .then_with(|| is_placeholder(a.entry).cmp(&is_placeholder(b.entry)))
            .then_with(|| by_text(GENE_SYMBOL))
            .then_with(|| by_text(GENE_ID))
            .then_with(|| by_text(FEATURE_ID))
            .then_with(|| self.field.entry(a.entry).cmp(self.field.entry(b.entry)))
    }

    fn output(self, entry: EntryAt, output: usize) -> &'a str {
        self.field.part(entry, self.layout.outputs[output])
    }

    fn mark(self, entry: EntryAt) -> Mark {
        let part = |at| self.field.part(entry, at);
        // VEP writes into MANE which of the two it is; releases before 103 the matching transcript of MANE Select.
        let mane = part(self.layout.mane);
        let is_plus_clinical = mane.to_ascii_lowercase().contains("plus");
        if !part(self.layout.mane_select).is_empty() || (!mane.is_empty() && !is_plus_clinical) {
            Mark::ManeSelect
        } else if !part(self.layout.mane_plus_clinical).is_empty() || is_plus_clinical {
            Mark::ManePlusClinical
        } else if self.is_canonical(entry) {
            Mark::Canonical
        } else {
            Mark::None
        }
    }

    fn is_canonical(self, entry: EntryAt) -> bool {
        let canonical = self.field.part(entry, self.layout.canonical);
        canonical.eq_ignore_ascii_case("YES") || canonical == "1"
    }

    /// What tells genes apart: the symbol, and the identifier where there is none. Ensembl and NCBI give one gene two
    /// identifiers.
    fn gene(self, entry: EntryAt) -> &'a str {
        match self.output(entry, GENE_SYMBOL) {
            "" => self.output(entry, GENE_ID),
            symbol => symbol,
        }
    }
}

/// Whether NCBI has no name for the gene but `LOC` and its number.
fn is_placeholder(symbol: &str) -> bool {
    symbol.strip_prefix("LOC").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::{
        super::{layout::Family, tape::Tape},
        *,
    };

    const DESCRIPTION: &str =
        "Format: Consequence|SYMBOL|Feature|BIOTYPE|CANONICAL|MANE_SELECT|MANE_PLUS_CLINICAL|MANE|Gene";

    /// Picks among the entries of one field, and whether a term is not known.
    fn pick(entries: &[&str], by: Pick) -> (Vec<String>, bool) {
        let layout = Layout::from_description(Family::Declared, DESCRIPTION).expect("has a format");
        let (text, mut tape, mut picker) = (entries.join(","), Tape::default(), Picker::default());
        let field = tape.read(&text, &layout);
        let all: Vec<EntryAt> = (0..entries.len()).collect();
        let has_unknown = picker.pick(field, &all, by, &layout);
        (picker.picked.iter().map(|entry| field.entry(*entry).to_owned()).collect(), has_unknown)
    }

    fn check(by: Pick, entries: &[&str], expected: &[&str]) {
        // Every rotation, there and back, yields the same.
        for turn in 0..entries.len() {
            let mut turned = entries.to_vec();
            turned.rotate_left(turn);
            assert_eq!(pick(&turned, by).0, expected, "{by:?}");
            turned.reverse();
            assert_eq!(pick(&turned, by).0, expected, "{by:?}");
        }
    }

    #[test]
    fn marks_decide_before_or_after_severity() {
        let select = "intron_variant|A|T1|protein_coding||NM_1||";
        let plus = "synonymous_variant|A|T2|protein_coding|||NM_2|";
        let canonical = "missense_variant|A|T3|protein_coding|YES|||";
        let worst = "stop_gained|A|T4|protein_coding||||";
        let all = [select, plus, canonical, worst];
        check(Pick::Worst, &all, &[worst]);
        check(Pick::Mane, &all, &[select]);
        check(Pick::Mane, &all[1..], &[plus]);
        check(Pick::Mane, &all[2..], &[canonical]);
        check(Pick::Mane, &all[3..], &[worst]);
        check(Pick::Canonical, &all, &[canonical]);
        check(Pick::Canonical, &[select, plus, worst], &[worst]);
        // One column for both, as newer releases of VEP write it.
        let new_plus = "stop_gained|A|T5|protein_coding||||MANE_Plus_Clinical";
        let new_select = "intron_variant|A|T6|protein_coding||||MANE_Select";
        check(Pick::Mane, &[new_plus, new_select], &[new_select]);
    }

    #[test]
    fn ties_are_broken_by_what_entries_say() {
        let mane = "missense_variant|Z|T9|lncRNA||NM_1||";
        let coding = "missense_variant|B|T2|protein_coding||||";
        let other = "missense_variant|A|T1|lncRNA||||";
        let later = "missense_variant|A|T2|lncRNA||||";
        let placeholder = "missense_variant|LOC100|T1|lncRNA||||";
        let unnamed = "missense_variant||T1|lncRNA||||";
        let all = [mane, coding, other, later, placeholder, unnamed];
        for start in 0..all.len() {
            check(Pick::Worst, &all[start..], &[all[start]]);
        }
        check(Pick::Worst, &["new_term|A", "intergenic_variant|B"], &["intergenic_variant|B"]);
    }

    #[test]
    fn the_worst_of_each_gene() {
        let [a, b, c] = ["intron_variant|A|T1", "missense_variant|A|T2", "intron_variant|B|T3"];
        let regulatory = "TFBS_ablation||M1";
        let by_id = "intron_variant||T4|||||ENSG1";
        check(Pick::WorstPerGene, &[a, b, c, regulatory], &[b, c]);
        check(Pick::WorstPerGene, &[regulatory, "intergenic_variant"], &[regulatory]);
        let by_id = by_id.replacen("|||||ENSG1", "||||||ENSG1", 1);
        check(Pick::WorstPerGene, &[a, &by_id], &[a, &by_id]);
    }

    #[test]
    fn unknown_terms_are_told() {
        assert!(pick(&["new_term|A"], Pick::Worst).1);
        assert!(pick(&["intron_variant|A", "new_term|A"], Pick::All).1);
        assert!(!pick(&["intron_variant|A", "missense|A"], Pick::Mane).1);
        assert_eq!(pick(&[], Pick::Worst), (Vec::new(), false));
    }
}
