//! The functions that expressions can call.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use arrow_schema::DataType;
use datafusion_common::{Result, TableReference, config::ConfigOptions, plan_err};
use datafusion_expr::{
    AggregateUDF, HigherOrderUDF, ScalarUDF, TableSource, Volatility, WindowUDF,
    planner::{ContextProvider, ExprPlanner},
};

/// Functions that ask about the engine or build types that no column has.
const HIDDEN: &[&str] = &[
    "arrow_cast",
    "arrow_field",
    "arrow_metadata",
    "arrow_try_cast",
    "arrow_typeof",
    "cast_to_type",
    "file_row_index",
    "get_field",
    "input_file_name",
    "named_struct",
    // Makes one type of all three arguments, though it yields only the last two: CASE says it better.
    "nvl2",
    "row",
    "struct",
    "try_cast_to_type",
    "union_extract",
    "union_tag",
    "version",
    "with_metadata",
];

/// Aggregate functions, known by name so that a misplaced one is explained.
const AGGREGATES: &[&str] = &[
    "any_value",
    "approx_distinct",
    "approx_median",
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bool_and",
    "bool_or",
    "count",
    "every",
    "first_value",
    "group_concat",
    "last_value",
    "listagg",
    "max",
    "mean",
    "median",
    "min",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "sum",
    "var_pop",
    "var_samp",
    "variance",
];

/// Functions whose value depends on when or how often they are called, whether or not this build has them.
const VOLATILE: &[&str] = &[
    "current_date",
    "current_time",
    "current_timestamp",
    "current_user",
    "gen_random_uuid",
    "localtime",
    "localtimestamp",
    "now",
    "rand",
    "random",
    "today",
    "uuid",
];

/// Functions that are NULL only where an argument is, so that a key may be computed with them.
const NULL_ONLY_FOR_NULL: &[&str] = &[
    "abs",
    "ascii",
    "bit_length",
    "btrim",
    "ceil",
    "character_length",
    "contains",
    "ends_with",
    "exp",
    "floor",
    "greatest",
    "initcap",
    "least",
    "left",
    "levenshtein",
    "lower",
    "lpad",
    "ltrim",
    "octet_length",
    "replace",
    "reverse",
    "right",
    "round",
    "rpad",
    "rtrim",
    "signum",
    "sqrt",
    "starts_with",
    "strpos",
    "substr",
    "to_hex",
    "translate",
    "trunc",
    "upper",
];

/// What a function name means.
pub(crate) enum Known {
    /// A function of one row.
    Scalar,
    /// An aggregate function.
    Aggregate,
    /// A function that is refused because its value is not determined by its arguments.
    Volatile,
    /// Nothing.
    Unknown,
}

struct Registry {
    functions: BTreeMap<String, Arc<ScalarUDF>>,
    planners: Vec<Arc<dyn ExprPlanner>>,
    options: ConfigOptions,
}

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let mut functions = BTreeMap::new();
    for function in datafusion_functions::all_default_functions() {
        if HIDDEN.contains(&function.name()) || function.signature().volatility != Volatility::Immutable {
            continue;
        }
        for name in function.aliases().iter().map(String::as_str).chain([function.name()]) {
            functions.insert(name.to_lowercase(), function.clone());
        }
    }
    let planners: Vec<Arc<dyn ExprPlanner>> = vec![
        Arc::new(datafusion_functions::core::planner::CoreFunctionPlanner::default()),
        Arc::new(datafusion_functions::unicode::planner::UnicodeFunctionPlanner),
    ];
    Registry { functions, planners, options: ConfigOptions::new() }
});

/// What a function name, in lower case, means.
pub(crate) fn known(name: &str) -> Known {
    if REGISTRY.functions.contains_key(name) {
        Known::Scalar
    } else if AGGREGATES.contains(&name) {
        Known::Aggregate
    } else if VOLATILE.contains(&name) {
        Known::Volatile
    } else {
        Known::Unknown
    }
}

/// Every function of one row, by each of its names, in order.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    REGISTRY.functions.keys().map(String::as_str)
}

/// Whether a function, by its main name, is NULL only where an argument is.
pub(crate) fn null_only_for_null(name: &str) -> bool {
    NULL_ONLY_FOR_NULL.contains(&name)
}

/// Gives the SQL planner the functions, and nothing else: no tables, no variables.
pub(crate) struct Functions;

impl ContextProvider for Functions {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        plan_err!("there is no table `{name}` here")
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &REGISTRY.planners
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        REGISTRY.functions.get(&name.to_lowercase()).cloned()
    }

    fn get_higher_order_meta(&self, _name: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, _name: &str) -> Option<Arc<AggregateUDF>> {
        None
    }

    fn get_window_meta(&self, _name: &str) -> Option<Arc<WindowUDF>> {
        None
    }

    fn get_variable_type(&self, _names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        &REGISTRY.options
    }

    fn udf_names(&self) -> Vec<String> {
        REGISTRY.functions.keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udwf_names(&self) -> Vec<String> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_named_here_exists() {
        let mut main: Vec<&str> = REGISTRY.functions.values().map(|function| function.name()).collect();
        main.sort_unstable();
        for name in NULL_ONLY_FOR_NULL {
            assert!(main.binary_search(name).is_ok(), "{name} is no function");
        }
        let all: Vec<String> = datafusion_functions::all_default_functions()
            .iter()
            .flat_map(|function| {
                let names: Vec<String> = function.aliases().iter().cloned().chain([function.name().into()]).collect();
                names
            })
            .collect();
        for name in HIDDEN {
            assert!(all.iter().any(|known| known == name), "{name} is no function");
        }
    }

    #[test]
    fn nothing_volatile_is_offered() {
        assert!(REGISTRY.functions.len() > 60);
        for name in VOLATILE {
            assert!(!REGISTRY.functions.contains_key(*name), "{name} is offered");
        }
    }
}
