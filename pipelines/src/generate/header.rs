//! What comes before the data lines. The headers of VCF are written by noodles from its own model of a header.

use std::io::{self, Read as _};

use noodles_vcf::{
    self as vcf,
    header::FileFormat,
    header::record::value::{
        Map,
        map::{Contig, Filter, Format, Info, format, info},
    },
};

use super::{CONTIGS, Kind, Settings, annotation, contig_name, drugs};

/// The header of a file.
///
/// # Errors
/// When noodles refuses it.
pub fn header(settings: &Settings) -> io::Result<Vec<u8>> {
    match settings.kind {
        Kind::Genes => Ok(gff3()),
        Kind::Drugs => Ok(drugs::HEADER.into()),
        Kind::Calls => vcf_text(&calls(settings)?),
        Kind::Clinvar => vcf_text(&clinvar(settings)?),
    }
}

/// By how many bytes of its header a generated file is recognised: its fields and their descriptions, in this order.
const TELLING_BYTES: usize = 160;

/// Whether a file, plain or packed, that starts with these bytes was made here, with whatever options.
pub fn is_generated(start: &[u8]) -> bool {
    let mut text = Vec::new();
    if start.starts_with(&[0x1f, 0x8b]) {
        // What there is of the first blocks; that the last is cut off is no trouble.
        let _ = flate2::read::MultiGzDecoder::new(start).read_to_end(&mut text);
    } else {
        text.extend_from_slice(start);
    }
    let settings = |kind| Settings { kind, ..Settings::default() };
    [Kind::Calls, Kind::Clinvar, Kind::Genes, Kind::Drugs].into_iter().any(|kind| {
        let Ok(mut header) = header(&settings(kind)) else { return false };
        if kind == Kind::Drugs {
            // The columns are those of real tables, the genes are not.
            header.extend_from_slice(b"GENE0");
        }
        header.truncate(TELLING_BYTES);
        text.starts_with(&header)
    })
}

fn gff3() -> Vec<u8> {
    let mut text = String::from("##gff-version 3\n");
    for contig in &CONTIGS {
        text += &format!("##sequence-region {} 1 {}\n", contig.name, contig.length);
    }
    text.into_bytes()
}

fn vcf_text(header: &vcf::Header) -> io::Result<Vec<u8>> {
    let mut writer = vcf::io::Writer::new(Vec::new());
    writer.write_header(header)?;
    Ok(writer.into_inner())
}

type Number = info::Number;
type Type = info::Type;

fn with_info(
    builder: vcf::header::Builder,
    id: &str,
    number: Number,
    kind: Type,
    description: &str,
) -> vcf::header::Builder {
    builder.add_info(id, Map::<Info>::new(number, kind, description))
}

fn with_contigs(mut builder: vcf::header::Builder, kind: Kind) -> io::Result<vcf::header::Builder> {
    for (at, contig) in CONTIGS.iter().enumerate() {
        let length = usize::try_from(contig.length).map_err(io::Error::other)?;
        let map = Map::<Contig>::builder().set_length(length).build().map_err(io::Error::other)?;
        builder = builder.add_contig(contig_name(kind, at), map);
    }
    Ok(builder)
}

fn calls(settings: &Settings) -> io::Result<vcf::Header> {
    let mut builder = vcf::Header::builder()
        .set_file_format(FileFormat::new(4, 3))
        .add_filter("PASS", Map::<Filter>::pass())
        .add_filter("q20", Map::<Filter>::new("Quality below 20"));
    for (id, number, kind, description) in [
        ("DP", Number::Count(1), Type::Integer, "Depth"),
        ("AF", Number::AlternateBases, Type::Float, "Frequency of each alternate allele in a population"),
        ("SVTYPE", Number::Count(1), Type::String, "Type of structural variant"),
        ("END", Number::Count(1), Type::Integer, "Last base of the variant"),
        ("SVLEN", Number::Unknown, Type::Integer, "Length of the variant"),
        ("CLNSIG", Number::Unknown, Type::String, "Clinical significance"),
    ] {
        builder = with_info(builder, id, number, kind, description);
    }
    if settings.annotations.ann() {
        let description = format!("Functional annotations: '{}' ", annotation::ANN_PARTS);
        builder = with_info(builder, "ANN", Number::Unknown, Type::String, &description);
    }
    if settings.annotations.csq() {
        let description = format!("Consequence annotations from Ensembl VEP. Format: {}", annotation::CSQ_PARTS);
        builder = with_info(builder, "CSQ", Number::Unknown, Type::String, &description);
    }
    builder = with_contigs(builder, Kind::Calls)?;
    if settings.samples > 0 {
        for (id, number, kind, description) in [
            ("GT", format::Number::Count(1), format::Type::String, "Genotype"),
            ("DP", format::Number::Count(1), format::Type::Integer, "Depth"),
            ("GQ", format::Number::Count(1), format::Type::Integer, "Genotype quality"),
            ("AD", format::Number::ReferenceAlternateBases, format::Type::Integer, "Depth of each allele"),
        ] {
            builder = builder.add_format(id, Map::<Format>::new(number, kind, description));
        }
        // Each drop has people of its own.
        for sample in 0..settings.samples {
            builder = builder.add_sample_name(format!("S{:05}", settings.drop * settings.samples + sample + 1));
        }
    }
    Ok(builder.build())
}

fn clinvar(settings: &Settings) -> io::Result<vcf::Header> {
    let mut builder = vcf::Header::builder().set_file_format(FileFormat::new(4, 1));
    // A release a month, from January 2026 on.
    let (year, month) = (2026 + settings.edition / 12, 1 + settings.edition % 12);
    for (key, value) in
        [("fileDate", format!("{year}-{month:02}-01")), ("source", "ClinVar".into()), ("reference", "GRCh38".into())]
    {
        let key = key.parse().map_err(io::Error::other)?;
        builder = builder.insert(key, vcf::header::record::Value::String(value)).map_err(io::Error::other)?;
    }
    for (id, number, kind, description) in [
        ("ALLELEID", Number::Count(1), Type::Integer, "the ClinVar Allele ID"),
        ("CLNDN", Number::Unknown, Type::String, "ClinVar's preferred disease name"),
        ("CLNREVSTAT", Number::Unknown, Type::String, "ClinVar review status"),
        ("CLNSIG", Number::Unknown, Type::String, "Aggregate germline classification"),
        ("GENEINFO", Number::Count(1), Type::String, "Gene(s) for the variant, gene symbol:gene id"),
        ("RS", Number::Unknown, Type::String, "dbSNP ID"),
    ] {
        builder = with_info(builder, id, number, kind, description);
    }
    Ok(with_contigs(builder, Kind::Clinvar)?.build())
}
