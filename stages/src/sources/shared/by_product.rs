//! Files that lie beside drops and are none: indexes, checksums, and what copying tools leave while they are at work. Globs
//! such as `drops/*.vcf*` match them.

/// Names that end like this, in any case, and what such a file is.
const ENDINGS: &[(&str, &[&str])] = &[
    (INDEX, &[".tbi", ".csi", ".gzi", ".idx", ".fai"]),
    (
        "a checksum or signature",
        &[
            ".md5",
            ".md5sum",
            ".md5.txt",
            ".sha1",
            ".sha1sum",
            ".sha256",
            ".sha256sum",
            ".sha512",
            ".sha512sum",
            ".crc",
            ".sfv",
            ".asc",
            ".sig",
        ],
    ),
    (
        COPYING,
        &[
            // Browsers: Firefox, Chrome, Edge, Safari, Opera.
            ".part",
            ".crdownload",
            ".partial",
            ".download",
            ".opdownload",
            // WinSCP, Cyberduck, Aspera, aria2, lftp, gsutil; rclone and Aspera write `.partial` too.
            ".filepart",
            ".cyberduckpart",
            ".cyberducksegment",
            ".aspera-ckpt",
            ".aspx",
            ".aria2",
            ".lftp-pget-status",
            "_.gstmp",
            ".gstmp",
            // Many others, htslib and GATK among them.
            ".tmp",
            ".temp",
            ".incomplete",
            ".inprogress",
            ".uploading",
        ],
    ),
    ("a log, statistics or a mark of completion", &[".stats", ".log", ".done"]),
    ("an older copy", &[".bak", ".orig", ".old", ".swp", "~"]),
    ("a note of the operating system", &["zone.identifier", "@synoeastream", "@synoresource"]),
];

/// What an index is called. Sources look for those of htslib by themselves, so that they need not be reported.
pub(crate) const INDEX: &str = "an index";
const COPYING: &str = "still being copied";
/// What matches a glob by its own name and holds files.
pub(super) const FOLDER: &str = "a folder";

/// What a file of this name is, if it is no drop.
pub(crate) fn by_product(name: &[u8]) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let ends = |ending: &&str| lower.len() > ending.len() && lower.ends_with(ending.as_bytes());
    if let Some((what, _)) = ENDINGS.iter().find(|(_, endings)| endings.iter().any(&ends)) {
        return Some(what);
    }
    // Samba and NFS give a file that is being replaced a name of their own; macOS writes `._name` beside a file.
    if lower.starts_with(b".::tmpname") || lower.starts_with(b":::tmpname") || lower.starts_with(b".smb") {
        return Some(COPYING);
    }
    if lower.starts_with(b".nfs") || lower.starts_with(b"._") {
        return Some("a note of the operating system");
    }
    let (stem, last) = name.iter().rposition(|byte| *byte == b'.').map(|at| (&name[..at], &name[at + 1..]))?;
    // rsync: `.name.XXXXXX`.
    if stem.starts_with(b".") && stem.len() > 1 && last.len() == 6 && last.iter().all(u8::is_ascii_alphanumeric) {
        return Some(COPYING);
    }
    // `aws s3 cp`: `name.6eF5a5b6`. Eight digits alone are a date.
    let is_hex = last.len() == 8 && last.iter().all(u8::is_ascii_hexdigit) && !last.iter().all(u8::is_ascii_digit);
    (is_hex && stem.contains(&b'.')).then_some(COPYING)
}

/// Whether it is an index of htslib, which readers use where it lies.
pub(crate) fn is_htslib_index(name: &[u8]) -> bool {
    let lower = name.to_ascii_lowercase();
    [".tbi", ".csi", ".gzi"].iter().any(|ending| lower.ends_with(ending.as_bytes()))
}

/// Files that were left alone, as one sentence: by what they are, the first few by name.
pub(crate) fn told(files: &[(String, &'static str)]) -> Option<String> {
    const NAMED: usize = 3;
    let kinds = ENDINGS.iter().map(|(what, _)| *what).chain([FOLDER]);
    let parts: Vec<String> = kinds
        .filter_map(|kind| {
            let names: Vec<&str> =
                files.iter().filter(|(_, what)| *what == kind).map(|(name, _)| name.as_str()).collect();
            let more = match names.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let listed = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
            (!names.is_empty()).then(|| format!("{listed}{more} ({kind})"))
        })
        .collect();
    (!parts.is_empty()).then(|| format!("left alone, since these are no drops: {}", parts.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_is_no_drop() {
        let copying = [
            "big.vcf.part",
            "big.vcf.gz.filepart",
            "a.vcf.crdownload",
            "a.vcf.gz.partial",
            "a.vcf.gz.1b2c3d4e.partial",
            "a.vcf.download",
            "a.vcf.tmp",
            "a.VCF.GZ.TMP",
            ".a.vcf.gz.Ab12Cd",
            "a.vcf.gz.6eF5a5b6",
            "a.vcf.gz_.gstmp",
            "a.vcf.gz.aria2",
            ".::TMPNAME:D:1%x",
            "a.vcf.opdownload",
        ];
        for name in copying {
            assert_eq!(by_product(name.as_bytes()), Some(COPYING), "{name}");
        }
        for name in ["a.vcf.idx", "a.vcf.gz.tbi", "a.vcf.gz.csi", "a.vcf.gz.gzi", "a.bcf.CSI"] {
            assert_eq!(by_product(name.as_bytes()), Some(INDEX), "{name}");
        }
        for name in ["a.vcf.md5", "a.vcf.gz.sha256", "a.vcf.gz.stats", "a.vcf~", "a.vcf.gz:Zone.Identifier", "._a.vcf"]
        {
            assert!(by_product(name.as_bytes()).is_some(), "{name}");
        }
        let drops = [
            "a.vcf",
            "a.vcf.gz",
            "a.bcf",
            "a.vcf.bgz",
            "tmp.vcf",
            "part.vcf.gz",
            "a.vcf.20260101",
            "a.part.vcf",
            "a.tsv",
            "a.gff3.gz",
            ".vcf",
            "a.g.vcf",
            "done",
            "a.sorted",
            "S1.deadbeef.vcf",
            "a.vcf.release9",
        ];
        for name in drops {
            assert_eq!(by_product(name.as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn tells_of_a_few_by_name() {
        let file = |name: &str| (name.to_owned(), by_product(name.as_bytes()).expect("no drop"));
        let files: Vec<_> = ["a.md5", "b.part", "b.md5", "c.md5", "d.md5"].map(file).into();
        assert_eq!(
            told(&files).as_deref(),
            Some(
                "left alone, since these are no drops: a.md5, b.md5, c.md5 and 1 more (a checksum or signature); b.part \
                 (still being copied)"
            )
        );
        assert_eq!(told(&[]), None);
    }
}
