//! What is new, changed or gone among the files of a run.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io,
    path::{Path, PathBuf},
    sync::{
        Mutex, OnceLock, PoisonError,
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
        stamp::{FileStamp, check_bytes, check_unchanged, digest_bytes, look_at, unreadable},
    },
    run::{
        RunOptions,
        named_files::{NamedFile, Spooled, check_names, discovered, given},
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
    /// The file as it was when it was looked at.
    pub stamp: FileStamp,
    /// xxh3-128 of the file's bytes, 32 hexadecimal digits, where they decide what it is; else they are digested while they are loaded.
    pub bytes_digest: Option<String>,
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
    let known: HashSet<(&str, &str)> = ledger.drops.iter().map(|drop| (&*drop.source, &*drop.name)).collect();
    // A new name is loaded whatever it holds, so its bytes are read once alone; unless a file that is gone may be there under it.
    let is_digested =
        |file: &NamedFile| options.prune || known.contains(&(&*plan.stages[file.source].name, &*file.name));
    let looked_at = look_at_all(plan, files.iter().map(|file| (file, is_digested(file))).collect())?;
    for (NamedFile { source, name, file, recorded_path }, (stamp, bytes_digest)) in files.into_iter().zip(looked_at) {
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

/// A file's stamp, and the digest of its bytes where that is wanted.
type Looked = (FileStamp, Option<String>);

/// Looks at files, several at a time, and digests the bytes of those of which that is wanted.
fn look_at_all(plan: &Plan, files: Vec<(&NamedFile, bool)>) -> Result<Vec<Looked>, RunError> {
    let look = |(file, is_digested): (&NamedFile, bool)| -> io::Result<Looked> {
        let stamp = look_at(&file.file.path)?;
        Ok((stamp, is_digested.then(|| digest_bytes(&file.file.path)).transpose()?))
    };
    let results: Vec<Mutex<Option<io::Result<Looked>>>> = files.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..plan.pipeline.workers.min(files.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = files.get(at) else { return };
                    *results[at].locked() = Some(look(*file));
                }
            });
        }
    });
    let (mut all, mut first, mut at_fault) = (Vec::new(), None, Vec::new());
    for ((file, _), result) in files.iter().zip(results) {
        match result.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(Ok(looked)) => all.push(looked),
            Some(Err(error)) => {
                at_fault.push(FileAtFault::new(&plan.stages[file.source].name, &file.file.path));
                first.get_or_insert_with(|| unreadable(&file.file, &error));
            }
            None => return Err(RunError::internal("a file was not looked at")),
        }
    }
    match first {
        Some(error) => Err(error.about(at_fault)),
        None => Ok(all),
    }
}

/// Compares a candidate with the ledger.
fn compare(plan: &Plan, candidate: &mut Candidate, ledger: &Snapshot) -> Result<(), RunError> {
    let stage = &plan.stages[candidate.source].name;
    let known = ledger.drops.iter().find(|drop| drop.source == *stage && drop.name == candidate.name);
    let Some(known) = known else { return Ok(()) };
    let digested = candidate.bytes_digest.as_deref();
    let bytes_digest = digested.ok_or_else(|| RunError::internal("a file of a known drop was not digested"))?;
    if known.bytes_digest == bytes_digest {
        candidate.standing = Standing::Same(known.clone(), false);
        return Ok(());
    }
    let (digest, header) = digest_content(plan, candidate, bytes_digest)?;
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

/// New drops with the bytes that a known one has when the run is done, once they were read. One whose file is gone is reported too: it
/// was renamed.
pub(crate) fn twins(
    plan: &Plan,
    found: &Deliveries,
    ledger: &Snapshot,
    loads: &[Load],
) -> Result<Vec<String>, RunError> {
    type Name<'a> = (&'a str, &'a str);
    let of_stage = |source: StageIndex| plan.stages[source].name.as_str();
    // What lies there now; a file that is not loaded holds what is known, perhaps in other bytes.
    let mut delivered: HashMap<Name<'_>, &str> = HashMap::new();
    for candidate in &found.candidates {
        let name = (of_stage(candidate.source), candidate.name.as_str());
        delivered.extend(candidate.bytes_digest.as_deref().map(|digest| (name, digest)));
    }
    for load in loads {
        delivered.insert((of_stage(load.source), &load.name), load.bytes_digest()?);
    }
    let mut known: HashMap<Name<'_>, &str> = HashMap::new();
    for drop in &ledger.drops {
        let bytes = delivered.get(&(&*drop.source, &*drop.name)).copied().unwrap_or(&drop.bytes_digest);
        // Of several the first is named.
        known.entry((&drop.source, bytes)).or_insert(&drop.name);
    }
    let new = found.candidates.iter().filter(|it| it.standing == Standing::New);
    let notices = new.filter_map(|new| {
        let stage = of_stage(new.source);
        let twin = known.get(&(stage, *delivered.get(&(stage, &*new.name))?))?;
        Some(format!("drop `{}` has the same bytes as drop `{twin}`, under another name", new.name))
    });
    Ok(notices.collect())
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
fn digest_content(plan: &Plan, candidate: &Candidate, bytes_digest: &str) -> Result<(ContentDigest, u128), RunError> {
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
        check_bytes(&candidate.file, bytes_digest, read)?;
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
        bytes_digest: candidate.bytes_digest.clone().map(OnceLock::from).unwrap_or_default(),
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

    use super::look_at;

    #[test]
    fn what_can_be_read_only_once_is_refused() {
        let message = look_at(Path::new("/dev/null")).expect_err("a device is no file").to_string();
        assert!(message.contains("as `-`"), "{message}");
        let message = look_at(&std::env::temp_dir()).expect_err("a directory is no file").to_string();
        assert!(message.contains("directory"), "{message}");
    }
}
