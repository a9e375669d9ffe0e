//! Contigs of a file and of its records: held against the pipeline's assembly.

use std::sync::Arc;

use vardelta_engine::contract::stage::StageError;

use crate::{
    assembly::{Assembly, ContigAt, Resolution, fitting},
    sources::{
        shared::place::shown,
        vcf::{
            contig_names::ContigNames,
            fields::{Refusal, check_contig, refuse},
            header::VcfHeader,
            reasons::{POSITION_BEYOND_CONTIG, UNKNOWN_CONTIG},
        },
    },
};

impl ContigNames {
    /// The meaning of a file's names under an assembly; without one every name means itself.
    ///
    /// # Errors
    /// When the lengths of the header's contigs, or the assembly it names where it gives no length, contradict the
    /// assembly: then its coordinates mean other places.
    pub fn of(
        header: &VcfHeader,
        assembly: Option<Arc<Assembly>>,
        reject_unknown: bool,
    ) -> Result<ContigNames, StageError> {
        let mut names = ContigNames { assembly, own: Vec::new(), reject_unknown };
        let Some(assembly) = &names.assembly else { return Ok(names) };
        for contig in &header.contigs {
            let at = match assembly.resolve(&contig.id, contig.length) {
                Resolution::Contig(at) => at,
                Resolution::Unknown => continue,
                Resolution::OtherLength(at) => {
                    return Err(other_length(header, assembly, at, &contig.id, contig.length.unwrap_or_default()));
                }
            };
            if contig.length.is_none()
                && let Some(named) = contig.assembly.as_deref().and_then(Assembly::known)
                && let Some(there) = named.contig(&contig.id)
                && named.contig_length(there) != assembly.contig_length(at)
            {
                return Err(StageError::new(format!(
                    "{}: its header says that contig {} is of {}, and the pipeline's assembly is {}",
                    header.file,
                    shown(contig.id.as_bytes()),
                    named.name(),
                    assembly.name()
                ))
                .with_hint(other_assembly(&[named.name()])));
            }
            if assembly.contig(&contig.id) != Some(at) {
                names.own.push((contig.id.clone(), at));
            }
        }
        Ok(names)
    }
}

fn other_length(header: &VcfHeader, assembly: &Assembly, at: ContigAt, id: &str, length: u64) -> StageError {
    let contigs: Vec<(&str, u64)> =
        header.contigs.iter().filter_map(|contig| Some((contig.id.as_str(), contig.length?))).collect();
    let fits = fitting(&contigs);
    let of = match fits.as_slice() {
        [] => String::new(),
        fits => format!("; its lengths are those of {}", fits.join(" or ")),
    };
    StageError::new(format!(
        "{}: its header says that contig {} has {length} bp, but {} of {} has {}{of}",
        header.file,
        shown(id.as_bytes()),
        assembly.contig_name(at),
        assembly.name(),
        assembly.contig_length(at),
    ))
    .with_hint(other_assembly(&fits))
}

fn other_assembly(fits: &[&str]) -> String {
    let pipeline = match fits {
        [] => "a pipeline of its assembly".to_owned(),
        fits => format!("a pipeline with `assembly = \"{}\"`", fits.join("\"` or `\"")),
    };
    format!(
        "Its positions mean other places: load it with {pipeline}, or lift it over first. If only its header is wrong, \
         correct it with `bcftools reheader`."
    )
}

/// The contig of a record, looked up again only when the records come to another.
#[derive(Default)]
pub(super) struct ContigLookup {
    written: Vec<u8>,
    name: String,
    length: Option<u64>,
    known: bool,
    /// Whether what is written can be a name at all.
    sound: bool,
    /// Whether no record of it has been asked about yet.
    new: bool,
}

impl ContigLookup {
    /// Forgets what it knows: another file may mean something else by the same name.
    pub fn reset(&mut self) {
        self.written.clear();
    }

    /// Looks a record's contig up; [`ContigLookup::canonical`] is then its name.
    pub fn find(&mut self, chrom: &[u8], names: &ContigNames) {
        if self.written != chrom || self.written.is_empty() {
            let text = String::from_utf8_lossy(chrom);
            let found = names.contig(&text);
            self.written.clear();
            self.written.extend_from_slice(chrom);
            self.known = found.is_some();
            self.sound = check_contig(chrom).is_ok();
            self.length = found.map(|(assembly, at)| assembly.contig_length(at));
            self.name.clear();
            self.name.push_str(found.map_or("", |(assembly, at)| assembly.contig_name(at)));
            self.new = true;
        }
    }

    /// Whether this is asked for the first time since the records came to another contig.
    pub fn take_new(&mut self) -> bool {
        std::mem::take(&mut self.new)
    }

    /// Whether what was looked up last can be a contig's name.
    pub fn is_sound(&self) -> bool {
        self.sound
    }

