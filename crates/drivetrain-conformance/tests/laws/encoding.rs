//! The encoders of categories keep every law.

use drivetrain_conformance::{Conformance, Law, LawBroken, TableOptions};
use drivetrain_plan::{ColumnTable, Matrix, Table, UnknownValue};
use drivetrain_transform::{
    DropCategory, Estimator, FitError, HandleUnknown, MinFrequency, OneHotEncoder, OrdinalEncoder, TargetEncoder,
};

use crate::{everything, keeps};

#[test]
fn ordinal_encoder() {
    let unknown = UnknownValue::Value(-1.0);
    for encoder in [
        OrdinalEncoder::new(),
        OrdinalEncoder::new().handle_unknown(unknown),
        OrdinalEncoder::new().handle_unknown(unknown).encoded_missing_value(-2.0),
    ] {
        keeps(&encoder, &everything());
        keeps(&encoder.max_categories(3).unwrap(), &everything());
    }
}

#[test]
fn one_hot_encoder_of_rare_categories() {
    let rare = OneHotEncoder::new().min_frequency(MinFrequency::fraction(0.2).unwrap());
    for unknown in [HandleUnknown::Error, HandleUnknown::Ignore, HandleUnknown::InfrequentIfExist] {
        let encoder = rare.clone().handle_unknown(unknown);
        keeps(&encoder, &everything());
        keeps(&encoder.clone().drop(DropCategory::First), &everything());
        keeps(&encoder.max_categories(2).unwrap().drop(DropCategory::IfBinary), &everything());
    }
}

/// A target encoder that makes up the target, from the number of the row, which the laws do not give.
#[derive(Debug, Clone, PartialEq)]
struct WithTarget(TargetEncoder);

fn target(x: &dyn Table) -> Vec<f64> {
    (0..x.n_rows()).map(|row| (row * row % 7) as f64).collect()
}

impl Estimator for WithTarget {
    type Fitted = <TargetEncoder as Estimator>::Fitted;

    fn fit(&self, x: &dyn Table, _: Option<&[f64]>) -> Result<Self::Fitted, FitError> {
        self.0.fit(x, Some(&target(x)))
    }

    fn fit_run(&self, x: &dyn Table, _: Option<&[f64]>) -> Result<(Self::Fitted, ColumnTable), FitError> {
        self.0.fit_run(x, Some(&target(x)))
    }

    fn fit_transform(&self, x: &dyn Table, _: Option<&[f64]>) -> Result<Matrix, FitError> {
        self.0.fit_transform(x, Some(&target(x)))
    }
}

#[test]
fn target_encoder_but_for_the_folds_it_crosses() {
    for encoder in [TargetEncoder::new(), TargetEncoder::new().smooth(0.0).unwrap()] {
        for missing in [0.0, 0.3] {
            let tables = TableOptions::default().missing(missing);
            let laws = Conformance::new(&everything()).tables(tables).except(Law::FitTransform);
            if let Err(broken) = laws.check(&WithTarget(encoder.clone())) {
                panic!("{encoder:?}\n{broken}");
            }
        }
        let broken = Conformance::new(&everything()).check(&WithTarget(encoder)).unwrap_err();
        assert!(matches!(broken, LawBroken::Broken { law: Law::FitTransform, .. }), "{broken}");
    }
}
