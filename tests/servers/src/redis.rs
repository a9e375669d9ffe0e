//! A Redis server of a test's own: its own port, nothing on disk, ended with the test.

use std::{
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::skipped;

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running Redis; ends when it is dropped.
#[derive(Debug)]
pub struct RedisServer {
    process: Child,
    port: u16,
    is_encrypted: bool,
}

/// Certificate and key, as PEM files.
#[derive(Clone, Copy, Debug)]
pub struct Certificate<'p> {
    /// The certificate.
    pub certificate: &'p Path,
    /// Its private key.
    pub key: &'p Path,
}

impl RedisServer {
    /// Starts one; `None`, and a line that names the test, where none is installed.
    ///
    /// # Panics
    /// When it does not start, and when none is installed but `VARDELTA_REQUIRE_SERVERS` is 1.
    pub fn start(test: &str) -> Option<RedisServer> {
        RedisServer::start_with(test, None)
    }

    /// Starts one that speaks TLS alone, with this certificate for `localhost`; as [`RedisServer::start`].
    ///
    /// # Panics
    /// As [`RedisServer::start`].
    pub fn start_encrypted(test: &str, certificate: Certificate<'_>) -> Option<RedisServer> {
        RedisServer::start_with(test, Some(certificate))
    }

    fn start_with(test: &str, certificate: Option<Certificate<'_>>) -> Option<RedisServer> {
        let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|free| free.local_addr()).expect("a port").port();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        match certificate {
            None => command.args(["--port", &port.to_string()]),
            Some(Certificate { certificate, key }) => {
                command.args(["--port", "0", "--tls-port", &port.to_string(), "--tls-auth-clients", "no"]);
                command.arg("--tls-cert-file").arg(certificate).arg("--tls-key-file").arg(key)
            }
        };
        let Ok(process) = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
            let required = std::env::var("VARDELTA_REQUIRE_SERVERS").is_ok_and(|value| value == "1");
            assert!(!required, "{test}: there is no redis-server, and VARDELTA_REQUIRE_SERVERS is 1");
            skipped(test, "there is no redis-server");
            return None;
        };
        let server = RedisServer { process, port, is_encrypted: certificate.is_some() };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < PATIENCE, "{test}: redis-server does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    /// Its address.
    pub fn url(&self) -> String {
        match self.is_encrypted {
            true => format!("rediss://localhost:{}/", self.port),
            false => format!("redis://127.0.0.1:{}/", self.port),
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
