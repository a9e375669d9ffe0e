//! REF and ALT: which texts are alleles, and their case (VCF 4.3, sections 1.6.1.4, 1.6.1.5 and 5).

use crate::sources::{
    shared::place::shown,
    vcf::{
        fields::{Refusal, refuse},
        reasons::{BAD_ALT, BAD_REF},
    },
};

const LOWER: u8 = 1;
const IUPAC: u8 = 2;
const FOREIGN: u8 = 4;

/// What kind of letter each byte is: 0 for `ACGTN`, or any of the marks above.
const CLASS: [u8; 256] = {
    let mut class = [FOREIGN; 256];
    let mut at = 0;
    let plain = b"ACGTN";
    while at < plain.len() {
        class[plain[at] as usize] = 0;
        class[plain[at].to_ascii_lowercase() as usize] = LOWER;
        at += 1;
    }
    at = 0;
    let ambiguous = b"RYSWKMBDHVU";
    while at < ambiguous.len() {
        class[ambiguous[at] as usize] = IUPAC;
        class[ambiguous[at].to_ascii_lowercase() as usize] = IUPAC | LOWER;
        at += 1;
    }
    class
};

/// What is to be done with the text of an allele.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Allele {
    /// It holds lower-case bases, which are to be written in upper case.
    pub lower: bool,
    /// It holds an ambiguity code.
    pub iupac: bool,
}

fn bases(text: &[u8]) -> Option<Allele> {
    let marks = text.iter().fold(0, |marks, byte| marks | CLASS[usize::from(*byte)]);
    (marks & FOREIGN == 0 && !text.is_empty())
        .then_some(Allele { lower: marks & LOWER != 0, iupac: marks & IUPAC != 0 })
}

/// REF: bases, at least one.
pub(super) fn reference(text: &[u8]) -> Result<Allele, Refusal> {
    match bases(text) {
        Some(allele) => Ok(allele),
        None if text.is_empty() => refuse(BAD_REF, "REF is empty"),
        None => refuse(BAD_REF, format!("REF `{}` holds other characters than bases", shown(text))),
    }
}

/// One item of ALT: bases, `*`, a symbolic allele, a breakend, or an inserted contig (`C<ctg1>`: VCF 4.1 to 4.3, section
/// 5.4.3). Case matters in the last three: they are kept as they are.
pub(super) fn alternate(text: &[u8]) -> Result<Allele, Refusal> {
    if let Some(allele) = bases(text) {
        return Ok(allele);
    }
    match text {
        [] => refuse(BAD_ALT, "ALT is empty or has an empty item"),
        b"*" => Ok(Allele::default()),
        _ if std::str::from_utf8(text).is_err() => {
            let encoding = "is not UTF-8; it may be Latin-1 (ISO 8859-1)";
            refuse(BAD_ALT, format!("ALT `{}` {encoding}", text[..text.len().min(60)].escape_ascii()))
        }
        [b'<', id @ .., b'>'] if is_symbol(id) => Ok(Allele::default()),
        _ if is_breakend(text) || is_inserted_contig(text) => Ok(Allele::default()),
        _ => refuse(BAD_ALT, format!("ALT `{}` is not an allele", shown(text))),
    }
}

fn is_symbol(id: &[u8]) -> bool {
    !id.is_empty() && !id.iter().any(|byte| byte.is_ascii_whitespace() || matches!(byte, b'<' | b'>' | b','))
}

/// Bases and the contig that is inserted after them.
fn is_inserted_contig(text: &[u8]) -> bool {
    let Some(open) = memchr::memchr(b'<', text) else { return false };
    match &text[open..] {
        [b'<', id @ .., b'>'] => bases(&text[..open]).is_some() && is_symbol(id),
        _ => false,
    }
}

/// `t[p[`, `t]p]`, `]p]t`, `[p[t`, where `t` may be `.` or bases; or a single breakend, `t.` or `.t`.
fn is_breakend(text: &[u8]) -> bool {
    let is_sequence = |text: &[u8]| text.iter().all(|byte| *byte == b'.' || CLASS[usize::from(*byte)] & FOREIGN == 0);
    let Some(open) = memchr::memchr2(b'[', b']', text) else {
        return text.len() >= 2 && (text[0] == b'.') != (text[text.len() - 1] == b'.') && is_sequence(text);
    };
    let Some(length) = memchr::memchr(text[open], &text[open + 1..]) else {
        return false;
    };
    let (before, mate, after) = (&text[..open], &text[open + 1..open + 1 + length], &text[open + 2 + length..]);
    let mate_has_position = matches!(memchr::memrchr(b':', mate), Some(colon) if colon > 0
        && colon + 1 < mate.len()
        && mate[colon + 1..].iter().all(u8::is_ascii_digit));
    mate_has_position && before.is_empty() != after.is_empty() && is_sequence(before) && is_sequence(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_alleles() {
        let plain = Allele::default();
        let cases = [
            ("A", plain),
            ("acgtn", Allele { lower: true, iupac: false }),
            ("AR", Allele { lower: false, iupac: true }),
            ("*", plain),
            ("<DEL>", plain),
            ("<DEL:ME>", plain),
            ("<NON_REF>", plain),
            ("<*>", plain),
            ("G]17:198982]", plain),
            ("]13:123456]T", plain),
            ("C[<ctg1>:1[", plain),
            ("A]HLA-A*01:01:5]", plain),
            (".[13:123457[", plain),
            ("G.", plain),
            (".A", plain),
            ("C<ctg1>", plain),
            ("acg<ctg1>", plain),
        ];
        for (input, expected) in cases {
            assert_eq!(alternate(input.as_bytes()), Ok(expected), "{input}");
        }
    }

    #[test]
    fn refuses_what_is_no_allele() {
        for input in [
            "", ".", "..", "-", "A-", "<>", "<DEL", "DEL>", "<A B>", "A C", "G[17[", "G]:1]", "G]17:1[", "]2:321]",
            "2", "<ctg1>C", "C<>", "C<ctg1", "2<ctg1>", "C<a><b>",
        ] {
            assert_eq!(alternate(input.as_bytes()).map_err(|refusal| refusal.reason.code()), Err("bad_alt"), "{input}");
        }
        let refusal = alternate(b"<D\xfcP>").expect_err("not UTF-8");
        assert!(refusal.detail.contains("<D\\xfcP>") && refusal.detail.contains("UTF-8"), "{}", refusal.detail);
        for input in ["", ".", "*", "-", "<DEL>", "A,C", "A\u{e9}"] {
            assert_eq!(reference(input.as_bytes()).map_err(|refusal| refusal.reason.code()), Err("bad_ref"), "{input}");
        }
        assert_eq!(reference(b"aR"), Ok(Allele { lower: true, iupac: true }));
    }
}
