//! How a file writes its table.

use std::{os::unix::ffi::OsStrExt as _, path::Path};

use crate::sources::shared::naming::{COMPRESSION, without_extension};

/// How a file writes its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    /// The byte between two fields.
    pub separator: u8,
    /// The byte around fields, if there is one.
    pub quote: Option<u8>,
    /// What comment lines begin with; empty where there are none.
    pub comment: Vec<u8>,
}

/// Extensions with what separates the fields of such files.
const EXTENSIONS: [(&str, u8); 5] = [(".tsv", b'\t'), (".tab", b'\t'), (".txt", b'\t'), (".csv", b','), (".psv", b'|')];

/// The extensions, for names of drops.
pub(super) const FORMATS: &[&str] = &[".tsv", ".tab", ".txt", ".csv", ".psv"];

/// The separator that a file's name says.
pub(super) fn separator_of(path: &Path) -> Option<u8> {
    let name = path.file_name()?.as_bytes();
    let stem = COMPRESSION.iter().find_map(|extension| without_extension(name, extension)).unwrap_or(name);
    let told = EXTENSIONS.iter().find(|(extension, _)| without_extension(stem, extension).is_some());
    told.map(|(_, separator)| *separator)
}

/// A separator in words.
pub(super) fn separator_name(separator: u8) -> String {
    match separator {
        b'\t' => "tabs".into(),
        b',' => "commas".into(),
        b';' => "semicolons".into(),
        b'|' => "pipes".into(),
        other => format!("`{}`", char::from(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_separators() {
        for (name, expected) in [
            ("a/b.tsv", Some(b'\t')),
            ("b.TXT.gz", Some(b'\t')),
            ("b.csv", Some(b',')),
            ("b.csv.bgz", Some(b',')),
            ("b.psv", Some(b'|')),
            ("b.gz", None),
            ("b.data", None),
            ("-", None),
        ] {
            assert_eq!(separator_of(Path::new(name)), expected, "{name}");
        }
    }
}
