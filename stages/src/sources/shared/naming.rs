//! How drops are named after their files: `drop_name`.

use std::{
    os::unix::ffi::OsStrExt as _,
    path::{Component, Path},
};

use regex::Regex;
use vardelta_engine::{
    contract::{
        emit::StageError,
        options::{OptionValue, wrong_type},
    },
    diagnostics::Diagnostics,
    path_text::to_text,
    spec::{Node, Value},
};

/// The extensions of compression.
pub(crate) const COMPRESSION: &[&str] = &[".gz", ".bgz", ".bgzf"];

/// The rule of a source.
#[derive(Clone, Debug)]
pub struct DropNaming {
    /// What is looked for in the path; its groups can be named in the template.
    regex: Option<Regex>,
    /// What the name is put together from.
    template: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Field(String),
}

/// What a template may name beside the groups of a regular expression.
const FIELDS: [&str; 4] = ["stem", "name", "parent", "grandparent"];

impl OptionValue for DropNaming {
    const EXPECTS: &'static str = "a text such as \"{parent}_{stem}\", or { match = \"…\", name = \"…\" }";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let (regex, name) = match &node.value {
            Value::Text(_) => (None, node),
            Value::Table(entries) => {
                let find = |key: &str| entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node);
                if let Some(other) = entries.iter().find(|entry| !["match", "name"].contains(&entry.key.as_str())) {
                    diagnostics
                        .error(other.key_span.clone(), format!("`drop_name` has no key `{}`", other.key))
                        .hint("Its keys are: match, name.");
                    return None;
                }
                let (Some(expression), Some(name)) = (find("match"), find("name")) else {
                    diagnostics
                        .error(node.span.clone(), "`drop_name` as a table needs `match` and `name`")
                        .hint(r#"Write `{ match = "runs/(?<sample>[^/]+)/", name = "{sample}" }`."#);
                    return None;
                };
                (Some(read_regex(expression, diagnostics)?), name)
            }
            _ => return wrong_type(node, Self::EXPECTS, diagnostics),
        };
        let text = String::read(name, diagnostics)?;
        let groups: Vec<String> = regex.iter().flat_map(group_names).collect();
        match read_template(&text, &groups) {
            Ok(template) => Some(DropNaming { regex, template }),
            Err((problem, hint)) => {
                diagnostics.error(name.span.clone(), problem).hint(hint);
                None
            }
        }
    }

    fn json_schema() -> String {
        r#"{"oneOf":[{"type":"string"},{"type":"object","properties":{"match":{"type":"string"},"name":{"type":"string"}},"required":["match","name"],"additionalProperties":false}]}"#.into()
    }
}

fn read_regex(node: &Node, diagnostics: &mut Diagnostics) -> Option<Regex> {
    let text = String::read(node, diagnostics)?;
    Regex::new(&text)
        .map_err(|error| {
            // The library draws the expression with an arrow; its last line says what is wrong.
            let message = error.to_string();
            let last = message.lines().last().unwrap_or_default().trim_start_matches("error: ");
            diagnostics.error(node.span.clone(), format!("`match` is not a regular expression: {last}")).hint(
                "A group that is to be named is written `(?<sample>[^/]+)`; in TOML put it between single quotes.",
            );
        })
        .ok()
}

/// What the groups of an expression can be called.
fn group_names(regex: &Regex) -> Vec<String> {
    let numbered = (1..regex.captures_len()).map(|group| group.to_string());
    numbered.chain(regex.capture_names().flatten().map(str::to_owned)).collect()
}

