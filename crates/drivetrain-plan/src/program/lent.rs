//! Outputs lent to a reader, column by column.

use std::{ops::Range, sync::OnceLock};

use super::{
    Program,
    kernel::{Dictionaries, Step},
};
use crate::{ApplyError, Column, Schema, Table};

/// Which outputs are computed only when they are asked for.
#[derive(Debug, Clone)]
pub(super) struct Lent {
    /// Whether each step runs beforehand.
    pub(super) runs: Vec<bool>,
    /// Per output, the step that writes it when it is asked for.
    last: Vec<Option<usize>>,
}

impl Lent {
    /// `first` is the first register that each step writes, `outputs` the register of each output.
    pub(super) fn new(steps: &[Step], first: &[usize], outputs: &[usize]) -> Self {
        let mut runs = vec![true; steps.len()];
        let last = outputs.iter().map(|register| {
            let index = first.iter().position(|first| first == register)?;
            let single = steps[index].n_outputs == 1 && outputs.iter().filter(|other| *other == register).count() == 1;
            let read = steps.iter().any(|step| step.reads.contains(register));
            runs[index] = !single || read;
            (single && !read).then_some(index)
        });
        let last = last.collect();
        Self { runs, last }
    }
}

/// The outputs of a program for some rows.
pub(super) struct LentOutputs<'a> {
    program: &'a Program,
    registers: &'a [Column<'a>],
    dictionaries: &'a Dictionaries,
    rows: Range<usize>,
    failure: OnceLock<ApplyError>,
}

impl<'a> LentOutputs<'a> {
    pub(super) const fn new(
        program: &'a Program,
        registers: &'a [Column<'a>],
        dictionaries: &'a Dictionaries,
        rows: Range<usize>,
    ) -> Self {
        Self { program, registers, dictionaries, rows, failure: OnceLock::new() }
    }

    /// Why an output that was asked for could not be computed.
    pub(super) fn failure(self) -> Option<ApplyError> {
        self.failure.into_inner()
    }
}

impl Table for LentOutputs<'_> {
    fn n_rows(&self) -> usize {
        self.rows.len()
    }

    fn schema(&self) -> &Schema {
        self.program.plan.output_schema()
    }

    fn column(&self, name: &str) -> Option<Column<'_>> {
        let output = self.schema().names().position(|column| column == name)?;
        let Some(index) = self.program.lent.last[output] else {
            return Some(self.registers[self.program.outputs[output]].view(0, self.rows.len()));
        };
        match self.program.steps[index].run(self.registers, self.dictionaries.of(index), &self.rows) {
            Ok(columns) => columns.into_iter().next(),
            Err(error) => {
                self.failure.get_or_init(|| error);
                None
            }
        }
    }
}
