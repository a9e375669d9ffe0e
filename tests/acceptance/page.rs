//! What people look at: the report in one file and the pages of `watch`. Both say what the command line says, show whatever a
//! file holds as text, and load nothing.

mod file;
mod served;

use vardelta_tests::project::Project;

/// What is between two texts, for each place where both are.
fn between<'a>(text: &'a str, begin: &'a str, end: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(begin).skip(1).map(move |rest| rest.split(end).next().unwrap_or_default())
}

/// HTML without its tags, and with its entities undone.
fn shown(html: &str) -> String {
    let mut text = String::new();
    for (at, part) in html.split('<').enumerate() {
        let visible = if at == 0 { part } else { part.split_once('>').map_or("", |(_, rest)| rest) };
        text += visible;
        text.push(' ');
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// Panics unless a page loads nothing of another place, runs nothing, and has every element that it ends and ends every
/// element that it has.
#[track_caller]
fn is_sound(html: &str) {
    for forbidden in [
        "<script",
        " style=\"",
        " onclick",
        "javascript:",
        "src=\"",
        "@import",
        "url(",
        "<iframe",
        "<form method=\"post\"",
    ] {
        assert!(!html.contains(forbidden), "the page has {forbidden}");
    }
    for href in between(html, "href=\"", "\"") {
        assert!(href.starts_with('#') || href.starts_with('/'), "the page leads to {href}");
        assert!(!href.starts_with("//"), "the page leads to {href}");
    }
    let steers = |letter: &char| letter.is_control() && *letter != '\n' || ('\u{202a}'..='\u{202e}').contains(letter);
    assert_eq!(html.chars().find(steers), None);
    let mut open: Vec<&str> = Vec::new();
    let body = html.split("</style>").last().unwrap_or_default();
    for tag in between(body, "<", ">").filter(|tag| !tag.starts_with('!')) {
        let name = tag.split(|letter: char| letter.is_whitespace()).next().unwrap_or_default();
        match name.strip_prefix('/') {
            Some("head") => {}
            Some(ended) if ended == "html" && open.is_empty() => {}
            Some(ended) => assert_eq!(open.pop(), Some(ended), "elements are ended in order"),
            None if ["meta", "link", "input", "br"].contains(&name) => {}
            None if ["html", "head"].contains(&name) => {}
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?} are not ended");
}

/// A pipeline whose drops may be called anything, with a history.
fn hostile() -> Project {
    Project::new(
        r#"
[pipeline]
name = "hostile"
max_reject_share = 1.0

[stages.calls]
type = "delimited"
path = "drops/*.tsv"
null_values = [""]
[stages.calls.columns]
id = "int64"
word = "text"

[stages.whole]
type = "filter"
input = "calls"
where = "id IS NOT NULL AND word IS NOT NULL"

[stages.words]
type = "table"
input = "whole"
key = ["id", "word"]

[stages.warehouse]
type = "sqlite"
path = "hostile.sqlite"
tables = ["words"]
history = ["words"]
"#,
    )
}

/// What a name or a value may be: HTML, quotes, entities, commands of a terminal, text that turns around.
const HOSTILE: [&str; 5] = [
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(2)>",
    "&lt;b&gt;&amp;",
    "esc\u{1b}[2J\u{202e}x",
    "a=b&c=d %41+",
];
