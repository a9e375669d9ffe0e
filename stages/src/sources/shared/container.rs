//! Containers, recognised by their first bytes and never by a file's name: plain text, BGZF, gzip.

use std::{
    fs::File,
    io::{self, BufReader, Cursor, Read},
    num::NonZero,
    path::Path,
    sync::Arc,
};

use flate2::bufread::MultiGzDecoder;
use noodles_bgzf::io::MultithreadedReader;
use vardelta_engine::contract::{source::InputFile, stage::StageError};

use crate::sources::{
    bgzf,
    shared::{
        stretches::{Stretch, Stretches},
        tail::{Progress, Watched},
    },
};

/// How much is read from the file at once.
const READ_BYTES: usize = 256 * 1024;

/// What a source reads, for messages.
#[derive(Debug)]
pub(crate) struct Format {
    /// The format's name: `VCF`.
    pub name: &'static str,
    /// In which forms it may come, a list in words.
    pub forms: &'static str,
    /// What a file of it has at least: `VCF header`.
    pub header: &'static str,
}

type Raw = Watched<io::Chain<Cursor<Vec<u8>>, Box<dyn Read + Send>>>;

/// A file being decompressed.
pub(crate) struct Container {
    file: InputFile,
    format: &'static Format,
    progress: Arc<Progress>,
    allow_missing_eof: bool,
    stream: Stream,
}

enum Stream {
    Plain(Raw),
    Gzip(Box<MultiGzDecoder<BufReader<Raw>>>),
    Bgzf(Box<MultithreadedReader<BufReader<Raw>>>),
    /// Parts of a BGZF file.
    Stretches(Box<Stretches<Watched<File>>>),
}

impl Container {
    /// Opens a file; `-` is the standard input.
    ///
    /// # Errors
    /// When it cannot be read, is empty, is compressed in a way that files of the format are not, or is a BGZF file without
    /// end-of-file block (unless `allow_missing_eof`).
    pub fn open(
        file: &InputFile,
        format: &'static Format,
        threads: usize,
        allow_missing_eof: bool,
    ) -> Result<Container, StageError> {
        let InputFile { path, shown } = file;
        let unreadable = |error: io::Error| StageError::new(format!("cannot read {shown}: {error}"));
        let (mut source, is_file): (Box<dyn Read + Send>, bool) = if path == Path::new("-") {
            (Box::new(io::stdin()), false)
        } else {
            let opened = File::open(path).map_err(unreadable)?;
            let metadata = opened.metadata().map_err(unreadable)?;
            if metadata.is_dir() {
                return Err(StageError::new(format!("{shown} is a directory, not a {} file", format.name)));
            }
            (Box::new(opened), metadata.is_file())
        };
        let mut magic = Vec::with_capacity(bgzf::HEADER_BYTES);
        source.by_ref().take(bgzf::HEADER_BYTES as u64).read_to_end(&mut magic).map_err(unreadable)?;
        let kind = Kind::of(&magic, shown, format)?;
        if kind == Kind::Bgzf && is_file && !allow_missing_eof {
            check_end_block(path, shown)?;
        }
        let progress = Arc::new(Progress::default());
        let raw = Watched::new(Cursor::new(magic).chain(source), Arc::clone(&progress));
        let stream = match kind {
            Kind::Plain => Stream::Plain(raw),
            Kind::Gzip => Stream::Gzip(Box::new(MultiGzDecoder::new(BufReader::with_capacity(READ_BYTES, raw)))),
            Kind::Bgzf => Stream::Bgzf(Box::new(MultithreadedReader::with_worker_count(
                NonZero::new(threads).unwrap_or(NonZero::<usize>::MIN),
                BufReader::with_capacity(READ_BYTES, raw),
            ))),
        };
        Ok(Container { file: file.clone(), format, progress, allow_missing_eof, stream })
    }

    /// The file's name, for messages.
    pub fn file(&self) -> &str {
        &self.file.shown
    }

