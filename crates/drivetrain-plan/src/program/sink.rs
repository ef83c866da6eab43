//! Last operations, which write straight into the feature matrix.
//!
//! What nothing else reads needs no column of its own: a scaled number goes to its cell, and of a one-hot row only the 1 is
//! written, because the matrix starts out as zeros.

use std::ops::Range;

use super::kernel::{Dictionaries, Kernel, Step, floats};
use crate::{ApplyError, Column, Value};

/// An operation whose results go nowhere but into the matrix.
#[derive(Debug, Clone)]
pub(super) enum Sink {
    /// `(value or fill - center) / scale` into one column of the matrix.
    Scale { read: usize, fill: Option<f64>, center: f64, scale: f64, position: usize },
    /// The 1 of each row into the matrix's column of its category, if there is one.
    OneHot { step: usize, positions: Vec<Option<usize>> },
}

/// How a program fills a matrix.
#[derive(Debug, Clone)]
pub(super) struct Sinks {
    last: Vec<Sink>,
    /// Whether each step writes columns of its own.
    pub(super) runs: Vec<bool>,
    /// The other cells: register and position in the row.
    copies: Vec<(usize, usize)>,
}

impl Sinks {
    /// `first` is the first register that each step writes, `outputs` the register of each column of the matrix.
    pub(super) fn new(steps: &[Step], first: &[usize], outputs: &[usize]) -> Self {
        let read_by_others = |register: usize| steps.iter().filter(|step| step.reads.contains(&register)).count();
        let positions = |register: usize| {
            outputs.iter().enumerate().filter(move |(_, found)| **found == register).map(|(position, _)| position)
        };
        let mut sinks = Vec::new();
        let mut runs = vec![true; steps.len()];
        for (index, step) in steps.iter().enumerate() {
            let registers = first[index]..first[index] + step.n_outputs;
            let private = registers.clone().all(|register| read_by_others(register) == 0);
            let once = registers.clone().all(|register| positions(register).count() <= 1);
            if !private || !once {
                continue;
            }
            match (&step.kernel, step.reads.first(), positions(first[index]).next()) {
                (Kernel::Scale { center, scale }, Some(&read), Some(position)) => {
                    // An imputation for this operation alone is done on the way.
                    let imputed = (0..index).find(|&before| {
                        first[before] == read
                            && matches!(steps[before].kernel, Kernel::Impute(Value::Float64(_)))
                            && read_by_others(read) == 1
                            && positions(read).next().is_none()
                    });
                    let (read, fill) = match imputed.map(|before| (before, &steps[before].kernel)) {
                        Some((before, Kernel::Impute(Value::Float64(fill)))) => {
                            runs[before] = false;
                            (steps[before].reads[0], Some(*fill))
                        }
                        _ => (read, None),
                    };
                    sinks.push(Sink::Scale { read, fill, center: *center, scale: *scale, position });
                    runs[index] = false;
                }
                (Kernel::OneHot(_), Some(_), _) => {
                    let positions = registers.map(|register| positions(register).next()).collect();
                    sinks.push(Sink::OneHot { step: index, positions });
                    runs[index] = false;
                }
                _ => {}
            }
        }
        let written = |register: usize| {
            (0..steps.len())
                .any(|step| !runs[step] && (first[step]..first[step] + steps[step].n_outputs).contains(&register))
        };
        let copies = outputs.iter().enumerate().filter(|(_, register)| !written(**register));
        let copies = copies.map(|(position, register)| (*register, position)).collect();
        Self { last: sinks, runs, copies }
    }

    /// Fills `cells`, zeros so far, with the rows `rows`, each of `width` values.
    pub(super) fn fill(
        &self,
        steps: &[Step],
        registers: &[Column<'_>],
        dictionaries: &Dictionaries,
        rows: &Range<usize>,
        (cells, width): (&mut [f64], usize),
    ) -> Result<(), ApplyError> {
        for &(register, position) in &self.copies {
            let values = floats(&registers[register]);
            for (row, value) in cells.chunks_exact_mut(width).zip(values.iter()) {
                row[position] = *value;
            }
        }
        for sink in &self.last {
            match sink {
                Sink::Scale { read, fill, center, scale, position } => {
                    let values = floats(&registers[*read]);
                    let scaled = |value: f64| (value - center) / scale;
                    let cells = cells.chunks_exact_mut(width).map(|row| &mut row[*position]).zip(values.iter());
                    match fill {
                        None => cells.for_each(|(cell, value)| *cell = scaled(*value)),
                        Some(fill) => cells.for_each(|(cell, value)| {
                            *cell = scaled(if value.is_nan() { *fill } else { *value });
                        }),
                    }
                }
                Sink::OneHot { step: index, positions } => {
                    let step = &steps[*index];
                    let Kernel::OneHot(one_hot) = &step.kernel else { continue };
                    let column = &registers[step.reads[0]];
                    let codes = one_hot.checked_codes(column, dictionaries.of(*index));
                    let codes = codes.map_err(|row| step.unknown(column, rows, row))?;
                    for (row, code) in cells.chunks_exact_mut(width).zip(codes) {
                        let position = usize::try_from(code).ok().and_then(|code| positions.get(code)).copied();
                        if let Some(position) = position.flatten() {
                            row[position] = 1.0;
                        }
                    }
                }
            }
        }
        Ok(())
    }
}
