//! Documents that are made from what the code says, kept in the repository and checked for staleness.

use crate::binary::root;

/// Holds a document of the repository against what it should say. With `VARDELTA_UPDATE=1` it is rewritten instead, to be
/// reviewed as a diff.
///
/// # Panics
/// When it differs.
pub fn check(path: &str, expected: &str) {
    let full = root().join(path);
    if std::env::var_os("VARDELTA_UPDATE").is_some() {
        std::fs::write(&full, expected).expect("the document can be written");
        return;
    }
    let found = std::fs::read_to_string(&full).unwrap_or_default();
    let differing = found
        .lines()
        .map(Some)
        .chain(std::iter::repeat(None))
        .zip(expected.lines().map(Some).chain([None]))
        .enumerate()
        .find(|(_, (found, expected))| found != expected);
    if let Some((line, (found, expected))) = differing {
        panic!(
            "{path}, line {}: says {found:?}, should say {expected:?}; `VARDELTA_UPDATE=1 cargo test -p vardelta-tests` \
             rewrites it",
            line + 1
        );
    }
    assert_eq!(found.lines().count(), expected.lines().count(), "{path} says more than it should");
}
