//! The interpreter: a plan with its names resolved, ready to be applied many times.

mod categorical;
mod kernel;
mod lent;
mod sink;
mod unknown;

use std::ops::Range;

use ndarray::Array2;
use rayon::prelude::*;

use self::{
    kernel::{Dictionaries, Kernel, Step},
    lent::{Lent, LentOutputs},
    sink::Sinks,
};
use crate::{ApplyError, Column, ColumnTable, Matrix, Plan, Registry, Table, plan::Checked};

/// Rows that are computed together: their columns and cells stay in the caches next to the processor.
const BLOCK_ROWS: usize = 512;

/// Blocks that one thread takes at once at the least: fewer are not worth waking it.
const TASK_BLOCKS: usize = 8;

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
    sinks: Sinks,
    lent: Lent,
}

impl Program {
    /// Prepares `plan`, whose extensions are looked up in `registry`.
    ///
    /// # Errors
    /// [`ApplyError::MissingExtension`] or [`ApplyError::Extension`] when an extension cannot be had.
    pub fn new(plan: &Plan, registry: &Registry) -> Result<Self, ApplyError> {
        let Checked { wiring, outputs, live: (inputs, live), .. } = plan.checked();
        // The register of each column that is needed.
        let mut registers = vec![usize::MAX; wiring.len()];
        for (register, &input) in inputs.iter().enumerate() {
            registers[input] = register;
        }
        let mut next = inputs.len();
        let mut steps: Vec<Step> = Vec::with_capacity(live.len());
        let mut first = Vec::with_capacity(live.len());
        for &index in live {
            let op = &plan.ops()[index];
            let reads: Vec<usize> = wiring.reads(index).iter().map(|&column| registers[column]).collect();
            // Messages name the column that a caller knows: what was cast or imputed keeps its name.
            let written_by = reads.first().and_then(|read| first.iter().position(|first| first == read));
            let column = match written_by.and_then(|step: usize| steps.get(step)) {
                Some(Step { kernel: Kernel::Cast(_) | Kernel::Impute(_), column, .. }) => column.clone(),
                _ => op.reads().first().map_or_else(String::new, ToString::to_string),
            };
            let writes = wiring.writes(index);
            steps.push(Step { column, reads, n_outputs: writes.len(), kernel: Kernel::new(op, registry)? });
            // What writes nothing is nobody's writer.
            first.push(if writes.is_empty() { usize::MAX } else { next });
            for written in writes {
                registers[written] = next;
                next += 1;
            }
        }
        let outputs: Vec<usize> = outputs.iter().map(|&column| registers[column]).collect();
        let sinks = Sinks::new(&steps, &first, &outputs);
        let lent = Lent::new(&steps, &first, &outputs);
        Ok(Self { inputs: inputs.clone(), steps, outputs, sinks, lent, plan: plan.clone() })
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
        let (n_rows, width) = (table.n_rows(), self.outputs.len());
        let mut values = vec![0.0; n_rows * width];
        self.fill(table, &mut values, true)?;
        let names = self.plan.output_schema().names().map(str::to_owned).collect();
        // A vector of rows x width elements always has that shape.
        let values = Array2::from_shape_vec((n_rows, width), values).unwrap_or_default();
        Ok(Matrix::new(values, names))
    }

    /// Like [`apply`](Self::apply), into memory of the caller's: `rows x outputs` numbers, row after row. Fresh memory
    /// costs more than what is computed into it, so whoever transforms many tables keeps a buffer.
    ///
    /// ```
    /// use drivetrain_plan::{Column, ColumnTable, DataType, Field, Plan, Program, Registry, Schema};
    ///
    /// let plan = Plan::identity(Schema::new(vec![Field::new("x", DataType::Int64)])?)?;
    /// let program = Program::new(&plan, &Registry::new())?;
    /// let table = ColumnTable::new(vec![("x".into(), Column::from(vec![3_i64, 4]))])?;
    /// let mut buffer = [0.0; 2];
    /// program.apply_into(&table, &mut buffer)?;
    /// assert_eq!(buffer, [3.0, 4.0]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`apply`](Self::apply), and [`ApplyError::BufferLength`]; what the buffer then holds means nothing.
    pub fn apply_into(&self, table: &dyn Table, buffer: &mut [f64]) -> Result<(), ApplyError> {
        let (rows, columns) = (table.n_rows(), self.outputs.len());
        if buffer.len() != rows * columns {
            return Err(ApplyError::BufferLength { rows, columns, found: buffer.len() });
        }
        self.fill(table, buffer, false)
    }

