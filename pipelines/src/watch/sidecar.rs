//! Files beside a drop that say that it is complete: `NAME.done`, and checksums (`NAME.md5`, `NAME.sha256`).

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read as _},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use md5::Md5;
use sha2::{Digest, Sha256};

use crate::stamp::Stamp;

/// Bytes of a checksum file, at the most: what has more is something else.
const BYTES_MAX: u64 = 1 << 20;

/// A checksum file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// The checksum file.
    pub path: PathBuf,
    /// Which one it is.
    pub stamp: Stamp,
    is_md5: bool,
}

/// What lies beside a file, to be compared with what lay there before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beside([Option<Stamp>; 3]);

impl Beside {
    /// What lies beside a file now.
    pub fn of(file: &Path) -> Beside {
        Beside([".done", ".sha256", ".md5"].map(|ending| Stamp::at(&beside(file, ending))))
    }
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(file.as_os_str());
    name.push(ending);
    PathBuf::from(name)
}

/// Whether a `.done` file says that the file is complete. One that is older than the file is of an earlier delivery.
pub fn is_done(file: &Path, stamp: &Stamp) -> bool {
    let done = fs::metadata(beside(file, ".done"));
    done.is_ok_and(|done| done.is_file() && stamp.is_not_newer_than(&Stamp::of(&done)))
}

/// The checksum file of a file, if there is one.
pub fn checksum(file: &Path) -> Option<Checksum> {
    [(".sha256", false), (".md5", true)].into_iter().find_map(|(ending, is_md5)| {
        let path = beside(file, ending);
        let metadata = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?;
        Some(Checksum { stamp: Stamp::of(&metadata), path, is_md5 })
    })
}

impl Checksum {
    /// Whether a file has this checksum; otherwise why not, in words. `stop` ends a long look.
    ///
    /// # Errors
    /// When one of the two cannot be read.
    pub fn verify(&self, file: &Path, stop: &dyn Fn() -> bool) -> io::Result<Result<(), String>> {
        let mut text = Vec::new();
        File::open(&self.path)?.take(BYTES_MAX).read_to_end(&mut text)?;
        let digits = if self.is_md5 { 32 } else { 64 };
        let name = file.file_name().unwrap_or_default().as_bytes();
        let Some(wanted) = sum_in(&text, name, digits) else {
            return Ok(Err(format!("{} holds no checksum of it", self.path.display())));
        };
        let found = if self.is_md5 { digest::<Md5>(file, stop)? } else { digest::<Sha256>(file, stop)? };
        Ok(match found {
            None => Err("it was not read to its end".into()),
            Some(found) if found == wanted => Ok(()),
            Some(found) => Err(format!("{} says {wanted}, and its bytes give {found}", self.path.display())),
        })
    }
}

/// The checksum of a file in a text: of the only line, or of the one that names it. `SUM  NAME`, `SUM *NAME`, `MD5 (NAME) = SUM`.
fn sum_in(text: &[u8], name: &[u8], digits: usize) -> Option<String> {
    let sum_of = |line: &[u8]| {
        let words = line.split(|byte| byte.is_ascii_whitespace());
        let mut sums = words.filter(|word| word.len() == digits && word.iter().all(u8::is_ascii_hexdigit));
        sums.next().map(|sum| String::from_utf8_lossy(sum).to_ascii_lowercase())
    };
    let lines: Vec<(&[u8], String)> =
        text.split(|byte| *byte == b'\n').filter_map(|line| Some((line, sum_of(line)?))).collect();
    let names = |line: &[u8]| !name.is_empty() && line.windows(name.len()).any(|window| window == name);
    match &lines[..] {
        [(_, sum)] => Some(sum.clone()),
        lines => lines.iter().find(|(line, _)| names(line)).map(|(_, sum)| sum.clone()),
    }
}

/// The digest of a file's bytes in hexadecimal digits; `None` where it was stopped.
fn digest<D: Digest>(file: &Path, stop: &dyn Fn() -> bool) -> io::Result<Option<String>> {
    let (mut file, mut digest, mut buffer) = (File::open(file)?, D::new(), vec![0; 1 << 18]);
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(Some(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()));
        }
        if stop() {
            return Ok(None);
        }
        digest.update(&buffer[..count]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "d41d8cd98f00b204e9800998ecf8427e";

    #[test]
    fn checksums_are_found_in_every_usual_form() {
        for text in [
            EMPTY.to_owned(),
            format!("{EMPTY}  a.vcf\n"),
            format!("{EMPTY} *a.vcf\n"),
            format!("MD5 (a.vcf) = {}\n", EMPTY.to_uppercase()),
            format!("{}  b.vcf\n{EMPTY}  a.vcf\n", "0".repeat(32)),
        ] {
            assert_eq!(sum_in(text.as_bytes(), b"a.vcf", 32).as_deref(), Some(EMPTY), "{text}");
        }
        assert_eq!(sum_in(b"", b"a.vcf", 32), None);
        assert_eq!(sum_in(EMPTY.as_bytes(), b"a.vcf", 64), None);
    }

    #[test]
    fn a_file_is_held_against_its_checksum() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.vcf");
        fs::write(&file, "").expect("a file");
        assert_eq!(checksum(&file), None);
        fs::write(folder.path().join("a.vcf.md5"), EMPTY).expect("a file");
        let sum = checksum(&file).expect("a checksum");
        assert_eq!(sum.verify(&file, &|| false).expect("both can be read"), Ok(()));
        fs::write(&file, "x").expect("a file");
        assert!(sum.verify(&file, &|| false).expect("both can be read").is_err());
    }

    #[test]
    fn a_mark_of_an_earlier_delivery_says_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, done) = (folder.path().join("a.vcf"), folder.path().join("a.vcf.done"));
        let at = |path: &Path, seconds: u64| {
            let file = File::options().append(true).create(true).open(path).expect("a file");
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds)).expect("a time");
        };
        at(&file, 1_000);
        let stamp = || Stamp::of(&fs::metadata(&file).expect("a file"));
        assert!(!is_done(&file, &stamp()));
        at(&done, 1_000);
        assert!(is_done(&file, &stamp()));
        at(&file, 1_001);
        assert!(!is_done(&file, &stamp()));
    }
}
