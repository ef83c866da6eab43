//! Columns: typed, possibly borrowed values with missing entries.

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{CategoryType, DataType};

/// Text values, each possibly missing.
pub type StringColumn<'a> = Vec<Option<Cow<'a, str>>>;

/// Integers, each possibly missing.
///
/// `validity` is absent when nothing is missing; otherwise it is as long as `values` and false where a value is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Int64Column<'a> {
    values: Cow<'a, [i64]>,
    validity: Option<Cow<'a, [bool]>>,
}

/// Values of a categorical column, in the form in which they were found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CategoricalColumn<'a> {
    /// Integer categories, stored as themselves.
    Int64(Int64Column<'a>),
    /// Text categories, stored as themselves.
    String(StringColumn<'a>),
    /// Text categories by position in a dictionary. Positions carry no meaning beyond this column.
    Dictionary {
        /// Positions in `dictionary`; a position outside of it is a missing value.
        codes: Cow<'a, [u32]>,
        /// The distinct texts.
        dictionary: Arc<[Cow<'a, str>]>,
    },
}

/// A column of a [`Table`](crate::Table), borrowed where the memory layout allows.
///
/// ```
/// use drivetrain_plan::{Column, DataType};
///
/// let column = Column::from(vec![Some(1_i64), None]);
/// assert_eq!(column.dtype(), DataType::Int64);
/// assert!(column.is_missing(1));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column<'a> {
    /// Booleans, `None` where missing.
    Boolean(Cow<'a, [Option<bool>]>),
    /// Integers.
    Int64(Int64Column<'a>),
    /// Floats, NaN where missing.
    Float64(Cow<'a, [f64]>),
    /// Text, `None` where missing.
    String(StringColumn<'a>),
    /// Categories.
    Categorical(CategoricalColumn<'a>),
}

impl<'a> Int64Column<'a> {
    /// Integers of which none is missing.
    pub fn new(values: impl Into<Cow<'a, [i64]>>) -> Self {
        Self { values: values.into(), validity: None }
    }

    /// Integers of which those are missing whose `validity` is false; `None` when the lengths differ.
    pub fn with_validity(values: impl Into<Cow<'a, [i64]>>, validity: impl Into<Cow<'a, [bool]>>) -> Option<Self> {
        let (values, validity) = (values.into(), validity.into());
        (values.len() == validity.len()).then_some(Self { values, validity: Some(validity) })
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The value of row `row`; `None` where it is missing or there is no such row.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<i64> {
        let valid = self.validity.as_ref().is_none_or(|validity| validity.get(row) == Some(&true));
        if valid { self.values.get(row).copied() } else { None }
    }

    /// The values in row order, `None` where missing.
    pub fn iter(&self) -> impl Iterator<Item = Option<i64>> + '_ {
        (0..self.len()).map(|row| self.get(row))
    }

    fn view(&self, start: usize, end: usize) -> Int64Column<'_> {
        Int64Column {
            values: Cow::Borrowed(&self.values[start..end]),
            validity: self.validity.as_ref().map(|validity| {
                let end = end.min(validity.len());
                Cow::Borrowed(&validity[start.min(end)..end])
            }),
        }
    }

    fn take(&self, rows: &[usize]) -> Int64Column<'static> {
        Int64Column {
            values: rows.iter().map(|&row| self.values[row]).collect(),
            validity: self.validity.as_ref().map(|_| rows.iter().map(|&row| self.get(row).is_some()).collect()),
        }
    }

    fn into_owned(self) -> Int64Column<'static> {
        Int64Column {
            values: Cow::Owned(self.values.into_owned()),
            validity: self.validity.map(|validity| Cow::Owned(validity.into_owned())),
        }
    }
}

fn own_string(text: Option<&str>) -> Option<Cow<'static, str>> {
    text.map(|text| Cow::Owned(text.to_owned()))
}

fn view_strings<'a>(values: &'a [Option<Cow<'_, str>>]) -> StringColumn<'a> {
    values.iter().map(|text| text.as_deref().map(Cow::Borrowed)).collect()
}

fn own_strings(values: &[Option<Cow<'_, str>>]) -> StringColumn<'static> {
    values.iter().map(|text| own_string(text.as_deref())).collect()
}

fn own_dictionary(dictionary: &[Cow<'_, str>]) -> Arc<[Cow<'static, str>]> {
    dictionary.iter().map(|text| Cow::Owned(text.as_ref().to_owned())).collect()
}

impl CategoricalColumn<'_> {
    /// The type of the categories.
    #[must_use]
    pub const fn category_type(&self) -> CategoryType {
        match self {
            Self::Int64(_) => CategoryType::Int64,
            Self::String(_) | Self::Dictionary { .. } => CategoryType::String,
        }
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Int64(column) => column.len(),
            Self::String(values) => values.len(),
            Self::Dictionary { codes, .. } => codes.len(),
        }
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn view(&self, start: usize, end: usize) -> CategoricalColumn<'_> {
        match self {
            Self::Int64(column) => CategoricalColumn::Int64(column.view(start, end)),
            Self::String(values) => CategoricalColumn::String(view_strings(&values[start..end])),
            Self::Dictionary { codes, dictionary } => CategoricalColumn::Dictionary {
                codes: Cow::Borrowed(&codes[start..end]),
                dictionary: Arc::clone(dictionary),
            },
        }
    }

    fn into_owned(self) -> CategoricalColumn<'static> {
        match self {
            Self::Int64(column) => CategoricalColumn::Int64(column.into_owned()),
            Self::String(values) => CategoricalColumn::String(own_strings(&values)),
            Self::Dictionary { codes, dictionary } => CategoricalColumn::Dictionary {
                codes: Cow::Owned(codes.into_owned()),
                dictionary: own_dictionary(&dictionary),
            },
        }
    }
}

impl Column<'_> {
    /// The type of the column.
    #[must_use]
    pub const fn dtype(&self) -> DataType {
        match self {
            Self::Boolean(_) => DataType::Boolean,
            Self::Int64(_) => DataType::Int64,
            Self::Float64(_) => DataType::Float64,
            Self::String(_) => DataType::String,
            Self::Categorical(column) => DataType::Categorical(column.category_type()),
        }
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Boolean(values) => values.len(),
            Self::Int64(column) => column.len(),
            Self::Float64(values) => values.len(),
            Self::String(values) => values.len(),
            Self::Categorical(column) => column.len(),
        }
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the value of row `row` is missing; a row that is not there counts as missing.
    #[must_use]
    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Self::Boolean(values) => values.get(row).copied().flatten().is_none(),
            Self::Int64(column) | Self::Categorical(CategoricalColumn::Int64(column)) => column.get(row).is_none(),
            Self::Float64(values) => values.get(row).is_none_or(|value| value.is_nan()),
            Self::String(_) | Self::Categorical(_) => self.text(row).is_none(),
        }
    }

    /// The text of row `row` of a string or text-category column; `None` where it is missing or the column has no text.
    #[must_use]
    pub fn text(&self, row: usize) -> Option<&str> {
        match self {
            Self::String(values) | Self::Categorical(CategoricalColumn::String(values)) => {
                values.get(row).and_then(|text| text.as_deref())
            }
            Self::Categorical(CategoricalColumn::Dictionary { codes, dictionary }) => {
                let code = usize::try_from(*codes.get(row)?).ok()?;
                dictionary.get(code).map(AsRef::as_ref)
            }
            _ => None,
        }
    }

    /// The values as floats, NaN where missing; `None` when the type is not numeric.
    #[must_use]
    pub fn to_f64(&self) -> Option<Cow<'_, [f64]>> {
        match self {
            Self::Float64(values) => Some(Cow::Borrowed(values)),
            Self::Int64(column) => {
                Some(column.iter().map(|value| value.map_or(f64::NAN, |value| value as f64)).collect())
            }
            Self::Boolean(values) => {
                Some(values.iter().map(|value| value.map_or(f64::NAN, |value| f64::from(u8::from(value)))).collect())
            }
            Self::String(_) | Self::Categorical(_) => None,
        }
    }

    /// Rows `start..end`, borrowed.
    ///
    /// # Panics
    /// When the range does not lie within the column.
    #[must_use]
    pub fn view(&self, start: usize, end: usize) -> Column<'_> {
        match self {
            Self::Boolean(values) => Column::Boolean(Cow::Borrowed(&values[start..end])),
            Self::Int64(column) => Column::Int64(column.view(start, end)),
            Self::Float64(values) => Column::Float64(Cow::Borrowed(&values[start..end])),
            Self::String(values) => Column::String(view_strings(&values[start..end])),
            Self::Categorical(column) => Column::Categorical(column.view(start, end)),
        }
    }

    /// The same column, owning its values.
    #[must_use]
    pub fn into_owned(self) -> Column<'static> {
        match self {
            Self::Boolean(values) => Column::Boolean(Cow::Owned(values.into_owned())),
            Self::Int64(column) => Column::Int64(column.into_owned()),
            Self::Float64(values) => Column::Float64(Cow::Owned(values.into_owned())),
            Self::String(values) => Column::String(own_strings(&values)),
            Self::Categorical(column) => Column::Categorical(column.into_owned()),
        }
    }

    /// The rows `rows`, in that order.
    ///
    /// # Panics
    /// When a row index is not below [`Column::len`].
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Column<'static> {
        match self {
            Self::Boolean(values) => Column::Boolean(rows.iter().map(|&row| values[row]).collect()),
            Self::Int64(column) => Column::Int64(column.take(rows)),
            Self::Float64(values) => Column::Float64(rows.iter().map(|&row| values[row]).collect()),
            Self::String(values) => {
                Column::String(rows.iter().map(|&row| own_string(values[row].as_deref())).collect())
            }
            Self::Categorical(column) => Column::Categorical(match column {
                CategoricalColumn::Int64(column) => CategoricalColumn::Int64(column.take(rows)),
                CategoricalColumn::String(values) => {
                    CategoricalColumn::String(rows.iter().map(|&row| own_string(values[row].as_deref())).collect())
                }
                CategoricalColumn::Dictionary { codes, dictionary } => CategoricalColumn::Dictionary {
                    codes: rows.iter().map(|&row| codes[row]).collect(),
                    dictionary: own_dictionary(dictionary),
                },
            }),
        }
    }

    /// The value of row `row` as text for a message; `missing` where it is missing.
    #[must_use]
    pub fn describe(&self, row: usize) -> String {
        match self {
            _ if self.is_missing(row) => "missing".to_owned(),
            Self::Boolean(values) => values[row].unwrap_or_default().to_string(),
            Self::Int64(column) | Self::Categorical(CategoricalColumn::Int64(column)) => {
                column.get(row).unwrap_or_default().to_string()
            }
            Self::Float64(values) => format!("{:?}", values[row]),
            Self::String(_) | Self::Categorical(_) => self.text(row).unwrap_or_default().to_owned(),
        }
    }
}

