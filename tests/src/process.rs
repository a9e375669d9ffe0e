//! Processes that are watched, signalled and waited for.

use std::{
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// How often a child is looked at.
const GLANCE: Duration = Duration::from_millis(5);

/// Sends a signal (`INT`, `KILL`) to a child.
pub fn signal(child: &Child, name: &str) {
    let status = Command::new("sh").args(["-c", &format!("kill -{name} {}", child.id())]).status();
    assert!(status.expect("sh can be started").success(), "the child could not be sent SIG{name}");
}

/// No condition takes this long to come true.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something is so.
///
/// # Panics
/// When it is not so within a minute.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(GLANCE);
    }
}

/// Waits until a child ends, at most this long; then it is killed.
pub fn wait_at_most(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let started = Instant::now();
    while started.elapsed() < limit {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return Some(status);
        }
        std::thread::sleep(GLANCE);
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

/// Whether this user may mount disks in a namespace of a process's own, and enter it.
pub fn may_mount() -> bool {
    let tried = Command::new("unshare")
        .args(["--mount", "sh", "-c", "mount -t tmpfs none /mnt && umount /mnt && command -v nsenter"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    tried.is_ok_and(|status| status.success())
}
