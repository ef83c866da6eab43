//! The custom transformer: age from model year, categories from cylinders and origin.

use drivetrain_plan::{
    CategoryType, DataType, ExtraColumns, Op, Operand, Operator, Plan, PlanBuilder, PlanError, Schema, SchemaMismatch,
    Table,
};
use drivetrain_transform::{Estimator, FitError, Fitted, check_input};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::feature_schema;

/// The column that becomes an age.
const MODEL_YEAR: &str = "model year";
/// What it becomes.
const AGE: &str = "age";
/// The columns that become categories.
const CATEGORIES: [&str; 2] = ["cylinders", "origin"];

/// Turns the model year into an age and makes cylinders and origin categories; the other columns stay as they are.
///
/// `age = reference_year - model year`, both as the two digits of the raw file, in years. It takes exactly the seven
/// feature columns, in any order: a missing, an additional or a wrongly typed column is an error that names it, at fit
/// and at transform. There is nothing to learn; the reference year is the only parameter.
///
/// ```
/// use drivetrain_autompg::AutoMpgFeatures;
///
/// assert_eq!(AutoMpgFeatures::default(), AutoMpgFeatures::new(82));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoMpgFeatures {
    reference_year: i32,
}

impl Default for AutoMpgFeatures {
    fn default() -> Self {
        Self::new(82)
    }
}

impl AutoMpgFeatures {
    /// A transformer that counts ages up to `reference_year`, in the two digits of the raw file.
    #[must_use]
    pub const fn new(reference_year: i32) -> Self {
        Self { reference_year }
    }
}

/// [`AutoMpgFeatures`] after it has seen that the columns are the ones it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FittedAutoMpgFeatures {
    parameters: AutoMpgFeatures,
}

/// A table that is not one of cars.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the columns are not those of the Auto MPG features")]
struct NotCars(#[source] SchemaMismatch);

impl FittedAutoMpgFeatures {
    fn plan(self, schema: &Schema) -> Result<Plan, PlanError> {
        let mut builder = PlanBuilder::new(schema.clone());
        builder.extra_columns(ExtraColumns::Reject);
        for name in schema.names() {
            match name {
                MODEL_YEAR => {
                    let output = builder.fresh(AGE);
                    builder.push(Op::Arithmetic {
                        operator: Operator::Subtract,
                        left: Operand::Constant(f64::from(self.parameters.reference_year)),
                        right: Operand::Column(name.to_owned()),
                        output: output.clone(),
                    });
                    builder.output(AGE, &output);
                }
                name if CATEGORIES.contains(&name) => {
                    let output = builder.fresh(name);
                    let to = DataType::Categorical(CategoryType::Int64);
                    builder.push(Op::Cast { column: name.to_owned(), to, output: output.clone() });
                    builder.output(name, &output);
                }
                name => {
                    builder.output(name, name);
                }
            }
        }
        builder.build()
    }
}

impl Estimator for AutoMpgFeatures {
    type Fitted = FittedAutoMpgFeatures;

    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Self::Fitted, FitError> {
        check_input(x, y)?;
        let fitted = FittedAutoMpgFeatures { parameters: *self };
        fitted.lower()?.check_schema(x.schema()).map_err(|mismatch| FitError::Other {
            estimator: "AutoMpgFeatures",
            source: Box::new(NotCars(mismatch)),
        })?;
        Ok(fitted)
    }
}

impl Fitted for FittedAutoMpgFeatures {
    fn lower(&self) -> Result<Plan, PlanError> {
        // The names of the columns are distinct, so the fallback is never taken.
        self.plan(&feature_schema().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::{Column, ColumnTable};

    use super::*;

    fn columns() -> Vec<(String, Column<'static>)> {
        let float = |value: f64| Column::from(vec![value, value + 1.0]);
        vec![
            ("cylinders".into(), Column::from(vec![8_i64, 4])),
            ("displacement".into(), float(300.0)),
            ("horsepower".into(), float(130.0)),
            ("weight".into(), float(3500.0)),
            ("acceleration".into(), float(12.0)),
            ("model year".into(), Column::from(vec![70_i64, 83])),
            ("origin".into(), Column::from(vec![1_i64, 3])),
        ]
    }

    fn table(columns: Vec<(String, Column<'static>)>) -> ColumnTable {
        ColumnTable::new(columns).unwrap()
    }

    #[test]
    fn ages_are_counted_and_categories_cast_without_touching_the_input() {
        let input = table(columns());
        let before = input.clone();
        let output = AutoMpgFeatures::default().fit(&input, None).unwrap().run(&input).unwrap();
        assert_eq!(input, before);
        let names: Vec<&str> = output.schema().names().collect();
        assert_eq!(names, ["cylinders", "displacement", "horsepower", "weight", "acceleration", "age", "origin"]);
        assert_eq!(output.column("age"), Some(Column::from(vec![12.0, -1.0])));
        assert!(output.schema().dtype("origin").is_some_and(DataType::is_categorical));
        let again = AutoMpgFeatures::new(90).fit(&input, None).unwrap().run(&input).unwrap();
        assert_eq!(again.column("age"), Some(Column::from(vec![20.0, 7.0])));
    }

    #[test]
    fn missing_extra_and_wrongly_typed_columns_are_named_at_fit_and_at_transform() {
        let fitted = AutoMpgFeatures::default().fit(&table(columns()), None).unwrap();
        let mut wrong = columns();
        wrong[3].1 = Column::from(vec![Some("heavy"), None]);
        wrong.retain(|(name, _)| name != "origin");
        wrong.push(("car name".into(), Column::from(vec![Some("beetle"), None])));
        let wrong = table(wrong);
        let chain = |error: &dyn std::error::Error| {
            let mut text = error.to_string();
            let mut source = error.source();
            while let Some(cause) = source {
                text = format!("{text}: {cause}");
                source = cause.source();
            }
            text
        };
        let found = "missing: `origin`; not expected: `car name`; `weight` is string, not float64";
        for text in [
            chain(&AutoMpgFeatures::default().fit(&wrong, None).unwrap_err()),
            chain(&fitted.transform(&wrong).unwrap_err()),
        ] {
            assert!(text.contains(found), "{text}");
        }
    }

    #[test]
    fn the_bundled_columns_are_the_ones_the_transformer_takes() {
        let fields = crate::raw_schema().unwrap();
        let plan = FittedAutoMpgFeatures { parameters: AutoMpgFeatures::default() }.lower().unwrap();
        let names: Vec<&str> = fields.names().skip(1).collect();
        assert_eq!(plan.inputs().names().collect::<Vec<_>>(), names);
    }
}
