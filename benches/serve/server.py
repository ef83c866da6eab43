"""The model of benches/pipeline/reference.py behind FastAPI and uvicorn, as a team serves it: what `cargo xtask bench serve`
measures ours against.

    server.py STORE PORT WORKERS

STORE holds train.csv and val.csv. The pipeline and the forest are fitted on them, packaged and loaded again; then as many
processes as WORKERS say answer `POST /invocations` with CSV rows in and JSON out, and `GET /ping`.
"""

import os
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "pipeline"))


def main() -> None:
    import reference
    import uvicorn

    store, port, workers = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    reference.process(store)
    reference.train(store, n_estimators=100, seed=42, n_jobs=None)
    os.environ["DRIVETRAIN_BENCH_STORE"] = str(store)
    uvicorn.run(
        "app:app", host="127.0.0.1", port=port, workers=workers, app_dir=str(FOLDER), access_log=False,
        log_level="warning",
        # On a busy machine a process takes longer to import its libraries than uvicorn is willing to wait.
        timeout_worker_healthcheck=60,
    )


if __name__ == "__main__":
    main()
