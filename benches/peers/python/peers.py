"""Does one task with one engine, alone in its process, and prints what it measured: a line of JSON for each operation.

The task is the only argument, as JSON; the same as that of the Rust program beside this folder, and the same lines come out.
"""

import json
import sys

import artifact
import forest
import transform
from meter import Meter

SUITES = {"transform": transform.run, "forest": forest.run, "artifact": artifact.run}


def main() -> None:
    task = json.loads(sys.argv[1])
    with Meter() as meter:
        SUITES[task["workload"]["suite"]](task, meter)


if __name__ == "__main__":
    main()
