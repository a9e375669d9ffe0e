//! Records of called variants, one line each.

use super::{
    CONTIGS, Settings, annotation, clinvar, frequency,
    line::{Placed, alternates},
    random::Random,
    samples,
    sites::{Alternates, Site, site},
    text::{hundredths, number, put, put_all},
};

/// Appends record `index`; says where it lies, for an index: its contig, first and last base.
pub fn write(line: &mut Vec<u8>, settings: &Settings, index: u64) -> Placed {
    let site = site(settings, index);
    let name = CONTIGS[site.gene.contig].name;
    let mut values = Random::of(&[40, settings.seed, site.id, settings.edition]);
    let is_broken = || Random::of(&[41, settings.seed, settings.drop, index]).chance(settings.broken_share);
    let broken = settings.broken_share > 0.0 && is_broken();
    if broken {
        write_broken(line, &site, name, &mut values);
        return Placed { contig: site.gene.contig, start: site.position, end: site.position, broken };
    }
    put(line, name);
    line.push(b'\t');
    number(line, site.position);
    line.extend_from_slice(b"\trs");
    number(line, 1_000_000 + site.id);
    line.push(b'\t');
    site.reference.put(line);
    line.push(b'\t');
    alternates(line, &site.alternates);
    line.push(b'\t');
    let passes = !values.chance(0.05);
    hundredths(line, if passes { 2_000 + values.below(8_000) } else { values.below(2_000) });
    put(line, if passes { "\tPASS\tDP=" } else { "\tq20\tDP=" });
    number(line, 5 + values.below(300));
    put(line, ";AF=");
    for (at, value) in site.frequencies.iter().enumerate() {
        if at > 0 {
            line.push(b',');
        }
        frequency::write(line, *value);
    }
    let mut end = site.position + site.reference.len() as u64 - 1;
    if let Alternates::Symbolic(kind, length) = site.alternates {
        let negative = if kind == "DEL" { "-" } else { "" };
        let spans = if kind == "INS" { 0 } else { length };
        end = site.position + spans;
        put_all(line, &[";SVTYPE=", kind, ";END="]);
        number(line, end);
        put_all(line, &[";SVLEN=", negative]);
        number(line, length);
    }
    annotation::write(line, settings.annotations, &site);
    // The same share of variants has a record in the generated ClinVar.
    if clinvar::has_record(settings.seed, &site) {
        put_all(line, &[";CLNSIG=", clinvar::significance(settings.seed, &site, 0)]);
    }
    samples::write(line, settings, &site, &mut values);
    line.push(b'\n');
    Placed { contig: site.gene.contig, start: site.position, end, broken }
}

/// A line as it comes out of spreadsheets and broken scripts: a rounded position, a missing column, a word for a number, an
/// allele that is none.
fn write_broken(line: &mut Vec<u8>, site: &Site, name: &str, random: &mut Random) {
    put_all(line, &[name, "\t"]);
    match random.below(4) {
        0 => put(line, &format!("{:.4E}\t.\tA\tC\t50\tPASS\tDP=10", site.position as f64)),
        1 => {
            number(line, site.position);
            put(line, "\t.\tA\tC");
        }
        2 => {
            number(line, site.position);
            put(line, "\t.\tA\tC\thigh\tPASS\tDP=10");
        }
        _ => {
            number(line, site.position);
            put(line, "\t.\tA\tnone?\t50\tPASS\tDP=10");
        }
    }
    line.push(b'\n');
}
