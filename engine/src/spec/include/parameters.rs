//! The parameters of a fragment: their values, and putting them in.

use crate::{
    diagnostics::Diagnostics,
    spec::{Entry, Node, Value},
    suggest::nearest,
};

/// The values of a fragment's parameters.
pub(super) struct Parameters(Vec<(String, Node)>);

impl Parameters {
    /// The declared parameters, each with the value that the include gives it or else its default. `None` after reporting
    /// that something does not fit.
    pub fn resolve(
        declared: Option<Entry>,
        with: &[Entry],
        file: &str,
        diagnostics: &mut Diagnostics,
    ) -> Option<Parameters> {
        let declared = match declared.map(|entry| entry.node) {
            None => Vec::new(),
            Some(Node { value: Value::Table(entries), .. }) => entries,
            Some(other) => {
                diagnostics
                    .error(other.span, format!("`parameters` is {}, not a table", other.value.type_name()))
                    .hint("Write `[parameters]` and `name = default` below it.");
                return None;
            }
        };
        let before = diagnostics.len();
        for entry in declared.iter().filter(|entry| !is_name(&entry.key)) {
            diagnostics
                .error(entry.key_span.clone(), format!("`{}` is not the name of a parameter", entry.key))
                .hint("A name is made of letters, digits and `_`, and does not begin with a digit.");
        }
        for given in with.iter().filter(|given| !declared.iter().any(|known| known.key == given.key)) {
            let known: Vec<&str> = declared.iter().map(|entry| entry.key.as_str()).collect();
            let problem = diagnostics
                .error(given.key_span.clone(), format!("the fragment `{file}` has no parameter `{}`", given.key));
            match nearest(&given.key, known.iter().copied()) {
                Some(near) => problem.hint(format!("Did you mean `{near}`?")),
                None if known.is_empty() => problem.hint("It has none."),
                None => problem.hint(format!("Its parameters are: {}.", known.join(", "))),
            };
        }
        let values: Vec<(String, Node)> = declared
            .into_iter()
            .map(|entry| {
                let given = with.iter().find(|given| given.key == entry.key).map(|given| &given.node);
                if let Some(given) = given.filter(|given| !fits(&given.value, &entry.node.value)) {
                    let (found, wanted) = (given.value.type_name(), entry.node.value.type_name());
                    diagnostics
                        .error(given.span.clone(), format!("the parameter `{}` is {wanted}, not {found}", entry.key))
                        .hint("Its default, in the fragment's [parameters], shows what it takes.");
                }
                (entry.key, given.cloned().unwrap_or(entry.node))
            })
            .collect();
        (diagnostics.len() == before).then_some(Parameters(values))
    }

    /// Puts the values into the texts of these entries.
    pub fn replace(&self, entries: &mut [Entry], diagnostics: &mut Diagnostics) {
        for entry in entries {
            self.replace_in(&mut entry.node, diagnostics);
        }
    }

    fn replace_in(&self, node: &mut Node, diagnostics: &mut Diagnostics) {
        match &mut node.value {
            Value::Table(entries) => self.replace(entries, diagnostics),
            Value::Array(items) => items.iter_mut().for_each(|item| self.replace_in(item, diagnostics)),
            Value::Text(text) if text.contains("${") => {
                let whole = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
                if let Some(value) = whole.and_then(|name| self.value(name)) {
                    *node = value.clone();
                    return;
                }
                let replaced = self.replace_parts(text);
                match replaced {
                    Ok(replaced) => *text = replaced,
                    Err((name, type_name)) => {
                        diagnostics
                            .error(node.span.clone(), format!("the parameter `{name}` is {type_name}, and this a text"))
                            .hint(format!("Write `\"${{{name}}}\"` alone to put the value in as it is."));
                    }
                }
            }
            _ => {}
        }
    }

    /// A text with the parameters in it replaced; what else has braces stays for the environment. Otherwise the parameter
    /// that is no text, and what it is.
    fn replace_parts(&self, text: &str) -> Result<String, (String, &'static str)> {
        let (mut replaced, mut rest) = (String::with_capacity(text.len()), text);
        while let Some(dollar) = rest.find('$') {
            let (before, after) = rest.split_at(dollar);
            replaced.push_str(before);
            // `$$` is a literal `$`, which is not looked at here.
            let taken = if after.starts_with("$$") {
                2
            } else if let Some((name, value)) = self.reference(after) {
                match &value.value {
                    Value::Text(value) => replaced.push_str(value),
                    Value::Integer(value) => replaced.push_str(&value.to_string()),
                    other => return Err((name.to_owned(), other.type_name())),
                }
                rest = &after[name.len() + "${}".len()..];
                continue;
            } else {
                1
            };
            replaced.push_str(&after[..taken]);
            rest = &after[taken..];
        }
        replaced.push_str(rest);
        Ok(replaced)
    }

    /// The parameter that a text begins with, as `${name}`.
    fn reference<'t>(&self, text: &'t str) -> Option<(&'t str, &Node)> {
        let (name, _) = text.strip_prefix("${")?.split_once('}')?;
        Some((name, self.value(name)?))
    }

    fn value(&self, name: &str) -> Option<&Node> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, node)| node)
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// Whether a value may stand in for a default.
fn fits(given: &Value, default: &Value) -> bool {
    given.type_name() == default.type_name() || matches!((given, default), (Value::Integer(_), Value::Float(_)))
}
