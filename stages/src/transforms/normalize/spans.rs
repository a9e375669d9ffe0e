//! How far an allele reaches: `end_pos` and `sv_len`, which tell apart symbolic alleles that stand at one position.
//!
//! A sequence spans what REF has. Of a symbolic allele INFO says it, in `END` (VCF 4.3, section 3) and `SVLEN`, which is
//! negative for deletions up to 4.3 and positive since 4.4, and has a value per allele since 4.4 (section 3 of each). Up to
//! 4.3 END decides where both are given; since 4.4 END is computed from SVLEN, and is that of the record's longest allele
//! (4.4 and 4.5, section 1.6.1.8), so SVLEN decides. Both are looked up in the record's own text, and only for symbolic
//! alleles, so that other records cost nothing.

use memchr::memchr;

/// What INFO says of a record's extent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    /// `END`, 1-based; `None` where it is absent or no position from POS on.
    end: Option<i64>,
    /// `|SVLEN|`, value by value; `None` for a value that is missing or no number.
    lengths: Vec<Option<i64>>,
    /// Whether `END` is there and cannot be used.
    pub bad_end: bool,
    /// Whether SVLEN overrules END: since VCF 4.4.
    length_decides: bool,
}

/// The last base of the reference that an allele covers, 1-based, and its length as a structural variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub end: i64,
    pub sv_length: i64,
}

impl Span {
    /// The span of a sequence or a breakend.
    pub fn of_sequence(pos: i64, reference: &str) -> Span {
        Span { end: last_base(pos, reference), sv_length: 0 }
    }

    /// The span of the symbolic allele `alternate`, number `allele` (from 0) of `alternates`.
    pub fn of_symbol(
        pos: i64,
        reference: &str,
        alternate: &str,
        allele: usize,
        alternates: usize,
        extent: &Extent,
    ) -> Span {
        // A single value for several alleles does not say which of them it means.
        let length = extent.lengths.get(allele).copied().flatten().filter(|_| extent.lengths.len() == alternates);
        // An insertion is between two bases, however long it is, and END of several alleles is another's.
        if is_insertion(alternate) && (alternates > 1 || extent.length_decides) {
            return Span { end: last_base(pos, reference), sv_length: length.unwrap_or(0) };
        }
        let covered = length.filter(|_| !is_insertion(alternate)).map(|length| pos.saturating_add(length));
        let end = match alternates > 1 || (extent.length_decides && has_length(alternate)) {
            true => covered.or(extent.end),
            false => extent.end.or(covered),
        };
        Span {
            end: end.unwrap_or_else(|| last_base(pos, reference)),
            sv_length: length.or(extent.end.map(|end| end - pos)).unwrap_or(0),
        }
    }
}

impl Extent {
    /// Reads the INFO column of a record at `pos` in a file of this version. Of a key that occurs twice the first counts.
    pub fn of_record(record: &[u8], pos: i64, version: (u32, u32)) -> Extent {
        let info = record.split(|byte| *byte == b'\t').nth(7).unwrap_or_default();
        let value = |key: &[u8]| {
            info.split(|byte| *byte == b';').find_map(|entry| {
                let entry = entry.trim_ascii();
                let equals = memchr(b'=', entry)?;
                (&entry[..equals] == key).then(|| &entry[equals + 1..])
            })
        };
        let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse::<i64>().ok();
        let end = value(b"END").filter(|text| *text != b".");
        let usable = end.and_then(number).filter(|end| *end >= pos);
        let lengths = value(b"SVLEN").map(|text| {
            let items = text.split(|byte| *byte == b',');
            items.map(|item| number(item).and_then(i64::checked_abs)).collect()
        });
        Extent {
            end: usable,
            lengths: lengths.unwrap_or_default(),
            bad_end: end.is_some() && usable.is_none(),
            length_decides: version >= (4, 4),
        }
    }
}

/// Whether an allele is symbolic: `<DEL>`. Breakends name other places, and have no extent of their own.
pub(super) fn is_symbol(alternate: &str) -> bool {
    alternate.starts_with('<') && alternate.ends_with('>')
}

fn is_insertion(alternate: &str) -> bool {
    alternate == "<INS>" || alternate.starts_with("<INS:")
}

/// Whether SVLEN is the number of bases of the reference that an allele changes (VCF 4.4, section 3): deletions, duplications,
/// inversions and copy numbers, of any subtype.
fn has_length(alternate: &str) -> bool {
    let kind = alternate[1..].split([':', '>']).next();
    matches!(kind, Some("DEL" | "DUP" | "INV" | "CNV"))
}

