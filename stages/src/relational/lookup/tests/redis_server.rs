//! A Redis server of a test's own: its own port, nothing on disk, ended with the test.

use std::{
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

pub struct RedisServer {
    process: Child,
    port: u16,
}

impl RedisServer {
    /// Starts one; `None`, and a line that names the test, where none is installed.
    pub fn start(test: &str) -> Option<RedisServer> {
        let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|free| free.local_addr()).expect("a port").port();
        let started = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(process) = started else {
            let required = std::env::var("VARDELTA_REQUIRE_SERVERS").is_ok_and(|value| value == "1");
            assert!(!required, "{test}: there is no redis-server, and VARDELTA_REQUIRE_SERVERS is 1");
            vardelta_test_servers::skipped(test, "there is no redis-server");
            return None;
        };
        let server = RedisServer { process, port };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{test}: redis-server does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
