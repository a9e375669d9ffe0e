//! The options of a `vcf` source.

use std::path::PathBuf;

use vardelta_engine::options;
use vardelta_engine::{
    choices,
    contract::{
        options::{NamedTexts, OptionReader, OptionValue, Spanned, wrong_type},
        stage::PipelineSettings,
    },
    diagnostics::Diagnostics,
    spec::{Node, Value},
};
use vardelta_schemas::Number;

use crate::{
    columns::is_identifier,
    sources::{
        shared::{files::PathGlob, naming::DropNaming},
        vcf::{
            cohort::SampleRules,
            kind::{ValueKind, number_from_text},
            ped::PedigreeFile,
            regions::Region,
            sex::PseudoAutosomal,
        },
    },
};

options! {
    /// Options of `vcf`.
    pub struct VcfOptions {
        /// The files, as a glob relative to the pipeline file (`drops/*.vcf.gz`, `drops/**/*.{vcf,vcf.gz}`). A run loads
        /// what is new or changed here; without it, files are named on the command line. Hidden files, indexes, checksums
        /// and copies that are not complete (`.part`, `.tmp`, …) are left alone.
        "path" => path: Option<Spanned<PathGlob>> = None, "\"\"",
        /// What drops are called: a text with `{stem}` (the file's name without extensions), `{name}` (with them),
        /// `{parent}` and `{grandparent}` (its folders), such as `"{parent}_{stem}"`; or
        /// `{ match = 'runs/(?<sample>[^/]+)/', name = "{sample}" }`, where `match` is a regular expression that is looked
        /// for in the path from the pipeline file's directory. A file that is loaded keeps its name.
        "drop_name" => drop_name: Option<DropNaming> = None, "\"{stem}\"",
        /// The name of a further column, the last, that holds the name of the row's drop.
        "drop_column" => drop_column: Option<Spanned<String>> = None, "none",
        /// INFO fields to read, each into a column `info_<name in lower case>`: names, or tables such as
        /// `{ name = "AF", type = "Float", number = "A" }` with type Integer, Float, Flag, String or Character and
        /// number as in a VCF header. A bare name is typed by the specification's reserved keys, and is the raw text
        /// otherwise. A type without number means one value; a number without type means text. Percent-encoding is
        /// decoded from VCF 4.3 on, but in a field whose header lists parts between `|`: `annotations` decodes those.
        /// `as` names the column: `{ name = "dp", as = "lower_dp" }` beside `"DP"`, whose columns would have one name.
        "info" => info: Vec<FieldOption> = Vec::new(), "[]",
        /// `none`: one row per record; `long`: one row per record and sample, with the columns `sample`, `zygosity`,
        /// `ploidy`, `phased`, `allele_count`, `gt`, `dp`, `gq` and `ad`.
        "samples" => samples: Samples = Samples::None, "\"none\"",
        /// FORMAT fields to read with `samples = "long"` beyond GT, DP, GQ and AD, each into a column of its name in
        /// lower case; written like the items of `info`, `as` included. A table for GQ, DP or AD says how that column is read
        /// (`{ name = "GQ", type = "Float" }`, as freebayes writes it), or, with `as`, makes a column beside it.
        "format" => format: Vec<FieldOption> = Vec::new(), "[]",
        /// Read only records that overlap these regions: `"chr7"`, `"chr7:55019017"`, `"chr7:55019017-"` or
        /// `"chr7:55019017-55211628"`, 1-based and inclusive. Contigs in any spelling where `assembly` is given; one whose
        /// name holds colons in braces (`"{HLA-A*01:01}:1-100"`).
        "regions" => regions: Vec<RegionOption> = Vec::new(), "[]",
        /// The same from a BED file (0-based, end not included; `.gz` too), relative to the pipeline file. With
        /// `regions` both count.
        "regions_file" => regions_file: Option<PathBuf> = None, "none",
        /// Columns that hold a value of the header, the same in every row of a drop: `{ release = "fileDate" }` makes the text
        /// column `release` of the line `##fileDate=2026-11-02` (ClinVar's release). NULL where the header has no such
        /// line; of several the first counts.
        "header_columns" => header_columns: NamedTexts = NamedTexts::default(), "{}",
        /// What becomes of records on contigs that the pipeline's `assembly` does not have (alternate and unplaced
        /// sequences, decoys): `keep` loads them under the name that the file writes, `reject` rejects them
        /// (`unknown_contig`).
        "unknown_contigs" => unknown_contigs: Spanned<UnknownContigs> = Spanned { value: UnknownContigs::Keep, span: 0..0 }, "\"keep\"",
        /// The samples to read with `samples = "long"`, by the names in the files' headers; without it all of them. One
        /// that a file does not have is counted (`sample_not_in_file`).
        "include_samples" => include_samples: Vec<Spanned<String>> = Vec::new(), "[]",
        /// Other names for samples, as a table `"name in the file" = "name in the rows"`. A file in which two samples
        /// would have one name is refused.
        "rename_samples" => rename_samples: NamedTexts = NamedTexts::default(), "{}",
        /// A PED file, relative to the pipeline file, that has the samples' sex: adds the column `sex`, and decides
        /// how genotypes on X and Y are read. Individuals go by the rows' sample names.
        "ped" => ped: Option<Spanned<PathBuf>> = None, "none: sex is unknown",
        /// Whether a BGZF file may lack the end-of-file block. Such a file may have been cut off.
        "allow_missing_eof" => allow_missing_eof: bool = false, "false",
    }
}

