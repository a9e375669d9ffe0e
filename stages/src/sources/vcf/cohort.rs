//! Which of a file's samples are read, under which names, and what is known of their sex.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::StringArray;
use vardelta_engine::contract::stage::StageError;

use crate::sources::{
    shared::place::shown,
    vcf::{
        header::VcfHeader,
        names::HINT,
        ped::PedigreeFile,
        reasons::{Tally, Warning},
        sex::{CopiesBySex, PseudoAutosomal, Sex, copies_at},
    },
};

/// What a pipeline says of samples.
#[derive(Default)]
pub(super) struct SampleRules {
    /// The samples to read, by the file's names; empty for all.
    pub include: BTreeSet<String>,
    /// From the file's names to those of the rows.
    pub rename: BTreeMap<String, String>,
    /// Where the samples' sex is given.
    pub pedigree: Option<PedigreeFile>,
    /// The pseudo-autosomal regions of the pipeline's assembly, where they are known.
    pub regions: Option<&'static PseudoAutosomal>,
}

/// The samples of one file.
pub(super) struct Cohort {
    /// For each sample column of the file whether it is read.
    pub chosen: Vec<bool>,
    /// The names of those that are read.
    pub names: StringArray,
    /// Their sex.
    pub sexes: Vec<Option<Sex>>,
    /// Samples that the pipeline includes and the file does not have.
    absent: u64,
    /// Samples that are read and that the pedigree does not name.
    without_pedigree: u64,
}

impl SampleRules {
    /// The samples of a file.
    ///
    /// # Errors
    /// When two samples would have one name, when the name of one that is read is not UTF-8, and when the pedigree cannot be
    /// read.
    pub fn cohort(&self, header: &VcfHeader) -> Result<Cohort, StageError> {
        let (mut chosen, mut names) = (Vec::new(), Vec::new());
        let mut from: BTreeMap<&str, &str> = BTreeMap::new();
        for (place, written) in header.samples.iter().enumerate() {
            chosen.push(self.include.is_empty() || self.include.contains(written));
            if chosen.last() == Some(&false) {
                continue;
            }
            if let Some(problem) = header.undecodable_samples.get(&place) {
                return Err(StageError::new(problem.clone()).with_hint(HINT));
            }
            let name = self.rename.get(written).map_or(written.as_str(), String::as_str);
            if let Some(other) = from.insert(name, written) {
                return Err(StageError::new(format!(
                    "{}: `rename_samples` makes one sample `{}` of `{}` and `{}`",
                    header.file,
                    shown(name.as_bytes()),
                    shown(other.as_bytes()),
                    shown(written.as_bytes())
                ))
                .with_hint("Give them names of their own, or leave one of them out with `include_samples`."));
            }
            names.push(name);
        }
        let written: BTreeSet<&str> = header.samples.iter().map(String::as_str).collect();
        let absent = self.include.iter().filter(|name| !written.contains(name.as_str())).count() as u64;
        let pedigree = self.pedigree.as_ref().map(PedigreeFile::pedigree).transpose()?;
        let known: Vec<Option<Option<Sex>>> =
            names.iter().map(|name| pedigree.as_ref().map_or(Some(None), |pedigree| pedigree.sex(name))).collect();
        Ok(Cohort {
            chosen,
            names: StringArray::from_iter_values(names),
            sexes: known.iter().map(|known| known.flatten()).collect(),
            absent,
            without_pedigree: known.iter().filter(|known| known.is_none()).count() as u64,
        })
    }

    /// What is known of samples' copies at a place: the pedigree's sexes count only where there is one.
    pub fn copies(&self, contig: &[u8], pos: i64) -> CopiesBySex {
        copies_at(contig, pos, self.regions)
    }
}

impl Cohort {
    /// Whether none of the file's samples is read.
    pub fn is_empty(&self) -> bool {
        self.sexes.is_empty()
    }

    /// Counts what is to be said of the file once.
    pub fn report(&self, tally: &mut Tally) {
        tally.add(Warning::SampleNotInFile, self.absent);
        tally.add(Warning::SampleNotInPed, self.without_pedigree);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(include: &[&str], rename: &[(&str, &str)]) -> SampleRules {
        SampleRules {
            include: include.iter().map(|name| (*name).to_owned()).collect(),
            rename: rename.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect(),
            ..SampleRules::default()
        }
    }

    fn names(rules: &SampleRules, samples: &[&str]) -> Result<Vec<String>, String> {
        let cohort = rules.cohort(&VcfHeader::for_samples(samples)).map_err(|error| error.message)?;
        assert_eq!(cohort.chosen.iter().filter(|chosen| **chosen).count(), cohort.sexes.len());
        Ok(cohort.names.iter().flatten().map(str::to_owned).collect())
    }

    #[test]
    fn samples_are_chosen_then_renamed() -> Result<(), String> {
        let samples = ["a", "b", "c"];
        assert_eq!(names(&rules(&[], &[]), &samples)?, samples);
        assert_eq!(names(&rules(&["c", "a", "x"], &[("a", "A"), ("b", "c")]), &samples)?, ["A", "c"]);
        // Names may change places.
        assert_eq!(names(&rules(&[], &[("a", "b"), ("b", "a")]), &samples)?, ["b", "a", "c"]);
        assert_eq!(names(&rules(&["x"], &[]), &samples)?, [""; 0]);
        Ok(())
    }

    #[test]
    fn two_samples_of_one_name_are_refused() {
        let message = names(&rules(&[], &[("a", "c")]), &["a", "b", "c"]).expect_err("one name");
        assert_eq!(message, "test: `rename_samples` makes one sample `c` of `a` and `c`");
    }
}
