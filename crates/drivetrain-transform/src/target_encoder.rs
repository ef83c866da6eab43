//! Categories as the mean of the target.

use drivetrain_plan::{
    Categories, Column, ColumnTable, Matrix, Op, Plan, PlanBuilder, PlanError, Schema, Table, UnknownValue,
};
use serde::{Deserialize, Serialize};

use crate::{
    EncodedColumn, Estimator, FitError, Fitted, Moments, ParameterError, Summary, TransformError,
    at_least_two::AtLeastTwo,
    categories::Declared,
    check_input,
    estimator::matrix,
    random::Draws,
    summary::{list, number},
};

/// The mean of the target over the rows of each category, drawn towards the mean over all rows where there are few of them,
/// like scikit-learn's `TargetEncoder` for a continuous target.
///
/// Takes columns of every type and gives `float64` columns of the same names. A missing value that there was at fit is a
/// category; what is no category becomes the mean of the target.
///
/// **`fit_transform` is not `fit`, then `transform`.** An encoding of a row that its own target went into tells the next
/// step what it is to predict. So [`fit_transform`](Estimator::fit_transform), and a pipeline that fits its next step, split
/// the rows into `cv` folds (5, shuffled by `random_state`) and encode each with what the others teach. What was learned from
/// all rows is for new ones.
///
/// A target of 0 and 1 is encoded as scikit-learn's binary one, but folds are not stratified; a target of several classes is
/// not there. Folds are numpy's only without `shuffle`. Declared categories may leave out values of the table: these rows
/// become the mean of the target over the rows that their encoding is learned from (in scikit-learn, over those of the last
/// fold).
///
/// Source: Micci-Barreca, D. (2001), A preprocessing scheme for high-cardinality categorical attributes in classification and
/// prediction problems, doi:10.1145/507533.507538.
///
/// ```
/// use drivetrain_plan::{Column, ColumnTable};
/// use drivetrain_transform::{Estimator, Fitted, TargetEncoder};
///
/// let column = Column::from(vec![Some("Ulm"), Some("Bonn"), Some("Ulm"), Some("Bonn")]);
/// let houses = ColumnTable::new(vec![("city".into(), column)])?;
/// let prices = [2.0, 5.0, 4.0, 7.0];
/// let fitted = TargetEncoder::new().smooth(0.0)?.fit(&houses, Some(&prices))?;
/// let later = ColumnTable::new(vec![("city".into(), Column::from(vec![Some("Bonn"), Some("Rome")]))])?;
/// assert_eq!(fitted.transform(&later)?.values().column(0).to_vec(), [6.0, 4.5]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetEncoder {
    categories: Declared,
    smooth: Smooth,
    cv: AtLeastTwo,
    shuffle: bool,
    random_state: u64,
}

/// The weight of the mean over all rows, in rows; none to find it by the variances.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "Option<f64>", into = "Option<f64>")]
struct Smooth(Option<f64>);

impl TryFrom<Option<f64>> for Smooth {
    type Error = ParameterError;

    fn try_from(smooth: Option<f64>) -> Result<Self, ParameterError> {
        match smooth {
            Some(value) if !(value.is_finite() && value >= 0.0) => {
                let expected = "a finite number of at least 0";
                Err(ParameterError::OutOfRange { name: "smooth", value: value.to_string(), expected })
            }
            smooth => Ok(Self(smooth)),
        }
    }
}

impl From<Smooth> for Option<f64> {
    fn from(smooth: Smooth) -> Self {
        smooth.0
    }
}

impl Default for TargetEncoder {
    fn default() -> Self {
        Self {
            categories: Declared::default(),
            smooth: Smooth(None),
            cv: AtLeastTwo::FIVE,
            shuffle: true,
            random_state: 0,
        }
    }
}

impl TargetEncoder {
    /// An encoder that finds categories and smoothing at fit, and crosses 5 folds.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares the categories of one column instead of finding them.
    ///
    /// # Errors
    /// [`ParameterError::RepeatedCategory`] when one appears twice or is NaN.
    pub fn categories(mut self, column: &str, categories: Categories) -> Result<Self, ParameterError> {
        self.categories.declare(column, categories)?;
        Ok(self)
    }

    /// How many rows the mean over all rows counts as; unless this is said, the variance of the target within each
    /// category, compared to that of all rows, decides for each (scikit-learn's `auto`).
    ///
    /// # Errors
    /// [`ParameterError::OutOfRange`] when it is negative or not finite.
    pub fn smooth(self, smooth: f64) -> Result<Self, ParameterError> {
        Ok(Self { smooth: Some(smooth).try_into()?, ..self })
    }

