//! Categories looked up for a block of rows: one-hot columns, or one number each.

use std::borrow::Cow;

use crate::{CategoricalColumn, Categories, Column, Int64Column, UnknownCategory, UnknownValue, categories::float_key};

/// The code of a row whose columns are all 0.
const NONE: u32 = u32::MAX;
/// The code of a value that is refused.
const UNKNOWN: u32 = u32::MAX - 1;

/// Categories prepared for lookup: sorted values with the position of each one.
#[derive(Debug, Clone)]
pub(super) struct Codes {
    lookup: Lookup,
    /// The code of a missing value.
    missing: u32,
    /// The code of a value that is no category.
    other: u32,
}

#[derive(Debug, Clone)]
enum Lookup {
    Boolean([u32; 2]),
    Int64(Vec<(i64, u32)>),
    Float64(Vec<(u64, u32)>),
    String(Vec<(String, u32)>),
}

fn sorted<T: Ord, V>(values: &[V], key: impl Fn(&V) -> T) -> Vec<(T, u32)> {
    let mut pairs: Vec<(T, u32)> = values.iter().map(key).zip(0..).collect();
    pairs.sort_unstable();
    pairs
}

fn find<T: Ord>(pairs: &[(T, u32)], is: impl Fn(&T) -> std::cmp::Ordering) -> Option<u32> {
    pairs.binary_search_by(|(key, _)| is(key)).ok().and_then(|index| pairs.get(index)).map(|(_, code)| *code)
}

impl Codes {
    /// `other` is the code of what is no category; missing is a category after all others, or such a value.
    fn new(categories: &Categories, missing: bool, other: u32) -> Self {
        let lookup = match categories {
            Categories::Boolean(values) => {
                let code =
                    |value| values.iter().zip(0..).find(|(found, _)| **found == value).map_or(other, |(_, code)| code);
                Lookup::Boolean([code(false), code(true)])
            }
            Categories::Int64(values) => Lookup::Int64(sorted(values, |value| *value)),
            Categories::Float64(values) => Lookup::Float64(sorted(values, |value| float_key(*value))),
            Categories::String(values) => Lookup::String(sorted(values, String::clone)),
        };
        let count = u32::try_from(categories.len()).unwrap_or(NONE);
        Self { lookup, missing: if missing { count } else { other }, other }
    }

    /// The code of a text.
    pub(super) fn text_code(&self, text: &str) -> u32 {
        match &self.lookup {
            Lookup::String(pairs) => find(pairs, |key| key.as_str().cmp(text)).unwrap_or(self.other),
            _ => self.other,
        }
    }

    /// The rows whose value is no category.
    pub(super) fn unknown_rows(&self, column: &Column<'_>, dictionary: Option<&[u32]>) -> Vec<usize> {
        let codes = self.codes(column, dictionary).into_iter().enumerate();
        codes.filter(|(_, code)| *code == self.other).map(|(row, _)| row).collect()
    }

    fn integer_codes(&self, column: &Int64Column<'_>) -> Vec<u32> {
        let Lookup::Int64(pairs) = &self.lookup else { return vec![self.other; column.len()] };
        let code = |value| find(pairs, |key| key.cmp(&value)).unwrap_or(self.other);
        column.iter().map(|value| value.map_or(self.missing, code)).collect()
    }

    fn codes(&self, column: &Column<'_>, dictionary: Option<&[u32]>) -> Vec<u32> {
        match (column, dictionary) {
            (Column::Categorical(CategoricalColumn::Dictionary { codes, .. }), Some(meaning)) => {
                let code = |code: &u32| usize::try_from(*code).ok().and_then(|code| meaning.get(code)).copied();
                codes.iter().map(|found| code(found).unwrap_or(self.missing)).collect()
            }
            (Column::Int64(column) | Column::Categorical(CategoricalColumn::Int64(column)), _) => {
                self.integer_codes(column)
            }
            (Column::Float64(values), _) => {
                let Lookup::Float64(pairs) = &self.lookup else { return vec![self.other; values.len()] };
                let code = |value: f64| find(pairs, |key| key.cmp(&float_key(value))).unwrap_or(self.other);
                values.iter().map(|&value| if value.is_nan() { self.missing } else { code(value) }).collect()
            }
            (Column::Boolean(values), _) => {
                let Lookup::Boolean(pair) = self.lookup else { return vec![self.other; values.len()] };
                values.iter().map(|value| value.map_or(self.missing, |value| pair[usize::from(value)])).collect()
            }
            (column, _) => (0..column.len())
                .map(|row| column.text(row).map_or(self.missing, |text| self.text_code(text)))
                .collect(),
        }
    }
}

/// One-hot encoding, ready to run.
#[derive(Debug, Clone)]
pub(super) struct OneHot {
    pub(super) codes: Codes,
    n_outputs: usize,
}

impl OneHot {
    pub(super) fn new(categories: &Categories, missing: bool, unknown: UnknownCategory) -> Self {
        let other = match unknown {
            UnknownCategory::Error => UNKNOWN,
            UnknownCategory::Ignore => NONE,
        };
        let codes = Codes::new(categories, missing, other);
        Self { codes, n_outputs: categories.len() + usize::from(missing) }
    }

    /// Where the 1 of each code goes: of the codes of `dictionary`, whose meaning that is, or of this encoding's own.
    /// `positions` are those of the outputs in a row.
    pub(super) fn cells(&self, dictionary: Option<&[u32]>, positions: &[Option<usize>]) -> Cells {
        let cell = |code| match code {
            UNKNOWN => Cells::REFUSED,
            code => {
                let position = usize::try_from(code).ok().and_then(|code| positions.get(code));
                position.copied().flatten().unwrap_or(Cells::NOWHERE)
            }
        };
        match dictionary {
            Some(meaning) => {
                Cells { by_code: meaning.iter().map(|code| cell(*code)).collect(), other: cell(self.codes.missing) }
            }
            None => Cells { by_code: (0..).take(self.n_outputs).map(cell).collect(), other: cell(self.codes.other) },
        }
    }

