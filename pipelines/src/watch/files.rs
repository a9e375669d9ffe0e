//! What is known of every file that a pipeline's sources match, and what is to be done with it. Nothing here reads a file: what a
//! look at one says is handed in, so that every turn of a file's life can be tried.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use vardelta_engine::{clock::utc, error::RunErrorKind};
use vardelta_schemas::ledger::SetAsideRow;

use crate::{
    operate::clock::seconds_of,
    stamp::Stamp,
    watch::{
        backoff,
        scan::Key,
        sidecar::{Beside, Checksum},
    },
};

/// A file whose own times say that it has been as it is for so much longer than it has to settle needs not be watched for that:
/// clocks of other machines differ less.
const OLD: Duration = Duration::from_secs(60);

/// A file that has not changed for so long, or has settled, is worth being held against its checksum.
const QUIET: Duration = Duration::from_secs(1);

/// The time of a look: steady, and as people have it.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// For waits.
    pub at: Instant,
    /// Seconds since 1970.
    pub s: u64,
}

/// What a look at a file's content and its neighbours says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// A file beside it says that it is complete.
    Vouched,
    /// It looks whole.
    Whole,
    /// It is not whole, or not what its checksum says: why, in words.
    Missing(String),
    /// The look was not brought to its end.
    Unfinished,
}

/// How closely a file is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closeness {
    /// It has changed just now: only a mark beside it counts.
    Fresh,
    /// It may still be written: only what lies beside it counts.
    Beside,
    /// It has settled: what it holds counts too.
    Whole,
    /// It was tried before and has not changed since: its checksum still counts, the rest is the engine's to judge.
    Again,
}

/// How far a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    /// It was seen like this since then.
    Settling(Instant),
    /// It can be loaded.
    Ready,
    /// It is loaded.
    Loaded,
    /// It could not be loaded.
    SetAside(Aside),
}

/// Why a file could not be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Aside {
    kind: String,
    reason: String,
    since_s: u64,
    next_try_s: u64,
}

/// One file.
#[derive(Clone, Debug)]
pub struct File {
    stamp: Stamp,
    standing: Standing,
    /// How often it was tried in vain since it was last loaded.
    attempts: u64,
    /// When it was first seen unloaded, in seconds since 1970.
    first_seen_s: u64,
    /// When it was set aside first, in seconds since 1970.
    aside_since_s: Option<u64>,
    /// The checksum that did not fit, so that it is not held against the same bytes again and again.
    pub unfit: Option<Checksum>,
    /// What lay beside it when it was looked at last.
    beside: Option<Beside>,
    /// Whether the ledger has a row of it.
    is_noted: bool,
    /// Whether the ledger has it as loaded, and it has not changed since this process saw it first: most likely there is nothing
    /// to be done about it.
    is_known: bool,
}

/// The files of a pipeline.
#[derive(Debug, Default)]
pub struct Files {
    files: BTreeMap<Key, File>,
    /// Rows of the ledger whose file has not been seen yet: key as the ledger has it, source and path.
    noted: BTreeMap<(String, String), SetAsideRow>,
    /// Files that the ledger has as loaded and that have not been seen yet: source, and path as the ledger has it.
    known: BTreeSet<(String, String)>,
}

/// A file that is not loaded, for whoever hears of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending<'a> {
    /// The file.
    pub key: &'a Key,
    /// When it was first seen unloaded, in seconds since 1970.
    pub since_s: u64,
    /// Why, in words.
    pub reason: String,
    /// How often it was tried in vain, and when it is tried again.
    pub aside: Option<(u64, u64)>,
}

impl Files {
    /// Takes what the ledger has set aside, and the files of the drops that it has, by source and path.
    pub fn recall(&mut self, rows: Vec<SetAsideRow>, known: BTreeSet<(String, String)>) {
        self.known = known;
        self.noted = rows.into_iter().map(|row| ((row.source.clone(), row.path.clone()), row)).collect();
    }

