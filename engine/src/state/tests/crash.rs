//! Deaths at every step, full disks, lost renames.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use vardelta_schemas::ledger::{Epoch, EpochId};

use super::{Changes, commit, content, copy, data_files, read, rows, write};
use crate::failpoint::{self, Effect, points};
use crate::state::{State, StateError, StateErrorKind};

/// The steps at which a process may die.
fn steps() -> Vec<&'static str> {
    points(Effect::Dies, &["state"])
}

fn old() -> Changes {
    rows(0..500, "old")
}

fn new() -> Changes {
    let mut rows = old();
    rows.extend(self::rows(300..900, "new"));
    rows
}

/// The second epoch: enough to merge everything, so that the files of the first are deleted.
fn second_epoch(state: &mut State) -> Result<(), StateError> {
    let session = state.begin()?;
    let mut writer = session.run_writer("table", 0);
    for (key, value) in rows(300..900, "new") {
        writer.push(&key, value.as_deref())?;
    }
    writer.finish()?;
    session.compact()?;
    state.prepare(session, EpochId::numbered(Epoch::new(2)), BTreeMap::new())?;
    state.finalize()
}

/// Opens a copy of `directory`, decides what is undecided, and checks that the state is the one of `epoch`.
fn recovers(directory: &Path, epoch: u64) {
    let copied = tempfile::tempdir().unwrap();
    copy(directory, copied.path());
    let mut state = State::open(copied.path()).unwrap();
    if state.prepared().map(|id| id.number).is_some() {
        if epoch == 2 { state.finalize().unwrap() } else { state.roll_back().unwrap() }
    }
    assert_eq!((state.epoch(), state.prepared().map(|id| id.number)), (Epoch::new(epoch), None));
    let expected = if epoch == 2 { new() } else { old() };
    assert_eq!(read(&state.begin().unwrap(), "table", 0), content(&expected));
    assert_eq!(data_files(copied.path()).len(), 1, "nothing unused is left");
    drop(state);
    let mut state = State::open(copied.path()).unwrap();
    assert_eq!((state.epoch(), state.prepared().map(|id| id.number)), (Epoch::new(epoch), None));
    commit(&mut state, &rows(0..9, "after"));
}

fn is_prepared(directory: &Path) -> bool {
    directory.join("PREPARED").exists()
}

#[test]
fn a_death_at_any_point_leaves_the_state_before_or_after() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("state");
    let mut state = State::open(&directory).unwrap();
    commit(&mut state, &old());
    let copies: Rc<RefCell<Vec<(String, PathBuf)>>> = Rc::default();
    let (seen, from, to) = (Rc::clone(&copies), directory.clone(), root.path().to_owned());
    let take_copy = move |name: &str| {
        let target = to.join(format!("copy{}", seen.borrow().len()));
        copy(&from, &target);
        seen.borrow_mut().push((name.to_owned(), target));
        false
    };
    failpoint::hook::during(take_copy, || second_epoch(&mut state)).unwrap();

    let copies = copies.borrow();
    for point in steps() {
        assert!(copies.iter().any(|(name, _)| name == point), "{point} was not reached");
    }
    for (name, copy) in copies.iter() {
        let decided = ["state:finalized", "state:deleted"].contains(&name.as_str());
        println!("{name}: prepared {}", is_prepared(copy));
        if is_prepared(copy) {
            recovers(copy, 1);
            recovers(copy, 2);
        } else {
            recovers(copy, if decided { 2 } else { 1 });
        }
    }
    recovers(&directory, 2);
}

#[test]
fn a_rename_that_the_power_took_is_decided_again() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("state");
    let mut state = State::open(&directory).unwrap();
    commit(&mut state, &old());
    let first_manifest = fs::read(directory.join("MANIFEST")).unwrap();
    second_epoch(&mut state).unwrap();
    drop(state);
    // The deletions reached the disk, the rename did not.
    fs::rename(directory.join("MANIFEST"), directory.join("PREPARED")).unwrap();
    fs::write(directory.join("MANIFEST"), first_manifest).unwrap();
    let mut state = State::open(&directory).unwrap();
    assert_eq!(state.roll_back().unwrap_err().kind, StateErrorKind::Corrupt);
    drop(state);
    recovers(&directory, 2);
}

#[test]
fn a_full_disk_at_any_write_leaves_the_old_state() {
    // Finalising writes no data: what was prepared stays prepared.
    for point in points(Effect::DiskFull, &["state"]).into_iter().filter(|point| *point != "state:rename") {
        for hit in 1.. {
            let directory = tempfile::tempdir().unwrap();
            let mut state = State::open(directory.path()).unwrap();
            commit(&mut state, &old());
            let mut hits = 0;
            let full = move |name: &str| {
                hits += u32::from(name == point);
                name == point && hits >= hit
            };
            let Err(error) = failpoint::hook::during(full, || second_epoch(&mut state)) else {
                assert!(hit > 1, "{point} was never asked");
                break;
            };
            assert_eq!(error.kind, StateErrorKind::Io, "{point} {hit}");
            assert!(error.message.contains(&directory.path().display().to_string()), "{error}");
            assert!(error.hint.unwrap().contains("disk space"));
            // The same process may go on,
            assert_eq!(data_files(directory.path()).len(), 1);
            assert_eq!(read(&state.begin().unwrap(), "table", 0), content(&old()));
            second_epoch(&mut state).unwrap();
            assert_eq!(read(&state.begin().unwrap(), "table", 0), content(&new()));
        }
    }
}

/// Not a test of its own: the process that the next test starts and that dies.
#[test]
fn dying_child() {
    let Some(directory) = std::env::var_os("VARDELTA_STATE_TEST_DIRECTORY") else { return };
    let mut state = State::open(Path::new(&directory)).unwrap();
    second_epoch(&mut state).unwrap();
}

#[test]
fn a_process_that_dies_leaves_the_state_before_or_after() {
    for point in steps() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("state");
        commit(&mut State::open(&directory).unwrap(), &old());
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "state::tests::crash::dying_child", "--test-threads=1"])
            .env("VARDELTA_STATE_TEST_DIRECTORY", &directory)
            .env(failpoint::VARIABLE, point)
            .output()
            .unwrap();
        assert_eq!(child.status.code(), None, "{point}: killed by a signal: {child:?}");
        if is_prepared(&directory) {
            recovers(&directory, 1);
            recovers(&directory, 2);
        } else {
            recovers(&directory, if ["state:finalized", "state:deleted"].contains(&point) { 2 } else { 1 });
        }
    }
}

#[test]
fn what_was_never_prepared_is_swept_away_at_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    commit(&mut State::open(directory.path()).unwrap(), &old());
    let before = data_files(directory.path());
    let state = State::open(directory.path()).unwrap();
    let session = state.begin().unwrap();
    write(&session, "table", 0, &rows(0..9, "lost"));
    let lost = tempfile::tempdir().unwrap();
    copy(directory.path(), lost.path());
    fs::write(lost.path().join("PREPARED.tmp"), "half a manif").unwrap();
    fs::write(lost.path().join("notes.txt"), "not ours").unwrap();
    recovers(lost.path(), 1);
    State::open(lost.path()).unwrap();
    assert_eq!(data_files(lost.path()), before);
    assert!(lost.path().join("notes.txt").exists(), "what is not the state's stays");
}
