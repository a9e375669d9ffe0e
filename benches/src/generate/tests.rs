use std::{collections::BTreeMap, error::Error, fs, io::Read as _};

use super::{Expected, Packing, Spread, change, history, padded};

type Result = std::result::Result<(), Box<dyn Error>>;
/// Chromosome, position, reference and alternates.
type Key = (String, u64, String, String);

/// The records' qualities and whether they pass, by key; their number, and bytes per line.
type Read = (BTreeMap<Key, (String, bool)>, u64, usize);

fn read(text: &str) -> std::result::Result<Read, Box<dyn Error>> {
    let mut records = BTreeMap::new();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    for line in &lines {
        let fields: Vec<&str> = line.split('\t').collect();
        assert_eq!(fields.len(), 8, "{line}");
        for entry in fields[7].split(';').filter_map(|field| field.strip_prefix("ANN=")).flat_map(|ann| ann.split(','))
        {
            assert_eq!(entry.split('|').count(), 16, "{entry}");
        }
        let key = (fields[0].to_owned(), fields[1].parse()?, fields[3].to_owned(), fields[4].to_owned());
        records.insert(key, (fields[5].to_owned(), fields[6] == "PASS"));
    }
    let bytes: usize = lines.iter().map(|line| line.len() + 1).sum();
    Ok((records, lines.len() as u64, bytes / lines.len()))
}

fn rows<'a>(records: impl Iterator<Item = &'a Key>) -> u64 {
    records.map(|key| key.3.split(',').count() as u64).sum()
}

#[test]
fn a_history_has_distinct_keys_and_the_rows_it_says() -> Result {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("history.vcf");
    let expected = history(&path, Packing::Plain, 5_000)?;
    let (records, lines, line_bytes) = read(&fs::read_to_string(&path)?)?;
    assert_eq!((records.len() as u64, lines), (5_000, 5_000));
    let passing = || records.iter().filter(|(_, (_, passes))| *passes).map(|(key, _)| key);
    assert_eq!(expected.filtered, 5_000 - passing().count() as u64);
    assert_eq!(expected.inserted, rows(passing()));
    assert_eq!(expected.genes, passing().count() as u64, "5,000 sites have a gene each");
    assert!((150..250).contains(&line_bytes), "{line_bytes}");
    assert!((200..300).contains(&expected.filtered), "{expected:?}");
    Ok(())
}

#[test]
fn a_change_touches_old_and_new_keys() -> Result {
    let directory = tempfile::tempdir()?;
    let (old, new) = (directory.path().join("history.vcf"), directory.path().join("change.vcf"));
    history(&old, Packing::Plain, 4_000)?;
    let expected = change(&new, Packing::Plain, Spread::Genome, 400, 4_000)?;
    let (old, ..) = read(&fs::read_to_string(&old)?)?;
    let (new, lines, _) = read(&fs::read_to_string(&new)?)?;
    assert_eq!(lines, 400);
    let known = new.keys().filter(|key| old.contains_key(*key)).count();
    assert_eq!(known, 200);
    let passes =
        |records: &BTreeMap<Key, (String, bool)>, key: &Key| records.get(key).is_some_and(|(_, passes)| *passes);
    let (updated, inserted): (Vec<&Key>, Vec<&Key>) =
        new.keys().filter(|key| passes(&new, key)).partition(|key| passes(&old, key));
    assert!(updated.iter().all(|key| old[*key].0 != new[*key].0), "every known key has another quality");
    let (updated, inserted) = (rows(updated.into_iter()), rows(inserted.into_iter()));
    let filtered = new.values().filter(|(_, passes)| !passes).count() as u64;
    assert_eq!(expected, Expected { records: 400, filtered, inserted, updated, genes: 0 });
    Ok(())
}

#[test]
fn both_packings_hold_the_same_text() -> Result {
    let directory = tempfile::tempdir()?;
    let (plain, packed) = (directory.path().join("a.vcf"), directory.path().join("a.vcf.gz"));
    assert_eq!(history(&plain, Packing::Plain, 2_000)?, history(&packed, Packing::Bgzf, 2_000)?);
    let mut text = String::new();
    noodles_bgzf::io::Reader::new(fs::File::open(packed)?).read_to_string(&mut text)?;
    assert_eq!(text, fs::read_to_string(plain)?);
    Ok(())
}

#[test]
fn numbers_are_padded() {
    for (value, digits, expected) in
        [(0, 1, "0"), (7, 3, "007"), (1_234, 2, "1234"), (u64::MAX, 1, "18446744073709551615")]
    {
        let mut line = Vec::new();
        padded(&mut line, value, digits);
        assert_eq!(line, expected.as_bytes());
    }
}