    /// The number of folds of `fit_transform`.
    ///
    /// # Errors
    /// [`ParameterError::OutOfRange`] when it is below 2.
    pub fn cv(self, folds: usize) -> Result<Self, ParameterError> {
        Ok(Self { cv: AtLeastTwo::new("cv", folds)?, ..self })
    }

    /// Whether rows are put into random order before they are split into folds.
    #[must_use]
    pub fn shuffle(self, shuffle: bool) -> Self {
        Self { shuffle, ..self }
    }

    /// The seed of that order.
    #[must_use]
    pub fn random_state(self, random_state: u64) -> Self {
        Self { random_state, ..self }
    }

    /// The fold of each row.
    fn folds(&self, n_rows: usize) -> Vec<usize> {
        let cv = self.cv.get();
        let rows = if self.shuffle {
            Draws::new(self.random_state).permutation(n_rows, n_rows)
        } else {
            (0..n_rows).collect()
        };
        // The first folds have one row more, where the rows cannot be split evenly.
        let sizes = (0..cv).map(|fold| n_rows / cv + usize::from(fold < n_rows % cv));
        let folds = sizes.enumerate().flat_map(|(fold, size)| std::iter::repeat_n(fold, size));
        let mut found = vec![0; n_rows];
        for (row, fold) in rows.into_iter().zip(folds) {
            found[row] = fold;
        }
        found
    }

    /// What the rows of a target teach of a column of `n` categories.
    fn encodings(&self, positions: &Positions, target: &Target<'_>, n: usize) -> Vec<f64> {
        let mut groups = vec![Vec::new(); n];
        for (position, row) in positions.iter().zip(0..).filter(|(_, row)| (target.learns)(*row)) {
            if let Some(group) = position.and_then(|position| groups.get_mut(position)) {
                group.push(target.values[row]);
            }
        }
        let (mean, variance) = (target.moments.mean(), target.moments.variance());
        let encoding = |group: &Vec<f64>| {
            let count = group.len() as f64;
            match self.smooth.0 {
                Some(smooth) if count + smooth == 0.0 => mean,
                Some(smooth) => (smooth * mean + group.iter().sum::<f64>()) / (smooth + count),
                None => {
                    let own = Moments::of(group);
                    let trust = variance * count / (variance * count + own.variance());
                    // Without rows, or where nothing varies, there is nothing but the mean.
                    if trust.is_nan() { mean } else { trust * own.mean() + (1.0 - trust) * mean }
                }
            }
        };
        groups.iter().map(encoding).collect()
    }

    /// What is learned from all rows, and the position of each row's category per column.
    fn learn(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<(FittedTargetEncoder, Vec<Positions>), FitError> {
        check_input(x, y)?;
        let y = y.ok_or(FitError::NoTarget { estimator: "TargetEncoder" })?;
        if let Some(row) = y.iter().position(|value| !value.is_finite()) {
            return Err(FitError::TargetNotFinite { row, value: y[row] });
        }
        let columns = self.categories.learn(x, "TargetEncoder")?;
        let positions: Vec<_> = columns.iter().map(|column| column.positions(x)).collect::<Result<_, _>>()?;
        let target = Target::new(y, &|_| true);
        let encode = |(column, positions): (EncodedColumn, &Positions)| TargetColumn {
            encodings: self.encodings(positions, &target, column.len()),
            column,
        };
        let columns = columns.into_iter().zip(&positions).map(encode).collect();
        let fitted = FittedTargetEncoder { schema: x.schema().clone(), target_mean: target.moments.mean(), columns };
        Ok((fitted, positions))
    }
}

/// The position of each row's category in one column, if it is one.
type Positions = Vec<Option<usize>>;

/// The target of some of the rows.
struct Target<'a> {
    values: &'a [f64],
    learns: &'a dyn Fn(usize) -> bool,
    moments: Moments,
}

impl<'a> Target<'a> {
    fn new(values: &'a [f64], learns: &'a dyn Fn(usize) -> bool) -> Self {
        let chosen: Vec<f64> = (0..values.len()).filter(|row| learns(*row)).map(|row| values[row]).collect();
        Self { values, learns, moments: Moments::of(&chosen) }
    }
}

/// What a [`TargetEncoder`] learned.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedTargetEncoder {
    schema: Schema,
    target_mean: f64,
    columns: Vec<TargetColumn>,
}

/// What a [`TargetEncoder`] learned of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetColumn {
    /// Its categories.
    pub column: EncodedColumn,
    /// The encoding of each category, and of a missing value where that is one.
    pub encodings: Vec<f64>,
}

impl FittedTargetEncoder {
    /// What was learned, per column.
    #[must_use]
    pub fn columns(&self) -> &[TargetColumn] {
        &self.columns
    }

