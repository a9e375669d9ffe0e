//! Counts of what was adapted rather than refused; cheap enough to keep per value.

use vardelta_engine::stage::Emit;

/// What was adapted. The codes are explained in [`crate::reasons::WARNINGS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Warning {
    BadFormatValue,
    BadGenotype,
    BadInfoValue,
    BlankLine,
    ByteOrderMark,
    CommentLine,
    DuplicateDefinition,
    DuplicateInfoKey,
    EmptyField,
    FemaleY,
    FlagWithValue,
    HalfCall,
    HeaderBlankLine,
    InvalidUtf8,
    IupacBase,
    NoFileformat,
    QualNotFinite,
    SampleNotInFile,
    SampleNotInPed,
    TrailingHeaderTab,
}

/// The stable codes, in the order of the variants.
const CODES: [&str; 20] = [
    "bad_format_value",
    "bad_genotype",
    "bad_info_value",
    "blank_line",
    "byte_order_mark",
    "comment_line",
    "duplicate_definition",
    "duplicate_info_key",
    "empty_field",
    "female_y",
    "flag_with_value",
    "half_call",
    "header_blank_line",
    "invalid_utf8",
    "iupac_base",
    "no_fileformat",
    "qual_not_finite",
    "sample_not_in_file",
    "sample_not_in_ped",
    "trailing_header_tab",
];

/// One count per warning.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally([u64; CODES.len()]);

impl Tally {
    /// Counts one.
    pub fn count(&mut self, warning: Warning) {
        self.add(warning, 1);
    }

    /// Counts some.
    pub fn add(&mut self, warning: Warning, count: u64) {
        self.0[warning as usize] += count;
    }

    /// Hands the counts over.
    pub fn report(&self, emit: &mut Emit) {
        for (code, count) in CODES.iter().zip(self.0) {
            emit.warn(code, count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_documented_and_belongs_to_its_variant() {
        for code in CODES {
            assert!(crate::reasons::WARNINGS.iter().any(|(known, _)| *known == code), "{code} is not documented");
        }
        let mut tally = Tally::default();
        tally.count(Warning::TrailingHeaderTab);
        tally.count(Warning::BadFormatValue);
        tally.count(Warning::BadFormatValue);
        let mut emit = Emit::default();
        tally.report(&mut emit);
        let expected = [("bad_format_value", 2), ("trailing_header_tab", 1)];
        assert_eq!(emit.warnings.into_iter().collect::<Vec<_>>(), expected);
    }
}
