//! The pages of `watch --listen`: every view, every link of them, and nothing that hurts.

use std::{
    collections::{BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use vardelta_tests::{process::until, project::Project, watching::Watching};

use super::{HOSTILE, between, hostile, is_sound, shown};

const QUICKLY: [&str; 6] = ["--listen", "127.0.0.1:0", "--settle", "50ms", "--every", "50ms"];

fn watched(project: &Project) -> Watching {
    Watching::start(project, &QUICKLY, &[])
}

/// An address as it is written in an attribute.
fn undone(href: &str) -> String {
    href.replace("&amp;", "&")
}

#[test]
fn every_link_of_every_page_leads_to_a_page() {
    let project = hostile();
    for (at, name) in HOSTILE.iter().enumerate() {
        let value = name.replace('"', "\u{201d}");
        let name = name.replace('/', "\u{2215}");
        project.write(&format!("drops/{name}.tsv"), format!("id\tword\n{at}\t{value}\nx\t{value}\n1\n").as_bytes());
    }
    let watching = watched(&project);
    watching.until("all is loaded", "/drops", |answer| answer.body.matches("state good").count() >= HOSTILE.len());
    project.write("drops/bad.tsv", b"nonsense\n");
    let aside = watching.until("a bad file is set aside", "/drops", |answer| answer.body.contains("set aside"));
    assert!(shown(&aside.body).contains("Files that are not loaded"));

    let (mut seen, mut open) = (BTreeSet::from(["/".to_owned()]), VecDeque::from(["/".to_owned()]));
    while let Some(path) = open.pop_front() {
        let answer = watching.get(&path);
        assert_eq!(answer.code, 200, "{path}\n{}", answer.body);
        assert!(answer.head.contains("content-security-policy: default-src 'self'"), "{}", answer.head);
        if !answer.head.contains("text/html") {
            continue;
        }
        is_sound(&answer.body);
        for href in between(&answer.body, "href=\"/", "\"") {
            let href = undone(&format!("/{href}"));
            if seen.insert(href.clone()) {
                open.push_back(href);
            }
        }
    }
    for view in
        ["/runs", "/graph", "/tables", "/drops", "/lookups", "/changes", "/why", "/runs/1", "/style.css", "/icon.svg"]
    {
        assert!(seen.contains(view), "{view} is linked: {seen:?}");
    }
    let explained: Vec<&String> = seen.iter().filter(|path| path.starts_with("/why?")).collect();
    assert!(explained.len() >= HOSTILE.len(), "{seen:?}");
    for path in explained {
        assert!(watching.get(path).body.contains("Asserted by"), "{path}");
    }
    let failed = shown(&watching.get("/runs").body);
    assert!(failed.contains("committed"), "{failed}");
}

#[test]
fn what_there_is_not_is_said_in_words() {
    let project = hostile();
    project.write("drops/a.tsv", b"id\tword\n1\tw\n");
    let watching = watched(&project);
    watching.until("all is loaded", "/runs/1", |answer| answer.code == 200);
    for path in ["/runs/2", "/runs/x", "/nothing", "/p/other/runs", "/runs/1/2", "/p/hostile/nothing"] {
        assert_eq!(watching.get(path).code, 404, "{path}");
    }
    for path in [
        "/changes?epoch=9",
        "/changes?epoch=0",
        "/why?table=nothing",
        "/why?table=words&key.id=1",
        "/why?table=words&key.id=x&key.word=w",
    ] {
        let answer = watching.get(path);
        assert_eq!(answer.code, 200, "{path}");
        assert!(
            answer.body.contains("class=\"trouble\"") || answer.body.contains("class=\"nothing\""),
            "{path}\n{}",
            answer.body
        );
        is_sound(&answer.body);
    }
    let hostile = "/drops?name=%3Cscript%3E%22%1b";
    let answer = watching.get(hostile);
    is_sound(&answer.body);
    assert!(answer.body.contains("&lt;script&gt;"), "{}", answer.body);
}

#[test]
fn several_pipelines_have_pages_of_their_own() {
    let project = hostile();
    let first = String::from_utf8(project.bytes("pipeline.toml")).expect("text");
    project.write("second.toml", first.replace("hostile", "second").as_bytes());
    project.write("drops/a.tsv", b"id\tword\n1\tw\n");
    let arguments: Vec<&str> = std::iter::once("second.toml").chain(QUICKLY).collect();
    let watching = Watching::start(&project, &arguments, &[]);
    for name in ["hostile", "second"] {
        let page = watching.until("all is loaded", &format!("/p/{name}/runs/1"), |answer| answer.code == 200);
        is_sound(&page.body);
        assert!(
            page.body.contains(&format!("href=\"/p/{name}/drops\"")) && page.body.contains("All pipelines"),
            "{}",
            page.body
        );
    }
    let chooser = watching.get("/");
    is_sound(&chooser.body);
    assert!(
        chooser.body.contains("href=\"/p/hostile\"") && chooser.body.contains("href=\"/p/second\""),
        "{}",
        chooser.body
    );
    assert_eq!(
        (watching.get("/p/hostile").code, watching.get("/p/third").code, watching.get("/runs").code),
        (200, 404, 404)
    );
}

#[test]
fn many_drops_come_in_pages() {
    let project = hostile();
    for drop in 0..450 {
        project.write(&format!("drops/d{drop}.tsv"), format!("id\tword\n{drop}\tw\n").as_bytes());
    }
    let watching = watched(&project);
    watching.until("all is loaded", "/drops", |answer| answer.body.contains("<dd>450</dd>"));
    let mut names = BTreeSet::new();
    for page in 1..=5 {
        let body = watching.get(&format!("/drops?page={page}")).body;
        let table = between(&body, "aria-label=\"Drops\"", "</table>").next().expect("a table").to_owned();
        names.extend(between(&table, "<th scope=\"row\">", "</th>").map(str::to_owned));
    }
    assert_eq!(names.len(), 450);
    let found = watching.get("/drops?name=d44");
    assert!(shown(&found.body).contains("11 drops of 450"), "{}", found.body);
}

#[test]
fn pages_do_not_keep_health_from_answering() {
    let project = hostile();
    project.write("drops/a.tsv", b"id\tword\n1\tw\n");
    let watching = watched(&project);
    watching.until("all is loaded", "/runs/1", |answer| answer.code == 200);
    // The database is held by somebody who lets nobody read.
    let held = rusqlite::Connection::open(project.path("hostile.sqlite")).expect("the database");
    held.pragma_update(None, "locking_mode", "EXCLUSIVE").expect("a mode");
    held.execute_batch("BEGIN EXCLUSIVE").expect("a lock");
    let address = watching.address();
    let asking: Vec<_> = (0..8)
        .map(|at| {
            let address = address.clone();
            std::thread::spawn(move || {
                let head = format!("GET /changes?epoch=1&n={at} HTTP/1.1\r\nHost: localhost\r\n");
                vardelta_tests::watching::ask(&address, &head, "").map(|answer| answer.code)
            })
        })
        .collect();
    let started = Instant::now();
    assert_eq!(watching.get("/livez").code, 200);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    for asked in asking {
        let code = asked.join().expect("a thread").expect("an answer");
        assert!(code == 200 || code == 503, "{code}");
    }
    drop(held);
    until("pages are back", || watching.get("/runs").code == 200);
}
