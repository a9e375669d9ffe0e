//! What a source adapts rather than refuses, counted per chunk: by reason and field, with the first record.

use std::{collections::BTreeMap, marker::PhantomData};

use vardelta_engine::contract::{batch::Place, emit::Emit, reason::Reason, warning::Warned};

/// What a warning is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum About {
    /// The reason says it all.
    #[default]
    Record,
    /// The INFO field that is read at this place.
    Info(usize),
    /// The FORMAT field that is read at this place.
    Format(usize),
    /// The column at this place.
    Column(usize),
}

/// The keys of the fields that are read, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldNames {
    pub info: Vec<String>,
    pub format: Vec<String>,
    pub columns: Vec<String>,
}

impl FieldNames {
    fn of(&self, about: About) -> &str {
        let name = match about {
            About::Record => None,
            About::Info(at) => self.info.get(at),
            About::Format(at) => self.format.get(at),
            About::Column(at) => self.columns.get(at),
        };
        name.map_or("", String::as_str)
    }
}

/// How often, and in which record first; 0 where no record was looked at.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    count: u64,
    first: u64,
}

impl Count {
    fn add(&mut self, count: u64, origin: u64) {
        if self.count == 0 {
            self.first = origin;
        }
        self.count += count;
    }

    fn warned(self, place: &dyn Fn(u64) -> Option<Place>) -> Warned {
        let first = Some(self.first).filter(|first| *first > 0);
        Warned { count: self.count, first, place: first.and_then(place) }
    }
}

/// The warnings of a source: the variants of an enumeration, in the order of their reasons.
pub(crate) trait WarningSet: Copy {
    /// The reasons.
    const ALL: &'static [&'static Reason];

    /// The place of this one among them.
    fn place(self) -> usize;
}

/// One count per warning and field; cheap enough to keep per value.
#[derive(Clone, Debug)]
pub(crate) struct TallyOf<W> {
    /// As many as there are warnings, or none yet.
    counts: Vec<Count>,
    of_fields: BTreeMap<(usize, About), Count>,
    of_names: Vec<(usize, String, Count)>,
    /// The record that is looked at: its origin.
    origin: u64,
    /// The field of it.
    about: About,
    warnings: PhantomData<W>,
}

impl<W> Default for TallyOf<W> {
    fn default() -> TallyOf<W> {
        TallyOf {
            counts: Vec::new(),
            of_fields: BTreeMap::new(),
            of_names: Vec::new(),
            origin: 0,
            about: About::Record,
            warnings: PhantomData,
        }
    }
}

#[allow(dead_code, reason = "not every source looks at fields")]
impl<W: WarningSet> TallyOf<W> {
    /// What is counted from now on is of this record.
    pub fn look_at(&mut self, origin: u64) {
        (self.origin, self.about) = (origin, About::Record);
    }

    /// What is counted from now on is of this field of the record.
    pub fn look_at_field(&mut self, about: About) {
        self.about = about;
    }

    /// The record that is looked at.
    pub fn origin(&self) -> u64 {
        self.origin
    }

    /// Counts one.
    pub fn count(&mut self, warning: W) {
        self.add(warning, 1);
    }

    /// Counts some.
    pub fn add(&mut self, warning: W, count: u64) {
        if count == 0 {
            return;
        }
        let counted = match self.about {
            About::Record => {
                self.counts.resize(W::ALL.len(), Count::default());
                &mut self.counts[warning.place()]
            }
            about => self.of_fields.entry((warning.place(), about)).or_default(),
        };
        counted.add(count, self.origin);
    }

    /// Counts one of this name, or only notes an earlier record that has it.
    pub fn name(&mut self, warning: W, name: &[u8], is_new: bool) {
        let name = String::from_utf8_lossy(name).into_owned();
        self.of_names.push((warning.place(), name, Count { count: u64::from(is_new), first: self.origin }));
    }

    /// Hands the counts over; the engine finds the places of records by the batches that they are in.
    pub fn report(&self, emit: &mut Emit) {
        self.hand_over(emit, &FieldNames::default(), &|_| None);
    }

    /// The same, with the names of fields.
    pub fn report_of(&self, emit: &mut Emit, names: &FieldNames) {
        self.hand_over(emit, names, &|_| None);
    }

    /// Hands the counts over; `place` knows the places of records by their origins.
    pub fn report_at(&self, emit: &mut Emit, names: &FieldNames, place: &dyn Fn(u64) -> Place) {
        self.hand_over(emit, names, &|origin| Some(place(origin)));
    }

    fn hand_over(&self, emit: &mut Emit, names: &FieldNames, place: &dyn Fn(u64) -> Option<Place>) {
        for (reason, count) in W::ALL.iter().zip(&self.counts).filter(|(_, count)| count.count > 0) {
            emit.warnings.add(reason, "", count.warned(place));
        }
        for ((warning, about), count) in &self.of_fields {
            emit.warnings.add(W::ALL[*warning], names.of(*about), count.warned(place));
        }
        for (warning, name, count) in &self.of_names {
            emit.warnings.add(W::ALL[*warning], name, count.warned(place));
        }
    }
}

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

        impl $crate::sources::shared::tally::WarningSet for Warning {
            const ALL: &'static [&'static vardelta_engine::contract::reason::Reason] = WARNINGS;

            fn place(self) -> usize {
                self as usize
            }
        }

        /// The counts of a chunk.
        pub(super) type Tally = $crate::sources::shared::tally::TallyOf<Warning>;
    };
}

pub(crate) use warnings;