    /// Fills `values`, of the right number, which are `zeros` or have to be made so.
    fn fill(&self, table: &dyn Table, values: &mut [f64], zeros: bool) -> Result<(), ApplyError> {
        let columns = self.columns(table)?;
        if let Some(field) = self.plan.output_schema().fields().iter().find(|field| !field.dtype.is_numeric()) {
            return Err(ApplyError::NotNumeric { name: field.name.clone(), dtype: field.dtype });
        }
        let width = self.outputs.len();
        let dictionaries = Dictionaries::new(&self.steps, &columns);
        if values.is_empty() {
            // Without outputs there still may be checks.
            return self.block(&columns, &dictionaries, &(0..table.n_rows()), &self.sinks.runs).map(drop);
        }
        let filler = self.sinks.filler(&self.steps, &dictionaries);
        let fill = |(block, cells): (usize, &mut [f64])| {
            let start = block * BLOCK_ROWS;
            let rows = start..start + cells.len() / width;
            let registers = self.block(&columns, &dictionaries, &rows, &self.sinks.runs)?;
            filler.fill(&registers, &rows, (cells, width), !zeros)
        };
        if table.n_rows() <= BLOCK_ROWS {
            return fill((0, values));
        }
        let blocks = values.par_chunks_mut(BLOCK_ROWS * width).enumerate().with_min_len(TASK_BLOCKS);
        blocks.map(fill).collect::<Vec<Result<(), ApplyError>>>().into_iter().collect()
    }

    /// The outputs of `table` as typed columns; see [`Plan::run`].
    ///
    /// # Errors
    /// [`ApplyError`] when the table does not fit or a category is unknown.
    pub fn run(&self, table: &dyn Table) -> Result<ColumnTable, ApplyError> {
        let columns = self.columns(table)?;
        let dictionaries = Dictionaries::new(&self.steps, &columns);
        let every = vec![true; self.steps.len()];
        let mut registers = self.block(&columns, &dictionaries, &(0..table.n_rows()), &every)?;
        let names = self.plan.output_schema().names().map(str::to_owned);
        let outputs = self.outputs.iter().enumerate().map(|(index, &register)| {
            // A column that no later output is made of is handed over, not copied.
            let column = if self.outputs[index + 1..].contains(&register) {
                registers[register].clone()
            } else {
                std::mem::replace(&mut registers[register], Column::from(Vec::<f64>::new()))
            };
            column.into_owned()
        });
        ColumnTable::new(names.zip(outputs).collect()).map_err(ApplyError::Output)
    }

    /// Like [`run`](Self::run), but lends the outputs to `read`: columns that are handed through are not copied, and what
    /// the last operations write is computed when it is asked for, so that it is read while it is still in the cache.
    /// What fits a step of a pipeline block by block runs the steps before it this way.
    ///
    /// ```
    /// use drivetrain_plan::{Column, ColumnTable, DataType, Field, Plan, Program, Registry, Schema, Table};
    ///
    /// let plan = Plan::identity(Schema::new(vec![Field::new("x", DataType::Int64)])?)?;
    /// let program = Program::new(&plan, &Registry::new())?;
    /// let table = ColumnTable::new(vec![("x".into(), Column::from(vec![3_i64, 4]))])?;
    /// let found = program.run_with(&table, |outputs| outputs.column("x").map(|column| column.describe(1)))?;
    /// assert_eq!(found.as_deref(), Some("4"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`run`](Self::run). An output that cannot be computed is absent for `read`, and its error is returned after it.
    pub fn run_with<R>(&self, table: &dyn Table, read: impl FnOnce(&dyn Table) -> R) -> Result<R, ApplyError> {
        let rows = 0..table.n_rows();
        let columns = self.columns(table)?;
        let dictionaries = Dictionaries::new(&self.steps, &columns);
        let registers = self.block(&columns, &dictionaries, &rows, &self.lent.runs)?;
        let outputs = LentOutputs::new(self, &registers, &dictionaries, rows);
        let found = read(&outputs);
        outputs.failure().map_or(Ok(found), Err)
    }

    /// The needed input columns, checked.
    fn columns<'t>(&self, table: &'t dyn Table) -> Result<Vec<Column<'t>>, ApplyError> {
        // What is fed in blocks has the very schema of the fit most of the time; the comparison is the cheaper check.
        if table.schema() != self.plan.inputs() {
            self.plan.check_schema(table.schema()).map_err(ApplyError::Schema)?;
        }
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

    /// All registers for the rows `rows`; those of steps that do not run hold nothing.
    fn block<'c>(
        &self,
        columns: &'c [Column<'_>],
        dictionaries: &Dictionaries,
        rows: &Range<usize>,
        runs: &[bool],
    ) -> Result<Vec<Column<'c>>, ApplyError> {
        let mut registers: Vec<Column<'c>> = Vec::with_capacity(columns.len() + self.steps.len());
        registers.extend(columns.iter().map(|column| column.view(rows.start, rows.end)));
        for (index, (step, runs)) in self.steps.iter().zip(runs).enumerate() {
            if *runs {
                let outputs = step.run(&registers, dictionaries.of(index), rows)?;
                registers.extend(outputs);
            } else {
                registers.extend((0..step.n_outputs).map(|_| Column::from(Vec::<f64>::new())));
            }
        }
        Ok(registers)
    }
}

#[cfg(test)]
mod tests;
