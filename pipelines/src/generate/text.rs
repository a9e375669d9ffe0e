//! Numbers as text, ten times as fast as the formatter, which would otherwise be most of the work.

/// Appends a number.
pub fn number(line: &mut Vec<u8>, value: u64) {
    padded(line, value, 1);
}

/// Appends a number with zeros before it, up to this many digits.
pub fn padded(line: &mut Vec<u8>, mut value: u64, digits_min: usize) {
    let count = (value.checked_ilog10().unwrap_or(0) as usize + 1).max(digits_min);
    let start = line.len();
    // In their place: what is written in small pieces and then copied as a whole makes the processor wait.
    line.extend_from_slice(&[b'0'; DIGITS_MAX]);
    let digits = &mut line[start..start + count];
    let mut end = count;
    while value >= 100 {
        end -= 2;
        digits[end..end + 2].copy_from_slice(&pair(value % 100));
        value /= 100;
    }
    if value >= 10 {
        digits[end - 2..end].copy_from_slice(&pair(value));
    } else {
        digits[end - 1] = b'0' + value as u8;
    }
    line.truncate(start + count);
}

/// Digits of the largest number.
const DIGITS_MAX: usize = 20;

/// A number below 100 in two digits.
fn pair(value: u64) -> [u8; 2] {
    [b'0' + (value / 10) as u8, b'0' + (value % 10) as u8]
}

/// A number below 100,000 in five digits.
pub fn five(value: u64) -> [u8; 5] {
    let ([a, b], [c, d]) = (pair(value / 1_000), pair(value / 10 % 100));
    [a, b, c, d, b'0' + (value % 10) as u8]
}

/// Appends the start of some bytes. All of them are copied, always as many, and the rest is taken back: for so few bytes that is
/// quicker than the system's copying of any number.
pub fn put_start<const N: usize>(line: &mut Vec<u8>, bytes: &[u8; N], length: usize) {
    let end = line.len() + length;
    line.extend_from_slice(bytes);
    line.truncate(end);
}

/// Appends hundredths as a decimal: 1234 is `12.34`.
pub fn hundredths(line: &mut Vec<u8>, value: u64) {
    number(line, value / 100);
    line.push(b'.');
    padded(line, value % 100, 2);
}

/// Appends a text.
pub fn put(line: &mut Vec<u8>, text: &str) {
    line.extend_from_slice(text.as_bytes());
}

/// Appends texts.
pub fn put_all(line: &mut Vec<u8>, texts: &[&str]) {
    for text in texts {
        put(line, text);
    }
}

#[cfg(test)]
mod tests {
    use super::{five, hundredths, number, padded};

    #[test]
    fn numbers_are_written_as_the_formatter_does() {
        for value in [0, 7, 10, 99, 100, 101, 999, 1_000, 12_345, 1 << 53, u64::MAX] {
            let mut line = Vec::new();
            number(&mut line, value);
            padded(&mut line, value, 5);
            hundredths(&mut line, value);
            let expected = format!("{value}{value:05}{}.{:02}", value / 100, value % 100);
            assert_eq!(String::from_utf8(line).expect("digits"), expected);
        }
        for value in [0, 8, 98, 987, 9_876, 98_765] {
            assert_eq!(five(value), format!("{value:05}").as_bytes());
        }
    }
}
