//! Names that records use and the header does not declare: each counted once a file. See [`declared`](super::declared).

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex},
};

use vardelta_engine::locks::Locked as _;

use crate::sources::vcf::reasons::{Tally, Warning};

/// The names of one file that were met without declaration, by whichever worker, each with the first record known to have it.
#[derive(Clone, Debug, Default)]
pub(super) struct Undeclared(Arc<Mutex<HashMap<Met, u64>>>);

/// Which warning, and the name.
type Met = (usize, Vec<u8>);

impl Undeclared {
    /// Counts a name the first time it is met in the file.
    pub(super) fn meet(&self, warning: Warning, name: &[u8], tally: &mut Tally) {
        let mut met = self.0.locked();
        let origin = tally.origin();
        let first = met.entry((warning as usize, name.to_vec()));
        let is_new = matches!(first, Entry::Vacant(_));
        let first = first.or_insert(u64::MAX);
        // Another worker may come to an earlier record later.
        if origin < *first {
            *first = origin;
            tally.name(warning, name, is_new);
        }
    }
}
