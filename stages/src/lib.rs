//! One file per source, transform and sink, and the registry that lists them.
//!
//! Adding a stage: its file, its `mod` line here, and one line in [`REGISTRY`].

use vardelta_engine::stage::StageType;

pub mod annotations;
pub mod assembly;
mod columns;
pub mod explode;
pub mod filter;
#[doc(hidden)]
pub mod fuzzing;
pub mod mysql;
pub mod normalize;
pub mod select;
#[cfg(test)]
mod sink_fixtures;
mod sink_marks;
mod sink_tables;
mod sink_values;
pub mod sqlite;
#[cfg(test)]
mod test_support;
pub mod vcf;

/// Every stage type that a pipeline file can name, in the order in which manuals list them.
pub static REGISTRY: &[&dyn StageType] = &[
    // Sources.
    &vcf::VCF,
    // Transforms.
    &normalize::NORMALIZE,
    &annotations::ANNOTATIONS,
    &filter::FILTER,
    &select::SELECT,
    &explode::EXPLODE,
    // Relational operators.
    &vardelta_engine::relational::TABLE,
    &vardelta_engine::relational::Aggregate,
    &vardelta_engine::relational::UNION,
    // Sinks.
    &sqlite::SQLITE,
    &mysql::MYSQL,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::REGISTRY;

    #[test]
    fn names_are_unique_and_every_stage_explains_itself() {
        let mut names = BTreeSet::new();
        for stage in REGISTRY {
            assert!(names.insert(stage.name()), "{} is registered twice", stage.name());
            assert!(stage.manual().lines().next().is_some_and(|summary| summary.ends_with('.')), "{}", stage.name());
            assert!(stage.example().contains(&format!("type = \"{}\"", stage.name())), "{}", stage.name());
            for option in stage.options() {
                assert!(!option.doc.trim().is_empty(), "{} does not explain `{}`", stage.name(), option.name);
                assert!(stage.manual().contains('\n'), "{} says only its summary", stage.name());
            }
        }
    }
}