fn last_base(pos: i64, reference: &str) -> i64 {
    pos.saturating_add(reference.len() as i64 - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// End and length of each alternate of a record at position 100.
    fn spans_in(version: (u32, u32), alternates: &str, info: &str) -> Vec<(i64, i64)> {
        let record = format!("1\t100\t.\tN\t{alternates}\t.\t.\t{info}\tGT\t0/1");
        let extent = Extent::of_record(record.as_bytes(), 100, version);
        let all: Vec<&str> = alternates.split(',').collect();
        let span = |(at, alternate): (usize, &&str)| Span::of_symbol(100, "N", alternate, at, all.len(), &extent);
        all.iter().enumerate().map(span).map(|span| (span.end, span.sv_length)).collect()
    }

    fn spans(alternates: &str, info: &str) -> Vec<(i64, i64)> {
        spans_in((4, 2), alternates, info)
    }

    #[test]
    fn since_4_4_the_length_decides() {
        for (alternates, info, until_4_3, since_4_4) in [
            ("<DEL>", "END=1100;SVLEN=5", vec![(1100, 5)], vec![(105, 5)]),
            ("<DUP:TANDEM>", "END=1100;SVLEN=5", vec![(1100, 5)], vec![(105, 5)]),
            ("<CNV:TR>", "END=1100;SVLEN=5", vec![(1100, 5)], vec![(105, 5)]),
            ("<DEL>", "END=1100", vec![(1100, 1000)], vec![(1100, 1000)]),
            ("<DEL>", "END=1100;SVLEN=.", vec![(1100, 1000)], vec![(1100, 1000)]),
            // Of what has no length by the specification, END still says where it ends.
            ("<TRA>", "END=1100;SVLEN=0", vec![(1100, 0)], vec![(1100, 0)]),
            ("<INS>", "END=101;SVLEN=300", vec![(101, 300)], vec![(100, 300)]),
            // A reference band's END is not the insertion's, in any version.
            ("<INS>,<*>", "END=500;SVLEN=30,.", vec![(100, 30), (500, 400)], vec![(100, 30), (500, 400)]),
            ("<DEL>,<*>", "END=500;SVLEN=20,.", vec![(120, 20), (500, 400)], vec![(120, 20), (500, 400)]),
            ("<INS>,<*>", "END=500", vec![(100, 0), (500, 400)], vec![(100, 0), (500, 400)]),
        ] {
            assert_eq!(spans_in((4, 3), alternates, info), until_4_3, "4.3 {alternates} {info}");
            assert_eq!(spans_in((4, 4), alternates, info), since_4_4, "4.4 {alternates} {info}");
        }
    }

    #[test]
    fn end_and_length_complete_each_other() {
        for (alternates, info, expected) in [
            ("<DEL>", "SVTYPE=DEL;END=150;SVLEN=-50", vec![(150, 50)]),
            ("<DEL>", "SVTYPE=DEL;END=150;SVLEN=50", vec![(150, 50)]),
            ("<DEL>", "END=150", vec![(150, 50)]),
            ("<DEL>", "SVLEN=-50", vec![(150, 50)]),
            ("<DUP>", "XEND=7;SVLEN=50;", vec![(150, 50)]),
            ("<INS>", "SVLEN=300", vec![(100, 300)]),
            ("<INS:ME:ALU>", "END=101;SVLEN=300", vec![(101, 300)]),
            ("<INS>", ".", vec![(100, 0)]),
            ("<DEL>", "IMPRECISE", vec![(100, 0)]),
            ("<DEL>", "END=.;SVLEN=.", vec![(100, 0)]),
            ("<DEL>", "END=150;END=160;SVLEN=x", vec![(150, 50)]),
            // A value per allele; END is that of the longest.
            ("<DEL>,<DUP>,<INS>", "END=180;SVLEN=-50,80,300", vec![(150, 50), (180, 80), (100, 300)]),
            ("<DEL>,<DUP>", "END=180;SVLEN=.,80", vec![(180, 80), (180, 80)]),
            // One value for two alleles belongs to neither.
            ("<DEL>,<DUP>", "SVLEN=80", vec![(100, 0), (100, 0)]),
            ("<DEL>,<DUP>", "END=180;SVLEN=80", vec![(180, 80), (180, 80)]),
        ] {
            assert_eq!(spans(alternates, info), expected, "{alternates} {info}");
        }
    }

    #[test]
    fn an_end_that_cannot_be_is_taken_as_absent() {
        for (info, bad) in [("END=99", true), ("END=x", true), ("END=-1", true), ("END=100", false), (".", false)] {
            let record = format!("1\t100\t.\tN\t<DEL>\t.\t.\t{info}");
            let extent = Extent::of_record(record.as_bytes(), 100, (4, 2));
            assert_eq!(extent.bad_end, bad, "{info}");
            assert_eq!(
                Span::of_symbol(100, "NN", "<DEL>", 0, 1, &extent).end,
                if info == "END=100" { 100 } else { 101 }
            );
        }
        assert_eq!(Extent::of_record(b"1\t100", 100, (4, 2)), Extent::default());
        assert_eq!(Span::of_sequence(10, "ACG"), Span { end: 12, sv_length: 0 });
        assert!(is_symbol("<DEL>") && !is_symbol("<DEL") && !is_symbol("A]<x>:5]"));
    }
}
