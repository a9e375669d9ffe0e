//! What the options come to, and what is wrong with them.

use std::time::Duration;

use sha2::{Digest, Sha256};
use vardelta_engine::{contract::options::Spanned, diagnostics::Diagnostics, edge::secret};
use vardelta_schemas::{Column, ColumnType};

use super::{
    entry::Terms,
    http::host_name,
    options::{AnswerType, CacheOptions, LookupOptions, Method},
    path::Path,
    reading::{AnswerField, Reading, Release},
    setting::Settings,
    template::{Spelling, Template},
};

/// A planned look-up.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub columns: Vec<Column>,
    pub fingerprint: String,
    pub max_failed_share: Option<f64>,
    pub asking: Asking,
    pub reading: Reading,
    pub terms: Terms,
    pub cache: CacheOptions,
}

/// How a service is asked.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    pub method: &'static str,
    pub url: Template,
    pub body: Option<Template>,
    pub parameters: Settings,
    pub headers: Settings,
    pub batch: usize,
    pub rate_per_s: f64,
    pub concurrency: usize,
    pub retries: u32,
    pub connect_timeout: Duration,
    pub deadline: Duration,
    pub response_bytes_max: u64,
}

/// Grows when the same options come to other answers.
const VERSION: u32 = 1;
/// No list of keys that anybody takes is longer.
const LARGEST_BATCH: u64 = 10_000;

impl Plan {
    /// Resolves the options, reporting everything that is wrong; `None` then.
    pub fn new(options: &LookupOptions, span: std::ops::Range<usize>, diagnostics: &mut Diagnostics) -> Option<Plan> {
        let before = diagnostics.len();
        let asking = asking(options, &span, diagnostics);
        let reading = reading(options, &span, diagnostics);
        share(&options.max_failed_share, diagnostics);
        if options.columns.0.is_empty() {
            diagnostics
                .error(span, "a look-up without columns has nothing to ask for")
                .hint("Name at least one in `columns`.");
        }
        let (asking, reading) = (asking?, reading?);
        if diagnostics.len() != before {
            return None;
        }
        let columns = reading.fields.iter().map(|field| Column::nullable(&field.name, column_type(field.column_type)));
        Some(Plan {
            columns: columns.collect(),
            fingerprint: fingerprint(&asking, &reading),
            max_failed_share: options.max_failed_share.as_ref().map(|share| share.value),
            terms: Terms {
                ttl: options.cache.ttl.map(|span| span.0),
                absent_ttl: options.cache.absent_ttl.or(options.cache.ttl).map(|span| span.0),
                stale_if_error: options.cache.stale_if_error.map(|span| span.0),
            },
            cache: options.cache.clone(),
            asking,
            reading,
        })
    }
}

fn column_type(of: AnswerType) -> ColumnType {
    match of {
        AnswerType::Text => ColumnType::Text,
        AnswerType::Int64 => ColumnType::Int64,
        AnswerType::Float64 => ColumnType::Float64,
        AnswerType::Bool => ColumnType::Bool,
    }
}

fn share(share: &Option<Spanned<f64>>, diagnostics: &mut Diagnostics) {
    if let Some(share) = share
        && !(0.0..=1.0).contains(&share.value)
    {
        diagnostics.error(share.span.clone(), "a share lies between 0 and 1");
    }
}

fn asking(options: &LookupOptions, span: &std::ops::Range<usize>, diagnostics: &mut Diagnostics) -> Option<Asking> {
    let before = diagnostics.len();
    let at = |own: &std::ops::Range<usize>| if own.is_empty() { span.clone() } else { own.clone() };
    let url = &options.url;
    // Where keys are written decides nothing about the host.
    if let Err(why) = host_name(&url.value.replace(['{', '}'], "")) {
        diagnostics
            .error(url.span.clone(), format!("this `url` cannot be asked: {why}"))
            .hint("Write it whole: `https://host/path`.");
    }
    if !secret::address_secrets(&url.value, |_| false).is_empty() {
        diagnostics
            .error(url.span.clone(), "the address holds a secret")
            .hint("Take it out and write `parameters = { name = { env = \"VARIABLE\" } }` or `headers`: what the environment holds is never shown nor kept.");
    }
    for inside in url.value.split('{').skip(1) {
        if !inside.starts_with("keys}") && !inside.starts_with("key}") {
            diagnostics
                .error(
                    url.span.clone(),
                    format!("`{{{}` is not known here", inside.split_inclusive('}').next().unwrap_or_default()),
                )
                .hint("`{keys}` and `{key}` are.");
        }
    }
    let form = options
        .headers
        .text("content-type")
        .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded"));
    let url_template = Template::new(&url.value, Spelling::Address);
    let body = options
        .body
        .as_ref()
        .map(|body| Template::new(&body.value, if form { Spelling::Address } else { Spelling::Json }));
    match (options.method.value, &options.body) {
        (Method::Get, Some(body)) => {
            diagnostics
                .error(body.span.clone(), "a GET has no body")
                .hint("Write `method = \"POST\"`, or put the keys into the `url`.");
        }
        (Method::Post, None) => {
            diagnostics
                .error(at(&options.method.span), "a POST needs a `body`")
                .hint("Write one with `{keys}` where the keys go.");
        }
        _ => {}
    }
    let templates = || [Some(&url_template), body.as_ref()].into_iter().flatten();
    let (many, one) = (templates().any(Template::takes_many), templates().any(Template::takes_one));
    if many == one {
        let (what, hint) = match many {
            true => (
                "`{key}` and `{keys}` exclude each other",
                "Write `{keys}` where the service takes several, else `{key}`.",
            ),
            false => ("the request has no place for a key", "Write `{keys}` or `{key}` into the `url` or the `body`."),
        };
        diagnostics.error(url.span.clone(), what).hint(hint);
    }
    let batch = options.batch.clone().unwrap_or_else(|| super::options::default(if one { 1 } else { 100 }));
    if batch.value == 0 || batch.value > LARGEST_BATCH || (one && batch.value != 1) {
        let why = if one {
            "`{key}` asks for one key at a time".to_owned()
        } else {
            format!("a batch has 1 to {LARGEST_BATCH} keys")
        };
        diagnostics.error(at(&batch.span), why).hint("Write `{keys}` for several keys in a request.");
    }
    let rate = &options.rate_per_s;
    if !(rate.value.is_finite() && rate.value >= 0.001) {
        diagnostics.error(at(&rate.span), "a rate is a number of requests a second, from 0.001");
    }
    if !(1..=64).contains(&options.concurrency.value) {
        diagnostics.error(at(&options.concurrency.span), "1 to 64 requests may be under way at once");
    }
    (diagnostics.len() == before).then(|| Asking {
        method: options.method.value.as_str(),
        url: url_template,
        body,
        parameters: options.parameters.clone(),
        headers: options.headers.clone(),
        batch: usize::try_from(batch.value).unwrap_or(1),
        rate_per_s: rate.value,
        concurrency: usize::try_from(options.concurrency.value).unwrap_or(1),
        retries: u32::try_from(options.retries).unwrap_or(u32::MAX),
        connect_timeout: options.connect_timeout.0.max(Duration::from_millis(1)),
        deadline: options.deadline.0,
        response_bytes_max: options.response_bytes_max,
    })
}

