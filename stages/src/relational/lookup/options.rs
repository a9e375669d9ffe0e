//! The options of `lookup`.

use std::{path::PathBuf, time::Duration};

use vardelta_engine::{
    choices,
    contract::{
        options::{OptionReader, OptionValue, Spanned, wrong_type},
        span::Span,
    },
    diagnostics::Diagnostics,
    options,
    spec::{Node, Value},
};

use super::setting::Settings;

choices! {
    /// How is asked.
    pub(super) enum Method {
        /// With everything in the address.
        Get = "GET",
        /// With a body.
        Post = "POST",
    }
}

choices! {
    /// What it means that a whole answer does not hold a key.
    pub(super) enum Missing {
        /// The service does not know the key.
        Absent = "absent",
        /// Something went wrong: the key is asked for again.
        Failed = "failed",
    }
}

choices! {
    /// The type of an answer's column.
    pub(super) enum AnswerType {
        /// A text.
        Text = "text",
        /// A whole number of 64 bits.
        Int64 = "int64",
        /// A number.
        Float64 = "float64",
        /// A truth value.
        Bool = "bool",
    }
}

/// A default, which is nowhere in the file.
pub(super) fn default<T>(value: T) -> Spanned<T> {
    Spanned { value, span: 0..0 }
}

options! {
    /// Options of `lookup`.
    pub(super) struct LookupOptions {
        /// The input's column of keys, a text. Each distinct one is asked for once; NULL is not asked for.
        "key" => key: Spanned<String>,
        /// Where to ask: `https://…`. `{keys}` stands for the keys of a request, comma-joined and percent-encoded, `{key}` for a
        /// single one. A secret has no place in it: see `parameters`.
        "url" => url: Spanned<String>,
        /// `GET`, or `POST` with a `body`.
        "method" => method: Spanned<Method> = default(Method::Get), "\"GET\"",
        /// Parameters that are added to the address: texts, or `{ env = "VARIABLE" }` for what the environment holds, which is
        /// never shown, and with `optional = true` left out where it is not set: `{ api_key = { env = "NCBI_API_KEY", optional = true } }`.
        "parameters" => parameters: Settings = Settings::default(), "{}",
        /// Headers, as `parameters`: `{ Authorization = { env = "TOKEN", prefix = "Bearer " } }`.
        "headers" => headers: Settings = Settings::default(), "{}",
        /// The body of a POST. `{keys}` is a JSON array of texts there, `{key}` a JSON text. With the header `Content-Type`
        /// "application/x-www-form-urlencoded" both are written as in an address.
        "body" => body: Option<Spanned<String>> = None, "none",
        /// Keys of a request, at the most: 100, or 1 where `{key}` is written. Keys are sorted first, so requests do not depend
        /// on the order of rows. A batch that is too large for the service is halved, one that fails for a bad key divided
        /// until the key is found.
        "batch" => batch: Option<Spanned<u64>> = None, "100, or 1 with {key}",
        /// Requests a second to the *host*, whichever stage, thread or process sends them; never a burst.
        "rate_per_s" => rate_per_s: Spanned<f64> = default(3.0), "3",
        /// Requests that may be under way at once.
        "concurrency" => concurrency: Spanned<u64> = default(4), "4",
        /// How often a request that failed is sent again.
        "retries" => retries: u64 = 5, "5",
        /// Time to connect to the host; then the request failed.
        "connect_timeout" => connect_timeout: Span = Span(Duration::from_secs(5)), "\"5s\"",
        /// Time for the request of a key, with waiting, retries and reading. Without an answer by then it failed.
        "deadline" => deadline: Span = Span(Duration::from_secs(60)), "\"60s\"",
        /// Bytes of a response, decompressed, at the most. More is an error.
        "response_bytes_max" => response_bytes_max: u64 = 67_108_864, "67_108_864",
        /// What it means that a whole answer does not hold a key: the service does not know it ("absent"), or something went
        /// wrong ("failed").
        "missing" => missing: Missing = Missing::Absent, "\"absent\"",
        /// HTTP statuses by which a service says that it does not know the one key it was asked for.
        "absent_status" => absent_status: Vec<u64> = vec![404], "[404]",
        /// Where the rows of an answer lie, as a path: `$.hits[*]`.
        "rows" => rows: Spanned<String> = default("$".to_owned()), "\"$\"",
        /// Where a row names the key that it answers, as a path in the row; `$~` is the name under which the row lies. Rows are
        /// matched by it, never by their place. Needed unless `{key}` asks for one key at a time.
        "answer_key" => answer_key: Option<Spanned<String>> = None, "none",
        /// A path in a row. Where something other than null or false lies there, the service does not know the key: `$.notfound`.
        "not_found" => not_found: Option<Spanned<String>> = None, "none",
        /// A path in the body. Where something other than null, false or nothing at all lies there, the answer is an error,
        /// whatever its status.
        "error" => error: Option<Spanned<String>> = None, "none",
        /// The release of the service's data: a path in the body, or a text. Answers of another release are asked for again.
        "release" => release: Option<Spanned<String>> = None, "none",
        /// The columns of an answer, each with its path in the row and its type (text, int64, float64, bool):
        /// `entrez_id = { path = "$.entrezgene", type = "int64" }`. All may be NULL.
        "columns" => columns: AnswerColumns,
        /// The share of keys without an answer, 0 to 1, above which a run ends and writes nothing. Without it a run goes on
        /// however many wait.
        "max_failed_share" => max_failed_share: Option<Spanned<f64>> = None, "none",
        /// Where answers are kept beside the state: see the manual.
        "cache" => cache: CacheOptions = CacheOptions::default(), "{}",
    }
}

