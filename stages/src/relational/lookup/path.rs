//! Where something lies in a JSON body: a part of JSONPath (RFC 9535), the part that names places and asks nothing.
//!
//! `$`, `.name`, `['name']`, `[n]` (from 0), `.*`, `[*]`, and at the end `~`, the name under which the place lies in its
//! object. No filters, slices, negative indexes or `..`.

use serde_json::Value;

/// A parsed path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    text: String,
    steps: Vec<Step>,
    /// Whether the name of the place is meant, not what lies there.
    takes_name: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
    All,
}

/// A place in a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    /// The name under which it lies in its object, if it lies in one.
    pub name: Option<&'a str>,
    /// What lies there.
    pub value: &'a Value,
}

impl Path {
    /// Parses a path; says what is wrong with it.
    pub fn parse(text: &str) -> Result<Path, String> {
        let Some(mut rest) = text.strip_prefix('$') else { return Err("a path begins with `$`".into()) };
        let (mut steps, mut takes_name) = (Vec::new(), false);
        while !rest.is_empty() {
            if rest == "~" {
                takes_name = true;
                break;
            }
            let (step, tail) = match rest.as_bytes()[0] {
                b'.' => member(&rest[1..])?,
                b'[' => bracket(&rest[1..])?,
                _ => return Err(format!("`{rest}` is not the next step of a path: `.name`, `[n]` or `[*]`")),
            };
            steps.push(step);
            rest = tail;
        }
        Ok(Path { text: text.to_owned(), steps, takes_name })
    }

    /// `$`.
    pub fn root() -> Path {
        Path { text: "$".into(), steps: Vec::new(), takes_name: false }
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The places, in the body's order (members of an object by name).
    pub fn places<'a>(&self, root: Place<'a>) -> Vec<Place<'a>> {
        walk(&self.steps, root)
    }

    /// Whether the body has the place that holds what the last `[*]` ranges over (the place itself, without one): what is
    /// not there is another thing than what is empty.
    pub fn is_there(&self, root: Place<'_>) -> bool {
        let last = self.steps.iter().rposition(|step| *step == Step::All);
        let holders = walk(&self.steps[..last.unwrap_or(self.steps.len())], root);
        let outer_is_empty = || {
            let outer = self.steps[..last.unwrap_or(0)].iter().rposition(|step| *step == Step::All);
            outer.is_some_and(|outer| {
                walk(&self.steps[..outer], root).iter().any(|place| place.value.is_array() || place.value.is_object())
            })
        };
        match last {
            None => !holders.is_empty(),
            Some(_) => {
                holders.iter().any(|place| place.value.is_array() || place.value.is_object()) || outer_is_empty()
            }
        }
    }

    /// What is said there: the value, or the name with `~`; nothing for null and for what is not there.
    pub fn values(&self, root: Place<'_>) -> Vec<Value> {
        let places = self.places(root).into_iter();
        if self.takes_name {
            return places.filter_map(|place| place.name.map(Value::from)).collect();
        }
        places.map(|place| place.value.clone()).filter(|value| !value.is_null()).collect()
    }
}

fn walk<'a>(steps: &[Step], root: Place<'a>) -> Vec<Place<'a>> {
    let mut places = vec![root];
    for step in steps {
        let mut next = Vec::new();
        for place in places {
            match (step, place.value) {
                (Step::Name(name), Value::Object(members)) => {
                    next.extend(members.get_key_value(name).map(|(name, value)| Place { name: Some(name), value }));
                }
                (Step::Index(index), Value::Array(items)) => {
                    next.extend(items.get(*index).map(|value| Place { name: None, value }));
                }
                (Step::All, Value::Array(items)) => next.extend(items.iter().map(|value| Place { name: None, value })),
                (Step::All, Value::Object(members)) => {
                    next.extend(members.iter().map(|(name, value)| Place { name: Some(name), value }));
                }
                _ => {}
            }
        }
        places = next;
    }
    places
}

