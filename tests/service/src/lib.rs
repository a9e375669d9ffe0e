//! A small HTTP service of gene facts for tests and for trying look-ups offline.
//!
//! It answers like the services that pipelines ask (batches by POST, single keys by path, comma-joined keys in the address),
//! misbehaves by script ([`Act`]), and keeps for every request when it came and which keys it asked for, so that tests
//! measure limits where they count. The facts are of our own making; names and numbers of genes are real.

mod acts;
mod answers;
mod exchange;
mod facts;
mod service;

pub use self::{
    acts::Act,
    service::{Asked, Options, Service},
};