choices! {
    /// What becomes of a record's samples.
    pub enum Samples {
        /// They are left out.
        None = "none",
        /// One row per record and sample.
        Long = "long",
    }
}

choices! {
    /// What becomes of records on contigs that the assembly does not have.
    pub enum UnknownContigs {
        /// They are loaded under the name that the file writes.
        Keep = "keep",
        /// They are rejected.
        Reject = "reject",
    }
}

/// A region to read.
#[derive(Clone, Debug)]
pub struct RegionOption(pub(super) Region);

impl OptionValue for RegionOption {
    const EXPECTS: &'static str = "a region such as \"chr7:55019017-55211628\"";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let text = String::read(node, diagnostics)?;
        match Region::parse(&text) {
            Ok(region) => Some(RegionOption(region)),
            Err(problem) => {
                diagnostics
                    .error(node.span.clone(), format!("`{text}` is no region: {problem}"))
                    .hint("Write `contig`, `contig:position` or `contig:start-end`, 1-based and inclusive.");
                None
            }
        }
    }

    fn json_schema() -> String {
        r#"{"type":"string"}"#.into()
    }
}

impl VcfOptions {
    /// What the options say of samples; reports what nobody would read.
    pub(super) fn sample_rules(
        &self,
        pipeline: &PipelineSettings,
        diagnostics: &mut Diagnostics,
    ) -> Option<SampleRules> {
        let renamed = &self.rename_samples.0;
        let unread = [
            self.include_samples.first().map(|name| ("include_samples", &name.span)),
            renamed.first().map(|(name, _)| ("rename_samples", &name.span)),
            self.ped.as_ref().map(|path| ("ped", &path.span)),
        ];
        if self.samples == Samples::None {
            let mut sound = true;
            for (option, span) in unread.into_iter().flatten() {
                sound = false;
                diagnostics
                    .error(span.clone(), format!("`{option}` is about samples, and samples are left out"))
                    .hint(format!("Add `samples = \"long\"`, or remove `{option}`."));
            }
            return sound.then(SampleRules::default);
        }
        for (from, to) in renamed.iter().filter(|(_, to)| to.value.trim().is_empty()) {
            diagnostics.error(to.span.clone(), format!("the new name of `{}` is empty", from.value));
        }
        Some(SampleRules {
            include: self.include_samples.iter().map(|name| name.value.clone()).collect(),
            rename: renamed.iter().map(|(from, to)| (from.value.clone(), to.value.clone())).collect(),
            pedigree: self.ped.as_ref().map(|path| PedigreeFile::new(pipeline.resolve(&path.value))),
            regions: pipeline.assembly.as_ref().map(|assembly| assembly.value.as_str()).and_then(PseudoAutosomal::of),
        })
    }
}

/// An INFO or FORMAT field to read.
#[derive(Clone, Debug)]
pub struct FieldOption {
    /// Its key, as the file writes it.
    pub name: Spanned<String>,
    /// Its type, where the pipeline file says so.
    pub kind: Option<ValueKind>,
    /// How many values it has, where the pipeline file says so.
    pub number: Option<Number>,
    /// The column's name, where the pipeline file says so.
    pub column: Option<Spanned<String>>,
}

impl OptionValue for FieldOption {
    const EXPECTS: &'static str =
        "a field's name, or a table such as { name = \"AF\", type = \"Float\", number = \"A\" }";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let option = match &node.value {
            Value::Text(_) => {
                FieldOption { name: Spanned::read(node, diagnostics)?, kind: None, number: None, column: None }
            }
            Value::Table(entries) => {
                let mut reader = OptionReader::new("a field".into(), node.span.clone(), entries.iter());
                let name = reader.required::<Spanned<String>>("name", diagnostics);
                let kind = reader.optional::<Option<ValueKind>>("type", None, diagnostics);
                let number = reader.optional::<Option<FieldNumber>>("number", None, diagnostics);
                let column = reader.optional::<Option<Spanned<String>>>("as", None, diagnostics);
                reader.finish(diagnostics);
                FieldOption { name: name?, kind: kind?, number: number?.map(|number| number.0), column: column? }
            }
            _ => return wrong_type(node, Self::EXPECTS, diagnostics),
        };
        if !is_key(&option.name.value) {
            diagnostics
                .error(option.name.span.clone(), format!("`{}` cannot be the name of a VCF field", option.name.value))
                .hint("A name has at least one character and no white space, `;`, `:`, `,` or `=`.");
            return None;
        }
        if let Some(column) = option.column.as_ref().filter(|column| !is_identifier(&column.value)) {
            diagnostics
                .error(column.span.clone(), format!("`{}` cannot be the name of a column", column.value))
                .hint("A name is made of the letters A to Z, digits and `_`, and does not begin with a digit.");
            return None;
        }
        if let (Some(kind), Some(number)) = (option.kind, option.number)
            && (kind == ValueKind::Flag) != (number == Number::Count(0))
        {
            diagnostics
                .error(node.span.clone(), "a Flag has number 0, and nothing else has")
                .hint("Leave `number` out, or change the type.");
            return None;
        }
        Some(option)
    }

    fn json_schema() -> String {
        format!(
            r#"{{"anyOf":[{{"type":"string"}},{{"type":"object","required":["name"],"additionalProperties":false,"properties":{{"name":{{"type":"string"}},"type":{},"number":{},"as":{{"type":"string"}}}}}}]}}"#,
            ValueKind::json_schema(),
            FieldNumber::json_schema()
        )
    }
}

