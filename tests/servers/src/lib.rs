//! Private MariaDB and MySQL servers for tests and benchmarks.
//!
//! Every server has its own data directory, socket and port on the loopback interface, and ends with the process that
//! started it, however that ends: a small supervising shell waits for the end of a pipe that only this process holds
//! open, then ends the server and removes its directory.
//!
//! Where no server is installed a test is skipped, with a line that says so; with `VARDELTA_REQUIRE_SERVERS=1` in the
//! environment a missing server is a failure.

mod binaries;
mod flavor;
mod guard;
mod redis;
mod server;
mod skipped;

use std::sync::{
    OnceLock,
    atomic::{AtomicU32, Ordering},
};

pub use self::{
    flavor::Flavor,
    redis::{Certificate, RedisServer},
    server::{Options, Server, USER},
    skipped::{shared_data, skipped},
};

static MARIADB: OnceLock<Result<Server, String>> = OnceLock::new();
static MYSQL: OnceLock<Result<Server, String>> = OnceLock::new();

/// The server of a flavour that all tests of this process share, started at the first call, with `local_infile` on.
/// `None`, and a line that names the test, where none is installed.
///
/// # Panics
/// When an installed server does not start, and when none is installed but `VARDELTA_REQUIRE_SERVERS` is 1.
pub fn shared(test: &str, flavor: Flavor) -> Option<&'static Server> {
    let cell = match flavor {
        Flavor::MariaDb => &MARIADB,
        Flavor::MySql => &MYSQL,
    };
    if !installed(test, flavor) {
        return None;
    }
    let started = cell.get_or_init(|| Server::start(flavor, &Options::default()));
    Some(started.as_ref().unwrap_or_else(|error| panic!("{test}: {error}")))
}

/// Starts a server of its own for a test that stops it or needs other settings; skips as [`shared`] does.
///
/// # Panics
/// As [`shared`].
pub fn private(test: &str, flavor: Flavor, options: &Options) -> Option<Server> {
    installed(test, flavor).then(|| Server::start(flavor, options).unwrap_or_else(|error| panic!("{test}: {error}")))
}

/// Runs a test once per flavour, on the shared server and a fresh database; says which one it is about to use.
///
/// # Panics
/// As [`shared`].
pub fn each(test: &str, run: impl Fn(&'static Server, &str)) {
    for flavor in Flavor::ALL {
        if let Some(server) = shared(test, flavor) {
            eprintln!("{test}: on {flavor}");
            run(server, &server.new_database());
        }
    }
}

/// A name that no other database of this process has. It begins with `vardelta_`, which is what [`USER`] has rights on.
fn database_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("vardelta_{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn installed(test: &str, flavor: Flavor) -> bool {
    match binaries::find(flavor) {
        Ok(_) => true,
        Err(why) => {
            let required = std::env::var("VARDELTA_REQUIRE_SERVERS").is_ok_and(|value| value == "1");
            assert!(!required, "{test}: {why}, and VARDELTA_REQUIRE_SERVERS is 1");
            skipped(test, why);
            false
        }
    }
}
