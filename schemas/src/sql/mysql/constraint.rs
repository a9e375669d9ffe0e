//! CHECK and FOREIGN KEY constraints of a sink table in MySQL and MariaDB.
//!
//! Their names are unique in a database (FOREIGN KEYs on both servers, CHECKs on MySQL), and a table that is rebuilt
//! is beside the one whose place it takes. So every name ends with a letter, and the two tables have different ones.

pub use crate::sql::constraint::{Constraint, Rule};
use crate::sql::{Dialect, constraint::PREFIX};

/// The last letter of the names in a table: the one that is beside it has the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Letter {
    /// `_a`.
    #[default]
    A,
    /// `_b`.
    B,
}

impl Letter {
    fn suffix(self) -> &'static str {
        match self {
            Letter::A => "_a",
            Letter::B => "_b",
        }
    }
}

impl Constraint {
    /// The name in the database.
    pub fn name(&self, letter: Letter) -> String {
        format!("{PREFIX}{}{}", self.tag, letter.suffix())
    }

    /// Whether a constraint of this name is this one.
    pub fn is_named(&self, name: &str) -> bool {
        [Letter::A, Letter::B].into_iter().any(|letter| self.name(letter).eq_ignore_ascii_case(name))
    }

    /// The line of CREATE TABLE.
    pub(super) fn line(&self, dialect: Dialect, letter: Letter) -> String {
        self.declared(dialect, &self.name(letter))
    }
}

/// Whether vardelta made a constraint of this name, and with which letter.
pub fn letter_of(name: &str) -> Option<Letter> {
    let name = name.to_ascii_lowercase();
    let letter = |letter: &Letter| name.ends_with(letter.suffix());
    name.starts_with(PREFIX).then(|| [Letter::A, Letter::B].into_iter().find(letter)).flatten()
}

/// Parameter: a table's name. Yields the names of its CHECK and FOREIGN KEY constraints.
pub const SELECT_CONSTRAINTS: &str = "SELECT constraint_name FROM information_schema.table_constraints \
    WHERE table_schema = DATABASE() AND table_name = ? AND constraint_type IN ('CHECK', 'FOREIGN KEY') \
    ORDER BY constraint_name";

/// Parameter: a table's name. Yields the tables of this database with a foreign key to it.
pub const SELECT_REFERRING: &str = "SELECT DISTINCT table_name FROM information_schema.referential_constraints \
    WHERE constraint_schema = DATABASE() AND referenced_table_name = ? ORDER BY table_name";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_alternate() {
        let rule = Rule::Reference { columns: vec!["g".into()], table: "genes".into(), to: vec!["symbol".into()] };
        let constraint = Constraint { tag: "x".into(), said: String::new(), rule };
        assert!(constraint.is_named("vardelta_x_a") && constraint.is_named("VARDELTA_X_B"));
        assert!(!constraint.is_named("vardelta_x"));
        assert_eq!(letter_of(&constraint.name(Letter::B)), Some(Letter::B));
        assert_eq!(letter_of("mine_a"), None);
        assert_eq!(
            constraint.line(Dialect::MySql, Letter::A),
            "CONSTRAINT `vardelta_x_a` FOREIGN KEY (`g`) REFERENCES `genes` (`symbol`) ON DELETE RESTRICT ON UPDATE \
             RESTRICT"
        );
    }
}
