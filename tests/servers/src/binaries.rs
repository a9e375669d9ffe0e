//! Finds the servers that are installed.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use crate::Flavor;

/// The server's executable, or why there is none.
pub fn find(flavor: Flavor) -> Result<&'static Path, &'static str> {
    static MARIADB: OnceLock<Option<PathBuf>> = OnceLock::new();
    static MYSQL: OnceLock<Option<PathBuf>> = OnceLock::new();
    match flavor {
        Flavor::MariaDb => {
            let found = MARIADB.get_or_init(|| first("VARDELTA_MARIADBD", &["mariadbd", "mysqld"], "MariaDB"));
            found.as_deref().ok_or("no MariaDB server is installed (package mariadb-server-core)")
        }
        Flavor::MySql => {
            let found = MYSQL.get_or_init(|| first("VARDELTA_MYSQLD", &["mysqld"], "MySQL").or_else(unpacked));
            found.as_deref().ok_or("no MySQL server is installed (`tests/servers/unpack_mysql.sh` makes one)")
        }
    }
}

/// The first executable that says it is this server: the one that `variable` names, then those in the usual places.
fn first(variable: &str, names: &[&str], product: &str) -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(variable) {
        let named = PathBuf::from(named);
        assert!(is(&named, product), "{variable} names {}, which is no {product} server", named.display());
        return Some(named);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/usr/local/sbin", "/usr/libexec"].map(PathBuf::from);
    let directories: Vec<PathBuf> = std::env::split_paths(&path).chain(system).collect();
    names
        .iter()
        .flat_map(|name| directories.iter().map(move |directory| directory.join(name)))
        .find(|candidate| is(candidate, product))
}

/// Where `unpack_mysql.sh` puts a MySQL server.
fn unpacked() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))?;
    Some(cache.join("vardelta/mysql/mysqld")).filter(|candidate| is(candidate, "MySQL"))
}

/// Both servers are called `mysqld` somewhere; `--version` tells them apart.
fn is(candidate: &Path, product: &str) -> bool {
    if !candidate.is_file() {
        return false;
    }
    let Ok(output) = Command::new(candidate).args(["--no-defaults", "--version"]).output() else { return false };
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success() && (text.contains("MariaDB") == (product == "MariaDB"))
}
