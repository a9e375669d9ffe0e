//! A process that is killed in the middle of an epoch leaves the state before it. The test runs its own executable as
//! the process to kill.

use std::{
    env, fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use vardelta_schemas::ledger::Epoch;

use crate::sinks::sqlite::tests::*;

/// Tells the child which database to write to.
const SWITCH: &str = "VARDELTA_TEST_KILL_DATABASE";

/// Not a test of its own: what the child does until it is killed. Does nothing when nobody has set the switch.
#[test]
fn child() {
    let Some(path) = env::var_os(SWITCH) else { return };
    let path = Path::new(&path);
    let table = numbers("t");
    let mut sink = open(path);
    let epoch = sink.ledger(PIPELINE).unwrap().epoch;
    sink.begin(&starting(PIPELINE, epoch.number(), std::slice::from_ref(&table), false)).unwrap();
    let mut written: i64 = 0;
    let mut changes = std::iter::from_fn(|| {
        let names =
            StringArray::from_iter_values((0..8192).map(|n| format!("child {:012} {}", written + n, "x".repeat(500))));
        let numbers = Int64Array::from_iter_values(written..written + 8192);
        written += 8192;
        // The file, or the log beside it, has grown: rows are on the disk, past the cache, when the process is killed.
        fs::write(path.with_extension("progress"), written.to_string()).unwrap();
        let new = RecordBatch::try_new(table.schema.to_arrow(), vec![Arc::new(names), Arc::new(numbers)]).unwrap();
        let old = RecordBatch::new_empty(new.schema());
        Some(Ok(ChangeBatch { ops: vec![Op::Insert; 8192], new, old }))
    });
    sink.apply(&table, epoch.next(), &mut changes).unwrap();
}

#[test]
fn a_killed_process_leaves_the_state_before() {
    let dir = tempfile::tempdir().unwrap();
    // Into a new file, and into one in write-ahead mode.
    for existing in [false, true] {
        let path = dir.path().join(format!("{existing}.sqlite"));
        if existing {
            load(&path, 1, &[(Op::Insert, "a", Some(1))]);
        }
        let before = if existing { by_hand::dump(&path) } else { Vec::new() };
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "sinks::sqlite::tests::kill::child", "--nocapture"])
            .env(SWITCH, &path)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let spilled = |suffix: &str| {
            fs::metadata(format!("{}{suffix}", path.display())).map_or(0, |metadata| metadata.len()) > 8 << 20
        };
        let start = Instant::now();
        while !spilled(if existing { "-wal" } else { "" }) {
            assert!(child.try_wait().unwrap().is_none(), "the child has ended by itself");
            assert!(start.elapsed() < Duration::from_secs(120), "the child has not written past its cache");
            std::thread::sleep(Duration::from_millis(5));
        }
        // SIGKILL on Unix: nothing of the child runs any more.
        child.kill().unwrap();
        child.wait().unwrap();
        let epoch = u64::from(existing);
        assert_eq!(connect(&path, Access::Read).unwrap().ledger(PIPELINE).unwrap().epoch, Epoch::new(epoch));
        assert_eq!(by_hand::dump(&path), before);
        load(&path, epoch + 1, &[(Op::Insert, "b", Some(2))]);
        assert_eq!(contents(&path, &numbers("t")).len(), 1 + usize::from(existing));
    }
}
