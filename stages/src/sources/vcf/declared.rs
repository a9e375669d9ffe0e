//! Names that records use and the header does not declare: read all the same, and each counted once a file.
//!
//! Looked at are contigs, filters, and the INFO and FORMAT fields that are read; each kind only in a file whose header
//! declares some of it, as files without any such line are common and sound (VCF 4.3, section 1.4: "optional").

use crate::sources::vcf::{
    fields::Columns,
    header::VcfHeader,
    reasons::{Tally, Warning},
};

/// What one worker has looked at already: neighbouring records mostly use the same names.
#[derive(Debug, Default)]
pub(super) struct Declared {
    filter: Vec<u8>,
    format: Vec<u8>,
    /// For each INFO field that is read, whether a record had it.
    info: Vec<bool>,
}

impl Declared {
    /// Forgets what it has looked at: another file follows.
    pub fn reset(&mut self) {
        *self = Declared::default();
    }

    /// Looks at the contig of a record, where it is another than that of the record before.
    pub fn check_contig(chrom: &[u8], header: &VcfHeader, tally: &mut Tally) {
        if !header.contigs.is_empty() && !header.contig_places.contains_key(chrom) {
            header.undeclared.meet(Warning::UndeclaredContig, chrom, tally);
        }
    }

    /// Looks at a record's filters, and at those FORMAT keys that `is_read`.
    pub fn check(
        &mut self,
        columns: &Columns<'_>,
        header: &VcfHeader,
        is_read: impl Fn(&[u8]) -> bool,
        tally: &mut Tally,
    ) {
        let undeclared = &header.undeclared;
        if !header.filters.is_empty() && columns.filter != self.filter {
            self.filter = columns.filter.to_vec();
            let names = columns.filter.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
            for name in names.filter(|name| !matches!(*name, b"" | b"." | b"PASS" | b"0")) {
                if !header.filters.contains(name) {
                    undeclared.meet(Warning::UndeclaredFilter, name, tally);
                }
            }
        }
        if columns.genotypes.is_empty() || header.format.is_empty() {
            return;
        }
        let format = columns.genotypes.split(|byte| *byte == b'\t').next().unwrap_or_default();
        if format != self.format {
            self.format = format.to_vec();
            for key in format.split(|byte| *byte == b':').filter(|key| !key.is_empty() && is_read(key)) {
                if !std::str::from_utf8(key).is_ok_and(|key| header.format.contains_key(key)) {
                    undeclared.meet(Warning::UndeclaredFormat, key, tally);
                }
            }
        }
    }

    /// Looks at the INFO fields that are read: `present` yields the places of those that a record has.
    pub fn check_info<'a>(
        &mut self,
        present: impl Iterator<Item = (usize, &'a [u8])>,
        header: &VcfHeader,
        tally: &mut Tally,
    ) {
        for (at, key) in present {
            if self.info.len() <= at {
                self.info.resize(at + 1, false);
            }
            if !std::mem::replace(&mut self.info[at], true)
                && !std::str::from_utf8(key).is_ok_and(|key| header.info.contains_key(key))
            {
                header.undeclared.meet(Warning::UndeclaredInfo, key, tally);
            }
        }
    }
}
