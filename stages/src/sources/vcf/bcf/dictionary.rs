//! The names that BCF records refer to by number (VCF 4.3, section 6.2.1): strings and contigs of the header, in order of
//! appearance or by their `IDX`.

use crate::sources::vcf::meta;

/// More names than this no header has; a larger `IDX` is ignored rather than made room for.
const MOST_NAMES: usize = 1 << 24;

/// A name and whether the header types it as a flag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Name {
    /// The name.
    pub text: String,
    /// Whether it is an INFO flag: its value is not written.
    pub is_flag: bool,
}

/// Names by number.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    strings: Vec<Option<Name>>,
    contigs: Vec<Option<Name>>,
}

impl Dictionary {
    /// Reads the dictionaries of a header's text.
    pub fn parse(text: &[u8]) -> Dictionary {
        let mut dictionary = Dictionary::default();
        // PASS has number 0 whether the header defines it or not.
        put(&mut dictionary.strings, "PASS", None);
        for line in String::from_utf8_lossy(text).lines() {
            let Some((key, value)) = line.strip_prefix("##").and_then(|line| line.split_once('=')) else {
                continue;
            };
            let list = match key {
                "INFO" | "FORMAT" | "FILTER" => &mut dictionary.strings,
                "contig" => &mut dictionary.contigs,
                _ => continue,
            };
            let Some(fields) = meta::fields(value) else { continue };
            let Some(id) = meta::field(&fields, "ID") else { continue };
            let index = meta::field(&fields, "IDX").and_then(|index| index.parse().ok());
            let name = put(list, id, index);
            if let Some(name) = name
                && key == "INFO"
            {
                name.is_flag = meta::field(&fields, "Type") == Some("Flag");
            }
        }
        dictionary
    }

    /// The filter, INFO or FORMAT name with this number.
    pub fn string(&self, index: i32) -> Option<&Name> {
        self.strings.get(usize::try_from(index).ok()?)?.as_ref()
    }

    /// The contig with this number.
    pub fn contig(&self, index: i32) -> Option<&str> {
        self.contigs.get(usize::try_from(index).ok()?)?.as_ref().map(|name| name.text.as_str())
    }
}

/// Puts a name at its number: the given one, else that of the same name, else the next.
fn put<'a>(list: &'a mut Vec<Option<Name>>, id: &str, index: Option<usize>) -> Option<&'a mut Name> {
    let index = match index {
        Some(index) => index,
        None => list.iter().position(|name| name.as_ref().is_some_and(|name| name.text == id)).unwrap_or(list.len()),
    };
    if index >= MOST_NAMES {
        return None;
    }
    if index >= list.len() {
        list.resize(index + 1, None);
    }
    Some(list[index].get_or_insert_with(|| Name { text: id.to_string(), is_flag: false }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_names_by_appearance_or_index() {
        let dictionary = Dictionary::parse(
            b"##fileformat=VCFv4.2\n##FILTER=<ID=q10,Description=\"x\">\n##INFO=<ID=DP,Number=1,Type=Integer>\n\
              ##FORMAT=<ID=DP,Number=1,Type=Integer>\n##INFO=<ID=DB,Number=0,Type=Flag>\n\
              ##FILTER=<ID=PASS,Description=\"x\">\n##FORMAT=<ID=GT,IDX=9>\n##contig=<ID=b,IDX=1>\n##contig=<ID=a,IDX=0>\n",
        );
        let name = |index| dictionary.string(index).map(|name| (name.text.as_str(), name.is_flag));
        assert_eq!(name(0), Some(("PASS", false)));
        assert_eq!(name(1), Some(("q10", false)));
        assert_eq!(name(2), Some(("DP", false)));
        assert_eq!(name(3), Some(("DB", true)));
        assert_eq!(name(4), None);
        assert_eq!(name(9), Some(("GT", false)));
        assert_eq!(name(-1), None);
        assert_eq!((dictionary.contig(0), dictionary.contig(1), dictionary.contig(2)), (Some("a"), Some("b"), None));
    }
}
