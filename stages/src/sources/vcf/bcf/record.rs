//! One BCF2 record as a line of VCF text.

use std::io::Write as _;

use crate::sources::vcf::{
    bcf::{
        dictionary::Dictionary,
        typed::{Item, Kind, Trouble, descriptor, items, key, take, value, word},
    },
    header::VcfHeader,
};

/// Appends the record as a line with its line end. On an error `text` may hold a part of it.
pub(super) fn render(
    mut shared: &[u8],
    individual: &[u8],
    header: &VcfHeader,
    dictionary: &Dictionary,
    text: &mut Vec<u8>,
) -> Result<(), Trouble> {
    let bytes = &mut shared;
    let contig = word(bytes)? as i32;
    let contig = dictionary.contig(contig).ok_or_else(|| format!("the header has no contig number {contig}"))?;
    text.extend_from_slice(contig.as_bytes());
    // Positions are 0-based in BCF; -1 is the telomere, position 0 of VCF.
    let position = i64::from(word(bytes)? as i32) + 1;
    push_integer(b'\t', position, text);
    let _reference_length = word(bytes)?;
    let quality = items(Kind::Float, take(bytes, 4)?).next().unwrap_or(Item::Missing);
    let (counts, sample_counts) = (word(bytes)?, word(bytes)?);
    let (info_count, allele_count) = (counts & 0xffff, counts >> 16);
    let (sample_count, format_count) = (sample_counts & 0x00ff_ffff, sample_counts >> 24);

    text.push(b'\t');
    push_value(value(bytes)?, text);
    push_alleles(bytes, allele_count, text)?;
    text.push(b'\t');
    push_item(quality, text);
    text.push(b'\t');
    push_filters(value(bytes)?, dictionary, text)?;
    text.push(b'\t');
    push_info(bytes, info_count, dictionary, text)?;
    if sample_count as usize != header.samples.len() {
        return Err(format!("it has {sample_count} samples, the header {}", header.samples.len()));
    }
    if header.columns() > 8 {
        push_samples(individual, format_count as usize, sample_count as usize, dictionary, text)?;
    }
    text.push(b'\n');
    Ok(())
}

/// REF, then ALT, each after a tab.
fn push_alleles(bytes: &mut &[u8], count: u32, text: &mut Vec<u8>) -> Result<(), Trouble> {
    if count == 0 {
        text.extend_from_slice(b"\t.");
    }
    for at in 0..count {
        text.push(if at < 2 { b'\t' } else { b',' });
        push_value(value(bytes)?, text);
    }
    if count < 2 {
        text.extend_from_slice(b"\t.");
    }
    Ok(())
}

fn push_filters((kind, filters): (Kind, &[u8]), dictionary: &Dictionary, text: &mut Vec<u8>) -> Result<(), Trouble> {
    let start = text.len();
    for filter in items(kind, filters) {
        let Item::Integer(index) = filter else { continue };
        let name = dictionary.string(index).ok_or_else(|| format!("the header has no filter number {index}"))?;
        if text.len() > start {
            text.push(b';');
        }
        text.extend_from_slice(name.text.as_bytes());
    }
    if text.len() == start {
        text.push(b'.');
    }
    Ok(())
}

fn push_info(bytes: &mut &[u8], count: u32, dictionary: &Dictionary, text: &mut Vec<u8>) -> Result<(), Trouble> {
    for at in 0..count {
        if at > 0 {
            text.push(b';');
        }
        let index = key(bytes)?;
        let name = dictionary.string(index).ok_or_else(|| format!("the header has no INFO number {index}"))?;
        text.extend_from_slice(name.text.as_bytes());
        let (kind, value) = value(bytes)?;
        if !name.is_flag && kind != Kind::Missing {
            text.push(b'=');
            push_value((kind, value), text);
        }
    }
    if count == 0 {
        text.push(b'.');
    }
    Ok(())
}

/// A field of all samples: the samples' values one after the other, each `width` bytes.
struct Series<'a> {
    is_genotype: bool,
    kind: Kind,
    width: usize,
    values: &'a [u8],
}

