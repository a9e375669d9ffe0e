//! Probes are answered before the HTTP library is asked, by the very answer that it would give; whatever else comes on their connections
//! is its own.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use vardelta_tests::{
    project::Project,
    watching::{Answer, Watching, ask},
};

use super::{QUICK, drop_text, project};

const PATHS: [&str; 3] = ["/livez", "/readyz", "/health"];

/// A watch that has loaded a drop, and where it listens.
fn loaded() -> (Project, Watching, String) {
    let project = project();
    project.write("drops/a.vcf", drop_text(1..11).as_bytes());
    let watching = Watching::start(&project, &QUICK, &[]);
    watching.until_drops(&[("a", "loaded")]);
    let address = watching.address();
    (project, watching, address)
}

/// What an answer says, but for the moment it was given.
fn said(answer: &Answer) -> (u16, Vec<String>, &str) {
    let mut headers: Vec<String> =
        answer.head.lines().map(|line| if line.starts_with("date: ") { "date" } else { line }.to_owned()).collect();
    headers.sort();
    (answer.code, headers, &answer.body)
}

#[test]
fn a_probe_hears_what_the_library_would_say() {
    let (_project, _watching, address) = loaded();
    let get = |path: &str, header: &str| {
        ask(&address, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{header}"), "").expect("an answer")
    };
    for path in PATHS {
        // A length, if only of nothing, makes it no plain probe. Checks may be made again between two of them, and find another free byte.
        let agrees = (0..20).any(|_| said(&get(path, "")) == said(&get(path, "Content-Length: 0\r\n")));
        let (probe, library) = (get(path, ""), get(path, "Content-Length: 0\r\n"));
        assert!(agrees, "{path}: {:?} is not {:?}", said(&probe), said(&library));
        let evil = ask(&address, &format!("GET {path} HTTP/1.1\r\nHost: evil.example\r\n"), "").expect("an answer");
        assert_eq!(evil.code, 403, "{path}");
        assert_eq!(ask(&address, &format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n"), "").expect("one").code, 405);
    }
}

/// Everything that comes back for what is sent, in pieces of some bytes.
fn exchange(address: &str, sent: &str, piece_bytes: usize) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a limit");
    stream.set_nodelay(true).expect("no delay");
    for piece in sent.as_bytes().chunks(piece_bytes) {
        stream.write_all(piece).expect("it is taken");
    }
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an end");
    text
}

#[test]
fn requests_of_all_kinds_follow_each_other_on_a_connection() {
    let (_project, watching, address) = loaded();
    for path in PATHS {
        assert!([200, 503].contains(&watching.get(path).code));
    }
    let asked = ["/livez", "/health", "/metrics", "/livez", "/nothing", "/readyz"];
    let requests = |end: &str| -> String {
        let last = asked.len() - 1;
        let request = |(at, path): (usize, &&str)| {
            let closes = if at == last { format!("Connection: close{end}") } else { String::new() };
            format!("GET {path} HTTP/1.1{end}Host: localhost{end}{closes}{end}")
        };
        asked.iter().enumerate().map(request).collect()
    };
    // Lines may end by a line feed alone (RFC 9112, 2.2).
    for sent in [requests("\r\n"), requests("\n")] {
        for piece_bytes in [1, 7, sent.len()] {
            let text = exchange(&address, &sent, piece_bytes);
            let codes: Vec<&str> =
                text.split("HTTP/1.1 ").skip(1).filter_map(|answer| answer.split(' ').next()).collect();
            let codes = codes.iter().map(|code| if *code == "503" { "200" } else { code }).collect::<Vec<_>>();
            assert_eq!(codes, ["200", "200", "200", "200", "404", "200"], "{piece_bytes}: {text}");
            assert!(text.contains("vardelta_epoch"), "{piece_bytes}: {text}");
        }
    }
}

#[test]
fn what_is_no_request_is_judged_by_the_library() {
    let (_project, watching, address) = loaded();
    let long =
        format!("GET /livez HTTP/1.1\r\nHost: localhost\r\nA: {}\r\nConnection: close\r\n\r\n", "a".repeat(5_000));
    for (sent, code) in [
        ("nonsense\r\n\r\n", "400"),
        ("\u{16}\u{3}\u{1}\u{2}\0\r\n\r\n", "400"),
        ("GET /livez HTTP/1.1\r\nHo st: a\r\n\r\n", "400"),
        (&long, "200"),
    ] {
        let text = exchange(&address, sent, sent.len());
        assert!(text.starts_with(&format!("HTTP/1.1 {code} ")), "{sent:?}: {text}");
    }
    // A request that ends in its middle ends its connection alone.
    let mut half = TcpStream::connect(&address).expect("a connection");
    half.write_all(b"GET /livez HTTP/1.1\r\nHost: lo").expect("it is taken");
    half.shutdown(std::net::Shutdown::Write).expect("it can end");
    let mut rest = Vec::new();
    half.read_to_end(&mut rest).expect("an end");
    assert_eq!(watching.get("/livez").code, 200);
}
