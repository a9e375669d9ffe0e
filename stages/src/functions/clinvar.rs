//! What ClinVar's words mean: `clinvar_group`, `clinvar_rank` and `review_stars`.
//!
//! The words are those of ClinVar's VCF (`CLNSIG`, `CLNREVSTAT`, since 2024 also `ONC`, `ONCREVSTAT`, `SCI`, `SCIREVSTAT`), of
//! `variant_summary.txt`, and of the VCF files up to 2017, which held numbers and short words. See
//! <https://www.ncbi.nlm.nih.gov/clinvar/docs/clinsig/> and <https://www.ncbi.nlm.nih.gov/clinvar/docs/review_status/>.

mod review;
mod significance;

use vardelta_engine::expression::{
    call::{Call, Stop},
    functions::{
        ABSENT, Accepts,
        Database::{MariaDb, MySql, Sqlite},
        Family, Function, Nulls, Parameter, Returns,
    },
};

/// The functions, for the stage type that brings them.
pub static FUNCTIONS: &[Function] = &[
    domain(
        "clinvar_group",
        "The group of a classification of ClinVar. One value may hold several terms: `/` and `|` separate them, and so do `,` \
         and `;` unless `low penetrance` follows; blanks and underscores are the same, as are upper and lower case. Terms of \
         more than one of the sides pathogenic, uncertain and benign are `conflicting`. Otherwise the first of these that is \
         among them: `conflicting`, `pathogenic`, `likely pathogenic`, `pathogenic, low penetrance`, `likely pathogenic, low \
         penetrance`, `uncertain significance`, `benign`, `likely benign`, `oncogenic`, `likely oncogenic`, `tier i`, `tier \
         ii`, `tier iii`, `tier iv`, `established risk allele`, `likely risk allele`, `uncertain risk allele`, `risk factor`, \
         `association`, `protective`, `affects`, `confers sensitivity`, `drug response`, `association not found`, `other`, `not \
         provided`, `no classification`. The numbers of files up to 2017 (`5|2`) are read too. A term that is not known is \
         counted and reported (`unknown_term`); a value of such terms alone stays as it is, in lower case with blanks.",
    )
    .takes(&[Parameter::one("clnsig", Accepts::Text)])
    .gives(Returns::Text, |call| call.texts(|row, out| group(call, row, out)))
    .fails()
    .examples(&[
        ("clinvar_group('Pathogenic/Likely_pathogenic|drug_response')", "pathogenic"),
        ("clinvar_group('Pathogenic,_low_penetrance')", "pathogenic, low penetrance"),
        ("clinvar_group('Conflicting_classifications_of_pathogenicity')", "conflicting"),
        ("clinvar_group('drug_response')", "drug response"),
        ("clinvar_group('A_new_term')", "a new term"),
    ]),
    domain(
        "clinvar_rank",
        "How far a classification of ClinVar leans, by its `clinvar_group`: 2 for pathogenic, 1 for likely pathogenic and for both \
         with low penetrance, -1 for likely benign, -2 for benign, 0 for every other group.",
    )
    .takes(&[Parameter::one("clnsig", Accepts::Text)])
    .gives(Returns::Int, |call| {
        call.ints(|row| {
            let text = plain(call.text(0).at(row));
            Ok(significance::group(&text, |term| call.unknown_term(row, term)).map_or(0, significance::rank))
        })
    })
    .fails()
    .examples(&[
        ("clinvar_rank('Pathogenic/Likely_pathogenic')", "2"),
        ("clinvar_rank('Uncertain_significance')", "0"),
        ("clinvar_rank('Likely_benign')", "-1"),
    ]),
    domain(
        "review_stars",
        "The stars, 0 to 4, of a review status of ClinVar: 4 for a practice guideline, 3 for an expert panel, 2 for several \
         submitters with criteria and no conflict, 1 for other criteria, 0 for none. Blanks and underscores are the same, as are \
         upper and lower case; of several statuses with `|` between them the greatest counts. The short words of files up to \
         2017 (`mult`, `single`) are read too. A status that is not known is counted and reported (`unknown_term`).",
    )
    .takes(&[Parameter::one("clnrevstat", Accepts::Text)])
    .gives(Returns::Int, |call| call.ints(|row| stars(call, row)))
    .nulls(Nulls::Also("where no status is known"))
    .fails()
    .examples(&[
        ("review_stars('criteria_provided,_multiple_submitters,_no_conflicts')", "2"),
        ("review_stars('practice_guideline')", "4"),
        ("review_stars('no_assertion_criteria_provided')", "0"),
        ("review_stars('five_stars')", "NULL"),
    ]),
];

const fn domain(name: &'static str, about: &'static str) -> Function {
    Function::new(Family::Domain, name, about).elsewhere(&[(MySql, ABSENT), (MariaDb, ABSENT), (Sqlite, ABSENT)])
}

fn group(call: &Call<'_>, row: usize, out: &mut String) -> Result<(), Stop> {
    let text = plain(call.text(0).at(row));
    match significance::group(&text, |term| call.unknown_term(row, term)) {
        Some(group) => out.push_str(group),
        None => out.push_str(&text),
    }
    Ok(())
}

fn stars(call: &Call<'_>, row: usize) -> Result<i64, Stop> {
    let text = plain(call.text(0).at(row));
    review::stars(&text, |status| call.unknown_term(row, status)).ok_or(Stop::Null)
}

/// A value of ClinVar in lower case, with one blank where blanks and underscores are.
fn plain(value: &str) -> String {
    let lower = value.to_ascii_lowercase();
    let words = lower.split(|c: char| c == '_' || c.is_whitespace()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}
