//! Who may do what, and when.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use vardelta_schemas::ledger::{Epoch, EpochId};

use super::{commit, content, data_files, read, rows, write};
use crate::state::{SHARDS, State, StateErrorKind, key_hash, shard_of};

#[test]
fn shards_follow_the_hash() {
    for key in [&b""[..], b"a", b"chr1:12345"] {
        assert_eq!(u64::from(shard_of(key)), key_hash(key) >> 58);
        assert!(shard_of(key) < SHARDS);
    }
}

#[test]
fn a_new_state_is_empty() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("deep").join("state");
    assert!(!State::exists(&directory));
    let state = State::open(&directory).unwrap();
    assert_eq!((state.epoch(), state.prepared().map(|id| id.number), state.metadata().len()), (Epoch::NONE, None, 0));
    assert!(!State::exists(&directory), "nothing was finalised");
    let session = state.begin().unwrap();
    let mut reader = session.reader("table", 5).unwrap();
    assert_eq!(reader.get(b"key").unwrap(), None);
    assert!(reader.scan(b"").unwrap().next().unwrap().is_none());
}

#[test]
fn a_second_state_is_locked_out() {
    let directory = tempfile::tempdir().unwrap();
    let mut state = State::open(directory.path()).unwrap();
    commit(&mut state, &rows(0..3, "x"));
    for second in
        [State::open(directory.path()), State::open_read(directory.path(), None), State::open_anew(directory.path())]
    {
        let error = second.unwrap_err();
        assert_eq!(error.kind, StateErrorKind::Locked);
        assert!(error.message.contains(&directory.path().display().to_string()), "{error}");
        assert!(error.hint.is_some());
    }
    let session = state.begin().unwrap();
    drop(state);
    assert!(State::open(directory.path()).is_err(), "a session holds the lock too");
    drop(session);
    State::open(directory.path()).unwrap();
}

#[test]
fn readers_share_and_change_nothing() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(State::open_read(directory.path(), None).unwrap_err().kind, StateErrorKind::Io);
    let mut state = State::open(directory.path()).unwrap();
    commit(&mut state, &rows(0..3, "x"));
    let session = state.begin().unwrap();
    write(&session, "table", 0, &rows(1..2, "new"));
    state.prepare(session, EpochId::numbered(Epoch::new(2)), BTreeMap::new()).unwrap();
    drop(state);
    let before = data_files(directory.path());
    let mut one = State::open_read(directory.path(), None).unwrap();
    let mut two = State::open_read(directory.path(), None).unwrap();
    assert_eq!(one.prepared().map(|id| id.number), Some(Epoch::new(2)));
    one.roll_back().unwrap();
    two.finalize().unwrap();
    let mut expected = content(&rows(0..3, "x"));
    assert_eq!(read(&one.begin().unwrap(), "table", 0), expected);
    expected.extend(content(&rows(1..2, "new")));
    let session = two.begin().unwrap();
    assert_eq!(read(&session, "table", 0), expected);
    assert!(session.run_writer("table", 0).push(b"key", None).is_err());
    assert!(session.compact().is_err());
    assert!(two.prepare(session, EpochId::numbered(Epoch::new(3)), BTreeMap::new()).is_err());
    drop((one, two));
    assert_eq!(data_files(directory.path()), before);
    assert_eq!(State::open(directory.path()).unwrap().prepared().map(|id| id.number), Some(Epoch::new(2)));
}

#[test]
fn an_undecided_epoch_stops_everything() {
    let directory = tempfile::tempdir().unwrap();
    let mut state = State::open(directory.path()).unwrap();
    assert!(state.finalize().is_err(), "nothing is prepared");
    state.roll_back().unwrap();
    let (session, late) = (state.begin().unwrap(), state.begin().unwrap());
    let same = Arc::clone(&session);
    write(&session, "table", 0, &rows(0..3, "x"));
    state.prepare(session, EpochId::numbered(Epoch::new(7)), BTreeMap::new()).unwrap();
    assert!(state.begin().is_err());
    assert!(same.run_writer("table", 0).finish().is_ok(), "an empty run is none");
    let mut writer = same.run_writer("table", 0);
    writer.push(b"key", None).unwrap();
    assert!(writer.finish().is_err(), "a prepared session takes nothing");
    assert!(state.prepare(Arc::clone(&late), EpochId::numbered(Epoch::new(8)), BTreeMap::new()).is_err());
    state.finalize().unwrap();
    assert!(state.prepare(late, EpochId::numbered(Epoch::new(8)), BTreeMap::new()).is_err(), "it began before epoch 7");
    let session = state.begin().unwrap();
    assert!(
        state.prepare(session, EpochId::numbered(Epoch::new(6)), BTreeMap::new()).is_err(),
        "epochs do not go back"
    );
}

