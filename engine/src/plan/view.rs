//! The definitions of views as relations over tables that the sink keeps: what `verify` has the database compute.

use vardelta_schemas::{
    TableSchema,
    sql::view::{Relation, Unsayable},
};

use super::{Plan, PlannedStage, StageIndex};
use crate::{
    contract::{algebra::Algebra, stage::Planned},
    relational::scalars,
};

impl Plan {
    /// What the stage says, as a relation over the tables that the sink keeps: where it is `whole`, over those that drops make, and
    /// over a view of which databases know nothing; else over the nearest ones.
    ///
    /// # Errors
    /// Where a part of it is nothing that databases know.
    pub(crate) fn defined(&self, stage: StageIndex, whole: bool) -> Result<Relation, Unsayable> {
        let PlannedStage { name, type_name, inputs, schema: _, planned, .. } = &self.stages[stage];
        let refused = || Unsayable(format!("stage `{name}` ({type_name})"));
        let of = |error: Unsayable| Unsayable(format!("{error}, in stage `{name}`"));
        let input = |at: usize| self.input(*inputs.get(at).ok_or_else(refused)?, whole).map(Box::new);
        let columns = || &self.stages[inputs[0]].schema;
        match planned {
            Planned::Transform(transform) => match transform.algebra().ok_or_else(refused)? {
                Algebra::Filter(condition) => {
                    Ok(Relation::Filter { input: input(0)?, condition: condition.scalar(columns()).map_err(of)? })
                }
                Algebra::Select(selected) => {
                    let input = input(0)?;
                    Ok(Relation::Select { input, columns: scalars(selected, columns()).map_err(of)? })
                }
            },
            Planned::Relational(_) if self.stages[stage].is_table() => {
                Err(Unsayable(format!("table `{name}`, which the database does not keep")))
            }
            Planned::Relational(relational) => {
                let say = relational.relation().say().ok_or_else(refused)?;
                let said = inputs.iter().map(|input| self.input(*input, whole)).collect::<Result<_, _>>()?;
                say(said, columns()).map_err(of)
            }
            Planned::Source(_) | Planned::Sink(_) => Err(refused()),
        }
    }

    /// What a stage reads of another one.
    fn input(&self, stage: StageIndex, whole: bool) -> Result<Relation, Unsayable> {
        let PlannedStage { name, schema, key, .. } = &self.stages[stage];
        let table = self.stages[self.sink].inputs.contains(&stage).then(|| {
            let key = key.clone().unwrap_or_default();
            Relation::Table(TableSchema { name: name.clone(), schema: schema.clone(), key })
        });
        match table {
            Some(table) if self.stages[stage].is_table() || !whole => Ok(table),
            Some(table) => Ok(self.defined(stage, whole).unwrap_or(table)),
            None => self.defined(stage, whole),
        }
    }
}
