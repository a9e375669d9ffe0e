//! Partitions of a table by the values of one column of its primary key.

use std::collections::BTreeSet;

use crate::sql::Dialect;

/// The partition of every value that no other one lists.
const REST: &str = "rest";
/// How vardelta partitions, as the servers call it.
const METHOD: &str = "LIST COLUMNS";
/// What the description of a partition says where it takes all that no other one lists.
const ALL_OTHERS: &str = "MAXVALUE";

/// The most partitions that a table can have.
pub const PARTITIONS_MAX: usize = 8192;

/// Parameter: a table's name. Yields method, expression, name and description of its partitions, in order.
pub const SELECT_PARTITIONS: &str = "SELECT partition_method, partition_expression, partition_name, \
    partition_description FROM information_schema.partitions WHERE table_schema = DATABASE() AND table_name = ? AND \
    partition_name IS NOT NULL ORDER BY partition_ordinal_position, subpartition_ordinal_position";

/// A row of [`SELECT_PARTITIONS`].
pub type PartitionRow = (Option<String>, Option<String>, String, Option<String>);

/// One partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its name in the database.
    pub name: String,
    /// The values of its rows.
    pub values: Vec<String>,
}

/// How a table is partitioned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partitioning {
    /// As the server calls it.
    method: String,
    /// The column whose value decides; for another method whatever decides.
    pub column: String,
    /// The partitions that list values.
    pub partitions: Vec<Partition>,
    /// Whether a further partition takes every other value. MySQL has no such partition.
    pub has_rest: bool,
    /// The values of all of them.
    listed: BTreeSet<String>,
}

impl Partitioning {
    /// Partitions by a column. Where the server has one, a further partition takes what is not listed.
    pub fn by(dialect: Dialect, column: &str, partitions: &[Partition]) -> Partitioning {
        Partitioning {
            method: METHOD.into(),
            column: column.into(),
            partitions: partitions.to_vec(),
            has_rest: dialect == Dialect::MariaDb,
            listed: partitions.iter().flat_map(|partition| &partition.values).cloned().collect(),
        }
    }

    /// What [`SELECT_PARTITIONS`] says; `None` for a table without partitions.
    pub fn read(rows: Vec<PartitionRow>) -> Option<Partitioning> {
        let (method, expression, ..) = rows.first()?;
        let column = expression.as_deref().unwrap_or_default().trim_matches('`').replace("``", "`");
        let method = method.clone().unwrap_or_default();
        let mut read =
            Partitioning { method, column, partitions: Vec::new(), has_rest: false, listed: BTreeSet::new() };
        for (_, _, name, description) in rows {
            let description = description.unwrap_or_default();
            if description == ALL_OTHERS || description == "DEFAULT" {
                read.has_rest = true;
            } else {
                let listed = description.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
                let values: Vec<String> =
                    listed.map_or_else(Vec::new, |listed| listed.split("','").map(str::to_owned).collect());
                read.listed.extend(values.iter().cloned());
                read.partitions.push(Partition { name, values });
            }
        }
        Some(read)
    }

    /// Whether it is a way in which vardelta partitions. Another one is somebody else's.
    pub fn is_ours(&self) -> bool {
        self.method == METHOD
    }

    /// Whether a partition takes rows with this value.
    pub fn takes(&self, value: &str) -> bool {
        self.has_rest || self.listed.contains(value)
    }

