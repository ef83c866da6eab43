//! Functions that nothing has to be learned for.

use std::collections::BTreeSet;

use drivetrain_plan::{DataType, Field, Function, Op, Plan, PlanBuilder, PlanError, Schema, Table};
use serde::{Deserialize, Serialize};

use crate::{
    DynPartialFit, Estimator, Expression, FitError, Fitted, ParameterError, PartialFit, Progress, check_input,
    partial_fit::check_target,
};

/// Computes new columns from the ones that are there, like scikit-learn's `FunctionTransformer`, but from functions that
/// are data: what was fitted runs anywhere.
///
/// [`new`](Self::new) applies one function to every column and keeps the names; [`columns`](Self::columns) computes named
/// [`Expression`]s, and only those. Takes boolean, `int64` and `float64` columns and gives `float64`. Numbers outside of
/// the domain of a function follow numpy: they become missing or infinite, and no row is refused for them.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable, Function};
/// use drivetrain_transform::{Estimator, FunctionTransformer, col};
///
/// let columns = vec![("up".into(), Column::from(vec![1.0, 4.0])), ("down".into(), Column::from(vec![4_i64, 0]))];
/// let table = ColumnTable::new(columns)?;
/// let roots = FunctionTransformer::new(Function::Sqrt)?.fit_transform(&table, None)?;
/// assert_eq!(roots.values().row(0).to_vec(), [1.0, 2.0]);
///
/// let ratio = FunctionTransformer::columns([("ratio", col("up") / (col("up") + col("down")))])?;
/// let ratio = ratio.fit_transform(&table, None)?;
/// assert_eq!(ratio.feature_names(), ["ratio"]);
/// assert_eq!(ratio.values().column(0).to_vec(), [0.2, 1.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Formula", into = "Formula")]
pub struct FunctionTransformer(Formula);

/// What is computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Formula {
    Each { func: Function, inverse_func: Option<Function> },
    Columns(Vec<(String, Expression)>),
}

impl TryFrom<Formula> for FunctionTransformer {
    type Error = ParameterError;

    /// Checks the constants by lowering them for columns that suit.
    fn try_from(formula: Formula) -> Result<Self, ParameterError> {
        let names: BTreeSet<&str> = match &formula {
            Formula::Each { .. } => ["x"].into(),
            Formula::Columns(columns) => columns.iter().flat_map(|(_, expression)| expression.columns()).collect(),
        };
        let fields = names.into_iter().map(|name| Field::new(name, DataType::Float64)).collect();
        let schema = Schema::new(fields).unwrap_or_default();
        let inverse = match &formula {
            Formula::Each { inverse_func: Some(inverse), .. } => each(inverse, &schema).map(drop),
            _ => Ok(()),
        };
        inverse
            .and_then(|()| formula.lower(&schema).map(drop))
            .map_err(|source| ParameterError::Function { source })?;
        Ok(Self(formula))
    }
}

impl From<FunctionTransformer> for Formula {
    fn from(transformer: FunctionTransformer) -> Self {
        transformer.0
    }
}

impl Formula {
    fn lower(&self, schema: &Schema) -> Result<Plan, PlanError> {
        match self {
            Self::Each { func, .. } => each(func, schema),
            Self::Columns(columns) => {
                let mut builder = PlanBuilder::new(schema.clone());
                for (name, expression) in columns {
                    let column = expression.lower(&mut builder, name);
                    builder.output(name, &column);
                }
                builder.build()
            }
        }
    }
}

/// `function` of every column.
fn each(function: &Function, schema: &Schema) -> Result<Plan, PlanError> {
    let mut builder = PlanBuilder::new(schema.clone());
    for name in schema.names() {
        let output = builder.fresh(name);
        builder.push(Op::Function { function: function.clone(), column: name.to_owned(), output: output.clone() });
        builder.output(name, &output);
    }
    builder.build()
}

impl FunctionTransformer {
    /// `func` of every column, under the column's name.
    ///
    /// # Errors
    /// [`ParameterError::Function`] when its constants make no sense.
    pub fn new(func: Function) -> Result<Self, ParameterError> {
        Formula::Each { func, inverse_func: None }.try_into()
    }

