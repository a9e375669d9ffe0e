//! A look at a file's neighbours and content.

use vardelta_engine::path_text::to_text;

use crate::{
    stamp::Stamp,
    watch::{
        files::{Closeness, File, Look},
        scan::Key,
        sidecar, whole,
    },
};

/// Looks at a file. `stop` ends a long look.
pub fn look(key: &Key, stamp: &Stamp, file: &mut File, closeness: Closeness, stop: &dyn Fn() -> bool) -> Look {
    let seen = look_on(key, stamp, file, closeness, stop);
    if stop() { Look::Unfinished } else { seen }
}

fn look_on(key: &Key, stamp: &Stamp, file: &mut File, closeness: Closeness, stop: &dyn Fn() -> bool) -> Look {
    let path = &key.1;
    // A checksum proves more than a mark, so it is asked first.
    if let Some(checksum) = sidecar::checksum(path) {
        if closeness == Closeness::Fresh {
            return Look::Missing("it has changed just now".into());
        }
        if file.unfit.as_ref() == Some(&checksum) && closeness == Closeness::Beside {
            return Look::Missing("its checksum does not fit yet".into());
        }
        return match checksum.verify(path, stop) {
            Ok(Ok(())) => Look::Vouched,
            Ok(Err(why)) => {
                file.unfit = Some(checksum);
                Look::Missing(format!("{}: {why}", to_text(path)))
            }
            Err(error) => Look::Missing(format!("{} cannot be held against its checksum: {error}", to_text(path))),
        };
    }
    if sidecar::is_done(path, stamp) {
        return Look::Vouched;
    }
    match closeness {
        Closeness::Fresh | Closeness::Beside => Look::Missing("it is not settled yet".into()),
        // What it lacks at its end it has lacked for long: the engine says what that is, or that it does not matter.
        Closeness::Again => Look::Whole,
        Closeness::Whole => match whole::missing(path, stop) {
            Ok(None) => Look::Whole,
            Ok(Some(why)) => Look::Missing(format!("{}: {why}", to_text(path))),
            Err(error) => Look::Missing(format!("{} cannot be read: {error}", to_text(path))),
        },
    }
}
