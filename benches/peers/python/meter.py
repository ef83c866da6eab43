"""Measuring, by the rules of the crate drivetrain-bench: see its Meter."""

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

BUDGET = 0.2
MAX_REPEATS = 25


class Meter:
    """Measures operations and prints each reading as soon as the next one begins, or the meter is left."""

    def __init__(self) -> None:
        self._pending: dict[str, Any] | None = None

    def __enter__(self) -> "Meter":
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()

    def measure(self, op: str, work: Callable[[], Any]) -> Any:
        """Does some work, several times if it is short; returns its last result."""
        self._flush()
        base = _begin_peak()
        switches = _preemptions()
        began = time.perf_counter()
        laps: list[tuple[float, float]] = []
        spent = 0.0
        result = None
        while not laps or (spent < BUDGET and len(laps) < MAX_REPEATS):
            # Freed before it is made again, so that two of them are never held.
            result = None
            cpu, started = time.process_time(), time.perf_counter()
            result = work()
            wall = time.perf_counter() - started
            laps.append((wall, time.process_time() - cpu))
            spent += wall
        elapsed = time.perf_counter() - began
        preempted = _preemptions() - switches
        if len(laps) > 1:
            del laps[0]
        self._pending = {
            "op": op,
            "seconds": statistics.median(wall for wall, _ in laps),
            "repeats": len(laps),
            "cpu_seconds": statistics.median(cpu for _, cpu in laps),
            "added_bytes": max(_memory("VmHWM") - base, 0),
            "preempted_per_second": preempted / elapsed,
        }
        return result

    def size(self, count: int) -> None:
        """Says how many bytes the result of the last operation has."""
        self._pending["size_bytes"] = count

    def check(self, number: float) -> None:
        """Says by which number the result of the last operation can be judged."""
        self._pending["check"] = float(number)

    def each_of(self, count: int) -> None:
        """Says that the last operation was a number of equal ones, to be counted singly."""
        self._pending["seconds"] /= count
        self._pending["cpu_seconds"] /= count

    def _flush(self) -> None:
        if self._pending is not None:
            print(json.dumps(self._pending), flush=True)
            self._pending = None


def _begin_peak() -> int:
    """Begins a new peak of memory, at what is held now, if the system allows it; returns that."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass
    return _memory("VmRSS")


def _status(path: Path, name: str) -> int:
    """The number under a name, 0 where there is none."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)


def _memory(name: str) -> int:
    return 1024 * _status(Path("/proc/self/status"), name)


def _preemptions() -> int:
    """How often the system took a processor away from a living thread."""
    tasks = Path("/proc/self/task")
    threads = tasks.iterdir() if tasks.exists() else ()
    return sum(_status(thread / "status", "nonvoluntary_ctxt_switches") for thread in threads)
