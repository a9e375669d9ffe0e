//! What systemd hears (sd_notify(3)): that the process is ready, alive, ending. Nothing where nobody asked for it.

use std::{
    ffi::OsString,
    os::unix::{
        ffi::OsStrExt as _,
        net::{SocketAddr, UnixDatagram},
    },
    time::Duration,
};

/// The socket on which the service manager listens.
pub struct Notifier {
    to: Option<(UnixDatagram, SocketAddr)>,
    /// How often it wants to hear that the process is alive.
    pub watchdog: Option<Duration>,
}

impl Notifier {
    /// As the environment says.
    pub fn from_environment() -> Notifier {
        let to = std::env::var_os("NOTIFY_SOCKET").and_then(|socket| {
            let address = address(&socket)?;
            let socket = UnixDatagram::unbound().ok()?;
            socket.set_nonblocking(true).ok()?;
            Some((socket, address))
        });
        let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
        let is_for_us = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let watchdog = number("WATCHDOG_USEC").filter(|_| is_for_us && to.is_some()).map(Duration::from_micros);
        Notifier { to, watchdog }
    }

    /// Says something; a manager that does not listen any more is not waited for.
    pub fn say(&self, what: &str) {
        if let Some((socket, address)) = &self.to {
            let _ = socket.send_to_addr(what.as_bytes(), address);
        }
    }
}

/// A path, or with `@` a name that is no file.
fn address(socket: &OsString) -> Option<SocketAddr> {
    match socket.as_bytes() {
        [b'/', ..] => SocketAddr::from_pathname(socket).ok(),
        #[cfg(target_os = "linux")]
        [b'@', name @ ..] => {
            use std::os::linux::net::SocketAddrExt as _;
            SocketAddr::from_abstract_name(name).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_files_or_names() {
        assert!(address(&"/run/x".into()).is_some_and(|address| address.as_pathname().is_some()));
        #[cfg(target_os = "linux")]
        assert!(address(&"@x".into()).is_some_and(|address| address.as_pathname().is_none()));
        assert!(address(&"x".into()).is_none() && address(&"".into()).is_none());
    }
}
