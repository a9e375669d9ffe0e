//! What is after the `?` of an address, and in a form.

/// The value of a parameter of a query or a form.
pub fn parameter(query: &str, name: &str) -> Option<String> {
    pairs(query).into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// All parameters of a query or a form.
pub fn pairs(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
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
