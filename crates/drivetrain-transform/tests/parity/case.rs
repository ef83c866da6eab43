//! The cases of a fixture file, and how a transformer is held to them.

use std::{
    borrow::Cow,
    fs,
    path::{Path, PathBuf},
};

use drivetrain_plan::{ApplyError, Column, ColumnTable, Int64Column, Table};
use drivetrain_transform::{Estimator, Fitted, TransformError};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::live::{self, Measured};

/// A relative tolerance; each case adds its own absolute one.
pub(crate) const RTOL: f64 = 1e-12;

#[derive(Debug, Deserialize)]
struct Fixture {
    transformer: String,
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) params: Map<String, Value>,
    pub(crate) fit: Vec<NamedColumn>,
    transform: Vec<NamedColumn>,
    /// The target, for estimators that use one.
    pub(crate) y: Option<Vec<f64>>,
    /// How often each row counts, where they do not count alike.
    pub(crate) sample_weight: Option<Vec<f64>>,
    #[serde(default)]
    pub(crate) learned: Value,
    #[serde(default)]
    feature_names: Vec<String>,
    #[serde(default)]
    expected: Vec<Vec<Value>>,
    #[serde(default)]
    pub(crate) atol: f64,
    /// What the inverse makes of the output.
    inverse: Option<Vec<Vec<Value>>>,
    /// How far that may be off, one entry a column, where it is not as far as the output may; nothing for any distance.
    inverse_atol: Option<Vec<Option<f64>>>,
    /// Whether every bit must agree.
    #[serde(default)]
    exact: bool,
    error: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct NamedColumn {
    pub(crate) name: String,
    dtype: String,
    values: Vec<Value>,
}

/// The cases of a transformer: those of the fixture, at least `at_least` of them, or fresh ones.
pub(crate) fn cases(transformer: &'static str, at_least: usize) -> Measured<Case> {
    if let Some(folder) = live::folder() {
        return Measured::new(transformer, fresh(&folder, transformer));
    }
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../data/fixtures/transformers"].iter().collect();
    let path = folder.join(format!("{transformer}.json"));
    let fixture: Fixture = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert_eq!(fixture.transformer, transformer);
    assert!(fixture.cases.len() >= at_least, "only {} cases", fixture.cases.len());
    Measured::new(transformer, fixture.cases)
}

/// The cases that were written for this run alone; none for a transformer that has no fresh ones.
fn fresh(folder: &Path, transformer: &str) -> Vec<Case> {
    let Ok(text) = fs::read(folder.join(format!("{transformer}.json"))) else { return Vec::new() };
    let fixture: Fixture = serde_json::from_slice(&text).unwrap();
    assert!(fixture.transformer == transformer && !fixture.cases.is_empty());
    fixture.cases
}

pub(crate) fn table(columns: &[NamedColumn]) -> ColumnTable {
    ColumnTable::new(columns.iter().map(|column| (column.name.clone(), column.read())).collect()).unwrap()
}

impl NamedColumn {
    fn read(&self) -> Column<'static> {
        let values = &self.values;
        match self.dtype.as_str() {
            "float64" => {
                Column::from(values.iter().map(|value| value.as_f64().unwrap_or(f64::NAN)).collect::<Vec<_>>())
            }
            "int64" => Column::Int64(Int64Column::from(values.iter().map(Value::as_i64).collect::<Vec<_>>())),
            "boolean" => Column::from(values.iter().map(Value::as_bool).collect::<Vec<_>>()),
            "string" => {
                let texts = values.iter().map(|value| value.as_str().map(|text| Cow::Owned(text.to_owned())));
                Column::String(texts.collect())
            }
            other => panic!("dtype {other}"),
        }
    }
}

impl Case {
    /// Fits and transforms; the numbers, names and errors must be those of scikit-learn. Hands over what was learned.
    pub(crate) fn check<E: Estimator>(&self, estimator: Result<E, String>) -> Option<E::Fitted> {
        let fit = |estimator: E| estimator.fit(&table(&self.fit), self.y.as_deref()).map_err(|error| error.to_string());
        self.check_fitted(estimator.and_then(fit))
    }

