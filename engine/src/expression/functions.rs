//! The functions that expressions can call: one entry each, from which they are typed, run, documented and tested.

use std::collections::BTreeMap;

use arrow_array::ArrayRef;

use super::{
    call::Call,
    foreign,
    node::{Run, Typed},
    types::Type,
};

pub mod conditions;
mod date_format;
mod date_parts;
pub mod dates;
mod every;
pub mod hashes;
mod json;
pub mod lists;
pub mod numbers;
mod pad;
pub mod regex;
mod rounding;
mod search;
pub mod text;

pub use self::every::BUILT_IN;

/// A database with whose SQL ours is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Database {
    /// MySQL, of which ours is the meaning.
    MySql,
    /// MariaDB.
    MariaDb,
    /// SQLite.
    Sqlite,
}

impl Database {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Database::MySql => "MySQL",
            Database::MariaDb => "MariaDB",
            Database::Sqlite => "SQLite",
        }
    }
}

/// What the entry of a function says of a database that has no such function.
pub const ABSENT: &str = "has no such function";

/// What functions are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Texts.
    Text,
    /// Regular expressions.
    Regex,
    /// Numbers.
    Numbers,
    /// Dates.
    Dates,
    /// NULL and choices.
    Conditions,
    /// Lists.
    Lists,
    /// JSON texts.
    Json,
    /// Hashes and notations.
    Hashes,
    /// What a program registers beside the built-in functions.
    Domain,
}

impl Family {
    /// The heading of the manual.
    pub fn title(self) -> &'static str {
        match self {
            Family::Text => "Texts",
            Family::Regex => "Regular expressions",
            Family::Numbers => "Numbers",
            Family::Dates => "Dates",
            Family::Conditions => "NULL and choices",
            Family::Lists => "Lists",
            Family::Json => "JSON",
            Family::Hashes => "Hashes and notations",
            Family::Domain => "Functions of the domain",
        }
    }
}

/// What an argument may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepts {
    /// A text.
    Text,
    /// Any single value, which becomes a text.
    Texts,
    /// An integer; an exact number without a fraction.
    Int,
    /// A number, as it is.
    Number,
    /// A number, which becomes a double.
    Float,
    /// A date, or a text in the pipeline that is one.
    Date,
    /// A date with or without a time, which becomes one with a time.
    DateTime,
    /// A date, or any text that is read as one.
    DateOrText,
    /// Any single value, as it is.
    Any,
    /// Any single value; all arguments of this kind meet in one type.
    Common,
    /// A list.
    List,
    /// A text or a list of texts.
    TextOrList,
    /// A condition.
    Bool,
}

/// An argument of a function.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// What it is called in the manual.
    pub name: &'static str,
    /// What it may be.
    pub accepts: Accepts,
    /// Whether it may be left out.
    pub optional: bool,
    /// Whether it may be repeated; only the last one.
    pub repeated: bool,
}

impl Parameter {
    /// An argument that is always there.
    pub const fn one(name: &'static str, accepts: Accepts) -> Parameter {
        Parameter { name, accepts, optional: false, repeated: false }
    }

    /// An argument that may be left out.
    pub const fn maybe(name: &'static str, accepts: Accepts) -> Parameter {
        Parameter { name, accepts, optional: true, repeated: false }
    }

    /// One or more arguments.
    pub const fn many(name: &'static str, accepts: Accepts) -> Parameter {
        Parameter { name, accepts, optional: false, repeated: true }
    }
}

/// What type a function yields.
#[derive(Clone, Copy)]
pub enum Returns {
    /// Text.
    Text,
    /// An integer.
    Int,
    /// A double.
    Float,
    /// A boolean.
    Bool,
    /// A date.
    Date,
    /// A date with a time.
    DateTime,
    /// The type of its first argument.
    First,
    /// The type that its arguments meet in.
    Common,
    /// What this says of its arguments, and how the manual calls it.
    Of(fn(&[Typed]) -> Type, &'static str),
}

impl Returns {
    /// How the manual calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Returns::Text => "text",
            Returns::Int => "int64",
            Returns::Float => "float64",
            Returns::Bool => "bool",
            Returns::Date => "date",
            Returns::DateTime => "datetime",
            Returns::First => "as the first argument",
            Returns::Common => "the arguments' common type",
            Returns::Of(_, name) => name,
        }
    }
}

