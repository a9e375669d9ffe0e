//! What stands behind the `?` of an address, and in a form.

/// The value of a parameter of a query or a form.
pub fn parameter(query: &str, name: &str) -> Option<String> {
    pairs(query).into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// All parameters of a query or a form.
pub fn pairs(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

/// A text as forms write it: `+` is a blank, `%41` is `A`.
fn decoded(text: &str) -> String {
    let (bytes, mut out, mut at) = (text.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).and_then(|two| std::str::from_utf8(two).ok());
        match (bytes[at], hex.and_then(|two| u8::from_str_radix(two, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
                continue;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded() {
        assert_eq!(parameter("a=1&token=x%2By+z&b", "token").as_deref(), Some("x+y z"));
        assert_eq!(parameter("token=%", "token").as_deref(), Some("%"));
        assert_eq!(parameter("token=%C3%A9%zz", "token").as_deref(), Some("é%zz"));
        assert_eq!(parameter("", "token"), None);
    }
}