/// `name` or `*` after a point.
fn member(rest: &str) -> Result<(Step, &str), String> {
    if let Some(tail) = rest.strip_prefix('*') {
        return Ok((Step::All, tail));
    }
    let end = rest.find(['.', '[', '~']).unwrap_or(rest.len());
    match &rest[..end] {
        "" => Err("a name is missing after `.`; `..` is not known here".into()),
        name if name.contains(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != '-') => {
            Err(format!("`{name}` has to be in brackets: `['{name}']`"))
        }
        name => Ok((Step::Name(name.to_owned()), &rest[end..])),
    }
}

/// `'name']`, `n]` or `*]`.
fn bracket(rest: &str) -> Result<(Step, &str), String> {
    if let Some(quote) = rest.chars().next().filter(|first| ['\'', '"'].contains(first)) {
        let inner = &rest[1..];
        let end = inner.find(quote).ok_or_else(|| format!("the name in `[{rest}` is not closed"))?;
        let tail = inner[end + 1..].strip_prefix(']').ok_or_else(|| format!("`]` is missing in `[{rest}`"))?;
        return Ok((Step::Name(inner[..end].to_owned()), tail));
    }
    let (inside, tail) = rest.split_once(']').ok_or_else(|| format!("`]` is missing in `[{rest}`"))?;
    if inside == "*" {
        return Ok((Step::All, tail));
    }
    let index = inside.parse().map_err(|_| {
        format!("`[{inside}]` is not known here: `[*]`, `[0]` and `['name']` are; filters, slices and negative indexes are not")
    })?;
    Ok((Step::Index(index), tail))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn values(path: &str, body: &Value) -> Vec<Value> {
        Path::parse(path).expect(path).values(Place { name: None, value: body })
    }

    #[test]
    fn a_path_leads_to_its_places() {
        let body = json!({ "a": { "b": [1, { "c d": 2 }, null] }, "x-y": true, "genes": { "TP53": { "id": 7157 }, "BRCA2": null } });
        assert_eq!(values("$", &body), std::slice::from_ref(&body));
        assert_eq!(values("$.a.b[0]", &body), [json!(1)]);
        assert_eq!(values("$.a.b[1]['c d']", &body), [json!(2)]);
        assert_eq!(values("$['a'].b[*]", &body), [json!(1), json!({ "c d": 2 })]);
        assert_eq!(values("$.x-y", &body), [json!(true)]);
        assert_eq!(values("$.a.b[9]", &body), [] as [Value; 0]);
        assert_eq!(values("$.a.none.deeper", &body), [] as [Value; 0]);
        assert_eq!(values("$.genes.*~", &body), [json!("BRCA2"), json!("TP53")]);
        assert_eq!(values("$.genes[*].id", &body), [json!(7157)]);
    }

    #[test]
    fn an_empty_list_is_there_and_a_missing_one_is_not() {
        let there =
            |path: &str, body: Value| Path::parse(path).expect(path).is_there(Place { name: None, value: &body });
        assert!(there("$[*]", json!([])));
        assert!(there("$.data[*]", json!({ "data": [] })));
        assert!(!there("$.data[*]", json!({ "message": "down for maintenance" })));
        assert!(!there("$.data[*]", json!({ "data": null })));
        assert!(!there("$[*]", json!("down")));
        assert!(there("$.groups[*].rows[*]", json!({ "groups": [] })));
        assert!(!there("$.groups[*].rows[*]", json!({})));
    }

    #[test]
    fn what_is_no_path_is_told() {
        for (text, why) in [
            ("a.b", "begins with `$`"),
            ("$..a", "`..` is not known"),
            ("$.a b", "brackets"),
            ("$[?(@.x)]", "filters"),
            ("$[-1]", "negative"),
            ("$['a", "not closed"),
            ("$['a'", "`]` is missing"),
            ("$[0", "`]` is missing"),
            ("$a", "not the next step"),
            ("$~.a", "not the next step"),
        ] {
            let said = Path::parse(text).expect_err(text);
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}
