//! Fail points in a build for development: armed by an environment variable.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The environment variable that arms one point.
pub const VARIABLE: &str = "VARDELTA_FAILPOINT";
/// The environment variable that names a file for the points that are reached.
pub const LOG_VARIABLE: &str = "VARDELTA_FAILPOINT_LOG";

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
    if let Some(armed) = armed()
        && armed.name.strip_prefix("panic:") == Some(name)
        && armed.hits.fetch_add(1, Ordering::Relaxed) + 1 == armed.at_hit
    {
        panic!("fail point {name}");
    }
}

struct Armed {
    name: String,
    at_hit: u64,
    panics: bool,
    hits: AtomicU64,
}

impl Armed {
    /// `name` or `name:N`; names hold colons themselves, so only a number behind the last one counts.
    fn parse(text: &str) -> Armed {
        let (panics, text) = match text.strip_prefix("panic@") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (name, at_hit) = match text.rsplit_once(':') {
            Some((name, number)) => match number.parse() {
                Ok(number) => (name, number),
                Err(_) => (text, 1),
            },
            None => (text, 1),
        };
        Armed { name: name.to_owned(), at_hit, panics, hits: AtomicU64::new(0) }
    }

    /// How often the point was reached, this time included, when it is the armed one.
    fn count(&self, name: &str) -> Option<u64> {
        (self.name == name).then(|| self.hits.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

fn armed() -> Option<&'static Armed> {
    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
    ARMED.get_or_init(|| std::env::var(VARIABLE).ok().map(|text| Armed::parse(&text))).as_ref()
}

/// A place where the process may die: aborts if this point is armed.
pub fn hit(name: &str) {
    #[cfg(test)]
    hook::call(name);
    record(name);
    if let Some(armed) = armed()
        && armed.count(name) == Some(armed.at_hit)
    {
        assert!(!armed.panics, "the fail point {name} was reached");
        // No unwinding, no destructors, no buffers flushed: as near to `kill -9` as a process comes by itself.
        #[expect(clippy::disallowed_methods, reason = "this is what it is for")]
        std::process::abort();
    }
}

/// Whether the operation at this point is to fail as if the disk were full: from the armed hit on, since a disk that
/// is full stays full.
pub fn fails(name: &str) -> bool {
    #[cfg(test)]
    if hook::call(name) {
        return true;
    }
    armed().is_some_and(|armed| armed.count(name).is_some_and(|hits| hits >= armed.at_hit))
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
    fn a_number_behind_the_last_colon_is_the_hit() {
        for (text, name, at_hit) in
            [("state:prepared", "state:prepared", 1), ("state:prepared:3", "state:prepared", 3), ("plain", "plain", 1)]
        {
            let armed = Armed::parse(text);
            assert_eq!((armed.name.as_str(), armed.at_hit), (name, at_hit));
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