    /// The code of each row: as it stands in the column when the meaning of its `dictionary` is known.
    pub(super) fn raw_codes<'r>(&self, column: &'r Column<'_>, dictionary: Option<&[u32]>) -> Cow<'r, [u32]> {
        match (column, dictionary) {
            (Column::Categorical(CategoricalColumn::Dictionary { codes, .. }), Some(_)) => Cow::Borrowed(codes),
            _ => Cow::Owned(self.codes.codes(column, dictionary)),
        }
    }

    /// One column per output; the row of the first value that is refused, if there is one.
    pub(super) fn encode(&self, column: &Column<'_>, dictionary: Option<&[u32]>) -> Result<Vec<Vec<f64>>, usize> {
        let codes = self.codes.codes(column, dictionary);
        if let Some(row) = codes.iter().position(|code| *code == UNKNOWN) {
            return Err(row);
        }
        let mut outputs = vec![vec![0.0; codes.len()]; self.n_outputs];
        for (row, code) in codes.into_iter().enumerate() {
            if let Some(output) = usize::try_from(code).ok().and_then(|code| outputs.get_mut(code)) {
                output[row] = 1.0;
            }
        }
        Ok(outputs)
    }
}

/// Where in a row of the feature matrix the 1 of each code of a column goes.
#[derive(Debug)]
pub(super) struct Cells {
    by_code: Vec<usize>,
    /// Where that of all other codes goes.
    other: usize,
}

impl Cells {
    /// The row has no 1.
    const NOWHERE: usize = usize::MAX;
    /// The row is refused.
    const REFUSED: usize = usize::MAX - 1;

    /// Puts the 1 of each of `codes` into its row; the first row that is refused, if there is one.
    pub(super) fn put<'c>(&self, codes: &[u32], rows: impl Iterator<Item = &'c mut [f64]>) -> Result<(), usize> {
        for (index, (row, code)) in rows.zip(codes).enumerate() {
            let position = usize::try_from(*code).ok().and_then(|code| self.by_code.get(code));
            let position = position.copied().unwrap_or(self.other);
            match row.get_mut(position) {
                Some(cell) => *cell = 1.0,
                None if position == Self::REFUSED => return Err(index),
                None => {}
            }
        }
        Ok(())
    }
}

/// Encoding by numbers, ready to run.
#[derive(Debug, Clone)]
pub(super) struct Encode {
    pub(super) codes: Codes,
    /// The number of each code; a missing value's comes last.
    values: Vec<f64>,
    /// The number of all other codes.
    unknown: f64,
}

impl Encode {
    pub(super) fn new(categories: &Categories, values: &[f64], missing: Option<f64>, unknown: UnknownValue) -> Self {
        let (other, unknown) = match unknown {
            UnknownValue::Error => (UNKNOWN, f64::NAN),
            UnknownValue::Value(value) => (NONE, value),
        };
        let codes = Codes::new(categories, missing.is_some(), other);
        Self { codes, values: values.iter().copied().chain(missing).collect(), unknown }
    }

    /// One number per row; the row of the first value that is refused, if there is one.
    pub(super) fn encode(&self, column: &Column<'_>, dictionary: Option<&[u32]>) -> Result<Vec<f64>, usize> {
        let codes = self.codes.codes(column, dictionary).into_iter().enumerate();
        codes
            .map(|(row, code)| match usize::try_from(code).ok().and_then(|code| self.values.get(code)) {
                _ if code == UNKNOWN => Err(row),
                Some(value) => Ok(*value),
                None => Ok(self.unknown),
            })
            .collect()
    }
}

/// Categories looked up by their numbers, ready to run.
#[derive(Debug, Clone)]
pub(super) struct Decode {
    /// The position of each number; those beyond the categories stand for a missing value.
    codes: Codes,
    categories: Categories,
}

impl Decode {
    pub(super) fn new(categories: &Categories, values: &[f64], missing: Option<f64>, unknown: UnknownCategory) -> Self {
        let other = match unknown {
            UnknownCategory::Error => UNKNOWN,
            UnknownCategory::Ignore => NONE,
        };
        let numbers = values.iter().copied().chain(missing.filter(|value| !value.is_nan()));
        let codes = Codes::new(&Categories::Float64(numbers.collect()), missing.is_some_and(f64::is_nan), other);
        Self { codes, categories: categories.clone() }
    }

    /// One category per row; the row of the first number that stands for none and is refused, if there is one.
    pub(super) fn decode(&self, values: &[f64]) -> Result<Column<'static>, usize> {
        let codes = self.codes.codes(&Column::from(values), None);
        if let Some(row) = codes.iter().position(|code| *code == UNKNOWN) {
            return Err(row);
        }
        Ok(match &self.categories {
            Categories::Boolean(categories) => Column::from(pick(categories, &codes)),
            Categories::Int64(categories) => Column::from(pick(categories, &codes)),
            Categories::Float64(categories) => {
                let found = pick(categories, &codes).into_iter().map(|value| value.unwrap_or(f64::NAN));
                Column::from(found.collect::<Vec<_>>())
            }
            Categories::String(categories) => Column::from(pick(categories, &codes)),
        })
    }
}

fn pick<T: Clone>(categories: &[T], codes: &[u32]) -> Vec<Option<T>> {
    let category = |code: &u32| usize::try_from(*code).ok().and_then(|code| categories.get(code)).cloned();
    codes.iter().map(category).collect()
}
