//! What a file's contig names mean: one canonical name per contig of the pipeline's assembly, however the file spells it.

use std::sync::Arc;

use crate::assembly::{Assembly, ContigAt};

/// What the contig names of one file mean.
#[derive(Clone, Debug, Default)]
pub(super) struct ContigNames {
    pub(super) assembly: Option<Arc<Assembly>>,
    /// Spellings that in this file mean another contig than elsewhere, because of their lengths.
    pub(super) own: Vec<(String, ContigAt)>,
    pub(super) reject_unknown: bool,
}

impl ContigNames {
    /// The contig of the assembly that a spelling means in this file.
    pub(super) fn contig(&self, spelling: &str) -> Option<(&Assembly, ContigAt)> {
        let assembly = self.assembly.as_deref()?;
        let own = self.own.iter().find(|(own, _)| own == spelling).map(|(_, at)| *at);
        Some((assembly, own.or_else(|| assembly.contig(spelling))?))
    }

    /// The canonical name of a spelling; itself where there is none.
    pub fn canonical<'a>(&'a self, spelling: &'a str) -> &'a str {
        self.contig(spelling).map_or(spelling, |(assembly, at)| assembly.contig_name(at))
    }

    /// An alternate allele under canonical names: the mate of a breakend (`]1:321]A`, VCF 4.3, section 5.4) names a contig.
    /// `None` where nothing changes.
    pub fn breakend(&self, alternate: &[u8]) -> Option<String> {
        self.assembly.as_ref()?;
        let open = memchr::memchr2(b'[', b']', alternate)?;
        let close = open + 1 + memchr::memchr(alternate[open], &alternate[open + 1..])?;
        let text = std::str::from_utf8(alternate).ok()?;
        let (mate, position) = text[open + 1..close].rsplit_once(':')?;
        let canonical = self.canonical(mate);
        (canonical != mate).then(|| format!("{}{canonical}:{position}{}", &text[..=open], &text[close..]))
    }

    /// What of it changes how records are decoded beside the assembly itself: part of the content digest.
    pub fn peculiarities(&self) -> impl Iterator<Item = (&str, &str)> {
        let assembly = self.assembly.as_deref();
        self.own.iter().filter_map(move |(own, at)| Some((own.as_str(), assembly?.contig_name(*at))))
    }
}
