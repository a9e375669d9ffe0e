//! Genotype columns: each sample's two alleles are drawn by the record's frequencies (Hardy-Weinberg).

use super::{
    Settings,
    random::Random,
    sites::Site,
    text::{number, put},
};

/// Appends FORMAT and the samples, if the drop has any.
pub fn write(line: &mut Vec<u8>, settings: &Settings, site: &Site, random: &mut Random) {
    if settings.samples == 0 {
        return;
    }
    put(line, "\tGT:DP:GQ:AD");
    for _ in 0..settings.samples {
        line.push(b'\t');
        // Two of a hundred genotypes are missing.
        if random.chance(0.02) {
            put(line, "./.:.:.:.");
            continue;
        }
        let (one, two) = (allele(site, random), allele(site, random));
        let (low, high) = (one.min(two), one.max(two));
        number(line, low);
        line.push(b'/');
        number(line, high);
        line.push(b':');
        let depth = 10 + random.below(60);
        number(line, depth);
        line.push(b':');
        number(line, 20 + random.below(80));
        line.push(b':');
        for at in 0..=site.alternates.count() as u64 {
            if at > 0 {
                line.push(b',');
            }
            let copies = u64::from(low == at) + u64::from(high == at);
            number(line, depth * copies / 2);
        }
    }
}

/// An allele by its frequency: 0 is the reference.
fn allele(site: &Site, random: &mut Random) -> u64 {
    let mut left = random.unit();
    for (at, frequency) in site.frequencies.iter().enumerate() {
        left -= frequency;
        if left < 0.0 {
            return at as u64 + 1;
        }
    }
    0
}
