//! Turns of a file's life, with made-up times and looks.

use std::{cell::Cell, fs, path::PathBuf};

use super::*;

const SETTLE: Duration = Duration::from_secs(10);

/// Files on disk whose stamps are real, and a clock that is not.
struct Story {
    folder: tempfile::TempDir,
    files: Files,
    start: Moment,
}

impl Story {
    fn new() -> Story {
        let start = Moment { at: Instant::now(), s: crate::operate::clock::now_s() };
        Story { folder: tempfile::tempdir().expect("a folder"), files: Files::default(), start }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).expect("a file");
    }

    fn key(&self, name: &str) -> Key {
        ("calls".to_owned(), self.folder.path().join(name))
    }

    fn at(&self, seconds: u64) -> Moment {
        Moment { at: self.start.at + Duration::from_secs(seconds), s: self.start.s + seconds }
    }

    /// Looks at the folder at a time; what a look at a file says is `said`. Gives what became ready.
    fn look(&mut self, seconds: u64, said: &Look) -> Vec<String> {
        self.look_with(seconds, &BTreeSet::new(), said).0
    }

    fn look_with(
        &mut self,
        seconds: u64,
        unreadable: &BTreeSet<&str>,
        said: &Look,
    ) -> (Vec<String>, Vec<(String, String)>) {
        let mut found: Vec<(Key, Stamp)> = fs::read_dir(self.folder.path())
            .into_iter()
            .flatten()
            .flatten()
            .filter(|_| unreadable.is_empty())
            .map(|entry| (("calls".to_owned(), entry.path()), Stamp::of(&entry.metadata().expect("a file"))))
            .collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        let now = self.at(seconds);
        let gone = self.files.found(&found, unreadable, now, &|key| name_of(&key.1));
        self.files.judge(SETTLE, now, &|key| Beside::of(&key.1), &mut |_, _, _, _| said.clone());
        (self.files.ready().iter().map(|(_, path)| name_of(path)).collect(), gone)
    }
}

