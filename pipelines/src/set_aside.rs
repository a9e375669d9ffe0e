//! Pipelines set aside: the same stages with another sink and other files, so that what is tried out touches nothing of the
//! user's. `test` and `bench` run such pipelines.

use std::{collections::BTreeSet, ops::Range, path::Path};

use vardelta_engine::{
    contract::stage::{Kind, StageType as _},
    spec::{Entry, Node, SpecFile, Value},
};
use vardelta_stages::{REGISTRY, sinks::sqlite::SQLITE};

/// The keys of a sink that every sink has.
const SINK_KEYS: [&str; 2] = ["type", "tables"];
/// The file of a sink that was set aside.
const FILE: &str = "warehouse.sqlite";

/// A stage as it is written.
pub struct Written<'a> {
    /// Its name.
    pub name: &'a str,
    span: Range<usize>,
    options: &'a mut Vec<Entry>,
}

/// The stages of a pipeline file.
pub fn stages(spec: &mut SpecFile) -> Vec<Written<'_>> {
    let stages = spec.root.iter_mut().find(|entry| entry.key == "stages");
    let Some(Entry { node: Node { value: Value::Table(stages), .. }, .. }) = stages else { return Vec::new() };
    let written = stages.iter_mut().filter_map(|entry| {
        let span = entry.node.span.clone();
        match &mut entry.node.value {
            Value::Table(options) => Some(Written { name: &entry.key, span, options }),
            _ => None,
        }
    });
    written.collect()
}

impl Written<'_> {
    /// An option that is a text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.options.iter().find(|entry| entry.key == key).and_then(|entry| match &entry.node.value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// An option as it is written.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.options.iter().find(|entry| entry.key == key).map(|entry| &entry.node.value)
    }

    /// Sets an option to a text.
    pub fn set(&mut self, key: &str, text: String) {
        let span = self.span.clone();
        self.options.retain(|entry| entry.key != key);
        let node = Node { span: span.clone(), value: Value::Text(text) };
        self.options.push(Entry { key: key.into(), key_span: span, node });
    }

    /// Whether it is a sink.
    pub fn is_sink(&self) -> bool {
        let is = |sink: &str| self.text("type") == Some(sink);
        REGISTRY.iter().any(|stage_type| stage_type.kind() == Kind::Sink && is(stage_type.name()))
    }

    /// Makes the sink a SQLite file in `directory`, whatever it was; what SQLite does not have (partitions, TLS) is left out.
    pub fn become_sqlite(&mut self, directory: &Path) {
        let known: BTreeSet<&str> = SQLITE.options().iter().map(|option| option.name).chain(SINK_KEYS).collect();
        self.options.retain(|entry| known.contains(entry.key.as_str()));
        self.set("type", SQLITE.name().to_owned());
        self.set("path", directory.join(FILE).display().to_string());
    }

    /// Makes the sink another database of the same kind with the same options: a file in `directory`, or the database of this
    /// name on the same server.
    pub fn move_aside(&mut self, directory: &Path, database: Option<&str>) {
        match (self.text("url").map(str::to_owned), database) {
            (Some(url), Some(database)) => self.set("url", with_database(&url, database)),
            _ => self.become_sqlite(directory),
        }
    }
}

/// An address `…://…/database` with another database.
fn with_database(url: &str, database: &str) -> String {
    // Whatever is after the host is the database: an address with more is refused when it is planned.
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].rfind('/').map_or(url.len(), |at| host + at);
    format!("{}/{database}", &url[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_of_an_address_is_another() {
        assert_eq!(with_database("mysql://me:a%2Fb@h:3306/warehouse", "aside"), "mysql://me:a%2Fb@h:3306/aside");
        assert_eq!(with_database("mysql://h", "aside"), "mysql://h/aside");
    }
}
