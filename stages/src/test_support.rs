//! What the transforms' tests share: planning a stage from options, batches from VCF text, batches as text.

use std::{
    any::Any,
    io::Read as _,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use arrow_array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, ListArray, RecordBatch, StringArray,
    builder::{Float64Builder, Int64Builder, ListBuilder, StringBuilder},
};
use vardelta_engine::{
    contract::{
        batch::{Batch, Place, Provenance},
        options::OptionReader,
        source::{Chunk, InputFile},
        stage::{Emit, PipelineSettings, PlanRequest, Planned, PlannedInput, StageType, Transform},
    },
    diagnostics::{Diagnostic, Diagnostics},
    expression::functions::Functions,
    spec::{Entry, Node, SpecFile, Value},
};
use vardelta_schemas::{Column, ColumnType, Number, Schema};

use crate::sources::vcf::{VCF, VcfHeader};

/// Options as a pipeline file would hold them; the span of option `i` is `10 * i .. 10 * i + 5`.
pub(crate) fn entries(options: &[(&str, Value)]) -> Vec<Entry> {
    let entry = |(at, (key, value)): (usize, &(&str, Value))| Entry {
        key: (*key).to_owned(),
        key_span: 10 * at..10 * at + 3,
        node: Node { span: 10 * at + 4..10 * at + 5, value: value.clone() },
    };
    options.iter().enumerate().map(entry).collect()
}

/// A text option.
pub(crate) fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

/// A table of texts.
pub(crate) fn table(values: &[(&str, &str)]) -> Value {
    Value::Table(entries(&values.iter().map(|(key, value)| (*key, text(value))).collect::<Vec<_>>()))
}

/// Settings of a pipeline whose file lies in the root directory.
pub(crate) fn settings() -> PipelineSettings {
    PipelineSettings {
        name: "test".to_owned(),
        chunk_records: 1000,
        base_dir: PathBuf::from("/"),
        ..PipelineSettings::default()
    }
}

