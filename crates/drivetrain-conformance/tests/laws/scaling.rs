//! The estimators of numeric columns keep every law.

use drivetrain_plan::Norm;
use drivetrain_transform::{
    BinEncoding, BinStrategy, KBinsDiscretizer, MaxAbsScaler, MinMaxScaler, Normalizer, OutputDistribution, Pipeline,
    PowerMethod, PowerTransformer, QuantileTransformer, RobustScaler, SimpleImputer, Step, VarianceThreshold,
};

use crate::{keeps, numbers};

#[test]
fn min_max_scaler() {
    keeps(&MinMaxScaler::new(), &numbers());
    keeps(&MinMaxScaler::new().feature_range(-5.0, 3.0).unwrap().clip(true), &numbers());
}

#[test]
fn max_abs_scaler() {
    keeps(&MaxAbsScaler::new(), &numbers());
}

#[test]
fn robust_scaler() {
    keeps(&RobustScaler::new(), &numbers());
    keeps(&RobustScaler::new().quantile_range(5.0, 50.0).unwrap().unit_variance(true), &numbers());
    keeps(&RobustScaler::new().with_centering(false).with_scaling(false), &numbers());
}

#[test]
fn normalizer() {
    for norm in [Norm::L1, Norm::L2, Norm::Max] {
        keeps(&Normalizer::new().norm(norm), &numbers());
    }
}

#[test]
fn variance_threshold() {
    keeps(&VarianceThreshold::new(), &numbers());
    keeps(&VarianceThreshold::new().threshold(1e3).unwrap(), &numbers());
}

#[test]
fn quantile_transformer() {
    keeps(&QuantileTransformer::new(), &numbers());
    let normal = QuantileTransformer::new().output_distribution(OutputDistribution::Normal);
    keeps(&normal.n_quantiles(5).unwrap().subsample(Some(9)).unwrap(), &numbers());
}

#[test]
fn power_transformer() {
    keeps(&PowerTransformer::new(), &numbers());
    keeps(&PowerTransformer::new().standardize(false), &numbers());
    let positive = MinMaxScaler::new().feature_range(1.0, 5.0).unwrap();
    let box_cox = PowerTransformer::new().method(PowerMethod::BoxCox);
    keeps(&Pipeline::new(vec![Step::new("positive", positive), Step::new("power", box_cox)]).unwrap(), &numbers());
}

#[test]
fn k_bins_discretizer() {
    // Missing values are refused, so they are filled before.
    let filled = |bins: KBinsDiscretizer| {
        let fill = SimpleImputer::mean().keep_empty_features(true);
        Pipeline::new(vec![Step::new("fill", fill), Step::new("bins", bins)]).unwrap()
    };
    keeps(&filled(KBinsDiscretizer::new()), &numbers());
    keeps(&filled(KBinsDiscretizer::new().encode(BinEncoding::Ordinal).strategy(BinStrategy::Uniform)), &numbers());
    keeps(
        &filled(KBinsDiscretizer::new().column_n_bins("integer", 2).unwrap().subsample(Some(9)).unwrap()),
        &numbers(),
    );
}
