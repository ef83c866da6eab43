//! Which columns a block of a column transformer takes.

use std::{fmt, sync::Arc};

use drivetrain_plan::{DataType, Field, Schema};
use regex::Regex;

use crate::{FitError, ParameterError};

/// The columns of a block: by name, or selected at fit.
#[derive(Debug, Clone, PartialEq)]
pub enum Columns {
    /// These columns, in this order.
    Names(Vec<String>),
    /// The columns that the selector finds, in the order of the table.
    Selected(ColumnSelector),
}

/// Types as selectors name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DtypeClass {
    /// `boolean`.
    Boolean,
    /// `int64`.
    Int64,
    /// `float64`.
    Float64,
    /// `int64` and `float64`.
    Number,
    /// `string`.
    String,
    /// Categories of any kind.
    Category,
}

impl DtypeClass {
    const fn contains(self, dtype: DataType) -> bool {
        match self {
            Self::Boolean => matches!(dtype, DataType::Boolean),
            Self::Int64 => matches!(dtype, DataType::Int64),
            Self::Float64 => matches!(dtype, DataType::Float64),
            Self::Number => matches!(dtype, DataType::Int64 | DataType::Float64),
            Self::String => matches!(dtype, DataType::String),
            Self::Category => dtype.is_categorical(),
        }
    }
}

/// A named test of columns.
///
/// Code cannot be compared, so two are equal exactly when one is a clone of the other.
#[derive(Clone)]
struct Predicate {
    name: String,
    test: Arc<dyn Fn(&Field) -> bool + Send + Sync>,
}

impl PartialEq for Predicate {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && Arc::ptr_eq(&self.test, &other.test)
    }
}

impl fmt::Debug for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Selects columns by type, name and tests of one's own, like scikit-learn's `make_column_selector` and its callables.
///
/// It looks once, at fit; the fitted transformer holds the names it found.
///
/// ```
/// use drivetrain_plan::{CategoryType, DataType, Field, Schema};
/// use drivetrain_transform::{DtypeClass, make_column_selector};
///
/// let schema = Schema::new(vec![
///     Field::new("cylinders", DataType::Categorical(CategoryType::Int64)),
///     Field::new("weight", DataType::Float64),
/// ])?;
/// let selector = make_column_selector().dtype_exclude([DtypeClass::Category]);
/// assert_eq!(selector.select(&schema), ["weight"]);
/// assert_eq!(make_column_selector().pattern("^cyl")?.select(&schema), ["cylinders"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct ColumnSelector {
    pattern: Option<Regex>,
    include: Vec<DtypeClass>,
    exclude: Vec<DtypeClass>,
    predicates: Vec<Predicate>,
}

impl PartialEq for ColumnSelector {
    fn eq(&self, other: &Self) -> bool {
        self.pattern.as_ref().map(Regex::as_str) == other.pattern.as_ref().map(Regex::as_str)
            && self.include == other.include
            && self.exclude == other.exclude
            && self.predicates == other.predicates
    }
}

/// A selector of all columns, to be narrowed.
#[must_use]
pub fn make_column_selector() -> ColumnSelector {
    ColumnSelector::default()
}

impl ColumnSelector {
    /// Only columns of one of these types.
    #[must_use]
    pub fn dtype_include(mut self, classes: impl IntoIterator<Item = DtypeClass>) -> Self {
        self.include.extend(classes);
        self
    }

    /// No column of any of these types.
    #[must_use]
    pub fn dtype_exclude(mut self, classes: impl IntoIterator<Item = DtypeClass>) -> Self {
        self.exclude.extend(classes);
        self
    }

    /// Only columns in whose name the regular expression is found.
    ///
    /// # Errors
    /// [`ParameterError::Pattern`] when it is not a regular expression.
    pub fn pattern(mut self, pattern: &str) -> Result<Self, ParameterError> {
        let compiled = Regex::new(pattern);
        let compiled = compiled.map_err(|source| ParameterError::Pattern { pattern: pattern.to_owned(), source })?;
        self.pattern = Some(compiled);
        Ok(self)
    }

    /// Only columns for which `test` is true; `name` is what it is called in messages.
    ///
    /// The test belongs to the estimator alone. Nothing that is fitted holds it.
    ///
    /// ```
    /// use drivetrain_plan::{DataType, Field, Schema};
    /// use drivetrain_transform::make_column_selector;
    ///
    /// let fields = ["size", "weight in kg"].map(|name| Field::new(name, DataType::Float64));
    /// let schema = Schema::new(fields.to_vec())?;
    /// let selector = make_column_selector().predicate("has a unit", |field| field.name.contains(" in "));
    /// assert_eq!(selector.select(&schema), ["weight in kg"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn predicate(mut self, name: &str, test: impl Fn(&Field) -> bool + Send + Sync + 'static) -> Self {
        self.predicates.push(Predicate { name: name.to_owned(), test: Arc::new(test) });
        self
    }

    /// The names of the selected columns, in the order of the schema.
    #[must_use]
    pub fn select(&self, schema: &Schema) -> Vec<String> {
        let any = |classes: &[DtypeClass], dtype| classes.iter().any(|class| class.contains(dtype));
        let fields = schema.fields().iter().filter(|field| {
            self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(&field.name))
                && (self.include.is_empty() || any(&self.include, field.dtype))
                && !any(&self.exclude, field.dtype)
                && self.predicates.iter().all(|predicate| (predicate.test)(field))
        });
        fields.map(|field| field.name.clone()).collect()
    }
}

impl Columns {
    /// The names of the columns in `schema`, on behalf of `reader`.
    pub(crate) fn resolve(&self, schema: &Schema, reader: &str) -> Result<Vec<String>, FitError> {
        match self {
            Self::Selected(selector) => Ok(selector.select(schema)),
            Self::Names(names) => {
                let absent = names.iter().filter(|name| schema.field(name).is_none()).cloned().collect::<Vec<_>>();
                if absent.is_empty() {
                    Ok(names.clone())
                } else {
                    Err(FitError::UnknownColumns { reader: reader.to_owned(), columns: absent })
                }
            }
        }
    }
}

impl From<ColumnSelector> for Columns {
    fn from(selector: ColumnSelector) -> Self {
        Self::Selected(selector)
    }
}

impl<const N: usize> From<[&str; N]> for Columns {
    fn from(names: [&str; N]) -> Self {
        Self::Names(names.into_iter().map(str::to_owned).collect())
    }
}

impl From<Vec<String>> for Columns {
    fn from(names: Vec<String>) -> Self {
        Self::Names(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predicates_narrow_and_are_equal_only_to_their_clones() {
        let fields = [("a", DataType::Int64), ("ab", DataType::Int64), ("abc", DataType::String)];
        let fields = fields.into_iter().map(|(name, dtype)| Field::new(name, dtype));
        let schema = Schema::new(fields.collect()).unwrap();
        let short = || make_column_selector().predicate("is short", |field| field.name.len() < 3);
        let selector = short().predicate("is long", |field| field.name.len() > 1);
        assert_eq!(selector.select(&schema), ["ab"]);
        assert_eq!(selector, selector.clone());
        assert_ne!(short(), short());
        assert!(format!("{selector:?}").contains("[is short, is long]"), "{selector:?}");
    }
}
