//! Functions of the domain, which stage types bring to every expression of a pipeline
//! ([`StageType::functions`](vardelta_engine::contract::stage::StageType::functions)).

pub mod clinvar;

#[cfg(test)]
mod tests;
