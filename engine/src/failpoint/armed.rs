//! Fail points in a build for development: armed by an environment variable.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The environment variable that arms points.
pub const VARIABLE: &str = "VARDELTA_FAILPOINT";
/// The environment variable that names a file for the points that are reached.
pub const LOG_VARIABLE: &str = "VARDELTA_FAILPOINT_LOG";
/// The environment variable that names the file which lets a waiting process go on.
pub const GO_VARIABLE: &str = "VARDELTA_FAILPOINT_GO";

/// How often a waiting process looks whether it may go on.
const GLANCE: Duration = Duration::from_millis(2);
/// A process that nobody lets go on by then dies: its test is gone.
const PATIENCE: Duration = Duration::from_secs(300);

/// Notes that a point is reached. One write per line, so that lines of several threads stay whole.
fn record(name: &str) {
    static LOG: OnceLock<Option<File>> = OnceLock::new();
    let open = || {
        let path = std::env::var_os(LOG_VARIABLE)?;
        OpenOptions::new().create(true).append(true).open(path).ok()
    };
    if let Some(mut log) = LOG.get_or_init(open).as_ref() {
        let _ = log.write_all(format!("{name}\n").as_bytes());
    }
}

/// A place where a thread may panic.
///
/// # Panics
/// If this point is armed.
pub fn panics(name: &str) {
    wait(name);
    for armed in armed().iter().filter(|armed| armed.act == Act::Abort) {
        if armed.name.strip_prefix("panic:") == Some(name) && armed.next_hit() == armed.at_hit {
            record(&format!("panicking at {name}"));
            panic!("fail point {name}");
        }
    }
}

/// Stops here, if this point is armed so, until the test lets the process go on.
fn wait(name: &str) {
    for armed in armed().iter().filter(|armed| armed.act == Act::Wait) {
        if armed.count(name) != Some(armed.at_hit) {
            continue;
        }
        record(&format!("waiting at {name}"));
        let (go, started) = (std::env::var_os(GO_VARIABLE), Instant::now());
        while !go.as_deref().is_some_and(|path| Path::new(path).exists()) {
            if started.elapsed() > PATIENCE {
                #[expect(clippy::disallowed_methods, reason = "as at a point")]
                std::process::abort();
            }
            std::thread::sleep(GLANCE);
        }
    }
}

/// What happens at an armed point.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Act {
    Abort,
    Panic,
    Wait,
    Sleep,
}

struct Armed {
    name: String,
    at_hit: u64,
    act: Act,
    hits: AtomicU64,
}

impl Armed {
    /// `name` or `name:N`; names hold colons themselves, so only a number after the last one counts.
    fn parse(text: &str) -> Armed {
        let (act, text) = match text.split_once('@') {
            Some(("panic", rest)) => (Act::Panic, rest),
            Some(("wait", rest)) => (Act::Wait, rest),
            Some(("sleep", rest)) => (Act::Sleep, rest),
            _ => (Act::Abort, text),
        };
        let (name, at_hit) = match text.rsplit_once(':') {
            Some((name, number)) => match number.parse() {
                Ok(number) => (name, number),
                Err(_) => (text, 1),
            },
            None => (text, 1),
        };
        Armed { name: name.to_owned(), at_hit, act, hits: AtomicU64::new(0) }
    }

    /// How often the point was reached, this time included, when it is the armed one.
    fn count(&self, name: &str) -> Option<u64> {
        (self.name == name).then(|| self.next_hit())
    }

    fn next_hit(&self) -> u64 {
        self.hits.fetch_add(1, Ordering::Relaxed) + 1
    }
}

fn armed() -> &'static [Armed] {
    static ARMED: OnceLock<Vec<Armed>> = OnceLock::new();
    ARMED.get_or_init(|| {
        std::env::var(VARIABLE).map(|text| text.split(',').map(Armed::parse).collect()).unwrap_or_default()
    })
}

/// A place where the process may die or wait: aborts if this point is armed.
pub fn hit(name: &str) {
    #[cfg(test)]
    hook::call(name);
    record(name);
    wait(name);
    for armed in armed().iter().filter(|armed| !matches!(armed.act, Act::Wait | Act::Sleep)) {
        if armed.count(name) == Some(armed.at_hit) {
            assert!(armed.act != Act::Panic, "the fail point {name} was reached");
            // No unwinding, no destructors, no buffers flushed: as near to `kill -9` as a process comes by itself.
            #[expect(clippy::disallowed_methods, reason = "this is what it is for")]
            std::process::abort();
        }
    }
}

/// A place where work can be made slow: what is armed as `sleep@area:name:20` sleeps there for 20 ms each time.
pub fn slow(area: &str, name: &str) {
    for armed in armed().iter().filter(|armed| armed.act == Act::Sleep) {
        if armed.name.split_once(':') == Some((area, name)) {
            std::thread::sleep(Duration::from_millis(armed.at_hit));
        }
    }
}

/// Whether the operation at this point is to fail as if the disk were full: from the armed hit on, since a disk that
/// is full stays full.
pub fn fails(name: &str) -> bool {
    #[cfg(test)]
    if hook::call(name) {
        return true;
    }
    let mut armed = armed().iter().filter(|armed| armed.act == Act::Abort);
    armed.any(|armed| armed.count(name).is_some_and(|hits| hits >= armed.at_hit))
}

/// Points as unit tests see them: one closure per thread, called with the name of every point that is reached.
#[cfg(test)]
pub(crate) mod hook {
    use std::cell::RefCell;

    type Hook = Box<dyn FnMut(&str) -> bool>;

    thread_local! {
        static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
    }

    /// Runs `work`; meanwhile each point of this thread calls `hook`, whose answer is that of [`super::fails`].
    pub(crate) fn during<T>(hook: impl FnMut(&str) -> bool + 'static, work: impl FnOnce() -> T) -> T {
        HOOK.set(Some(Box::new(hook)));
        let result = work();
        HOOK.set(None);
        result
    }

    pub(super) fn call(name: &str) -> bool {
        // Taken out while it runs, so that a hook may reach points itself.
        let Some(mut hook) = HOOK.take() else { return false };
        let answer = hook(name);
        HOOK.set(Some(hook));
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_after_the_last_colon_is_the_hit() {
        for (text, name, at_hit) in
            [("state:prepared", "state:prepared", 1), ("state:prepared:3", "state:prepared", 3), ("plain", "plain", 1)]
        {
            let armed = Armed::parse(text);
            assert_eq!((armed.name.as_str(), armed.at_hit), (name, at_hit));
        }
    }

    #[test]
    fn what_happens_stands_before_the_name() {
        for (text, act) in
            [("a:b:2", Act::Abort), ("panic@a:b:2", Act::Panic), ("wait@a:b:2", Act::Wait), ("sleep@a:b:2", Act::Sleep)]
        {
            let armed = Armed::parse(text);
            assert!(armed.name == "a:b" && armed.at_hit == 2 && armed.act == act, "{text}");
        }
    }

    #[test]
    fn only_the_armed_point_counts() {
        let armed = Armed::parse("a:2");
        assert_eq!(armed.count("b"), None);
        assert_eq!(armed.count("a"), Some(1));
        assert_eq!(armed.count("a"), Some(2));
    }
}
