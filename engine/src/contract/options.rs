//! Reading a stage's options from its TOML table: typed, documented, every problem reported with its place.
//!
//! A stage declares its options once, with [`options!`](crate::options!); the struct, the manual (`vardelta stages TYPE`),
//! the JSON Schema and the refusal of unknown keys all come from that declaration.

use std::{ops::Range, path::PathBuf};

use crate::{
    diagnostics::Diagnostics,
    spec::{Entry, Node, Value},
    suggest::nearest,
};

/// A value together with the byte range of the pipeline file that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it is in the pipeline file.
    pub span: Range<usize>,
}

/// What the manual says of one option.
#[derive(Clone, Copy, Debug)]
pub struct OptionDoc {
    /// The key in the TOML table.
    pub name: &'static str,
    /// What a value looks like, in words ("text", "list of texts").
    pub expects: &'static str,
    /// The JSON Schema of a value, as JSON text.
    pub json_schema: fn() -> String,
    /// The default as it would be written in TOML; `None` where the option is required.
    pub default: Option<&'static str>,
    /// Meaning, with unit: the doc comment of the field.
    pub doc: &'static str,
}

/// A type that an option can have.
pub trait OptionValue: Sized {
    /// What a value looks like, in words.
    const EXPECTS: &'static str;

    /// Reads a value, reporting what is wrong with it.
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self>;

    /// The JSON Schema of a value, as JSON text.
    fn json_schema() -> String;
}

/// Reports a value of the wrong type; returns `None` so that readers can end with it.
pub fn wrong_type<T>(node: &Node, expects: &str, diagnostics: &mut Diagnostics) -> Option<T> {
    diagnostics
        .error(node.span.clone(), format!("expected {expects}, found {}", node.value.type_name()))
        .label(format!("this is {}", node.value.type_name()));
    None
}

impl OptionValue for bool {
    const EXPECTS: &'static str = "true or false";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match node.value {
            Value::Bool(value) => Some(value),
            _ => wrong_type(node, Self::EXPECTS, diagnostics),
        }
    }
    fn json_schema() -> String {
        r#"{"type":"boolean"}"#.into()
    }
}

impl OptionValue for u64 {
    const EXPECTS: &'static str = "a whole number, 0 or more";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match node.value {
            Value::Integer(value) if value >= 0 => Some(value as u64),
            Value::Integer(value) => {
                diagnostics.error(node.span.clone(), format!("expected {}, found {value}", Self::EXPECTS));
                None
            }
            _ => wrong_type(node, Self::EXPECTS, diagnostics),
        }
    }
    fn json_schema() -> String {
        r#"{"type":"integer","minimum":0}"#.into()
    }
}

impl OptionValue for f64 {
    const EXPECTS: &'static str = "a number";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match node.value {
            Value::Float(value) => Some(value),
            Value::Integer(value) => Some(value as f64),
            _ => wrong_type(node, Self::EXPECTS, diagnostics),
        }
    }
    fn json_schema() -> String {
        r#"{"type":"number"}"#.into()
    }
}

impl OptionValue for String {
    const EXPECTS: &'static str = "a text";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match &node.value {
            Value::Text(value) => Some(value.clone()),
            _ => wrong_type(node, Self::EXPECTS, diagnostics),
        }
    }
    fn json_schema() -> String {
        r#"{"type":"string"}"#.into()
    }
}

impl OptionValue for PathBuf {
    const EXPECTS: &'static str = "a path";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match &node.value {
            Value::Text(value) if !value.is_empty() => Some(PathBuf::from(value)),
            Value::Text(_) => {
                diagnostics.error(node.span.clone(), "expected a path, found an empty text");
                None
            }
            _ => wrong_type(node, Self::EXPECTS, diagnostics),
        }
    }
    fn json_schema() -> String {
        r#"{"type":"string","minLength":1}"#.into()
    }
}

impl<T: OptionValue> OptionValue for Spanned<T> {
    const EXPECTS: &'static str = T::EXPECTS;
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        T::read(node, diagnostics).map(|value| Spanned { value, span: node.span.clone() })
    }
    fn json_schema() -> String {
        T::json_schema()
    }
}

