//! Typed values of BCF2 (VCF 4.3, section 6.3.3), read from a byte slice that gets shorter.

/// Why bytes cannot be decoded.
pub(super) type Trouble = String;

/// The type and length that precede a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Descriptor {
    /// The type.
    pub kind: Kind,
    /// How many items.
    pub count: usize,
}

/// The type of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Missing,
    Int8,
    Int16,
    Int32,
    Float,
    Character,
}

impl Kind {
    /// How many bytes an item takes.
    pub fn width_bytes(self) -> usize {
        match self {
            Kind::Missing => 0,
            Kind::Int8 | Kind::Character => 1,
            Kind::Int16 => 2,
            Kind::Int32 | Kind::Float => 4,
        }
    }
}

/// One item of a vector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Item {
    /// `.`
    Missing,
    /// The vector is shorter than its room: nothing follows.
    End,
    Integer(i32),
    Float(f32),
}

/// The bit patterns of a missing float and of the end of a vector of them.
const FLOAT_MISSING: u32 = 0x7f80_0001;
const FLOAT_END: u32 = 0x7f80_0002;

/// Takes so many bytes off the front.
pub(super) fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8], Trouble> {
    let (taken, rest) = bytes.split_at_checked(count).ok_or("its values end early")?;
    *bytes = rest;
    Ok(taken)
}

/// Takes an unsigned 32-bit number, little-endian.
pub(super) fn word(bytes: &mut &[u8]) -> Result<u32, Trouble> {
    let taken = take(bytes, 4)?;
    Ok(u32::from_le_bytes([taken[0], taken[1], taken[2], taken[3]]))
}

/// Takes the descriptor of a value.
pub(super) fn descriptor(bytes: &mut &[u8]) -> Result<Descriptor, Trouble> {
    let byte = take(bytes, 1)?[0];
    let kind = match byte & 0x0f {
        0 => Kind::Missing,
        1 => Kind::Int8,
        2 => Kind::Int16,
        3 => Kind::Int32,
        5 => Kind::Float,
        7 => Kind::Character,
        other => return Err(format!("type {other} is unknown")),
    };
    let count = match byte >> 4 {
        // The length does not fit in four bits: it follows as a value of its own.
        15 => {
            let length = take(bytes, 1)?[0];
            let kind = match length {
                0x11 => Kind::Int8,
                0x12 => Kind::Int16,
                0x13 => Kind::Int32,
                _ => return Err("a length is not a single number".into()),
            };
            match item(kind, take(bytes, kind.width_bytes())?) {
                Item::Integer(count) if count >= 0 => count as usize,
                _ => return Err("a length is negative".into()),
            }
        }
        count => usize::from(count),
    };
    Ok(Descriptor { kind, count })
}

/// Takes a value with its descriptor.
pub(super) fn value<'a>(bytes: &mut &'a [u8]) -> Result<(Kind, &'a [u8]), Trouble> {
    let descriptor = descriptor(bytes)?;
    let length = descriptor.count.checked_mul(descriptor.kind.width_bytes()).ok_or("a length is out of range")?;
    Ok((descriptor.kind, take(bytes, length)?))
}

/// Takes a value that must be one number: the key of a field.
pub(super) fn key(bytes: &mut &[u8]) -> Result<i32, Trouble> {
    let (kind, value) = value(bytes)?;
    match items(kind, value).next() {
        Some(Item::Integer(key)) => Ok(key),
        _ => Err("a field has no key".into()),
    }
}

/// The items of a vector.
pub(super) fn items(kind: Kind, value: &[u8]) -> impl Iterator<Item = Item> + '_ {
    value.chunks_exact(kind.width_bytes().max(1)).map(move |bytes| item(kind, bytes))
}

fn item(kind: Kind, bytes: &[u8]) -> Item {
    let integer = |value: i32, least: i32| match value - least {
        0 => Item::Missing,
        1 => Item::End,
        _ => Item::Integer(value),
    };
    match (kind, bytes) {
        (Kind::Int8, [a]) => integer(i32::from(*a as i8), i32::from(i8::MIN)),
        (Kind::Int16, [a, b]) => integer(i32::from(i16::from_le_bytes([*a, *b])), i32::from(i16::MIN)),
        (Kind::Int32, [a, b, c, d]) => match i32::from_le_bytes([*a, *b, *c, *d]) {
            i32::MIN => Item::Missing,
            value if value == i32::MIN + 1 => Item::End,
            value => Item::Integer(value),
        },
        (Kind::Float, [a, b, c, d]) => match u32::from_le_bytes([*a, *b, *c, *d]) {
            FLOAT_MISSING => Item::Missing,
            FLOAT_END => Item::End,
            bits => Item::Float(f32::from_bits(bits)),
        },
        _ => Item::Missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_typed_values() -> Result<(), Trouble> {
        let mut bytes: &[u8] = &[0x31, 5, 0x80, 0x81, 0x12, 0x01, 0x80, 0x17, b'A', 0x00, 0xf7, 0x11, 16];
        let (kind, integers) = value(&mut bytes)?;
        assert_eq!(items(kind, integers).collect::<Vec<_>>(), [Item::Integer(5), Item::Missing, Item::End]);
        let (kind, integers) = value(&mut bytes)?;
        assert_eq!(items(kind, integers).collect::<Vec<_>>(), [Item::End]);
        assert_eq!(value(&mut bytes)?, (Kind::Character, &b"A"[..]));
        assert_eq!(value(&mut bytes)?, (Kind::Missing, &b""[..]));
        assert_eq!(descriptor(&mut bytes)?, Descriptor { kind: Kind::Character, count: 16 });
        Ok(())
    }

    #[test]
    fn refuses_what_is_cut_off_or_unknown() {
        for bytes in [
            &[][..],
            &[0x21, 1],
            &[0x14, 0],
            &[0xf7],
            &[0xf1, 0x11, 0xff],
            &[0xf1, 0x21, 1, 1],
            &[0xf3, 0x13, 255, 255, 255, 127],
        ] {
            assert!(value(&mut &*bytes).is_err(), "{bytes:?}");
        }
    }
}
