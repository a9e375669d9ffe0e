//! Tests that go without something say so where it is seen: a test that passes is silent otherwise, and one that was skipped
//! looks like one that passed.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{ChildStdin, Command, Stdio},
    sync::{Mutex, PoisonError},
};

/// Counts the lines it reads, until the process that writes them has ended; then says how many there were, and which.
const COUNT: &str = r#"lines=$(cat); [ -n "$lines" ] || exit 0
printf '\nskipped in this run: %s\n%s\n' "$(printf '%s\n' "$lines" | wc -l | tr -d ' ')" "$lines" >&2
if [ -n "$VARDELTA_SKIPPED" ]; then printf '%s\n' "$lines" >> "$VARDELTA_SKIPPED"; fi"#;

static COUNTER: Mutex<Option<ChildStdin>> = Mutex::new(None);

/// Says that a test, or a part of it, did not run, and why: at the end of the run, with all others. `VARDELTA_SKIPPED` names a
/// file that takes the lines too.
pub fn skipped(what: &str, why: &str) {
    eprintln!("skipped: {what}: {why}");
    let mut counter = COUNTER.lock().unwrap_or_else(PoisonError::into_inner);
    if counter.is_none() {
        // A shell that outlives this process: what a test prints itself is hidden.
        let shell = Command::new("sh").args(["-c", COUNT]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn();
        *counter = shell.ok().and_then(|mut shell| shell.stdin.take());
    }
    if let Some(counter) = counter.as_mut() {
        let _ = writeln!(counter, "  {what}: {why}");
    }
}

/// A path in the shared test data; `None`, said aloud, where it is not there. It lies in `../shared` beside the repository,
/// or where `VARDELTA_SHARED` says.
///
/// # Panics
/// When it is not there, with `VARDELTA_REQUIRE_SHARED=1` in the environment.
pub fn shared_data(what: &str, path: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let found = std::env::var_os("VARDELTA_SHARED").map_or_else(beside, PathBuf::from).join(path);
    if found.exists() {
        return Some(found);
    }
    let why = format!("../shared/{path} is not there");
    let required = std::env::var("VARDELTA_REQUIRE_SHARED").is_ok_and(|value| value == "1");
    assert!(!required, "{what}: {why}, and VARDELTA_REQUIRE_SHARED is 1");
    skipped(what, &why);
    None
}
