//! Which columns the operations of a plan read and write, by number: what follows from names, looked up once.

use std::ops::Range;

use crate::{DataType, Schema};

/// Columns are numbered: the inputs first, then what the operations write, in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wiring {
    /// The type of each column.
    dtypes: Vec<DataType>,
    /// What all operations read, one after the other.
    reads: Vec<usize>,
    /// Per operation, where its part of the reads and of the columns ends.
    ends: Vec<(usize, usize)>,
    n_inputs: usize,
}

impl Wiring {
    /// That of no operation yet.
    pub(crate) fn new(inputs: &Schema) -> Self {
        let dtypes = inputs.fields().iter().map(|field| field.dtype).collect();
        Self { dtypes, reads: Vec::new(), ends: Vec::new(), n_inputs: inputs.len() }
    }

    /// The number of columns.
    pub(crate) const fn len(&self) -> usize {
        self.dtypes.len()
    }

    /// The type of a column.
    pub(crate) fn dtype(&self, column: usize) -> DataType {
        self.dtypes[column]
    }

    /// The columns that an operation reads, in the order of [`Op::reads`](crate::Op::reads).
    pub(crate) fn reads(&self, op: usize) -> &[usize] {
        let start = op.checked_sub(1).map_or(0, |before| self.ends[before].0);
        &self.reads[start..self.ends[op].0]
    }

    /// The columns that an operation writes.
    pub(crate) fn writes(&self, op: usize) -> Range<usize> {
        op.checked_sub(1).map_or(self.n_inputs, |before| self.ends[before].1)..self.ends[op].1
    }

    /// Says that the operation to come reads a column.
    pub(crate) fn read(&mut self, column: usize) {
        self.reads.push(column);
    }

    /// Says that the operation to come writes a column of this type; its number.
    pub(crate) fn write(&mut self, dtype: DataType) -> usize {
        self.dtypes.push(dtype);
        self.dtypes.len() - 1
    }

    /// Ends the operation.
    pub(crate) fn end(&mut self) {
        self.ends.push((self.reads.len(), self.dtypes.len()));
    }

    /// The inputs and the operations that these columns depend on, and the operations that are a check with what those
    /// depend on, each in order.
    pub(crate) fn live(&self, outputs: &[usize], is_check: impl Fn(usize) -> bool) -> (Vec<usize>, Vec<usize>) {
        let mut needed = vec![false; self.len()];
        for &column in outputs {
            needed[column] = true;
        }
        let mut ops = Vec::new();
        for op in (0..self.ends.len()).rev() {
            if is_check(op) || self.writes(op).any(|column| needed[column]) {
                for &column in self.reads(op) {
                    needed[column] = true;
                }
                ops.push(op);
            }
        }
        ops.reverse();
        ((0..self.n_inputs).filter(|&input| needed[input]).collect(), ops)
    }
}
