//! What is new, changed or gone among the files of a run.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use vardelta_schemas::ledger::{DropId, DropRow, Snapshot};

use crate::{
    abort::Abort,
    contract::source::{Chunk, ContentDigest, InputFile},
    error::{FileAtFault, RunError, RunErrorKind},
    flow::feed::Load,
    locks::Locked as _,
    natural,
    path_text::from_text,
    plan::{
        Plan, StageIndex, source,
        stamp::{Digested, FileStamp, check_bytes, check_unchanged, digest_bytes},
    },
    run::{
        RunOptions,
        named_files::{NamedFile, Spooled, check_names, discovered, given, input},
    },
    suggest::nearest,
};

/// A file that may be a drop.
pub(crate) struct Candidate {
    /// The source stage.
    pub source: StageIndex,
    /// The drop's name.
    pub name: String,
    /// The file to read.
    pub file: InputFile,
    /// The path to remember; `-` for standard input.
    pub recorded_path: String,
    /// The file as it was when its bytes were digested.
    pub stamp: FileStamp,
    /// xxh3-128 of the file's bytes, 32 hexadecimal digits.
    pub bytes_digest: String,
    /// What it is, compared with the ledger.
    pub standing: Standing,
    /// How many records it has, if they had to be counted to know.
    pub records: Option<u64>,
}

/// A candidate compared with the ledger.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Standing {
    /// A new name.
    New,
    /// A known name with other content.
    Changed(DropRow),
    /// A known name with the same content; with `true`, in other bytes.
    Same(DropRow, bool),
}

/// Everything found.
#[derive(Default)]
pub(crate) struct Deliveries {
    /// In order of name.
    pub candidates: Vec<Candidate>,
    /// Drops whose file is gone.
    pub gone: Vec<DropRow>,
    /// Things worth saying.
    pub notices: Vec<String>,
    /// Holds what came from standard input.
    spooled: Option<Spooled>,
}

/// Finds the files and compares them with the ledger.
pub(crate) fn find(
    plan: &Plan,
    abort: &Abort,
    options: &RunOptions,
    ledger: &Snapshot,
) -> Result<Deliveries, RunError> {
    let mut found = Deliveries::default();
    let mut files = match options.files.is_empty() {
        true => discovered(plan, options, ledger, &mut found.notices)?,
        false => given(plan, abort, options, ledger, &mut found.spooled)?,
    };
    files.sort_by(|a, b| natural::compare(&a.name, &b.name).then(a.source.cmp(&b.source)));
    check_names(plan, &files)?;
    let digests = digest_all(plan, files.iter().map(|file| (file.source, &file.file)).collect())?;
    for (NamedFile { source, name, file, recorded_path }, (stamp, bytes_digest)) in files.into_iter().zip(digests) {
        let mut candidate = Candidate {
            source,
            name,
            file,
            recorded_path,
            stamp,
            bytes_digest,
            standing: Standing::New,
            records: None,
        };
        compare(plan, &mut candidate, ledger)
            .map_err(|error| error.while_reading(&plan.stages[candidate.source].name, &candidate.file.path))?;
        found.candidates.push(candidate);
    }
    if options.prune {
        // A drop that was delivered again under another path is not gone.
        let delivered = |drop: &DropRow| {
            let same = |found: &Candidate| found.name == drop.name && plan.stages[found.source].name == drop.source;
            found.candidates.iter().any(same)
        };
        let gone = |drop: &&DropRow| is_gone(plan, drop) && !delivered(drop);
        found.gone = ledger.drops.iter().filter(gone).cloned().collect();
    }
    found.notices.extend(twins(plan, &found, ledger));
    if options.files.is_empty() {
        found.notices.extend(reverted(&found.candidates));
    }
    Ok(found)
}

/// The file that a drop was read from; `None` for standard input.
pub(crate) fn file_of(plan: &Plan, drop: &DropRow) -> Option<PathBuf> {
    (drop.path != "-").then(|| plan.pipeline.resolve(Path::new(&from_text(&drop.path))))
}

/// Whether a drop's file is known to be gone; one in a folder that cannot be read is not.
fn is_gone(plan: &Plan, drop: &DropRow) -> bool {
    file_of(plan, drop).is_some_and(|path| matches!(path.try_exists(), Ok(false)))
}