impl<T: OptionValue> OptionValue for Option<T> {
    const EXPECTS: &'static str = T::EXPECTS;
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        T::read(node, diagnostics).map(Some)
    }
    fn json_schema() -> String {
        T::json_schema()
    }
}

/// A list. Each item that cannot be read is reported; the list is then refused.
impl<T: OptionValue> OptionValue for Vec<T> {
    const EXPECTS: &'static str = "a list";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let Value::Array(items) = &node.value else {
            return wrong_type(node, Self::EXPECTS, diagnostics);
        };
        let read: Vec<Option<T>> = items.iter().map(|item| T::read(item, diagnostics)).collect();
        read.into_iter().collect()
    }
    fn json_schema() -> String {
        format!(r#"{{"type":"array","items":{}}}"#, T::json_schema())
    }
}

/// A TOML table of texts in the order in which it is written: `name = "expression"`.
#[derive(Clone, Debug, Default)]
pub struct NamedTexts(pub Vec<(Spanned<String>, Spanned<String>)>);

impl OptionValue for NamedTexts {
    const EXPECTS: &'static str = "a table of texts";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let Value::Table(entries) = &node.value else {
            return wrong_type(node, Self::EXPECTS, diagnostics);
        };
        let read: Vec<Option<_>> = entries
            .iter()
            .map(|entry| {
                let text = Spanned::<String>::read(&entry.node, diagnostics)?;
                Some((Spanned { value: entry.key.clone(), span: entry.key_span.clone() }, text))
            })
            .collect();
        read.into_iter().collect::<Option<Vec<_>>>().map(NamedTexts)
    }
    fn json_schema() -> String {
        r#"{"type":"object","additionalProperties":{"type":"string"}}"#.into()
    }
}

/// Declares an enumeration that an option can have: `choices! { pub enum Pick { Worst = "worst", All = "all" } }`.
#[macro_export]
macro_rules! choices {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $vis enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// Every choice, as it is written in a pipeline file.
            pub const CHOICES: &'static [&'static str] = &[$($text),+];

            /// The choice as it is written in a pipeline file.
            #[allow(dead_code)]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl $crate::contract::options::OptionValue for $name {
            const EXPECTS: &'static str = concat!("one of", $(" \"", $text, "\""),+);
            fn read(
                node: &$crate::spec::Node,
                diagnostics: &mut $crate::diagnostics::Diagnostics,
            ) -> Option<Self> {
                let text = <String as $crate::contract::options::OptionValue>::read(node, diagnostics)?;
                match text.as_str() {
                    $($text => Some(Self::$variant),)+
                    _ => {
                        $crate::contract::options::unknown_choice(node, &text, Self::CHOICES, diagnostics);
                        None
                    }
                }
            }
            fn json_schema() -> String {
                format!(r#"{{"enum":{:?}}}"#, Self::CHOICES)
            }
        }
    };
}

/// Reports a text that is none of the choices, with the nearest one.
pub fn unknown_choice(node: &Node, text: &str, choices: &[&str], diagnostics: &mut Diagnostics) {
    let problem = diagnostics.error(node.span.clone(), format!("`{text}` is not a choice here"));
    match nearest(text, choices.iter().copied()) {
        Some(near) => problem.hint(format!("Did you mean \"{near}\"? The choices are {choices:?}.")),
        None => problem.hint(format!("The choices are {choices:?}.")),
    };
}

/// Reads the entries of one TOML table; what nobody asked for is reported as unknown at the end.
pub struct OptionReader<'a> {
    /// What the table belongs to, for messages: ``stage `calls` (vcf)``.
    pub owner: String,
    /// The place of the table's header.
    pub span: Range<usize>,
    entries: Vec<&'a Entry>,
    known: Vec<&'static str>,
}