/// When a function is NULL.
#[derive(Clone, Copy)]
pub enum Nulls {
    /// Where an argument is, and nowhere else.
    Arguments,
    /// Where an argument is, and where the text says.
    Also(&'static str),
    /// Where an argument is, and where the text says, unless this says of the arguments that it cannot be.
    Unless(fn(&[Typed]) -> bool, &'static str),
    /// Where the first argument is; the function sees NULLs, and the text says what it does with the others.
    First(&'static str),
    /// As the text says; the function sees NULLs.
    Own(&'static str),
    /// Never; the function sees NULLs.
    Never,
}

/// How a function is computed.
#[derive(Clone, Copy)]
pub enum Compute {
    /// By this, over a batch.
    Plain(fn(&Call<'_>) -> ArrayRef),
    /// By what this makes of those of its arguments that are constant, when the expression is compiled.
    Prepared(fn(&[Typed]) -> Result<Run, String>),
    /// By a form of its own: only the arguments that a row needs are evaluated for it.
    Form(Form),
}

/// Functions that are forms of expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The first that is not NULL.
    Coalesce,
    /// `if(condition, then, otherwise)`.
    If,
    /// NULL where both are equal.
    NullIf,
    /// A date and an interval, which is added or (true) subtracted.
    DateAdd(bool),
}

/// A function.
#[derive(Clone, Copy)]
pub struct Function {
    /// Its name, in lower case.
    pub name: &'static str,
    /// Its other names.
    pub aliases: &'static [&'static str],
    /// What it is about.
    pub family: Family,
    /// What it takes.
    pub parameters: &'static [Parameter],
    /// What it yields.
    pub returns: Returns,
    /// When it is NULL.
    pub nulls: Nulls,
    /// Whether it may fail on a row.
    pub fails: bool,
    /// How it is computed.
    pub compute: Compute,
    /// What it does, in a sentence or two.
    pub about: &'static str,
    /// Calls and their results, as texts; all are run by the tests, here and in the databases.
    pub examples: &'static [(&'static str, &'static str)],
    /// What differs in a database. One that says nothing here answers all examples alike.
    pub elsewhere: &'static [(Database, &'static str)],
}

impl Function {
    /// A function of a family; the rest is said by what follows.
    pub const fn new(family: Family, name: &'static str, about: &'static str) -> Function {
        Function {
            name,
            aliases: &[],
            family,
            parameters: &[],
            returns: Returns::Text,
            nulls: Nulls::Arguments,
            fails: false,
            compute: Compute::Form(Form::Coalesce),
            about,
            examples: &[],
            elsewhere: &[],
        }
    }

    /// Its other names.
    pub const fn or(mut self, aliases: &'static [&'static str]) -> Function {
        self.aliases = aliases;
        self
    }

    /// What it takes.
    pub const fn takes(mut self, parameters: &'static [Parameter]) -> Function {
        self.parameters = parameters;
        self
    }

    /// What it yields, computed over a batch.
    pub const fn gives(mut self, returns: Returns, compute: fn(&Call<'_>) -> ArrayRef) -> Function {
        self.returns = returns;
        self.compute = Compute::Plain(compute);
        self
    }

    /// What it yields, prepared from its constant arguments.
    pub const fn prepares(mut self, returns: Returns, compute: fn(&[Typed]) -> Result<Run, String>) -> Function {
        self.returns = returns;
        self.compute = Compute::Prepared(compute);
        self
    }

    /// What it yields as a form of expression.
    pub const fn form(mut self, returns: Returns, form: Form) -> Function {
        self.returns = returns;
        self.compute = Compute::Form(form);
        self
    }

    /// It may fail on a row.
    pub const fn fails(mut self) -> Function {
        self.fails = true;
        self
    }

    /// When it is NULL.
    pub const fn nulls(mut self, nulls: Nulls) -> Function {
        self.nulls = nulls;
        self
    }

    /// Calls and their results.
    pub const fn examples(mut self, examples: &'static [(&'static str, &'static str)]) -> Function {
        self.examples = examples;
        self
    }

    /// What differs in a database.
    pub const fn elsewhere(mut self, elsewhere: &'static [(Database, &'static str)]) -> Function {
        self.elsewhere = elsewhere;
        self
    }

