//! "Did you mean": the nearest of some known names.

/// Characters of a name that is compared, at the most: the work grows with the square of it.
const CHARACTERS_MAX: usize = 64;
/// Names that a message lists, at the most.
const LISTED_MAX: usize = 50;

/// Names for a message: all of them, or the first ones and how many more there are.
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names = names.into_iter();
    let first: Vec<&str> = names.by_ref().take(LISTED_MAX).collect();
    match names.count() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// The known name nearest to `name`, if one is near enough to be meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let (lower, length) = (name.to_lowercase(), name.chars().count());
    if length > CHARACTERS_MAX {
        return None;
    }
    known
        .into_iter()
        .filter_map(|candidate| {
            let other = candidate.chars().count();
            let allowed = 1 + other.max(length) / 4;
            // Names of very different lengths are far apart, whatever they say.
            if other > CHARACTERS_MAX || other.abs_diff(length) > allowed {
                return None;
            }
            let distance = strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
            (distance <= allowed).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::{listed, nearest};

    #[test]
    fn lists_the_first_names() {
        assert_eq!(listed(["a", "b"]), "a, b");
        let names: Vec<String> = (0..60).map(|name| name.to_string()).collect();
        assert!(listed(names.iter().map(String::as_str)).ends_with("48, 49 and 10 more"));
    }

    #[test]
    fn finds_slips_and_leaves_strangers() {
        let known = ["gene_symbol", "chrom", "pos"];
        assert_eq!(nearest("gene_symbl", known), Some("gene_symbol"));
        assert_eq!(nearest("CHROM", known), Some("chrom"));
        assert_eq!(nearest("consequence", known), None);
    }
}
