//! A pedigree file (PLINK's `.ped`): here only the individuals' sex counts.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use vardelta_engine::contract::{side_input, stage::StageError};

use crate::sources::{
    shared::place::shown,
    vcf::{names::undecodable, sex::Sex},
};

/// What a hint says of the format.
const FORMAT: &str = "A PED file has six columns, separated by white space: family, individual, father, mother, sex (1 male, \
    2 female, 0 unknown), phenotype. Lines that start with `#` are left out.";

/// A pedigree file that a pipeline names. It is read when the first drop is opened, once.
pub(super) struct PedigreeFile {
    /// Where it lies, independent of the working directory.
    pub path: PathBuf,
    read: OnceLock<Result<Arc<Pedigree>, (String, &'static str)>>,
}

impl PedigreeFile {
    /// A file yet to be read.
    pub fn new(path: PathBuf) -> PedigreeFile {
        PedigreeFile { path, read: OnceLock::new() }
    }

    /// Its content.
    ///
    /// # Errors
    /// When it cannot be read or a line of it is malformed.
    pub fn pedigree(&self) -> Result<Arc<Pedigree>, StageError> {
        let read = self.read.get_or_init(|| Pedigree::read(&self.path).map(Arc::new));
        read.clone().map_err(|(message, hint)| StageError::new(message).of_side_input().with_hint(hint))
    }
}

/// The sex of individuals, by name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pedigree(BTreeMap<String, Option<Sex>>);

impl Pedigree {
    /// What is known of an individual: `None` where the file does not name it, `Some(None)` where its sex is unknown.
    pub fn sex(&self, individual: &str) -> Option<Option<Sex>> {
        self.0.get(individual).copied()
    }

    fn read(path: &Path) -> Result<Pedigree, (String, &'static str)> {
        let bytes = side_input::read(path).map_err(|error| {
            (format!("cannot read the PED file {}: {error}", path.display()), "Check the path and the rights on it.")
        })?;
        Pedigree::parse(&bytes).map_err(|(line, problem)| (format!("{}:{line}: {problem}", path.display()), FORMAT))
    }

    /// The first malformed line and what is wrong with it, where there is one.
    fn parse(bytes: &[u8]) -> Result<Pedigree, (usize, String)> {
        let mut pedigree = Pedigree::default();
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        for (line, bytes) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
            let text = String::from_utf8_lossy(bytes);
            if text.trim().is_empty() || text.starts_with('#') {
                continue;
            }
            let (individual, sex) = individual(&text).map_err(|problem| (line, problem))?;
            // Columns that do not count may hold what they like.
            if individual.contains(char::REPLACEMENT_CHARACTER)
                && let Some(problem) = undecodable("the line", bytes, 0)
            {
                return Err((line, problem));
            }
            match pedigree.0.insert(individual.to_owned(), sex) {
                Some(other) if other != sex => {
                    return Err((
                        line,
                        format!("`{}` has another sex than on a line before", shown(individual.as_bytes())),
                    ));
                }
                _ => {}
            }
        }
        Ok(pedigree)
    }
}

/// The name and sex on one line.
fn individual(line: &str) -> Result<(&str, Option<Sex>), String> {
    // With tabs a name may hold blanks.
    let mut columns: Vec<&str> = line.split('\t').map(str::trim).collect();
    if columns.len() < 6 {
        columns = line.split_whitespace().collect();
    }
    let [_, individual, _, _, sex, _, ..] = columns[..] else {
        return Err(format!("{} columns where a PED file has six", columns.len()));
    };
    if matches!(individual, "" | "0" | "-9" | ".") {
        return Err(format!("`{individual}` is no individual's name"));
    }
    let sex = match sex {
        "1" => Some(Sex::Male),
        "2" => Some(Sex::Female),
        "0" | "-9" | "." => None,
        other => return Err(format!("the sex of `{}` is `{}`", shown(individual.as_bytes()), shown(other.as_bytes()))),
    };
    Ok((individual, sex))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_sex_of_individuals() -> Result<(), (usize, String)> {
        let text = "#family_id\tindividual\tfather\tmother\tsex\tphenotype\n\
                    f1\tfather\t0\t0\t1\t1\textra\tcolumns\nf1 mother 0 -9  2 .\r\n\nf1\tthe child\tfather\tmother\t0\t2\n\
                    f2 d . . . -9\nf2 e 0 0 -9 1\nf3 father 0 0 1 2\n";
        let pedigree = Pedigree::parse(text.as_bytes())?;
        for (name, expected) in [
            ("father", Some(Some(Sex::Male))),
            ("mother", Some(Some(Sex::Female))),
            ("the child", Some(None)),
            ("d", Some(None)),
            ("e", Some(None)),
            ("individual", None),
            ("", None),
        ] {
            assert_eq!(pedigree.sex(name), expected, "{name}");
        }
        assert_eq!(Pedigree::parse("\u{feff}#x\n".as_bytes())?, Pedigree::default());
        Ok(())
    }

    #[test]
    fn malformed_lines_are_named() {
        for (text, expected) in [
            ("f a 0 0 1 1\nf b 0 0 1\n", (2, "5 columns where a PED file has six")),
            ("\n\nfamily individual father mother sex phenotype", (3, "the sex of `individual` is `sex`")),
            ("f a 0 0 3 1", (1, "the sex of `a` is `3`")),
            ("f 0 0 0 1 1", (1, "`0` is no individual's name")),
            ("f a 0 0 1 1\ng a 0 0 2 1", (2, "`a` has another sex than on a line before")),
        ] {
            assert_eq!(Pedigree::parse(text.as_bytes()), Err((expected.0, expected.1.to_owned())), "{text}");
        }
        let (line, problem) = Pedigree::parse(b"f a 0 0 1 \xfc\nf M\xfcller 0 0 2 1\n").expect_err("not UTF-8");
        assert!(line == 2 && problem.contains("0xfc, byte 4 of the line, looks like Latin-1"), "{line}: {problem}");
    }

    #[test]
    fn errors_name_file_and_line() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), "f a 0 0 1 1\nf b\n").expect("a temporary file");
        let error = PedigreeFile::new(file.path().to_owned()).pedigree().expect_err("malformed");
        assert_eq!(error.message, format!("{}:2: 2 columns where a PED file has six", file.path().display()));
        assert_eq!(error.hint.as_deref(), Some(FORMAT));
        let missing = PedigreeFile::new("/no/such.ped".into()).pedigree().expect_err("not there");
        assert!(missing.message.starts_with("cannot read the PED file /no/such.ped: "), "{}", missing.message);
    }
}