    /// Where the file lies.
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// What its source reads, for messages.
    pub fn format(&self) -> &'static Format {
        self.format
    }

    /// Whether the file consists of blocks that can be read one by one.
    pub fn is_seekable(&self) -> bool {
        matches!(self.stream, Stream::Bgzf(_)) && self.file.path.is_file()
    }

    /// Reads nothing but these stretches from now on.
    ///
    /// # Errors
    /// When the file cannot be opened again.
    pub fn read_only(&mut self, stretches: Vec<Stretch>, is_text: bool) -> Result<(), StageError> {
        let opened = File::open(&self.file.path)
            .map_err(|error| StageError::new(format!("cannot read {}: {error}", self.file.shown)))?;
        let watched = Watched::new(opened, Arc::clone(&self.progress));
        self.stream = Stream::Stretches(Box::new(Stretches::new(watched, stretches, is_text)));
        Ok(())
    }

    /// How many bytes of the file have been read.
    pub fn position_bytes(&self) -> u64 {
        self.progress.bytes()
    }

    /// At the end of the data: the digest of all bytes of the file; `None` where only stretches of it were read.
    pub fn bytes_digest(&self) -> Option<u128> {
        (!matches!(self.stream, Stream::Stretches(_))).then(|| self.progress.digest())
    }

    /// Appends up to `count` decompressed bytes, fewer only at the end. Returns how many; at the end it has checked
    /// that the file is complete.
    ///
    /// # Errors
    /// When the file is damaged, cut off or unreadable.
    pub fn read_into(&mut self, bytes: &mut Vec<u8>, count: usize) -> Result<usize, StageError> {
        bytes.reserve(count + 64);
        let limit = count as u64;
        let read = match &mut self.stream {
            Stream::Plain(reader) => reader.read_up_to(limit, bytes),
            Stream::Gzip(reader) => reader.take(limit).read_to_end(bytes),
            Stream::Bgzf(reader) => reader.take(limit).read_to_end(bytes),
            Stream::Stretches(reader) => reader.read_into(bytes, count),
        };
        match read {
            Ok(read) => {
                if read < count {
                    self.check_complete()?;
                }
                Ok(read)
            }
            Err(error) => Err(self.damaged(&error)),
        }
    }

    fn damaged(&self, error: &io::Error) -> StageError {
        let compression = match &self.stream {
            Stream::Plain(_) => return StageError::new(format!("cannot read {}: {error}", self.file.shown)),
            Stream::Gzip(_) => "gzip",
            Stream::Bgzf(_) => "BGZF",
            Stream::Stretches(_) => {
                return StageError::new(format!("{}: it cannot be read by its index: {error}", self.file.shown))
                    .with_hint("Make the index again with `bcftools index --force`, or remove it.");
            }
        };
        let what = if error.kind() == io::ErrorKind::UnexpectedEof { "cut off" } else { "damaged" };
        let bytes = self.progress.bytes();
        StageError::new(format!(
            "{}: the {compression} data are {what} within the first {bytes} bytes ({error})",
            self.file.shown
        ))
        .with_hint("Deliver the file again; nothing of it was loaded.")
    }

    /// At the end of the data: a BGZF file ends with its end-of-file block, and nothing follows its last block.
    fn check_complete(&self) -> Result<(), StageError> {
        let Stream::Bgzf(reader) = &self.stream else { return Ok(()) };
        let (blocks_end, end) = (reader.position(), self.progress.bytes());
        if blocks_end != end {
            return Err(StageError::new(format!(
                "{}: the BGZF data are cut off or damaged: the last whole block ends at byte {blocks_end} of {end}",
                self.file.shown
            ))
            .with_hint("Deliver the file again; nothing of it was loaded."));
        }
        if !self.allow_missing_eof && !self.progress.ends_with_end_block() {
            return Err(missing_end_block(&self.file.shown, end));
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    Gzip,
    Bgzf,
}

impl Kind {
    /// Recognises a container by its first bytes (RFC 1952; SAM 1.6, section 4.1).
    fn of(magic: &[u8], file: &str, format: &Format) -> Result<Kind, StageError> {
        let foreign = [
            (&b"BZh"[..], "bzip2"),
            (b"\x28\xb5\x2f\xfd", "Zstandard"),
            (b"\xfd7zXZ\0", "xz"),
            (b"PK\x03\x04", "ZIP"),
            (b"CRAM", "CRAM"),
        ];
        match magic {
            [] => Err(StageError::new(format!("{file} is empty (0 bytes): it has no {}", format.header)).with_hint(
                "A drop without records is a file of a header alone; an empty file is taken for a failed delivery.",
            )),
            _ if bgzf::is_block(magic) => Ok(Kind::Bgzf),
            [0x1f, 0x8b, ..] => Ok(Kind::Gzip),
            _ => match foreign.iter().find(|(start, _)| magic.starts_with(start)) {
                Some((_, name)) => Err(StageError::new(format!("{file} is a {name} file, not {}", format.name))
                    .with_hint(format!("Deliver it as {}.", format.forms))),
                None => Ok(Kind::Plain),
            },
        }
    }
}

/// Looks at a file's last bytes before anything of it is read.
fn check_end_block(path: &Path, file: &str) -> Result<(), StageError> {
    let looked = || -> io::Result<(u64, bool)> {
        let mut opened = File::open(path)?;
        Ok((opened.metadata()?.len(), bgzf::ends_whole(&mut opened)?))
    };
    match looked() {
        Ok((_, true)) => Ok(()),
        Ok((length, false)) => Err(missing_end_block(file, length)),
        Err(error) => Err(StageError::new(format!("cannot read {file}: {error}"))),
    }
}

fn missing_end_block(file: &str, length: u64) -> StageError {
    StageError::new(format!(
        "{file} is cut off: its {length} bytes do not end with the BGZF end-of-file block, so records may be missing"
    ))
    .with_hint(
        "Deliver the file again. If its writer leaves that block out and the file is complete, set `allow_missing_eof = true`.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const VCF: Format = Format { name: "VCF", forms: "plain text", header: "VCF header" };

    #[test]
    fn recognises_containers() {
        assert_eq!(Kind::of(&bgzf::END_BLOCK, "x", &VCF).ok(), Some(Kind::Bgzf));
        assert_eq!(Kind::of(b"\x1f\x8b\x08\x00\x00\x00", "x", &VCF).ok(), Some(Kind::Gzip));
        assert_eq!(Kind::of(b"##fileformat", "x", &VCF).ok(), Some(Kind::Plain));
        assert_eq!(Kind::of(b"BCF\x02\x02", "x", &VCF).ok(), Some(Kind::Plain));
        let message = |magic| Kind::of(magic, "x.vcf", &VCF).expect_err("foreign").message;
        assert!(message(b"BZh91AY").contains("bzip2"));
        assert!(message(b"").contains("x.vcf is empty"));
    }
}
