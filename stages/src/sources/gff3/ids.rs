//! Identifiers as databases write them: prefixes that say what they are of, and versions.

use std::borrow::Cow;

/// What Ensembl (`gene:`) and RefSeq (`gene-`) put before the ids of genes.
const GENE_PREFIXES: [&str; 2] = ["gene:", "gene-"];

/// The same of transcripts.
const TRANSCRIPT_PREFIXES: [&str; 2] = ["transcript:", "rna-"];

/// A gene's id without prefix and version.
pub(super) fn gene_id(id: &str) -> String {
    bare(id, &GENE_PREFIXES)
}

/// Whether an id says that it is of a gene.
pub(super) fn is_of_gene(id: &str) -> bool {
    GENE_PREFIXES.iter().any(|prefix| id.starts_with(prefix))
}

/// A transcript's id without prefix and version.
pub(super) fn transcript_id(id: &str) -> String {
    bare(id, &TRANSCRIPT_PREFIXES)
}

fn bare(id: &str, prefixes: &[&str]) -> String {
    let bare = prefixes.iter().find_map(|prefix| id.strip_prefix(prefix)).unwrap_or(id);
    without_version(bare).into_owned()
}

/// An id without the versions of the Ensembl and RefSeq accessions in it: `exon:ENST00000269305.9:1` is that of
/// `exon:ENST00000269305:1`. What follows a version stays (`ENSG00000182378.15_PAR_Y`).
pub(super) fn without_version(id: &str) -> Cow<'_, str> {
    if !id.contains('.') {
        return Cow::Borrowed(id);
    }
    let mut kept = String::new();
    let (mut copied, mut at, mut in_word) = (0, 0, false);
    while let Some(letter) = id[at..].chars().next() {
        if !in_word && let Some((stem, whole)) = accession(&id.as_bytes()[at..]) {
            kept.push_str(&id[copied..at + stem]);
            (copied, at) = (at + whole, at + whole);
        } else {
            in_word = letter.is_alphanumeric();
            at += letter.len_utf8();
        }
    }
    if copied == 0 {
        return Cow::Borrowed(id);
    }
    kept.push_str(&id[copied..]);
    Cow::Owned(kept)
}

/// How long the accession is that a text begins with: without its version, and with it. `None` where there is none with a
/// version.
fn accession(text: &[u8]) -> Option<(usize, usize)> {
    let digits = |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let stem = match text {
        [b'E', b'N', b'S', rest @ ..] => {
            let letters = 3 + rest.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
            // Stable ids of Ensembl have eleven digits.
            (digits(letters) == 11).then_some(letters + 11)?
        }
        [b'N' | b'X', b'M' | b'R' | b'P' | b'G', b'_', ..] => {
            let number = digits(3);
            (number >= 6).then_some(3 + number)?
        }
        _ => return None,
    };
    let version = text.get(stem).filter(|byte| **byte == b'.').map(|_| digits(stem + 1))?;
    (version > 0).then_some((stem, stem + 1 + version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_left_out() {
        for (id, expected) in [
            ("ENSG00000141510.18", "ENSG00000141510"),
            ("ENSG00000182378.15_PAR_Y", "ENSG00000182378_PAR_Y"),
            ("exon:ENST00000269305.9:1", "exon:ENST00000269305:1"),
            ("ENSMUSG00000059552.14", "ENSMUSG00000059552"),
            ("rna-NM_000546.6", "rna-NM_000546"),
            ("exon-NM_000546.6-1", "exon-NM_000546-1"),
            ("AC012345.1", "AC012345.1"),
            ("gene-RP11-34P13.7", "gene-RP11-34P13.7"),
            ("ENSG0000014151.18", "ENSG0000014151.18"),
            ("ENSG00000141510.", "ENSG00000141510."),
            ("HENSG00000141510.18", "HENSG00000141510.18"),
            ("é.NM_000546.6", "é.NM_000546"),
            ("", ""),
        ] {
            assert_eq!(without_version(id), expected, "{id}");
        }
        assert_eq!(gene_id("gene:ENSG00000141510.18"), "ENSG00000141510");
        assert_eq!(gene_id("gene-TP53"), "TP53");
        assert_eq!(transcript_id("rna-NM_000546.6"), "NM_000546");
        assert_eq!(transcript_id("gene-TP53"), "gene-TP53");
    }
}
