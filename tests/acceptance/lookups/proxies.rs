//! The usual variables for proxies: what they name is gone through, what `NO_PROXY` names is not.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use vardelta_tests::project::{Project, finish};
use vardelta_testservice::{Options, Service};

use super::asked::{ANSWERED, facts, project};

/// A proxy that leads everything to one service, whatever host is asked for, and counts.
struct Leading {
    address: String,
    connections: Arc<AtomicUsize>,
}

impl Leading {
    fn to(service: String) -> Leading {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        // It ends with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::Relaxed);
                let service = service.clone();
                std::thread::spawn(move || lead(stream, &service));
            }
        });
        Leading { address, connections }
    }

    fn count(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// Leads one connection: a tunnel (`CONNECT host:port`), or a request that names the whole address.
fn lead(mut client: TcpStream, service: &str) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut server = TcpStream::connect(service).ok()?;
    if first.starts_with("CONNECT ") {
        let mut line = String::new();
        while reader.read_line(&mut line).ok()? > 2 {
            line.clear();
        }
        client.write_all(b"HTTP/1.1 200 connected\r\n\r\n").ok()?;
    } else {
        // `POST http://host/path HTTP/1.1` becomes `POST /path HTTP/1.1`.
        let (method, rest) = first.split_once(' ')?;
        let path = rest.split_once("://")?.1.split_once('/')?.1;
        server.write_all(format!("{method} /{path}").as_bytes()).ok()?;
    }
    let mut back = server.try_clone().ok()?;
    std::thread::spawn(move || std::io::copy(&mut back, &mut client));
    std::io::copy(&mut reader, &mut server).ok()?;
    server.shutdown(std::net::Shutdown::Write).ok()
}

fn run(project: &Project, variables: &[(&str, &str)]) -> i64 {
    let mut command = project.command("run", &["--json"]);
    for name in
        ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"]
    {
        command.env_remove(name);
    }
    let report = finish(command.envs(variables.iter().copied())).expect(0).json();
    report["lookups"][0]["answered"].as_i64().expect("a number")
}

#[test]
fn proxies_of_the_usual_variables_are_gone_through() {
    let service = Service::start(&Options::default()).expect("the service starts");
    let url = service.url("/query");
    let proxy = Leading::to(url.trim_start_matches("http://").trim_end_matches("/query").to_owned());
    let through = format!("http://{}", proxy.address);
    for (count, variable) in ["HTTP_PROXY", "ALL_PROXY"].into_iter().enumerate() {
        // Nobody but the proxy knows this host.
        let project = project("http://genes.invalid/query", "", "");
        assert_eq!(run(&project, &[(variable, &through)]), 2, "{variable}");
        assert_eq!(facts(&project), ANSWERED);
        assert_eq!((proxy.count(), service.asked().len()), (count + 1, count + 1), "{variable}");
    }
    // A host that `NO_PROXY` names is asked itself.
    let direct = project(&url, "", "");
    assert_eq!(run(&direct, &[("HTTP_PROXY", &through), ("NO_PROXY", "127.0.0.1")]), 2);
    assert_eq!((proxy.count(), service.asked().len()), (2, 3));
    // A proxy that is away is a service that does not answer: the rows are there.
    let away = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
    let waiting = project(&url, "", "");
    assert_eq!(run(&waiting, &[("HTTP_PROXY", &format!("http://{away}"))]), 0);
    assert_eq!(facts(&waiting), ["BRCA1|-|waiting", "TP53|-|waiting"]);
}
