//! Last operations, which write straight into the feature matrix.
//!
//! What nothing else reads needs no column of its own: a scaled number goes to its cell, and of a one-hot row only the 1 is
//! written, because the matrix starts out as zeros.

use std::{borrow::Cow, ops::Range};

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
    ///
    /// Some rows at a time, so that their cells stay in the cache while one column after the other is put there.
    pub(super) fn fill(
        &self,
        steps: &[Step],
        registers: &[Column<'_>],
        dictionaries: &Dictionaries,
        rows: &Range<usize>,
        (cells, width): (&mut [f64], usize),
    ) -> Result<(), ApplyError> {
        let copies = self.copies.iter().map(|&(register, position)| {
            let values = floats(&registers[register]);
            Ok(Source::Numbers { values, position, scale: None })
        });
        let last = self.last.iter().map(|sink| match sink {
            Sink::Scale { read, fill, center, scale, position } => {
                let (values, scale) = (floats(&registers[*read]), Some((*fill, *center, *scale)));
                Ok(Source::Numbers { values, position: *position, scale })
            }
            Sink::OneHot { step: index, positions } => {
                let (step, column) = (&steps[*index], &registers[steps[*index].reads[0]]);
                let codes = match &step.kernel {
                    Kernel::OneHot(one_hot) => one_hot.checked_codes(column, dictionaries.of(*index)),
                    _ => Ok(Vec::new()),
                };
                Ok(Source::Ones { codes: codes.map_err(|row| step.unknown(column, rows, row))?, positions })
            }
        });
        let sources = copies.chain(last).collect::<Result<Vec<Source<'_>>, ApplyError>>()?;
        let strip = (STRIP_CELLS / width).clamp(8, STRIP_ROWS);
        for (index, cells) in cells.chunks_mut(strip * width).enumerate() {
            for source in &sources {
                source.put(index * strip, cells, width);
            }
        }
        Ok(())
    }
}

/// Cells that are filled together: half of the cache next to the processor.
const STRIP_CELLS: usize = 2048;

/// Rows that are filled together at the most.
const STRIP_ROWS: usize = 64;

/// What goes into the cells of a block.
enum Source<'a> {
    /// `(value or fill - center) / scale`, or the value itself.
    Numbers { values: Cow<'a, [f64]>, position: usize, scale: Option<(Option<f64>, f64, f64)> },
    /// 1 at the position of each code.
    Ones { codes: Vec<u32>, positions: &'a [Option<usize>] },
}

impl Source<'_> {
    /// Puts the rows from `start` on into `cells`.
    fn put(&self, start: usize, cells: &mut [f64], width: usize) {
        let rows = cells.chunks_exact_mut(width);
        match self {
            Self::Ones { codes, positions } => {
                for (row, code) in rows.zip(&codes[start..]) {
                    let position = usize::try_from(*code).ok().and_then(|code| positions.get(code)).copied();
                    if let Some(position) = position.flatten() {
                        row[position] = 1.0;
                    }
                }
            }
            Self::Numbers { values, position, scale } => {
                let values = &values[start..start + rows.len()];
                // Computed side by side first, which takes vector instructions, and then spread over the rows.
                let mut computed = [0.0; STRIP_ROWS];
                let computed = &mut computed[..values.len()];
                match *scale {
                    None => computed.copy_from_slice(values),
                    Some((None, center, scale)) => {
                        computed.iter_mut().zip(values).for_each(|(cell, value)| *cell = (value - center) / scale);
                    }
                    Some((Some(fill), center, scale)) => computed.iter_mut().zip(values).for_each(|(cell, value)| {
                        *cell = ((if value.is_nan() { fill } else { *value }) - center) / scale;
                    }),
                }
                rows.zip(computed).for_each(|(row, value)| row[*position] = *value);
            }
        }
    }
}