/// Calls `with` with the request to plan a stage over one input.
pub(crate) fn request<T>(options: &[(&str, Value)], input: &Schema, with: impl FnOnce(PlanRequest<'_>) -> T) -> T {
    let entries = entries(options);
    with(PlanRequest {
        name: "under_test",
        inputs: vec![PlannedInput { name: "input", schema: input, key: None, is_table: false, span: 1000..1005 }],
        options: OptionReader::new("stage `under_test`".to_owned(), 900..910, entries.iter()),
        pipeline: &settings(),
        functions: &Functions::with(crate::REGISTRY.iter().map(|stage| stage.functions())),
    })
}

/// Plans a stage over these inputs; `options` is the TOML of its table.
pub(crate) fn plan_stage(
    stage: &dyn StageType,
    inputs: Vec<PlannedInput<'_>>,
    options: &str,
    diagnostics: &mut Diagnostics,
) -> Option<Planned> {
    let text = format!("[options]\n{options}\n");
    let spec = SpecFile::parse("test.toml".into(), text, &[], &|_| None, diagnostics);
    let Value::Table(entries) = &spec.root[0].node.value else { panic!("the options are a table") };
    let options = OptionReader::new("stage `under_test`".to_owned(), 0..9, entries.iter());
    stage.plan(
        PlanRequest {
            name: "under_test",
            inputs,
            options,
            pipeline: &settings(),
            functions: &Functions::with(crate::REGISTRY.iter().map(|stage| stage.functions())),
        },
        diagnostics,
    )
}

/// Plans a transform; the problems if there were any.
pub(crate) fn plan(
    stage: &dyn StageType,
    options: &[(&str, Value)],
    input: &Schema,
) -> Result<Arc<dyn Transform>, Vec<Diagnostic>> {
    let mut diagnostics = Diagnostics::default();
    match request(options, input, |request| stage.plan(request, &mut diagnostics)) {
        Some(Planned::Transform(transform)) if diagnostics.is_empty() => Ok(transform),
        Some(_) => panic!("planned with problems, or no transform: {:?}", diagnostics.into_sorted()),
        None => Err(diagnostics.into_sorted()),
    }
}

/// Runs a transform on one batch, and checks that what it yields is laid out as it said.
pub(crate) fn run(transform: &dyn Transform, batch: &Batch) -> Emit {
    let mut emit = Emit::default();
    transform.start().expect("starts").apply(batch, &mut emit).expect("runs");
    for batch in &emit.batches {
        assert_eq!(batch.columns.schema(), transform.schema().to_arrow());
        assert!(batch.rows() > 0);
    }
    emit
}

/// These columns of all rows that left a transform, one text per row, values separated by blanks.
pub(crate) fn rows(emit: &Emit, columns: &[&str]) -> Vec<String> {
    let rows_of = |batch: &Batch| {
        let arrays: Vec<ArrayRef> = columns
            .iter()
            .map(|name| batch.columns.column_by_name(name).unwrap_or_else(|| panic!("no column {name}")).clone())
            .collect();
        (0..batch.rows())
            .map(move |row| arrays.iter().map(|array| value(array, row)).collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
    };
    emit.batches.iter().flat_map(rows_of).collect()
}

/// A value as text.
pub(crate) fn value(array: &dyn Array, row: usize) -> String {
    let any = array.as_any();
    if array.is_null(row) {
        "NULL".to_owned()
    } else if let Some(array) = any.downcast_ref::<StringArray>() {
        array.value(row).to_owned()
    } else if let Some(array) = any.downcast_ref::<Int64Array>() {
        array.value(row).to_string()
    } else if let Some(array) = any.downcast_ref::<Float64Array>() {
        array.value(row).to_string()
    } else if let Some(array) = any.downcast_ref::<Decimal128Array>() {
        array.value_as_string(row)
    } else if let Some(array) = any.downcast_ref::<BooleanArray>() {
        array.value(row).to_string()
    } else if let Some(array) = any.downcast_ref::<ListArray>() {
        let items = array.value(row);
        format!("[{}]", (0..items.len()).map(|at| value(&items, at)).collect::<Vec<_>>().join(","))
    } else {
        panic!("no text for {}", array.data_type())
    }
}

/// A test's VCF, as the source of its rows. Origins are the 1-based numbers of records.
struct Lines {
    header: Arc<VcfHeader>,
    records: Vec<String>,
}

impl Provenance for Lines {
    fn place(&self, origin: u64) -> Place {
        Place { raw: self.records.get(origin as usize - 1).cloned(), ..Place::default() }
    }

    fn record(&self, origin: u64) -> Option<&[u8]> {
        self.records.get(origin as usize - 1).map(String::as_bytes)
    }

    fn header(&self) -> Arc<dyn Any + Send + Sync> {
        self.header.clone()
    }
}

/// What a test reads of a VCF.
pub(crate) struct TestVcf {
    pub schema: Schema,
    pub batch: Batch,
}

/// Reads VCF text into one batch: the fixed columns, and INFO fields by name. A field declared with Number A, R or G and a
/// numeric type becomes a list, any other field a text.
pub(crate) fn read_vcf(vcf: &str, info: &[&str]) -> TestVcf {
    let (header, records): (Vec<&str>, Vec<&str>) =
        vcf.lines().filter(|line| !line.is_empty()).partition(|line| line.starts_with('#'));
    let fields: Vec<Vec<&str>> = records.iter().map(|line| line.split('\t').collect()).collect();
    let missing = |value: &str| (value != ".").then(|| value.to_owned());
    let texts =
        |at: usize| -> ArrayRef { Arc::new(fields.iter().map(|record| missing(record[at])).collect::<StringArray>()) };
    let mut alternates = ListBuilder::new(StringBuilder::new());
    for record in &fields {
        if record[4] != "." {
            record[4].split(',').for_each(|allele| alternates.values().append_value(allele));
        }
        alternates.append(true);
    }
    let list = |item: ColumnType| ColumnType::List(Box::new(item));
    let mut columns = vec![
        Column::required("chrom", ColumnType::Text),
        Column::required("pos", ColumnType::Int64),
        Column::nullable("id", ColumnType::Text),
        Column::required("ref", ColumnType::Text),
        Column::required("alt", list(ColumnType::Text)),
        Column::nullable("qual", ColumnType::Float64),
        Column::nullable("filter", ColumnType::Text),
    ];
    let mut arrays: Vec<ArrayRef> = vec![
        texts(0),
        Arc::new(fields.iter().map(|record| record[1].parse::<i64>().ok()).collect::<Int64Array>()),
        texts(2),
        texts(3),
        Arc::new(alternates.finish()),
        Arc::new(fields.iter().map(|record| record[5].parse::<f64>().ok()).collect::<Float64Array>()),
        texts(6),
    ];
    for name in info {
        let declared = header.iter().find(|line| line.starts_with(&format!("##INFO=<ID={name},")));
        let after = |key: &str, end: char| {
            let line = declared?;
            let start = line.find(key)? + key.len();
            Some(line[start..].split(end).next().unwrap_or("").to_owned())
        };
        let number = match after("Number=", ',').as_deref() {
            Some("A") => Number::PerAlternate,
            Some("R") => Number::PerAllele,
            Some("G") => Number::PerGenotype,
            _ => Number::Unknown,
        };
        let values = fields.iter().map(|record| {
            record[7].split(';').find_map(|field| field.strip_prefix(&format!("{name}="))).and_then(missing)
        });
        let column_name = format!("info_{}", name.to_lowercase());
        let (column_type, array): (ColumnType, ArrayRef) = match (number, after("Type=", ',').as_deref()) {
            (Number::Unknown, _) => (ColumnType::Text, Arc::new(values.collect::<StringArray>())),
            (_, Some("Integer")) => {
                let mut builder = ListBuilder::new(Int64Builder::new());
                for value in values {
                    if let Some(value) = &value {
                        value.split(',').for_each(|item| builder.values().append_option(item.parse().ok()));
                    }
                    builder.append(value.is_some());
                }
                (list(ColumnType::Int64), Arc::new(builder.finish()))
            }
            (_, Some("Float")) => {
                let mut builder = ListBuilder::new(Float64Builder::new());
                for value in values {
                    if let Some(value) = &value {
                        value.split(',').for_each(|item| builder.values().append_option(item.parse().ok()));
                    }
                    builder.append(value.is_some());
                }
                (list(ColumnType::Float64), Arc::new(builder.finish()))
            }
            _ => {
                let mut builder = ListBuilder::new(StringBuilder::new());
                for value in values {
                    if let Some(value) = &value {
                        value.split(',').for_each(|item| builder.values().append_option(missing(item)));
                    }
                    builder.append(value.is_some());
                }
                (list(ColumnType::Text), Arc::new(builder.finish()))
            }
        };
        columns.push(Column::nullable(column_name, column_type).with_number(number));
        arrays.push(array);
    }
    let schema = Schema::new(columns);
    let origins = (1..=records.len() as u64).collect();
    let header = VcfHeader::parse(format!("{}\n", header.join("\n")).as_bytes(), "test.vcf").expect("has a header");
    let lines = Lines { header: Arc::new(header), records: records.iter().map(|line| (*line).to_owned()).collect() };
    let columns = RecordBatch::try_new(schema.to_arrow(), arrays).expect("laid out as the schema says");
    TestVcf { schema, batch: Batch::asserted(columns, origins, Arc::new(lines)) }
}

/// A VCF of these records (`chrom pos ref alt [info]`, separated by blanks), with these header lines.
pub(crate) fn vcf(header: &[&str], records: &[&str]) -> String {
    let mut text = String::from("##fileformat=VCFv4.3\n");
    header.iter().for_each(|line| text.push_str(&format!("{line}\n")));
    text.push_str("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n");
    for record in records {
        let fields: Vec<&str> = record.split(' ').collect();
        let info = fields.get(4).unwrap_or(&".");
        text.push_str(&format!("{}\t{}\t.\t{}\t{}\t.\t.\t{info}\n", fields[0], fields[1], fields[2], fields[3]));
    }
    text
}

/// A file of the shared test data as text, decompressed; `None`, said aloud, where it is not there.
pub(crate) fn shared(path: &str) -> Option<String> {
    let full = vardelta_test_servers::shared_data("a test of the stages", path)?;
    let bytes = std::fs::read(&full).expect("the shared data can be read");
    let mut text = Vec::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut text).expect("decompresses");
    } else {
        text = bytes;
    }
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// What a program prints; `None`, said aloud, where it is not installed.
pub(crate) fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    match Command::new(program).args(arguments).output() {
        Ok(output) if output.status.success() => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(output) => panic!("{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => {
            vardelta_test_servers::skipped("a test of the stages", &format!("{program} is not installed"));
            None
        }
    }
}

