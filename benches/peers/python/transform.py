"""Eight numbers scaled and two columns of categories one-hot encoded, and before that, if numbers are missing, imputed."""

from typing import Any

import numpy as np
import tables
from meter import Meter
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def column_transformer(missing: bool, numbers: list, texts: list) -> ColumnTransformer:
    """Dense features, as the others give them."""
    scale = make_pipeline(SimpleImputer(), StandardScaler()) if missing else StandardScaler()
    encode = OneHotEncoder(sparse_output=False)
    return ColumnTransformer([("numbers", scale, numbers), ("texts", encode, texts)], sparse_threshold=0)


def run(task: dict[str, Any], meter: Meter) -> None:
    rows, missing = task["workload"]["rows"], task["workload"]["missing"]
    if task["engine"] == "scikit-learn":
        table = tables.frame(task["folder"], rows, missing)
        transformer = column_transformer(missing, tables.NUMBERS, tables.TEXTS)
    elif task["engine"] == "scikit-learn, array":
        table = tables.matrix(task["folder"], rows, missing)
        transformer = column_transformer(missing, list(range(8)), [8, 9])
    else:
        raise SystemExit(f"the engine {task['engine']} takes no part in transform")
    fitted = meter.measure("fit", lambda: transformer.fit(table))
    features = meter.measure("transform", lambda: fitted.transform(table))
    meter.check(np.abs(features).mean())