/// Takes a template apart, or says what is wrong with it and what to do.
fn read_template(text: &str, groups: &[String]) -> Result<Vec<Piece>, (String, String)> {
    let known = || groups.iter().map(String::as_str).chain(FIELDS).map(|name| format!("{{{name}}}"));
    let fields = || format!("It may name {}; a brace is written twice.", known().collect::<Vec<_>>().join(", "));
    let (mut pieces, mut literal, mut rest) = (Vec::new(), String::new(), text);
    while let Some(at) = rest.find(['{', '}']) {
        literal.push_str(&rest[..at]);
        let brace = &rest[at..at + 1];
        let after = &rest[at + 1..];
        if after.starts_with(brace) {
            literal.push_str(brace);
            rest = &after[1..];
            continue;
        }
        let Some((field, after)) = after.split_once('}').filter(|_| brace == "{") else {
            return Err((format!("a brace of `{text}` has no counterpart"), fields()));
        };
        if !FIELDS.contains(&field) && !groups.iter().any(|group| group == field) {
            return Err((format!("`drop_name` does not know `{{{field}}}`"), fields()));
        }
        pieces.push(Piece::Text(std::mem::take(&mut literal)));
        pieces.push(Piece::Field(field.to_owned()));
        rest = after;
    }
    literal.push_str(rest);
    pieces.push(Piece::Text(literal));
    if !pieces.iter().any(|piece| matches!(piece, Piece::Field(_))) {
        return Err((format!("every file would be drop `{text}`"), fields()));
    }
    pieces.retain(|piece| *piece != Piece::Text(String::new()));
    Ok(pieces)
}

impl DropNaming {
    /// The name of a file's drop; `base` is the pipeline file's directory, below which paths are looked at as they are
    /// written from there.
    ///
    /// # Errors
    /// When the rule gives the file no name.
    pub(super) fn name(&self, path: &Path, base: &Path, formats: &[&str]) -> Result<String, StageError> {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let base = std::path::absolute(base).unwrap_or_else(|_| base.to_path_buf());
        let shown = to_text(absolute.strip_prefix(&base).unwrap_or(&absolute));
        let unnamed = |what: String| {
            StageError::new(format!("`drop_name` gives {shown} no name: {what}"))
                .with_hint("Change the rule or the `path`, or load the file by itself with `--as NAME`.")
        };
        let captures = match &self.regex {
            None => None,
            Some(regex) => match regex.captures(&shown) {
                Some(captures) => Some(captures),
                None => return Err(unnamed(format!("`{regex}` is not found in its path"))),
            },
        };
        let mut name = String::new();
        for piece in &self.template {
            match piece {
                Piece::Text(text) => name.push_str(text),
                Piece::Field(field) => {
                    let group = captures.as_ref().and_then(|captures| match field.parse::<usize>() {
                        Ok(number) => captures.get(number),
                        Err(_) => captures.name(field),
                    });
                    let value = match group {
                        Some(group) => group.as_str().to_owned(),
                        None => field_of(field, &absolute, formats),
                    };
                    if value.is_empty() {
                        return Err(unnamed(format!("`{{{field}}}` is empty")));
                    }
                    name.push_str(&value);
                }
            }
        }
        Ok(name)
    }
}

fn field_of(field: &str, path: &Path, formats: &[&str]) -> String {
    let above = |count: usize| match path.components().rev().nth(count) {
        Some(Component::Normal(name)) => to_text(name),
        _ => String::new(),
    };
    match field {
        "stem" => stem(path, formats),
        "name" => above(0),
        "parent" => above(1),
        "grandparent" => above(2),
        _ => String::new(),
    }
}

/// The file name without the extensions of compression and of these formats, in whatever case; `stdin` for `-`.
pub(crate) fn stem(path: &Path, formats: &[&str]) -> String {
    let name = match path.file_name() {
        Some(name) if path != Path::new("-") => name.as_bytes(),
        _ => return "stdin".into(),
    };
    let mut stem = name;
    for extensions in [COMPRESSION, formats] {
        stem = extensions.iter().find_map(|extension| without_extension(stem, extension)).unwrap_or(stem);
    }
    to_text(std::ffi::OsStr::from_bytes(stem))
}