fn push_samples(
    mut bytes: &[u8],
    format_count: usize,
    sample_count: usize,
    dictionary: &Dictionary,
    text: &mut Vec<u8>,
) -> Result<(), Trouble> {
    let mut series: Vec<Series> = Vec::with_capacity(format_count);
    text.push(b'\t');
    for at in 0..format_count {
        let index = key(&mut bytes)?;
        let name = dictionary.string(index).ok_or_else(|| format!("the header has no FORMAT number {index}"))?;
        if at > 0 {
            text.push(b':');
        }
        text.extend_from_slice(name.text.as_bytes());
        let descriptor = descriptor(&mut bytes)?;
        let width = descriptor.count.checked_mul(descriptor.kind.width_bytes()).ok_or("a length is out of range")?;
        let length = width.checked_mul(sample_count).ok_or("a length is out of range")?;
        let values = take(&mut bytes, length)?;
        series.push(Series { is_genotype: name.text == "GT", kind: descriptor.kind, width, values });
    }
    if format_count == 0 {
        text.push(b'.');
    }
    for sample in 0..sample_count {
        text.push(b'\t');
        for (at, series) in series.iter().enumerate() {
            if at > 0 {
                text.push(b':');
            }
            let value = &series.values[sample * series.width..(sample + 1) * series.width];
            if series.is_genotype && series.kind != Kind::Character {
                push_genotype(series.kind, value, text);
            } else {
                push_value((series.kind, value), text);
            }
        }
        if series.is_empty() {
            text.push(b'.');
        }
    }
    Ok(())
}

/// A genotype: `(allele + 1) << 1 | phased` per allele (VCF 4.3, section 6.3.3). The first allele's phase bit is not
/// written: it says how the others are joined.
fn push_genotype(kind: Kind, value: &[u8], text: &mut Vec<u8>) {
    let start = text.len();
    for item in items(kind, value) {
        let code = match item {
            Item::Integer(code) => code,
            Item::Missing => 0,
            Item::End | Item::Float(_) => break,
        };
        if text.len() > start {
            text.push(if code & 1 == 1 { b'|' } else { b'/' });
        }
        match (code >> 1) - 1 {
            allele if allele >= 0 => push_digits(i64::from(allele), text),
            _ => text.push(b'.'),
        }
    }
    if text.len() == start {
        text.push(b'.');
    }
}

/// A value of any type; `.` where it holds nothing.
fn push_value((kind, value): (Kind, &[u8]), text: &mut Vec<u8>) {
    let start = text.len();
    if kind == Kind::Character {
        for byte in value.iter().take_while(|byte| **byte != 0) {
            match byte {
                // A line's structure must not come from within a value.
                b'\t' | b'\n' | b'\r' => text.push(b' '),
                byte => text.push(*byte),
            }
        }
    } else {
        for item in items(kind, value).take_while(|item| *item != Item::End) {
            if text.len() > start {
                text.push(b',');
            }
            push_item(item, text);
        }
    }
    if text.len() == start {
        text.push(b'.');
    }
}

fn push_item(item: Item, text: &mut Vec<u8>) {
    match item {
        Item::Missing | Item::End => text.push(b'.'),
        Item::Integer(integer) => push_digits(i64::from(integer), text),
        Item::Float(float) => {
            // The shortest text that reads back as the same float. Writing to memory cannot fail.
            let plain = float == 0.0 || !float.is_finite() || (1e-5..1e15).contains(&float.abs());
            let _ = if plain { write!(text, "{float}") } else { write!(text, "{float:e}") };
        }
    }
}

fn push_integer(separator: u8, integer: i64, text: &mut Vec<u8>) {
    text.push(separator);
    push_digits(integer, text);
}

fn push_digits(integer: i64, text: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = integer.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if integer < 0 {
        text.push(b'-');
    }
    text.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(push: impl Fn(&mut Vec<u8>)) -> String {
        let mut bytes = Vec::new();
        push(&mut bytes);
        String::from_utf8(bytes).expect("ASCII")
    }

    #[test]
    fn writes_genotypes() {
        let cases: [(&[u8], &str); 6] = [
            (&[2, 4], "0/1"),
            (&[2, 5], "0|1"),
            (&[0, 0], "./."),
            (&[4, 0x81], "1"),
            (&[0x81, 0x81], "."),
            (&[3, 1], "0|."),
        ];
        for (bytes, expected) in cases {
            assert_eq!(text(|text| push_genotype(Kind::Int8, bytes, text)), expected);
        }
    }

    #[test]
    fn writes_numbers() {
        for (integer, expected) in [(0, "0"), (-5, "-5"), (1234, "1234"), (i64::MIN, "-9223372036854775808")] {
            assert_eq!(text(|text| push_digits(integer, text)), expected);
        }
        for (float, expected) in [(0.5, "0.5"), (29.0, "29"), (1e-7, "1e-7"), (3e38, "3e38"), (0.0, "0")] {
            assert_eq!(text(|text| push_item(Item::Float(float), text)), expected);
        }
        assert_eq!(text(|text| push_value((Kind::Int8, &[1, 0x80, 0x81]), text)), "1,.");
        assert_eq!(text(|text| push_value((Kind::Character, b"a\tb\0\0"), text)), "a b");
        assert_eq!(text(|text| push_value((Kind::Character, b""), text)), ".");
    }
}