    /// Takes what a look at the folders found. Of sources that could not be read everything stays as it is. Gives the files
    /// that were set aside and are gone, or of which nothing is known but the ledger's row, as the ledger names them.
    pub fn found(
        &mut self,
        found: &[(Key, Stamp)],
        unreadable: &BTreeSet<&str>,
        now: Moment,
        recorded: &dyn Fn(&Key) -> String,
    ) -> Vec<(String, String)> {
        for (key, stamp) in found {
            match self.files.get_mut(key) {
                Some(file) if file.stamp == *stamp => {}
                Some(file) => {
                    if file.standing == Standing::Loaded {
                        (file.first_seen_s, file.attempts) = (now.s, 0);
                    }
                    (file.stamp, file.standing, file.unfit) = (*stamp, Standing::Settling(now.at), None);
                    file.is_known = false;
                }
                None => {
                    let name = (key.0.clone(), recorded(key));
                    let file = File::new(*stamp, self.noted.remove(&name), now);
                    let is_known = self.known.remove(&name);
                    self.files.insert(key.clone(), File { is_known, ..file });
                }
            }
        }
        let there: BTreeSet<&Key> = found.iter().map(|(key, _)| key).collect();
        let mut gone = Vec::new();
        self.files.retain(|key, file| {
            let stays = there.contains(key) || unreadable.contains(key.0.as_str());
            if !stays && file.is_noted {
                gone.push((key.0.clone(), recorded(key)));
            }
            stays
        });
        if unreadable.is_empty() {
            self.known.clear();
        }
        self.noted.retain(|(source, path), _| {
            let stays = unreadable.contains(source.as_str());
            if !stays {
                gone.push((source.clone(), path.clone()));
            }
            stays
        });
        gone
    }

    /// Decides what is ready: looks at every file that may be, with `look`, and beside those that were set aside with `beside`.
    /// Gives the files that were set aside by it.
    pub fn judge(
        &mut self,
        settle: Duration,
        now: Moment,
        beside: &dyn Fn(&Key) -> Beside,
        look: &mut dyn FnMut(&Key, &Stamp, &mut File, Closeness) -> Look,
    ) -> Vec<Key> {
        let mut aside = Vec::new();
        for (key, file) in &mut self.files {
            let stamp = file.stamp;
            let closeness = match &file.standing {
                Standing::Ready | Standing::Loaded => continue,
                Standing::Settling(since) => {
                    let is_old = stamp.age(now.s) >= settle + OLD;
                    let has_settled = is_old || now.at.saturating_duration_since(*since) >= settle;
                    let is_quiet = now.at.saturating_duration_since(*since) >= QUIET;
                    match (has_settled, is_quiet) {
                        (true, _) => Closeness::Whole,
                        (false, true) => Closeness::Beside,
                        (false, false) => Closeness::Fresh,
                    }
                }
                Standing::SetAside(Aside { next_try_s, .. }) if *next_try_s <= now.s => Closeness::Again,
                // A mark or a checksum that was put beside it is a reason to look again, as another file in its place is.
                Standing::SetAside(_) if file.beside.is_some_and(|known| known != beside(key)) => {
                    file.standing = Standing::Settling(now.at);
                    Closeness::Beside
                }
                Standing::SetAside(_) => continue,
            };
            file.beside = Some(beside(key));
            match (look(key, &stamp, file, closeness), closeness) {
                (Look::Vouched, _) | (Look::Whole, Closeness::Whole | Closeness::Again) => {
                    file.standing = Standing::Ready
                }
                (Look::Missing(reason), Closeness::Whole | Closeness::Again) => {
                    file.set_aside(RunErrorKind::Input.as_str(), &reason, now.s);
                    aside.push(key.clone());
                }
                (Look::Unfinished, _) | (_, Closeness::Fresh | Closeness::Beside) => {}
            }
        }
        aside
    }

    /// The files that can be loaded.
    pub fn ready(&self) -> BTreeSet<Key> {
        let ready = self.files.iter().filter(|(_, file)| file.standing == Standing::Ready);
        ready.map(|(key, _)| key.clone()).collect()
    }

