//! Which categories columns hold and how often, from rows fed in chunks.

use std::{collections::BTreeMap, sync::Arc};

use drivetrain_plan::{
    ApplyError, CategoricalColumn, Categories, CategoryType, Column, DataType, Int64Column, Program, Schema, Table,
    Value,
};

use crate::{EncodedColumn, FitError, check::column, partial_fit::check_target};

/// Tables of counts by position are used up to this many positions; beyond it values are looked up one by one.
const MAX_POSITIONS: usize = 1 << 12;

/// Codes up to this many are counted by comparison.
const FEW_CODES: usize = 8;

/// How often each category of a column was seen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CategoryCounts {
    seen: Seen,
    missing: usize,
}

#[derive(Debug, Clone, PartialEq)]
enum Seen {
    Boolean([usize; 2]),
    Int64(BTreeMap<i64, usize>),
    /// By a number that sorts as the float does.
    Float64(BTreeMap<i64, usize>),
    String(BTreeMap<String, usize>),
}

/// The integer that sorts among others as `value` does among floats; both zeros are one.
fn float_order(value: f64) -> i64 {
    let bits = (value + 0.0).to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

/// The float that [`float_order`] made `order` of.
fn float_of(order: i64) -> f64 {
    f64::from_bits((order ^ ((order >> 63).cast_unsigned() >> 1).cast_signed()).cast_unsigned())
}

/// How often each of `n` positions comes, whatever lies beyond them counted in one more. By four interleaved parts: the
/// same position twice in a row does not wait for itself.
fn count_positions<T: Copy>(n: usize, values: &[T], position: impl Fn(T) -> usize) -> Vec<usize> {
    let mut parts = vec![[0_usize; 4]; n + 1];
    let (whole, rest) = values.as_chunks::<4>();
    for values in whole {
        for (part, value) in values.iter().enumerate() {
            parts[position(*value).min(n)][part] += 1;
        }
    }
    for value in rest {
        parts[position(*value).min(n)][0] += 1;
    }
    parts.into_iter().map(|parts| parts.into_iter().sum()).collect()
}

/// How often each of the codes below `n` comes, and at the end how often others do. Few codes are compared with one after
/// the other: that takes vector instructions, and counting by position does not.
fn count_codes(n: usize, codes: &[u32]) -> Vec<usize> {
    if n > FEW_CODES {
        return count_positions(n, codes, |code| usize::try_from(code).unwrap_or(usize::MAX));
    }
    let count = |wanted: u32| -> usize {
        let part = |part: &[u32]| part.iter().map(|code| u16::from(*code == wanted)).sum::<u16>();
        codes.chunks(1024).map(|codes| usize::from(part(codes))).sum()
    };
    let mut counts: Vec<usize> = (0..).take(n).map(count).collect();
    counts.push(codes.len() - counts.iter().sum::<usize>());
    counts
}

impl CategoryCounts {
    pub(crate) const fn new(dtype: DataType) -> Self {
        let seen = match dtype {
            DataType::Boolean => Seen::Boolean([0; 2]),
            DataType::Int64 | DataType::Categorical(CategoryType::Int64) => Seen::Int64(BTreeMap::new()),
            DataType::Float64 => Seen::Float64(BTreeMap::new()),
            DataType::String | DataType::Categorical(CategoryType::String) => Seen::String(BTreeMap::new()),
        };
        Self { seen, missing: 0 }
    }

    /// Adds the values of a column of the type that the counts were made for; others are not counted.
    pub(crate) fn feed(&mut self, column: &Column<'_>) {
        match (&mut self.seen, column) {
            (Seen::Boolean(seen), Column::Boolean(values)) => {
                for value in values.iter() {
                    match value {
                        Some(value) => seen[usize::from(*value)] += 1,
                        None => self.missing += 1,
                    }
                }
            }
            (Seen::Int64(seen), Column::Int64(values) | Column::Categorical(CategoricalColumn::Int64(values))) => {
                self.missing += feed_integers(seen, values);
            }
            (Seen::Float64(seen), Column::Float64(values)) => {
                for value in values.iter() {
                    if value.is_nan() {
                        self.missing += 1;
                    } else {
                        *seen.entry(float_order(*value)).or_default() += 1;
                    }
                }
            }
            (Seen::String(seen), Column::Categorical(CategoricalColumn::Dictionary { codes, dictionary }))
                if dictionary.len() < codes.len().min(MAX_POSITIONS) =>
            {
                let counts = count_codes(dictionary.len(), codes);
                self.missing += counts[dictionary.len()];
                for (text, count) in dictionary.iter().zip(counts).filter(|(_, count)| *count > 0) {
                    add_text(seen, text, count);
                }
            }
            (Seen::String(seen), column) => {
                for row in 0..column.len() {
                    match column.text(row) {
                        Some(text) => add_text(seen, text, 1),
                        None => self.missing += 1,
                    }
                }
            }
            _ => {}
        }
    }

    /// Adds what `later` counted.
    pub(crate) fn merge(&mut self, later: Self) {
        fn add<K: Ord>(own: &mut BTreeMap<K, usize>, later: BTreeMap<K, usize>) {
            for (category, count) in later {
                *own.entry(category).or_default() += count;
            }
        }
        self.missing += later.missing;
        match (&mut self.seen, later.seen) {
            (Seen::Boolean(own), Seen::Boolean(later)) => {
                own[0] += later[0];
                own[1] += later[1];
            }
            (Seen::Int64(own), Seen::Int64(later)) | (Seen::Float64(own), Seen::Float64(later)) => add(own, later),
            (Seen::String(own), Seen::String(later)) => add(own, later),
            _ => {}
        }
    }

    /// The categories that were seen, sorted: numbers as numbers, text by code point.
    pub(crate) fn categories(&self) -> Categories {
        match &self.seen {
            Seen::Boolean(seen) => {
                Categories::Boolean([false, true].into_iter().filter(|value| seen[usize::from(*value)] > 0).collect())
            }
            Seen::Int64(seen) => Categories::Int64(seen.keys().copied().collect()),
            Seen::Float64(seen) => Categories::Float64(seen.keys().copied().map(float_of).collect()),
            Seen::String(seen) => Categories::String(seen.keys().cloned().collect()),
        }
    }

    /// How often each of `categories` was seen.
    pub(crate) fn counts(&self, categories: &Categories) -> Vec<usize> {
        let looked_up = |count: Option<&usize>| count.copied().unwrap_or(0);
        match (&self.seen, categories) {
            (Seen::Boolean(seen), Categories::Boolean(values)) => {
                values.iter().map(|value| seen[usize::from(*value)]).collect()
            }
            (Seen::Int64(seen), Categories::Int64(values)) => {
                values.iter().map(|value| looked_up(seen.get(value))).collect()
            }
            (Seen::Float64(seen), Categories::Float64(values)) => {
                values.iter().map(|value| looked_up(seen.get(&float_order(*value)))).collect()
            }
            (Seen::String(seen), Categories::String(values)) => {
                values.iter().map(|value| looked_up(seen.get(value))).collect()
            }
            _ => vec![0; categories.len()],
        }
    }

    /// The value that was seen most often, of several the smallest; `None` when all were missing.
    pub(crate) fn most_frequent(&self) -> Option<Value> {
        fn first_of_largest<K: Clone>(seen: &BTreeMap<K, usize>) -> Option<K> {
            // Of equal maxima `max_by_key` gives the last.
            seen.iter().rev().max_by_key(|(_, count)| **count).map(|(category, _)| category.clone())
        }
        match &self.seen {
            Seen::Boolean([0, 0]) => None,
            Seen::Boolean([no, yes]) => Some(Value::Boolean(yes > no)),
            Seen::Int64(seen) => first_of_largest(seen).map(Value::Int64),
            Seen::Float64(seen) => first_of_largest(seen).map(|order| Value::Float64(float_of(order))),
            Seen::String(seen) => first_of_largest(seen).map(Value::String),
        }
    }

    /// How many values were missing.
    pub(crate) const fn missing(&self) -> usize {
        self.missing
    }
}

/// Counts `text`, copied only when it is new.
fn add_text(seen: &mut BTreeMap<String, usize>, text: &str, count: usize) {
    match seen.get_mut(text) {
        Some(seen) => *seen += count,
        None => {
            seen.insert(text.to_owned(), count);
        }
    }
}

/// Counts integers and returns how many were missing. Those that lie close together are counted by position.
fn feed_integers(seen: &mut BTreeMap<i64, usize>, values: &Int64Column<'_>) -> usize {
    let present = || values.iter().flatten();
    let (Some(min), Some(max)) = (present().min(), present().max()) else { return values.len() };
    let span = max.abs_diff(min).saturating_add(1);
    match usize::try_from(span) {
        Ok(span) if span <= MAX_POSITIONS.min(values.len()) => {
            let position = |value: Option<i64>| {
                value.and_then(|value| usize::try_from(value.abs_diff(min)).ok()).unwrap_or(usize::MAX)
            };
            let counts = count_positions(span, &values.iter().collect::<Vec<_>>(), position);
            for (value, count) in (min..=max).zip(&counts).filter(|(_, count)| **count > 0) {
                *seen.entry(value).or_default() += count;
            }
            counts[span]
        }
        _ => {
            let mut missing = 0;
            for value in values.iter() {
                match value {
                    Some(value) => *seen.entry(value).or_default() += 1,
                    None => missing += 1,
                }
            }
            missing
        }
    }
}

/// What an encoder collected so far: the categories of every column, found or declared.
#[derive(Debug, Clone)]
pub struct EncoderState {
    pub(crate) schema: Schema,
    pub(crate) columns: Vec<ColumnCategories>,
    /// Refuses what is not declared.
    pub(crate) check: Option<Arc<Program>>,
    pub(crate) n_rows: usize,
}

/// The categories of a column: those that are declared, those that are counted, or both.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ColumnCategories {
    pub(crate) declared: Option<Categories>,
    pub(crate) counts: Option<CategoryCounts>,
}

