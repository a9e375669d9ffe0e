//! A header between the records: files that were joined with `cat`. It may repeat the first, and then its lines are comments.
//! Where it says anything else that decides what the records after it mean, the file ends there.

use vardelta_engine::contract::stage::StageError;

use crate::sources::{
    shared::place::shown,
    vcf::{
        header::{Contig, Definition, VcfHeader, is_column_line, version},
        meta,
    },
};

/// Looks at a line that begins with `#` and is between the records. `is_read` says which INFO fields are read.
///
/// # Errors
/// When it says something else than the header of: the columns and samples, the version, the layout of an INFO field that is
/// read, a contig, or the reference.
pub(super) fn check(
    line: &[u8],
    origin: u64,
    header: &VcfHeader,
    is_read: impl Fn(&[u8]) -> bool,
) -> Result<(), StageError> {
    if is_column_line(line) {
        return match line == header.column_line {
            true => Ok(()),
            false => Err(joined(header, origin, "is a second #CHROM line and names other columns than the first")),
        };
    }
    if !line.starts_with(b"##") || header.has_line(line) {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&line[2..]);
    let Some((key, value)) = text.split_once('=') else { return Ok(()) };
    let other = |what: &str| {
        let what = format!("begins another header, which {what} than the first: `{}`", shown(line));
        Err(joined(header, origin, &what))
    };
    let fields = || meta::fields(value).unwrap_or_default();
    match key.trim() {
        "fileformat" if version(value) != Some(header.version) => other("has another version"),
        "reference" if header.reference.as_deref() != Some(value.trim()) => other("names another reference"),
        "INFO" => {
            let fields = fields();
            let id = meta::field(&fields, "ID").unwrap_or_default();
            let same = header.info.get(id) == Some(&Definition::of_fields(&fields).0);
            if is_read(id.as_bytes()) && !same { other("lays out a field otherwise") } else { Ok(()) }
        }
        "contig" => match Contig::of_fields(&fields()) {
            Some(contig) if header.contig(&contig.id) != Some(&contig) => other("has another contig"),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn joined(header: &VcfHeader, origin: u64, what: &str) -> StageError {
    let place = if header.is_indexed { "a line".to_owned() } else { format!("line {origin}") };
    StageError::new(format!("{}: {place} {what}: two files were joined into one", header.file))
        .with_hint("Deliver them as two drops, or join them with `bcftools concat` or `bcftools merge`.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "##fileformat=VCFv4.2\n##reference=GRCh38.fa\n\
        ##INFO=<ID=CSQ,Number=.,Type=String,Description=\"Format: Allele|SYMBOL\">\n\
        ##INFO=<ID=DP,Number=1,Type=Integer,Description=\"d\">\n##contig=<ID=chr1,length=248956422>\n\
        ##contig=<ID=chr2>\n##contig=<ID=chr2,length=5>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";

    fn check_line(line: &str) -> Result<(), String> {
        let header = VcfHeader::parse(FIRST.as_bytes(), "x.vcf").expect("a sound header");
        check(line.as_bytes(), 9, &header, |key| key == b"CSQ").map_err(|error| error.message)
    }

    #[test]
    fn what_repeats_the_first_is_a_comment() {
        for line in FIRST.lines() {
            assert_eq!(check_line(line), Ok(()), "{line}");
        }
        for line in [
            "# a remark",
            "##source=other",
            "##fileformat=VCFv4.2 ",
            "##contig=<length=248956422,ID=chr1>",
            "##INFO=<ID=DP,Number=1,Type=Float,Description=\"nobody reads it\">",
            "##FILTER=<ID=q10,Description=\"decides nothing\">",
        ] {
            assert_eq!(check_line(line), Ok(()), "{line}");
        }
    }

    #[test]
    fn what_says_something_else_ends_the_file() {
        for (line, expected) in [
            ("##fileformat=VCFv4.3", "another version"),
            ("##reference=GRCh37.fa", "another reference"),
            ("##contig=<ID=chr1,length=249250621>", "another contig"),
            ("##contig=<ID=chr3,length=7>", "another contig"),
            (
                "##INFO=<ID=CSQ,Number=.,Type=String,Description=\"Format: SYMBOL|Allele\">",
                "lays out a field otherwise",
            ),
            ("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts", "other columns"),
        ] {
            let message = check_line(line).expect_err("should be refused");
            for part in ["x.vcf: line 9", expected, "joined into one"] {
                assert!(message.contains(part), "{part}: {message}");
            }
        }
    }
}
