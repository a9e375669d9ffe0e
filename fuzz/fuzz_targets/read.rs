//! Arbitrary bytes through the reading path: an answer in bounded time and memory, never a panic.
//!
//! Seeds are texts as often as compressed files; a mutation of compressed bytes rarely gets past the checksum. So a text may
//! also be packed after its mutation: the first byte of an input says how.

#![no_main]

use std::{cell::OnceCell, io::Write as _};

use libfuzzer_sys::{Corpus, fuzz_target};
use vardelta_testreading::Reader;

thread_local! {
    static READER: OnceCell<(tempfile::TempDir, Reader)> = const { OnceCell::new() };
}

/// As it is; or a gzip member of it; or two.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("memory takes every byte");
        encoder.finish().expect("memory takes every byte")
    };
    match bytes {
        [0, rest @ ..] => gzip(rest),
        [1, rest @ ..] => {
            let (first, second) = rest.split_at(rest.len() / 2);
            [gzip(first), gzip(second)].concat()
        }
        bytes => bytes.to_vec(),
    }
}

fuzz_target!(|bytes: &[u8]| -> Corpus {
    READER.with(|reader| {
        let (_, reader) = reader.get_or_init(|| {
            let directory = tempfile::tempdir().expect("a temporary directory");
            let reader = Reader::new(directory.path()).expect("the pipelines are sound");
            (directory, reader)
        });
        reader.read(&packed(bytes)).expect("the temporary file can be written");
    });
    Corpus::Keep
});
