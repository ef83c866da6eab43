"""scikit-learn's side of the benchmark: started by main.rs with the numbers of rows and columns.

Reads the table as little-endian float64 from stdin, features row by row, then the targets; after that a line for each
measurement: trees, depth and features a split, 0 for no limit. Answers with a line: seconds of the fit, rows a second
predicted in one call, microseconds for one row.
"""

import sys
from time import perf_counter

import numpy as np
from sklearn.ensemble import RandomForestRegressor


def main() -> None:
    n_rows, n_columns = map(int, sys.argv[1:])
    stdin = sys.stdin.buffer
    values = np.frombuffer(stdin.read(8 * n_rows * (n_columns + 1)), dtype="<f8")
    x, y = values[: n_rows * n_columns].reshape(n_rows, n_columns), values[n_rows * n_columns :]
    for line in stdin:
        n_trees, depth, features = map(int, line.split())
        model = RandomForestRegressor(n_trees, max_depth=depth or None, max_features=features or 1.0, n_jobs=1)
        start = perf_counter()
        model.fit(x, y)
        fitted = perf_counter()
        model.predict(x)
        predicted = perf_counter()
        for row in x[:20]:
            model.predict(row[None])
        alone = perf_counter()
        print(fitted - start, n_rows / (predicted - fitted), (alone - predicted) / 20 * 1e6, flush=True)


if __name__ == "__main__":
    main()