    /// What leads back from the output of [`new`](Self::new); nothing checks that it does.
    ///
    /// # Errors
    /// [`ParameterError::Function`] when its constants make no sense; [`ParameterError::NoInverse`] after
    /// [`columns`](Self::columns).
    pub fn inverse_func(self, inverse: Function) -> Result<Self, ParameterError> {
        match self.0 {
            Formula::Each { func, .. } => Formula::Each { func, inverse_func: Some(inverse) }.try_into(),
            Formula::Columns(_) => Err(ParameterError::NoInverse { estimator: "FunctionTransformer::columns" }),
        }
    }

    /// Columns of these names, computed by these expressions.
    ///
    /// # Errors
    /// [`ParameterError::Function`] when a name appears twice or a constant makes no sense.
    pub fn columns<N: Into<String>>(
        columns: impl IntoIterator<Item = (N, Expression)>,
    ) -> Result<Self, ParameterError> {
        Formula::Columns(columns.into_iter().map(|(name, expression)| (name.into(), expression)).collect()).try_into()
    }

    /// The columns of `schema` that are read, once each or more.
    fn reads<'a>(&'a self, schema: &'a Schema) -> Vec<&'a str> {
        match &self.0 {
            Formula::Each { func: Function::IsMissing, .. } => Vec::new(),
            Formula::Each { .. } => schema.names().collect(),
            Formula::Columns(columns) => columns.iter().flat_map(|(_, expression)| expression.columns()).collect(),
        }
    }
}

/// What a [`FunctionTransformer`] learned: the columns that it works on.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedFunctionTransformer {
    parameters: FunctionTransformer,
    schema: Schema,
}

impl Estimator for FunctionTransformer {
    type Fitted = FittedFunctionTransformer;

    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Self::Fitted, FitError> {
        check_input(x, y)?;
        self.learn(x.schema())
    }

    fn as_partial_fit(&self) -> Option<&dyn DynPartialFit> {
        Some(self)
    }
}

impl FunctionTransformer {
    /// All that there is to learn is the schema.
    fn learn(&self, schema: &Schema) -> Result<FittedFunctionTransformer, FitError> {
        let estimator = "FunctionTransformer";
        let mut absent = Vec::new();
        for name in self.reads(schema) {
            match schema.dtype(name) {
                None => absent.push(name.to_owned()),
                Some(dtype) if !dtype.is_numeric() => {
                    return Err(FitError::NotNumeric { estimator, column: name.to_owned(), dtype });
                }
                Some(_) => {}
            }
        }
        if !absent.is_empty() {
            return Err(FitError::UnknownColumns { reader: estimator.to_owned(), columns: absent });
        }
        Ok(FittedFunctionTransformer { parameters: self.clone(), schema: schema.clone() })
    }
}

/// What a [`FunctionTransformer`] has seen so far: rows, of whatever content.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionTransformerState {
    fitted: FittedFunctionTransformer,
    n_rows: usize,
}

impl PartialFit for FunctionTransformer {
    type State = FunctionTransformerState;

    fn start(&self, schema: &Schema) -> Result<Self::State, FitError> {
        if schema.is_empty() {
            return Err(FitError::Empty { rows: 0, columns: 0 });
        }
        Ok(FunctionTransformerState { fitted: self.learn(schema)?, n_rows: 0 })
    }

    fn partial_fit(&self, state: &mut Self::State, x: &dyn Table, y: Option<&[f64]>) -> Result<(), FitError> {
        check_target(x, y)?;
        state.n_rows += x.n_rows();
        Ok(())
    }

    fn merge(&self, state: &mut Self::State, later: Self::State) -> Result<(), FitError> {
        if state.fitted != later.fitted {
            return Err(FitError::Merge { reason: "their columns differ" });
        }
        state.n_rows += later.n_rows;
        Ok(())
    }

    fn finish(&self, state: Self::State) -> Result<Progress<Self::State, Self::Fitted>, FitError> {
        if state.n_rows == 0 {
            return Err(FitError::Empty { rows: 0, columns: state.fitted.schema.len() });
        }
        Ok(Progress::Done(state.fitted))
    }
}

impl Fitted for FittedFunctionTransformer {
    fn lower(&self) -> Result<Plan, PlanError> {
        self.parameters.0.lower(&self.schema)
    }