impl EncoderState {
    /// Adds the rows of `x`.
    pub(crate) fn feed(&mut self, x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError> {
        check_target(x, y)?;
        for (field, categories) in self.schema.fields().iter().zip(&mut self.columns) {
            let values = column(x, field)?;
            if let Some(counts) = &mut categories.counts {
                counts.feed(&values);
            }
        }
        self.n_rows += x.n_rows();
        let Some(check) = &self.check else { return Ok(()) };
        let look_up = |outputs: &dyn Table| outputs.schema().names().all(|name| outputs.column(name).is_some());
        match check.run_with(x, look_up) {
            Ok(_) => Ok(()),
            Err(ApplyError::UnknownCategory { column, row, value }) => {
                Err(FitError::UnknownCategory { column, row, value })
            }
            Err(error) => Err(FitError::Transform(error.into())),
        }
    }

    /// Adds what `later` was fed.
    pub(crate) fn merge(&mut self, later: Self) -> Result<(), FitError> {
        if self.schema != later.schema {
            return Err(FitError::Merge { reason: "their columns differ" });
        }
        self.n_rows += later.n_rows;
        for (own, later) in self.columns.iter_mut().zip(later.columns) {
            if let (Some(own), Some(later)) = (&mut own.counts, later.counts) {
                own.merge(later);
            }
        }
        Ok(())
    }

    /// The schema and what was learned of each column. `infrequent` finds the positions of the rare ones among the
    /// categories of a column that are counted: from the column, their counts, that of a missing one last, and the number of
    /// rows.
    pub(crate) fn finish(
        self,
        infrequent: impl Fn(&EncodedColumn, &[usize], usize) -> Vec<usize>,
    ) -> Result<(Schema, Vec<EncodedColumn>), FitError> {
        if self.n_rows == 0 {
            return Err(FitError::Empty { rows: 0, columns: self.schema.len() });
        }
        let encoded = |(name, categories): (&str, ColumnCategories)| {
            let ColumnCategories { declared, counts } = categories;
            let missing = if declared.is_some() { 0 } else { counts.as_ref().map_or(0, CategoryCounts::missing) };
            let categories = declared
                .or_else(|| counts.as_ref().map(CategoryCounts::categories))
                .unwrap_or_else(|| Categories::String(Vec::new()));
            let mut column =
                EncodedColumn { name: name.to_owned(), categories, missing: missing > 0, infrequent: Vec::new() };
            if let Some(counts) = counts {
                let mut counts = counts.counts(&column.categories);
                counts.extend(column.missing.then_some(missing));
                column.infrequent = infrequent(&column, &counts, self.n_rows);
            }
            column
        };
        let columns = self.schema.names().zip(self.columns).map(encoded).collect();
        Ok((self.schema, columns))
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn counted(column: &Column<'_>) -> (Categories, Vec<usize>, usize) {
        let mut counts = CategoryCounts::new(column.dtype());
        counts.feed(column);
        (counts.categories(), counts.counts(&counts.categories()), counts.missing())
    }

    #[test]
    fn integers_are_counted_alike_close_together_and_far_apart() {
        let near = [Some(7), None, Some(9), Some(7), Some(7)];
        assert_eq!(counted(&Column::from(near.to_vec())), (Categories::Int64(vec![7, 9]), vec![3, 1], 1));
        let far = [Some(i64::MIN), Some(i64::MAX), Some(0), None, Some(i64::MIN)];
        let expected = (Categories::Int64(vec![i64::MIN, 0, i64::MAX]), vec![2, 1, 1], 1);
        assert_eq!(counted(&Column::from(far.to_vec())), expected);
        assert_eq!(counted(&Column::from(vec![None::<i64>])), (Categories::Int64(vec![]), vec![], 1));
    }

    #[test]
    fn floats_sort_as_numbers_and_zeros_are_one() {
        let values = vec![0.0, f64::NAN, -1.5, -0.0, 1e300, f64::NEG_INFINITY, -1.5];
        let expected = Categories::Float64(vec![f64::NEG_INFINITY, -1.5, 0.0, 1e300]);
        assert_eq!(counted(&Column::from(values)), (expected, vec![1, 2, 2, 1], 1));
    }

    #[test]
    fn few_and_many_codes_are_counted_alike() {
        let codes: Vec<u32> = (0..5000_u32).map(|row| row * row % 13).chain([u32::MAX]).collect();
        for n in [1, FEW_CODES, FEW_CODES + 1, 13] {
            let mut expected: Vec<usize> =
                (0..).take(n).map(|wanted: u32| codes.iter().filter(|code| **code == wanted).count()).collect();
            expected.push(codes.len() - expected.iter().sum::<usize>());
            assert_eq!(count_codes(n, &codes), expected, "{n} codes");
        }
    }

    #[test]
    fn dictionaries_larger_and_smaller_than_the_column_count_the_same() {
        let column = |words: &[&'static str], codes: &[u32]| {
            let dictionary = words.iter().map(|word| Cow::Borrowed(*word)).collect::<Vec<_>>().into();
            Column::Categorical(CategoricalColumn::Dictionary { codes: Cow::Owned(codes.to_vec()), dictionary })
        };
        let small = counted(&column(&["b", "a"], &[0, 1, 0, 9, 0]));
        assert_eq!(small, (Categories::String(vec!["a".into(), "b".into()]), vec![1, 3], 1));
        let large = counted(&column(&["b", "x", "y", "z", "a"], &[0, 4, 0, u32::MAX, 0]));
        assert_eq!(large, small);
    }
}
