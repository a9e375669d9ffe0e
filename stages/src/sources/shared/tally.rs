//! What a source adapts rather than refuses, counted per chunk.

/// Declares warnings: the variants by which a parser counts them, their codes in the same order, and the counts.
macro_rules! warnings {
    ($($variant:ident = $code:literal: $meaning:literal => $remedy:literal;)*) => {
        /// What was adapted rather than refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Warning { $(#[doc = $meaning] $variant),* }

        /// What is adapted, in the order of [`Warning`].
        pub(super) const WARNINGS: &[&vardelta_engine::contract::reason::Reason] = &[$(
            &vardelta_engine::contract::reason::Reason::new(
                vardelta_engine::contract::reason::Severity::Warning,
                $code,
                $meaning,
                $remedy,
            )
        ),*];

        /// One count per warning; cheap enough to keep per value.
        #[derive(Clone, Debug)]
        pub(super) struct Tally([u64; WARNINGS.len()]);

        impl Default for Tally {
            fn default() -> Tally {
                Tally([0; WARNINGS.len()])
            }
        }

        impl Tally {
            /// Counts one.
            pub fn count(&mut self, warning: Warning) {
                self.add(warning, 1);
            }

            /// Counts some.
            pub fn add(&mut self, warning: Warning, count: u64) {
                self.0[warning as usize] += count;
            }

            /// Hands the counts over.
            pub fn report(&self, emit: &mut vardelta_engine::contract::stage::Emit) {
                for (reason, count) in WARNINGS.iter().zip(self.0) {
                    emit.warn(reason, count);
                }
            }
        }
    };
}

pub(crate) use warnings;