    /// These are loaded. Gives those that the ledger has a row of.
    pub fn loaded<'a>(&mut self, keys: impl IntoIterator<Item = &'a Key>) -> Vec<Key> {
        let mut noted = Vec::new();
        for key in keys {
            let Some(file) = self.files.get_mut(key) else { continue };
            (file.standing, file.attempts, file.aside_since_s) = (Standing::Loaded, 0, None);
            if std::mem::take(&mut file.is_noted) {
                noted.push(key.clone());
            }
        }
        noted
    }

    /// This one could not be loaded.
    pub fn set_aside(&mut self, key: &Key, kind: RunErrorKind, reason: &str, now_s: u64) {
        if let Some(file) = self.files.get_mut(key) {
            file.set_aside(kind.as_str(), reason, now_s);
        }
    }

    /// The ledger's row of a file that is set aside; `drop` is the name of its drop and `path` what the ledger calls it.
    pub fn row(&self, key: &Key, drop: String, path: String) -> Option<SetAsideRow> {
        let file = self.files.get(key)?;
        let Standing::SetAside(aside) = &file.standing else { return None };
        Some(SetAsideRow {
            source: key.0.clone(),
            path,
            drop,
            stamp: file.stamp.text(),
            attempts: file.attempts,
            kind: aside.kind.clone(),
            reason: aside.reason.clone(),
            since: utc(aside.since_s),
            next_try: utc(aside.next_try_s),
        })
    }

    /// The ledger has the rows of these.
    pub fn noted<'a>(&mut self, keys: impl IntoIterator<Item = &'a Key>) {
        for key in keys {
            if let Some(file) = self.files.get_mut(key) {
                file.is_noted = true;
            }
        }
    }

    /// Everything that is not loaded, without what most likely is.
    pub fn pending(&self) -> Vec<Pending<'_>> {
        let pending = self.files.iter().filter_map(|(key, file)| {
            let (reason, aside) = match &file.standing {
                Standing::Loaded => return None,
                Standing::Settling(_) | Standing::Ready if file.is_known => return None,
                Standing::Settling(_) if file.attempts > 0 => {
                    ("it has changed, and is not settled yet".to_owned(), None)
                }
                Standing::Settling(_) => ("it is not settled yet".to_owned(), None),
                Standing::Ready => ("it is about to be loaded".to_owned(), None),
                Standing::SetAside(aside) => (aside.reason.clone(), Some((file.attempts, aside.next_try_s))),
            };
            Some(Pending { key, since_s: file.first_seen_s, reason, aside })
        });
        pending.collect()
    }

    /// How long nothing is to be done by these files alone; `None` where none of them waits for anything.
    pub fn wait(&self, settle: Duration, now: Moment) -> Option<Duration> {
        let waits = self.files.values().filter_map(|file| match &file.standing {
            Standing::Settling(since) => {
                let quiet_for = now.at.saturating_duration_since(*since);
                let next = if quiet_for < QUIET { QUIET.min(settle) } else { settle };
                Some(next.saturating_sub(quiet_for))
            }
            Standing::SetAside(aside) => Some(Duration::from_secs(aside.next_try_s.saturating_sub(now.s))),
            Standing::Ready | Standing::Loaded => None,
        });
        waits.min()
    }

    /// Whether any file has not settled yet.
    pub fn is_settling(&self) -> bool {
        self.files.values().any(|file| matches!(file.standing, Standing::Settling(_)))
    }

    /// The paths of all files.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.files.keys()
    }
}

impl File {
    /// One that was not known; the ledger may have set it aside when it was as it is now.
    fn new(stamp: Stamp, row: Option<SetAsideRow>, now: Moment) -> File {
        let mut file = File {
            stamp,
            standing: Standing::Settling(now.at),
            attempts: 0,
            first_seen_s: now.s,
            aside_since_s: None,
            unfit: None,
            beside: None,
            is_known: false,
            is_noted: row.is_some(),
        };
        if let Some(row) = row {
            let since_s = seconds_of(&row.since).unwrap_or(now.s);
            (file.attempts, file.first_seen_s, file.aside_since_s) = (row.attempts, since_s.min(now.s), Some(since_s));
            if row.stamp == stamp.text() {
                // Whatever a clock said: it is not left alone for longer than its tries earn.
                let latest_s = now.s.saturating_add(backoff::OF_FILES.after(row.attempts).as_secs());
                let next_try_s = seconds_of(&row.next_try).unwrap_or(0).min(latest_s);
                let SetAsideRow { kind, reason, .. } = row;
                file.standing = Standing::SetAside(Aside { kind, reason, since_s, next_try_s });
            }
        }
        file
    }

    fn set_aside(&mut self, kind: &str, reason: &str, now_s: u64) {
        self.attempts += 1;
        let since_s = *self.aside_since_s.get_or_insert(now_s);
        let next_try_s = now_s.saturating_add(backoff::OF_FILES.after(self.attempts).as_secs());
        let (kind, reason) = (kind.to_owned(), reason.to_owned());
        self.standing = Standing::SetAside(Aside { kind, reason, since_s, next_try_s });
    }
}

#[cfg(test)]
mod tests;