    /// How it is called: `substr(text, start[, count])`.
    pub fn signature(&self) -> String {
        let mut text = format!("{}(", self.name);
        for (at, parameter) in self.parameters.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            text += &match (parameter.optional, parameter.repeated) {
                (true, false) => format!("[{comma}{}]", parameter.name),
                (false, true) => format!("{comma}{}, …", parameter.name),
                (true, true) => format!("[{comma}{}, …]", parameter.name),
                (false, false) => format!("{comma}{}", parameter.name),
            };
        }
        text + ")"
    }

    /// The fewest and the most arguments.
    pub(crate) fn arity(&self) -> (usize, Option<usize>) {
        let least = self.parameters.iter().filter(|parameter| !parameter.optional).count();
        let most = if self.parameters.iter().any(|one| one.repeated) { None } else { Some(self.parameters.len()) };
        (least, most)
    }

    /// The parameter of an argument.
    pub(crate) fn parameter(&self, at: usize) -> Option<&Parameter> {
        self.parameters.get(at).or(self.parameters.last().filter(|last| last.repeated))
    }
}

/// The functions that a pipeline's expressions can call, by each of their names.
#[derive(Clone)]
pub struct Functions {
    by_name: BTreeMap<&'static str, &'static Function>,
}

impl Functions {
    /// The built-in functions and those of the given slices. A name that is there already keeps its meaning.
    pub fn with(more: impl IntoIterator<Item = &'static [Function]>) -> Functions {
        let mut by_name = BTreeMap::new();
        for function in BUILT_IN.iter().copied().chain(more).flatten() {
            for name in function.aliases.iter().chain([&function.name]) {
                by_name.entry(*name).or_insert(function);
            }
        }
        Functions { by_name }
    }

    /// The built-in functions alone.
    pub fn built_in() -> &'static Functions {
        static FUNCTIONS: std::sync::LazyLock<Functions> = std::sync::LazyLock::new(|| Functions::with([]));
        &FUNCTIONS
    }

    /// A function by one of its names, in lower case.
    pub fn find(&self, name: &str) -> Option<&'static Function> {
        self.by_name.get(name).copied()
    }

    /// Every name, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.by_name.keys().copied()
    }

    /// Every function once, by family and then by name.
    pub fn all(&self) -> Vec<&'static Function> {
        let mut all: Vec<&'static Function> = self
            .by_name
            .iter()
            .filter(|(name, function)| **name == function.name)
            .map(|(_, function)| *function)
            .collect();
        all.sort_by_key(|function| (function.family, function.name));
        all
    }
}

impl std::fmt::Debug for Functions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// The aggregate functions, known by name so that a misplaced one is explained.
pub(crate) const AGGREGATES: &[&str] = &[
    "any_value",
    "avg",
    "bool_and",
    "bool_or",
    "count",
    "count_if",
    "countif",
    "every",
    "group_concat",
    "max",
    "max_by",
    "mean",
    "median",
    "min",
    "min_by",
    "percentile_cont",
    "percentile_disc",
    "std",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "sum",
    "var_pop",
    "var_samp",
    "variance",
];

/// Functions whose value depends on when, where or how often they are called.
pub(crate) const VOLATILE: &[&str] = &[
    "connection_id",
    "curdate",
    "current_date",
    "current_time",
    "current_timestamp",
    "current_user",
    "curtime",
    "database",
    "gen_random_uuid",
    "last_insert_id",
    "localtime",
    "localtimestamp",
    "now",
    "rand",
    "random",
    "session_user",
    "sleep",
    "sysdate",
    "today",
    "unix_timestamp",
    "user",
    "utc_date",
    "utc_time",
    "utc_timestamp",
    "uuid",
    "version",
];

/// What a function name means.
pub(crate) enum Known {
    /// A function of one row.
    Scalar,
    /// An aggregate function, ours or another dialect's.
    Aggregate,
    /// A function that is refused because its value is not determined by its arguments.
    Volatile,
    /// Nothing.
    Unknown,
}

/// What a function name, in lower case, means.
pub(crate) fn known(name: &str, functions: &Functions) -> Known {
    match functions.find(name) {
        Some(_) => Known::Scalar,
        None if AGGREGATES.contains(&name) || foreign::is_aggregate(name) => Known::Aggregate,
        None if VOLATILE.contains(&name) => Known::Volatile,
        None => Known::Unknown,
    }
}
