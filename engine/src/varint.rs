//! Unsigned numbers in as few bytes as they need: seven bits a byte, low bits first, the high bit says "more follows".

/// Appends `value`, 1 to 10 bytes.
pub(crate) fn push(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads the number at `*position` and moves past it; `None` where the bytes end or no such number was written.
#[inline]
pub(crate) fn read(bytes: &[u8], position: &mut usize) -> Option<u64> {
    let first = *bytes.get(*position)?;
    *position += 1;
    if first < 0x80 {
        return Some(u64::from(first));
    }
    let mut value = u64::from(first & 0x7f);
    for shift in (7..64).step_by(7) {
        let byte = *bytes.get(*position)?;
        *position += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// Reads a number that says how many bytes follow, and those bytes.
pub(crate) fn read_bytes<'a>(bytes: &'a [u8], position: &mut usize) -> Option<&'a [u8]> {
    let length = usize::try_from(read(bytes, position)?).ok()?;
    let end = position.checked_add(length)?;
    let found = bytes.get(*position..end)?;
    *position = end;
    Some(found)
}

/// Appends the length of `found` and its bytes.
pub(crate) fn push_bytes(out: &mut Vec<u8>, found: &[u8]) {
    push(out, found.len() as u64);
    out.extend_from_slice(found);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for value in [0, 1, 127, 128, 300, 16_383, 16_384, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut bytes = Vec::new();
            push(&mut bytes, value);
            let mut position = 0;
            assert_eq!((read(&bytes, &mut position), position), (Some(value), bytes.len()));
        }
    }

    #[test]
    fn what_breaks_off_is_no_number() {
        assert_eq!(read(&[], &mut 0), None);
        assert_eq!(read(&[0x80], &mut 0), None);
        assert_eq!(read(&[0xff; 11], &mut 0), None);
        assert_eq!(read_bytes(&[5, 1, 2], &mut 0), None);
    }
}
