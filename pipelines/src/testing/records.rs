//! Records as a test spells them, made into a file that the source reads.

use std::collections::BTreeSet;

use vardelta_stages::sources::vcf::declaration;

/// What SnpEff's header says of `ANN`, and VEP's of `CSQ` with its defaults.
const LAYOUTS: [(&str, &str); 2] = [
    (
        "ANN",
        "Functional annotations: 'Allele | Annotation | Annotation_Impact | Gene_Name | Gene_ID | Feature_Type | Feature_ID | \
         Transcript_BioType | Rank | HGVS.c | HGVS.p | cDNA.pos / cDNA.length | CDS.pos / CDS.length | AA.pos / AA.length | \
         Distance | ERRORS / WARNINGS / INFO' ",
    ),
    (
        "CSQ",
        "Consequence annotations from Ensembl VEP. Format: Allele|Consequence|IMPACT|SYMBOL|Gene|Feature_type|Feature|\
         BIOTYPE|EXON|INTRON|HGVSc|HGVSp|cDNA_position|CDS_position|Protein_position|Amino_acids|Codons|\
         Existing_variation|DISTANCE|STRAND|FLAGS|SYMBOL_SOURCE|HGNC_ID",
    ),
];

/// A VCF of these records. Blanks between columns become tabs. The header declares the contigs, filters and fields that the
/// records use, after the lines of `header`; records that begin with their own header are left as they are.
pub fn vcf(records: &str, header: &str, samples: &[String]) -> String {
    if records.trim_start().starts_with("##") {
        return lines(records)
            .map(|line| if line.starts_with("##") { line.to_owned() } else { tabbed(line) } + "\n")
            .collect();
    }
    let rows: Vec<Vec<&str>> = lines(records).map(|line| line.split_whitespace().collect()).collect();
    let column = |at: usize| rows.iter().filter_map(move |row| row.get(at).copied());
    let parts = |at: usize, between: char| -> BTreeSet<&str> {
        column(at).flat_map(|text| text.split(between)).filter(|part| !matches!(*part, "" | "." | "PASS")).collect()
    };
    let mut text = String::from("##fileformat=VCFv4.3\n");
    let given = lines(header).map(|line| line.to_owned() + "\n").collect::<String>();
    text += &given;
    let mut declare = |line: String| {
        let id = line.split_once(',').map_or(line.as_str(), |(id, _)| id.trim_end_matches('>'));
        if !given.contains(&format!("{id},")) && !given.contains(&format!("{id}>")) {
            text += &line;
            text.push('\n');
        }
    };
    for contig in column(0).collect::<BTreeSet<_>>() {
        declare(format!("##contig=<ID={contig}>"));
    }
    for filter in parts(6, ';') {
        declare(format!("##FILTER=<ID={filter},Description=\"{filter}\">"));
    }
    let fields = column(7).flat_map(|info| info.split(';')).filter(|field| !matches!(*field, "" | "."));
    let mut seen = BTreeSet::new();
    for field in fields {
        let (key, has_value) = field.split_once('=').map_or((field, false), |(key, _)| (key, true));
        if seen.insert(key) {
            declare(field_line("INFO", key, declaration(false, key), has_value));
        }
    }
    for key in parts(8, ':') {
        declare(field_line("FORMAT", key, declaration(true, key), true));
    }
    text += "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO";
    let columns = rows.iter().map(Vec::len).max().unwrap_or(8);
    if columns > 8 {
        text += "\tFORMAT";
        for at in 0..columns.saturating_sub(9) {
            text += &format!("\t{}", samples.get(at).cloned().unwrap_or_else(|| format!("S{}", at + 1)));
        }
    }
    text.push('\n');
    for row in rows {
        text += &row.join("\t");
        text.push('\n');
    }
    text
}

fn field_line(kind: &str, key: &str, reserved: Option<(String, &'static str)>, has_value: bool) -> String {
    let layout = LAYOUTS.iter().find(|(name, _)| *name == key).map_or(key, |(_, layout)| layout);
    let plain = if has_value { (".".to_owned(), "String") } else { ("0".to_owned(), "Flag") };
    let (number, value) = reserved.unwrap_or(plain);
    format!("##{kind}=<ID={key},Number={number},Type={value},Description=\"{layout}\">")
}

/// A gene model of these lines: blanks between its first eight columns become tabs, those of the attributes stay.
pub fn gff3(records: &str) -> String {
    let line = |line: &str| {
        if line.starts_with('#') {
            return line.to_owned() + "\n";
        }
        let (mut columns, mut rest) = (Vec::new(), line.trim());
        while columns.len() < 8
            && let Some((column, after)) = rest.split_once(char::is_whitespace)
        {
            columns.push(column);
            rest = after.trim_start();
        }
        columns.push(rest);
        columns.join("\t") + "\n"
    };
    lines(records).map(line).collect()
}

/// Any other text: without the line break that a TOML text begins with.
pub fn plain(records: &str) -> String {
    let text = records.strip_prefix('\n').unwrap_or(records);
    if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

fn tabbed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join("\t")
}

#[cfg(test)]
mod tests {
    use super::{gff3, vcf};

    #[test]
    fn a_header_is_made_of_what_the_records_use() {
        let made = vcf(
            "chr1 5 . A C 50 q10;PASS DP=3;DB;X=a GT:XY 0/1:z\n",
            "##INFO=<ID=X,Number=1,Type=String,Description=\"x\">",
            &[],
        );
        let expected = [
            "##fileformat=VCFv4.3",
            "##INFO=<ID=X,Number=1,Type=String,Description=\"x\">",
            "##contig=<ID=chr1>",
            "##FILTER=<ID=q10,Description=\"q10\">",
            "##INFO=<ID=DP,Number=1,Type=Integer,Description=\"DP\">",
            "##INFO=<ID=DB,Number=0,Type=Flag,Description=\"DB\">",
            "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"GT\">",
            "##FORMAT=<ID=XY,Number=.,Type=String,Description=\"XY\">",
            "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1",
            "chr1\t5\t.\tA\tC\t50\tq10;PASS\tDP=3;DB;X=a\tGT:XY\t0/1:z",
        ];
        assert_eq!(made.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn attributes_keep_their_blanks() {
        assert_eq!(gff3("chr1 x gene 1 9 . + . ID=a;note=b c\n"), "chr1\tx\tgene\t1\t9\t.\t+\t.\tID=a;note=b c\n");
    }
}