    /// Why a value cannot be listed, in words.
    pub fn value_problem(value: &str) -> Option<&'static str> {
        let is_odd = |letter: char| letter == '\'' || letter == '\\' || letter.is_control();
        value.contains(is_odd).then_some("quotes, backslashes and control characters cannot be listed")
    }

    /// The partitions of `planned` that are missing, where nothing else differs and the server can add them.
    pub fn missing(&self, planned: &Partitioning) -> Option<Vec<Partition>> {
        let alike = self.is_ours() && self.column == planned.column && !self.has_rest && !planned.has_rest;
        let kept = self.partitions.iter().all(|found| planned.has(&found.values));
        (alike && kept).then(|| {
            let missing = planned.partitions.iter().filter(|partition| !self.has(&partition.values));
            missing.cloned().collect()
        })
    }

    fn has(&self, values: &[String]) -> bool {
        let sorted = |values: &[String]| {
            let mut sorted = values.to_vec();
            sorted.sort();
            sorted
        };
        let wanted = sorted(values);
        self.partitions.iter().any(|partition| sorted(&partition.values) == wanted)
    }

    /// How partitions as they were found differ from the planned ones, in words. Names and order are no difference, and
    /// where none are planned, another method than vardelta's is somebody else's affair.
    pub fn difference(found: Option<&Partitioning>, planned: Option<&Partitioning>) -> Option<String> {
        match (found, planned) {
            (None, None) => None,
            (None, Some(planned)) => {
                Some(format!("it is not partitioned, and the pipeline says by `{}`", planned.column))
            }
            (Some(found), None) => found
                .is_ours()
                .then(|| format!("it is partitioned by `{}`, and the pipeline does not say so", found.column)),
            (Some(found), Some(planned)) => found.other_than(planned),
        }
    }

    fn other_than(&self, planned: &Partitioning) -> Option<String> {
        if (&self.method, &self.column) != (&planned.method, &planned.column) {
            return Some(format!(
                "it is partitioned by {} (`{}`), and the pipeline says {METHOD} (`{}`)",
                self.method, self.column, planned.column
            ));
        }
        let first = |of: &Partitioning, beside: &Partitioning| {
            let other = of.partitions.iter().find(|partition| !beside.has(&partition.values));
            other.map(|partition| partition.values.join(", "))
        };
        if let Some(missing) = first(planned, self) {
            return Some(format!("it has no partition for {missing}"));
        }
        if let Some(extra) = first(self, planned) {
            return Some(format!("it has a partition for {extra}, which the pipeline does not list"));
        }
        (self.has_rest != planned.has_rest).then(|| {
            let has = if self.has_rest { "a" } else { "no" };
            format!("it has {has} partition for values that are not listed")
        })
    }

    /// `PARTITION BY …`, as a table's definition ends with it.
    pub fn clause(&self, dialect: Dialect) -> String {
        let mut parts: Vec<String> = self.partitions.iter().map(|partition| partition.listed(dialect)).collect();
        if self.has_rest {
            parts.push(format!("PARTITION {} DEFAULT", dialect.identifier(REST)));
        }
        format!("PARTITION BY {METHOD} ({}) (\n  {}\n)", dialect.identifier(&self.column), parts.join(",\n  "))
    }
}

impl Partition {
    /// The names that no partition of a list can have.
    pub const RESERVED: &'static str = REST;

    /// As a definition lists it.
    pub fn listed(&self, dialect: Dialect) -> String {
        let values: Vec<String> = self.values.iter().map(|value| format!("'{}'", value.replace('\'', "''"))).collect();
        format!("PARTITION {} VALUES IN ({})", dialect.identifier(&self.name), values.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partitions(lists: &[&[&str]]) -> Vec<Partition> {
        let partition = |(at, values): (usize, &&[&str])| Partition {
            name: format!("p{at}"),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        lists.iter().enumerate().map(partition).collect()
    }

    fn by(dialect: Dialect, lists: &[&[&str]]) -> Partitioning {
        Partitioning::by(dialect, "chromosome", &partitions(lists))
    }

    #[test]
    fn mariadb_has_a_partition_for_the_rest() {
        assert_eq!(
            by(Dialect::MariaDb, &[&["1"], &["X", "Y"]]).clause(Dialect::MariaDb),
            "PARTITION BY LIST COLUMNS (`chromosome`) (\n  PARTITION `p0` VALUES IN ('1'),\n  PARTITION `p1` VALUES IN \
             ('X', 'Y'),\n  PARTITION `rest` DEFAULT\n)"
        );
        assert!(!by(Dialect::MySql, &[&["1"]]).clause(Dialect::MySql).contains("DEFAULT"));
    }

    #[test]
    fn what_the_servers_tell_is_read_back() {
        let row = |name: &str, description: &str| {
            (Some(METHOD.into()), Some("`chromosome`".into()), name.to_owned(), Some(description.to_owned()))
        };
        let found = Partitioning::read(vec![row("a", "'1'"), row("b", "'Y','X'"), row("rest", "MAXVALUE")]);
        let planned = by(Dialect::MariaDb, &[&["X", "Y"], &["1"]]);
        assert_eq!(Partitioning::difference(found.as_ref(), Some(&planned)), None);
        assert_eq!(Partitioning::read(Vec::new()), None);
    }

    #[test]
    fn differences_are_said() {
        let of = |found: &Partitioning, planned: &Partitioning| {
            Partitioning::difference(Some(found), Some(planned)).unwrap_or_default()
        };
        let (short, long) = (by(Dialect::MySql, &[&["1"]]), by(Dialect::MySql, &[&["1"], &["2"]]));
        assert_eq!(of(&short, &long), "it has no partition for 2");
        assert_eq!(of(&long, &short), "it has a partition for 2, which the pipeline does not list");
        assert_eq!(short.missing(&long), Some(partitions(&[&["1"], &["2"]])[1..].to_vec()));
        assert_eq!(long.missing(&short), None);
        assert!(of(&short, &by(Dialect::MariaDb, &[&["1"]])).contains("no partition for values"));
        let by_hand = Partitioning { method: "RANGE".into(), ..short.clone() };
        assert!(of(&by_hand, &short).contains("by RANGE"));
        assert_eq!(Partitioning::difference(Some(&by_hand), None), None);
        assert!(Partitioning::difference(Some(&short), None).is_some());
        assert!(Partitioning::difference(None, Some(&short)).is_some());
    }
}
