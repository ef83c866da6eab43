//! The program that a fitted pipeline is.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    ApplyError, ColumnMismatch, ColumnTable, Field, Matrix, Op, PlanBuilder, PlanError, Program, Registry, Schema,
    SchemaMismatch, Table, UnknownCategories, wiring::Wiring,
};

/// What a plan does with columns that its schema does not list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum ExtraColumns {
    /// They are not looked at.
    #[default]
    Ignore,
    /// They are an error that names them.
    Reject,
}

/// A named result of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// The name that the reader of the result sees.
    pub name: String,
    /// The plan's column that holds it.
    pub column: String,
}

/// A fitted transformation: the input schema, operations in order, and the named outputs.
///
/// Built with [`PlanBuilder`]. A plan is checked when it is built and when it is deserialised: every column that is
/// read exists and has a suitable type, no column is written twice, and output names are unique. Clones share it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "PlanData", into = "PlanData")]
pub struct Plan {
    checked: Arc<Checked>,
}

/// A plan's data, and what follows from them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Checked {
    pub(crate) data: PlanData,
    pub(crate) output_schema: Schema,
    pub(crate) wiring: Wiring,
    /// The number of the column that each output is.
    pub(crate) outputs: Vec<usize>,
    /// The positions of the inputs and of the operations that the outputs and the checks depend on.
    pub(crate) live: (Vec<usize>, Vec<usize>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Plan", deny_unknown_fields)]
pub(crate) struct PlanData {
    pub(crate) inputs: Schema,
    pub(crate) extra_columns: ExtraColumns,
    pub(crate) ops: Vec<Op>,
    pub(crate) outputs: Vec<Output>,
}

impl TryFrom<PlanData> for Plan {
    type Error = PlanError;

    fn try_from(data: PlanData) -> Result<Self, Self::Error> {
        PlanBuilder::of(data).build()
    }
}

impl From<Plan> for PlanData {
    fn from(plan: Plan) -> Self {
        Arc::unwrap_or_clone(plan.checked).data
    }
}

impl Plan {
    /// The plan that all this is.
    pub(crate) fn of(checked: Checked) -> Self {
        Self { checked: Arc::new(checked) }
    }

    /// What the plan consists of.
    pub(crate) fn checked(&self) -> &Checked {
        &self.checked
    }

    /// The plan that hands every column of `schema` through.
    ///
    /// # Errors
    /// None today: a valid schema always gives a valid plan.
    pub fn identity(schema: Schema) -> Result<Self, PlanError> {
        let names: Vec<String> = schema.names().map(str::to_owned).collect();
        let mut builder = PlanBuilder::new(schema);
        for name in names {
            builder.output(&name, &name);
        }
        builder.build()
    }

    /// The schema recorded at fit.
    #[must_use]
    pub fn inputs(&self) -> &Schema {
        &self.checked.data.inputs
    }

    /// What happens to columns that the schema does not list.
    #[must_use]
    pub fn extra_columns(&self) -> ExtraColumns {
        self.checked.data.extra_columns
    }

    /// The operations, in order.
    #[must_use]
    pub fn ops(&self) -> &[Op] {
        &self.checked.data.ops
    }

    /// The outputs, in order.
    #[must_use]
    pub fn outputs(&self) -> &[Output] {
        &self.checked.data.outputs
    }

    /// Names and types of the outputs.
    #[must_use]
    pub fn output_schema(&self) -> &Schema {
        &self.checked.output_schema
    }

    /// The names of the outputs, in order.
    #[must_use]
    pub fn feature_names(&self) -> Vec<&str> {
        self.checked.output_schema.names().collect()
    }

    /// The operations that the outputs depend on, and the checks, in order.
    #[must_use]
    pub fn required_ops(&self) -> Vec<&Op> {
        let (_, ops) = &self.checked.live;
        ops.iter().filter_map(|&index| self.ops().get(index)).collect()
    }

    /// The input columns that the outputs and the checks depend on; only these need to be there when the plan is applied.
    #[must_use]
    pub fn required_inputs(&self) -> Vec<&Field> {
        let (inputs, _) = &self.checked.live;
        inputs.iter().filter_map(|&index| self.inputs().fields().get(index)).collect()
    }

    /// Checks a table's schema against the one recorded at fit: every needed column is there with its type, in any
    /// order, and no other column is there if those are refused.
    ///
    /// # Errors
    /// The [`SchemaMismatch`] that lists every difference by name.
    pub fn check_schema(&self, found: &Schema) -> Result<(), SchemaMismatch> {
        let mut mismatch = SchemaMismatch {
            expected_columns: self.checked.data.inputs.len(),
            found_columns: found.len(),
            ..SchemaMismatch::default()
        };
        for Field { name, dtype } in self.required_inputs() {
            match found.dtype(name) {
                None => mismatch.missing.push(name.clone()),
                Some(found) if found != *dtype => {
                    mismatch.retyped.push(ColumnMismatch { column: name.clone(), expected: *dtype, found });
                }
                Some(_) => {}
            }
        }
        if self.checked.data.extra_columns == ExtraColumns::Reject {
            let extra = found.names().filter(|name| self.checked.data.inputs.field(name).is_none());
            mismatch.extra.extend(extra.map(str::to_owned));
        }
        if mismatch.is_empty() { Ok(()) } else { Err(mismatch) }
    }

    /// This plan followed by `next`, which reads this plan's outputs by name.
    ///
    /// # Errors
    /// [`PlanError::Chain`] when `next` needs a column that this plan does not give.
    pub fn then(&self, next: &Self) -> Result<Self, PlanError> {
        next.check_schema(&self.checked.output_schema).map_err(PlanError::Chain)?;
        let mut builder = PlanBuilder::new(self.inputs().clone());
        builder.extra_columns(self.extra_columns());
        builder.append(self, |column| Some(column.to_owned()), |_, column| column.to_owned())?;
        let column = |name: &str| Some(self.outputs().iter().find(|output| output.name == name)?.column.clone());
        for output in builder.inline(next, column)? {
            builder.output(&output.name, &output.column);
        }
        builder.build()
    }

    /// The feature matrix of `table`: every output as `f64`, shape (rows, outputs), NaN where missing.
    ///
    /// Prepares a [`Program`] and runs it once; to apply a plan many times, keep the program.
    ///
    /// # Errors
    /// [`ApplyError`] when the table does not fit, an output is not numeric, a category is unknown, or the plan needs
    /// an extension.
    pub fn apply(&self, table: &dyn Table) -> Result<Matrix, ApplyError> {
        Program::new(self, &Registry::new())?.apply(table)
    }

    /// How many values of `table` are no category of the columns that the plan encodes; see
    /// [`Program::unknown_categories`].
    ///
    /// # Errors
    /// As there, and when the plan needs an extension.
    pub fn unknown_categories(&self, table: &dyn Table) -> Result<UnknownCategories, ApplyError> {
        Program::new(self, &Registry::new())?.unknown_categories(table)
    }

    /// The outputs of `table` as typed columns.
    ///
    /// # Errors
    /// [`ApplyError`] when the table does not fit, a category is unknown, or the plan needs an extension.
    pub fn run(&self, table: &dyn Table) -> Result<ColumnTable, ApplyError> {
        Program::new(self, &Registry::new())?.run(table)
    }
}
