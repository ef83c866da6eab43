//! The estimators of numeric columns keep every law.

use drivetrain_conformance::{Conformance, Law, TableOptions};
use drivetrain_plan::Norm;
use drivetrain_transform::{
    BinEncoding, BinStrategy, KBinsDiscretizer, MaxAbsScaler, MinMaxScaler, Normalizer, OutputDistribution, Pipeline,
    PowerMethod, PowerTransformer, QuantileTransformer, RobustScaler, SimpleImputer, Step, VarianceThreshold,
};

use crate::{floats, holds, keeps, numbers, options};

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
    keeps(&VarianceThreshold::new().threshold(1e3).unwrap(), &floats());
}

#[test]
fn quantile_transformer() {
    keeps(&QuantileTransformer::new(), &numbers());
    keeps(&QuantileTransformer::new(), &floats());
    let normal = QuantileTransformer::new().output_distribution(OutputDistribution::Normal).n_quantiles(5).unwrap();
    keeps(&normal, &floats());
    // What is above a draw of equal values comes back as they are, which transform to the other end.
    let drawn = normal.subsample(Some(9)).unwrap();
    for options in options() {
        holds(&drawn, &Conformance::new(&numbers()).tables(options).except(Law::Inverse));
    }
}

#[test]
fn power_transformer() {
    keeps(&PowerTransformer::new(), &numbers());
    keeps(&PowerTransformer::new(), &floats());
    keeps(&PowerTransformer::new().standardize(false), &floats());
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
    // What was filled has no way back; what was full has one.
    let full = TableOptions::default().missing(0.0);
    for options in [full.clone(), full.extremes(true)] {
        let conformance = Conformance::new(&floats()).tables(options);
        for strategy in [BinStrategy::Uniform, BinStrategy::Quantile] {
            let bins = KBinsDiscretizer::new().strategy(strategy);
            holds(&bins, &conformance);
            holds(&bins.encode(BinEncoding::Ordinal), &conformance);
        }
    }
}
