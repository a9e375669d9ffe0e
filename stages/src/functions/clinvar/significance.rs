//! The terms of a classification, and the group that they make.

/// On which side of the question a term is: two sides in one value contradict each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Pathogenic,
    Uncertain,
    Benign,
    /// It answers another question.
    None,
}

/// The groups, those that count first: each with its side and the other spellings of its terms.
const GROUPS: &[(&str, Side, &[&str])] = &[
    (
        "conflicting",
        Side::None,
        &[
            "conflicting classifications of pathogenicity",
            "conflicting interpretations of pathogenicity",
            "conflicting classifications of oncogenicity",
            "conflicting classifications",
            "conflicting interpretations",
            "conflicting data from submitters",
        ],
    ),
    ("pathogenic", Side::Pathogenic, &["5"]),
    ("likely pathogenic", Side::Pathogenic, &["probable-pathogenic", "probably pathogenic", "4"]),
    ("pathogenic, low penetrance", Side::Pathogenic, &[]),
    ("likely pathogenic, low penetrance", Side::Pathogenic, &[]),
    ("uncertain significance", Side::Uncertain, &["unknown significance", "vus", "0"]),
    ("benign", Side::Benign, &["non-pathogenic", "2"]),
    ("likely benign", Side::Benign, &["probable-non-pathogenic", "probably not pathogenic", "3"]),
    ("oncogenic", Side::None, &[]),
    ("likely oncogenic", Side::None, &[]),
    ("tier i", Side::None, &["tier i - strong"]),
    ("tier ii", Side::None, &["tier ii - potential"]),
    ("tier iii", Side::None, &["tier iii - unknown"]),
    ("tier iv", Side::None, &["tier iv - benign", "tier iv - likely benign", "tier iv - benign/likely benign"]),
    ("established risk allele", Side::None, &[]),
    ("likely risk allele", Side::None, &[]),
    ("uncertain risk allele", Side::None, &[]),
    ("risk factor", Side::None, &[]),
    ("association", Side::None, &[]),
    ("protective", Side::None, &[]),
    ("affects", Side::None, &[]),
    ("confers sensitivity", Side::None, &[]),
    ("drug response", Side::None, &["drug-response", "6"]),
    ("association not found", Side::None, &[]),
    ("other", Side::None, &["histocompatibility", "7", "255"]),
    ("not provided", Side::None, &["untested", "1"]),
    (
        "no classification",
        Side::None,
        &[
            "-",
            "no classification provided",
            "no classification for the single variant",
            "no classification for the individual variant",
            "no classifications from unflagged records",
            "no interpretation for the single variant",
            "no interpretation provided",
        ],
    ),
];

/// What belongs to the term before a comma.
const LOW_PENETRANCE: &str = "low penetrance";

/// The group of a value whose words have one blank between them; `None` where no term of it is known. `unknown` gets the terms
/// that are not.
pub(super) fn group(text: &str, mut unknown: impl FnMut(&str)) -> Option<&'static str> {
    let mut first: Option<usize> = None;
    let (mut side, mut conflict) = (Side::None, false);
    let (mut somatic, mut rest) = (None, text);
    // The one term that holds a slash itself.
    if let Some((before, after)) = text.split_once("tier iv - benign/likely benign") {
        somatic = Some(before);
        rest = after;
    }
    for term in somatic.into_iter().flat_map(terms).chain(terms(rest)) {
        match GROUPS.iter().position(|(name, _, spellings)| *name == term || spellings.contains(&term)) {
            None => unknown(term),
            Some(at) => {
                let found = GROUPS[at].1;
                conflict |= side != Side::None && found != Side::None && found != side;
                if found != Side::None {
                    side = found;
                }
                first = Some(first.map_or(at, |known| known.min(at)));
            }
        }
    }
    if somatic.is_some() {
        let tier = GROUPS.iter().position(|(name, ..)| *name == "tier iv");
        first = [first, tier].into_iter().flatten().min();
    }
    match conflict {
        true => Some(GROUPS[0].0),
        false => first.map(|at| GROUPS[at].0),
    }
}

/// How far a group leans to the pathogenic side.
pub(super) fn rank(group: &str) -> i64 {
    match group {
        "pathogenic" => 2,
        "likely pathogenic" | "pathogenic, low penetrance" | "likely pathogenic, low penetrance" => 1,
        "likely benign" => -1,
        "benign" => -2,
        _ => 0,
    }
}

/// The terms of a value.
fn terms(text: &str) -> impl Iterator<Item = &str> {
    text.split(['|', '/', ';']).flat_map(|part| {
        let mut rest = Some(part);
        std::iter::from_fn(move || {
            let part = rest.take()?;
            // A comma ends a term unless what follows it belongs to it.
            let ends = part.match_indices(',').map(|(at, _)| at);
            let end = ends.into_iter().find(|at| !part[at + 1..].trim_start().starts_with(LOW_PENETRANCE));
            rest = end.map(|at| &part[at + 1..]);
            Some(part[..end.unwrap_or(part.len())].trim())
        })
        .filter(|term| !term.is_empty())
    })
}
