//! Drops as files: VCF text, plain or compressed.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use crate::record::Line;

/// The header of every random drop, without its two samples.
pub const HEADER: &str = "##fileformat=VCFv4.3\n\
    ##INFO=<ID=DP,Number=1,Type=Integer,Description=\"Depth\">\n\
    ##INFO=<ID=AF,Number=A,Type=Float,Description=\"Frequency\">\n\
    ##INFO=<ID=CLNSIG,Number=.,Type=String,Description=\"Significance\">\n\
    ##INFO=<ID=ANN,Number=.,Type=String,Description=\"Functional annotations: 'Allele | Annotation | …'\">\n\
    #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Text.
    Plain,
    /// One gzip member.
    Gzip,
    /// Blocked gzip.
    Bgzf,
}

impl Packing {
    /// All of them.
    pub const ALL: [Packing; 3] = [Packing::Plain, Packing::Gzip, Packing::Bgzf];

    /// What a file of this packing is called.
    fn extension(self) -> &'static str {
        match self {
            Packing::Plain => "vcf",
            Packing::Gzip | Packing::Bgzf => "vcf.gz",
        }
    }

    /// Packs a text.
    pub fn pack(self, text: &[u8]) -> Vec<u8> {
        let packed = match self {
            Packing::Plain => Ok(text.to_vec()),
            Packing::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(text).and_then(|()| encoder.finish())
            }
            Packing::Bgzf => {
                let mut encoder = noodles_bgzf::io::Writer::new(Vec::new());
                encoder.write_all(text).and_then(|()| encoder.finish())
            }
        };
        packed.expect("memory takes every byte")
    }
}

/// The text of a drop, with samples.
pub fn text(lines: &[Line], padding: usize) -> String {
    let mut text = HEADER.replace("\tINFO\n", "\tINFO\tFORMAT\ts1\ts2\n");
    for line in lines {
        text.push_str(&line.text(padding));
        text.push('\n');
    }
    text
}

/// Writes a drop into a directory, in place of what lies there under its name. Returns the file.
pub fn write(directory: &Path, name: &str, text: &str, packing: Packing) -> PathBuf {
    remove(directory, name);
    let path = directory.join(format!("{name}.{}", packing.extension()));
    std::fs::write(&path, packing.pack(text.as_bytes())).expect("the drop can be written");
    path
}

/// Removes a drop's file, however it is packed.
pub fn remove(directory: &Path, name: &str) {
    for packing in Packing::ALL {
        let _ = std::fs::remove_file(directory.join(format!("{name}.{}", packing.extension())));
    }
}