impl From<Vec<f64>> for Column<'static> {
    fn from(values: Vec<f64>) -> Self {
        Self::Float64(Cow::Owned(values))
    }
}

impl<'a> From<&'a [f64]> for Column<'a> {
    fn from(values: &'a [f64]) -> Self {
        Self::Float64(Cow::Borrowed(values))
    }
}

impl From<Vec<i64>> for Column<'static> {
    fn from(values: Vec<i64>) -> Self {
        Self::Int64(Int64Column::new(values))
    }
}

impl From<Vec<Option<i64>>> for Int64Column<'static> {
    fn from(values: Vec<Option<i64>>) -> Self {
        Self {
            validity: values.contains(&None).then(|| values.iter().map(Option::is_some).collect()),
            values: values.into_iter().map(Option::unwrap_or_default).collect(),
        }
    }
}

impl From<Vec<Option<i64>>> for Column<'static> {
    fn from(values: Vec<Option<i64>>) -> Self {
        Self::Int64(values.into())
    }
}

impl From<Vec<Option<bool>>> for Column<'static> {
    fn from(values: Vec<Option<bool>>) -> Self {
        Self::Boolean(Cow::Owned(values))
    }
}

impl<'a> From<Vec<Option<&'a str>>> for Column<'a> {
    fn from(values: Vec<Option<&'a str>>) -> Self {
        Self::String(values.into_iter().map(|text| text.map(Cow::Borrowed)).collect())
    }
}