#[test]
fn an_abandoned_session_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut state = State::open(directory.path()).unwrap();
    commit(&mut state, &rows(0..100, "x"));
    let before = data_files(directory.path());
    let session = state.begin().unwrap();
    write(&session, "table", 0, &rows(0..100, "y"));
    session.compact().unwrap();
    assert!(session.bytes_written() > 0);
    assert_ne!(data_files(directory.path()), before);
    drop(session);
    assert_eq!(data_files(directory.path()), before);
}

#[test]
fn keys_out_of_order_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let session = State::open(directory.path()).unwrap().begin().unwrap();
    let mut writer = session.run_writer("table", 0);
    writer.push(b"b", None).unwrap();
    assert!(writer.push(b"a", None).is_err());
    assert!(writer.push(b"b", None).is_err());
}

#[test]
fn threads_write_into_one_session() {
    let directory = tempfile::tempdir().unwrap();
    let mut state = State::open(directory.path()).unwrap();
    let session = state.begin().unwrap();
    thread::scope(|scope| {
        for worker in 0..4 {
            let session = &session;
            scope.spawn(move || {
                for shard in (worker..SHARDS).step_by(4) {
                    write(session, "table", shard, &rows(0..2500, &format!("shard {shard}")));
                }
            });
        }
    });
    state.prepare(session, EpochId::numbered(Epoch::FIRST), BTreeMap::new()).unwrap();
    state.finalize().unwrap();
    drop(state);
    let session = State::open(directory.path()).unwrap().begin().unwrap();
    for shard in 0..SHARDS {
        assert_eq!(read(&session, "table", shard), content(&rows(0..2500, &format!("shard {shard}"))));
    }
}

#[test]
fn a_cleared_session_starts_from_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut state = State::open(directory.path()).unwrap();
    commit(&mut state, &rows(0..100, "x"));
    let session = state.begin().unwrap();
    session.clear();
    write(&session, "groups", 3, &rows(0..2, "y"));
    assert!(read(&session, "table", 0).is_empty());
    state.prepare(session, EpochId::numbered(Epoch::new(2)), BTreeMap::new()).unwrap();
    state.finalize().unwrap();
    assert_eq!(data_files(directory.path()).len(), 1, "the files of before are deleted");
    let spaces: Vec<_> = state.statistics().into_iter().map(|it| (it.space, it.entries)).collect();
    assert_eq!(spaces, [("groups".to_owned(), 2)]);
}

#[test]
fn a_snapshot_sees_nothing_that_comes_later() {
    let directory = tempfile::tempdir().unwrap();
    let mut state = State::open(directory.path()).unwrap();
    commit(&mut state, &rows(0..20_000, "finalised"));
    let session = state.begin().unwrap();
    write(&session, "table", 0, &rows(0..10, "chunk 0"));
    let before = session.snapshot();
    let seen = read(&session, "table", 0);
    let read_before = || {
        let mut reader = before.reader("table", 0).unwrap();
        let mut scan = reader.scan(&[]).unwrap();
        std::iter::from_fn(|| scan.next().unwrap()).collect::<super::Content>()
    };
    // Its own writes, other spaces, emptied ones, and merging, which gives the files of what it replaces back.
    write(&session, "table", 0, &rows(5..15_000, "chunk 1"));
    write(&session, "other", 0, &rows(0..3, "chunk 1"));
    assert_eq!(read_before(), seen);
    session.rewrite().unwrap();
    assert_eq!(read_before(), seen);
    session.clear();
    assert_eq!(read_before(), seen);
    assert_eq!(before.reader("other", 0).unwrap().get(b"key00000001").unwrap(), None);
    assert!(read(&session, "table", 0).is_empty());
    assert_eq!(session.snapshot().reader("table", 0).unwrap().get(b"key00000001").unwrap(), None);
}
