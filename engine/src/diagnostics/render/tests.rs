use super::*;
use crate::diagnostics::Diagnostics;

const TEXT: &str = "\u{feff}[pipeline]\r\nname = \"gène\"\nlong = \"\"\"\nfirst\n\tsecond\"\"\"\n";

fn spec() -> SpecFile {
    let overrides = ["pipeline.a=1".to_owned(), "pipeline.b=x".to_owned()];
    SpecFile::parse("dir/p.toml".into(), TEXT.into(), &overrides, &|_| None, &mut Diagnostics::default())
}

fn problem(span: Range<usize>) -> Vec<Diagnostic> {
    let mut diagnostics = Diagnostics::default();
    diagnostics.error(span, "what is wrong").label("here").hint("Do that.");
    diagnostics.into_sorted()
}

fn rendered(span: Range<usize>) -> String {
    render(&spec(), &problem(span), false)
}

fn at(part: &str) -> Range<usize> {
    let start = TEXT.find(part).expect("a part of the text");
    start..start + part.len()
}

#[test]
fn underlines_the_place() {
    assert_eq!(
        rendered(at("\"gène\"")),
        "\
error: what is wrong
 --> dir/p.toml:2:8
  |
2 | name = \"gène\"
  |        ^^^^^^ here
  |
  = help: Do that."
    );
}

#[test]
fn the_byte_order_mark_is_no_column() {
    assert!(rendered(at("[pipeline]")).contains("dir/p.toml:1:1\n  |\n1 | [pipeline]\n  | ^^^^^^^^^^ here"));
    assert_eq!(locate(TEXT, TEXT.find("pipeline").expect("there")), (1, 2));
}

#[test]
fn a_text_over_several_lines_keeps_its_lines() {
    let text = rendered(at("\"\"\"\nfirst\n\tsecond\"\"\""));
    assert!(text.contains("dir/p.toml:3:8"), "{text}");
    assert!(text.contains("first") && text.contains("second") && text.contains("help: Do that."), "{text}");
}

#[test]
fn the_end_of_the_file_is_a_place() {
    assert!(rendered(TEXT.len()..TEXT.len()).contains("dir/p.toml:6:1"));
    assert_eq!(locate(TEXT, TEXT.len() + 100), (6, 1));
}

#[test]
fn overrides_are_places_too() {
    let start = TEXT.len() + 1;
    assert_eq!(
        rendered(start + 13 + 11..start + 13 + 12),
        "\
error: what is wrong
 --> --set:2:12
  |
2 | pipeline.b=x
  |            ^ here
  |
  = help: Do that."
    );
    let located = &located(&spec(), &problem(start..start + 8))[0];
    assert_eq!(
        serde_json::to_value(located).expect("plain data"),
        serde_json::json!({
            "file": "--set", "line": 1, "column": 1, "end_line": 1, "end_column": 9,
            "message": "what is wrong", "label": "here", "hint": "Do that.",
        })
    );
}

#[test]
fn places_off_the_text_or_inside_a_character_do_no_harm() {
    let inside = TEXT.find('è').expect("there") + 1;
    let reversed = Range { start: 5, end: 3 };
    for span in [inside..inside, inside..inside + 1, reversed, 0..10_000, 10_000..20_000, 1..2] {
        assert!(rendered(span.clone()).contains("what is wrong"), "{span:?}");
    }
}

#[test]
fn a_message_cannot_steer_the_terminal() {
    let mut diagnostics = Diagnostics::default();
    diagnostics.error(0..3, "red \u{1b}[31m").label("\u{7}").hint("\u{1b}]0;title\u{7}");
    let text = render(&spec(), &diagnostics.into_sorted(), false);
    assert!(!text.contains(['\u{1b}', '\u{7}']), "{text:?}");
}

#[test]
fn colour_only_where_it_is_wanted() {
    assert!(render(&spec(), &problem(4..5), true).contains('\u{1b}'));
    assert!(!rendered(4..5).contains('\u{1b}'));
}

#[test]
fn problems_stand_apart() {
    let both: Vec<Diagnostic> = problem(4..5).into_iter().chain(problem(6..7)).collect();
    assert_eq!(render(&spec(), &both, false).matches("\n\nerror: ").count(), 1);
}

/// A secret in every place of a file where one may be; what is read of it is underlined, and what is not.
#[test]
fn no_underlined_line_shows_a_secret() {
    let text = "[pipeline]\nname = 'a'\npasword = \"hu\nsh\"\n[stages.w]\nulr = 'mysql://me:hu?sh@db/w'\n\
        url = \"mysql://me:${PW}hu\\\"sh@db/w\"\ntoken = 12345\nsecrets = ['hush', { a = 'hush' }]\nx = { api_key = 'hush', y = 1 }\n\
        # url = mysql://me:hush@db\nwebhook = hush\nhook = https://h/?token=hush\n\
        late = \"mysql\\u003a//me:hush@db\"\nn = 'mysql://me:h${u sh}@db'\n\u{9b}31m = 1\n";
    let overrides =
        ["stages.w.tokn=hush".to_owned(), "stages.w.url=mysql://me:hu sh@h".to_owned(), "token:hush".to_owned()];
    let mut diagnostics = Diagnostics::default();
    let environment = |name: &str| (name == "PW").then(|| "hush-hush".to_owned());
    let spec = SpecFile::parse("\u{202e}p.toml".into(), text.into(), &overrides, &environment, &mut diagnostics);
    let end = text.len() + overrides.iter().map(|text| text.len() + 1).sum::<usize>();
    for start in 0..end {
        diagnostics.error(start..start, "what");
        diagnostics.error(start..end.min(start + 40), "`hush` is what `12345` and 'mysql://me:hu?sh@db/w' say");
    }
    let mut all = diagnostics.into_sorted();
    // Which message speaks of a secret is known by its place; here all of them do.
    all.iter_mut().for_each(|diagnostic| spec.redact(diagnostic));
    for diagnostic in &all {
        let said = render(&spec, std::slice::from_ref(diagnostic), false);
        let shown = said.split_once('\n').map_or("", |(_, shown)| shown);
        assert!(!shown.contains("hush") && !shown.contains("12345"), "{said}");
        assert!(!shown.contains("sh@") && !said.contains("hu?"), "{said}");
        assert!(!said.contains(['\u{9b}', '\u{202e}']), "{said:?}");
    }
    let of = |line: &str| text.find(line).expect("a line of the text");
    let underlined = |place: Range<usize>| {
        let mut problems = Diagnostics::default();
        problems.error(place, "x").label("here");
        render(&spec, &problems.into_sorted(), false)
    };
    assert!(underlined(of("ulr")..of("ulr") + 3).contains("6 | ulr = 'mysql://me:***'\n  | ^^^ here"));
    assert!(
        underlined(of("y = 1")..of("y = 1") + 1)
            .contains("x = { api_key = ***, y = 1 }\n   |                      ^ here")
    );
}
