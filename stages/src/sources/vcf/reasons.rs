//! Why the `vcf` source rejects a record, and what it adapts and counts.

use vardelta_engine::reasons;

use crate::sources::shared::tally::warnings;

reasons! {
    /// What is rejected.
    pub(super) REJECTS:
    reject BAD_ALT = "bad_alt":
        "ALT is empty, has an empty item, or holds characters that no allele can have or that are not UTF-8"
        => "write `.` where there is no alternate allele; symbolic alleles are in angle brackets";
    reject BAD_CONTIG = "bad_contig":
        "CHROM is empty, `.`, holds white space or is not UTF-8"
        => "name the contig";
    reject BAD_FILTER = "bad_filter":
        "FILTER is not UTF-8: filters that differ in such bytes alone could not be told apart"
        => "convert the file to UTF-8, for example with `iconv -f latin1 -t utf8`";
    reject BAD_POSITION = "bad_position":
        "POS is not a whole number from 0 to 9223372036854775807"
        => "write the 1-based position in digits alone";
    reject BAD_QUAL = "bad_qual":
        "QUAL is neither a number nor `.` nor empty"
        => "write `.` where there is no quality";
    reject BAD_REF = "bad_ref":
        "REF is empty or holds characters other than IUPAC base letters"
        => "write the reference bases, N where they are unknown";
    reject MISSING_COLUMNS = "missing_columns":
        "the line has fewer than the eight fixed columns"
        => "look for a line that was cut or broken in two";
    reject NOT_TAB_SEPARATED = "not_tab_separated":
        "the line's columns are separated by spaces instead of tabs"
        => "take the original file: an editor or a copy through a terminal replaced the tabs";
    reject POSITION_BEYOND_CONTIG = "position_beyond_contig":
        "POS lies past the end of its contig, by the pipeline's assembly"
        => "look for a file of another assembly, or a POS that was shifted";
    reject SAMPLE_COLUMNS = "sample_columns":
        "the line has more or fewer sample columns than the header names"
        => "look for a line that was cut, or for samples that were added without the header";
    reject UNKNOWN_CONTIG = "unknown_contig":
        "the pipeline's assembly has no such contig, and `unknown_contigs` is \"reject\""
        => "load such contigs with `unknown_contigs = \"keep\"`, or correct `assembly`";
    reject VALUE_TOO_LONG = "value_too_long":
        "ID, REF, ALT, FILTER, or a field that is read, is longer than 33554432 bytes"
        => "leave the field out of `info` or `format`; write a long allele as a symbolic one";
}

