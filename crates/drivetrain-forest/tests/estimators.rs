//! The laws of estimators, and hostile data, for every estimator there is.
#![cfg(feature = "train")]
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::fmt::Debug;

use drivetrain_forest::ndarray::{Array2, ArrayView2, Axis, array};
use drivetrain_forest::{
    ClassWeight, ClassificationCriterion, ClassificationForest, DecisionTreeClassifier, DecisionTreeRegressor,
    ExtraTreesClassifier, ExtraTreesRegressor, FitOptions, Forest, ForestError, NodeView, RandomForestClassifier,
    RandomForestRegressor, RegressionCriterion, Splitter, TreeFormat,
};
use proptest::prelude::*;
use serde_json::Value;

/// What a fit gave, as bytes and as predictions of the rows it was given.
#[derive(Debug, PartialEq)]
struct Outcome {
    bytes: Vec<u8>,
    predictions: Vec<u64>,
}

type Fit = fn(ArrayView2<'_, f64>, &[f64]) -> Result<Outcome, ForestError>;

fn outcome_of_numbers(forest: &Forest, x: &ArrayView2<'_, f64>) -> Outcome {
    let bytes = rmp_serde::to_vec_named(forest).unwrap();
    let loaded: Forest = rmp_serde::from_slice(&bytes).unwrap();
    assert_eq!(&loaded, forest);
    let predictions = forest.predict(*x).unwrap();
    for (row, prediction) in x.rows().into_iter().zip(&predictions) {
        let alone = forest.predict_row(&row.to_vec()).unwrap();
        assert_eq!(alone.to_bits(), prediction.to_bits());
    }
    Outcome { bytes, predictions: predictions.iter().map(|value| value.to_bits()).collect() }
}

fn outcome_of_classes(forest: &ClassificationForest<i32>, x: &ArrayView2<'_, f64>) -> Outcome {
    let bytes = rmp_serde::to_vec_named(forest).unwrap();
    let loaded: ClassificationForest<i32> = rmp_serde::from_slice(&bytes).unwrap();
    assert_eq!(&loaded, forest);
    let proba = forest.predict_proba(*x).unwrap();
    for (row, shares) in x.axis_chunks_iter(Axis(0), 1).zip(proba.rows()) {
        assert_eq!(forest.predict_proba(row).unwrap().row(0), shares);
        assert!((shares.sum() - 1.0).abs() < 1e-9);
    }
    Outcome { bytes, predictions: proba.iter().map(|value| value.to_bits()).collect() }
}

/// Classes of one in three numbers.
fn labels(y: &[f64]) -> Vec<i32> {
    #[expect(clippy::cast_possible_truncation, reason = "any whole number will do")]
    y.iter().map(|target| (target.abs() % 3.0) as i32 - 1).collect()
}

macro_rules! regressor {
    ($name:ident $(.$method:ident($value:expr))*) => {
        |x, y| {
            let estimator = $name::builder()$(.$method($value))*.build()?;
            Ok(outcome_of_numbers(&estimator.fit(x, y)?, &x))
        }
    };
}

macro_rules! classifier {
    ($name:ident $(.$method:ident($value:expr))*) => {
        |x, y| {
            let estimator = $name::builder()$(.$method($value))*.build()?;
            // The targets are refused where those of numbers are.
            if let Some(row) = y.iter().position(|target| !target.is_finite()) {
                return Err(ForestError::InvalidTarget { row, value: y[row], limit: 1e300 });
            }
            Ok(outcome_of_classes(&estimator.fit(x, &labels(y))?, &x))
        }
    };
}

/// Every estimator, with every criterion.
fn estimators() -> [(&'static str, Fit); 11] {
    [
        ("forest", regressor!(RandomForestRegressor.n_estimators(6))),
        (
            "forest, absolute error",
            regressor!(RandomForestRegressor.n_estimators(4).criterion(RegressionCriterion::AbsoluteError)),
        ),
        ("forest, some features", regressor!(RandomForestRegressor.n_estimators(6).max_features("sqrt".parse()?))),
        ("extra trees", regressor!(ExtraTreesRegressor.n_estimators(6))),
        (
            "extra trees, absolute error",
            regressor!(
                ExtraTreesRegressor.n_estimators(4).bootstrap(true).criterion(RegressionCriterion::AbsoluteError)
            ),
        ),
        ("tree", regressor!(DecisionTreeRegressor)),
        ("random tree", regressor!(DecisionTreeRegressor.splitter(Splitter::Random))),
        ("classes", classifier!(RandomForestClassifier.n_estimators(6))),
        (
            "classes, entropy, balanced",
            classifier!(
                RandomForestClassifier
                    .n_estimators(6)
                    .criterion(ClassificationCriterion::Entropy)
                    .class_weight(ClassWeight::BalancedSubsample)
            ),
        ),
        ("extra classes", classifier!(ExtraTreesClassifier.n_estimators(6).class_weight(ClassWeight::Balanced))),
        ("tree of classes", classifier!(DecisionTreeClassifier.criterion(ClassificationCriterion::LogLoss))),
    ]
}

/// Mixed columns, some values missing; a target that depends on the first two.
fn table(n_rows: usize) -> (Array2<f64>, Vec<f64>) {
    let x = Array2::from_shape_fn((n_rows, 4), |(i, j)| match j {
        _ if (i * 7 + j * 3) % 11 == 0 => f64::NAN,
        0 => (i as f64 * 0.7).sin(),
        1 => (i % 5) as f64,
        2 => 1.5,
        _ => (i * 31 % 17) as f64,
    });
    let y = (0..n_rows).map(|i| 10.0 * (i as f64 * 0.7).sin() + (i % 5) as f64).collect();
    (x, y)
}

fn on_threads<R: Send>(n: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap().install(work)
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let (x, y) = table(300);
    for (name, fit) in estimators() {
        let once = on_threads(1, || fit(x.view(), &y).unwrap());
        for threads in [1, 2, 5] {
            assert_eq!(once, on_threads(threads, || fit(x.view(), &y).unwrap()), "{name}, {threads} threads");
        }
        let column_major = x.t().as_standard_layout().into_owned();
        assert_eq!(once.bytes, fit(column_major.t(), &y).unwrap().bytes, "{name}, other layout");
    }
}

#[test]
fn what_cannot_be_learned_from_is_refused_by_name() {
    let (x, y) = table(20);
    for (name, fit) in estimators() {
        let message = |x: ArrayView2<'_, f64>, y: &[f64]| fit(x, y).unwrap_err().to_string();
        assert_eq!(message(x.view(), &y[1..]), "x has 20 rows but y has 19 values", "{name}");
        assert!(message(Array2::zeros((0, 3)).view(), &[]).starts_with("x has 0 rows and "), "{name}");
        assert!(message(Array2::zeros((2, 0)).view(), &[1.0, 2.0]).starts_with("x has 2 rows and 0"), "{name}");
        let mut spoilt = x.clone();
        spoilt[[7, 2]] = f64::NEG_INFINITY;
        assert_eq!(message(spoilt.view(), &y), "x[7, 2] is -inf: expected a finite number", "{name}");
        let mut spoilt = y.clone();
        spoilt[4] = f64::NAN;
        assert!(message(x.view(), &spoilt).starts_with("y[4] is NaN"), "{name}");
    }
}

#[test]
fn odd_tables_are_learned_from() {
    let columns = [f64::MAX, -f64::MAX, 5e-324, 0.0, -0.0, f64::NAN];
    for (name, fit) in estimators() {
        // One row, one column, nothing but missing values, equal rows, huge and tiny numbers.
        for (x, y) in [
            (array![[4.0, 5.0]], vec![7.5]),
            (Array2::from_shape_fn((30, 1), |(row, _)| row as f64), (0..30).map(f64::from).collect()),
            (Array2::from_elem((12, 2), f64::NAN), (0..12).map(f64::from).collect()),
            (Array2::from_elem((12, 2), 3.0), (0..12).map(f64::from).collect()),
            (
                Array2::from_shape_fn((36, 3), |(row, column)| columns[(row * (column + 1)) % 6]),
                (0..36).map(f64::from).collect(),
            ),
            (Array2::from_shape_fn((20, 1), |(row, _)| row as f64), vec![2.0; 20]),
            (
                Array2::from_shape_fn((8, 1), |(row, _)| row as f64),
                (0..8).map(|row| 1e300 * f64::from(row % 2)).collect(),
            ),
        ] {
            let outcome = fit(x.view(), &y).unwrap();
            let finite = outcome.predictions.iter().all(|&bits| f64::from_bits(bits).is_finite());
            assert!(finite, "{name}");
        }
    }
}

#[test]
fn a_deep_tree_neither_overflows_nor_hangs() {
    let x = Array2::from_shape_fn((900, 1), |(row, _)| row as f64);
    let y: Vec<f64> = (0..900).map(|row| 2.0_f64.powi(row)).collect();
    for (name, fit) in estimators() {
        assert!(fit(x.view(), &y).is_ok(), "{name}");
    }
}

#[test]
fn labels_of_any_type_give_the_same_forest() {
    let (x, y) = table(60);
    let numbers = labels(&y);
    let names: Vec<String> =
        numbers.iter().map(|number| ["a", "b", "c"][usize::try_from(number + 1).unwrap()].into()).collect();
    let classifier = RandomForestClassifier::builder().n_estimators(5).build().unwrap();
    let by_number = classifier.fit(x.view(), &numbers).unwrap();
    let by_name = classifier.fit(x.view(), &names).unwrap();
    assert_eq!(by_number.predict_proba(x.view()).unwrap(), by_name.predict_proba(x.view()).unwrap());
    assert_eq!(by_number.classes(), [-1, 0, 1]);
    assert_eq!(by_name.classes(), ["a", "b", "c"]);
    let expected: Vec<&str> = by_number
        .predict(x.view())
        .unwrap()
        .iter()
        .map(|number| ["a", "b", "c"][usize::try_from(number + 1).unwrap()])
        .collect();
    assert_eq!(by_name.predict(x.view()).unwrap(), expected);
}

#[test]
fn rows_yet_unseen_are_judged_by_trees_that_left_them_out() {
    let (x, y) = table(80);
    let y = labels(&y);
    let classifier = RandomForestClassifier::builder().n_estimators(40).build().unwrap();
    let forest = classifier.fit(x.view(), &y).unwrap();
    let unseen = classifier.out_of_bag(&forest, x.view(), &y, FitOptions::new()).unwrap();
    assert_eq!(unseen.dim(), (80, 3));
    assert!(unseen.rows().into_iter().all(|shares| (shares.sum() - 1.0).abs() < 1e-9));
    let extra = ExtraTreesClassifier::builder().n_estimators(40).build().unwrap();
    let error = extra.out_of_bag(&forest, x.view(), &y, FitOptions::new()).unwrap_err();
    assert!(error.to_string().starts_with("bootstrap is false"), "{error}");
}

#[test]
fn parameters_that_do_not_fit_the_data_are_refused() {
    let (x, y) = table(30);
    let classes = labels(&y);
    let refuse = |error: ForestError| error.to_string();
    let tree = DecisionTreeRegressor::builder;
    let fit = |tree: DecisionTreeRegressor| refuse(tree.fit(x.view(), &y).unwrap_err());
    assert_eq!(
        fit(tree().monotonic_cst(vec![1]).build().unwrap()),
        "monotonic_cst is 1 numbers: expected one for each feature"
    );
    assert_eq!(
        fit(tree().categorical_features(vec![9]).build().unwrap()),
        "categorical_features is 9: expected numbers of columns of x"
    );
    assert_eq!(
        fit(tree().categorical_features(vec![2]).build().unwrap()),
        "x[0, 2] is 1.5: expected a category, a whole number from 0 to 63, or NaN"
    );
    assert_eq!(
        refuse(tree().monotonic_cst(vec![0, 2]).build().unwrap_err()),
        "monotonic_cst is 2: expected -1, 0 or 1 for each feature"
    );
    assert!(tree().monotonic_cst(vec![0, 1]).categorical_features(vec![1]).build().is_err());
    let poisson = |y: &[f64]| {
        let tree = tree().criterion(RegressionCriterion::Poisson).build().unwrap();
        refuse(tree.fit(x.view(), y).unwrap_err())
    };
    assert_eq!(poisson(&[-0.5; 30]), "y[0] is -0.5: the poisson criterion expects targets of at least 0");
    assert_eq!(poisson(&[0.0; 30]), "all 30 values of y are 0: the poisson criterion expects one above");
    let class = DecisionTreeClassifier::builder;
    let fit = |tree: DecisionTreeClassifier| refuse(tree.fit(x.view(), &classes).unwrap_err());
    assert_eq!(
        fit(class().class_weight(ClassWeight::Given(vec![1.0])).build().unwrap()),
        "class_weight is 1 weights: expected one for each class"
    );
    assert!(
        fit(class().monotonic_cst(vec![1, 0, 0, 0]).build().unwrap()).starts_with("monotonic_cst is set for 3 classes")
    );
    assert!(class().class_weight(ClassWeight::Given(vec![-1.0])).build().is_err());
    assert!(class().class_weight(ClassWeight::BalancedSubsample).build().is_err());
}

#[test]
fn defaults_are_those_of_scikit_learn() {
    let says = |estimator: Value, expected: [(&str, &str); 3]| {
        for (name, text) in expected {
            assert_eq!(estimator[name].to_string().trim_matches('"'), text, "{name} of {estimator}");
        }
    };
    let of = |estimator: &dyn erased::Json| estimator.json();
    let forest = [("criterion", "gini"), ("max_features", "sqrt"), ("bootstrap", "true")];
    says(of(&RandomForestClassifier::default()), forest);
    let extra = [("criterion", "squared_error"), ("max_features", "all"), ("bootstrap", "false")];
    says(of(&ExtraTreesRegressor::default()), extra);
    let extra = [("criterion", "gini"), ("max_features", "sqrt"), ("bootstrap", "false")];
    says(of(&ExtraTreesClassifier::default()), extra);
    says(
        of(&DecisionTreeClassifier::default()),
        [("criterion", "gini"), ("max_features", "all"), ("splitter", "best")],
    );
    let tree = of(&DecisionTreeRegressor::default());
    assert!(tree.get("n_estimators").is_none());
    assert_eq!(
        serde_json::from_value::<DecisionTreeRegressor>(tree.clone()).unwrap(),
        DecisionTreeRegressor::default()
    );
    says(tree, [("criterion", "squared_error"), ("max_features", "all"), ("splitter", "best")]);
}

/// Estimators as JSON.
mod erased {
    pub(crate) trait Json {
        fn json(&self) -> serde_json::Value;
    }

    impl<T: serde::Serialize> Json for T {
        fn json(&self) -> serde_json::Value {
            serde_json::to_value(self).unwrap()
        }
    }
}

#[test]
fn every_public_type_is_a_value() {
    fn value<T: Send + Sync + Debug + Clone + PartialEq>() {}
    value::<RandomForestClassifier>();
    value::<ExtraTreesRegressor>();
    value::<ExtraTreesClassifier>();
    value::<DecisionTreeRegressor>();
    value::<DecisionTreeClassifier>();
    value::<ClassificationForest<String>>();
    value::<ClassWeight>();
    value::<Splitter>();
    value::<RegressionCriterion>();
    value::<ClassificationCriterion>();
    value::<drivetrain_forest::CategorySet>();
}

#[test]
fn categories_are_split_as_sets_and_explained() {
    // Categories 1 and 4 are high; no threshold parts them from the others.
    let x = Array2::from_shape_fn((60, 1), |(row, _)| (row % 6) as f64);
    let y: Vec<f64> = (0..60).map(|row| if row % 6 == 1 || row % 6 == 4 { 9.0 } else { 2.0 }).collect();
    let tree = DecisionTreeRegressor::builder().categorical_features(vec![0]).build().unwrap();
    let fitted = tree.fit(x.view(), &y).unwrap();
    let categories = [0, 2, 3, 5].into_iter().collect();
    assert_eq!(
        fitted.tree(0).unwrap().node(0),
        Some(NodeView::CategorySplit { feature: 0, categories, left: 1, right: 2 })
    );
    let text = fitted.tree(0).unwrap().export_text(TreeFormat::new()).unwrap();
    assert!(
        text.starts_with(
            "|--- feature_0 in {0, 2, 3, 5}\n|   |--- value: [2.00]\n|--- feature_0 not in {0, 2, 3, 5}\n"
        ),
        "{text}"
    );
    assert_eq!(fitted.predict(x.view()).unwrap(), y);
    // A category never seen is not one of the set; what is no category goes where most rows went, like what is missing.
    assert_eq!(fitted.predict_row(&[40.0]).unwrap(), 9.0);
    assert_eq!(fitted.predict_row(&[64.0]).unwrap(), 2.0);
    assert_eq!(fitted.predict_row(&[f64::NAN]).unwrap(), 2.0);
    let forest = RandomForestClassifier::builder().n_estimators(20).categorical_features(vec![0]).build().unwrap();
    let high: Vec<bool> = y.iter().map(|&target| target > 5.0).collect();
    assert_eq!(forest.fit(x.view(), &high).unwrap().predict(x.view()).unwrap(), high);
    let extra = ExtraTreesRegressor::builder().n_estimators(20).categorical_features(vec![0]).build().unwrap();
    assert_eq!(extra.fit(x.view(), &y).unwrap().predict(x.view()).unwrap(), y);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn predictions_keep_the_direction_asked_for(
        cells in prop::collection::vec((0_u8..12, prop::option::of(0_u8..5), -30_i32..30), 4..60),
        seed in 0_u64..99,
        random: bool,
    ) {
        let x = Array2::from_shape_fn((cells.len(), 2), |(row, column)| {
            if column == 0 { f64::from(cells[row].0) } else { cells[row].1.map_or(f64::NAN, f64::from) }
        });
        let y: Vec<f64> = cells.iter().map(|cell| f64::from(cell.2)).collect();
        let above: Vec<bool> = y.iter().map(|&target| target > 0.0).collect();
        let cst = vec![1, -1];
        let splitter = if random { Splitter::Random } else { Splitter::Best };
        let numbers = DecisionTreeRegressor::builder().monotonic_cst(cst.clone()).splitter(splitter).random_state(seed);
        let numbers = numbers.build().unwrap().fit(x.view(), &y).unwrap();
        let medians = DecisionTreeRegressor::builder().monotonic_cst(cst.clone()).criterion(RegressionCriterion::AbsoluteError);
        let medians = medians.build().unwrap().fit(x.view(), &y).unwrap();
        let classes = RandomForestClassifier::builder().monotonic_cst(cst).n_estimators(3).random_state(seed);
        let classes = classes.build().unwrap().fit(x.view(), &above).unwrap();
        let chance = |row: [f64; 2]| classes.predict_proba(array![row].view()).unwrap().row(0).to_vec().last().copied().unwrap();
        let one_class = classes.classes().len() == 1;
        for first in 0..12 {
            for second in 0..5 {
                let row = [f64::from(first), f64::from(second)];
                for (next, sign) in [([row[0] + 1.0, row[1]], 1.0), ([row[0], row[1] + 1.0], -1.0)] {
                    for forest in [&numbers, &medians] {
                        let change = forest.predict_row(&next).unwrap() - forest.predict_row(&row).unwrap();
                        prop_assert!(change * sign >= 0.0, "{row:?} {next:?} {change}");
                    }
                    prop_assert!(one_class || (chance(next) - chance(row)) * sign >= -1e-12, "{row:?} {next:?}");
                }
            }
        }
    }
}

#[test]
fn a_fit_ends_when_it_is_told_to() {
    use std::ops::ControlFlow;
    use std::sync::atomic::{AtomicUsize, Ordering};

    let (x, y) = table(40);
    let regressor = RandomForestRegressor::builder().n_estimators(50).build().unwrap();
    let told = AtomicUsize::new(0);
    let watch = |done, total| {
        assert_eq!(total, 50);
        told.fetch_add(1, Ordering::Relaxed);
        if done < 10 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let error = regressor.fit_with(x.view(), &y, FitOptions::new().watch(&watch)).unwrap_err();
    let ForestError::Cancelled { n_grown, n_trees: 50 } = error else { panic!("{error}") };
    assert!((10..50).contains(&n_grown), "{n_grown}");
    assert!(told.load(Ordering::Relaxed) < 50);
    // Nobody waits for the first tree.
    let never = |_, _| ControlFlow::Break(());
    let error = regressor.fit_with(x.view(), &y, FitOptions::new().watch(&never)).unwrap_err();
    assert_eq!(error, ForestError::Cancelled { n_grown: 0, n_trees: 50 });
    let always = |_, _| ControlFlow::Continue(());
    let watched = regressor.fit_with(x.view(), &y, FitOptions::new().watch(&always)).unwrap();
    assert_eq!(watched, regressor.fit(x.view(), &y).unwrap());
}

/// Also in the middle of a tree, whatever grows it: sorted, drawn, or one after the other.
#[test]
fn a_fit_ends_within_a_tree() {
    use std::ops::ControlFlow;
    use std::sync::atomic::{AtomicUsize, Ordering};

    type FitOne<'a> = &'a dyn Fn(FitOptions<'_>) -> Result<Forest, ForestError>;

    let x = Array2::from_shape_fn((30_000, 3), |(row, column)| (row * (7919 + 2 * column) % 30_011) as f64);
    let y: Vec<f64> = (0..30_000).map(|row| f64::from(row * 31 % 1009)).collect();
    let one_tree: [(&str, FitOne<'_>); 3] = [
        ("tree", &|options| DecisionTreeRegressor::default().fit_with(x.view(), &y, options)),
        ("forest", &|options| {
            RandomForestRegressor::builder().n_estimators(1).build()?.fit_with(x.view(), &y, options)
        }),
        ("extra tree", &|options| {
            ExtraTreesRegressor::builder().n_estimators(1).build()?.fit_with(x.view(), &y, options)
        }),
    ];
    for (name, fit) in one_tree {
        // Asked before the tree, now and then within it, and after it.
        let (asked, after) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let watch = |done, total| {
            assert_eq!(total, 1);
            (if done == 0 { &asked } else { &after }).fetch_add(1, Ordering::Relaxed);
            ControlFlow::Continue(())
        };
        let forest = fit(FitOptions::new().watch(&watch)).unwrap();
        assert!((4..500).contains(&asked.into_inner()) && after.into_inner() == 1, "{name}");
        assert_eq!(forest, fit(FitOptions::new()).unwrap(), "{name}");

        let asked = AtomicUsize::new(0);
        let watch = |_, _| match asked.fetch_add(1, Ordering::Relaxed) {
            0 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        };
        let error = fit(FitOptions::new().watch(&watch)).unwrap_err();
        assert_eq!(error, ForestError::Cancelled { n_grown: 0, n_trees: 1 }, "{name}");
        assert!((2..4).contains(&asked.into_inner()), "{name}");
    }
}

#[test]
fn a_fit_runs_on_the_pool_it_is_given() {
    let (x, y) = table(40);
    let pool = drivetrain_forest::ThreadPoolBuilder::new().num_threads(3).thread_name(|index| format!("own {index}"));
    let pool = pool.build().unwrap();
    let threads = std::sync::Mutex::new(Vec::new());
    let progress = |_, _| threads.lock().unwrap().push(std::thread::current().name().unwrap_or_default().to_owned());
    let regressor = RandomForestRegressor::builder().n_estimators(20).build().unwrap();
    let options = FitOptions::new().thread_pool(&pool).progress(&progress);
    let forest = regressor.fit_with(x.view(), &y, options).unwrap();
    assert!(threads.into_inner().unwrap().iter().all(|name| name.starts_with("own ")));
    assert_eq!(forest, regressor.fit(x.view(), &y).unwrap());
}