/// Takes an extension off, in whatever case, unless nothing would be left.
pub(crate) fn without_extension<'a>(name: &'a [u8], extension: &str) -> Option<&'a [u8]> {
    let at = name.len().checked_sub(extension.len()).filter(|at| *at > 0)?;
    name[at..].eq_ignore_ascii_case(extension.as_bytes()).then_some(&name[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMATS: &[&str] = &[".vcf", ".bcf", ".gvcf"];

    fn text(value: &str) -> Node {
        Node { span: 0..0, value: Value::Text(value.into()) }
    }

    fn table(expression: &str, name: &str) -> Node {
        let entry = |key: &str, value: &str| vardelta_engine::spec::Entry {
            key: key.into(),
            key_span: 0..0,
            node: text(value),
        };
        Node { span: 0..0, value: Value::Table(vec![entry("match", expression), entry("name", name)]) }
    }

    fn rule(node: &Node) -> DropNaming {
        let mut problems = Diagnostics::default();
        let rule = DropNaming::read(node, &mut problems);
        rule.unwrap_or_else(|| panic!("{problems:?}"))
    }

    #[test]
    fn names_drops_after_their_files() {
        let cases = [
            ("drops/a.vcf", "a"),
            ("a.b.vcf.gz", "a.b"),
            ("a.VCF.BGZ", "a"),
            ("a.bcf", "a"),
            ("a.gvcf.gz", "a"),
            ("a.g.vcf.gz", "a.g"),
            ("a.gz", "a"),
            ("a.txt", "a.txt"),
            (".vcf", ".vcf"),
            ("é.vcf", "é"),
            ("-", "stdin"),
        ];
        for (path, expected) in cases {
            assert_eq!(stem(Path::new(path), FORMATS), expected, "{path}");
        }
        let bytes = |name: &[u8]| stem(Path::new(std::ffi::OsStr::from_bytes(name)), FORMATS);
        assert_eq!(bytes(b"M\xfcller.vcf"), r"M\xfcller");
        assert_ne!(bytes(b"M\xfcller.vcf"), bytes(b"M\xf6ller.vcf"));
    }

    #[test]
    fn a_rule_names_them_after_their_folders() {
        for (rule_text, path, expected) in [
            ("{parent}_{stem}", "/p/runs/S1/snps.vcf", "S1_snps"),
            ("{grandparent}-{parent}", "/p/runs/S1/snps.vcf", "runs-S1"),
            ("{{{name}}}", "/p/runs/S1/snps.vcf", "{snps.vcf}"),
        ] {
            let name = rule(&text(rule_text)).name(Path::new(path), Path::new("/p"), FORMATS);
            assert_eq!(name.expect(path), expected);
        }
        let regex = rule(&table(r"^runs/(?<sample>[^/]+)/(\w+)", "{sample}.{2}"));
        let name = |path: &str| regex.name(Path::new(path), Path::new("/p"), FORMATS);
        assert_eq!(name("/p/runs/S1/snps.vcf").expect("a name"), "S1.snps");
        let error = name("/p/other/snps.vcf").expect_err("no name");
        assert!(error.message.contains("other/snps.vcf") && error.message.contains("is not found"), "{error}");
        let error = rule(&text("{parent}_{stem}")).name(Path::new("/snps.vcf"), Path::new("/"), FORMATS);
        assert!(error.expect_err("no folder").message.contains("`{parent}` is empty"));
    }

    #[test]
    fn a_rule_is_checked_before_anything_runs() {
        for (node, problem) in [
            (text("{folder}"), "does not know `{folder}`"),
            (text("{stem"), "has no counterpart"),
            (text("all"), "every file would be drop `all`"),
            (table("(", "{1}"), "not a regular expression"),
            (table("(?<a>x)", "{b}"), "does not know `{b}`"),
            (Node { span: 0..0, value: Value::Bool(true) }, "expected a text such as"),
        ] {
            let mut problems = Diagnostics::default();
            assert!(DropNaming::read(&node, &mut problems).is_none());
            let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
            assert!(messages.iter().any(|message| message.contains(problem)), "{problem}: {messages:?}");
        }
    }
}