impl From<Vec<Option<String>>> for Column<'static> {
    fn from(values: Vec<Option<String>>) -> Self {
        Self::String(values.into_iter().map(|text| text.map(Cow::Owned)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dictionary() -> Column<'static> {
        Column::Categorical(CategoricalColumn::Dictionary {
            codes: Cow::Owned(vec![1, u32::MAX, 0]),
            dictionary: Arc::from(["usa".into(), "japan".into()]),
        })
    }

    #[test]
    fn a_code_outside_the_dictionary_is_missing() {
        let column = dictionary();
        assert_eq!([column.text(0), column.text(1), column.text(2)], [Some("japan"), None, Some("usa")]);
        assert_eq!(column.describe(1), "missing");
    }

    #[test]
    fn views_keep_values_and_missing() {
        let column = Column::from(vec![Some(1), None, Some(3)]);
        let view = column.view(1, 3);
        assert_eq!((view.len(), view.is_missing(0), view.describe(1)), (2, true, "3".to_owned()));
        assert_eq!(dictionary().view(2, 3).text(0), Some("usa"));
    }

    #[test]
    fn integers_and_booleans_become_floats() {
        let integers = Column::from(vec![Some(-2_i64), None]);
        let floats = integers.to_f64().unwrap();
        assert!(floats[0] == -2.0 && floats[1].is_nan());
        let booleans = Column::from(vec![Some(true), Some(false), None]);
        let floats = booleans.to_f64().unwrap();
        assert!(floats[0] == 1.0 && floats[1] == 0.0 && floats[2].is_nan());
    }

    #[test]
    fn validity_of_another_length_is_refused() {
        assert!(Int64Column::with_validity(vec![1, 2], vec![true]).is_none());
    }
}
