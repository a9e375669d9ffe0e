//! Every built-in function.

use super::{
    Function, conditions::CONDITIONS, date_format::DATE_FORMAT, date_parts::DATE_PARTS, dates::DATES, hashes::HASHES,
    json::JSON, lists::LISTS, numbers::NUMBERS, pad::PAD, regex::REGEX, rounding::ROUNDING, search::SEARCH, text::TEXT,
};

/// The built-in functions, by file.
pub static BUILT_IN: &[&[Function]] =
    &[TEXT, PAD, SEARCH, REGEX, NUMBERS, ROUNDING, DATES, DATE_PARTS, DATE_FORMAT, CONDITIONS, LISTS, JSON, HASHES];