/// Digests the bytes of files, each with its source stage, several at a time.
fn digest_all(plan: &Plan, files: Vec<(StageIndex, &InputFile)>) -> Result<Vec<(FileStamp, String)>, RunError> {
    let results: Vec<Mutex<Option<Digested>>> = files.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..plan.pipeline.workers.min(files.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some((_, file)) = files.get(at) else { return };
                    *results[at].locked() = Some(digest_bytes(&file.path));
                }
            });
        }
    });
    let (mut digests, mut first, mut at_fault) = (Vec::new(), None, Vec::new());
    for ((source, file), result) in files.iter().zip(results) {
        match result.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(Ok(digest)) => digests.push(digest),
            Some(Err(error)) => {
                at_fault.push(FileAtFault::new(&plan.stages[*source].name, &file.path));
                first.get_or_insert_with(|| {
                    input(format!("{} cannot be read: {error}", file.shown))
                        .with_hint("Check the path and the rights on it.")
                });
            }
            None => return Err(RunError::internal("a file was not digested")),
        }
    }
    match first {
        Some(error) => Err(error.about(at_fault)),
        None => Ok(digests),
    }
}

/// Compares a candidate with the ledger.
fn compare(plan: &Plan, candidate: &mut Candidate, ledger: &Snapshot) -> Result<(), RunError> {
    let stage = &plan.stages[candidate.source].name;
    let known = ledger.drops.iter().find(|drop| drop.source == *stage && drop.name == candidate.name);
    let Some(known) = known else { return Ok(()) };
    if known.bytes_digest == candidate.bytes_digest {
        candidate.standing = Standing::Same(known.clone(), false);
        return Ok(());
    }
    let (digest, header) = digest_content(plan, candidate)?;
    candidate.records = Some(digest.records);
    // Where no key came twice when it was loaded, the order of the records does not matter; ledgers of before the order was
    // digested show it by the duplicates.
    let same = known.content_digest == digest.text(header, true)
        || (known.content_digest == digest.text(header, false) && known.counts.duplicates == 0);
    candidate.standing = match same {
        true => Standing::Same(known.clone(), true),
        false => Standing::Changed(known.clone()),
    };
    Ok(())
}

/// New drops with the bytes that a known one has when the run is done. One whose file is gone is reported too: it was renamed.
fn twins(plan: &Plan, found: &Deliveries, ledger: &Snapshot) -> Vec<String> {
    let delivered = |drop: &DropRow| {
        let is_its = |it: &&Candidate| it.name == drop.name && plan.stages[it.source].name == drop.source;
        found.candidates.iter().find(is_its)
    };
    let bytes = |drop: &DropRow| delivered(drop).map_or(drop.bytes_digest.clone(), |it| it.bytes_digest.clone());
    let standing: Vec<(&DropRow, String)> = ledger.drops.iter().map(|drop| (drop, bytes(drop))).collect();
    let notice = |new: &Candidate| {
        let stage = &plan.stages[new.source].name;
        let (twin, _) = standing.iter().find(|(drop, bytes)| drop.source == *stage && *bytes == new.bytes_digest)?;
        Some(format!("drop `{}` has the same bytes as drop `{}`, under another name", new.name, twin.name))
    };
    found.candidates.iter().filter(|it| it.standing == Standing::New).filter_map(notice).collect()
}

/// Files that were found where the sources look, and replace what was loaded from another file: perhaps what was delivered later.
fn reverted(candidates: &[Candidate]) -> impl Iterator<Item = String> {
    candidates.iter().filter_map(|it| match &it.standing {
        Standing::Changed(old) if old.path != it.recorded_path => {
            let from = if old.path == "-" { "standard input".to_owned() } else { format!("`{}`", old.path) };
            Some(format!(
                "drop `{}`: the file that the source finds, `{}`, replaces what was loaded from {from} in epoch {}; if that is to \
                 stay, put its file there instead, and run again",
                it.name, it.recorded_path, old.loaded_epoch
            ))
        }
        _ => None,
    })
}

