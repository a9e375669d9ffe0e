//! `vardelta-testservice [PORT]`: the service on the loopback interface, until it is ended.

use std::process::ExitCode;

use vardelta_testservice::{Options, Service};

/// Where it listens if nothing is said.
const PORT: &str = "8765";

fn main() -> ExitCode {
    let port = std::env::args().nth(1).unwrap_or_else(|| PORT.into());
    let started = port
        .parse::<u16>()
        .map_err(|_| "a port is a number".to_owned())
        .and_then(|port| Service::start(&Options { port, ..Options::default() }).map_err(|error| error.to_string()));
    match started {
        Ok(service) => {
            let address = service.url("");
            println!("gene facts at {address}; GET /figures: what was asked; POST /script: how to misbehave");
            service.join();
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("vardelta-testservice: port {port}: {why}");
            ExitCode::from(2)
        }
    }
}
