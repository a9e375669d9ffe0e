//! A user's file parted into histories and a drop, so that what a drop costs can be measured on histories of two sizes.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use vardelta_engine::abort::Abort;

use super::text;

/// Of a hundred records, the one that goes into the drop.
const DROP_OF_100: u64 = 50;
/// Of ten records, the one that is in the small history too; never the drop's.
const SMALL_OF_10: u64 = 1;

/// A file of lines.
pub struct Part {
    /// Where it lies.
    pub path: PathBuf,
    /// Its records.
    pub records: u64,
}

/// The parts of a file.
pub struct Parts {
    /// A tenth of the records.
    pub small: Part,
    /// All but the drop's.
    pub large: Part,
    /// A hundredth, spread over the whole file.
    pub drop: Part,
}

struct Writer {
    part: Part,
    file: BufWriter<File>,
}

impl Writer {
    fn new(path: PathBuf) -> io::Result<Writer> {
        let file = BufWriter::with_capacity(1 << 20, File::create(&path)?);
        Ok(Writer { part: Part { path, records: 0 }, file })
    }

    fn line(&mut self, line: &[u8], is_record: bool) -> io::Result<()> {
        self.part.records += u64::from(is_record);
        self.file.write_all(line)?;
        self.file.write_all(b"\n")
    }

    fn finish(mut self) -> io::Result<Part> {
        self.file.flush()?;
        Ok(self.part)
    }
}

/// Parts a file of lines. Each part is a plain file called `name` in a directory of its own, and has the lines before the
/// first record. `None` where the file has too few records, or the run is to end.
///
/// # Errors
/// When a file cannot be read or written.
pub fn part(
    path: &Path,
    directories: [&Path; 3],
    name: &str,
    is_record: &dyn Fn(&[u8]) -> bool,
    abort: &Abort,
) -> io::Result<Option<Parts>> {
    let [small, large, drop] = directories.map(|directory| Writer::new(directory.join(name)));
    let (mut small, mut large, mut drop) = (small?, large?, drop?);
    let mut records = 0;
    text::lines(path, |line| {
        if !is_record(line) && records == 0 {
            for writer in [&mut small, &mut large, &mut drop] {
                writer.line(line, false)?;
            }
            return Ok(true);
        }
        let place = records % 100;
        records += 1;
        if place == DROP_OF_100 {
            drop.line(line, true)?;
        } else {
            large.line(line, true)?;
            if place % 10 == SMALL_OF_10 {
                small.line(line, true)?;
            }
        }
        Ok(!abort.is_raised())
    })?;
    let parts = Parts { small: small.finish()?, large: large.finish()?, drop: drop.finish()? };
    Ok((parts.drop.records > 0 && !abort.is_raised()).then_some(parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_overlap_and_have_the_header() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |name: &str| {
            let path = directory.path().join(name);
            std::fs::create_dir(&path).expect("a directory");
            path
        };
        let (small, large, drop) = (at("small"), at("large"), at("drop"));
        let file = directory.path().join("calls.vcf");
        let records: String = (0..1_000).map(|at| format!("chr1\t{at}\n")).collect();
        std::fs::write(&file, format!("##fileformat=VCFv4.3\n#CHROM\n{records}")).expect("a file");
        let is_record = |line: &[u8]| !line.starts_with(b"#");
        let parts = part(&file, [&small, &large, &drop], "calls.vcf", &is_record, &Abort::default());
        let parts = parts.expect("readable").expect("enough records");
        assert_eq!((parts.small.records, parts.large.records, parts.drop.records), (100, 990, 10));
        let read = |part: &Part| std::fs::read_to_string(&part.path).expect("a file");
        let (large, drop) = (read(&parts.large), read(&parts.drop));
        assert!(drop.starts_with("##fileformat=VCFv4.3\n#CHROM\nchr1\t50\n"));
        assert!(drop.lines().skip(2).all(|line| !large.contains(&format!("{line}\n"))));
    }
}
