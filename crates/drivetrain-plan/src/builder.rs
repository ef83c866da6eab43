//! Building plans step by step.

use std::collections::HashMap;

use crate::{
    ExtraColumns, Field, Op, Output, Plan, PlanError, Schema, SchemaError,
    plan::{Checked, PlanData},
    wiring::Wiring,
};

/// Collects operations and outputs; [`build`](Self::build) says whether they are right.
///
/// Every column is written once. [`fresh`](Self::fresh) finds a name that is not taken.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanBuilder {
    data: PlanData,
    /// The number of each column; `None` of a name that is only reserved.
    columns: HashMap<String, Option<usize>>,
    wiring: Wiring,
    /// What is wrong with the first operation that is not right.
    fault: Option<PlanError>,
}

impl PlanBuilder {
    /// A plan over tables of this schema, with no operation and no output yet.
    #[must_use]
    pub fn new(inputs: Schema) -> Self {
        let mut columns = HashMap::with_capacity(4 * inputs.len());
        columns.extend(inputs.names().enumerate().map(|(number, name)| (name.to_owned(), Some(number))));
        let wiring = Wiring::new(&inputs);
        let data = PlanData { inputs, extra_columns: ExtraColumns::Ignore, ops: Vec::new(), outputs: Vec::new() };
        Self { data, columns, wiring, fault: None }
    }

    /// Everything of `data`, checked.
    pub(crate) fn of(PlanData { inputs, extra_columns, ops, outputs }: PlanData) -> Self {
        let mut builder = Self::new(inputs);
        builder.extra_columns(extra_columns);
        for op in ops {
            builder.push(op);
        }
        builder.data.outputs = outputs;
        builder
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
        while self.columns.contains_key(&candidate) {
            count += 1;
            candidate = format!("{name}#{count}");
        }
        self.columns.insert(candidate.clone(), None);
        candidate
    }

    /// Appends an operation.
    pub fn push(&mut self, op: Op) -> &mut Self {
        if self.fault.is_none() {
            self.fault = self.wire(&op).err();
        }
        self.data.ops.push(op);
        self
    }

    /// Checks an operation and looks up its columns.
    fn wire(&mut self, op: &Op) -> Result<(), PlanError> {
        let Self { columns, wiring, .. } = self;
        let written = op.check(|column| {
            let number = columns.get(column).copied().flatten()?;
            wiring.read(number);
            Some(wiring.dtype(number))
        })?;
        for (position, name) in op.writes().into_iter().enumerate() {
            let number = wiring.write(written.dtype(position));
            if !write(columns, name, number) {
                return Err(written_twice(op, name));
            }
        }
        wiring.end();
        Ok(())
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
        self.append(plan, column, Self::fresh)
    }

    /// [`inline`](Self::inline), with a say in what the columns that are written are called.
    pub(crate) fn append(
        &mut self,
        plan: &Plan,
        column: impl Fn(&str) -> Option<String>,
        mut written: impl FnMut(&mut Self, &str) -> String,
    ) -> Result<Vec<Output>, PlanError> {
        let Checked { wiring, live: (inputs, ops), outputs, .. } = plan.checked();
        // Name and number in this plan of each of the plan's columns.
        let mut names = vec![(String::new(), usize::MAX); wiring.len()];
        // What was checked where the inputs have these types needs no check where they have them again.
        let mut same = self.fault.is_none();
        for &input in inputs {
            let Field { name, dtype } = &plan.inputs().fields()[input];
            let bound = column(name).ok_or_else(|| PlanError::UnknownColumn {
                reader: "an inlined plan".to_owned(),
                column: name.clone(),
            })?;
            let number = self.columns.get(&bound).copied().flatten();
            let number = number.filter(|number| self.wiring.dtype(*number) == *dtype);
            same &= number.is_some();
            names[input] = (bound, number.unwrap_or(usize::MAX));
        }
        for &index in ops {
            let op = &plan.ops()[index];
            for (number, name) in wiring.writes(index).zip(op.writes()) {
                names[number].0 = written(self, name);
            }
            let (mut reads, mut writes) = (wiring.reads(index).iter(), wiring.writes(index));
            let renamed = op.renamed(
                |name| reads.next().map_or_else(|| name.to_owned(), |&read| names[read].0.clone()),
                |name| writes.next().map_or_else(|| name.to_owned(), |write| names[write].0.clone()),
            );
            if !same {
                self.push(renamed);
                continue;
            }
            for &read in wiring.reads(index) {
                self.wiring.read(names[read].1);
            }
            for number in wiring.writes(index) {
                let (name, found) = &mut names[number];
                *found = self.wiring.write(wiring.dtype(number));
                if !write(&mut self.columns, name, *found) {
                    return Err(written_twice(op, name));
                }
            }
            self.wiring.end();
            self.data.ops.push(renamed);
        }
        let outputs = plan.outputs().iter().zip(outputs);
        Ok(outputs
            .map(|(Output { name, .. }, &column)| Output { name: name.clone(), column: names[column].0.clone() })
            .collect())
    }

