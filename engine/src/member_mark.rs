//! What is kept of the name of a member (a sample) that was erased: a salted digest, by which a later delivery is known to
//! bring it and is loaded without it.

use std::collections::{BTreeSet, HashMap};

use sha2::{Digest as _, Sha256};
use vardelta_schemas::identity::Identity;

use crate::error::RunError;

/// What every mark begins with.
const PREFIX: &str = "erased:";
/// Bytes of a digest that are kept.
const DIGEST_BYTES: usize = 16;

/// A mark of a name, under a new salt.
///
/// # Errors
/// When the operating system gives no random numbers.
pub(crate) fn mark(name: &str) -> Result<String, RunError> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt)
        .map_err(|error| RunError::internal(format!("the operating system gives no random numbers: {error}")))?;
    Ok(with_salt(&Identity::from_bytes(salt).to_string(), name))
}

fn with_salt(salt: &str, name: &str) -> String {
    let digest = Sha256::new().chain_update(salt).chain_update("\0").chain_update(name).finalize();
    let hex: String = digest.iter().take(DIGEST_BYTES).map(|byte| format!("{byte:02x}")).collect();
    format!("{PREFIX}{salt}:{hex}")
}

/// The salt of a mark; `None` for a name.
fn salt(text: &str) -> Option<&str> {
    let (salt, digest) = text.strip_prefix(PREFIX)?.split_once(':')?;
    let is_hex = |text: &str| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_hex(salt) && is_hex(digest)).then_some(salt)
}

/// Whether this is a mark.
pub(crate) fn is_mark(text: &str) -> bool {
    salt(text).is_some()
}

/// Whether what the ledger keeps of a member, its name or a mark, is of this name.
pub(crate) fn is_of(kept: &str, name: &str) -> bool {
    kept == name || salt(kept).is_some_and(|salt| with_salt(salt, name) == *kept)
}

/// Whether a member is among those that are kept out. `known` is what was found before, by name.
pub(crate) fn is_out(kept: &BTreeSet<String>, name: &str, known: &mut HashMap<String, bool>) -> bool {
    if kept.contains(name) {
        return true;
    }
    if !kept.iter().any(|kept| is_mark(kept)) {
        return false;
    }
    if let Some(known) = known.get(name) {
        return *known;
    }
    let is_out = kept.iter().any(|kept| is_of(kept, name));
    known.insert(name.to_owned(), is_out);
    is_out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_of_one_name_and_does_not_hold_it() {
        let (one, other) = (mark("NA12878").expect("random"), mark("NA12878").expect("random"));
        assert_ne!(one, other, "each has a salt of its own");
        assert!(is_mark(&one) && !one.contains("NA12878") && is_of(&one, "NA12878") && is_of(&other, "NA12878"));
        assert!(!is_of(&one, "NA12879") && !is_mark("NA12878") && !is_mark("erased:x:y"));
        let (kept, mut known) = (BTreeSet::from([one, "HG1".to_owned()]), HashMap::new());
        for (name, out) in [("NA12878", true), ("NA12878", true), ("HG1", true), ("HG2", false)] {
            assert_eq!(is_out(&kept, name, &mut known), out, "{name}");
        }
    }
}
