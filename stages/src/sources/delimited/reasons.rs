//! Why the `delimited` source rejects a record, and what it adapts and counts.

use vardelta_engine::reasons;

use crate::sources::shared::tally::warnings;

reasons! {
    /// What is rejected.
    pub(super) REJECTS:
    reject BAD_QUOTING = "bad_quoting":
        "text follows a closing quote before the next separator"
        => "write quotes within a quoted field twice, or read with `quote = \"none\"`";
    reject BAD_REQUIRED_VALUE = "bad_required_value":
        "a value of a required column is not of its type"
        => "correct the value or the column's type, or let it be NULL without `required`";
    reject MISSING_REQUIRED_VALUE = "missing_required_value":
        "a required column has no value"
        => "fill it in, or let it be NULL without `required`";
    reject RAGGED_RECORD = "ragged_record":
        "the record has more or fewer fields than the header has columns"
        => "look for a separator inside a value, a line that was cut, or quotes that are none (`quote = \"none\"`)";
}

warnings! {
    BadValue = "bad_value":
        "a value is not of its column's type, or too large for it: NULL"
        => "correct the value, list it in `null_values`, or read the column as text";
    BlankLine = "blank_line": "a blank line was skipped" => "nothing needs to be done";
    ByteOrderMark = "byte_order_mark":
        "a byte order mark before the header was skipped"
        => "save the file as UTF-8 without byte order mark";
    DecimalInteger = "decimal_integer":
        "a whole number is written as a decimal such as `5.0`: read as the integer"
        => "write integers without a decimal point, or read the column as float64";
    HeaderAgain = "header_again":
        "the header comes again among the records: skipped"
        => "nothing needs to be done; files were joined by `cat`";
    InvalidUtf8 = "invalid_utf8":
        "a value is not UTF-8: each undecodable byte became U+FFFD and its two hexadecimal digits"
        => "convert the file to UTF-8, for example with `iconv -f latin1 -t utf8`";
    NoFinalNewline = "no_final_newline":
        "the file's last line has no line end: read as it is, but it may have been cut"
        => "check the last record, and that the file was delivered whole";
}
