//! Whether a file looks whole by what it holds: cheap signs that a copy has not come to its end. The engine judges in the end;
//! this only keeps it from looking too early.

use std::{
    fs::File,
    io::{self, BufReader, Read as _, Seek as _, SeekFrom},
    path::Path,
};

use flate2::bufread::MultiGzDecoder;
use vardelta_stages::sources::bgzf;

/// What is missing at the end of a file, in words; `None` where it looks whole. `stop` ends a long look.
///
/// # Errors
/// When it cannot be read.
pub fn missing(path: &Path, stop: &dyn Fn() -> bool) -> io::Result<Option<String>> {
    let mut file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let mut head = Vec::with_capacity(bgzf::HEADER_BYTES);
    file.by_ref().take(bgzf::HEADER_BYTES as u64).read_to_end(&mut head)?;
    match head[..] {
        [] => Ok(Some("it is empty (0 bytes)".into())),
        _ if bgzf::is_block(&head) => Ok((!bgzf::ends_whole(&mut file)?).then(|| {
            format!("its {bytes} bytes do not end with the BGZF end-of-file block, so records may be missing")
        })),
        [0x1f, 0x8b, ..] => gzip(file, bytes, stop),
        // Binary formats have no last line; whether one is whole only its reader can say.
        _ if head.starts_with(b"BCF\x02") || head.contains(&0) => Ok(None),
        _ => {
            file.seek(SeekFrom::Start(bytes.saturating_sub(1)))?;
            let mut last = Vec::with_capacity(1);
            file.take(1).read_to_end(&mut last)?;
            Ok((last != b"\n").then(|| format!("its last line, at byte {bytes}, does not end with a newline")))
        }
    }
}

/// Only decompressing it to its end shows whether the trailer is there and right.
fn gzip(mut file: File, bytes: u64, stop: &dyn Fn() -> bool) -> io::Result<Option<String>> {
    file.rewind()?;
    let mut decoder = MultiGzDecoder::new(BufReader::with_capacity(1 << 18, file));
    let mut buffer = vec![0; 1 << 18];
    loop {
        match decoder.read(&mut buffer) {
            Ok(0) => return Ok(None),
            Ok(_) if stop() => return Ok(Some("it was not read to its end".into())),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Ok(Some(format!("its {bytes} bytes of gzip data are cut off")));
            }
            // Damage is for the engine to find.
            Err(_) => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn look(bytes: &[u8]) -> Option<String> {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(bytes).expect("it can be written");
        missing(file.path(), &|| false).expect("it can be read")
    }

    #[test]
    fn a_file_that_ends_early_is_seen_for_what_it_is() {
        assert_eq!(look(b"##fileformat=VCFv4.2\n"), None);
        assert!(look(b"##fileformat=VCFv4.2\n1\t5").is_some_and(|why| why.contains("newline")));
        assert!(look(b"").is_some_and(|why| why.contains("empty")));
        assert_eq!(look(b"BCF\x02\x02\x00\x01"), None);

        let mut bgzf = noodles_bgzf::io::Writer::new(Vec::new());
        bgzf.write_all(b"##fileformat=VCFv4.2\n").expect("memory");
        let bgzf = bgzf.finish().expect("memory");
        assert_eq!(look(&bgzf), None);
        for cut in [1, 5, 28, 30] {
            assert!(look(&bgzf[..bgzf.len() - cut]).is_some_and(|why| why.contains("BGZF")), "{cut}");
        }

        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&b"some text that is long enough\n".repeat(100)).expect("memory");
        let gzip = gzip.finish().expect("memory");
        assert_eq!(look(&gzip), None);
        for cut in [1, 8, 9, 30] {
            assert!(look(&gzip[..gzip.len() - cut]).is_some_and(|why| why.contains("cut off")), "{cut}");
        }
    }
}
