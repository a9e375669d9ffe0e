//! What the machine has left.

use std::{fs, path::Path};

/// Bytes that a user may still write on the file system of a path; of a path that is not there, of its nearest folder.
///
/// # Errors
/// When the system does not say.
pub fn disk_free_bytes(path: &Path) -> Result<u64, String> {
    let mut place = if path.is_absolute() { path.to_path_buf() } else { Path::new(".").join(path) };
    while !place.exists() {
        if !place.pop() {
            return Err(format!("there is no folder on the way to {}", path.display()));
        }
    }
    let found = rustix::fs::statvfs(&place).map_err(|error| format!("{}: {error}", place.display()))?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Bytes of memory that programs can still have without swapping.
///
/// # Errors
/// When the system does not say.
pub fn memory_available_bytes() -> Result<u64, String> {
    let text = fs::read_to_string("/proc/meminfo").map_err(|error| format!("/proc/meminfo: {error}"))?;
    available(&text).ok_or_else(|| "/proc/meminfo does not say what is available".to_owned())
}

/// The line `MemAvailable: … kB` (proc_meminfo(5)).
fn available(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_tells_what_it_has() {
        assert!(disk_free_bytes(Path::new("no/such/folder")).is_ok_and(|bytes| bytes > 0));
        assert_eq!(available("MemTotal: 9 kB\nMemAvailable:   1234 kB\n"), Some(1_234 * 1_024));
        assert_eq!(available("MemTotal: 9 kB\n"), None);
    }
}
