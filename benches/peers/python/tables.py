"""The tables that the Rust program wrote."""

from pathlib import Path

import numpy as np
import pandas as pd

CATEGORIES = ["d", "b", "a", "c"]
NUMBERS = [f"x{index}" for index in range(8)]
TEXTS = ["c0", "c1"]


def numbers(folder: str, rows: int, missing: bool) -> np.ndarray:
    """The eight columns of numbers, one after the other."""
    return np.load(Path(folder) / f"{'gaps' if missing else 'numbers'}-{rows}.npy")


def codes(folder: str, rows: int) -> np.ndarray:
    """The two columns of positions in CATEGORIES, one after the other."""
    return np.load(Path(folder) / f"codes-{rows}.npy")


def frame(folder: str, rows: int, missing: bool) -> pd.DataFrame:
    """The table as a data frame: float64 columns, and category columns."""
    columns = dict(zip(NUMBERS, numbers(folder, rows, missing)))
    for name, column in zip(TEXTS, codes(folder, rows)):
        columns[name] = pd.Categorical.from_codes(column.astype("int8"), categories=CATEGORIES)
    return pd.DataFrame(columns)


def matrix(folder: str, rows: int, missing: bool) -> np.ndarray:
    """The table as one row-major float64 array, the codes in the last two columns."""
    columns = np.concatenate([numbers(folder, rows, missing), codes(folder, rows)])
    return np.ascontiguousarray(columns.T)


def train_and_test(folder: str, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Features and targets to grow a forest on, and those of rows that it has not seen."""
    parts = (np.load(Path(folder) / f"{part}-{rows}.npy") for part in ("train", "test"))
    (x, y), (x_test, y_test) = ((np.ascontiguousarray(part[:, :-1]), part[:, -1].copy()) for part in parts)
    return x, y, x_test, y_test
