//! Headers and parameters of a request: a text, or a secret that the environment holds.

use std::fmt;

use vardelta_engine::{
    contract::{
        options::{OptionReader, OptionValue, Spanned, wrong_type},
        stage::StageError,
    },
    diagnostics::Diagnostics,
    edge::secret,
    options,
    spec::{Node, Value},
};

options! {
    /// A value that the environment holds.
    pub(super) struct FromEnvironment {
        /// The variable.
        "env" => env: String,
        /// What is before its value: `"Bearer "`.
        "prefix" => prefix: String = String::new(), "\"\"",
        /// Whether the header or parameter is left out where the variable is not set or empty; otherwise nothing can be asked.
        "optional" => optional: bool = false, "false",
    }
}

/// The value of a header or parameter.
#[derive(Clone, Debug)]
pub(super) enum Setting {
    /// As it is written.
    Text(String),
    /// Taken from the environment when something is asked; a secret.
    Environment(FromEnvironment),
}

/// Headers or parameters by name, in the order in which they are written.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings(pub Vec<(Spanned<String>, Setting)>);

impl OptionValue for Settings {
    const EXPECTS: &'static str = "a table of texts and of `{ env = \"VARIABLE\" }`";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let Value::Table(entries) = &node.value else { return wrong_type(node, Self::EXPECTS, diagnostics) };
        let mut read = Vec::new();
        let before = diagnostics.len();
        for entry in entries {
            let name = Spanned { value: entry.key.clone(), span: entry.key_span.clone() };
            let setting = match &entry.node.value {
                Value::Text(_) if secret::is_secret_name(&entry.key) => {
                    diagnostics
                        .error(entry.node.span.clone(), format!("`{}` is a secret and is written in the file", entry.key))
                        .hint(format!("Write `{} = {{ env = \"VARIABLE\" }}`: the value then comes from the environment when something is asked.", entry.key));
                    continue;
                }
                Value::Text(text) => Setting::Text(text.clone()),
                Value::Table(inner) => {
                    let owner = format!("`{}`", entry.key);
                    let reader = OptionReader::new(owner, entry.node.span.clone(), inner.iter());
                    let Some(from) = FromEnvironment::read(reader, diagnostics) else { continue };
                    Setting::Environment(from)
                }
                _ => {
                    wrong_type::<()>(&entry.node, "a text or `{ env = \"VARIABLE\" }`", diagnostics);
                    continue;
                }
            };
            read.push((name, setting));
        }
        (diagnostics.len() == before).then_some(Settings(read))
    }
    fn json_schema() -> String {
        r#"{"type":"object","additionalProperties":{"anyOf":[{"type":"string"},{"type":"object","properties":{"env":{"type":"string"},"prefix":{"type":"string"},"optional":{"type":"boolean"}},"required":["env"],"additionalProperties":false}]}}"#.into()
    }
}

impl Settings {
    /// The value of a text by its name, whatever the case.
    pub fn text(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known.value.eq_ignore_ascii_case(name));
        found.and_then(|(_, setting)| match setting {
            Setting::Text(text) => Some(text.as_str()),
            Setting::Environment(_) => None,
        })
    }

    /// Those that are no secret, for a fingerprint.
    pub fn public(&self) -> Vec<(&str, &str)> {
        let public = self.0.iter().filter_map(|(name, setting)| match setting {
            Setting::Text(text) => Some((name.value.as_str(), text.as_str())),
            Setting::Environment(_) => None,
        });
        public.collect()
    }

    /// Names and values for one run; the secrets are remembered, so that no message shows them.
    pub fn resolve(&self, stage: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<Resolved, StageError> {
        let mut resolved = Vec::new();
        for (name, setting) in &self.0 {
            let value = match setting {
                Setting::Text(text) => text.clone(),
                Setting::Environment(from) => match environment(&from.env).filter(|value| !value.is_empty()) {
                    Some(value) => {
                        secret::remember(&value);
                        format!("{}{value}", from.prefix)
                    }
                    None if from.optional => continue,
                    None => {
                        let message = format!(
                            "look-up `{stage}` cannot ask: the environment variable `{}`, for `{}`, is not set",
                            from.env, name.value
                        );
                        return Err(StageError::new(message).with_hint(
                            "Set it, or write `optional = true` beside `env` where the service does without.",
                        ));
                    }
                },
            };
            resolved.push((name.value.clone(), value));
        }
        Ok(Resolved(resolved))
    }
}

/// Headers or parameters with their values, which may be secret.
#[derive(Clone, Default)]
pub(super) struct Resolved(pub Vec<(String, String)>);

impl fmt::Debug for Resolved {
    /// The names alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
