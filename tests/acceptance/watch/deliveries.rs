//! Drops as people deliver them: whole, in two pieces, by renaming, corrected while they may be read, touched, removed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::Write as _,
    path::PathBuf,
    time::{Duration, UNIX_EPOCH},
};

use vardelta_tests::{project::Project, random::Random};

use super::drop_text;

/// Drops, of which each has positions of its own.
const DROPS: u32 = 12;

/// What was delivered, and what must be there in the end.
pub struct Deliveries<'a> {
    project: &'a Project,
    /// By drop its newest content, whole.
    contents: BTreeMap<u32, std::ops::Range<u32>>,
    /// The second pieces that have not come yet, by drop.
    rest: BTreeMap<u32, Vec<u8>>,
    /// How often something was delivered.
    pub count: usize,
}

impl<'a> Deliveries<'a> {
    /// Nothing yet.
    pub fn new(project: &'a Project) -> Deliveries<'a> {
        fs::create_dir(project.path("incoming")).expect("a folder can be made");
        Deliveries { project, contents: BTreeMap::new(), rest: BTreeMap::new(), count: 0 }
    }

    fn path(&self, drop: u32) -> PathBuf {
        self.project.path(&format!("drops/d{drop}.vcf"))
    }

    /// Delivers something.
    pub fn next(&mut self, random: &mut Random) {
        self.count += 1;
        let drop = random.below(DROPS);
        let path = self.path(drop);
        match random.below(10_u32) {
            // The rest of a piece comes, or a file is touched.
            0 | 1 => match self.rest.remove(&drop) {
                Some(rest) => append(&path, &rest),
                None if path.exists() => touch(&path, self.count),
                None => {}
            },
            // What is loaded may be tidied away: it stays loaded.
            2 => {
                if !self.rest.contains_key(&drop)
                    && self.contents.get(&drop).is_some_and(|content| self.stands(content))
                {
                    fs::remove_file(&path).unwrap_or_default();
                }
            }
            way => {
                let first = drop * 10_000 + 1 + random.below(50_u32) * 100;
                let content = first..first + 1 + random.below(90_u32);
                let text = drop_text(content.clone()).into_bytes();
                self.contents.insert(drop, content);
                self.rest.remove(&drop);
                match way {
                    3..=5 => {
                        let incoming = self.project.write("incoming/drop", &text);
                        fs::rename(incoming, &path).expect("a file can be renamed");
                    }
                    6 | 7 => fs::write(&path, &text).expect("a file can be written"),
                    _ => {
                        // The cut lies within a line, so that half of a file cannot be taken for a whole one.
                        let cut = text.len() - 3;
                        fs::write(&path, &text[..cut]).expect("a file can be written");
                        self.rest.insert(drop, text[cut..].to_vec());
                    }
                }
            }
        }
    }

    /// Completes what came in pieces.
    pub fn finish(&mut self) {
        for (drop, rest) in std::mem::take(&mut self.rest) {
            append(&self.path(drop), &rest);
        }
    }

    /// Whether the table holds the newest content of every drop, and nothing else.
    pub fn is_loaded(&self) -> bool {
        let wanted: BTreeSet<u32> = self.contents.values().cloned().flatten().collect();
        self.positions("SELECT pos FROM variants") == wanted
    }

    /// Whether the rows of a drop are this content.
    fn stands(&self, content: &std::ops::Range<u32>) -> bool {
        let first = content.start / 10_000 * 10_000;
        let query = format!("SELECT pos FROM variants WHERE pos BETWEEN {first} AND {}", first + 9_999);
        self.positions(&query) == content.clone().collect()
    }

    fn positions(&self, query: &str) -> BTreeSet<u32> {
        let read = || -> rusqlite::Result<BTreeSet<u32>> {
            let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
            let connection = rusqlite::Connection::open_with_flags(self.project.path("watched.sqlite"), flags)?;
            connection.prepare(query)?.query_map([], |row| row.get(0))?.collect()
        };
        // Before the first epoch there is no table.
        read().unwrap_or_default()
    }

    /// Panics where the ledger says that anything was withdrawn.
    #[track_caller]
    pub fn withdrew_nothing(&self, when: &str) {
        let withdrawn = self.positions("SELECT epoch FROM vardelta_events WHERE action NOT IN ('added', 'replaced')");
        assert!(withdrawn.is_empty(), "{when}: epochs {withdrawn:?} did something else than add and replace");
    }
}

fn append(path: &PathBuf, bytes: &[u8]) {
    let mut file = File::options().append(true).open(path).expect("a file can be opened");
    file.write_all(bytes).expect("a file can be written");
}

/// Gives a file another time, long ago, and never the same twice.
fn touch(path: &PathBuf, count: usize) {
    let file = File::options().append(true).open(path).expect("a file can be opened");
    let time = UNIX_EPOCH + Duration::from_secs(1_000_000_000 + count as u64);
    file.set_modified(time).expect("a file can be touched");
}
