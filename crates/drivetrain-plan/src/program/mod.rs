//! The interpreter: a plan with its names resolved, ready to be applied many times.

mod categorical;
mod kernel;

use std::{collections::BTreeMap, ops::Range};

use ndarray::Array2;
use rayon::prelude::*;

use self::kernel::{Dictionaries, Kernel, Step};
use crate::{ApplyError, Column, ColumnTable, Matrix, Plan, Registry, Table};

/// Rows that are computed together: their columns stay in the second-level cache.
const BLOCK_ROWS: usize = 2048;

/// A plan made ready to run: names are positions, lookup tables are built, extensions are loaded.
///
/// Applying it computes blocks of rows in parallel on the current rayon pool when there is more than one block. The
/// result does not depend on the number of threads.
#[derive(Debug, Clone)]
pub struct Program {
    plan: Plan,
    /// Positions in the plan's schema of the inputs that are needed; they fill the first registers.
    inputs: Vec<usize>,
    steps: Vec<Step>,
    /// The register of every output.
    outputs: Vec<usize>,
}

impl Program {
    /// Prepares `plan`, whose extensions are looked up in `registry`.
    ///
    /// # Errors
    /// [`ApplyError::MissingExtension`] or [`ApplyError::Extension`] when an extension cannot be had.
    pub fn new(plan: &Plan, registry: &Registry) -> Result<Self, ApplyError> {
        let (inputs, live) = plan.live();
        let mut registers: BTreeMap<&str, usize> = BTreeMap::new();
        for (register, field) in inputs.iter().filter_map(|&index| plan.inputs().fields().get(index)).enumerate() {
            registers.insert(&field.name, register);
        }
        let mut steps = Vec::with_capacity(live.len());
        for op in live.into_iter().filter_map(|index| plan.ops().get(index)) {
            let reads = op.reads().iter().filter_map(|column| registers.get(column).copied()).collect();
            steps.push(Step {
                column: op.reads().first().map_or_else(String::new, ToString::to_string),
                reads,
                kernel: Kernel::new(op, registry)?,
            });
            for written in op.writes() {
                let register = registers.len();
                registers.insert(written, register);
            }
        }
        let outputs = plan.outputs().iter().filter_map(|output| registers.get(output.column.as_str()).copied());
        let outputs = outputs.collect();
        Ok(Self { inputs, steps, outputs, plan: plan.clone() })
    }

    /// The plan.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The feature matrix of `table`; see [`Plan::apply`].
    ///
    /// # Errors
    /// [`ApplyError`] when the table does not fit, an output is not numeric, or a category is unknown. Of several
    /// errors the one in the first block of rows is returned, whatever the number of threads.
    pub fn apply(&self, table: &dyn Table) -> Result<Matrix, ApplyError> {
        let columns = self.columns(table)?;
        if let Some(field) = self.plan.output_schema().fields().iter().find(|field| !field.dtype.is_numeric()) {
            return Err(ApplyError::NotNumeric { name: field.name.clone(), dtype: field.dtype });
        }
        let (n_rows, width) = (table.n_rows(), self.outputs.len());
        let mut values = vec![0.0; n_rows * width];
        if !values.is_empty() {
            let dictionaries = Dictionaries::new(&self.steps, &columns);
            let fill = |(block, chunk): (usize, &mut [f64])| {
                let start = block * BLOCK_ROWS;
                let registers = self.block(&columns, &dictionaries, start..start + chunk.len() / width)?;
                for (offset, column) in
                    self.outputs.iter().filter_map(|&register| registers[register].to_f64()).enumerate()
                {
                    let cells = chunk.iter_mut().skip(offset).step_by(width);
                    cells.zip(column.iter()).for_each(|(cell, value)| *cell = *value);
                }
                Ok(())
            };
            if n_rows > BLOCK_ROWS {
                let chunks = values.par_chunks_mut(BLOCK_ROWS * width).enumerate();
                chunks.map(fill).collect::<Vec<Result<(), ApplyError>>>().into_iter().collect::<Result<(), _>>()?;
            } else {
                fill((0, &mut values))?;
            }
        }
        let names = self.plan.output_schema().names().map(str::to_owned).collect();
        // A vector of rows x width elements always has that shape.
        let values = Array2::from_shape_vec((n_rows, width), values).unwrap_or_default();
        Ok(Matrix::new(values, names))
    }

    /// The outputs of `table` as typed columns; see [`Plan::run`].
    ///
    /// # Errors
    /// [`ApplyError`] when the table does not fit or a category is unknown.
    pub fn run(&self, table: &dyn Table) -> Result<ColumnTable, ApplyError> {
        let columns = self.columns(table)?;
        let dictionaries = Dictionaries::new(&self.steps, &columns);
        let registers = self.block(&columns, &dictionaries, 0..table.n_rows())?;
        let names = self.plan.output_schema().names().map(str::to_owned);
        let outputs = self.outputs.iter().map(|&register| registers[register].clone().into_owned());
        ColumnTable::new(names.zip(outputs).collect()).map_err(ApplyError::Output)
    }

    /// The needed input columns, checked.
    fn columns<'t>(&self, table: &'t dyn Table) -> Result<Vec<Column<'t>>, ApplyError> {
        self.plan.check_schema(table.schema()).map_err(ApplyError::Schema)?;
        let fields = self.inputs.iter().filter_map(|&index| self.plan.inputs().fields().get(index));
        let columns = fields.map(|field| {
            let column = table.column(&field.name);
            match column {
                Some(column) if column.dtype() == field.dtype && column.len() == table.n_rows() => Ok(column),
                other => Err(ApplyError::Table {
                    column: field.name.clone(),
                    rows: table.n_rows(),
                    dtype: field.dtype,
                    found_rows: other.as_ref().map_or(0, Column::len),
                    found_dtype: other.as_ref().map_or(field.dtype, Column::dtype),
                }),
            }
        });
        columns.collect()
    }

    /// All registers for the rows `rows`.
    fn block<'c>(
        &self,
        columns: &'c [Column<'_>],
        dictionaries: &Dictionaries,
        rows: Range<usize>,
    ) -> Result<Vec<Column<'c>>, ApplyError> {
        let mut registers: Vec<Column<'c>> = Vec::with_capacity(columns.len() + self.steps.len());
        registers.extend(columns.iter().map(|column| column.view(rows.start, rows.end)));
        for (index, step) in self.steps.iter().enumerate() {
            let outputs = step.run(&registers, dictionaries.of(index), &rows)?;
            registers.extend(outputs);
        }
        Ok(registers)
    }
}

#[cfg(test)]
mod tests;