    fn inverse(&self) -> Result<Option<Plan>, PlanError> {
        match &self.parameters.0 {
            Formula::Each { inverse_func: Some(inverse), .. } => each(inverse, self.lower()?.output_schema()).map(Some),
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use drivetrain_plan::{Column, ColumnTable};

    use super::*;
    use crate::col;

    fn table() -> ColumnTable {
        let columns = vec![
            ("x".into(), Column::from(vec![Some(-1_i64), Some(0), None])),
            ("flag".into(), Column::from(vec![Some(true), Some(false), Some(true)])),
        ];
        ColumnTable::new(columns).unwrap()
    }

    #[test]
    fn what_lies_outside_of_a_domain_is_missing_or_infinite_as_in_numpy() {
        let logs = FunctionTransformer::new(Function::Log).unwrap().fit_transform(&table(), None).unwrap();
        let logs = logs.column("x").unwrap();
        assert!(logs[0].is_nan() && logs[1] == f64::NEG_INFINITY && logs[2].is_nan(), "{logs:?}");
        let ratios = FunctionTransformer::columns([("over", 1.0 / col("x")), ("zero", col("x") / col("x"))]).unwrap();
        let ratios = ratios.fit_transform(&table(), None).unwrap();
        assert_eq!(ratios.values().row(0).to_vec(), [-1.0, 1.0]);
        assert!(ratios.values()[(1, 0)] == f64::INFINITY && ratios.values()[(1, 1)].is_nan());
    }

    #[test]
    fn expressions_compute_what_they_say_also_of_constants() {
        let transformer = FunctionTransformer::columns([
            ("x", col("x")),
            ("sum", (col("x").abs() + 2.0 * col("flag") - 0.5).clip(0.0, 2.0)),
            ("half", Expression::from(0.25).sqrt()),
            ("two", 2.0.into()),
        ]);
        let fitted = transformer.unwrap().fit(&table(), None).unwrap();
        let found = fitted.transform(&table()).unwrap();
        assert_eq!(found.values().row(0).to_vec(), [-1.0, 2.0, 0.5, 2.0]);
        assert_eq!(found.values().row(1).to_vec(), [0.0, 0.0, 0.5, 2.0]);
        let typed = fitted.run(&table()).unwrap();
        assert!(typed.schema().fields().iter().all(|field| field.dtype == DataType::Float64));
    }

    #[test]
    fn parameters_that_make_no_sense_are_refused_also_when_they_are_read() {
        let clip = |low, high| Function::Clip { low, high };
        assert!(FunctionTransformer::new(clip(2.0, 1.0)).is_err());
        assert!(FunctionTransformer::new(Function::Exp).unwrap().inverse_func(clip(2.0, 1.0)).is_err());
        assert!(FunctionTransformer::columns([("a", col("x") * f64::NAN)]).is_err());
        let error = FunctionTransformer::columns([("a", col("x")), ("a", col("y"))]).unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(cause, "two outputs are called `a`; prefix the names or rename one");
        let columns = FunctionTransformer::columns([("a", 1.0 - col("x").clip(0.0, 1.0))]).unwrap();
        let text = serde_json::to_string(&columns).unwrap();
        assert_eq!(serde_json::from_str::<FunctionTransformer>(&text).unwrap(), columns);
        assert!(serde_json::from_str::<FunctionTransformer>(&text.replace("\"low\":0.0", "\"low\":7.0")).is_err());
        assert!(columns.inverse_func(Function::Exp).is_err());
    }

    #[test]
    fn columns_that_are_not_there_or_not_numbers_are_named() {
        let texts = ColumnTable::new(vec![("t".into(), Column::from(vec![Some("a"), None]))]).unwrap();
        let error = FunctionTransformer::new(Function::Abs).unwrap().fit(&texts, None).unwrap_err();
        assert_eq!(error.to_string(), "column `t` is string; FunctionTransformer takes boolean, int64 and float64");
        let error = FunctionTransformer::columns([("d", col("a") - col("b"))]).unwrap().fit(&texts, None).unwrap_err();
        assert_eq!(error.to_string(), "FunctionTransformer names columns that are not there: a, b");
        let gaps = FunctionTransformer::new(Function::IsMissing).unwrap().fit_transform(&texts, None).unwrap();
        assert_eq!(gaps.values().column(0).to_vec(), [0.0, 1.0]);
    }
}
