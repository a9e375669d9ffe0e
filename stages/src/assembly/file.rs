//! An assembly that a file describes: `.fai`, `.dict` (SAM 1.6, section 1.3: `@SQ`), or names and lengths separated by tabs.
//!
//! The file's names are canonical. `chr` and the names of the mitochondrion are folded where that is unambiguous; a `.dict`
//! may list alternative names (`AN`).

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::Path,
};

use vardelta_engine::contract::side_input;

use super::Assembly;

/// The names that files give the mitochondrion.
const MITOCHONDRION: [&str; 4] = ["chrM", "M", "MT", "chrMT"];

/// Whether a text is the path of such a file rather than the name of an assembly.
pub(super) fn is_path(text: &str) -> bool {
    const EXTENSIONS: [&str; 5] = [".fai", ".dict", ".tsv", ".txt", ".sizes"];
    text.contains(['/', '\\']) || EXTENSIONS.iter().any(|extension| text.to_ascii_lowercase().ends_with(extension))
}

/// Reads such a file; what is wrong with it is said with its line.
pub(super) fn read(path: &Path) -> Result<Assembly, String> {
    let shown = path.display();
    let unreadable = |error: io::Error| format!("cannot read the assembly {shown}: {error}");
    let text = String::from_utf8(side_input::read(path).map_err(unreadable)?)
        .map_err(|error| unreadable(io::Error::new(io::ErrorKind::InvalidData, error)))?;
    let mut contigs: Vec<(String, u64)> = Vec::new();
    let mut spellings = HashMap::new();
    let mut alternatives = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let place = |what: &str| format!("{shown}:{}: {what}", at + 1);
        if line.trim().is_empty() || line.starts_with('#') || (line.starts_with('@') && !line.starts_with("@SQ\t")) {
            continue;
        }
        let (name, length, others) = match line.strip_prefix("@SQ\t") {
            Some(fields) => {
                let field = |tag: &str| fields.split('\t').find_map(|field| field.strip_prefix(tag));
                (field("SN:"), field("LN:"), field("AN:").unwrap_or_default())
            }
            None => {
                let mut columns = line.split('\t');
                (columns.next(), columns.next(), "")
            }
        };
        let name = name.map(str::trim).filter(|name| !name.is_empty()).ok_or_else(|| place("no contig name"))?;
        let length = length.and_then(|length| length.trim().parse::<u64>().ok()).filter(|length| *length > 0);
        let length = length.ok_or_else(|| place(&format!("no length of contig {name}")))?;
        if spellings.insert(name.to_owned(), contigs.len()).is_some() {
            return Err(place(&format!("contig {name} is named for the second time")));
        }
        alternatives.extend(others.split(',').filter(|other| !other.is_empty()).map(|other| (other, contigs.len())));
        contigs.push((name.to_owned(), length));
    }
    if contigs.is_empty() {
        return Err(format!("the assembly {shown} names no contigs"));
    }
    let mut offered: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, (name, _)) in contigs.iter().enumerate() {
        let other = name.strip_prefix("chr").map_or_else(|| format!("chr{name}"), str::to_owned);
        offered.entry(other).or_default().push(at);
        if MITOCHONDRION.contains(&name.as_str()) {
            for other in MITOCHONDRION {
                offered.entry(other.to_owned()).or_default().push(at);
            }
        }
    }
    for (other, at) in alternatives {
        offered.entry(other.to_owned()).or_default().push(at);
    }
    for (spelling, mut meant) in offered {
        meant.dedup();
        // A name of the file's own means itself, and a spelling that two contigs could claim means neither.
        if let ([at], false) = (meant.as_slice(), spellings.contains_key(&spelling) || spelling.is_empty()) {
            spellings.insert(spelling, *at);
        }
    }
    Ok(Assembly { name: shown.to_string(), contigs, spellings, twins: None })
}
