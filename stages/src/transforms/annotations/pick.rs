//! Which of a row's entries become rows. The order is total and looks at what entries say, never at their order in the
//! file.

use std::cmp::Ordering;

use crate::transforms::annotations::{
    Pick,
    consequences::rank,
    layout::{BIOTYPE, CONSEQUENCE, FEATURE_ID, GENE_ID, GENE_SYMBOL, Layout},
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
struct Candidate<'a> {
    entry: &'a str,
    severity: usize,
}

/// Picks entries of one allele into `picked`. Returns whether an entry has a consequence with a term that is not known.
pub(super) fn pick<'a>(entries: &[&'a str], pick: Pick, layout: &Layout, picked: &mut Vec<&'a str>) -> bool {
    picked.clear();
    let mut has_unknown = false;
    let mut candidate = |entry: &&'a str| {
        let rank = layout.outputs[CONSEQUENCE].map(|at| rank(layout.part(entry, Some(at))));
        has_unknown |= rank.is_some_and(|rank| rank.has_unknown);
        Candidate { entry, severity: rank.map_or(0, |rank| rank.severity) }
    };
    match (pick, entries) {
        (_, [only]) => {
            candidate(only);
            picked.push(only);
        }
        (Pick::All, entries) => {
            for entry in entries {
                candidate(entry);
            }
            picked.extend(entries);
        }
        (Pick::WorstPerGene, entries) => {
            let mut candidates: Vec<Candidate> = entries.iter().map(candidate).collect();
            // What is of no gene is not wanted beside what is.
            if candidates.iter().any(|candidate| !gene(candidate.entry, layout).is_empty()) {
                candidates.retain(|candidate| !gene(candidate.entry, layout).is_empty());
            }
            candidates.sort_by(|a, b| {
                gene(a.entry, layout).cmp(gene(b.entry, layout)).then_with(|| order(a, b, Pick::Worst, layout))
            });
            candidates.dedup_by(|b, a| gene(a.entry, layout) == gene(b.entry, layout));
            picked.extend(candidates.iter().map(|candidate| candidate.entry));
        }
        (Pick::Worst | Pick::Mane | Pick::Canonical, entries) => {
            let candidates: Vec<Candidate> = entries.iter().map(candidate).collect();
            picked.extend(candidates.iter().min_by(|a, b| order(a, b, pick, layout)).map(|first| first.entry));
        }
    }
    has_unknown
}

/// The order of entries, the one to pick first: see the manual of the stage.
fn order(a: &Candidate<'_>, b: &Candidate<'_>, pick: Pick, layout: &Layout) -> Ordering {
    let severity = a.severity.cmp(&b.severity);
    let marks = || mark(a.entry, layout).cmp(&mark(b.entry, layout));
    let first = match pick {
        Pick::Mane => marks().then(severity),
        Pick::Canonical => {
            is_canonical(b.entry, layout).cmp(&is_canonical(a.entry, layout)).then(severity).then_with(marks)
        }
        Pick::Worst | Pick::WorstPerGene | Pick::All => severity.then_with(marks),
    };
    let part = |entry, output: usize| layout.part(entry, layout.outputs[output]);
    let by_text = |output| part(a.entry, output).cmp(part(b.entry, output));
    let is_coding = |entry| part(entry, BIOTYPE) == "protein_coding";
    let is_named = |entry| !gene(entry, layout).is_empty();
    let is_placeholder = |entry| is_placeholder(part(entry, GENE_SYMBOL));
    first
        .then_with(|| is_coding(b.entry).cmp(&is_coding(a.entry)))
        .then_with(|| is_named(b.entry).cmp(&is_named(a.entry)))
        .then_with(|| is_placeholder(a.entry).cmp(&is_placeholder(b.entry)))
        .then_with(|| by_text(GENE_SYMBOL))
        .then_with(|| by_text(GENE_ID))
        .then_with(|| by_text(FEATURE_ID))
        .then_with(|| a.entry.cmp(b.entry))
}

fn mark(entry: &str, layout: &Layout) -> Mark {
    // VEP writes into MANE which of the two it is; releases before 103 the matching transcript of MANE Select.
    let mane = layout.part(entry, layout.mane);
    let is_plus_clinical = mane.to_ascii_lowercase().contains("plus");
    if !layout.part(entry, layout.mane_select).is_empty() || (!mane.is_empty() && !is_plus_clinical) {
        Mark::ManeSelect
    } else if !layout.part(entry, layout.mane_plus_clinical).is_empty() || is_plus_clinical {
        Mark::ManePlusClinical
    } else if is_canonical(entry, layout) {
        Mark::Canonical
    } else {
        Mark::None
    }
}

fn is_canonical(entry: &str, layout: &Layout) -> bool {
    let canonical = layout.part(entry, layout.canonical);
    canonical.eq_ignore_ascii_case("YES") || canonical == "1"
}

/// What tells genes apart: the symbol, and the identifier where there is none. Ensembl and NCBI give one gene two
/// identifiers.
fn gene<'a>(entry: &'a str, layout: &Layout) -> &'a str {
    match layout.part(entry, layout.outputs[GENE_SYMBOL]) {
        "" => layout.part(entry, layout.outputs[GENE_ID]),
        symbol => symbol,
    }
}

/// Whether NCBI has no name for the gene but `LOC` and its number.
fn is_placeholder(symbol: &str) -> bool {
    symbol.strip_prefix("LOC").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::{super::layout::Family, *};

    const DESCRIPTION: &str =
        "Format: Consequence|SYMBOL|Feature|BIOTYPE|CANONICAL|MANE_SELECT|MANE_PLUS_CLINICAL|MANE|Gene";

    fn check(by: Pick, entries: &[&str], expected: &[&str]) {
        let layout = Layout::from_description(Family::Declared, DESCRIPTION).expect("has a format");
        let mut picked = Vec::new();
        // Every rotation, there and back, yields the same.
        for turn in 0..entries.len() {
            let mut turned = entries.to_vec();
            turned.rotate_left(turn);
            pick(&turned, by, &layout, &mut picked);
            assert_eq!(picked, expected, "{by:?}");
            turned.reverse();
            pick(&turned, by, &layout, &mut picked);
            assert_eq!(picked, expected, "{by:?}");
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
        let layout = Layout::from_description(Family::Declared, DESCRIPTION).expect("has a format");
        let mut picked = Vec::new();
        assert!(pick(&["new_term|A"], Pick::Worst, &layout, &mut picked));
        assert!(pick(&["intron_variant|A", "new_term|A"], Pick::All, &layout, &mut picked));
        assert!(!pick(&["intron_variant|A", "missense|A"], Pick::Mane, &layout, &mut picked));
        assert!(!pick(&[], Pick::Worst, &layout, &mut picked) && picked.is_empty());
    }
}
