//! One file per source, transform and sink, and the registry that lists them.
//!
//! Adding a stage: its file, its `mod` line in the `mod.rs` of its kind, and one line in [`REGISTRY`]; CONTRIBUTING.md has the rest.

use vardelta_engine::contract::stage::StageType;

pub mod address;
pub mod assembly;
mod base64;
mod columns;
pub mod functions;
mod marks;
pub mod relational;
pub mod sinks;
pub mod sources;
#[cfg(test)]
mod test_support;
pub mod transforms;
mod typed_text;

/// Every stage type that a pipeline file can name, in the order in which manuals list them.
pub static REGISTRY: &[&dyn StageType] = &[
    // Sources.
    &sources::vcf::VCF,
    &sources::delimited::DELIMITED,
    &sources::gff3::GFF3,
    // Transforms.
    &transforms::normalize::NORMALIZE,
    &transforms::annotations::ANNOTATIONS,
    &transforms::filter::FILTER,
    &transforms::select::SELECT,
    &transforms::explode::EXPLODE,
    // Relational operators.
    &vardelta_engine::relational::TABLE,
    &vardelta_engine::relational::Aggregate,
    &vardelta_engine::relational::TOP,
    &vardelta_engine::relational::UNION,
    &vardelta_engine::relational::JOIN,
    &vardelta_engine::relational::DISTINCT,
    &relational::regions::REGIONS,
    &relational::lookup::LOOKUP,
    // Sinks.
    &sinks::sqlite::SQLITE,
    &sinks::mysql::MYSQL,
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