options! {
    /// The tiers that keep answers, asked in this order, and for how long an answer counts.
    pub(super) struct CacheOptions {
        /// Answers kept in memory, at the most, for as long as the process lives (`watch`). 0: no such tier.
        "memory_entries" => memory_entries: u64 = 0, "0",
        /// Bytes of the memory tier, at the most.
        "memory_bytes" => memory_bytes: u64 = 67_108_864, "67_108_864",
        /// A folder, relative to the pipeline file, for one SQLite file of answers that processes share. It is made.
        "disk" => disk: Option<PathBuf> = None, "none",
        /// Whether answers are kept in the table `api_cache` of the sink's database.
        "database" => database: bool = false, "false",
        /// A Redis server: `redis://:password@host:6379/0`, best from a variable. An empty text is none.
        "redis" => redis: Option<String> = None, "none",
        /// How long an answer counts: `"7d"`. Then it is asked for again. Each key's own time differs by up to a tenth, so
        /// that not all grow old at once. Without it answers count until `release` changes.
        "ttl" => ttl: Option<Span> = None, "none",
        /// The same of the answer that a key is not known.
        "absent_ttl" => absent_ttl: Option<Span> = None, "`ttl`",
        /// How old an answer may be that stands in where the service fails.
        "stale_if_error" => stale_if_error: Option<Span> = None, "none",
    }
}

impl Default for CacheOptions {
    fn default() -> CacheOptions {
        CacheOptions {
            memory_entries: 0,
            memory_bytes: 67_108_864,
            disk: None,
            database: false,
            redis: None,
            ttl: None,
            absent_ttl: None,
            stale_if_error: None,
        }
    }
}

impl OptionValue for CacheOptions {
    const EXPECTS: &'static str = "a table of tiers";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let Value::Table(entries) = &node.value else { return wrong_type(node, Self::EXPECTS, diagnostics) };
        CacheOptions::read(OptionReader::new("`cache`".into(), node.span.clone(), entries.iter()), diagnostics)
    }
    fn json_schema() -> String {
        let members = Self::DOCS.iter().map(|doc| format!("{:?}:{}", doc.name, (doc.json_schema)()));
        let members: Vec<String> = members.collect();
        format!(r#"{{"type":"object","properties":{{{}}},"additionalProperties":false}}"#, members.join(","))
    }
}

options! {
    /// A column of an answer.
    pub(super) struct AnswerColumn {
        /// Where its value lies in the row, as a path.
        "path" => path: Spanned<String>,
        /// Its type.
        "type" => column_type: AnswerType = AnswerType::Text, "\"text\"",
    }
}

/// The columns of an answer by name, in the order in which they are written.
#[derive(Clone, Debug)]
pub(super) struct AnswerColumns(pub Vec<(Spanned<String>, AnswerColumn)>);

impl OptionValue for AnswerColumns {
    const EXPECTS: &'static str = "a table of `{ path = \"$.…\", type = \"text\" }`";
    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let Value::Table(entries) = &node.value else { return wrong_type(node, Self::EXPECTS, diagnostics) };
        let mut read = Vec::new();
        for entry in entries {
            let Value::Table(inner) = &entry.node.value else {
                wrong_type::<()>(&entry.node, "a table: `{ path = \"$.…\", type = \"text\" }`", diagnostics);
                read.push(None);
                continue;
            };
            let owner = format!("the column `{}`", entry.key);
            let reader = OptionReader::new(owner, entry.node.span.clone(), inner.iter());
            let name = Spanned { value: entry.key.clone(), span: entry.key_span.clone() };
            read.push(AnswerColumn::read(reader, diagnostics).map(|column| (name, column)));
        }
        read.into_iter().collect::<Option<Vec<_>>>().map(AnswerColumns)
    }
    fn json_schema() -> String {
        let types = AnswerType::json_schema();
        format!(
            r#"{{"type":"object","additionalProperties":{{"type":"object","properties":{{"path":{{"type":"string"}},"type":{types}}},"required":["path"],"additionalProperties":false}}}}"#
        )
    }
}
