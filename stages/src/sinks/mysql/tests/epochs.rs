//! Who may write, on servers that others write to.

use crate::sinks::mysql::tests::*;

#[test]
fn a_commit_past_the_lock_is_stale() {
    on_each("a_commit_past_the_lock_is_stale", |db| {
        let mut sink = db.open();
        sink.begin(&starting(PIPELINE, 0, &[numbers("t")], false)).unwrap();
        // Somebody without regard for the lock, a restored backup for instance.
        db.run(&["insert into vardelta_epochs (pipeline, epoch, committed_at, definition, table_counts) values ('p', 1, 'now', '{}', '[]')"]);
        let error = error_of(sink.commit(&record(PIPELINE, 1)));
        assert_eq!(error.kind, SinkErrorKind::Stale, "{error}");
        assert_eq!(db.query("select committed_at from vardelta_epochs"), ["now"]);
    });
}
