//! Why the `gff3` source rejects a record, and what it adapts and counts.

use vardelta_engine::reasons;

use crate::sources::shared::tally::warnings;

reasons! {
    /// What is rejected.
    pub(super) REJECTS:
    reject BAD_ATTRIBUTES = "bad_attributes":
        "the ninth column of a GTF record is no list of `key \"value\";`"
        => "close its quotes and put a blank between key and value";
    reject BAD_CONTIG = "bad_contig":
        "the first column is empty or `.`"
        => "name the contig";
    reject BAD_FEATURE = "bad_feature":
        "the third column is empty or `.`"
        => "name the kind of feature";
    reject BAD_POSITION = "bad_position":
        "start or end is not a whole number from 1 on, or the end lies before the start"
        => "write 1-based positions, the smaller one first, on either strand";
    reject MISSING_COLUMNS = "missing_columns":
        "the line has fewer than nine columns separated by tabs"
        => "look for a line that was cut, or for tabs that became spaces";
    reject POSITION_BEYOND_CONTIG = "position_beyond_contig":
        "the feature begins past the end of its contig, by the pipeline's assembly"
        => "look for a model of another assembly";
}

warnings! {
    BlankLine = "blank_line": "a blank line was skipped" => "nothing needs to be done";
    BadStrand = "bad_strand":
        "the strand is none of `+`, `-`, `.` and `?`: NULL"
        => "correct the strand";
    ByteOrderMark = "byte_order_mark":
        "a byte order mark before the first line was skipped"
        => "save the file as UTF-8 without byte order mark";
    InvalidUtf8 = "invalid_utf8":
        "a record is not UTF-8: each undecodable byte became U+FFFD and its two hexadecimal digits"
        => "convert the file to UTF-8, for example with `iconv -f latin1 -t utf8`";
    NoFinalNewline = "no_final_newline":
        "the file's last line has no line end: read as it is, but it may have been cut"
        => "check the last record, and that the file was delivered whole";
    OddAttributes = "odd_attributes":
        "a word without a value is among the attributes of a record: left out"
        => "write `key=value` (GTF: `key \"value\";`); in GFF3 percent-encode `;` and `=` in values";
    RecordAfterSequences = "record_after_sequences":
        "what looks like a record follows `##FASTA` or a sequence: not read"
        => "deliver joined models as files of their own, or move the sequences to the end";
    UnknownContig = "unknown_contig_kept":
        "the pipeline's assembly has no such contig: kept under the name that the file writes"
        => "leave such contigs out with a filter, or correct `assembly`";
    UnknownParent = "unknown_parent":
        "a record's parent is not in its file: it takes nothing over"
        => "deliver the model whole, not cut by region or kind";
}
