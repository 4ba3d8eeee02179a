"""Seconds and memory of every notebook: phantom, already drawn, class mode.

    python -m benchmarks.lessons

Each notebook runs alone, as a reader runs it, with all cores. Then all of them run as the tests run
them: two at a time, each on one core, in kernels that have the large libraries. Writes
`benchmarks/lessons.csv`, a row per notebook and one for the whole run. Nothing else should run
meanwhile. Needs Linux.
"""

import datetime
import os
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from tools.common import notebooks
from tools.rules.stability import THREADS
from tools.run import Result, run_all

RESULT = Path(__file__).with_name("lessons.csv")
VALUES = {"DATASET": "phantom", "MODE": "class", "SEED": 0}


def run(jobs: int, warmed: bool = False) -> tuple[list[Result], float]:
    """Run every notebook; return the results and the seconds of the whole."""
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        results = run_all(notebooks(), Path(folder), VALUES, jobs, warmed=warmed)
        seconds = time.perf_counter() - begin
    if failed := [result.notebook for result in results if result.status != "ok"]:
        raise SystemExit(f"failed: {', '.join(failed)}; see make run LESSON=...")
    return results, seconds


def main() -> None:
    results, _ = run(jobs=1)
    os.environ.update(dict.fromkeys(THREADS, "1"))
    _, whole = run(jobs=2, warmed=True)
    table = pd.DataFrame([asdict(result) for result in results])
    table = table[["notebook", "seconds", "peak_mb", "cells"]]
    total = {"notebook": "all", "seconds": round(whole, 1), "peak_mb": table["peak_mb"].max()}
    table = pd.concat(
        [table, pd.DataFrame([total | {"cells": table["cells"].sum()}])], ignore_index=True
    )
    today = datetime.date.today().isoformat()
    table.assign(date=today, command="python -m benchmarks.lessons").to_csv(RESULT, index=False)


if __name__ == "__main__":
    main()