/// A key as INFO and FORMAT can hold it: nothing that separates keys, fields or values.
fn is_key(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || matches!(c, ';' | ':' | ',' | '='))
}

/// A number as a VCF header writes it.
struct FieldNumber(Number);

impl OptionValue for FieldNumber {
    const EXPECTS: &'static str = "a whole number, \"A\", \"R\", \"G\" or \".\"";

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let number = match &node.value {
            Value::Integer(count) => u32::try_from(*count).ok().map(Number::Count),
            Value::Text(text) => number_from_text(text),
            _ => return wrong_type(node, Self::EXPECTS, diagnostics),
        };
        if number.is_none() {
            diagnostics
                .error(node.span.clone(), "not a number of values")
                .hint(format!("Write {}, as a VCF header does.", Self::EXPECTS));
        }
        number.map(FieldNumber)
    }

    fn json_schema() -> String {
        r#"{"anyOf":[{"type":"integer","minimum":0},{"type":"string","pattern":"^([ARG.]|[0-9]+)$"}]}"#.into()
    }
}

#[cfg(test)]
impl Default for VcfOptions {
    fn default() -> VcfOptions {
        let reader = OptionReader::new("test".into(), 0..0, [].iter());
        VcfOptions::read(reader, &mut Diagnostics::default()).expect("every option has a default")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vardelta_engine::spec::Entry;

    fn node(value: Value) -> Node {
        Node { span: 0..1, value }
    }

    fn table(entries: &[(&str, Value)]) -> Node {
        node(Value::Table(
            entries
                .iter()
                .map(|(key, value)| Entry { key: (*key).into(), key_span: 0..1, node: node(value.clone()) })
                .collect(),
        ))
    }

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    fn read(node: &Node) -> Result<FieldOption, String> {
        let mut diagnostics = Diagnostics::default();
        let option = FieldOption::read(node, &mut diagnostics);
        let messages: Vec<String> = diagnostics.into_sorted().into_iter().map(|problem| problem.message).collect();
        option.filter(|_| messages.is_empty()).ok_or(messages.join("; "))
    }

    #[test]
    fn reads_names_and_tables() -> Result<(), String> {
        assert_eq!(read(&node(text("DP")))?.name.value, "DP");
        let field = read(&table(&[("name", text("AF")), ("type", text("Float")), ("number", text("A"))]))?;
        assert_eq!((field.kind, field.number), (Some(ValueKind::Float), Some(Number::PerAlternate)));
        let field = read(&table(&[("name", text("GQ")), ("as", text("gq_float"))]))?;
        assert_eq!(field.column.map(|column| column.value).as_deref(), Some("gq_float"));
        let field = read(&table(&[("name", text("X")), ("number", Value::Integer(2))]))?;
        assert_eq!((field.kind, field.number), (None, Some(Number::Count(2))));
        Ok(())
    }

    #[test]
    fn refuses_what_no_header_could_say() {
        let refusals = [
            (node(Value::Bool(true)), "expected a field's name"),
            (node(text("A;B")), "cannot be the name"),
            (table(&[("type", text("Float"))]), "needs `name`"),
            (table(&[("name", text("X")), ("type", text("Double"))]), "`Double` is not a choice here"),
            (table(&[("name", text("X")), ("number", text("Q"))]), "not a number of values"),
            (table(&[("name", text("X")), ("typ", text("Float"))]), "no option `typ`"),
            (table(&[("name", text("X")), ("as", text("a b"))]), "`a b` cannot be the name of a column"),
            (
                table(&[("name", text("X")), ("type", text("Flag")), ("number", Value::Integer(1))]),
                "a Flag has number 0",
            ),
        ];
        for (node, expected) in refusals {
            let message = read(&node).expect_err("should be refused");
            assert!(message.contains(expected), "{message:?} does not say {expected:?}");
        }
    }
}
