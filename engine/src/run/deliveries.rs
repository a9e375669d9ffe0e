//! What is new, changed or gone among the files of a run.

use std::{
    collections::BTreeMap,
    io::{self},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use crossbeam_channel::RecvTimeoutError;
use vardelta_schemas::ledger::{DropId, DropRow, Snapshot};

use crate::{
    abort::Abort,
    contract::{
        source::{Chunk, ContentDigest, Discovered, InputFile, Source},
        stage::Planned,
    },
    epoch::{open::state_directory, scratch::Scratch},
    error::{FileAtFault, RunError, RunErrorKind},
    flow::feed::{Load, PATIENCE},
    locks::Locked as _,
    natural,
    path_text::{from_text, to_text},
    plan::{
        Plan, StageIndex, source,
        stamp::{Digested, FileStamp, check_bytes, check_unchanged, digest_bytes},
    },
    run::RunOptions,
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
    _spool: Option<tempfile::NamedTempFile>,
    /// Holds the directory of that.
    _scratch: Option<Scratch>,
}

fn input(message: String) -> RunError {
    RunError::new(RunErrorKind::Input, message)
}

/// Finds the files and compares them with the ledger.
pub(crate) fn find(
    plan: &Plan,
    abort: &Abort,
    options: &RunOptions,
    ledger: &Snapshot,
) -> Result<Deliveries, RunError> {
    let mut found = Deliveries::default();
    let mut files: Vec<(StageIndex, String, InputFile, String)> = Vec::new();
    let sources: Vec<StageIndex> =
        plan.stages.places_where(|stage| matches!(stage.planned, Planned::Source(_))).collect();
    if options.files.is_empty() {
        for at in sources {
            let discovered = source(plan, at)?;
            let stage = &plan.stages[at].name;
            let Discovered { paths, notices, .. } =
                discovered.discover().map_err(|error| RunError::stage(stage, error))?;
            // Whoever says which files are meant has looked around already.
            let is_whole = options.among.is_none();
            found
                .notices
                .extend(notices.iter().filter(|_| is_whole).map(|notice| format!("source `{stage}`: {notice}")));
            if discovered.pattern().is_none() && is_whole {
                found.notices.push(format!("source `{stage}` has no path: name its files on the command line"));
            }
            for path in paths {
                if options.among.as_ref().is_some_and(|among| !among.contains(&(stage.clone(), path.clone()))) {
                    continue;
                }
                let recorded = recorded(plan, &path);
                let name = discovered
                    .drop_name(&path)
                    .map_err(|error| RunError::stage(stage, error).while_reading(stage, &path))?;
                let known = discovered.names_by_rule().then(|| known_as(ledger, stage, &name, &recorded)).flatten();
                if let Some(known) = known {
                    found.notices.push(format!(
                        "{recorded} stays drop `{known}`, under which name it was loaded: withdraw that to have it named \
                         `{name}`"
                    ));
                }
                files.push((at, known.map_or(name, str::to_owned), InputFile::at(path), recorded));
            }
        }
    } else {
        let at = into(plan, options, &sources)?;
        if options.name.is_some() && options.files.len() > 1 {
            return Err(RunError::new(RunErrorKind::Usage, "`--as` names one drop, but several files are given")
                .with_hint("Load the files one by one, or let each be named after its file."));
        }
        for path in &options.files {
            let (file, recorded, default) = if path == Path::new("-") {
                let scratch = Scratch::new(&state_directory(plan), options.access())?;
                let spooled = spool(abort, scratch.path())?;
                // Who runs the command knows nothing of the file that holds it.
                let file = InputFile { path: spooled.path().to_path_buf(), shown: "standard input".into() };
                (found._spool, found._scratch) = (Some(spooled), Some(scratch));
                (file, "-".to_owned(), "stdin".to_owned())
            } else {
                let source = source(plan, at)?;
                let recorded = recorded(plan, path);
                if !ledger.drops.iter().any(|drop| drop.path == recorded) {
                    refuse_by_product(source, path)?;
                }
                let name = match &options.name {
                    Some(name) => Ok(name.clone()),
                    None => source.drop_name(path),
                };
                let name = name.map_err(|error| RunError::stage(&plan.stages[at].name, error))?;
                (InputFile::at(path), recorded, name)
            };
            files.push((at, options.name.clone().unwrap_or(default), file, recorded));
        }
    }
    if let Some((at, _, file, recorded)) = files.iter().find(|it| it.1.trim().is_empty()) {
        return Err(input(format!("{recorded} would be a drop without a name"))
            .with_hint("Rename it, or load it by itself with `--as NAME`.")
            .about([FileAtFault::new(&plan.stages[*at].name, &file.path)]));
    }
    files.sort_by(|a, b| natural::compare(&a.1, &b.1).then(a.0.cmp(&b.0)));
    if let Some(pair) = files.windows(2).find(|pair| (pair[0].0, &pair[0].1) == (pair[1].0, &pair[1].1)) {
        return Err(input(format!("{} and {} would both be drop `{}`", pair[0].3, pair[1].3, pair[0].1))
            .with_hint(
                "Rename one of them, load it by itself with `--as NAME`, or let the source name drops by their folders too: \
                 `drop_name = \"{parent}_{stem}\"`.",
            )
            .about([FileAtFault::new(&plan.stages[pair[1].0].name, &pair[1].2.path)]));
    }
    let digests = digest_all(plan, files.iter().map(|file| (file.0, &file.2)).collect())?;
    for ((source, name, file, recorded_path), (stamp, bytes_digest)) in files.into_iter().zip(digests) {
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

/// Whether a run is given no file, and no source finds one: then there is nothing to make a database for. Of a pipeline that has a
/// state nobody asks.
pub(super) fn finds_nothing(plan: &Plan, options: &RunOptions) -> Result<bool, RunError> {
    if !options.files.is_empty() || state_directory(plan).exists() {
        return Ok(false);
    }
    for (at, stage) in plan.stages.indexed() {
        if matches!(stage.planned, Planned::Source(_)) {
            let found = source(plan, at)?.discover().map_err(|error| RunError::stage(&stage.name, error))?;
            if !found.paths.is_empty() {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn into(plan: &Plan, options: &RunOptions, sources: &[StageIndex]) -> Result<StageIndex, RunError> {
    let names = || sources.iter().map(|at| plan.stages[*at].name.as_str());
    let list = || names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match (&options.into, sources) {
        (None, [at]) => Ok(*at),
        (None, _) => Err(RunError::new(RunErrorKind::Usage, format!("the pipeline has several sources: {}", list()))
            .with_hint("Say which one the files go to with `--into STAGE`.")),
        (Some(name), _) => sources.iter().copied().find(|at| plan.stages[*at].name == *name).ok_or_else(|| {
            let error = RunError::new(RunErrorKind::Usage, format!("the pipeline has no source `{name}`"));
            match nearest(name, names()) {
                Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
                None => error.with_hint(format!("Its sources are {}.", list())),
            }
        }),
    }
}

/// The name under which the ledger has the file of a path, if that is another than its source gives it now.
fn known_as<'a>(ledger: &'a Snapshot, stage: &str, name: &str, recorded: &str) -> Option<&'a str> {
    let of_source = || ledger.drops.iter().filter(|drop| drop.source == stage);
    if of_source().any(|drop| drop.name == name) {
        return None;
    }
    of_source().filter(|drop| drop.path == recorded).map(|drop| drop.name.as_str()).next_back()
}

/// A file that is named on the command line and cannot be a drop.
fn refuse_by_product(source: &dyn Source, path: &Path) -> Result<(), RunError> {
    match source.by_product(path) {
        None => Ok(()),
        Some(what) => Err(input(format!("{} is no drop by its name ({what}); nothing was written", to_text(path)))
            .with_hint("Name the file that it belongs to; if it is a whole file of records, rename it first.")),
    }
}

/// The path that the ledger remembers: from the pipeline file's directory where it lies below that, so that the whole may be moved.
pub(super) fn recorded(plan: &Plan, path: &Path) -> String {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let (base, file) = (absolute(&plan.pipeline.base_dir), absolute(path));
    if let Ok(inside) = file.strip_prefix(&base) {
        return to_text(inside);
    }
    // Another way to the same folder; a link that is the file itself stays what it is.
    let real = file.parent().and_then(|folder| Some(folder.canonicalize().ok()?.join(file.file_name()?)));
    let inside = real.and_then(|real| Some(real.strip_prefix(base.canonicalize().ok()?).ok()?.to_path_buf()));
    to_text(inside.unwrap_or(file))
}

/// The file that a drop was read from; `None` for standard input.
pub(crate) fn file_of(plan: &Plan, drop: &DropRow) -> Option<PathBuf> {
    (drop.path != "-").then(|| plan.pipeline.resolve(Path::new(&from_text(&drop.path))))
}

/// Whether a drop's file is known to be gone; one in a folder that cannot be read is not.
fn is_gone(plan: &Plan, drop: &DropRow) -> bool {
    file_of(plan, drop).is_some_and(|path| matches!(path.try_exists(), Ok(false)))
}

/// Copies standard input to a file: it is read more than once. A thread waits for the input, so that the run can be ended
/// meanwhile.
fn spool(abort: &Abort, directory: &Path) -> Result<tempfile::NamedTempFile, RunError> {
    let directory = directory.to_owned();
    let copy = move || -> io::Result<tempfile::NamedTempFile> {
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        io::copy(&mut io::stdin().lock(), file.as_file_mut())?;
        Ok(file)
    };
    let (sender, receiver) = crossbeam_channel::bounded(1);
    std::thread::spawn(move || sender.send(copy()));
    loop {
        abort.check()?;
        match receiver.recv_timeout(PATIENCE) {
            Ok(copied) => {
                return copied.map_err(|error| {
                    input(format!("standard input cannot be kept in a temporary file: {error}"))
                        .with_hint("Check the room in the state directory, or give the file by its path.")
                });
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(RunError::internal("standard input was not copied")),
        }
    }
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
    let mut reader = source.open(&candidate.file, plan.pipeline.workers).map_err(fail)?;
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