fn reading(options: &LookupOptions, span: &std::ops::Range<usize>, diagnostics: &mut Diagnostics) -> Option<Reading> {
    let before = diagnostics.len();
    let mut path = |text: &Spanned<String>| match Path::parse(&text.value) {
        Ok(path) => Some(path),
        Err(why) => {
            let own = if text.span.is_empty() { span.clone() } else { text.span.clone() };
            diagnostics
                .error(own, format!("`{}` is not a path that is known here: {why}", text.value))
                .hint("`$`, `.name`, `['name']`, `[0]`, `[*]` and, at the end, `~` are.");
            None
        }
    };
    let rows = path(&options.rows);
    let mut optional = |text: &Option<Spanned<String>>| text.as_ref().and_then(&mut path);
    let (answer_key, not_found, error) =
        (optional(&options.answer_key), optional(&options.not_found), optional(&options.error));
    let release = match &options.release {
        Some(text) if text.value.starts_with('$') => path(text).map(Release::Path),
        Some(text) => Some(Release::Text(text.value.clone())),
        None => None,
    };
    let fields = options.columns.0.iter().filter_map(|(name, column)| {
        let path = path(&column.path)?;
        Some(AnswerField { name: name.value.clone(), path, column_type: column.column_type })
    });
    let fields: Vec<AnswerField> = fields.collect();
    let texts = || [Some(&options.url), options.body.as_ref()].into_iter().flatten();
    if options.answer_key.is_none() && texts().any(|text| text.value.contains("{keys}")) {
        diagnostics
            .error(span.clone(), "a look-up of several keys at once needs `answer_key`")
            .hint("Say where a row of the answer names its key: answers are matched by it, never by their place.");
    }
    let mut absent_status = Vec::new();
    for status in &options.absent_status {
        match u16::try_from(*status) {
            Ok(status @ 400..=499) if ![401, 403, 408, 413, 414, 429].contains(&status) => absent_status.push(status),
            _ => {
                diagnostics
                    .error(span.clone(), format!("a status of {status} never says that a key is not known"))
                    .hint("`absent_status` may hold 404, 400, 410 and others of the 400s.");
            }
        }
    }
    (diagnostics.len() == before).then(|| Reading {
        rows: rows.unwrap_or_else(Path::root),
        answer_key,
        not_found,
        error,
        release,
        fields,
        absent_status,
        missing: options.missing,
    })
}

/// All that decides what an answer says, as a digest. Secrets have no part in it.
fn fingerprint(asking: &Asking, reading: &Reading) -> String {
    let path = |path: &Option<Path>| path.as_ref().map(|path| path.as_str().to_owned());
    let fields: Vec<_> = reading
        .fields
        .iter()
        .map(|field| serde_json::json!([field.name, field.path.as_str(), field.column_type.as_str()]))
        .collect();
    let all = serde_json::json!({
        "version": VERSION,
        "method": asking.method,
        "url": asking.url.as_str(),
        "body": asking.body.as_ref().map(Template::as_str),
        "parameters": asking.parameters.public(),
        "headers": asking.headers.public(),
        "rows": reading.rows.as_str(),
        "answer_key": path(&reading.answer_key),
        "not_found": path(&reading.not_found),
        "error": path(&reading.error),
        "release": reading.release.as_ref().map(Release::as_str),
        "absent_status": reading.absent_status,
        "missing": reading.missing.as_str(),
        "columns": fields,
    });
    hex(&Sha256::digest(all.to_string().as_bytes()))
}

/// Bytes as letters.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the entry of a key is called in every tier.
pub(super) fn entry_name(fingerprint: &str, key: &str) -> [u8; 32] {
    Sha256::new().chain_update(fingerprint.as_bytes()).chain_update([0]).chain_update(key.as_bytes()).finalize().into()
}
