//! Every distinct classification and review status of the test data, each with the group and the stars written here by hand.

use std::collections::{BTreeMap, BTreeSet};

use vardelta_engine::expression::{functions::Functions, manual::answer};
use vardelta_stages::REGISTRY;
use vardelta_tests::shared::shared;

use super::{info, text_of};

const GROUPS: &[(&str, &str)] = &[
    ("Pathogenic", "pathogenic"),
    ("Pathogenic/Likely_pathogenic", "pathogenic"),
    ("Pathogenic/Likely pathogenic", "pathogenic"),
    ("Likely_pathogenic", "likely pathogenic"),
    ("Likely pathogenic", "likely pathogenic"),
    ("Uncertain_significance", "uncertain significance"),
    ("Uncertain significance", "uncertain significance"),
    ("Likely_benign", "likely benign"),
    ("Likely benign", "likely benign"),
    ("Benign", "benign"),
    ("Benign/Likely_benign", "benign"),
    ("Benign/Likely benign", "benign"),
    ("Benign, risk factor", "benign"),
    ("Benign, Affects", "benign"),
    ("Benign, other", "benign"),
    ("Benign/Likely benign, other", "benign"),
    ("Benign/Likely benign, risk factor", "benign"),
    ("Conflicting interpretations of pathogenicity, other", "conflicting"),
    ("Conflicting interpretations of pathogenicity, risk factor", "conflicting"),
    ("Likely benign, other", "likely benign"),
    ("Pathogenic, other", "pathogenic"),
    ("Pathogenic, other, protective", "pathogenic"),
    ("Pathogenic, protective", "pathogenic"),
    ("Pathogenic, risk factor", "pathogenic"),
    ("Uncertain significance, other", "uncertain significance"),
    ("drug response", "drug response"),
    ("drug response, other", "drug response"),
    ("Conflicting_interpretations_of_pathogenicity", "conflicting"),
    ("Conflicting interpretations of pathogenicity", "conflicting"),
    ("risk factor", "risk factor"),
    ("other", "other"),
    ("not_provided", "not provided"),
    ("not provided", "not provided"),
    ("-", "no classification"),
    ("1", "not provided"),
    ("5", "pathogenic"),
    ("2,2", "benign"),
    ("255|255|255", "other"),
];

const STARS: &[(&str, &str)] = &[
    ("practice_guideline", "4"),
    ("practice guideline", "4"),
    ("reviewed_by_expert_panel", "3"),
    ("reviewed by expert panel", "3"),
    ("criteria_provided,_multiple_submitters,_no_conflicts", "2"),
    ("criteria provided, multiple submitters, no conflicts", "2"),
    ("criteria_provided,_conflicting_interpretations", "1"),
    ("criteria provided, conflicting interpretations", "1"),
    ("criteria_provided,_single_submitter", "1"),
    ("criteria provided, single submitter", "1"),
    ("no_assertion_criteria_provided", "0"),
    ("no assertion criteria provided", "0"),
    ("no_assertion_provided", "0"),
    ("no assertion provided", "0"),
    ("no assertion for the individual variant", "0"),
];

/// What a column of a table as text holds.
fn column(text: &str, name: &str) -> Vec<String> {
    let mut lines = text.lines();
    let at =
        lines.next().and_then(|head| head.split('\t').position(|column| column == name)).expect("the column is there");
    lines.filter_map(|line| line.split('\t').nth(at)).map(str::to_owned).collect()
}

#[test]
fn every_word_of_the_test_data_has_its_meaning() {
    let test = "every_word_of_the_test_data_has_its_meaning";
    let (Some(releases), Some(tables)) = (shared(test, "data/vcf_clinvar"), shared(test, "data/clinvar_tables")) else {
        return;
    };
    let (mut significances, mut statuses) = (BTreeSet::new(), BTreeSet::new());
    for entry in std::fs::read_dir(releases).expect("a folder").flatten() {
        let text = text_of(&entry.path());
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            significances.extend(info(line, "CLNSIG").map(str::to_owned));
            statuses.extend(info(line, "CLNREVSTAT").map(str::to_owned));
        }
    }
    for name in ["macarthur_clinvar_alleles.single.b37.tsv", "macarthur_clinvar_alleles.multi.b37.tsv.gz"] {
        let text = text_of(&tables.join(name));
        significances.extend(column(&text, "clinical_significance"));
        statuses.extend(column(&text, "review_status"));
    }
    let functions = Functions::with(REGISTRY.iter().map(|stage| stage.functions()));
    for (function, found, known) in [("clinvar_group", significances, GROUPS), ("review_stars", statuses, STARS)] {
        let known: BTreeMap<&str, &str> = known.iter().copied().collect();
        let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(found, known.keys().copied().collect(), "{function}: other words than this test knows");
        for (word, meaning) in known {
            assert_eq!(answer(&functions, &format!("{function}('{word}')")).as_deref(), Ok(meaning), "{word}");
        }
    }
}