    /// The plan.
    ///
    /// # Errors
    /// [`PlanError`] when an operation reads a column that is not there or of an unsuitable type, a column is written
    /// twice, a constant is not usable, or two outputs share a name.
    pub fn build(self) -> Result<Plan, PlanError> {
        let Self { data, columns, wiring, fault } = self;
        if let Some(fault) = fault {
            return Err(fault);
        }
        let outputs = data.outputs.iter().map(|output| {
            columns.get(&output.column).copied().flatten().ok_or_else(|| PlanError::UnknownColumn {
                reader: format!("output `{}`", output.name),
                column: output.column.clone(),
            })
        });
        let outputs = outputs.collect::<Result<Vec<usize>, PlanError>>()?;
        let fields = data.outputs.iter().zip(&outputs);
        let fields = fields.map(|(output, &column)| Field::new(&output.name, wiring.dtype(column))).collect();
        let output_schema = Schema::new(fields).map_err(|error| match error {
            SchemaError::DuplicateColumn { column } => PlanError::DuplicateOutput { name: column },
            other => PlanError::DuplicateOutput { name: other.to_string() },
        })?;
        let live = wiring.live(&outputs, |op| data.ops[op].is_check());
        Ok(Plan::of(Checked { data, output_schema, wiring, outputs, live }))
    }
}

fn written_twice(op: &Op, column: &str) -> PlanError {
    PlanError::ColumnWrittenTwice { writer: op.name().to_owned(), column: column.to_owned() }
}

/// Gives the column `name` its number; false when it has one.
fn write(columns: &mut HashMap<String, Option<usize>>, name: &str, number: usize) -> bool {
    match columns.get_mut(name) {
        Some(reserved @ None) => *reserved = Some(number),
        Some(Some(_)) => return false,
        None => drop(columns.insert(name.to_owned(), Some(number))),
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DataType, Operand, Operator};

    fn inputs(dtype: DataType) -> Schema {
        Schema::new(vec![Field::new("a", dtype), Field::new("b", DataType::Int64)]).unwrap()
    }

    fn product(left: &str, right: &str, output: &str) -> Op {
        let operand = |column: &str| Operand::Column(column.to_owned());
        Op::Arithmetic {
            operator: Operator::Multiply,
            left: operand(left),
            right: operand(right),
            output: output.to_owned(),
        }
    }

    /// `(b * a) * b`, and a product that nothing needs.
    fn plan() -> Plan {
        let mut builder = PlanBuilder::new(inputs(DataType::Float64));
        builder.push(product("b", "a", "c")).push(product("a", "a", "dead")).push(product("c", "b", "d"));
        builder.output("out", "d");
        builder.build().unwrap()
    }

    #[test]
    fn an_inlined_plan_is_what_pushing_its_operations_gives() {
        let (mut inlined, mut pushed) =
            (PlanBuilder::new(inputs(DataType::Float64)), PlanBuilder::new(inputs(DataType::Float64)));
        for builder in [&mut inlined, &mut pushed] {
            builder.push(product("a", "a", "c"));
        }
        let bound = |name: &str| Some(if name == "a" { "c" } else { "b" }.to_owned());
        let outputs = inlined.inline(&plan(), bound).unwrap();
        assert_eq!(outputs, [Output { name: "out".into(), column: "d".into() }]);
        pushed.push(product("b", "c", "c#2")).push(product("c#2", "b", "d"));
        for builder in [&mut inlined, &mut pushed] {
            builder.output("out", "d");
        }
        assert_eq!(inlined, pushed);
        assert_eq!(inlined.build().unwrap(), pushed.build().unwrap());
    }

    #[test]
    fn a_plan_inlined_between_columns_of_other_types_is_checked_again() {
        let inlined = |dtype, bound: &str| {
            let mut builder = PlanBuilder::new(inputs(dtype));
            let outputs = builder.inline(&plan(), |name| Some(if name == "a" { bound } else { name }.to_owned()))?;
            builder.output("out", &outputs[0].column);
            builder.build()
        };
        assert!(inlined(DataType::Boolean, "a").is_ok());
        assert!(matches!(inlined(DataType::String, "a"), Err(PlanError::ColumnType { column, .. }) if column == "a"));
        assert!(matches!(inlined(DataType::Int64, "x"), Err(PlanError::UnknownColumn { column, .. }) if column == "x"));
    }

    #[test]
    fn the_first_fault_is_told_however_much_follows() {
        let mut builder = PlanBuilder::new(inputs(DataType::Float64));
        builder.push(product("a", "later", "c")).push(product("a", "a", "later")).push(product("a", "a", "a"));
        builder.inline(&plan(), |name| Some(name.to_owned())).unwrap();
        assert!(matches!(builder.clone().build(), Err(PlanError::UnknownColumn { column, .. }) if column == "later"));
        let mut builder = PlanBuilder::new(inputs(DataType::Float64));
        builder.push(product("a", "a", "b"));
        let expected = PlanError::ColumnWrittenTwice { writer: "arithmetic".into(), column: "b".into() };
        assert_eq!(builder.build().unwrap_err(), expected);
        let mut builder = PlanBuilder::new(inputs(DataType::Float64));
        let reserved = builder.fresh("a");
        builder.output("x", &reserved);
        assert!(matches!(builder.build(), Err(PlanError::UnknownColumn { column, .. }) if column == "a#2"));
    }
}
