//! The estimators of numeric columns keep every law.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use drivetrain_conformance::{Conformance, TableOptions};
use drivetrain_plan::{DataType, Field, Norm, Schema};
use drivetrain_transform::{
    BinEncoding, BinStrategy, Estimator, KBinsDiscretizer, MaxAbsScaler, MinMaxScaler, Normalizer, OutputDistribution,
    Pipeline, PowerMethod, PowerTransformer, QuantileTransformer, RobustScaler, SimpleImputer, Step, VarianceThreshold,
};

fn keeps<E>(estimator: &E)
where
    E: Estimator + Clone + PartialEq + std::fmt::Debug + Send + Sync + 'static,
{
    let fields = [("float", DataType::Float64), ("integer", DataType::Int64), ("flag", DataType::Boolean)];
    let schema = Schema::new(fields.into_iter().map(|(name, dtype)| Field::new(name, dtype)).collect()).unwrap();
    for options in [
        TableOptions::default(),
        TableOptions::default().missing(0.0),
        TableOptions::default().extremes(true),
        TableOptions::default().missing(0.6),
    ] {
        if let Err(broken) = Conformance::new(&schema).tables(options.clone()).check(estimator) {
            panic!("{estimator:?} on {options:?}\n{broken}");
        }
    }
}

#[test]
fn min_max_scaler() {
    keeps(&MinMaxScaler::new());
    keeps(&MinMaxScaler::new().feature_range(-5.0, 3.0).unwrap().clip(true));
}

#[test]
fn max_abs_scaler() {
    keeps(&MaxAbsScaler::new());
}

#[test]
fn robust_scaler() {
    keeps(&RobustScaler::new());
    keeps(&RobustScaler::new().quantile_range(5.0, 50.0).unwrap().unit_variance(true));
    keeps(&RobustScaler::new().with_centering(false).with_scaling(false));
}

#[test]
fn normalizer() {
    for norm in [Norm::L1, Norm::L2, Norm::Max] {
        keeps(&Normalizer::new().norm(norm));
    }
}

#[test]
fn variance_threshold() {
    keeps(&VarianceThreshold::new());
    keeps(&VarianceThreshold::new().threshold(1e3).unwrap());
}

#[test]
fn quantile_transformer() {
    keeps(&QuantileTransformer::new());
    let normal = QuantileTransformer::new().output_distribution(OutputDistribution::Normal);
    keeps(&normal.n_quantiles(5).unwrap().subsample(Some(9)).unwrap());
}

#[test]
fn power_transformer() {
    keeps(&PowerTransformer::new());
    keeps(&PowerTransformer::new().standardize(false));
    let positive = MinMaxScaler::new().feature_range(1.0, 5.0).unwrap();
    let box_cox = PowerTransformer::new().method(PowerMethod::BoxCox);
    keeps(&Pipeline::new(vec![Step::new("positive", positive), Step::new("power", box_cox)]).unwrap());
}

#[test]
fn k_bins_discretizer() {
    // Missing values are refused, so they are filled before.
    let filled = |bins: KBinsDiscretizer| {
        let fill = SimpleImputer::mean().keep_empty_features(true);
        Pipeline::new(vec![Step::new("fill", fill), Step::new("bins", bins)]).unwrap()
    };
    keeps(&filled(KBinsDiscretizer::new()));
    keeps(&filled(KBinsDiscretizer::new().encode(BinEncoding::Ordinal).strategy(BinStrategy::Uniform)));
    keeps(&filled(KBinsDiscretizer::new().column_n_bins("integer", 2).unwrap().subsample(Some(9)).unwrap()));
}
