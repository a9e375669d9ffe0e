//! URLs and bodies with a place for keys.

use std::sync::Arc;

use crate::address::encoded;

/// How keys are written where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// In a URL or a form: percent-encoded, several joined by commas.
    Address,
    /// In JSON: `{keys}` an array of texts, `{key}` a text with its quotation marks.
    Json,
}

/// Text with a place for keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    text: String,
    spelling: Spelling,
}

const MANY: &str = "{keys}";
const ONE: &str = "{key}";

impl Template {
    /// A template.
    pub fn new(text: &str, spelling: Spelling) -> Template {
        Template { text: text.to_owned(), spelling }
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it has a place for any number of keys.
    pub fn takes_many(&self) -> bool {
        self.text.contains(MANY)
    }

    /// Whether it has a place for one key alone.
    pub fn takes_one(&self) -> bool {
        self.text.contains(ONE)
    }

    /// The text with these keys in their places. What a key says is not looked at again: a key may hold braces.
    pub fn fill(&self, keys: &[Arc<str>]) -> String {
        let (mut filled, mut rest) = (String::with_capacity(self.text.len() + 16 * keys.len()), self.text.as_str());
        while let Some(at) = rest.find("{key") {
            filled.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(tail) = rest.strip_prefix(MANY) {
                filled.push_str(&self.spelling.many(keys));
                rest = tail;
            } else if let Some(tail) = rest.strip_prefix(ONE) {
                filled.push_str(&keys.first().map_or(String::new(), |key| self.spelling.one(key)));
                rest = tail;
            } else {
                filled.push_str("{key");
                rest = &rest["{key".len()..];
            }
        }
        filled.push_str(rest);
        filled
    }
}

impl Spelling {
    fn one(self, key: &str) -> String {
        match self {
            Spelling::Address => encoded(key),
            Spelling::Json => serde_json::Value::from(key).to_string(),
        }
    }

    fn many(self, keys: &[Arc<str>]) -> String {
        let keys: Vec<String> = keys.iter().map(|key| self.one(key)).collect();
        match self {
            Spelling::Address => keys.join(","),
            Spelling::Json => format!("[{}]", keys.join(",")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_where_the_template_says() {
        let keys: Vec<Arc<str>> = ["BRCA2", "HLA-A", "a,b {keys}\"µ"].map(Arc::from).into();
        let url = Template::new("https://x/q?ids={keys}&k={keyed}", Spelling::Address);
        assert_eq!(url.fill(&keys), "https://x/q?ids=BRCA2,HLA-A,a%2Cb%20%7Bkeys%7D%22%C2%B5&k={keyed}");
        let body = Template::new("{\"q\": {keys}, \"n\": {}}", Spelling::Json);
        assert_eq!(body.fill(&keys), "{\"q\": [\"BRCA2\",\"HLA-A\",\"a,b {keys}\\\"µ\"], \"n\": {}}");
        let one = Template::new("https://x/{key}", Spelling::Address);
        assert!(one.takes_one() && !one.takes_many());
        assert_eq!(one.fill(&keys[..1]), "https://x/BRCA2");
    }
}