    /// Transforms likewise what was fitted, or was to be.
    pub(crate) fn check_fitted<F: Fitted>(&self, fitted: Result<F, String>) -> Option<F> {
        let refused = |step: &str, error: String| {
            assert_eq!(self.error.as_deref(), Some(step), "{}: {error}", self.name);
            None
        };
        let fitted = match fitted {
            Ok(fitted) => fitted,
            Err(error) => return refused("fit", error),
        };
        // Whatever is not numeric is compared as typed columns.
        let x = table(&self.transform);
        let output = match fitted.transform(&x) {
            Err(TransformError::Apply(ApplyError::NotNumeric { .. })) => fitted.run(&x),
            matrix => matrix.map(|matrix| ColumnTable::try_from(&matrix).unwrap()),
        };
        let output = match output {
            Ok(output) => output,
            Err(error) => return refused("transform", error.to_string()),
        };
        assert_eq!(self.error, None, "{}: scikit-learn refuses this", self.name);
        self.check_table(&output, &self.feature_names, &self.expected, |_| Some(self.atol), "output");
        if let Some(expected) = &self.inverse {
            let names: Vec<String> = self.fit.iter().map(|column| column.name.clone()).collect();
            let atol =
                |index| self.inverse_atol.as_ref().map_or(Some(self.atol), |atol: &Vec<Option<f64>>| atol[index]);
            self.check_table(&fitted.inverse_transform(&output).unwrap(), &names, expected, atol, "inverse");
        }
        Some(fitted)
    }

    /// `atol` is the absolute tolerance of each column.
    fn check_table(
        &self,
        found: &ColumnTable,
        names: &[String],
        expected: &[Vec<Value>],
        atol: impl Fn(usize) -> Option<f64>,
        what: &str,
    ) {
        let what = format!("{}: {what}", self.name);
        assert_eq!(found.schema().names().collect::<Vec<_>>(), names, "{what}");
        // A table without columns does not know its rows.
        assert_eq!(found.n_rows(), if names.is_empty() { 0 } else { expected.len() }, "{what}");
        for (index, name) in names.iter().enumerate() {
            let column = found.column(name).unwrap();
            let numbers = column.to_f64();
            for (row, expected) in expected.iter().enumerate() {
                let (expected, place) = (&expected[index], format!("{what}: row {row}, column {name}"));
                let number = expected.as_f64().or(expected.as_bool().map(|flag| f64::from(u8::from(flag))));
                match &numbers {
                    None if expected.is_null() => assert!(column.is_missing(row), "{place}: not missing"),
                    None => assert_eq!(column.text(row), expected.as_str(), "{place}"),
                    Some(found) if self.exact => {
                        let expected = number.unwrap_or(f64::NAN);
                        assert_eq!(found[row].to_bits(), expected.to_bits(), "{place}: {}, not {expected}", found[row]);
                    }
                    Some(found) => {
                        if let Some(atol) = atol(index) {
                            assert_close(found[row], number, atol, &place);
                        }
                    }
                }
            }
        }
    }

    /// A parameter that is true or false.
    pub(crate) fn flag(&self, name: &str, default: bool) -> bool {
        self.params.get(name).and_then(Value::as_bool).unwrap_or(default)
    }

    /// What scikit-learn learned, one entry per column; `None` where it learned nothing of that name.
    pub(crate) fn learned(&self, key: &str) -> Option<Vec<Option<f64>>> {
        let entries = self.learned[key].as_array()?;
        Some(entries.iter().map(Value::as_f64).collect())
    }
}

/// `expected` is `None` for NaN.
pub(crate) fn assert_close(found: f64, expected: Option<f64>, atol: f64, place: &str) {
    live::measure(found, expected, atol);
    match expected {
        None => assert!(found.is_nan(), "{place}: {found} instead of NaN"),
        Some(expected) => assert!(
            (found - expected).abs() <= atol + RTOL * expected.abs(),
            "{place}: {found:e} instead of {expected:e}"
        ),
    }
}