impl<'a> OptionReader<'a> {
    /// A reader over these entries.
    pub fn new(owner: String, span: Range<usize>, entries: impl Iterator<Item = &'a Entry>) -> OptionReader<'a> {
        OptionReader { owner, span, entries: entries.collect(), known: Vec::new() }
    }

    /// Reads an option that must be there.
    pub fn required<T: OptionValue>(&mut self, name: &'static str, diagnostics: &mut Diagnostics) -> Option<T> {
        match self.take(name) {
            Some(entry) => T::read(&entry.node, diagnostics),
            None => {
                self.missing(name, T::EXPECTS, diagnostics);
                None
            }
        }
    }

    /// Reports missing and unknown options without reading any: for a stage that cannot be planned because an input of
    /// it could not.
    pub fn check_names(mut self, docs: &[OptionDoc], diagnostics: &mut Diagnostics) {
        for doc in docs {
            if self.take(doc.name).is_none() && doc.default.is_none() {
                self.missing(doc.name, doc.expects, diagnostics);
            }
        }
        self.finish(diagnostics);
    }

    /// Reads an option that has a default. `None` means that it is there and wrong.
    pub fn optional<T: OptionValue>(
        &mut self,
        name: &'static str,
        default: T,
        diagnostics: &mut Diagnostics,
    ) -> Option<T> {
        match self.take(name) {
            Some(entry) => T::read(&entry.node, diagnostics),
            None => Some(default),
        }
    }

    /// Reports every entry that was not asked for.
    pub fn finish(self, diagnostics: &mut Diagnostics) {
        for entry in self.entries {
            let suggests = diagnostics.wants_suggestions();
            let problem =
                diagnostics.error(entry.key_span.clone(), format!("{} has no option `{}`", self.owner, entry.key));
            problem.label("unknown option");
            match suggests.then(|| nearest(&entry.key, self.known.iter().copied())).flatten() {
                Some(near) => problem.hint(format!("Did you mean `{near}`?")),
                None if self.known.is_empty() => problem.hint("It has no options of its own; remove it."),
                None => problem.hint(format!("Its options are: {}.", self.known.join(", "))),
            };
        }
    }

    fn missing(&self, name: &str, expects: &str, diagnostics: &mut Diagnostics) {
        diagnostics
            .error(self.span.clone(), format!("{} needs `{name}`", self.owner))
            .label(format!("`{name}` is missing"))
            .hint(format!("Add `{name} = …`: {expects}."));
    }

    fn take(&mut self, name: &'static str) -> Option<&'a Entry> {
        self.known.push(name);
        let at = self.entries.iter().position(|entry| entry.key == name)?;
        Some(self.entries.remove(at))
    }
}

/// Declares the options of a stage: the struct, its reader and its manual.
///
/// ```
/// use vardelta_engine::{contract::options::Spanned, options};
/// options! {
///     /// Options of `filter`.
///     pub struct FilterOptions {
///         /// Rows for which this is true are kept.
///         "where" => predicate: Spanned<String>,
///         /// Rows to look at, at the most.
///         "limit_rows" => limit_rows: u64 = 10, "10",
///     }
/// }
/// assert_eq!(FilterOptions::DOCS[1].default, Some("10"));
/// ```
#[macro_export]
macro_rules! options {
    (
        $(#[$meta:meta])* $vis:vis struct $name:ident {
            $($(#[doc = $doc:literal])* $key:literal => $field:ident : $type:ty $(= $default:expr, $shown:literal)?),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        $vis struct $name { $($(#[doc = $doc])* pub $field: $type),* }

        impl $name {
            /// The manual: one entry per option.
            pub const DOCS: &'static [$crate::contract::options::OptionDoc] = &[$(
                $crate::contract::options::OptionDoc {
                    name: $key,
                    expects: <$type as $crate::contract::options::OptionValue>::EXPECTS,
                    json_schema: <$type as $crate::contract::options::OptionValue>::json_schema,
                    default: $crate::options!(@shown $($shown)?),
                    doc: concat!($($doc, "\n"),*),
                }
            ),*];

            /// Reads the options, reporting everything that is wrong, unknown keys included.
            pub fn read(
                mut reader: $crate::contract::options::OptionReader<'_>,
                diagnostics: &mut $crate::diagnostics::Diagnostics,
            ) -> Option<Self> {
                $(let $field: Option<$type> = $crate::options!(@read reader diagnostics $key $($default)?);)*
                reader.finish(diagnostics);
                Some(Self { $($field: $field?),* })
            }
        }
    };
    (@shown) => { None };
    (@shown $shown:literal) => { Some($shown) };
    (@read $reader:ident $diagnostics:ident $key:literal) => { $reader.required($key, $diagnostics) };
    (@read $reader:ident $diagnostics:ident $key:literal $default:expr) => {
        $reader.optional($key, $default, $diagnostics)
    };
}
