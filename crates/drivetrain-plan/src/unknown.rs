//! Values that are not among the categories, counted for whoever asks.

use std::collections::{BTreeMap, btree_map::Entry};

/// How many values of each column were not among its categories, and which.
///
/// [`Program::unknown_categories`](crate::Program::unknown_categories) counts those of a table; counts of several
/// tables [`merge`](Self::merge).
///
/// ```
/// use drivetrain_plan::{
///     Categories, Column, ColumnTable, DataType, Field, Op, PlanBuilder, Program, Registry, Schema, UnknownCategory,
/// };
///
/// let mut builder = PlanBuilder::new(Schema::new(vec![Field::new("origin", DataType::String)])?);
/// builder.push(Op::OneHot {
///     column: "origin".into(),
///     categories: Categories::String(vec!["japan".into()]),
///     missing: false,
///     unknown: UnknownCategory::Ignore,
///     outputs: vec!["japan".into()],
/// });
/// builder.output("origin_japan", "japan");
/// let program = Program::new(&builder.build()?, &Registry::new())?;
///
/// let column = Column::from(vec![Some("japan"), Some("mars"), None, Some("mars")]);
/// let unknown = program.unknown_categories(&ColumnTable::new(vec![("origin".into(), column)])?)?;
/// let origin = unknown.column("origin").expect("there are some");
/// assert_eq!(origin.n_rows(), 3);
/// assert_eq!(origin.values().collect::<Vec<_>>(), [(None, 1), (Some("mars"), 2)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnknownCategories {
    columns: BTreeMap<String, UnknownInColumn>,
}

/// The values of one column that were not among its categories.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnknownInColumn {
    n_rows: usize,
    values: BTreeMap<Option<String>, usize>,
}

impl UnknownInColumn {
    /// The values that are told apart per column, those that come first; more are counted together, so that a column of
    /// names or numbers does not fill the memory.
    pub const MAX_VALUES: usize = 100;

    /// The number of rows with such a value.
    #[must_use]
    pub const fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The values, as text, and their numbers of rows; `None` is a missing value, and comes first.
    pub fn values(&self) -> impl Iterator<Item = (Option<&str>, usize)> {
        self.values.iter().map(|(value, rows)| (value.as_deref(), *rows))
    }

    /// The number of rows whose value is not among [`values`](Self::values), because there were too many of them.
    #[must_use]
    pub fn other_rows(&self) -> usize {
        self.n_rows - self.values.values().sum::<usize>()
    }

    fn add(&mut self, value: Option<String>, rows: usize) {
        self.n_rows += rows;
        let room = self.values.len() < Self::MAX_VALUES;
        match self.values.entry(value) {
            Entry::Occupied(mut found) => *found.get_mut() += rows,
            Entry::Vacant(vacant) if room => {
                vacant.insert(rows);
            }
            Entry::Vacant(_) => {}
        }
    }
}

impl UnknownCategories {
    /// Whether every value was among the categories.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The columns with such values, by name.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &UnknownInColumn)> {
        self.columns.iter().map(|(name, unknown)| (name.as_str(), unknown))
    }

    /// What was counted in the column called `name`, if there was anything.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&UnknownInColumn> {
        self.columns.get(name)
    }

    /// Adds what was counted later.
    pub fn merge(&mut self, later: Self) {
        for (name, later) in later.columns {
            let own = self.columns.entry(name).or_default();
            let others = later.other_rows();
            for (value, rows) in later.values {
                own.add(value, rows);
            }
            own.n_rows += others;
        }
    }

    pub(crate) fn add(&mut self, column: &str, value: Option<String>) {
        match self.columns.get_mut(column) {
            Some(found) => found.add(value, 1),
            None => self.columns.entry(column.to_owned()).or_default().add(value, 1),
        }
    }
}