fn name_of(path: &std::path::Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn missing() -> Look {
    Look::Missing("cut off".into())
}

#[test]
fn a_file_is_ready_when_it_has_settled_and_is_whole() {
    let mut story = Story::new();
    story.write("a", "1");
    assert!(story.look(0, &Look::Whole).is_empty());
    assert!(story.look(9, &Look::Whole).is_empty());
    story.write("a", "12");
    assert!(story.look(10, &Look::Whole).is_empty(), "it has changed, so it begins again");
    assert_eq!(story.files.wait(SETTLE, story.at(13)), Some(Duration::from_secs(7)));
    assert_eq!(story.files.wait(SETTLE, story.at(10)), Some(Duration::from_secs(1)), "for its checksum");
    assert_eq!(story.look(20, &Look::Whole), ["a"]);
    let key = story.key("a");
    story.files.loaded([&key]);
    assert!(story.look(30, &Look::Whole).is_empty() && story.files.pending().is_empty());
    story.write("a", "123");
    assert!(story.look(31, &Look::Whole).is_empty());
    assert_eq!(story.files.pending().len(), 1);
    assert_eq!(story.look(41, &Look::Whole), ["a"]);
}

#[test]
fn what_vouches_for_a_file_makes_it_ready_at_once() {
    let mut story = Story::new();
    story.write("a", "1");
    assert_eq!(story.look(0, &Look::Vouched), ["a"]);
}

#[test]
fn a_file_that_is_not_whole_is_tried_again_later_and_at_once_when_it_changes() {
    let mut story = Story::new();
    story.write("a", "1");
    story.look(0, &missing());
    story.look(10, &missing());
    let aside = |story: &Story| story.files.pending().first().and_then(|pending| pending.aside);
    assert_eq!(aside(&story), Some((1, story.start.s + 40)));
    // Not looked at before its time, even by what would vouch for it: that lay there already.
    assert!(story.look(39, &Look::Vouched).is_empty());
    story.look(40, &missing());
    assert_eq!(aside(&story), Some((2, story.start.s + 100)));
    story.write("a", "12");
    assert!(story.look(41, &Look::Whole).is_empty());
    assert_eq!(story.look(51, &Look::Whole), ["a"]);
    let key = story.key("a");
    story.files.set_aside(&key, RunErrorKind::Input, "it is damaged", story.at(51).s);
    assert_eq!(aside(&story), Some((3, story.start.s + 51 + 120)));
    assert_eq!(story.look(171, &Look::Whole), ["a"], "in the end the engine judges");
}

#[test]
fn a_file_that_is_old_by_its_own_times_has_settled() {
    let mut story = Story::new();
    story.write("a", "1");
    assert_eq!(story.look(71, &Look::Whole), ["a"]);
}

#[test]
fn a_mark_that_is_put_beside_a_file_is_a_reason_to_look_again() {
    let mut story = Story::new();
    story.write("a", "1");
    story.look(0, &missing());
    story.look(10, &missing());
    story.write("a.done", "");
    assert!(story.look(11, &Look::Vouched).iter().any(|name| name == "a"));
}

#[test]
fn the_ledger_is_told_of_files_that_are_gone_and_not_of_those_that_cannot_be_seen() {
    let mut story = Story::new();
    let row = |path: &str| SetAsideRow {
        source: "calls".into(),
        path: path.into(),
        attempts: 3,
        since: utc(5),
        next_try: utc(story.start.s + 50),
        ..SetAsideRow::default()
    };
    story.write("a", "1");
    let stamp = Stamp::of(&fs::metadata(story.folder.path().join("a")).expect("a file")).text();
    story.files.recall(vec![SetAsideRow { stamp, ..row("a") }, row("b")], BTreeSet::new());
    let (ready, gone) = story.look_with(0, &BTreeSet::new(), &Look::Vouched);
    assert!(ready.is_empty(), "it is the same file, and not its time yet");
    assert_eq!(gone, [("calls".to_owned(), "b".to_owned())]);
    assert_eq!(
        story.files.pending().first().map(|pending| (pending.since_s, pending.aside.map(|aside| aside.0))),
        Some((5, Some(3)))
    );
    // A folder that cannot be read is no folder without files.
    let (_, gone) = story.look_with(1, &BTreeSet::from(["calls"]), &Look::Whole);
    assert!(gone.is_empty() && story.files.pending().len() == 1);
    fs::remove_file(story.folder.path().join("a")).expect("it can be removed");
    let (_, gone) = story.look_with(2, &BTreeSet::new(), &Look::Whole);
    assert_eq!(gone, [("calls".to_owned(), "a".to_owned())]);
}

#[test]
fn what_the_ledger_has_is_looked_at_and_waits_for_nothing() {
    let mut story = Story::new();
    story.files.recall(Vec::new(), BTreeSet::from([("calls".to_owned(), "a".to_owned())]));
    story.write("a", "1");
    story.write("b", "1");
    let waiting =
        |story: &Story| story.files.pending().iter().map(|pending| name_of(&pending.key.1)).collect::<Vec<_>>();
    assert_eq!(story.look(0, &Look::Vouched), ["a", "b"], "both are to be compared with the ledger");
    assert_eq!(waiting(&story), ["b"]);
    story.write("a", "12");
    story.look(1, &missing());
    assert_eq!(waiting(&story), ["a", "b"]);
}

#[test]
fn what_is_known_does_not_grow_with_looks() {
    let mut story = Story::new();
    let looks = Cell::new(0);
    for round in 0..500 {
        story.write(&format!("f{}", round % 7), &round.to_string());
        if round % 5 == 0 {
            let _ = fs::remove_file(story.folder.path().join(format!("f{}", round % 3)));
        }
        story.look(round, &Look::Whole);
        looks.set(looks.get() + 1);
        assert!(story.files.keys().count() <= 7);
    }
    assert_eq!(looks.get(), 500);
    let paths: BTreeSet<PathBuf> = story.files.keys().map(|key| key.1.clone()).collect();
    assert!(paths.iter().all(|path| path.exists()));
}