/// The digests of a file's records and of its header, without decoding the records.
fn digest_content(plan: &Plan, candidate: &Candidate) -> Result<(ContentDigest, u128), RunError> {
    let source = source(plan, candidate.source)?;
    let stage = &plan.stages[candidate.source].name;
    let fail = |error| RunError::stage(stage, error);
    let mut reader = source.open_to_digest(&candidate.file, plan.pipeline.workers).map_err(fail)?;
    let (header, header_digest, mut parser) = (reader.header(), reader.header_digest(), source.parser());
    let mut digest = ContentDigest::default();
    while let Some(raw) = reader.next_chunk().map_err(fail)? {
        digest.append(parser.digest(&Chunk { raw, header: std::sync::Arc::clone(&header) }));
    }
    if let Some(read) = reader.bytes_digest() {
        check_bytes(&candidate.file, &candidate.bytes_digest, read)?;
    }
    check_unchanged(&candidate.file, &candidate.stamp)?;
    Ok((digest, header_digest))
}

/// What is meant by a name: the drop whose `STAGE:NAME` it is, of which there is one, and otherwise all of that name. `of` gives the
/// stage and the name. So every drop can be named, also where a name looks like the stage and name of another.
pub(super) fn meant<'a, T>(all: &'a [T], name: &str, of: impl Fn(&T) -> (&str, &str)) -> Vec<&'a T> {
    let is_whole = |stage: &str, of_drop: &str| {
        name.strip_prefix(stage).and_then(|rest| rest.strip_prefix(':')).is_some_and(|rest| rest == of_drop)
    };
    let whole: Vec<&T> = all.iter().filter(|it| is_whole(of(it).0, of(it).1)).collect();
    if whole.is_empty() { all.iter().filter(|it| of(it).1 == name).collect() } else { whole }
}

/// Drops by name, for `withdraw`; `STAGE:NAME` picks one of two drops of the same name.
pub(crate) fn named(ledger: &Snapshot, names: &[String]) -> Result<Vec<DropRow>, RunError> {
    let mut found: BTreeMap<DropId, DropRow> = BTreeMap::new();
    for name in names {
        let hits = meant(&ledger.drops, name, |drop| (&drop.source, &drop.name));
        match hits[..] {
            [drop] => {
                found.insert(drop.drop_id, drop.clone());
            }
            [] => {
                let error = RunError::new(RunErrorKind::Usage, format!("no drop `{name}` is loaded"));
                return Err(match nearest(name, ledger.drops.iter().map(|drop| drop.name.as_str())) {
                    Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
                    None => error.with_hint("`vardelta drops` lists what is loaded."),
                });
            }
            _ => {
                let stages: Vec<String> = hits.iter().map(|drop| format!("`{}:{}`", drop.source, drop.name)).collect();
                return Err(RunError::new(RunErrorKind::Usage, format!("several sources have a drop `{name}`"))
                    .with_hint(format!("Name one of {}.", stages.join(", "))));
            }
        }
    }
    Ok(found.into_values().collect())
}

pub(crate) fn load(plan: &Plan, ledger: &Snapshot, candidate: &Candidate, drop_id: DropId) -> Load {
    Load {
        left_out: ledger.left_out(&plan.stages[candidate.source].name, &candidate.name),
        rows_left_out: AtomicU64::new(0),
        source: candidate.source,
        name: candidate.name.clone(),
        file: candidate.file.clone(),
        drop_id,
        stamp: candidate.stamp.clone(),
        bytes_digest: candidate.bytes_digest.clone(),
        records: Default::default(),
        contradictions: Default::default(),
        digests: Mutex::default(),
        header_digest: Mutex::default(),
        position_bytes: AtomicU64::new(0),
        records_read: AtomicU64::new(0),
        rejected: AtomicU64::new(0),
        has_lines: AtomicBool::new(false),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::digest_bytes;

    #[test]
    fn what_can_be_read_only_once_is_refused() {
        let message = digest_bytes(Path::new("/dev/null")).expect_err("a device is no file").to_string();
        assert!(message.contains("as `-`"), "{message}");
        let message = digest_bytes(&std::env::temp_dir()).expect_err("a directory is no file").to_string();
        assert!(message.contains("directory"), "{message}");
    }
}
