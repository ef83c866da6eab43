"""A fitted model written to a file, and loaded: joblib, as scikit-learn's documentation says."""

from pathlib import Path
from typing import Any

import forest
import joblib
import tables
import transform
from meter import Meter


def run(task: dict[str, Any], meter: Meter) -> None:
    rows, trees = task["workload"]["rows"], task["workload"]["trees"]
    engine, folder = task["engine"], Path(task["folder"])
    if trees:
        x, y, _, _ = tables.train_and_test(task["folder"], rows)
        model = forest.regressor({**task, "engine": "scikit-learn"}).fit(x, y)
    else:
        transformer = transform.column_transformer(True, tables.NUMBERS, tables.TEXTS)
        model = transformer.fit(tables.frame(task["folder"], rows, True))
    compress = ("gzip", 3) if engine == "joblib, gzip" else 0
    path = folder / "models" / f"{engine.replace(', ', '-')}-{trees}.joblib"
    path.parent.mkdir(parents=True, exist_ok=True)
    meter.measure("write", lambda: joblib.dump(model, path, compress=compress))
    meter.size(path.stat().st_size)
    loaded = meter.measure("load", lambda: joblib.load(path))
    meter.check(len(loaded.estimators_) if trees else len(loaded.get_feature_names_out()))
