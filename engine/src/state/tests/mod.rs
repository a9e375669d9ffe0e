//! Tests of the state as a whole.

mod compaction;
mod crash;
mod damage;
mod model;
mod protocol;
mod scans;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use vardelta_schemas::ledger::EpochId;

use super::{Session, State};

/// What a space and shard hold.
type Content = BTreeMap<Vec<u8>, Vec<u8>>;

/// A value, or a tombstone, per key.
type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

fn write(session: &Arc<Session>, space: &str, shard: u32, changes: &Changes) {
    let mut writer = session.run_writer(space, shard);
    for (key, value) in changes {
        writer.push(key, value.as_deref()).unwrap();
    }
    writer.finish().unwrap();
}

fn read(session: &Arc<Session>, space: &str, shard: u32) -> Content {
    let mut reader = session.reader(space, shard).unwrap();
    let mut scan = reader.scan(&[]).unwrap();
    let mut content = Content::new();
    let mut last = None;
    while let Some((key, value)) = scan.next().unwrap() {
        assert!(last.as_ref().is_none_or(|last| *last < key), "keys ascend");
        last = Some(key.clone());
        content.insert(key, value);
    }
    assert!(scan.next().unwrap().is_none(), "the end stays the end");
    content
}

/// Writes one run into shard 0 of `table` and commits it as the next epoch.
fn commit(state: &mut State, changes: &Changes) {
    let session = state.begin().unwrap();
    write(&session, "table", 0, changes);
    session.compact().unwrap();
    let epoch = state.epoch().next();
    state.prepare(session, EpochId::numbered(epoch), BTreeMap::from([("epoch".into(), epoch.to_string())])).unwrap();
    state.finalize().unwrap();
}

/// `numbers` as keys, each with a value that `salt` changes.
fn rows(numbers: impl IntoIterator<Item = u32>, salt: &str) -> Changes {
    numbers
        .into_iter()
        .map(|number| (format!("key{number:08}").into_bytes(), Some(format!("{salt} {number}").into_bytes())))
        .collect()
}

fn content(changes: &Changes) -> Content {
    changes.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect()
}

fn data_files(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".seg") || name.ends_with(".tmp"))
        .collect();
    names.sort();
    names
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
