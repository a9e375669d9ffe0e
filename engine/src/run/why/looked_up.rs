//! The rows of a look-up: their answers from the state, made of the rows that want the key.

use std::{collections::BTreeMap, rc::Rc};

use super::{
    walk::{Each, Leaf, ROWS_AT_ONCE, Walk},
    wanted::{Wanted, encode, of_input},
};
use crate::{error::RunError, flow::lookup::AnswersOf, plan::StageIndex, relational::LookupSpec, rows::Row};

impl Walk<'_> {
    /// The rows of a look-up stage that are wanted.
    pub(super) fn lookup(
        &self,
        stage: StageIndex,
        spec: &LookupSpec,
        wanted: &Wanted,
        each: &mut Each<'_>,
    ) -> Result<(), RunError> {
        let planned = &self.plan.stages[stage];
        let input = planned.inputs[0];
        if self.is_partial(input) {
            return Err(self.not_followed(&planned.name));
        }
        let asked = of_input(wanted, |column| (column == 0).then_some(spec.input_key));
        let mut by_key: BTreeMap<Row, Vec<Rc<Leaf>>> = BTreeMap::new();
        self.each(input, &asked, &mut |rows, parts| {
            let keys = encode(&rows, &[spec.input_key]).map_err(RunError::internal)?;
            for (row, parts) in parts.into_iter().enumerate() {
                // NULL wants nothing.
                if rows.column(spec.input_key).is_valid(row) {
                    by_key.entry(keys.row(row).data().into()).or_default().extend(parts);
                }
            }
            Ok(())
        })?;
        let layout = self.plan.stages[stage].layout()?;
        let mut answers = AnswersOf::new(self.before, &planned.name, spec, &layout)?;
        let mut keys = by_key.into_iter().peekable();
        while keys.peek().is_some() {
            self.abort.check()?;
            let (mut rows, mut parts) = (Vec::new(), Vec::new());
            for (key, of_key) in keys.by_ref().take(ROWS_AT_ONCE) {
                let value = answers.row(&key)?;
                rows.push((key, value));
                parts.push(of_key);
            }
            let decoded = layout.decode(rows.iter().map(|(key, value)| (&**key, &**value)));
            each(decoded.map_err(RunError::internal)?, parts)?;
        }
        Ok(())
    }
}
