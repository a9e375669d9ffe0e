//! How well a classification is reviewed.

/// Every review status, with its stars.
const STATUSES: &[(&str, i64)] = &[
    ("practice guideline", 4),
    ("guideline", 4),
    ("prof", 4),
    ("reviewed by expert panel", 3),
    ("reviewed by professional society", 3),
    ("exp", 3),
    ("criteria provided, multiple submitters, no conflicts", 2),
    ("criteria provided, multiple submitters", 2),
    ("mult", 2),
    ("criteria provided, conflicting classifications", 1),
    ("criteria provided, conflicting interpretations", 1),
    ("criteria provided, single submitter", 1),
    ("conf", 1),
    ("single", 1),
    ("no assertion criteria provided", 0),
    ("no assertion provided", 0),
    ("no assertion for the individual variant", 0),
    ("no classification provided", 0),
    ("no classification for the single variant", 0),
    ("no classification for the individual variant", 0),
    ("no classifications from unflagged records", 0),
    ("no interpretation for the single variant", 0),
    ("flagged submission", 0),
    ("no assertion", 0),
    ("no criteria", 0),
    ("not", 0),
    ("-", 0),
];

/// The stars of a value whose words have one blank between them; `None` where no status of it is known. `unknown` gets those
/// that are not.
pub(super) fn stars(text: &str, mut unknown: impl FnMut(&str)) -> Option<i64> {
    let mut most = None;
    for part in text.split(['|', ';']).map(str::trim).filter(|part| !part.is_empty()) {
        let known = |status: &str| STATUSES.iter().find(|(name, _)| *name == status).map(|(_, stars)| *stars);
        let of_part = known(part).or_else(|| {
            // Short words have commas between them; the long ones hold commas themselves.
            let several: Option<Vec<i64>> = part.split(',').map(|status| known(status.trim())).collect();
            several.and_then(|stars| stars.into_iter().max())
        });
        match of_part {
            None => unknown(part),
            Some(stars) => most = most.max(Some(stars)),
        }
    }
    most
}