    /// Checks a record whose contig was looked up last.
    ///
    /// # Errors
    /// When the contig is unknown and unknown ones are rejected, or when the position lies past its end. One position
    /// further is the telomere (VCF 4.3, section 1.6.1.2).
    pub fn check(&self, chrom: &[u8], position: i64, names: &ContigNames) -> Result<(), Refusal> {
        let Some(assembly) = &names.assembly else { return Ok(()) };
        if !self.known && names.reject_unknown {
            return refuse(UNKNOWN_CONTIG, format!("CHROM `{}` is no contig of {}", shown(chrom), assembly.name()));
        }
        match self.length {
            Some(length) if position > 0 && position as u64 > length.saturating_add(1) => refuse(
                POSITION_BEYOND_CONTIG,
                format!("POS {position} lies past the end of {}, which has {length} bp", self.name),
            ),
            _ => Ok(()),
        }
    }

    /// The name under which the record that was looked up last is loaded: canonical, or as written where there is none.
    pub fn canonical<'a>(&'a self, chrom: &'a [u8]) -> &'a [u8] {
        if self.known { self.name.as_bytes() } else { chrom }
    }

    /// Whether the record's contig that was looked up last is one that the assembly should have and has not.
    pub fn is_missing(&self, names: &ContigNames) -> bool {
        !self.known && names.assembly.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(contigs: &str) -> VcfHeader {
        let text = format!("{contigs}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n");
        VcfHeader::parse(text.as_bytes(), "x.vcf").expect("a sound header")
    }

    fn names(contigs: &str, assembly: &str) -> Result<ContigNames, StageError> {
        ContigNames::of(&header(contigs), Assembly::known(assembly).map(Arc::new), false)
    }

    fn message(contigs: &str, assembly: &str) -> String {
        let error = names(contigs, assembly).expect_err("should be refused");
        format!("{error}\n{}", error.hint.as_deref().unwrap_or_default())
    }

    #[test]
    fn names_become_canonical() -> Result<(), StageError> {
        let names = names("##contig=<ID=1,length=248956422>\n##contig=<ID=odd,length=7>\n", "GRCh38")?;
        assert_eq!(names.canonical("1"), "chr1");
        assert_eq!(names.canonical("MT"), "chrM");
        assert_eq!(names.canonical("odd"), "odd");
        assert_eq!(names.breakend(b"]1:321]A").as_deref(), Some("]chr1:321]A"));
        assert_eq!(names.breakend(b"AC[NC_000002.12:5[").as_deref(), Some("AC[chr2:5["));
        for same in [&b"]chr1:321]A"[..], b"[<ctg1>:7[T", b"]odd:1]A", b"<DEL>", b"A", b"A.", b"]x"] {
            assert_eq!(names.breakend(same), None);
        }
        assert_eq!(ContigNames::default().breakend(b"]1:321]A"), None);
        Ok(())
    }

    #[test]
    fn other_lengths_are_refused_with_the_assembly_they_fit() {
        let text = message("##contig=<ID=1,length=249250621>\n", "GRCh38");
        for part in ["x.vcf", "contig 1 has 249250621 bp", "chr1 of GRCh38 has 248956422", "GRCh37 or hg19", "lift"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let text = message("##contig=<ID=chr1,length=54321>\n", "hg19");
        assert!(!text.contains("its lengths are"), "{text}");
        // Without a length the assembly that the header names decides; a length is worth more.
        let text = message("##contig=<ID=1,assembly=b37>\n", "GRCh38");
        assert!(text.contains("is of GRCh37, and the pipeline's assembly is GRCh38"), "{text}");
        for sound in [
            "##contig=<ID=1>\n",
            "##contig=<ID=1,assembly=hg19>\n",
            "##contig=<ID=1,assembly=my_own>\n",
            "##contig=<ID=1,length=249250621,assembly=GRCh38>\n",
        ] {
            assert!(names(sound, "GRCh37").is_ok(), "{sound}");
        }
    }

    #[test]
    fn the_mitochondria_of_hg19_are_told_apart() -> Result<(), StageError> {
        assert_eq!(names("", "hg19")?.canonical("chrM"), "chrM");
        let rcrs = names("##contig=<ID=chrM,length=16569>\n", "hg19")?;
        assert_eq!(rcrs.canonical("chrM"), "chrMT");
        assert_eq!(rcrs.peculiarities().collect::<Vec<_>>(), [("chrM", "chrMT")]);
        assert!(message("##contig=<ID=chrM,length=16571>\n", "GRCh37").contains("hg19"));
        Ok(())
    }

    #[test]
    fn places_past_the_end_are_refused() {
        let names = ContigNames::of(&header(""), Assembly::known("GRCh38").map(Arc::new), true).expect("no lengths");
        let mut lookup = ContigLookup::default();
        let mut reason = |chrom: &[u8], position| {
            lookup.find(chrom, &names);
            lookup.check(chrom, position, &names).err().map(|r| r.reason.code())
        };
        assert_eq!(reason(b"21", 46_709_983), None);
        assert_eq!(reason(b"21", 46_709_984), None);
        assert_eq!(reason(b"21", 46_709_985), Some("position_beyond_contig"));
        assert_eq!(reason(b"21", 0), None);
        assert_eq!(reason(b"chr1", 46_709_985), None);
        assert_eq!(reason(b"chrUn", 1), Some("unknown_contig"));
    }
}
