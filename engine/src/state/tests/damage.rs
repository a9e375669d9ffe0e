//! Files that are not what was written: errors that say so, never a panic, never a wrong answer.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use vardelta_schemas::ledger::{Epoch, EpochId};

use super::{Content, commit, content, data_files, read, rows};
use crate::state::{State, StateError, StateErrorKind};

fn example(directory: &Path) -> (PathBuf, Content) {
    let expected = rows(0..2500, "value");
    commit(&mut State::open(directory).unwrap(), &expected);
    let files = data_files(directory);
    assert_eq!(files.len(), 1);
    (directory.join(&files[0]), content(&expected))
}

fn scan_and_get(directory: &Path, expected: &Content) -> Result<(), StateError> {
    let session = State::open(directory)?.begin()?;
    let mut reader = session.reader("table", 0)?;
    let mut found = Content::new();
    let mut scan = reader.scan(&[])?;
    while let Some((key, value)) = scan.next()? {
        found.insert(key, value);
    }
    assert!(found == *expected, "a scan of a damaged file may fail, but not lie");
    for (key, value) in expected.iter().step_by(7) {
        assert_eq!(reader.get(key)?.as_ref(), Some(value));
    }
    Ok(())
}

#[test]
fn any_changed_byte_is_noticed_or_harmless() {
    let directory = tempfile::tempdir().unwrap();
    let (path, expected) = example(directory.path());
    let file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let length = fs::metadata(&path).unwrap().len();
    let mut noticed = 0;
    for offset in (0..length).step_by(61) {
        let mut byte = [0];
        file.read_exact_at(&mut byte, offset).unwrap();
        file.write_all_at(&[byte[0] ^ 0x04], offset).unwrap();
        if let Err(error) = scan_and_get(directory.path(), &expected) {
            assert_eq!(error.kind, StateErrorKind::Corrupt, "{error}");
            assert!(error.message.contains(&path.display().to_string()), "{error}");
            assert!(error.hint.unwrap().contains("vardelta rebuild"));
            noticed += 1;
        }
        file.write_all_at(&byte, offset).unwrap();
    }
    // Lines of the filter that no look-up here asks for are the only harmless place.
    assert!(noticed * 61 > length * 9 / 10, "{noticed} of {} changes", length / 61);
    scan_and_get(directory.path(), &expected).unwrap();
}

#[test]
fn a_file_too_short_or_missing_is_found_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = example(directory.path());
    let length = fs::metadata(&path).unwrap().len();
    OpenOptions::new().write(true).open(&path).unwrap().set_len(length - 1).unwrap();
    let error = State::open(directory.path()).unwrap_err();
    assert_eq!(error.kind, StateErrorKind::Corrupt);
    assert!(error.message.contains(&format!("{} bytes", length - 1)), "{error}");
    fs::remove_file(&path).unwrap();
    let error = State::open(directory.path()).unwrap_err();
    assert_eq!(error.kind, StateErrorKind::Corrupt);
    assert!(error.message.contains("missing") && error.hint.is_some(), "{error}");
}

#[test]
fn a_file_under_another_name_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let (path, expected) = example(directory.path());
    let mut bytes = fs::read(&path).unwrap();
    bytes[8] ^= 1;
    fs::write(&path, bytes).unwrap();
    let error = scan_and_get(directory.path(), &expected).unwrap_err();
    assert!(error.message.contains("its name says"), "{error}");
}

#[test]
fn a_damaged_or_newer_manifest_says_so_and_can_be_made_anew() {
    for (offset, kind) in [(30, StateErrorKind::Corrupt), (0, StateErrorKind::Corrupt), (8, StateErrorKind::Version)] {
        let directory = tempfile::tempdir().unwrap();
        example(directory.path());
        let path = directory.path().join("MANIFEST");
        let mut bytes = fs::read(&path).unwrap();
        bytes[offset] ^= 0x40;
        fs::write(&path, bytes).unwrap();
        let error = State::open(directory.path()).unwrap_err();
        assert_eq!(error.kind, kind);
        assert!(error.hint.unwrap().contains("vardelta rebuild"));
        assert_eq!(data_files(directory.path()).len(), 1, "nothing is deleted for it");

        let mut state = State::open_anew(directory.path()).unwrap();
        assert_eq!(state.epoch(), Epoch::NONE);
        let session = state.begin().unwrap();
        super::write(&session, "table", 0, &rows(0..3, "anew"));
        state.prepare(session, EpochId::numbered(Epoch::new(9)), Default::default()).unwrap();
        // Even a death here is decided well: the new epoch is there, the old one is known to be lost.
        drop(state);
        let mut state = State::open(directory.path()).unwrap();
        assert_eq!(state.roll_back().unwrap_err().kind, kind);
        state.finalize().unwrap();
        assert_eq!(read(&state.begin().unwrap(), "table", 0), content(&rows(0..3, "anew")));
        assert_eq!(data_files(directory.path()).len(), 1);
    }
}
