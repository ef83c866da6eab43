//! Building plans step by step.

use std::collections::{HashMap, HashSet};

use crate::{ExtraColumns, Op, Output, Plan, PlanError, Schema, plan::PlanData};

/// Collects operations and outputs; [`build`](Self::build) checks them.
///
/// Every column is written once. [`fresh`](Self::fresh) finds a name that is not taken.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanBuilder {
    data: PlanData,
    taken: HashSet<String>,
}

impl PlanBuilder {
    /// A plan over tables of this schema, with no operation and no output yet.
    #[must_use]
    pub fn new(inputs: Schema) -> Self {
        let mut taken = HashSet::with_capacity(4 * inputs.len());
        taken.extend(inputs.names().map(str::to_owned));
        Self {
            data: PlanData { inputs, extra_columns: ExtraColumns::Ignore, ops: Vec::new(), outputs: Vec::new() },
            taken,
        }
    }

    /// Sets what happens to columns that the schema does not list; they are ignored unless said otherwise.
    pub fn extra_columns(&mut self, extra_columns: ExtraColumns) -> &mut Self {
        self.data.extra_columns = extra_columns;
        self
    }

    /// A column name like `name` that nothing has yet, and reserves it.
    pub fn fresh(&mut self, name: &str) -> String {
        let mut candidate = name.to_owned();
        let mut count = 1;
        while self.taken.contains(&candidate) {
            count += 1;
            candidate = format!("{name}#{count}");
        }
        self.taken.insert(candidate.clone());
        candidate
    }

    /// Appends an operation.
    pub fn push(&mut self, op: Op) -> &mut Self {
        for written in op.writes() {
            if !self.taken.contains(written) {
                self.taken.insert(written.to_owned());
            }
        }
        self.data.ops.push(op);
        self
    }

    /// Appends an output called `name` that column `column` holds.
    pub fn output(&mut self, name: &str, column: &str) -> &mut Self {
        self.data.outputs.push(Output { name: name.to_owned(), column: column.to_owned() });
        self
    }

    /// Appends the operations of `plan`, whose input `name` is this plan's column `column(name)`, and returns what its
    /// outputs are called and which columns of this plan hold them. Nothing is added to this plan's outputs.
    ///
    /// # Errors
    /// [`PlanError::UnknownColumn`] when an input that `plan` needs is not bound.
    pub fn inline(&mut self, plan: &Plan, column: impl Fn(&str) -> Option<String>) -> Result<Vec<Output>, PlanError> {
        let mut names: HashMap<&str, String> = HashMap::with_capacity(plan.inputs().len() + 2 * plan.ops().len());
        for field in plan.required_inputs() {
            let bound = column(&field.name).ok_or_else(|| PlanError::UnknownColumn {
                reader: "an inlined plan".to_owned(),
                column: field.name.clone(),
            })?;
            names.insert(&field.name, bound);
        }
        for op in plan.required_ops() {
            for written in op.writes() {
                let fresh = self.fresh(written);
                names.insert(written, fresh);
            }
            let rename = |name: &str| names.get(name).cloned().unwrap_or_else(|| name.to_owned());
            let op = op.renamed(rename, rename);
            self.data.ops.push(op);
        }
        let outputs = plan.outputs().iter().map(|output| Output {
            name: output.name.clone(),
            column: names.get(output.column.as_str()).cloned().unwrap_or_else(|| output.column.clone()),
        });
        Ok(outputs.collect())
    }

    /// The plan.
    ///
    /// # Errors
    /// [`PlanError`] when an operation reads a column that is not there or of an unsuitable type, a column is written
    /// twice, a constant is not usable, or two outputs share a name.
    pub fn build(self) -> Result<Plan, PlanError> {
        Plan::try_from(self.data)
    }
}
