//! Where a file goes that a command was asked to write: it may replace an older one of its own kind, and nothing else. A path
//! is easily mistyped, and a drop, a pipeline or a database is not to be had again.

use std::{
    fs::{self, File, Permissions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;
use vardelta_engine::{
    error::{RunError, RunErrorKind},
    path_text::to_text,
    plan::Plan,
    run::state_directory,
};

/// How much of a file is looked at to tell what it is, in bytes.
const START_BYTES: u64 = 1024;

/// A kind of file that a command writes.
pub struct Kind {
    /// The option that names the file, for messages.
    pub option: &'static str,
    /// What such a file is.
    pub what: &'static str,
    /// Whether a file that starts with these bytes is one.
    pub is_own: fn(&[u8]) -> bool,
}

/// The path of a file that belongs to no pipeline, links followed.
///
/// # Errors
/// When something else lies there.
pub fn check_alone(path: &Path, kind: &Kind) -> Result<PathBuf, RunError> {
    let path = follow(path, kind)?;
    check_again(&path, kind)?;
    Ok(path)
}

/// The path to write to, links followed.
///
/// # Errors
/// When something else lies there, or when it is where the pipeline keeps its database or state.
pub fn check(path: &Path, plan: &Plan, kind: &Kind) -> Result<PathBuf, RunError> {
    let path = follow(path, kind)?;
    let real = real(&path);
    let database = plan.sink().files().iter().any(|file| self::real(file) == real);
    if database || real.starts_with(self::real(&state_directory(plan))) {
        let owner = if database { "the pipeline's database" } else { "the pipeline's state" };
        return Err(refused(&path, kind, &format!("it is the place of {owner}")));
    }
    check_again(&path, kind)?;
    Ok(path)
}

/// Looks at what lies at a checked path now.
///
/// # Errors
/// When it is something else than an older file of the kind.
pub fn check_again(path: &Path, kind: &Kind) -> Result<(), RunError> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(refused(path, kind, &error.to_string())),
    };
    if metadata.is_dir() {
        return Err(refused(path, kind, "it is a directory"));
    }
    if !metadata.is_file() {
        let is_device = metadata.file_type().is_char_device() || metadata.file_type().is_block_device();
        let what = if is_device { "it is a device" } else { "it is no regular file" };
        return Err(refused(path, kind, what));
    }
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(START_BYTES).read_to_end(&mut start));
    match read {
        Err(error) => Err(refused(path, kind, &format!("what lies there cannot be read: {error}"))),
        Ok(_) if start.is_empty() || (kind.is_own)(&start) => Ok(()),
        Ok(_) => Err(refused(path, kind, &format!("a file lies there that is not {}", kind.what))),
    }
}

/// Looks at what is to be appended to: a file of the kind, or what is no file, such as a pipe or a device.
///
/// # Errors
/// When it is a file of something else.
pub fn check_append(path: &Path, kind: &Kind) -> Result<(), RunError> {
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) { Ok(()) } else { check_again(path, kind) }
}

/// A file beside a checked path, to be put in its place when it is whole; as any other new file, what the umask leaves.
///
/// # Errors
/// When none can be made in its directory.
pub fn begin(path: &Path) -> io::Result<NamedTempFile> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::Builder::new().prefix(".vardelta").permissions(Permissions::from_mode(0o666)).tempfile_in(directory)
}

/// Writes a file whole, in place of what lies at a checked path.
///
/// # Errors
/// When it cannot be written, or something else has come to lie there.
pub fn replace(path: &Path, kind: &Kind, text: &str) -> io::Result<()> {
    let mut file = begin(path)?;
    file.write_all(text.as_bytes())?;
    // Somebody may have put another file there meanwhile.
    check_again(path, kind).map_err(io::Error::other)?;
    file.persist(path).map(|_| ()).map_err(|error| error.error)
}

/// Where a link leads; other paths as they are.
fn follow(path: &Path, kind: &Kind) -> Result<PathBuf, RunError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => {
            path.canonicalize().map_err(|_| refused(path, kind, "it is a link that leads nowhere"))
        }
        _ => Ok(path.to_path_buf()),
    }
}

/// A path in the one form in which it can be compared, whether there is a file or not.
fn real(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    // The longest part of it that is there, by its real name, and the rest as it is written.
    let there = absolute.ancestors().find_map(|part| Some((part, part.canonicalize().ok()?)));
    match there {
        Some((part, real)) => absolute.strip_prefix(part).map_or_else(|_| real.clone(), |rest| real.join(rest)),
        None => absolute,
    }
}

fn refused(path: &Path, kind: &Kind, why: &str) -> RunError {
    let message = format!("`{} {}` would overwrite what is not its own: {why}", kind.option, to_text(path));
    RunError::new(RunErrorKind::Usage, message)
        .with_hint(format!("Name a new file, or one that is {} already; nothing else is overwritten.", kind.what))
}
