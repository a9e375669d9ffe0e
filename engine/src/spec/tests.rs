#![allow(clippy::unwrap_used)]

use vardelta_testrandom::{Random, seed};

use super::*;

/// Parses a file with some variables set; the tree without spans, and the problems.
fn parse(text: &str, overrides: &[&str]) -> (String, Vec<String>) {
    let environment = |name: &str| match name {
        "A" => Some("one".to_owned()),
        "EMPTY" => Some(String::new()),
        "SLY" => Some("${A} $$ \" ] \n[evil]\nx = 1 #".to_owned()),
        _ => None,
    };
    let mut diagnostics = Diagnostics::default();
    let overrides: Vec<String> = overrides.iter().map(|text| (*text).to_owned()).collect();
    let spec = SpecFile::parse("p.toml".into(), text.to_owned(), &overrides, &environment, &mut diagnostics);
    let problems = diagnostics.into_sorted().into_iter();
    (show_entries(&spec.root), problems.map(|problem| format!("{:?} {}", problem.span, problem.message)).collect())
}

fn show_entries(entries: &[Entry]) -> String {
    let shown: Vec<String> = entries.iter().map(|entry| format!("{}={}", entry.key, show(&entry.node))).collect();
    format!("{{{}}}", shown.join(" "))
}

fn show(node: &Node) -> String {
    match &node.value {
        Value::Bool(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Float(value) => format!("{value:?}"),
        Value::Text(value) => format!("{value:?}"),
        Value::Array(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(" ")),
        Value::Table(entries) => show_entries(entries),
    }
}

#[test]
fn reads_every_kind_of_value_in_the_order_in_which_it_is_written() {
    let text =
        "z = 1_000\na = 0x1F\n[t]\nf = 1e3\nn = nan\nb = true\nd = 2024-01-31\nl = ['x', { k = 2 }]\nm.n = '''\nq'''\n";
    assert_eq!(
        parse(text, &[]),
        (r#"{z=1000 a=31 t={f=1000.0 n=NaN b=true d="2024-01-31" l=["x" {k=2}] m={n="q"}}}"#.to_owned(), Vec::new())
    );
}

#[test]
fn spans_point_into_the_file() {
    let text = "[t]\r\nkey = 'välue'\r\n";
    let mut diagnostics = Diagnostics::default();
    let spec = SpecFile::parse("p.toml".into(), text.to_owned(), &[], &|_| None, &mut diagnostics);
    let Value::Table(entries) = &spec.root[0].node.value else { panic!("no table") };
    assert_eq!(&text[spec.root[0].node.span.clone()], "[t]");
    assert_eq!(&text[entries[0].key_span.clone()], "key");
    assert_eq!(&text[entries[0].node.span.clone()], "'välue'");
}

#[test]
fn variables_are_replaced_once_and_only_in_texts() {
    let cases = [
        ("x = '${A}-${A}'", r#"{x="one-one"}"#),
        ("x = '$${A} $A $ 5$'", r#"{x="${A} $A $ 5$"}"#),
        ("x = '$$$${A}$$'", r#"{x="$${A}$"}"#),
        ("x = '$$${A}'", r#"{x="$one"}"#),
        ("x = '${EMPTY}|${EMPTY:-d}|${NO:-d e}|${NO:-}'", r#"{x="|d|d e|"}"#),
        ("x = ['${A}', { y = '${A}' }]", r#"{x=["one" {y="one"}]}"#),
        ("'${A}' = 1 # ${A}", "{${A}=1}"),
        ("x = '${SLY}'\ny = 2", r#"{x="${A} $$ \" ] \n[evil]\nx = 1 #" y=2}"#),
    ];
    for (text, expected) in cases {
        assert_eq!(parse(text, &[]), (expected.to_owned(), Vec::new()), "{text}");
    }
}

#[test]
fn an_unset_variable_is_reported_where_it_stands() {
    let (_, problems) = parse("x = 'ä$${NO} ${A} ${NO} ${NO_2}'", &[]);
    assert_eq!(
        problems,
        ["19..24 the environment variable `NO` is not set", "25..32 the environment variable `NO_2` is not set"]
    );
    // Written with escapes, the place is the whole text.
    assert_eq!(parse(r#"x = "\u0024{NO}""#, &[]).1, ["4..16 the environment variable `NO` is not set"]);
}

#[test]
fn overrides_take_toml_or_text_and_are_not_replaced_in() {
    let file = "[s.a]\npath = 'p'\nn = 1\n[s.a.columns]\nq = 'x'\n";
    let cases = [
        ("s.a.path=other.vcf", r#"{s={a={path="other.vcf" n=1 columns={q="x"}}}}"#),
        ("s.a.path = \"q=\\\"x\\\"\" ", r#"{s={a={path="q=\"x\"" n=1 columns={q="x"}}}}"#),
        ("s.a.path=${A}", r#"{s={a={path="${A}" n=1 columns={q="x"}}}}"#),
        ("s.a.path=", r#"{s={a={path="" n=1 columns={q="x"}}}}"#),
        ("s.a.path=[1, 'b']", r#"{s={a={path=[1 "b"] n=1 columns={q="x"}}}}"#),
        ("s.a.path=5 # five", r#"{s={a={path="5 # five" n=1 columns={q="x"}}}}"#),
        ("s.a.path=1\n[evil]", r#"{s={a={path="1\n[evil]" n=1 columns={q="x"}}}}"#),
        ("s.a.columns.\"a=b.c\"='z'", r#"{s={a={path="p" n=1 columns={q="x" a=b.c="z"}}}}"#),
        ("s.a.columns={ r = 'y' }", r#"{s={a={path="p" n=1 columns={r="y"}}}}"#),
    ];
    for (text, expected) in cases {
        assert_eq!(parse(file, &[text]), (expected.to_owned(), Vec::new()), "{text}");
    }
    assert_eq!(parse(file, &["s.a.n=2", "s.a.n=3"]).0, r#"{s={a={path="p" n=3 columns={q="x"}}}}"#);
}

#[test]
fn a_file_of_any_bytes_is_read_without_panic() {
    let pieces =
        ["[", "]", "=", "\"", "'", "${", "}", "\n", "a", ".", "#", "{", ",", "\u{feff}", "1e9999", "é", "\"\"\""];
    let mut random = Random::new(seed(7));
    for _ in 0..2000 {
        let mut text = String::new();
        for _ in 0..24 {
            text += *random.pick(&pieces);
        }
        let mut diagnostics = Diagnostics::default();
        let overrides = [text.clone(), format!("a.{text}"), "a=${".into()];
        let spec = SpecFile::parse("p.toml".into(), text, &overrides, &|_| None, &mut diagnostics);
        crate::plan::Plan::resolve(&spec, crate::plan::fakes::REGISTRY, &mut diagnostics);
        let found = diagnostics.into_sorted();
        assert!(!found.is_empty());
        let text = crate::diagnostics::render(&spec, &found, true);
        assert_eq!(crate::diagnostics::located(&spec, &found).len(), found.len(), "{text}");
    }
}

#[test]
fn a_line_that_is_no_pair_hides_nothing_after_it() {
    let (tree, problems) = parse("[a]\nx \"1\"\ny = 2\noops\n[b]\nz = tru\n", &[]);
    assert_eq!(tree, "{a={y=2} b={z=true}}");
    assert_eq!(
        problems,
        [
            "6..6 key with no value, expected `=`",
            "20..20 key with no value, expected `=`",
            "29..32 invalid boolean, expected `true`"
        ]
    );
}
