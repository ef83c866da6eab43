//! A report with something in every place.

use drivetrain_report::{
    Artifact, Calibration, ColumnProfile, Data, Dependence, Importance, Level, Model, Prediction, Previous, Report,
    Score, Step,
};

/// As many rows, groups and columns as a real one.
pub(crate) fn report(run: &str) -> Report {
    let score =
        |name: &str, value: f64| Score { name: name.into(), value, interval: Some((value * 0.8, value * 1.25)) };
    let model = |name: &str, rmse: f64, mae: f64, r2: f64| Model {
        name: name.into(),
        scores: vec![score("rmse", rmse), score("mae", mae), score("r2", r2)],
    };
    let predictions = (0..70).map(prediction).collect();
    let grid: Vec<f64> = (0..25).map(|at| 1600.0 + 140.0 * f64::from(at)).collect();
    let curve = |shift: f64| grid.iter().map(|at| 42.0 - at / 160.0 + shift + (at / 400.0).sin()).collect::<Vec<_>>();
    let columns = [("weight", 2.9), ("displacement", 1.6), ("model year", 1.5), ("horsepower", 1.2), ("origin", 0.05)];
    Report {
        title: "Fuel consumption of cars".into(),
        run: run.into(),
        started: "2026-01-31T12:00:00Z".into(),
        data: Data {
            target: "mpg".into(),
            unit: "mpg".into(),
            source: "A sentence on where the data comes from, and under which licence.".into(),
            parts: vec![("train".into(), 318), ("validation".into(), 70), ("test".into(), 10)],
            columns: vec![ColumnProfile {
                name: "horsepower".into(),
                dtype: "float64".into(),
                missing: 6,
                content: "mean 104.5, standard deviation 38.5".into(),
            }],
        },
        pipeline: Some(pipeline()),
        parameters: [("n_estimators".into(), "100".into()), ("seed".into(), "42".into())].into(),
        models: vec![
            model("random forest", 2.68, 1.9, 0.886),
            model("linear, log target", 2.94, 2.17, 0.852),
            model("ridge", 3.32, 2.57, 0.813),
            model("linear", 3.33, 2.58, 0.812),
            model("mean", 7.79, 6.55, -0.02),
        ],
        previous: Some(Previous { run: "run-before".into(), scores: vec![score("rmse", 2.75), score("r2", 0.88)] }),
        predictions,
        groups: vec!["model year".into(), "origin".into()],
        importances: columns
            .map(|(column, permutation)| Importance {
                column: column.into(),
                permutation,
                deviation: 0.2,
                impurity: permutation / 7.25,
            })
            .into(),
        dependence: vec![Dependence {
            column: "weight".into(),
            mean: curve(0.0),
            rows: (-8..8).map(|row| curve(f64::from(row))).collect(),
            grid: grid.clone(),
        }],
        calibration: Some(Calibration {
            method: "Intervals by jackknife+".into(),
            shown: 0.9,
            levels: [0.5, 0.6, 0.7, 0.8, 0.9, 0.95]
                .map(|nominal| Level { nominal, coverage: nominal - 0.02, width: 10.0 * nominal })
                .into(),
        }),
        artifacts: vec![Artifact {
            name: "models/ml/first/output/model.tar.gz".into(),
            id: "0123456789abcdef".repeat(4),
        }],
        reproduce: vec!["cargo xtask pipeline --run-name again --seed 42".into()],
    }
}

fn prediction(row: u32) -> Prediction {
    let step = f64::from(row);
    let truth = 12.0 + (step * 7.3) % 30.0;
    let predicted = truth + 3.0 * (step * 1.7).sin();
    Prediction {
        part: "validation".into(),
        label: format!("a car of some make {row}"),
        truth,
        predicted,
        interval: Some((predicted - 4.0, predicted + 4.5)),
        groups: [
            ("model year".into(), (70 + row % 13).to_string()),
            ("origin".into(), ["America", "Europe", "Japan"][row as usize % 3].into()),
        ]
        .into(),
    }
}

fn pipeline() -> Step {
    let table = |title: &str| Step {
        title: title.into(),
        header: vec!["column".into(), "mean".into(), "scale".into()],
        rows: vec![vec!["displacement".into(), "193.4".into(), "104.2".into()]],
        parts: Vec::new(),
    };
    let group = |title: &str, parts: Vec<(String, Step)>| Step { title: title.into(), parts, ..Step::default() };
    let numbers = vec![("impute".into(), table("SimpleImputer")), ("scale".into(), table("StandardScaler"))];
    let columns = vec![
        ("categorical-feats".into(), table("OneHotEncoder")),
        ("numerical-feats".into(), group("Pipeline", numbers)),
    ];
    let steps = vec![
        ("custom-preprocessing".into(), table("AutoMpgFeatures")),
        ("column-preprocessing".into(), group("ColumnTransformer", columns)),
    ];
    group("Pipeline", steps)
}
