use vardelta_engine::expression::{
    functions::Functions,
    manual::{answer, manual},
};

use super::clinvar;
use crate::REGISTRY;

fn functions() -> Functions {
    Functions::with(REGISTRY.iter().map(|stage| stage.functions()))
}

#[test]
fn the_examples_of_domain_functions_have_their_results() {
    let functions = functions();
    for function in REGISTRY.iter().flat_map(|stage| stage.functions()) {
        assert!(!function.examples.is_empty() && function.about.ends_with('.'), "{}", function.name);
        for (sql, result) in function.examples {
            assert_eq!(answer(&functions, sql).as_deref(), Ok(*result), "{sql}");
        }
        let found = functions.find(function.name).map(|found| found.about);
        assert_eq!(found, Some(function.about), "{} has the name of a built-in function", function.name);
    }
}

#[test]
fn the_manual_of_expressions_is_the_registry() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/expressions.md");
    let page = manual(&functions());
    if std::env::var_os("VARDELTA_UPDATE").is_some() {
        std::fs::write(path, &page).expect("writes");
    }
    let found = std::fs::read_to_string(path).expect("docs/expressions.md is there");
    assert!(found == page, "docs/expressions.md is stale: run this test with VARDELTA_UPDATE=1");
}

/// Values and their groups, as the rule says.
#[test]
fn compound_values_have_the_group_that_the_rule_says() {
    let functions = functions();
    for (value, group) in [
        ("Pathogenic/Likely_pathogenic/Pathogenic,_low_penetrance", "pathogenic"),
        ("Likely_pathogenic,_low_penetrance", "likely pathogenic, low penetrance"),
        ("Likely_pathogenic/Likely_risk_allele", "likely pathogenic"),
        ("Uncertain_significance/Uncertain_risk_allele", "uncertain significance"),
        ("Benign/Likely_benign|association", "benign"),
        ("Benign/Likely benign, other", "benign"),
        ("Likely_benign,_drug_response,_other", "likely benign"),
        ("Conflicting_interpretations_of_pathogenicity,_risk_factor", "conflicting"),
        ("risk_factor|drug_response", "risk factor"),
        ("no_classification_for_the_single_variant", "no classification"),
        ("not_provided", "not provided"),
        ("Oncogenic/Likely_oncogenic", "oncogenic"),
        ("Tier_I_-_Strong", "tier i"),
        ("Tier_IV_-_Benign/Likely_benign", "tier iv"),
        ("Tier_II_-_Potential|Tier_IV_-_Benign/Likely_benign", "tier ii"),
        ("5|2", "conflicting"),
        ("Pathogenic|Uncertain_significance", "conflicting"),
        ("255|255|255", "other"),
        ("2,2", "benign"),
        ("Benign|a_new_term", "benign"),
        ("", ""),
    ] {
        assert_eq!(answer(&functions, &format!("clinvar_group('{value}')")).as_deref(), Ok(group), "{value}");
    }
    for (value, stars) in [
        ("criteria provided, multiple submitters, no conflicts", "2"),
        ("criteria_provided,_conflicting_classifications", "1"),
        ("mult|single", "2"),
        ("no_criteria,single", "1"),
        ("new|reviewed_by_expert_panel", "3"),
    ] {
        assert_eq!(answer(&functions, &format!("review_stars('{value}')")).as_deref(), Ok(stars), "{value}");
    }
    assert_eq!(clinvar::FUNCTIONS.len(), 3);
}

mod warnings {
    use crate::{
        test_support::{plan, read_vcf, rows, run, table, vcf},
        transforms::{filter::FILTER, select::SELECT},
    };
    use vardelta_engine::contract::batch::Batch;

    const HEADER: [&str; 1] = ["##INFO=<ID=S,Number=.,Type=String,Description=\"x\">"];

    #[test]
    fn a_term_that_is_not_known_is_counted_with_its_place_and_kept() {
        let records = ["1 7 A C S=Benign", "1 8 A C S=Brand_new", "1 9 A C S=Brand_new|Pathogenic", "1 10 A C ."];
        let input = read_vcf(&vcf(&HEADER, &records), &["S"]);
        let columns = table(&[("grp", "clinvar_group(info_s)")]);
        let transform = plan(&SELECT, &[("columns", columns)], &input.schema).expect("plans");
        let emit = run(&*transform, &input.batch);
        assert_eq!(rows(&emit, &["grp"]), ["benign", "brand new", "pathogenic", "NULL"]);
        assert!(emit.rejects.is_empty());
        let told: Vec<_> = emit.warnings.clone().into_entries().collect();
        let [(code, term, warned)] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((*code, term.as_str(), warned.count, warned.first), ("unknown_term", "brand new", 2, Some(2)));

        // Where another part decides, nobody asked.
        let condition = crate::test_support::text("pos = 7 OR clinvar_group(info_s) = 'pathogenic'");
        let transform = plan(&FILTER, &[("where", condition)], &input.schema).expect("plans");
        assert_eq!(run(&*transform, &input.batch).warnings.count("unknown_term"), 2);

        // What is taken back was reported when it came.
        let columns = table(&[("grp", "clinvar_group(info_s)")]);
        let transform = plan(&SELECT, &[("columns", columns)], &input.schema).expect("plans");
        let changes = Batch::changes(input.batch.columns.clone(), vec![1, -1, 1, -1]);
        assert_eq!(run(&*transform, &changes).warnings.count("unknown_term"), 1);
    }
}
