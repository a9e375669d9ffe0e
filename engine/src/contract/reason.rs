//! Why a record was rejected, or a value adapted: codes that reports count by and users search for.
//!
//! A stage declares its codes with [`reasons!`](crate::reasons) and lists them in
//! [`StageType::reasons`](crate::contract::stage::StageType::reasons); nothing else can be rejected or warned with. Codes are stable:
//! a meaning that changes gets another code.

/// What the code says of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The record, or a row of it, is not used.
    Reject,
    /// Something of it was adapted, and is counted.
    Warning,
}

impl Severity {
    /// The word that manuals use.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Reject => "reject",
            Severity::Warning => "warning",
        }
    }
}

/// A reason code with its explanation.
#[derive(Debug, PartialEq, Eq)]
pub struct Reason {
    severity: Severity,
    code: &'static str,
    meaning: &'static str,
    remedy: &'static str,
}

impl Reason {
    /// For [`reasons!`](crate::reasons).
    #[doc(hidden)]
    pub const fn new(severity: Severity, code: &'static str, meaning: &'static str, remedy: &'static str) -> Reason {
        Reason { severity, code, meaning, remedy }
    }

    /// Whether it rejects or warns.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The stable word: lower-case letters, digits and `_`.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What was found, and what became of it.
    pub fn meaning(&self) -> &'static str {
        self.meaning
    }

    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        self.remedy
    }
}

/// Declares reason codes, one constant each, and the list of them all.
///
/// Each line is `reject` or `warning`, the constant, its code, what it means, and what to do about it.
///
/// ```
/// vardelta_engine::reasons! {
///     /// What this stage rejects and warns of.
///     pub REASONS:
///     reject BAD_PLACE = "bad_place": "the place is not a number" => "correct the place";
/// }
/// assert_eq!(REASONS, [BAD_PLACE]);
/// ```
#[macro_export]
macro_rules! reasons {
    ($(#[$meta:meta])* $visible:vis $list:ident:
     $($severity:ident $name:ident = $code:literal: $meaning:literal => $remedy:literal;)*) => {
        $(
            #[doc = $meaning]
            $visible const $name: &$crate::contract::reason::Reason =
                &$crate::contract::reason::Reason::new($crate::reasons!(@ $severity), $code, $meaning, $remedy);
        )*
        $(#[$meta])*
        $visible const $list: &[&$crate::contract::reason::Reason] = &[$($name),*];
    };
    (@ reject) => { $crate::contract::reason::Severity::Reject };
    (@ warning) => { $crate::contract::reason::Severity::Warning };
}