warnings! {
    BadDefinition = "bad_definition":
        "an INFO or FORMAT line of the header has no ID, or no Number or Type that there is: read as far as it goes, else as text"
        => "correct the line, or say what the field is: `{ name = ..., type = ..., number = ... }`";
    BadFormatValue = "bad_format_value":
        "a FORMAT value does not fit its type: NULL"
        => "correct the value, or read the field as `{ name = ..., type = \"String\" }`";
    BadGenotype = "bad_genotype":
        "GT names an allele that the record does not have, or is no genotype: NULL, and so is zygosity"
        => "split and merge records with a tool that renumbers genotypes";
    BadInfoValue = "bad_info_value":
        "an INFO value does not fit its type, or its key has no value: NULL"
        => "correct the value, or read the field as `{ name = ..., type = \"String\" }`";
    BlanksAround = "blanks_around":
        "FILTER or an INFO entry that is read has blanks around a name, `=` or a value (`DP = 7`, `PASS `): read without them"
        => "write no blanks there: other tools take them for a part of the name";
    BlankLine = "blank_line": "a blank line was skipped" => "nothing needs to be done";
    ByteOrderMark = "byte_order_mark":
        "a byte order mark before the header was skipped"
        => "save the file as UTF-8 without byte order mark";
    CommentLine = "comment_line":
        "a line starting with # between the records was skipped"
        => "nothing needs to be done; a second header that says the same comes from files joined with `cat`";
    DecimalInteger = "decimal_integer":
        "a whole number is written as a decimal such as `5.0`: read as the integer"
        => "write integers without a decimal point, or declare the field as Float";
    DuplicateDefinition = "duplicate_definition":
        "the header defines the same ID twice: the first is used"
        => "remove one of the lines";
    DuplicateFormatKey = "duplicate_format_key":
        "a FORMAT key occurs twice in one record: the first is used"
        => "write each key once";
    DuplicateInfoKey = "duplicate_info_key":
        "an INFO key occurs twice in one record: the first is used"
        => "write each key once";
    EmptyField = "empty_field": "ID, QUAL, FILTER or INFO is empty: read as `.`" => "write `.` for a missing value";
    FemaleY = "female_y":
        "a female, by the PED file, has a call on the Y chromosome: her genotype there is missing"
        => "check the PED file and the sample; reads of X may be misplaced";
    ExtraFormatValue = "extra_format_value":
        "a sample has more values than FORMAT has keys: what has no key is left out"
        => "look for a `:` inside a value, or for a key that FORMAT lacks";
    FlagWithValue = "flag_with_value":
        "an INFO flag has a value: read as true"
        => "write the key alone, or read the field as `{ name = ..., type = \"String\" }`";
    HalfCall = "half_call":
        "some alleles of a genotype were not called: het where an alternate was, missing where only the reference was"
        => "nothing needs to be done";
    HeaderBlankLine = "header_blank_line": "a blank line in the header was skipped" => "nothing needs to be done";
    InvalidUtf8 = "invalid_utf8":
        "a value is not UTF-8: each undecodable byte became U+FFFD and its two hexadecimal digits"
        => "convert the file to UTF-8, for example with `iconv -f latin1 -t utf8`";
    IupacBase = "iupac_base": "REF or ALT holds an IUPAC ambiguity code: kept" => "nothing needs to be done";
    NoFileformat = "no_fileformat":
        "the header has no usable ##fileformat line: read as VCF 4.0"
        => "begin the file with its version: percent-encoded values are decoded from 4.3 on";
    OutsideRegions = "outside_regions":
        "a record lies outside the source's regions: not read (those that an index passes over are not counted)"
        => "widen `regions` or `regions_file` if it was wanted";
    NoFinalNewline = "no_final_newline":
        "the file's last line has no line end: read as it is, but it may have been cut"
        => "check the last record, and that the file was delivered whole";
    QualNotFinite = "qual_not_finite":
        "QUAL is NaN, infinite or out of range: NULL"
        => "write a finite number, or `.`";
    SampleNotInFile = "sample_not_in_file":
        "`include_samples` names a sample that the file does not have; counted per sample and drop"
        => "check the spelling; a file of other samples needs nothing";
    SampleNotInPed = "sample_not_in_ped":
        "the PED file does not name a sample, whose sex is therefore unknown; counted per sample and drop"
        => "add the sample to the PED file, by the name its rows have";
    UndeclaredContig = "undeclared_contig":
        "records lie on a contig that the header does not list, though it lists others: kept; counted per name and drop"
        => "look for a file that was renamed or joined without its header";
    UndeclaredFilter = "undeclared_filter":
        "FILTER names a filter that the header does not declare: kept; counted per name and drop"
        => "add the ##FILTER line: other tools refuse to convert such files";
    UndeclaredFormat = "undeclared_format":
        "a FORMAT field that is read is not declared in the header: read as the pipeline or the specification types it; counted per name and drop"
        => "add the ##FORMAT line, or check the field's name";
    UndeclaredInfo = "undeclared_info":
        "an INFO field that is read is not declared in the header: read as the pipeline or the specification types it; counted per name and drop"
        => "add the ##INFO line, or check the field's name";
    StaleIndex = "stale_index":
        "an index is older than its file: the file was read whole"
        => "make it again with `bcftools index --force`, or give it the time of its file";
    TrailingHeaderTab = "trailing_header_tab":
        "the #CHROM line ends with a tab: ignored"
        => "remove the tab, or name the sample whose column it begins";
    UnusableIndex = "unusable_index":
        "an index is damaged or of another file: the file was read whole"
        => "make it again with `bcftools index --force`";
    UnknownContig = "unknown_contig_kept":
        "the pipeline's assembly has no such contig: kept under the name that the file writes"
        => "leave such contigs out with `unknown_contigs = \"reject\"`, or correct `assembly`";
}

#[cfg(test)]
mod tests {
    use vardelta_engine::contract::{batch::Place, stage::Emit};

    use super::*;
    use crate::sources::shared::tally::{About, FieldNames};

    #[test]
    fn every_code_belongs_to_its_variant() {
        let mut tally = Tally::default();
        tally.count(Warning::TrailingHeaderTab);
        tally.look_at(7);
        tally.look_at_field(About::Format(0));
        tally.count(Warning::BadFormatValue);
        tally.look_at(8);
        tally.look_at_field(About::Format(0));
        tally.count(Warning::BadFormatValue);
        tally.name(Warning::UndeclaredFilter, b"q10", true);
        let mut emit = Emit::default();
        let names = FieldNames { format: vec!["DP".into()], ..FieldNames::default() };
        tally.report_at(&mut emit, &names, &|origin| Place { line: Some(origin), ..Place::default() });
        let found: Vec<_> = emit
            .warnings
            .into_entries()
            .map(|(code, field, warned)| (code, field, warned.count, warned.place.and_then(|place| place.line)))
            .collect();
        let expected = [
            ("bad_format_value", "DP".to_owned(), 2, Some(7)),
            ("trailing_header_tab", String::new(), 1, None),
            ("undeclared_filter", "q10".to_owned(), 1, Some(8)),
        ];
        assert_eq!(found, expected);
    }
}
