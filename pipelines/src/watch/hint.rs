//! A hint that something has happened in the folders: a reason to look now rather than later, and nothing else. What counts is
//! what a look finds; where there is no such hint (a network's file system, another system than Linux) looks come in time.

use std::{
    collections::BTreeSet,
    path::{Component, Path, PathBuf},
};

use vardelta_engine::{contract::stage::Planned, plan::Plan};

/// Folders that are listened to, at the most.
const FOLDERS_MAX: usize = 1_024;

/// The folders that the sources of a plan look at, as far as they are known: those in which files were found, and where each
/// path begins.
pub fn folders<'a>(plan: &Plan, files: impl Iterator<Item = &'a Path>) -> BTreeSet<PathBuf> {
    let mut folders: BTreeSet<PathBuf> = plan
        .stages
        .iter()
        .filter_map(|stage| match &stage.planned {
            Planned::Source(source) => Some(plan.pipeline.resolve(&beginning(&source.pattern()?))),
            _ => None,
        })
        .collect();
    folders.extend(files.filter_map(Path::parent).map(Path::to_path_buf).take(FOLDERS_MAX));
    folders
}

/// The folder in which a glob begins.
fn beginning(pattern: &str) -> PathBuf {
    let mut parts: Vec<Component<'_>> = Path::new(pattern).components().collect();
    parts.pop();
    let is_literal = |part: &&Component<'_>| !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{', '\\']);
    let folder: PathBuf = parts.iter().take_while(is_literal).collect();
    if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder }
}

/// Listens to folders.
#[cfg(target_os = "linux")]
#[derive(Debug, Default)]
pub struct Hint {
    queue: Option<std::os::fd::OwnedFd>,
}

#[cfg(target_os = "linux")]
impl Hint {
    /// One that listens to nothing yet, or never does where the system has no room for it.
    pub fn new() -> Hint {
        use rustix::fs::inotify::{self, CreateFlags};
        Hint { queue: inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).ok() }
    }

    /// Listens to these folders from now on. One that is listened to already stays so; one that cannot be is left to the looks.
    pub fn listen(&self, folders: &BTreeSet<PathBuf>) {
        use rustix::fs::inotify::{self, WatchFlags};
        let Some(queue) = &self.queue else { return };
        let flags = WatchFlags::CREATE
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::MOVED_TO
            | WatchFlags::MOVED_FROM
            | WatchFlags::DELETE
            | WatchFlags::ONLYDIR;
        for folder in folders.iter().take(FOLDERS_MAX) {
            let _ = inotify::add_watch(queue, folder, flags);
        }
    }

    /// Whether something has happened since the last time. Where too much has happened to be listed, that is something too.
    pub fn take(&self) -> bool {
        let Some(queue) = &self.queue else { return false };
        let (mut buffer, mut is_something) = ([0_u8; 4_096], false);
        // Everything that waits is one hint. What is not read now is read the next time.
        for _ in 0..256 {
            match rustix::io::read(queue, &mut buffer) {
                Ok(count) if count > 0 => is_something = true,
                _ => break,
            }
        }
        is_something
    }
}

/// Nothing to listen with.
#[cfg(not(target_os = "linux"))]
#[derive(Debug, Default)]
pub struct Hint;

#[cfg(not(target_os = "linux"))]
impl Hint {
    /// One that never hears anything.
    pub fn new() -> Hint {
        Hint
    }

    /// Does nothing.
    pub fn listen(&self, _folders: &BTreeSet<PathBuf>) {}

    /// Never.
    pub fn take(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_begins_where_it_is_literal() {
        for (pattern, folder) in [
            ("drops/*.vcf", "drops"),
            ("*.vcf", "."),
            ("/data/{a,b}/*.vcf", "/data"),
            ("a/b/**/x.vcf", "a/b"),
            ("a/b.vcf", "a"),
            ("../in/*", "../in"),
        ] {
            assert_eq!(beginning(pattern), Path::new(folder), "{pattern}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_comes_is_a_hint_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let hint = Hint::new();
        hint.listen(&BTreeSet::from([folder.path().to_path_buf(), folder.path().join("missing")]));
        assert!(!hint.take());
        std::fs::write(folder.path().join("a"), "x").expect("a file");
        assert!(hint.take());
        assert!(!hint.take());
    }
}
