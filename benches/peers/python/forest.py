"""A random forest grown, and asked for rows that it has not seen: all in one call, then one a call."""

import io
import pickle
from typing import Any

import joblib
import numpy as np
import tables
from meter import Meter

SEED = 42
SINGLE_ROWS = 20


def regressor(task: dict[str, Any]) -> Any:
    """The forest of a task, not yet grown."""
    workload, threads = task["workload"], task["threads"]
    shape = {
        "n_estimators": workload["trees"],
        "max_depth": workload.get("max_depth"),
        "max_features": workload.get("max_features") or 1.0,
        "n_jobs": threads,
        "random_state": SEED,
    }
    if task["engine"] == "scikit-learn":
        from sklearn.ensemble import RandomForestRegressor

        return RandomForestRegressor(**shape)
    if task["engine"] == "scikit-learn-intelex":
        from sklearnex.ensemble import RandomForestRegressor

        return RandomForestRegressor(**shape)
    if task["engine"] == "LightGBM":
        return lightgbm_forest(workload, threads)
    raise SystemExit(f"the engine {task['engine']} takes no part in forest")


def lightgbm_forest(workload: dict[str, Any], threads: int) -> Any:
    """LightGBM's random forest: histograms of 255 bins, samples without replacement, leaves split best first."""
    from lightgbm import LGBMRegressor

    depth = workload.get("max_depth")
    return LGBMRegressor(
        boosting_type="rf",
        n_estimators=workload["trees"],
        max_depth=depth or -1,
        # As many leaves as the depth allows, or as there are rows.
        num_leaves=min(2**depth if depth else workload["rows"], 131_072),
        min_child_samples=1,
        min_child_weight=0.0,
        # The share of distinct rows that sampling with replacement leaves.
        subsample=0.632,
        subsample_freq=1,
        colsample_bynode=(workload.get("max_features") or 20) / 20,
        n_jobs=threads,
        random_state=SEED,
        verbose=-1,
    )


def size(model: Any) -> int:
    """Bytes that the model's own way of saving it takes."""
    if hasattr(model, "booster_"):
        return len(model.booster_.model_to_string())
    saved = io.BytesIO()
    joblib.dump(model, saved, protocol=pickle.HIGHEST_PROTOCOL)
    return saved.tell()


def run(task: dict[str, Any], meter: Meter) -> None:
    x, y, x_test, y_test = tables.train_and_test(task["folder"], task["workload"]["rows"])
    model = meter.measure("fit", lambda: regressor(task).fit(x, y))
    meter.size(size(model))
    predictions = meter.measure("predict, per row of a batch", lambda: model.predict(x_test))
    meter.check(np.sqrt(np.mean((predictions - y_test) ** 2)))
    meter.each_of(len(x_test))
    meter.measure("predict one row", lambda: [model.predict(row[None]) for row in x_test[:SINGLE_ROWS]])
    meter.each_of(min(SINGLE_ROWS, len(x_test)))
