//! The reason codes of rejects and warnings: short stable words that reports count by and users search for.

/// Every reason for which a stage of this crate rejects a record or one of its rows, with its meaning.
pub const REASONS: &[(&str, &str)] = &[
    // vcf
    ("bad_alt", "ALT is empty, has an empty item, or holds characters that no allele can have"),
    ("bad_contig", "CHROM is empty, `.` or holds white space"),
    ("bad_position", "POS is not a whole number from 0 to 9223372036854775807"),
    ("bad_qual", "QUAL is neither a number nor `.`"),
    ("bad_ref", "REF is empty or holds characters other than IUPAC base letters"),
    ("missing_columns", "the line has fewer than the eight fixed columns"),
    ("not_tab_separated", "the line's columns are separated by spaces instead of tabs"),
    ("sample_columns", "the line has more or fewer sample columns than the header names"),
];

/// Every kind of adaptation that a stage of this crate counts without rejecting anything, with its meaning.
pub const WARNINGS: &[(&str, &str)] = &[
    // vcf
    ("bad_format_value", "a FORMAT value does not fit its type: NULL"),
    ("bad_genotype", "GT names an allele that the record does not have, or is no genotype: NULL, zygosity included"),
    ("bad_info_value", "an INFO value does not fit its type, or its key stands without a value: NULL"),
    ("blank_line", "a blank line was skipped"),
    ("byte_order_mark", "a byte order mark before the header was skipped"),
    ("comment_line", "a line starting with # between the records was skipped"),
    ("duplicate_definition", "the header defines the same ID twice: the first stands"),
    ("duplicate_info_key", "an INFO key stands twice in one record: the first stands"),
    ("empty_field", "ID, FILTER or INFO is empty: read as `.`"),
    ("female_y", "a female has a call on the Y chromosome: her genotype there is missing"),
    ("flag_with_value", "an INFO flag has a value: read as true"),
    (
        "half_call",
        "some alleles of a genotype were not called: het where an alternate was called, missing where only the reference was",
    ),
    ("header_blank_line", "a blank line in the header was skipped"),
    ("invalid_utf8", "a value is not UTF-8: its undecodable bytes became U+FFFD"),
    ("iupac_base", "REF or ALT holds an IUPAC ambiguity code: kept"),
    ("no_fileformat", "the header has no usable ##fileformat line: read as VCF 4.0"),
    ("qual_not_finite", "QUAL is NaN, infinite or out of range: NULL"),
    ("sample_not_in_file", "`include_samples` names a sample that the file does not have (once per sample and drop)"),
    ("sample_not_in_ped", "the PED file does not name a sample: its sex is unknown (once per sample and drop)"),
    ("trailing_header_tab", "the #CHROM line ends with a tab: ignored"),
];

#[cfg(test)]
mod tests {
    use super::{REASONS, WARNINGS};

    #[test]
    fn codes_are_unique_words() {
        for list in [REASONS, WARNINGS] {
            let mut codes: Vec<&str> = list.iter().map(|(code, _)| *code).collect();
            codes.sort_unstable();
            codes.dedup();
            assert_eq!(codes.len(), list.len());
            assert!(
                codes
                    .iter()
                    .all(|code| code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'))
            );
        }
    }
}
