//! The table that is learned from and transformed: eight numbers and two texts of four categories.

use std::{borrow::Cow, sync::Arc};

use drivetrain_plan::{CategoricalColumn, CategoryType, Column, DataType, Field, Schema, Table};

use crate::by_hand::{CATEGORIES, NUMBERS, TEXTS};

/// A table that lends its columns.
pub(crate) struct Lent {
    schema: Schema,
    pub(crate) numbers: Vec<Vec<f64>>,
    pub(crate) codes: Vec<Vec<u32>>,
    dictionary: Arc<[Cow<'static, str>]>,
}

/// Uniform numbers (xorshift), one in a hundred missing.
fn numbers(n_rows: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..n_rows).map(|_| if next() % 100 == 0 { f64::NAN } else { (next() >> 11) as f64 / 9e15 * 100.0 }).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "low bits are wanted")]
fn codes(n_rows: usize, seed: usize) -> Vec<u32> {
    (0..n_rows).map(|row| ((row * 2_654_435_761 + seed) >> 7) as u32 % 4).collect()
}

impl Lent {
    pub(crate) fn new(n_rows: usize) -> Self {
        let fields = (0..NUMBERS).map(|index| Field::new(format!("x{index}"), DataType::Float64));
        let texts =
            (0..TEXTS).map(|index| Field::new(format!("c{index}"), DataType::Categorical(CategoryType::String)));
        Self {
            schema: Schema::new(fields.chain(texts).collect()).unwrap(),
            numbers: (0..NUMBERS).map(|index| numbers(n_rows, index as u64 + 1)).collect(),
            codes: (0..TEXTS).map(|index| codes(n_rows, index)).collect(),
            dictionary: CATEGORIES.into_iter().map(Cow::Borrowed).collect(),
        }
    }

    /// The bytes of its values.
    pub(crate) fn bytes(&self) -> usize {
        self.n_rows() * (NUMBERS * size_of::<f64>() + TEXTS * size_of::<u32>())
    }
}

impl Table for Lent {
    fn n_rows(&self) -> usize {
        self.numbers[0].len()
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn column(&self, name: &str) -> Option<Column<'_>> {
        let index: usize = name[1..].parse().ok()?;
        if name.starts_with('x') {
            return Some(Column::Float64(Cow::Borrowed(&self.numbers[index])));
        }
        let (codes, dictionary) = (Cow::Borrowed(self.codes[index].as_slice()), self.dictionary.clone());
        Some(Column::Categorical(CategoricalColumn::Dictionary { codes, dictionary }))
    }
}
