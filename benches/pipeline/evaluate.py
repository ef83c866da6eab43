"""The evaluation in Python, as a team does it with pandas and scikit-learn: what `cargo xtask evaluate` is timed against.

    python3 -m venv venv
    venv/bin/pip install -r benches/pipeline/requirements.txt
    venv/bin/python benches/pipeline/evaluate.py data/auto-mpg.data

Ten folds five times over of the whole pipeline with a random forest and six baselines, preprocessing fitted inside the folds;
intervals around the metrics, permutation importances, partial dependence, CV+ prediction intervals, the out-of-bag error, and
learning from the past. Folds and permutations are spread over all processors.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.model_selection import KFold, RepeatedKFold, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from reference import COLUMNS, TARGET, preprocessing

METRICS = {"rmse": root_mean_squared_error, "mae": mean_absolute_error, "r2": r2_score}
COVERAGES = (0.9, 0.5, 0.8, 0.95)


def pipeline(regressor) -> Pipeline:
    return make_pipeline(preprocessing(), regressor)


def intervals(folds, predictions, y, rng, n_resamples: int = 2000):
    """Percentile intervals of the means over the folds, rows drawn with replacement."""
    drawn = rng.integers(0, len(y), (n_resamples, len(y)))
    weights = np.stack([np.bincount(rows, minlength=len(y)) for rows in drawn]).astype(float)
    found = {name: [] for name in METRICS}
    with np.errstate(invalid="ignore", divide="ignore"):
        for (_, test), predicted in zip(folds, predictions):
            w, truth = weights[:, test], y[test]
            total = w.sum(axis=1)
            squared = w @ (truth - predicted) ** 2 / total
            spread = w @ truth**2 / total - (w @ truth / total) ** 2
            found["rmse"].append(np.sqrt(squared))
            found["mae"].append(w @ np.abs(truth - predicted) / total)
            # Drawing with replacement narrows the spread by 1 / total on average.
            found["r2"].append(1.0 - squared / spread * (1.0 - 1.0 / total))
    return {name: np.quantile(np.nanmean(values, axis=0), [0.025, 0.975]) for name, values in found.items()}


def regressors(n_estimators: int) -> dict:
    """The baselines, then the model that is looked into."""
    return {
        "mean": DummyRegressor(),
        "linear": LinearRegression(),
        "ridge": Ridge(),
        "linear, log target": TransformedTargetRegressor(LinearRegression(), func=np.log, inverse_func=np.exp),
        "SVR": TransformedTargetRegressor(SVR(C=10), transformer=StandardScaler()),
        "extra trees": ExtraTreesRegressor(3 * n_estimators, random_state=42),
        "random forest": RandomForestRegressor(n_estimators, random_state=42),
    }


def models(everything, x, y, folds, rng):
    """Metrics of all models over the folds; the fitted models of the last."""
    for name, regressor in everything.items():
        found = cross_validate(pipeline(regressor), x, y, cv=folds, n_jobs=-1, return_estimator=True)["estimator"]
        predictions = [model.predict(x.iloc[test]) for model, (_, test) in zip(found, folds)]
        ends = intervals(folds, predictions, y, rng)
        for metric, score in METRICS.items():
            scores = [score(y[test], predicted) for predicted, (_, test) in zip(predictions, folds)]
            low, high = ends[metric]
            print(f"{name} {metric}: {np.mean(scores):.3f} +- {np.std(scores):.3f} [{low:.3f}, {high:.3f}]")
    return found


def importance(model, x, y):
    """By how much the error on some rows grows when a column of theirs is shuffled."""
    scoring = "neg_root_mean_squared_error"
    return permutation_importance(model, x, y, n_repeats=5, random_state=42, scoring=scoring).importances_mean


def cv_plus(x, y, folds, forest) -> None:
    """CV+ intervals from the rows learned from, on the rows scored on."""
    covered = {coverage: 0 for coverage in COVERAGES}
    for train, test in folds:
        inner = list(KFold(5, shuffle=True, random_state=42).split(train))
        x_train, y_train = x.iloc[train], y[train]
        found = cross_validate(pipeline(forest), x_train, y_train, cv=inner, n_jobs=-1, return_estimator=True)["estimator"]
        lows, highs = [], []
        for model, (_, left_out) in zip(found, inner):
            residuals = np.abs(y_train[left_out] - model.predict(x_train.iloc[left_out]))
            predicted = model.predict(x.iloc[test])
            lows.append(predicted[:, None] - residuals)
            highs.append(predicted[:, None] + residuals)
        lows, highs = np.sort(np.hstack(lows)), np.sort(np.hstack(highs))
        n = len(train)
        for coverage in COVERAGES:
            position = int(np.ceil(coverage * (n + 1) - 1e-9))
            covered[coverage] += np.sum((lows[:, n - position] <= y[test]) & (y[test] <= highs[:, position - 1]))
    for coverage, rows in covered.items():
        print(f"intervals of {coverage}: {rows / len(y):.3f} covered")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("raw", type=Path, help="the raw Auto MPG file")
    parser.add_argument("--n-splits", type=int, default=10)
    parser.add_argument("--n-repeats", type=int, default=5)
    parser.add_argument("--n-estimators", type=int, default=100)
    args = parser.parse_args()

    x = pd.read_csv(args.raw, sep=r"\s+", names=[*COLUMNS, "name"], na_values="?").drop(columns="name")
    y = x.pop(TARGET).to_numpy()
    rng = np.random.default_rng(42)
    everything = regressors(args.n_estimators)
    forest = everything["random forest"]
    folds = list(RepeatedKFold(n_splits=args.n_splits, n_repeats=args.n_repeats, random_state=42).split(x))
    first = folds[: args.n_splits]

    fitted = models(everything, x, y, folds, rng)
    importances = Parallel(n_jobs=-1)(
        delayed(importance)(model, x.iloc[test], y[test]) for model, (_, test) in zip(fitted, first)
    )
    for column, growth in zip(x.columns, np.mean(importances, axis=0)):
        print(f"{column}: {growth:.3f}")
    cv_plus(x, y, first, forest)

    whole = pipeline(clone(forest).set_params(oob_score=True)).fit(x, y)
    print(f"out of bag: {root_mean_squared_error(y, whole[-1].oob_prediction_):.3f}")
    floats = x.astype(float)
    for column in x.columns:
        found = partial_dependence(whole, floats.dropna(), [column], grid_resolution=24, kind="both", method="brute")
        print(f"{column}: from {found['average'].min():.2f} to {found['average'].max():.2f}")
    early = (x["model year"] <= 79).to_numpy()
    for name, regressor in everything.items():
        late = pipeline(clone(regressor)).fit(x[early], y[early]).predict(x[~early])
        scores = {metric: score(y[~early], late) for metric, score in METRICS.items()}
        print(f"{name}, later years: rmse {scores['rmse']:.3f}, mae {scores['mae']:.3f}, r2 {scores['r2']:.3f}")


if __name__ == "__main__":
    main()
