//! Keys and runs that are unlike the others: what is read and written follows the change, not what is there.

use super::*;
use crate::flow::table::Stored;

/// Keys that every drop asserts.
const KEYS: u64 = 40;

fn key(number: u64) -> Vec<u8> {
    format!("chr1:{number:012}:A:T").into_bytes()
}

/// The rows of one drop: every key, with a value of the drop's own.
fn rows_of(place: u64) -> Vec<Asserted> {
    (0..KEYS)
        .map(|number| (key(number), place, number, format!("value {place:06} of {number:06}").into_bytes()))
        .collect()
}

/// Runs one chunk; the bytes of new runs that it wrote, merging aside.
fn bytes_of_chunk(session: &Arc<Session>, epoch: u64, conflict: Conflict, rows: &[Asserted]) -> u64 {
    let before = session.bytes_written();
    let (changes, _) = chunk(session, epoch, conflict, 1, rows, &[]);
    let written = session.bytes_written() - before;
    if conflict == Conflict::LatestDrop && epoch > 1 {
        assert_eq!(changes.len() as u64, 2 * KEYS, "every key's row gives way to another");
    }
    session.compact().unwrap();
    written
}

#[test]
fn a_key_that_a_thousand_drops_assert_costs_the_next_drop_what_it_cost_the_second() {
    const DROPS: u64 = 1_000;
    for conflict in [Conflict::LatestDrop, Conflict::FirstDrop] {
        let directory = tempfile::tempdir().unwrap();
        let state = State::open(directory.path()).unwrap();
        let session = state.begin().unwrap();
        bytes_of_chunk(&session, 1, conflict, &rows_of(1));
        let second = bytes_of_chunk(&session, 2, conflict, &rows_of(2));
        // Those between come by the hundred.
        for first in (3..DROPS).step_by(100) {
            let rows: Vec<Asserted> = (first..(first + 100).min(DROPS)).flat_map(rows_of).collect();
            bytes_of_chunk(&session, first, conflict, &rows);
        }
        let last = bytes_of_chunk(&session, DROPS, conflict, &rows_of(DROPS));
        assert!(last * 10 <= second * 13, "{conflict:?}: drop 2 wrote {second} bytes, drop {DROPS} {last}");
        // What the next drop reads of a key: the assertion that stands, and its own of before.
        let before = session.snapshot();
        for number in 0..KEYS {
            let (key, hash) = (key(number), key_hash(&key(number)));
            let mut stored = Stored::open(&before, STAGE, shard_of(&key), conflict).unwrap();
            let standing = if conflict == Conflict::LatestDrop { DROPS } else { 1 };
            let read = |stored: &mut Stored, places: &[u64]| -> Vec<u64> {
                stored.read(hash, &key, places).unwrap().list.iter().map(|assertion| assertion.place).collect()
            };
            assert_eq!(read(&mut stored, &[DROPS + 1]), [standing]);
            let [first, second] = if standing == 1 { [1, 500] } else { [500, standing] };
            assert_eq!(read(&mut stored, &[500]), [first, second]);
        }
        session.rewrite().unwrap();
        let statistics = session.statistics();
        let table = statistics.iter().find(|space| space.space == assertion_space(STAGE)).unwrap();
        assert_eq!(table.entries, KEYS * DROPS);
        let content: usize = rows_of(1).iter().map(|(key, _, _, value)| key.len() + value.len()).sum();
        let content = content as u64 * DROPS;
        assert!(2 * table.bytes <= 3 * content, "{} bytes for {content} of content", table.bytes);
    }
}

#[test]
fn five_thousand_drops_in_a_run_write_what_one_drop_of_as_many_rows_does() {
    const DROPS: u64 = 5_000;
    let written = |rows: &[Asserted]| {
        let directory = tempfile::tempdir().unwrap();
        let state = State::open(directory.path()).unwrap();
        let session = state.begin().unwrap();
        let (changes, _) = chunk(&session, 1, Conflict::LatestDrop, 2, rows, &[]);
        assert_eq!(changes.len() as u64, DROPS);
        session.bytes_written()
    };
    let row = |number: u64, place: u64| (key(number), place, number, format!("value {number:06}").into_bytes());
    let of_one: Vec<Asserted> = (0..DROPS).map(|number| row(number, 1)).collect();
    let of_many: Vec<Asserted> = (0..DROPS).map(|number| row(number, number + 1)).collect();
    let (one, many) = (written(&of_one), written(&of_many));
    // A key that shares its drop with no other carries the drop's number and the version of its content itself.
    const OF_A_DROP_BYTES: u64 = 32;
    assert!(many <= one + OF_A_DROP_BYTES * DROPS, "one drop wrote {one} bytes, {DROPS} drops {many}");
    // And all of them about one key: one row stands.
    let directory = tempfile::tempdir().unwrap();
    let state = State::open(directory.path()).unwrap();
    let session = state.begin().unwrap();
    let about_one: Vec<Asserted> = (0..DROPS).map(|number| (key(7), number + 1, 0, b"value".to_vec())).collect();
    let (changes, _) = chunk(&session, 1, Conflict::LatestDrop, 2, &about_one, &[]);
    assert_eq!(changes.len(), 1);
    assert!(session.bytes_written() <= many, "{} bytes about one key", session.bytes_written());
}
