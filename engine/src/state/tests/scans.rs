//! What a scan goes through: not more than what it was asked for, whatever comes after.

use super::super::merge::STEPS;
use super::*;
use crate::state::{Reader, key_hash};

const KEYS: u32 = 5_000;

/// Keys that were all deleted by a later run.
fn deleted() -> (tempfile::TempDir, Arc<Session>) {
    let directory = tempfile::tempdir().unwrap();
    let state = State::open(directory.path()).unwrap();
    let session = state.begin().unwrap();
    let all = rows(0..KEYS, "value");
    write(&session, "table", 0, &all);
    write(&session, "table", 0, &all.into_keys().map(|key| (key, None)).collect());
    // A snapshot of a state that was dropped stays readable, and its directory locked.
    (directory, session)
}

fn steps(session: &Arc<Session>, ask: impl Fn(&mut Reader, &[u8], &[u8]) -> usize) -> u64 {
    let mut reader = session.reader("table", 0).unwrap();
    let before = STEPS.get();
    let keys: Vec<Vec<u8>> = rows(0..KEYS, "").into_keys().collect();
    for pair in keys.windows(2) {
        assert_eq!(ask(&mut reader, &pair[0], &pair[1]), 0);
    }
    STEPS.get() - before
}

#[test]
fn tombstones_behind_the_end_are_not_gone_through() {
    let (_directory, session) = deleted();
    let most = 2 * u64::from(KEYS);
    let of_prefix = steps(&session, |reader, key, _| {
        usize::from(reader.scan_prefix(key, key).unwrap().next_borrowed().unwrap().is_some())
    });
    assert!(of_prefix <= most, "{of_prefix} steps");
    let of_group = steps(&session, |reader, key, _| {
        let scan = reader.scan_group(key_hash(key), key).unwrap();
        scan.map_or(0, |mut scan| usize::from(scan.next_borrowed().unwrap().is_some()))
    });
    assert!(of_group <= most, "{of_group} steps");
    let of_range = steps(&session, |reader, key, next| {
        usize::from(reader.scan_range(key, Some(next)).unwrap().next_borrowed().unwrap().is_some())
    });
    assert!(of_range <= most, "{of_range} steps");
}

#[test]
fn a_scan_with_an_end_yields_what_lies_before_it() {
    let directory = tempfile::tempdir().unwrap();
    let state = State::open(directory.path()).unwrap();
    let session = state.begin().unwrap();
    let all = rows(0..1_000, "value");
    write(&session, "table", 0, &all);
    let mut reader = session.reader("table", 0).unwrap();
    let read = |mut scan: crate::state::Scan<'_>| {
        let mut keys = Vec::new();
        while let Some((key, _)) = scan.next().unwrap() {
            keys.push(String::from_utf8(key).unwrap());
        }
        assert!(scan.next().unwrap().is_none(), "the end stays the end");
        keys
    };
    let expected = |range: std::ops::Range<u32>| range.map(|key| format!("key{key:08}")).collect::<Vec<_>>();
    assert_eq!(read(reader.scan_prefix(b"key0000012", b"key0000012").unwrap()), expected(120..130));
    assert_eq!(read(reader.scan_prefix(b"key0000012", b"key00000125").unwrap()), expected(125..130));
    assert_eq!(read(reader.scan_range(b"key00000990", None).unwrap()), expected(990..1_000));
    assert_eq!(read(reader.scan_range(b"key00000007", Some(b"key00000010")).unwrap()), expected(7..10));
    assert!(read(reader.scan_prefix(b"other", b"other").unwrap()).is_empty());
}
