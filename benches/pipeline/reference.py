"""The whole job in Python, as a team does it with pandas, scikit-learn and joblib: what `cargo xtask pipeline` is timed against.

    python3 -m venv venv
    venv/bin/pip install -r benches/pipeline/requirements.txt
    venv/bin/python benches/pipeline/reference.py data/auto-mpg.data

Acquire and split, fit the features, train a random forest, evaluate, package both artifacts, load them again and predict the
test rows. One process does all of it and imports its libraries once, where the real thing starts a process for each job: the
comparison favours Python.
"""

import argparse
import tarfile
import tempfile
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score, root_mean_squared_error
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

TARGET = "mpg"
COLUMNS = [TARGET, "cylinders", "displacement", "horsepower", "weight", "acceleration", "model year", "origin"]


class CustomPreprocessing(TransformerMixin, BaseEstimator):
    """`model year` becomes `age`; cylinders and origin become categories."""

    def __init__(self, reference_year: int = 82):
        self.reference_year = reference_year

    def fit(self, x: pd.DataFrame, y=None):
        self.n_features_in_ = x.shape[1]
        return self

    def transform(self, x: pd.DataFrame) -> pd.DataFrame:
        x = x.rename(columns={"model year": "age"})
        x["age"] = self.reference_year - x["age"]
        return x.astype({"cylinders": "category", "origin": "category"})


def acquire(raw: Path, store: Path, seed: int, train_fraction: float, test_rows: int) -> None:
    """The raw file to train.csv, val.csv and test.csv."""
    cars = pd.read_csv(raw, sep=r"\s+", names=[*COLUMNS, "name"], na_values="?").drop(columns="name")
    train = cars.sample(frac=train_fraction, random_state=seed)
    rest = cars.drop(train.index).sample(frac=1.0, random_state=seed)
    for part, rows in (("train", train), ("val", rest[:-test_rows]), ("test", rest[-test_rows:])):
        rows.to_csv(store / f"{part}.csv", index=False)


def preprocessing() -> Pipeline:
    """What makes features of the raw columns."""
    numeric = Pipeline([("impute", SimpleImputer(strategy="mean")), ("scale", StandardScaler())])
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer(
        [
            ("categorical-feats", one_hot, make_column_selector(dtype_include="category")),
            ("numerical-feats", numeric, make_column_selector(dtype_exclude="category")),
        ]
    )
    return Pipeline([("custom-preprocessing", CustomPreprocessing()), ("column-preprocessing", columns)])


def process(store: Path) -> None:
    """The CSVs to feature matrices and the fitted preprocessor."""
    pipeline = preprocessing()
    tables = {part: pd.read_csv(store / f"{part}.csv") for part in ("train", "val")}
    pipeline.fit(tables["train"].drop(columns=TARGET))
    for part, table in tables.items():
        features = pipeline.transform(table.drop(columns=TARGET))
        np.save(store / f"{part}_feats.npy", np.column_stack([table[TARGET], features]))
    package(pipeline, "preprocessor", store)


def train(store: Path, n_estimators: int, seed: int, n_jobs: int | None) -> None:
    """The feature matrices to metric lines and the fitted forest."""
    parts = {part: np.load(store / f"{part}_feats.npy") for part in ("train", "val")}
    forest = RandomForestRegressor(n_estimators, random_state=seed, n_jobs=n_jobs)
    forest.fit(parts["train"][:, 1:], parts["train"][:, 0])
    predictions = {part: forest.predict(values[:, 1:]) for part, values in parts.items()}
    metrics = {
        "mae": mean_absolute_error,
        "mse": mean_squared_error,
        "rmse": root_mean_squared_error,
        "r2": r2_score,
    }
    for name, metric in metrics.items():
        scores = {part: metric(values[:, 0], predictions[part]) for part, values in parts.items()}
        print(f"train_{name}={scores['train']};  val_{name}={scores['val']};")
    package(forest, "regressor", store)


def package(model, name: str, store: Path) -> None:
    joblib.dump(model, store / f"{name}.joblib")
    with tarfile.open(store / f"{name}.tar.gz", "w:gz") as archive:
        archive.add(store / f"{name}.joblib", arcname=f"{name}.joblib")


def load(name: str, store: Path):
    folder = store / "loaded" / name
    with tarfile.open(store / f"{name}.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return joblib.load(folder / f"{name}.joblib")


def predict(store: Path) -> None:
    """Both artifacts, loaded again, on the test rows."""
    preprocessor, regressor = load("preprocessor", store), load("regressor", store)
    test = pd.read_csv(store / "test.csv")
    predictions = regressor.predict(preprocessor.transform(test.drop(columns=TARGET)))
    for row, (prediction, truth) in enumerate(zip(predictions, test[TARGET])):
        print(f"{row}: predicted {prediction:.2f}, true {truth:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("raw", type=Path, help="the raw Auto MPG file")
    parser.add_argument("--store", type=Path, help="where to write; a temporary folder by default")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--train-fraction", type=float, default=0.8)
    parser.add_argument("--test-rows", type=int, default=10)
    parser.add_argument("--n-estimators", type=int, default=100)
    parser.add_argument("--n-jobs", type=int, help="processors for the forest; one by default, -1 for all")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as temporary:
        store = args.store or Path(temporary)
        store.mkdir(parents=True, exist_ok=True)
        acquire(args.raw, store, args.seed, args.train_fraction, args.test_rows)
        process(store)
        train(store, args.n_estimators, args.seed, args.n_jobs)
        predict(store)


if __name__ == "__main__":
    main()
