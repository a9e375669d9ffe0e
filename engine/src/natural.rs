//! The order in which people count: `release_9` before `release_10`.

use std::cmp::Ordering;

/// Compares two names: runs of ASCII digits by their value, everything else by its bytes. Names that are equal so far
/// (`a1` and `a01`) are compared by their bytes, so only equal names are equal.
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    let (mut a, mut b) = (left.as_bytes(), right.as_bytes());
    while let (Some(x), Some(y)) = (a.first(), b.first()) {
        let order = if x.is_ascii_digit() && y.is_ascii_digit() {
            let (number_a, number_b) = (number(&mut a), number(&mut b));
            (number_a.len(), number_a).cmp(&(number_b.len(), number_b))
        } else {
            (a, b) = (&a[1..], &b[1..]);
            x.cmp(y)
        };
        if order.is_ne() {
            return order;
        }
    }
    a.len().cmp(&b.len()).then_with(|| left.cmp(right))
}

/// Takes the digits at the start, and yields them without leading zeros.
fn number<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    &digits[digits.iter().take_while(|digit| **digit == b'0').count()..]
}

#[cfg(test)]
mod tests {
    use super::compare;

    #[test]
    fn numbers_count() {
        let ordered = [
            "",
            "2026-9",
            "2026-10",
            "a",
            "a0",
            "a00",
            "a01",
            "a1",
            "a1b",
            "a2",
            "a010",
            "a10",
            "a10b2",
            "a10b10",
            "a99999999999999999999999",
            "a100000000000000000000000",
            "b",
            "é1",
        ];
        for (at, left) in ordered.iter().enumerate() {
            for (other, right) in ordered.iter().enumerate() {
                assert_eq!(compare(left, right), at.cmp(&other), "{left} {right}");
            }
        }
    }
}