    /// The mean of the target.
    #[must_use]
    pub const fn target_mean(&self) -> f64 {
        self.target_mean
    }
}

impl Estimator for TargetEncoder {
    type Fitted = FittedTargetEncoder;

    fn fit(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Self::Fitted, FitError> {
        Ok(self.learn(x, y)?.0)
    }

    /// Learns from all rows, and encodes each fold with what the others teach.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), and [`FitError::TooFewRows`] when there are fewer rows than folds.
    fn fit_run(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<(Self::Fitted, ColumnTable), FitError> {
        let (fitted, positions) = self.learn(x, y)?;
        let (y, cv) = (y.unwrap_or_default(), self.cv.get());
        if y.len() < cv {
            return Err(FitError::TooFewRows { estimator: "TargetEncoder", rows: y.len(), needed: cv });
        }
        let folds = self.folds(y.len());
        let mut outputs = vec![vec![f64::NAN; y.len()]; positions.len()];
        for fold in 0..cv {
            let learns = |row: usize| folds[row] != fold;
            let target = Target::new(y, &learns);
            for ((output, positions), TargetColumn { column, .. }) in
                outputs.iter_mut().zip(&positions).zip(&fitted.columns)
            {
                let encodings = self.encodings(positions, &target, column.len());
                for row in (0..y.len()).filter(|row| folds[*row] == fold) {
                    output[row] = positions[row].map_or(target.moments.mean(), |position| encodings[position]);
                }
            }
        }
        let outputs = x.schema().names().map(str::to_owned).zip(outputs.into_iter().map(Column::from));
        let table = ColumnTable::new(outputs.collect()).map_err(drivetrain_plan::ApplyError::Output);
        Ok((fitted, table.map_err(TransformError::from)?))
    }

    /// The features that [`fit_run`](Self::fit_run) gives.
    ///
    /// # Errors
    /// As [`fit_run`](Self::fit_run).
    fn fit_transform(&self, x: &dyn Table, y: Option<&[f64]>) -> Result<Matrix, FitError> {
        let (fitted, output) = self.fit_run(x, y)?;
        matrix(&fitted, x, &output)
    }
}

impl Fitted for FittedTargetEncoder {
    fn lower(&self) -> Result<Plan, PlanError> {
        let mut builder = PlanBuilder::new(self.schema.clone());
        for TargetColumn { column, encodings } in &self.columns {
            let (known, missing) = encodings.split_at(column.categories.len());
            let output = builder.fresh(&column.name);
            builder.push(Op::Encode {
                column: column.name.clone(),
                categories: column.categories.clone(),
                values: known.to_vec(),
                missing: missing.first().copied(),
                unknown: UnknownValue::Value(self.target_mean),
                output: output.clone(),
            });
            builder.output(&column.name, &output);
        }
        builder.build()
    }

    fn summary(&self) -> Summary {
        let rows = self.columns.iter().map(|TargetColumn { column, encodings }| {
            let encoded = column.labels().zip(encodings);
            [column.name.clone(), list(encoded.map(|(label, encoding)| format!("{label}: {}", number(*encoding))))]
        });
        let title = format!("TargetEncoder, mean {}", number(self.target_mean));
        Summary::new(title).table(["column", "encodings"], rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Block, ColumnTransformer, Pipeline, StandardScaler, Step};

    fn table(values: &[Option<&'static str>]) -> ColumnTable {
        ColumnTable::new(vec![("x".into(), Column::from(values.to_vec()))]).unwrap()
    }

    fn letters() -> (ColumnTable, Vec<f64>) {
        let letters = ["a", "b", "c"];
        let rows: Vec<_> = (0..30).map(|row| letters.get(row % 4).copied()).collect();
        (table(&rows), (0..30).map(|row| f64::from(row % 4) + f64::from(row % 5) / 10.0).collect())
    }

    #[test]
    fn rows_teach_themselves_nothing() {
        let (x, y) = letters();
        let encoder = TargetEncoder::new();
        let before = encoder.fit_transform(&x, Some(&y)).unwrap();
        for row in 0..30 {
            let mut changed = y.clone();
            changed[row] += 1000.0;
            let after = encoder.fit_transform(&x, Some(&changed)).unwrap();
            assert_eq!(before.values()[(row, 0)].to_bits(), after.values()[(row, 0)].to_bits(), "row {row}");
        }
    }

    #[test]
    fn folds_are_of_equal_size_in_an_order_of_the_seed() {
        let encoder = TargetEncoder::new().cv(4).unwrap();
        let folds = encoder.folds(10);
        let sizes: Vec<usize> = (0..4).map(|fold| folds.iter().filter(|found| **found == fold).count()).collect();
        assert_eq!(sizes, [3, 3, 2, 2]);
        assert_eq!(folds, encoder.folds(10));
        assert_ne!(folds, encoder.clone().random_state(1).folds(10));
        assert_eq!(encoder.shuffle(false).folds(10), [0, 0, 0, 1, 1, 1, 2, 2, 3, 3]);
    }

    #[test]
    fn the_next_step_of_a_pipeline_is_fitted_on_crossed_encodings() {
        let (x, y) = letters();
        let steps = vec![Step::new("encode", TargetEncoder::new()), Step::new("scale", StandardScaler::new())];
        let fitted = Pipeline::new(steps).unwrap().fit(&x, Some(&y)).unwrap();
        let (encoder, crossed) = TargetEncoder::new().fit_run(&x, Some(&y)).unwrap();
        let scaler = StandardScaler::new().fit(&crossed, None).unwrap();
        let by_hand = scaler.transform(&encoder.run(&x).unwrap()).unwrap();
        assert!(fitted.transform(&x).unwrap().bit_eq(&by_hand));
    }

    #[test]
    fn what_a_target_encoder_is_a_part_of_crosses_too() {
        let (x, y) = letters();
        let crossed = TargetEncoder::new().fit_transform(&x, Some(&y)).unwrap();
        let pipeline = Pipeline::new(vec![Step::new("encode", TargetEncoder::new())]).unwrap();
        assert!(pipeline.fit_transform(&x, Some(&y)).unwrap().bit_eq(&crossed));
        let columns = ColumnTransformer::new(vec![Block::new("encode", pipeline, ["x"])]).unwrap();
        let columns = columns.verbose_feature_names_out(false);
        assert!(columns.fit_transform(&x, Some(&y)).unwrap().bit_eq(&crossed));
        let later = columns.fit(&x, Some(&y)).unwrap().transform(&x).unwrap();
        assert!(later.bit_eq(&TargetEncoder::new().fit(&x, Some(&y)).unwrap().transform(&x).unwrap()));
    }

    #[test]
    fn what_is_unknown_becomes_the_mean_and_missing_is_a_category() {
        let x = table(&[Some("a"), None, None, Some("a")]);
        let fitted = TargetEncoder::new().smooth(0.0).unwrap().fit(&x, Some(&[1.0, 2.0, 4.0, 5.0])).unwrap();
        let found = fitted.transform(&table(&[Some("a"), None, Some("b")])).unwrap();
        assert_eq!(found.values().column(0).to_vec(), [3.0, 3.0, 3.0]);
        let fitted = TargetEncoder::new().fit(&x, Some(&[1.0, 2.0, 4.0, 1.0])).unwrap();
        let found = fitted.transform(&table(&[Some("a"), Some("b")])).unwrap();
        assert_eq!(found.values().column(0).to_vec(), [1.0, 2.0]);
    }

    #[test]
    fn a_summary_has_the_encodings() {
        let x = table(&[Some("a"), None, Some("b"), Some("a")]);
        let fitted = TargetEncoder::new().smooth(0.0).unwrap().fit(&x, Some(&[1.0, 2.0, 3.0, 2.0])).unwrap();
        let expected = "TargetEncoder, mean 2.0\n  column  encodings\n  x       a: 1.5, b: 3.0, nan: 2.0\n";
        assert_eq!(fitted.summary().to_string(), expected);
    }

    #[test]
    fn targets_that_teach_nothing_are_refused() {
        let x = table(&[Some("a"), Some("b")]);
        let refused = |y: Option<&[f64]>| TargetEncoder::new().fit(&x, y).unwrap_err().to_string();
        assert_eq!(refused(None), "TargetEncoder needs a target");
        assert_eq!(refused(Some(&[1.0, f64::NAN])), "the target of row 1 is NaN, which is not finite");
        let error = TargetEncoder::new().fit_transform(&x, Some(&[1.0, 2.0])).unwrap_err();
        assert_eq!(error.to_string(), "TargetEncoder needs at least 5 rows; there are 2");
    }

    #[test]
    fn parameters_out_of_range_are_refused_also_when_they_are_read() {
        assert!(TargetEncoder::new().smooth(-1.0).is_err() && TargetEncoder::new().cv(1).is_err());
        let text = serde_json::to_string(&TargetEncoder::new()).unwrap();
        assert_eq!(serde_json::from_str::<TargetEncoder>(&text).unwrap(), TargetEncoder::new());
        assert!(serde_json::from_str::<TargetEncoder>(&text.replace(r#""cv":5"#, r#""cv":1"#)).is_err());
        assert!(serde_json::from_str::<TargetEncoder>(&text.replace("null", "-1.0")).is_err());
    }
}