/// Passes what one stage yields through another.
pub(crate) fn then(emit: &Emit, transform: &dyn Transform) -> Emit {
    let mut output = Emit::default();
    let mut run = transform.start().expect("starts");
    emit.batches.iter().for_each(|batch| run.apply(batch, &mut output).expect("runs"));
    output
}

/// What the vcf source makes of a file.
pub(crate) struct Read {
    pub schema: Schema,
    pub emit: Emit,
}

/// Reads a file through the vcf source.
pub(crate) fn read_source(path: &Path, info: &[&str]) -> Read {
    let fields = info.iter().map(|name| Node { span: 0..0, value: text(name) }).collect();
    let options = entries(&[("info", Value::Array(fields))]);
    let request = PlanRequest {
        name: "under_test",
        inputs: Vec::new(),
        options: OptionReader::new("stage `under_test`".to_owned(), 900..910, options.iter()),
        pipeline: &settings(),
        functions: &Functions::with(crate::REGISTRY.iter().map(|stage| stage.functions())),
    };
    let mut diagnostics = Diagnostics::default();
    let Some(Planned::Source(source)) = VCF.plan(request, &mut diagnostics) else {
        panic!("{:?}", diagnostics.into_sorted());
    };
    let mut reader = source.open(&InputFile::at(path), 1).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (header, mut parser, mut emit) = (reader.header(), source.parser(), Emit::default());
    while let Some(raw) = reader.next_chunk().expect("reads on") {
        parser.parse(Arc::new(Chunk { raw, header: header.clone() }), &mut emit).expect("parses");
    }
    Read { schema: source.schema().clone(), emit }
}
